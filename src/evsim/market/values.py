"""What each way is worth to a brand's maker: the value table behind a decision.

    V(way) = PV(market profit) − PV(royalties) − PV(fixed fees, own research, hold-up) − conversion, launch and exit costs
             − autonomy cost + weight of volume + value of waiting

Profits are the whole maker's, so that a brand's cannibalisation of its sisters counts; between the points of the forecast
they are interpolated, and until the new cars are ready the brand goes on as it is. Waiting is worth more than staying for
ever by what can still be done later: {build, join, wait} of `economics.options`, with yearly periods, a Beta belief on
success, and flows that are level at their discounted means. The value of building is that problem's.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from ..economics.contracts import exit_cost, holdup
from ..economics.options import BUILD, WAIT, Belief, Route, Stopping, annuity, build_join_or_wait
from ..economics.valuation import annuity_value, phased, present_value, yearly
from .brands import Brand, Way
from .forecast import Flows, Forecast
from .offers import MODE
from .rates import KCNY_PER_BN
from .ways import WITH_LEADER

AUTONOMY = {"alliance": 1.0, "inside": 0.5}  # part of the autonomy cost
PARTS_OF_VALUE = ("market_profit", "royalty", "fixed", "autonomy", "volume", "option")


@dataclass(frozen=True)
class Stakes:
    """What a maker weighs beside money."""

    autonomy_cost: float  # kCNY per car on the leader's full stack
    volume_weight: float  # kCNY per car


@dataclass(frozen=True)
class ModeValue:
    """One row of a value table; kCNY of present value, costs negative."""

    way: Way
    market_profit: float
    royalty: float
    fixed: float  # fees a year, own research, conversion, launch and exit
    autonomy: float
    volume: float
    option: float  # of doing something else later; of building: of failing, and of trying again
    brand_profit: float  # gross profit of the brand's own lines
    months: int  # until cars are sold in this way
    invested: float  # kCNY to be spent on the change: conversion or launch, shops closed, exit
    build: bool = False  # an attempt at a stack of its own
    closed: str = ""  # why the way is not open, in words; empty: it is

    @cached_property
    def value(self) -> float:
        """The sum of the parts."""
        return self.market_profit + self.royalty + self.fixed + self.autonomy + self.volume + self.option


@dataclass(frozen=True)
class Means:
    """What a maker can count on at a review."""

    offered: tuple[str, ...]  # modes in which the leader sells
    belief: Belief  # on an attempt at a stack of one's own
    rival_attempts: int  # results of others expected a year
    cash: float  # of its group, kCNY
    ruled_out: Callable[[Way], str] = lambda way: ""  # why its own rule closes a way; empty: it does not


def value_table(forecast: Forecast, brand: Brand, stakes: Stakes, means: Means) -> list[ModeValue]:
    """The value of every way that a brand has, its present one first."""
    found = forecast.ways_of(brand, means.offered)
    return table_of(forecast, brand, stakes, means, forecast.table(brand, found))


def solved_table(forecast: Forecast, brand: Brand, stakes: Stakes, means: Means) -> list[ModeValue]:
    """As `value_table`, every point of every way in the full price game."""
    found = forecast.ways_of(brand, means.offered)
    flows = {way: forecast.flows(brand, way, full=True) for way in found}
    return table_of(forecast, brand, stakes, means, flows)


def table_of(
    forecast: Forecast, brand: Brand, stakes: Stakes, means: Means, flows: dict[Way, list[Flows]]
) -> list[ModeValue]:
    """Values from the flows of each way, the present one first."""
    book = _Book(forecast, brand, stakes, flows)
    table = [book.value(way, means) for way in flows]
    present = table[0]
    opened = [place for place, row in enumerate(table) if place > 0 and not row.closed]
    building = [place for place in opened if table[place].build]
    joining = [table[place] for place in opened if not table[place].build]
    stay = book.level(present)
    best = max(joining, key=lambda row: row.value, default=None)
    join = book.join_route(best, present) if best else Route(cost=np.inf)
    problem = Stopping(
        build=book.build_route(table[building[0]], means) if building else Route(cost=np.inf),
        join=join,
        wait_flow=stay,
        discount=book.discount,
        rival_attempts=means.rival_attempts,
        free_disposal=True,
    )
    values = build_join_or_wait(problem, means.belief, book.horizon).values[0, 0, 0] * book.discount**0.5
    waiting = values[WAIT] - stay * annuity(book.discount, book.horizon) * book.discount**0.5
    table[0] = replace(present, option=max(float(waiting), 0.0))
    for place in building:
        table[place] = book.built(table[place], present, float(values[BUILD]), means)
    return table


class _Book:
    """Present values of one brand's ways."""

    def __init__(self, forecast: Forecast, brand: Brand, stakes: Stakes, flows: dict[Way, list[Flows]]):
        self.forecast, self.brand, self.stakes, self.flows = forecast, brand, stakes, flows
        self.market = forecast.market
        params = self.market.scenario
        self.modes, self.contracts, self.horizon = params.modes, params.contracts, params.modes.horizon_years
        self.rate = params.pricing.discount_rate
        self.discount = 1.0 / (1.0 + self.rate)
        self.present = next(iter(flows))
        known = np.array([flows[way] for way in flows]).swapaxes(1, 2)  # [ways, n, P], n in the order of `Flows`
        self.paths = dict(
            zip(flows, yearly(self.modes.forecast_years, known, self.horizon), strict=True)
        )  # [n, H] each
        self.even = present_value(np.ones(self.horizon), self.rate)  # of 1 a year

    def value(self, way: Way, means: Means) -> ModeValue:
        """The row of one way, options left out."""
        market, brand, stays = self.market, self.brand, way == self.present
        build = self._is_attempt(way)
        months = self._months(way)
        invested = 0.0 if stays else self._change_cost(way)
        fixed = self._yearly_fixed(way) - invested - self._holdup(way, months)
        worth = self.worths[way]
        return ModeValue(
            way=way,
            market_profit=worth["market_profit"],
            royalty=-worth["royalty"],
            fixed=fixed,
            autonomy=-worth["leader_cars"],
            volume=self.stakes.volume_weight * worth["cars"],
            option=0.0,
            brand_profit=worth["brand_profit"],
            months=months,
            invested=invested,
            build=build,
            closed="" if stays else barred(market, brand, way) or means.ruled_out(way),
        )

    @property
    def attempt_months(self) -> float:
        """Mean length of an attempt at a stack of one's own."""
        return 0.5 * (self.modes.build_months_least + self.modes.build_months_most)

    @property
    def attempt_cost(self) -> float:
        """Present value of its research, kCNY."""
        years = self.attempt_months / 12.0
        spending = np.clip(years - np.arange(int(np.ceil(years))), 0.0, 1.0)
        return present_value(spending * self.market.scenario.software.own_stack_rd * KCNY_PER_BN, self.rate)

    def level(self, row: ModeValue) -> float:
        """The even yearly flow worth as much as a row whose way is in force at once, kCNY."""
        return row.value / self.even

    def join_route(self, row: ModeValue, present: ModeValue) -> Route:
        """The best way that is open without an attempt, as a route."""
        delay = round(row.months / 12.0)
        return Route(cost=0.0, lump_sum=0.0, flow=self._flow_after(row, present, delay), delay=delay)

    def build_route(self, row: ModeValue, means: Means) -> Route:
        """An attempt as a route: paid for now, told at the end of the first year, on the market when its months are over, the
        lines converted then. A stack that succeeds and does not pay is left in the drawer."""
        delay = max(round(row.months / 12.0) - 1, 0)
        research = self.market.scenario.software.own_stack_rd * KCNY_PER_BN
        autonomy = -AUTONOMY.get(row.way.mode, 0.0) * self.stakes.autonomy_cost
        weights = {"market_profit": 1.0, "royalty": -1.0, "cars": self.stakes.volume_weight, "leader_cars": autonomy}
        path = sum(weight * self._path(row.way, name) for name, weight in weights.items())
        flow = annuity_value(path, self.rate) - research
        affordable = means.cash >= self.modes.cash_hurdle * self.attempt_cost
        cost = self.attempt_cost if affordable else np.inf
        return Route(cost=cost, lump_sum=-row.invested, flow=flow, delay=delay)

    def built(self, row: ModeValue, present: ModeValue, value: float, means: Means) -> ModeValue:
        """The row of an attempt: what it brings if it succeeds and if it fails, by belief; closed without the cash."""
        chance = float(means.belief.mean)
        parts = {
            part: chance * getattr(row, part) + (1.0 - chance) * getattr(present, part)
            for part in ("market_profit", "royalty", "autonomy", "volume")
        }
        fixed = -self.attempt_cost + chance * row.fixed + (1.0 - chance) * present.fixed
        if not np.isfinite(value):
            needed = self.modes.cash_hurdle * self.attempt_cost / KCNY_PER_BN
            reason = f"its group has less than the {needed:.1f} bn CNY that an attempt takes"
            return replace(row, **parts, fixed=fixed, closed=reason)
        return replace(row, **parts, fixed=fixed, option=value - sum(parts.values()) - fixed)

    def _flow_after(self, row, present, delay):
        """The level flow after the delay that makes the route worth the row, the present flow before it."""
        earlier = self.level(present) * annuity(self.discount, delay)
        later = annuity(self.discount, self.horizon) - annuity(self.discount, delay)
        return (row.value / self.discount**0.5 - earlier) / later if later > 0 else self.level(present)

    def _path(self, way, name):
        """One of the flows of a way year by year, `[H]`, kCNY or cars a year."""
        return self.paths[way][Flows._fields.index(name)]

    @cached_property
    def worths(self) -> dict[Way, dict[str, float]]:
        """Present value of each flow of each way, the present way's until the change; of cars on the leader's stack, their
        autonomy cost."""
        counted, delays = (
            np.array(list(self.paths.values())),
            np.array([self._months(way) for way in self.paths]) / 12.0,
        )
        autonomy = np.array([AUTONOMY.get(way.mode, 0.0) for way in self.paths]) * self.stakes.autonomy_cost
        counted[:, Flows._fields.index("leader_cars")] *= autonomy[:, None]
        found = present_value(phased(counted[0], counted, delays[:, None, None]), self.rate).tolist()
        return {way: dict(zip(Flows._fields, worth, strict=True)) for way, worth in zip(self.paths, found, strict=True)}

    def _months(self, way) -> int:
        """Until cars are sold in this way."""
        if way == self.present:
            return 0
        return round(self.attempt_months) if self._is_attempt(way) else self.contracts.months_to_convert

    def _is_attempt(self, way):
        code = self.market.platform_code(way.platform)
        return way.mode == "in_house" and way != self.present and bool(self.market.platforms.dormant[code])

    def _change_cost(self, way):
        """Conversion or launch, closing the brand's shops, leaving the leader's platform; kCNY."""
        market, brand, contracts = self.market, self.brand, self.contracts
        rows = self.forecast.equipped(self.brand, way)
        if brand.prospective:
            return contracts.launch_cost * KCNY_PER_BN * len(brand.lines)
        cost = contracts.conversion_cost * KCNY_PER_BN * int(market.offers.on_sale[rows].sum())
        if way.mode == "alliance":
            cost += contracts.channel_cost * self.flows[self.present][0].brand_cars
        if self.present.mode in WITH_LEADER and way.mode not in WITH_LEADER:
            cost += self.leaving_cost
        return cost

    def _yearly_fixed(self, way):
        """Fixed fees and the research of a stack that only this brand's cars use, kCNY of present value, negative."""
        months = 0 if way == self.present else self.contracts.months_to_convert
        return -_even_flows(self.running_before, self._running(way), months / 12.0, self.horizon, self.rate)

    def _holdup(self, way, months):
        """Present value of what the leader is expected to ask of a captive member; kCNY."""
        if way.mode not in WITH_LEADER:
            return 0.0
        market, contracts, brand = self.market, self.contracts, self.brand
        years = np.arange(self.horizon)
        cars = self._path(way, "brand_cars")
        stays = self.present.mode in WITH_LEADER
        there = np.maximum(years - (0.0 if stays else months / 12.0), 0.0)
        here = max(market.month - brand.joined, 0) / 12.0 if stays else 0.0
        owners = (self.owners_there if stays else 0.0) + np.cumsum(cars) * (there > 0)
        costs = exit_cost(here + there, owners, contracts.exit_cost * KCNY_PER_BN, contracts.exit_cost_owner)
        anew = np.arange(
            market.scenario.alliance.commitment_years, self.horizon, market.scenario.alliance.commitment_years
        )
        return present_value(holdup(anew, costs, contracts.holdup), self.rate)

    @cached_property
    def running_before(self) -> float:
        """Fixed fee and research a year of the present way, kCNY."""
        return self._running(self.present)

    @cached_property
    def owners_there(self) -> float:
        """Households that own a car of the brand on the leader's platform."""
        return owners_there(self.market, self.brand)

    @cached_property
    def leaving_cost(self) -> float:
        """What leaving the leader's platform costs, kCNY."""
        return leaving_cost(self.market, self.brand)

    def _running(self, way):
        """Fixed fee and research a year, kCNY."""
        return self._fee(way) + self._research(way)

    def _fee(self, way):
        return 12.0 * float(self.market.rates.fixed_fee[MODE[way.mode]]) if way.mode != "none" else 0.0

    def _research(self, way):
        """Own research a year: that of the brand's in-house stack, if no other brand's cars use it; kCNY.

        With the leader's parts beside it, a brand keeps its stack and pays for it as before.
        """
        market, offers = self.market, self.market.offers
        if self._is_attempt(way):
            return market.scenario.software.own_stack_rd * KCNY_PER_BN
        rows = self.forecast.equipped(self.brand, way)
        if way.mode == "in_house":
            code = market.platform_code(way.platform)
        elif way.mode == "components" and market.own_software()[rows].any():
            code = int(np.bincount(offers.platform[rows[market.own_software()[rows]]]).argmax())
        else:
            return 0.0
        others = offers.on_sale & (offers.platform == code) & market.own_software()
        others[rows] = False
        return 0.0 if others.any() else float(market.platforms.research[code]) * KCNY_PER_BN


@lru_cache(maxsize=1024)
def _even_flows(before: float, after: float, delay: float, horizon: int, rate: float) -> float:
    """Present value of an even flow that gives way to another after a delay, kCNY."""
    ones = np.ones(horizon)
    return present_value(phased(before * ones, after * ones, delay), rate)


def barred(market, brand: Brand, way: Way) -> str:
    """Why the brand may not go this way, whatever it is worth; empty: it may."""
    alliance = market.scenario.alliance
    origin = market.traits.origin.get(market.names.brands[brand.brand], "")
    if origin in alliance.barred_origins and way.mode in (*WITH_LEADER, "components"):
        return f"a marque from the {origin} may not buy from the leader"
    return ""


def leaving_cost(market, brand: Brand) -> float:
    """What leaving the leader's platform costs a brand, kCNY: it grows with its years there and with its owners."""
    contracts, years = market.scenario.contracts, max(market.month - brand.joined, 0) / 12.0
    owners = owners_there(market, brand)
    return float(exit_cost(years, owners, contracts.exit_cost * KCNY_PER_BN, contracts.exit_cost_owner))


def owners_there(market, brand: Brand) -> float:
    """Households that own a car of the brand on the leader's platform."""
    population, leader = market.population, market.platform_code(market.scenario.alliance.platform)
    lines = population.line[population.platform == leader]
    return population.weight * int(np.isin(lines, brand.lines).sum())
