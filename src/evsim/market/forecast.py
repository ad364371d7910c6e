"""The market as it would be if brands got their software in other ways. No agent, nothing written.

A forecast stands at a review and looks at a few points in time. Known there: last month's prices of everybody, announced
policy, contracts on their way, launches of the next year, expected paths of software, hardware and batteries. Rivals' moves
are not foreseen, fleets are today's, and lines are of the mean age of their cycle.

What a way brings its maker is worked out by the maker's best reply on all its lines, rivals' prices held: a price game of one
setter, whose outside good is everything else,

    U_i0 = ln(exp V_i0 + Σ_{k of rivals} exp(V_ik − α_i q_k)),

kept for every entry of the panel. Where a brand is large (`modes.giant_share`) and two ways are close, the full game is
solved instead. Ways of others are those of the forecast, which `follow` moves.

Refused: foreseeing rivals' moves, which asks for an equilibrium in beliefs that no firm here could compute; and a smaller
panel, which misses a premium brand's profit by 2 to 4 points.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..economics import technology
from ..economics.best_reply import Margins, best_reply
from ..economics.contracts import Terms, price_for_net, royalty
from ..economics.price_rule import BuyerPrice
from ..economics.pricing import Demand, equilibrium_prices
from ..economics.reply_kernels import weighted_columns
from .brands import Brand, Way
from .calendar import largest_class
from .offers import MODE
from .panel import Entries, panel_entries, panel_utility, panel_visits, stack_utility
from .pricing import whole_game
from .progress import success_chance
from .rates import Rates
from .state import Market
from .ways import PARTS, WITH_LEADER, built_quality, equipped, lines_of, tried

ANNOUNCED = 12  # months ahead that launches are known


class Flows(NamedTuple):
    """What a maker earns a year at one point in time, all its brands together; money in kCNY a year."""

    market_profit: float  # net revenue less the cost of the cars
    royalty: float  # paid to the leader
    cars: float
    leader_cars: float  # of them on the leader's full stack
    brand_profit: float  # of the brand's own lines, royalties paid
    brand_cars: float


@dataclass(frozen=True)
class Reply:
    """A maker's lines at its best prices."""

    rows: np.ndarray
    prices: np.ndarray  # kCNY
    cars: np.ndarray  # a year
    utility: np.ndarray  # [2 S, L] before price
    market: Market  # with the brand in that way


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

    def set_columns(self, entries: Entries, rows: np.ndarray, utility: np.ndarray) -> None:
        """New utilities of lines at the market's prices; lines that are not on sale attract nobody."""
        columns = self.place[rows]
        outlay = self.rule_of(columns).value(self.market.offers.price[rows])
        self.total -= self.excess[:, columns].sum(axis=1)
        self.utility[:, columns] = utility
        excess = np.exp(utility - entries.sensitivity[:, None] * outlay - self.reference[:, None])
        self.excess[:, columns] = np.where(self.market.offers.on_sale[rows], excess, 0.0)
        self.total += self.excess[:, columns].sum(axis=1)

    def copied(self) -> "Point":
        """A point of its own: what is written to it leaves this one alone."""
        arrays = {name: getattr(self, name).copy() for name in ("utility", "excess", "total")}
        return replace(self, **arrays)

    def rule_of(self, columns: np.ndarray) -> BuyerPrice:
        """What buyers pay for some of the point's lines."""
        rule = self.rule
        return BuyerPrice(*(part[columns] for part in (rule.knots, rule.slopes, rule.intercept, rule.jumps)))

    def shares(self) -> np.ndarray:
        """Share of all visits that end with each line, `[J]`."""
        return weighted_columns(self.weights / self.total, self.excess)


class Forecast:
    """The market at a few points in time under ways that can be tried, one brand at a time."""

    def __init__(self, market: Market):
        self.market = market
        self.entries = panel_entries(market)
        self.points = [_point(market, years, self.entries) for years in market.scenario.modes.forecast_years]
        self.ways = {brand.key: brand.way for brand in market.brands}
        self.known_rows: dict[tuple, np.ndarray] = {}  # (brand, present way, way) → lines that the move is about

    def flows(self, brand: Brand, way: Way, full: bool = False) -> list[Flows]:
        """What the brand's maker earns at each point if the brand goes this way, others' ways given.

        Args:
            full: solve the whole price game, rivals answering; else the maker's best reply.
        """
        return [self._flows(point, brand, way, full) for point in self.points]

    def flows_at(self, point: Point, brand: Brand, way: Way) -> Flows:
        """What the brand's maker earns at one point, by its best reply."""
        return self._flows(point, brand, way, full=False)

    def has(self, point: Point, brand: Brand, way: Way) -> bool:
        """Whether the brand has a line at the point that the way is about."""
        return len(self._rows(point, brand, way)) > 0

    def columns_of(self, point: Point, brand: Brand) -> np.ndarray:
        """Columns of the brand's lines at the point."""
        columns = point.place[lines_of(self.market, brand)]
        return columns[columns >= 0]

    @property
    def middle(self) -> Point:
        """The point in the middle of the forecast."""
        return self.points[len(self.points) // 2]

    def follow(self, brand: Brand, way: Way) -> None:
        """Move a brand to a way at every point, at its maker's best prices; others see it from now on."""
        for point in self.points:
            self._move(point, brand, way)
        self.ways[brand.key] = way

    def moved(self, point: Point, brand: Brand, way: Way) -> Point:
        """A point as it would be with a brand in this way; the forecast stays as it is."""
        copied = point.copied()
        self._move(copied, brand, way)
        return copied

    def copied(self, rates: Rates) -> "Forecast":
        """A forecast of its own of the middle point alone, under these terms."""
        other = copy(self)
        point = self.middle.copied()
        point.market = replace(point.market, rates=rates)
        other.points, other.ways = [point], dict(self.ways)
        return other

    def _move(self, point: Point, brand: Brand, way: Way) -> None:
        """A point follows a brand."""
        reply = self.reply(point, brand, way)
        trial, sold = reply.market, point.rows[self._of(point, brand.automaker)]
        gone = np.setdiff1d(sold, reply.rows)
        left = self._utility_in(trial, point, gone, gone)
        fellows = point.rows[self._fellow_members(point, brand)]
        lent = point.utility[:, point.place[fellows]] + (trial.lent_trust() - point.market.lent_trust())
        price = trial.offers.price.copy()
        price[reply.rows] = reply.prices
        point.market = replace(trial, offers=replace(trial.offers, price=price))
        for rows, utility in ((gone, left), (reply.rows, reply.utility), (fellows, lent)):
            point.set_columns(self.entries, rows, utility)

    def reply(self, point: Point, brand: Brand, way: Way) -> Reply:
        """The maker's best prices on all its lines with the brand in this way, rivals' prices held."""
        trial, utility, rows = self._maker(point, brand, way)
        mine = point.excess[:, np.flatnonzero(self._of(point, brand.automaker))].sum(axis=1)
        change = trial.lent_trust() - point.market.lent_trust()
        members = point.excess[:, self._fellow_members(point, brand)].sum(axis=1) if change else 0.0
        rest = np.maximum(point.total - mine + np.expm1(change) * members, point.alone)
        terms, vat, costs = trial.terms(rows), trial.scenario.subsidy.vat, trial.costs()[rows]
        owners = self.market.scenario.pricing.owner_value
        left = owners * np.nan_to_num(trial.owner_value[brand.automaker, rows]) if owners else 0.0
        margins = Margins((1.0 - terms.revenue_share) / (1.0 + vat), costs + terms.unit_fee - left)
        prices, shares = best_reply(
            utility - point.reference[:, None],
            self.entries.sensitivity,
            point.weights,
            rest,
            margins,
            point.rule_of(point.place[rows]),
            self._start(point, rows, terms, costs, vat),
            self.market.scenario.modes.reply_steps,
        )
        return Reply(rows, prices, point.cars * shares, utility, trial)

    def solved(self, point: Point, brand: Brand, way: Way) -> Reply:
        """As `reply`, with everybody's prices in equilibrium."""
        trial, utility, rows = self._maker(point, brand, way)
        everything = point.rows[trial.offers.on_sale[point.rows]]
        whole = point.utility[:, point.place[everything]].copy()
        own = np.searchsorted(everything, rows)
        whole[:, own] = utility
        fellows = np.searchsorted(everything, point.rows[self._fellow_members(point, brand)])
        whole[:, fellows] += trial.lent_trust() - point.market.lent_trust()
        demand = Demand(whole, self.entries.sensitivity, point.weights, point.outside)
        game = whole_game(trial, everything, demand, point.rule_of(point.place[everything]))
        start = trial.offers.price[everything].copy()
        vat = trial.scenario.subsidy.vat
        start[own] = self._start(point, rows, trial.terms(rows), trial.costs()[rows], vat)
        solution = equilibrium_prices(game, start, tolerance=0.01)
        return Reply(rows, solution.prices[own], point.cars * solution.shares[own], utility, trial)

    def leader_profit(self, point: Point) -> float:
        """What the leader earns a year at a point as it stands, kCNY: fees less the parts and shops it bears."""
        offers, rows = point.market.offers, point.rows
        terms, vat = point.market.terms(rows), point.market.scenario.subsidy.vat
        return float(point.cars * (point.shares() @ (royalty(offers.price[rows], terms, vat) - terms.parts_cost)))

    def leader_cars(self, point: Point) -> float:
        """Cars a year on the leader's full stack at a point as it stands."""
        modes = point.market.offers.mode[point.rows]
        return float(point.cars * point.shares()[np.isin(modes, [MODE[mode] for mode in WITH_LEADER])].sum())

    def brand_profits(self, point: Point, brands: Sequence[Brand]) -> np.ndarray:
        """What each brand earns a year at a point as it stands, royalties paid, `[n]`, kCNY."""
        offers, rows, market = point.market.offers, point.rows, point.market
        terms, vat = market.terms(rows), market.scenario.subsidy.vat
        price = offers.price[rows]
        margin = price / (1.0 + vat) - royalty(price, terms, vat) - market.costs()[rows]
        earned = point.cars * point.shares() * margin
        return np.array([earned[self._mask(rows, brand)].sum() for brand in brands])

    def _flows(self, point, brand, way, full) -> Flows:
        """One point's flows."""
        reply = self.solved(point, brand, way) if full else self.reply(point, brand, way)
        trial = reply.market
        terms, vat = trial.terms(reply.rows), trial.scenario.subsidy.vat
        margin = reply.prices / (1.0 + vat) - trial.costs()[reply.rows]
        fees = royalty(reply.prices, terms, vat)
        with_leader = np.isin(trial.offers.mode[reply.rows], [MODE[mode] for mode in WITH_LEADER])
        own = self._mask(reply.rows, brand)
        return Flows(
            market_profit=float(reply.cars @ margin),
            royalty=float(reply.cars @ fees),
            cars=float(reply.cars.sum()),
            leader_cars=float(reply.cars[with_leader].sum()),
            brand_profit=float(reply.cars[own] @ (margin - fees)[own]),
            brand_cars=float(reply.cars[own].sum()),
        )

    def _mask(self, rows, brand):
        offers = self.market.offers
        return (offers.automaker[rows] == brand.automaker) & (offers.brand[rows] == brand.brand)

    def _of(self, point, automaker):
        """Which of the point's lines a maker has on sale, `[J]` bool."""
        offers = point.market.offers
        return offers.on_sale[point.rows] & (offers.automaker[point.rows] == automaker) & ~offers.pooled[point.rows]

    def _trial(self, point, brand, way) -> Market:
        """The point's market with the brand in this way."""
        if way == self.ways[brand.key]:
            return point.market
        if way.mode == "none":
            rows, selling = self._rows(point, brand, self.ways[brand.key]), point.market.offers.on_sale.copy()
            selling[rows] = False
            parts = tried(point.market, rows, PARTS)  # as it was before it was started
            return replace(parts, offers=replace(parts.offers, on_sale=selling))
        return tried(point.market, self._rows(point, brand, way), way)

    def _rows(self, point, brand, way):
        """Lines of the brand that a move to this way is about, of those known at the point."""
        present = self.ways[brand.key]
        key = (brand.key, present, way)
        if key not in self.known_rows:
            self.known_rows[key] = equipped(point.market, replace(brand, way=present), way)
        rows = self.known_rows[key]
        return rows[point.place[rows] >= 0]

    def _maker(self, point, brand, way):
        """The trial market, utilities before price of the maker's lines on sale in it, `[2 S, L]`, and their rows."""
        trial = self._trial(point, brand, way)
        offers = trial.offers
        rows = point.rows[
            offers.on_sale[point.rows] & (offers.automaker[point.rows] == brand.automaker) & ~offers.pooled[point.rows]
        ]
        if way == self.ways[brand.key]:
            return trial, point.utility[:, point.place[rows]], rows
        moving = rows[:0] if way.mode == "none" else self._rows(point, brand, way)
        return trial, self._utility_in(trial, point, rows, moving), rows

    def _utility_in(self, trial, point, rows, moving):
        """Utilities before price of lines, some of which have moved to another stack since the point, `[2 S, L]`."""
        before, after = point.market.offers, trial.offers
        utility = point.utility[:, point.place[rows]]
        utility += trial.lent_trust() * (after.mode[rows] == MODE["alliance"])
        utility -= point.market.lent_trust() * (before.mode[rows] == MODE["alliance"])
        for line, column in zip(moving, np.searchsorted(rows, moving), strict=True):
            utility[:, column] += self._stack(point, after, line) - self._stack(point, before, line)
        return utility

    def _stack(self, point, offers, line):
        """What a line's stack adds to its utility, beside lent trust, `[2 S]`: software, phone, network, talk, lock-in."""
        components = offers.mode[line] == MODE["components"]
        return point.stacks[:, offers.platform[line] + components * len(point.market.platforms)]

    def _start(self, point, rows, terms: Terms, costs, vat):
        """Prices to start from: today's, moved by what changed in the unit cost."""
        before = point.market
        price = before.offers.price[rows]
        was = price_for_net(before.costs()[rows], before.terms(rows), vat)
        return np.maximum(price + price_for_net(costs, terms, vat) - was, 1.0)

    def _fellow_members(self, point, brand):
        """Columns of other makers' lines that the leader lends trust: less of it, the more members there are."""
        offers, rows = point.market.offers, point.rows
        theirs = offers.on_sale[rows] & (offers.mode[rows] == MODE["alliance"])
        return np.flatnonzero(theirs & (offers.automaker[rows] != brand.automaker))


def _point(market: Market, years: float, entries: Entries) -> Point:
    """The market as expected some years from now."""
    months = int(round(12.0 * years))
    expected = _expected(market, months)
    waiting = [lines_of(market, brand) for brand in market.brands if brand.prospective]
    rows = np.unique(np.concatenate([np.flatnonzero(expected.offers.on_sale), *waiting])).astype(np.int64)
    place = np.full(len(market.offers), -1)
    place[rows] = np.arange(len(rows))
    utility, outside = panel_utility(expected, entries, rows)
    month = market.month + months
    known = expected.weighed(month, rows, entries.people, seen_from=market.month)
    rule = largest_class(known, entries.chance)
    outlay = rule.value(expected.offers.price[rows])
    value = utility - entries.sensitivity[:, None] * outlay
    value[:, ~expected.offers.on_sale[rows]] = -np.inf
    utility_on_sale = np.where(expected.offers.on_sale[rows], utility, -np.inf)
    reference = np.maximum(value.max(axis=1), outside)
    excess = np.exp(value - reference[:, None])
    visits = panel_visits(expected, entries, utility_on_sale, outside, rule, expected.offers.price[rows])
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
        utility=utility,
        excess=excess,
        total=excess.sum(axis=1) + np.exp(outside - reference),
        reference=reference,
        outside=outside,
        weights=visits / visits.sum(),
        rule=rule,
        alone=np.exp(outside - reference),
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
