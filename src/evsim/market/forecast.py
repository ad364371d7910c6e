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

from ..economics.contracts import Terms, price_for_net, royalty
from ..economics.pricing import Demand, equilibrium_prices
from ..economics.reply_kernels import summed_columns
from .brands import Brand, Way
from .offers import MODE
from .panel import panel_entries
from .points import Point, expected_point
from .pricing import whole_game
from .rates import Rates
from .state import Market
from .trial_kernels import answered, earnings
from .ways import FULL_STACK, PARTS, equipped, tried, ways


class Flows(NamedTuple):
    """What a maker earns a year at one point in time, all its brands together; money in kCNY a year."""

    market_profit: float  # net revenue less the cost of the cars
    royalty: float  # paid to the leader
    cars: float
    leader_cars: float  # of them on the leader's full stack
    brand_profit: float  # of the brand's own lines, royalties paid
    brand_cars: float


class Trial(NamedTuple):
    """A point's market with a brand in another way, and its maker's lines there."""

    market: Market
    rows: np.ndarray  # the maker's lines on sale, [L]
    utility: np.ndarray  # [2 S, L] before price
    lent_trust: float  # utils
    terms: Terms  # of the rows
    costs: np.ndarray  # before fees, [L], kCNY a car


class Answer(NamedTuple):
    """A maker's best answer to what is tried: one entry a line that it has on sale then, `[L]`."""

    rows: np.ndarray
    prices: np.ndarray  # kCNY
    cars: np.ndarray  # a year
    costs: np.ndarray  # before fees, kCNY a car
    fees: tuple[np.ndarray, np.ndarray]  # the leader's share of the price net of VAT, and its fee, kCNY a car
    modes: np.ndarray  # codes
    lent_trust: float  # utils


@dataclass(frozen=True)
class Reply:
    """A maker's lines at its best prices."""

    trial: Trial
    prices: np.ndarray  # kCNY
    cars: np.ndarray  # a year

    @property
    def rows(self) -> np.ndarray:
        """The maker's lines on sale, `[L]`."""
        return self.trial.rows


class Forecast:
    """The market at a few points in time under ways that can be tried, one brand at a time."""

    def __init__(self, market: Market):
        self.market = market
        self.entries = panel_entries(market)
        self.households = self.entries.sensitivity[: len(market.panel.owners)]  # α, which the entries repeat
        self.points = [expected_point(market, years, self.entries) for years in market.scenario.modes.forecast_years]
        self.ways = {brand.key: brand.way for brand in market.brands}
        # (brand, present way, way) → lines that the move is about; and of them, those known at a point in time
        self.known_rows: dict[tuple, np.ndarray] = {}
        most = int(np.bincount(market.offers.automaker).max())
        self.known_ways: dict[tuple, list[Way]] = {}  # (brand, offered) → ways
        self.known_equipped: dict[tuple, np.ndarray] = {}  # (brand, way) → lines
        self.known_codes: dict[Way, tuple[int, int, int]] = {}
        self.odds = np.empty((len(self.entries), most), order="F")  # a table of `answer`

    def flows(self, brand: Brand, way: Way, full: bool = False) -> list[Flows]:
        """What the brand's maker earns at each point if the brand goes this way, others' ways given.

        Args:
            full: solve the whole price game, rivals answering; else the maker's best reply.
        """
        return [self._flows(point, brand, way, full) for point in self.points]

    def table(self, brand: Brand, ways: Sequence[Way]) -> dict[Way, list[Flows]]:
        """`flows` of several ways, point by point: what is read of a point is then near at hand."""
        by_point = [[self._flows(point, brand, way, False) for way in ways] for point in self.points]
        return {way: list(flows) for way, flows in zip(ways, zip(*by_point, strict=True), strict=True)}

    def flows_at(self, point: Point, brand: Brand, way: Way) -> Flows:
        """What the brand's maker earns at one point, by its best reply."""
        return self._flows(point, brand, way, full=False)

    def ways_of(self, brand: Brand, offered: tuple[str, ...]) -> list[Way]:
        """`ways` of the brand today, looked up once."""
        if (brand.key, offered) not in self.known_ways:
            self.known_ways[brand.key, offered] = ways(self.market, brand, offered)
        return self.known_ways[brand.key, offered]

    def equipped(self, brand: Brand, way: Way) -> np.ndarray:
        """Rows of the brand's lines that a change to this way is about today, looked up once."""
        if (brand.key, way) not in self.known_equipped:
            self.known_equipped[brand.key, way] = equipped(self.market, brand, way)
        return self.known_equipped[brand.key, way]

    def has(self, point: Point, brand: Brand, way: Way) -> bool:
        """Whether the brand has a line at the point that the way is about."""
        return len(self._rows(point, brand, way)) > 0

    def columns_of(self, point: Point, brand: Brand) -> np.ndarray:
        """Columns of the brand's lines at the point."""
        columns = point.place[brand.lines]
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
        reply, stand = self.reply(point, brand, way), point.stand(brand.automaker)
        trial, rows = reply.trial, reply.rows
        offers = trial.market.offers
        price = offers.price.copy()
        price[rows] = reply.prices
        lends_less = trial.lent_trust - stand.ledger.lent_trust
        fellows = self._fellow_members(point, brand) if lends_less else rows[:0]
        lent = point.utility[:, fellows] + lends_less
        gone = np.setdiff1d(stand.rows, rows) if len(rows) < len(stand.rows) else rows[:0]
        left = self._utility_in(trial.market, trial.lent_trust, point, stand, gone, gone)
        point.market = replace(trial.market, offers=replace(offers, price=price))
        point.set_columns(self.entries, gone, left)
        point.set_columns(self.entries, rows, trial.utility)
        point.set_columns(self.entries, point.rows[fellows], lent)

    def reply(self, point: Point, brand: Brand, way: Way) -> Reply:
        """The maker's best prices on all its lines with the brand in this way, rivals' prices held."""
        answer = self.answer(point, brand, way)
        return Reply(self._trial(point, brand, way), answer.prices, answer.cars)

    def answer(self, point: Point, brand: Brand, way: Way) -> Answer:
        """As `reply`, with what its lines cost then and without a market in which the brand has moved."""
        stand, present = point.stand(brand.automaker), self.ways[brand.key]
        key = None if way == present else (brand.key, present, way)  # brands of one maker share the present
        if key not in stand.answers:
            stand.answers[key] = self._answer(point, stand, brand, way)
        return stand.answers[key]

    def _answer(self, point, stand, brand, way) -> Answer:
        """`answer`, worked out."""
        market, ledger, alpha = self.market, stand.ledger, self.entries.sensitivity
        rows, moving, lent_trust = self._lines(point, stand, brand, way)
        same = len(rows) == len(stand.rows)
        columns = stand.columns if same else point.place[rows]
        rule = stand.rule if same else point.parts_of(columns)
        money, codes, prices, shares = answered(
            (rows, columns, moving),
            self._codes(way),
            (0.0, 0.0, 0) if way == self.ways[brand.key] else (ledger.lent_trust, lent_trust, ledger.modes[0]),
            ledger[:7],
            stand.owners_left,
            (
                (point.utility, point.stacks, point.excess, point.reference, alpha),
                (self.households, alpha, point.weights, self._rest(point, stand, brand, lent_trust)),
            ),
            (rule, market.scenario.modes.reply_steps),
            self.odds[:, : len(rows)],
        )
        return Answer(rows, prices, point.cars * shares, money[3], (money[4], money[5]), codes[1], lent_trust)

    def _lines(self, point, stand, brand, way):
        """The maker's lines on sale with the brand in this way, those of them that move, and the trust lent then."""
        present, ledger = self.ways[brand.key], stand.ledger
        if way == present:
            return stand.rows, stand.rows[:0], ledger.lent_trust
        if way.mode == "none":
            gone = self._rows(point, brand, present)
            rows, moving = np.setdiff1d(stand.rows, gone), gone[:0]
        else:
            gone = moving = self._rows(point, brand, way)
            rows = stand.rows if ledger.on_sale[moving].all() else np.union1d(stand.rows, moving)
        before = int(ledger.member_lines[brand.brand])
        after = len(moving) * (way.mode == "alliance") + before
        after -= np.count_nonzero(ledger.member[gone]) if before else 0
        members = ledger.members - (before > 0) + (after > 0)
        return rows, moving, ledger.lent_trust if members == ledger.members else stand.market.trust_lent_to(members)

    def _rest(self, point, stand, brand, lent_trust):
        """`[2 S]`: what buyers may have of everybody else, the outside good among it, as lent trust is then."""
        change = lent_trust - stand.ledger.lent_trust
        if not change:
            return stand.others
        if change not in stand.others_then:
            members = summed_columns(point.excess, self._fellow_members(point, brand))
            then = np.maximum(point.total - stand.sold + np.expm1(change) * members, point.alone)
            stand.others_then[change] = then
        return stand.others_then[change]

    def _codes(self, way: Way) -> tuple[int, int, int]:
        """Codes of a way's mode and platform, and how many platforms there are; looked up once."""
        if way not in self.known_codes:
            platform = self.market.platform_code(way.platform)
            self.known_codes[way] = (MODE.get(way.mode, 0), platform, len(self.market.platforms))
        return self.known_codes[way]

    def solved(self, point: Point, brand: Brand, way: Way) -> Answer:
        """As `answer`, with everybody's prices in equilibrium."""
        stand, trial = point.stand(brand.automaker), self._trial(point, brand, way)
        offers, terms, vat = trial.market.offers, trial.terms, self.market.scenario.subsidy.vat
        everything = point.rows[offers.on_sale[point.rows]]
        whole = np.ascontiguousarray(point.utility[:, point.place[everything]])
        own = np.searchsorted(everything, trial.rows)
        whole[:, own] = trial.utility
        fellows = np.searchsorted(everything, point.rows[self._fellow_members(point, brand)])
        whole[:, fellows] += trial.lent_trust - stand.ledger.lent_trust
        demand = Demand(whole, self.entries.sensitivity, point.weights, point.outside)
        game = whole_game(trial.market, everything, demand, point.rule_of(point.place[everything]))
        start = offers.price[everything].copy()  # today's, moved by what changed in the unit cost
        covering = stand.ledger.money[-1][trial.rows]
        start[own] = np.maximum(start[own] + price_for_net(trial.costs, terms, vat) - covering, 1.0)
        solution = equilibrium_prices(game, start, tolerance=0.01)
        return Answer(
            rows=trial.rows,
            prices=solution.prices[own],
            cars=point.cars * solution.shares[own],
            costs=trial.costs,
            fees=(terms.revenue_share, terms.unit_fee),
            modes=offers.mode[trial.rows],
            lent_trust=trial.lent_trust,
        )

    def leader_profit(self, point: Point) -> float:
        """What the leader earns a year at a point as it stands, kCNY: fees less the parts and shops it bears."""
        offers, rows = point.market.offers, point.rows
        terms, vat = point.market.terms(rows), point.market.scenario.subsidy.vat
        earned = royalty(offers.price[rows], terms, vat) - terms.parts_cost
        paying = np.flatnonzero(earned)
        return float(point.cars * (point.shares(paying) @ earned[paying]))

    def leader_cars(self, point: Point) -> float:
        """Cars a year on the leader's full stack at a point as it stands."""
        modes = point.market.offers.mode[point.rows]
        return float(point.cars * point.shares(np.flatnonzero(FULL_STACK[modes])).sum())

    def brand_profits(self, point: Point, brands: Sequence[Brand]) -> np.ndarray:
        """What each brand earns a year at a point as it stands, royalties paid, `[n]`, kCNY."""
        market, vat, found = point.market, point.market.scenario.subsidy.vat, np.empty(len(brands))
        costs = market.costs()
        for place, brand in enumerate(brands):
            columns = self.columns_of(point, brand)
            rows = point.rows[columns]
            price = market.offers.price[rows]
            margin = price / (1.0 + vat) - royalty(price, market.terms(rows), vat) - costs[rows]
            found[place] = point.cars * (point.shares(columns) @ margin)
        return found

    def _flows(self, point, brand, way, full) -> Flows:
        """One point's flows."""
        answer = self.solved(point, brand, way) if full else self.answer(point, brand, way)
        offers, vat = self.market.offers, self.market.scenario.subsidy.vat
        sold, modes, own = (answer.prices, answer.cars), (answer.modes, FULL_STACK), (offers.brand, brand.brand)
        return Flows(*earnings(answer.rows, sold, answer.costs, answer.fees, modes, own, vat))

    def _rows(self, point, brand, way):
        """Lines of the brand that a move to this way is about, of those known at the point."""
        present = self.ways[brand.key]
        key = (brand.key, present, way)
        if key not in self.known_rows:
            there = brand if brand.way == present else replace(brand, way=present)
            self.known_rows[key] = equipped(point.market, there, way)
        then = (*key, point.years)
        if then not in self.known_rows:
            rows = self.known_rows[key]
            self.known_rows[then] = rows[point.place[rows] >= 0]
        return self.known_rows[then]

    def _trial(self, point, brand, way) -> Trial:
        """The point's market with the brand in this way."""
        stand = point.stand(brand.automaker)
        if way == self.ways[brand.key]:
            market, rows, lent_trust = point.market, stand.rows, stand.ledger.lent_trust
            utility = point.utility[:, point.place[rows]]
        else:
            market, moving = self._tried(point, brand, way)
            rows, lent_trust = point.rows_of(market.offers, brand.automaker), market.lent_trust()
            utility = self._utility_in(market, lent_trust, point, stand, rows, moving)
        return Trial(market, rows, utility, lent_trust, market.terms(rows), market.costs()[rows])

    def _tried(self, point, brand, way) -> tuple[Market, np.ndarray]:
        """The point's market with the brand in another way, and which of its lines on sale have moved."""
        if way.mode != "none":
            rows = self._rows(point, brand, way)
            return tried(point.market, rows, way), rows
        rows, selling = self._rows(point, brand, self.ways[brand.key]), point.market.offers.on_sale.copy()
        selling[rows] = False
        parts = tried(point.market, rows, PARTS)  # as it was before it was started
        return replace(parts, offers=replace(parts.offers, on_sale=selling)), rows[:0]

    def _utility_in(self, market, lent_trust, point, stand, rows, moving):
        """Utilities before price of lines, some of which have moved to another stack since the point, `[2 S, L]`."""
        before, after = point.market.offers, market.offers
        utility = point.utility[:, point.place[rows]]
        member_before, member_after = (offers.mode[rows] == MODE["alliance"] for offers in (before, after))
        if member_before.any() or member_after.any():
            utility += lent_trust * member_after
            utility -= stand.ledger.lent_trust * member_before
        for line, column in zip(moving, np.searchsorted(rows, moving), strict=True):
            utility[:, column] += self._stack(point, after, line) - self._stack(point, before, line)
        return utility

    def _stack(self, point, offers, line):
        """What a line's stack adds to its utility, beside lent trust, `[2 S]`: software, phone, network, talk, lock-in."""
        components = offers.mode[line] == MODE["components"]
        return point.stacks[:, offers.platform[line] + components * len(point.market.platforms)]

    def _fellow_members(self, point, brand):
        """Columns of other makers' lines that the leader lends trust: less of it, the more members there are."""
        offers, rows = point.market.offers, point.rows
        theirs = offers.on_sale[rows] & (offers.mode[rows] == MODE["alliance"])
        return np.flatnonzero(theirs & (offers.automaker[rows] != brand.automaker))
