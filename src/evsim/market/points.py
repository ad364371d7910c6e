"""One point in time of a forecast: the market as expected then, and what the panel makes of it.

Everybody pays what the largest class of buyers pays then: who else may claim more or less (a trade-in, an income test) is not
followed, for a class more is a table of chances more, and there are thousands of replies a review.

Tables `[2 S, J]` lie in memory line by line (in Fortran's order), for they are read and written by lines: a few of many.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from ..economics import technology
from ..economics.price_rule import BuyerPrice
from ..economics.reply_kernels import buyer_prices, summed_columns, weighted_columns
from .calendar import largest_class
from .offers import Offers
from .owners import shopping_spells
from .panel import Entries, panel_utility, stack_utility
from .progress import success_chance
from .state import Market
from .trial_kernels import set_utility
from .trials import Ledger, ledger
from .ways import built_quality, equipped, tried

Parts = tuple[np.ndarray, ...]  # of a `BuyerPrice`: knots, slopes, intercept, jumps
ANNOUNCED = 12  # months ahead that launches are known


@dataclass(frozen=True)
class Stand:
    """Where a maker stands at a point: what all that it might try there starts from, as long as nobody moves."""

    market: Market
    ledger: Ledger
    rows: np.ndarray  # what it has on sale
    columns: np.ndarray  # of the rows
    rule: Parts  # of the rows
    sold: np.ndarray  # [2 S]: its part of `Point.total`
    others: np.ndarray  # [2 S]: everybody else's, the outside good's among it
    owners_left: np.ndarray  # [all lines] what a car sold leaves the maker in owner value, kCNY
    others_then: dict[float, np.ndarray] = field(default_factory=dict)  # the same, lent trust changed by so much
    answers: dict = field(default_factory=dict)  # of `Forecast.answer`, by what is tried, as they are asked for


@dataclass
class Point:
    """The market as expected some years from now, and what the panel makes of it."""

    years: float
    market: Market  # the panel's state and the fleets are today's
    month: int  # whose policy holds
    rows: np.ndarray  # lines that are or may come on sale, [J]
    place: np.ndarray  # column of a line, [all lines]
    utility: np.ndarray  # [2 S, J] before price
    excess: np.ndarray  # [2 S, J]: exp(V − α q − reference), 0 where not on sale
    total: np.ndarray  # [2 S]: their sum with that of the outside good
    reference: np.ndarray  # [2 S], utils
    outside: np.ndarray  # [2 S], utils
    alone: np.ndarray  # [2 S]: exp(outside − reference)
    weights: np.ndarray  # [2 S]
    rule: BuyerPrice  # of the point's lines
    cars: float  # a year, for a share of 1 of all visits
    stacks: np.ndarray  # [2 S, 2 G]: what a stack adds to a line's utility, of `stack_utility`
    stands: dict[int, Stand] = field(default_factory=dict, compare=False)  # by maker, as they are asked for
    books: Ledger | None = field(default=None, compare=False)  # of `market`, once asked for
    booked: Market | None = field(default=None, compare=False)  # the market that they are of

    def set_columns(self, entries: Entries, rows: np.ndarray, utility: np.ndarray) -> None:
        """New utilities of lines at the market's prices; lines that are not on sale attract nobody."""
        self.stands.clear()
        if not len(rows):
            return
        columns, on_sale = self.place[rows], self.market.offers.on_sale[rows]
        outlay = buyer_prices(self.market.offers.price[rows], self.parts_of(columns))
        self.total -= summed_columns(self.excess, columns)
        excess = np.empty(utility.shape, order="F")
        set_utility(columns, utility, outlay, (self.utility, self.reference, entries.sensitivity), excess)
        np.exp(excess, out=excess)
        excess[:, ~on_sale] = 0.0
        self.excess[:, columns] = excess
        self.total += summed_columns(self.excess, columns)

    def copied(self) -> "Point":
        """A point of its own: what is written to it leaves this one alone."""
        arrays = {name: getattr(self, name).copy(order="F") for name in ("utility", "excess", "total")}
        return replace(self, **arrays, stands={})

    def stand(self, automaker: int) -> Stand:
        """A maker's stand, worked out when first asked for."""
        market, known = self.market, self.stands.get(automaker)
        if known is not None and known.market is market:
            return known
        rows, owners = self.rows_of(market.offers, automaker), market.scenario.pricing.owner_value
        columns = self.place[rows]
        sold = summed_columns(self.excess, columns)
        stand = Stand(
            market=market,
            ledger=self.ledger(),
            rows=rows,
            columns=columns,
            rule=self.parts_of(columns),
            sold=sold,
            others=np.maximum(self.total - sold, self.alone),
            owners_left=owners * np.nan_to_num(market.owner_value[automaker])
            if owners
            else np.zeros(len(market.offers)),
        )
        self.stands[automaker] = stand
        return stand

    def ledger(self) -> Ledger:
        """The market's ledger, worked out when first asked for."""
        if self.books is None or self.booked is not self.market:
            self.books, self.booked = ledger(self.market), self.market
        return self.books

    def rows_of(self, offers: Offers, automaker: int) -> np.ndarray:
        """The point's lines that a maker has on sale in these offers."""
        rows = self.rows
        return rows[offers.on_sale[rows] & (offers.automaker[rows] == automaker) & ~offers.pooled[rows]]

    def rule_of(self, columns: np.ndarray) -> BuyerPrice:
        """What buyers pay for some of the point's lines."""
        return BuyerPrice(*self.parts_of(columns))

    def parts_of(self, columns: np.ndarray) -> Parts:
        """The parts of the same."""
        rule = self.rule
        return rule.knots[columns], rule.slopes[columns], rule.intercept[columns], rule.jumps[columns]

    def shares(self, columns: np.ndarray | None = None) -> np.ndarray:
        """Share of all visits that end with each line, `[J]`, or with those of some columns."""
        columns = np.arange(len(self.rows)) if columns is None else columns
        return weighted_columns(self.weights / self.total, self.excess, columns)


def expected_point(market: Market, years: float, entries: Entries) -> Point:
    """The market as expected some years from now."""
    months = int(round(12.0 * years))
    expected = _expected(market, months)
    waiting = [brand.lines for brand in market.brands if brand.prospective]
    rows = np.unique(np.concatenate([np.flatnonzero(expected.offers.on_sale), *waiting])).astype(np.int64)
    place = np.full(len(market.offers), -1)
    place[rows] = np.arange(len(rows))
    utility, outside = panel_utility(expected, entries, rows)
    month = market.month + months
    known = expected.weighed(month, rows, entries.people, seen_from=market.month)
    rule = largest_class(known, entries.chance)
    by_line = np.asfortranarray(utility)
    excess = np.multiply.outer(rule.value(expected.offers.price[rows]), entries.sensitivity).T
    np.subtract(by_line, excess, out=excess)
    excess[:, ~expected.offers.on_sale[rows]] = -np.inf
    reference = np.maximum(excess.max(axis=1), outside)
    excess -= reference[:, None]
    np.exp(excess, out=excess)
    alone, inside = np.exp(outside - reference), excess.sum(axis=1)
    worth = reference + np.log(np.maximum(inside, np.finfo(float).tiny)) - outside  # of a visit over keeping the car
    visits = shopping_spells(worth, expected.habits).visits * entries.chance
    mean_visits = visits.sum() / (0.5 * len(entries))
    consumers, growth = market.scenario.consumers, (1.0 + market.scenario.market.growth) ** (month / 12.0)
    cycle = consumers.holding_months + (mean_visits - 1.0) * consumers.pause_months
    households = market.population.weight * consumers.count * growth
    return Point(
        years=years,
        market=expected,
        month=month,
        rows=rows,
        place=place,
        utility=by_line,
        excess=excess,
        total=inside + alone,
        reference=reference,
        outside=outside,
        weights=visits / visits.sum(),
        rule=rule,
        alone=alone,
        cars=12.0 * households / cycle * mean_visits,
        stacks=np.asfortranarray(stack_utility(expected, entries, int(rows[0]))),
    )


def _expected(market: Market, months: int) -> Market:
    """Lines, software, hardware and batteries as expected; changes of brands on their way have come into force."""
    offers, platforms, params = market.offers, market.platforms, market.scenario
    selling = offers.on_sale.copy()
    for event in market.calendar:
        if event.event == "opens" and market.month < event.month <= market.month + min(months, ANNOUNCED):
            selling[event.row] = True
    closed = offers.hardware_gap - offers.hardware
    chance = success_chance(market, platforms.research, platforms.fleet(market.month))
    per_month = params.software.success_gain * chance - platforms.drift
    expected = replace(
        market,
        offers=replace(
            offers,
            on_sale=selling,
            hardware=offers.hardware_gap - closed * (1.0 - params.products.hardware_convergence) ** months,
            refreshed=market.month - 0.5 * offers.cycle,
        ),
        platforms=replace(platforms, quality=platforms.quality + months * per_month),
        pack_price=_expected_pack_price(market, months),
        wait=np.zeros_like(market.wait),
    )
    expected.platforms.quality[platforms.dormant] = built_quality(expected)
    for brand in market.brands:
        change = brand.change
        if change and not change.attempt and change.month <= market.month + months:
            expected = tried(expected, equipped(expected, brand, change.way), change.way)
    return expected


def _expected_pack_price(market: Market, months: int) -> float:
    """Battery price if output goes on at its mean rate since the base date."""
    if market.month == 0:
        return market.pack_price
    battery = market.scenario.battery
    output = market.output_gwh * (1.0 + months / market.month)
    return float(
        technology.experience_cost(
            market.base_pack_price, battery.cumulative_gwh, battery.cumulative_gwh + output, battery.learning_rate
        )
    )
