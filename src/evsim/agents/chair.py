"""The yearly review: the leader moves first, then brands choose one at a time, in a keyed order, until nobody moves.

A brand bound by a contract, or on its way to another stack, does not choose. What a maker sees in a mode and the model does
not is drawn once per brand, mode and review; drawn anew in every round, the game would never rest.
"""

from dataclasses import replace

import numpy as np

from ..economics.coalition import Settlement, settle
from ..economics.options import staying_constant
from ..errors import EvsimError
from ..market.brands import Brand, Way
from ..market.changes import attempts_under_way, belief, bound, brand_name, commit
from ..market.forecast import Forecast
from ..market.leadership import recovered_aims
from ..market.values import Means, table_of, value_table
from ..market.ways import WITH_LEADER, on_sale
from ..params import without_levers
from ..streams import Purpose, gumbel, key_of, uniforms
from .minutes import admission_rows, decision_rows, review_row
from .review import Decision, Meeting, Review


class Chair:
    """Leads one review: it puts the questions, keeps the tables, and carries choices into the forecast."""

    def __init__(self, model, forecast: Forecast, brands: list[Brand]):
        self.model, self.market, self.forecast, self.brands = model, forecast.market, forecast, brands
        self.reviews: dict[int, Review] = {}
        self.refused: dict[tuple[int, Way], str] = {}
        self.shocks: dict[tuple[int, int, Way], float] = {}  # by month, brand and way
        self.giants = giants(forecast, brands)

    def choose(self, place: int, choices: tuple) -> Way:
        """The choice of one brand, others' choices given."""
        brand, modes = self.brands[place], self.market.scenario.modes
        maker, last = self.model.automakers[brand.automaker], self.reviews.get(place)
        if last is not None and last.lead() * last.precision > modes.second_look * modes.precision:
            return choices[place]  # no rival's move turns a lead like this
        if len(self.forecast.ways_of(brand, self.model.orchestrator.offered)) < 2:
            return choices[place]
        review = self.review_of(brand, maker)
        way = self.chosen(maker, review)
        while way != brand.way and way.mode in WITH_LEADER and brand.way.mode != way.mode:
            refusal = self.refused.get((place, way)) or self.model.orchestrator.refuses(self.forecast, brand, way)
            if not refusal:
                break
            self.refused[place, way] = refusal
            review = review.closing(way, refusal)
            way = self.chosen(maker, review)
        self.reviews[place] = review
        if way != choices[place]:
            self.forecast.follow(brand, way)
        return way

    def refuse(self, place: int, way: Way, reason: str) -> None:
        """The leader takes back what it had granted: the brand goes back to where it was, and will choose again."""
        brand = self.brands[place]
        self.refused[place, way] = reason
        self.forecast.follow(brand, brand.way)
        del self.reviews[place]

    def review_of(self, brand: Brand, maker) -> Review:
        """The brand's value table as things stand."""
        modes, market = self.market.scenario.modes, self.market
        stakes, means = maker.stakes(modes), self.means(maker)
        table = value_table(self.forecast, brand, stakes, means)
        scale = max(max(row.brand_profit for row in table), 1.0)
        shocks = [self.shock(brand, row.way) for row in table]
        name = brand_name(market, brand)
        precision = modes.precision / scale
        month = self.model.recorder.month
        review = Review(name, month, tuple(table), np.array(shocks), precision, brand.resistance)
        if brand.key in self.giants and review.lead() < modes.close * scale:
            seen = review.values + review.unseen
            near = {row.way for row, value in zip(table, seen, strict=True) if value > seen.max() - modes.close * scale}
            flows = {row.way: self.forecast.flows(brand, row.way, full=row.way in near) for row in table}
            review = replace(review, table=tuple(table_of(self.forecast, brand, stakes, means, flows)))
        return review

    def shock(self, brand: Brand, way: Way) -> float:
        """What the maker sees in a way and the model does not, standard Gumbel: drawn once a review."""
        key = (self.market.month, brand.key, way)
        if key not in self.shocks:
            seed, index = self.market.scenario.seed_of_firms, key_of(f"{way.mode} {way.platform}")
            self.shocks[key] = gumbel(seed, int(Purpose.MODE), self.market.month, brand.key, index)
        return self.shocks[key]

    def means(self, maker) -> Means:
        """What a maker can count on."""
        market, books = self.market, self.model.books
        group = market.groups.get(maker.name, maker.name)
        fellows = [code for code, name in enumerate(market.names.automakers) if market.groups.get(name, name) == group]
        yearly = 12.0 / (0.5 * (market.scenario.modes.build_months_least + market.scenario.modes.build_months_most))
        return Means(
            offered=self.model.orchestrator.offered,
            belief=belief(market),
            rival_attempts=int(round(attempts_under_way(market) * yearly)),
            cash=float(books.cash[fellows].sum()),
            ruled_out=maker.rules_out,
        )

    def chosen(self, maker, review: Review) -> Way:
        """What the maker's rule picks, if that is open."""
        way = maker.choose_mode(review)
        if way not in review.ways:
            raise EvsimError(
                f"{type(maker).__name__}.choose_mode of {maker.name} returned {way!r} for {review.brand}; it must return one of "
                f"review.ways: {', '.join(map(str, review.ways))}"
            )
        return way


def giants(forecast: Forecast, brands: list[Brand]) -> set[int]:
    """Keys of the brands whose share of the market is `modes.giant_share` or more."""
    point, least = forecast.points[0], forecast.market.scenario.modes.giant_share
    sold = point.shares()
    share = {brand.key: sold[forecast.columns_of(point, brand)].sum() / sold.sum() for brand in brands}
    return {key for key, value in share.items() if value >= least}


def choosing(market) -> list[Brand]:
    """Brands that choose at a review now, in the keyed order in which they do."""
    free = [
        brand for brand in market.brands if not bound(market, brand) and (brand.prospective or on_sale(market, brand))
    ]
    keys = np.array([brand.key for brand in free], dtype=np.int64)
    turn = uniforms(market.scenario.seed_of_firms, Purpose.REVIEW, market.month, keys)
    return [free[place] for place in np.argsort(turn, kind="stable")]


def hold_review(model) -> dict[str, dict[str, list]]:
    """The leader sets its terms, brands choose their modes, what is decided is set in train; the minutes, table by table.

    The leader takes the brands that bring it most, up to what it can take; those refused choose again.
    """
    market, leader = model.market, model.orchestrator
    brands = choosing(market)
    forecast = Forecast(market)
    leader.review(forecast, brands)
    chair = Chair(model, forecast, brands)
    settlement = settled(chair)
    decisions = [
        Decision(brand, chair.reviews[place], brand.way, settlement.choices[place])
        for place, brand in enumerate(brands)
        if place in chair.reviews
    ]
    for decision in decisions:
        if decision.way != decision.before:
            row = next(row for row in decision.review.table if row.way == decision.way)
            commit(market, model.books, decision.brand, decision.way, row.invested)
    return minutes(model, Meeting(decisions, settlement), forecast)


def settled(chair: Chair) -> Settlement:
    """Where the brands' choices come to rest: nobody would move, and the leader takes no brand back out.

    A refusal stands for the rest of the review, so that choices met again after one are no cycle. Each of the rests between
    refusals has `modes.rounds` rounds; moves and rounds are counted over all of them.
    """
    brands, most = chair.brands, chair.market.scenario.modes.rounds
    choices: list[Way] = [brand.way for brand in brands]
    movers: list[int] = []
    rounds = 0
    while True:
        refusals = len(chair.refused)
        rest = settle(chair.choose, choices, range(len(brands)), most)
        movers, rounds, choices = movers + rest.movers, rounds + rest.rounds, list(rest.choices)
        if rest.cycled and len(chair.refused) > refusals:
            continue
        turned_away = chair.model.orchestrator.turns_away(brands, rest.choices)
        if not turned_away:
            return replace(rest, movers=movers, rounds=rounds)
        for place, reason in turned_away.items():
            chair.refuse(place, choices[place], reason)
            choices[place] = brands[place].way


def recover_motives(model) -> None:
    """What keeps each brand as it is, and what the leader counts beside fees: what they did at the base date was their best.

    A brand changed its way with the chance `modes.base_change_rate` a year. Levers are left out, as when costs and qualities
    are recovered, so that they can act from month 1. A brand that comes to the market later is kept by as much as the middle
    one of those there, and so is a prospective one once it is sold. Nothing is known of what keeps a maker from starting one:
    the makers that were near to it are those listed.
    """
    market, scenario = model.market, without_levers(model.market.scenario)
    neutral = replace(
        market,
        scenario=scenario,
        policy=replace(market.policy, own=(), scenario=scenario),
        platforms=replace(market.platforms, research=market.platforms.base_research),
    )
    forecast = Forecast(neutral)
    chair = Chair(model, forecast, [])
    there = [brand for brand in market.brands if on_sale(market, brand)]
    for brand in there:
        review = chair.review_of(brand, model.automakers[brand.automaker])
        values = [row.value if not row.closed else -np.inf for row in review.table]
        brand.resistance = staying_constant(values, review.precision, market.scenario.modes.base_change_rate)
    market.usual_resistance = float(np.median([brand.resistance for brand in there])) if there else 0.0
    for brand in market.brands:
        if not brand.prospective and not on_sale(market, brand):
            brand.resistance = market.usual_resistance
    if market.platform_code(market.scenario.alliance.platform) >= 0:
        model.orchestrator.aims = recovered_aims(forecast)


def minutes(model, meeting: Meeting, forecast: Forecast) -> dict[str, dict[str, list]]:
    """What the review leaves behind, as rows of tables."""
    month, leader = model.recorder.month, model.orchestrator
    modes = model.market.scenario.modes
    stakes = {each.brand.key: model.automakers[each.brand.automaker].stakes(modes) for each in meeting.decisions}
    tables = {
        "decisions": decision_rows(month, meeting.decisions, model.market.names.automakers),
        "admissions": admission_rows(month, leader.admissions),
    }
    if leader.offered:
        code = model.market.platform_code(leader.platform)
        tables["reviews"] = review_row(month, meeting, forecast, stakes, float(model.market.platforms.research[code]))
    return tables
