"""Brands' decisions, from the day they are taken to the day they come into force."""

from dataclasses import replace

import numpy as np

from ..economics.options import Belief
from ..streams import Purpose, key_of, uniform
from .accounts import Books
from .brands import Brand, Change, Way
from .offers import MODE
from .rates import KCNY_PER_BN
from .state import Market
from .ways import WITH_LEADER, adopt, built_quality, equipped


def commit(market: Market, books: Books, brand: Brand, way: Way, invested: float) -> None:
    """A brand sets out for another way: it spends, and goes on as it is until the new cars are ready.

    An attempt at a stack of one's own costs research month by month, and only then shows whether it succeeds; length and
    result are drawn here, by the stack and the month, and told to nobody. Brands whose makers are at work on the stack
    already share the attempt. What a new stack asks of a brand's lines is spent when there is one.
    """
    contracts, modes = market.scenario.contracts, market.scenario.modes
    code = market.platform_code(way.platform)
    if way.mode == "in_house" and market.platforms.dormant[code]:
        running = next((change for change in _attempts(market) if change.way.platform == way.platform), None)
        if running:
            brand.change = replace(running, way=way, pays=False, invested=invested)
            return
        span = modes.build_months_most - modes.build_months_least + 1
        seed = market.scenario.seed_of_firms
        drawn = [uniform(seed, Purpose.BUILD, market.month, key_of(way.platform), index) for index in range(2)]
        ready = market.month + modes.build_months_least + int(span * drawn[0])
        brand.change = Change(ready, way, attempt=True, succeeds=drawn[1] < modes.success_chance, invested=invested)
        books.development[brand.automaker] += _attempt_spending(market)
        return
    books.investment[brand.automaker] += invested
    brand.change = Change(market.month + contracts.months_to_convert, way)


def come_into_force(market: Market, books: Books) -> None:
    """Changes that are due this month."""
    for brand in market.brands:
        change = brand.change
        if change is None or change.month > market.month:
            continue
        brand.change = None
        if change.attempt and change.pays:
            books.development[brand.automaker] -= _attempt_spending(market)
            market.results_seen[0 if change.succeeds else 1] += 1
        if not change.succeeds:
            continue
        if change.attempt:
            books.investment[brand.automaker] += change.invested
            _wake(market, change.way)
        rows = equipped(market, brand, change.way)
        if brand.prospective:
            market.offers.on_sale[rows] = True
            market.offers.refreshed[rows] = market.month
            brand.prospective, brand.resistance = False, market.usual_resistance
        adopt(market, rows, change.way)
        stayed = brand.way.mode in WITH_LEADER and change.way.platform == brand.way.platform
        brand.way, brand.since = change.way, market.month
        brand.joined = brand.joined if stayed else market.month


def stop_attempts(market: Market, books: Books, automaker: int) -> None:
    """A maker that has left the market tries, starts and converts nothing more; attempts that it paid for end for all."""
    ended = set()
    for brand in market.brands:
        if brand.automaker == automaker:
            if brand.change and brand.change.attempt and brand.change.pays:
                books.development[automaker] -= _attempt_spending(market)
                ended.add(brand.change.way.platform)
            brand.change, brand.prospective = None, False
    for brand in market.brands:
        if brand.change and brand.change.attempt and brand.change.way.platform in ended:
            brand.change = None


def in_the_brands_way(market: Market, row: int) -> None:
    """A line that has just opened gets what its brand has, if the brand has a full stack of somebody's or the leader's parts."""
    offers = market.offers
    for brand in market.brands:
        if (brand.automaker, brand.brand) == (offers.automaker[row], offers.brand[row]):
            fits = row in equipped(market, brand, brand.way)
            present = Way(list(MODE)[offers.mode[row]], market.names.platforms[offers.platform[row]])
            from_leader = present.mode in WITH_LEADER and brand.way.mode not in WITH_LEADER
            if fits and present != brand.way and (from_leader or brand.way.mode in (*WITH_LEADER, "components")):
                adopt(market, np.array([row]), brand.way)


def belief(market: Market) -> Belief:
    """What makers believe of an attempt's chance: their prior, and every result seen since the base date."""
    modes, (successes, failures) = market.scenario.modes, market.results_seen
    return Belief.beta(modes.prior_successes, modes.prior_failures).updated(successes, failures)


def attempts_under_way(market: Market) -> int:
    """How many groups are at work on a stack of their own."""
    return len({change.way.platform for change in _attempts(market)})


def bound(market: Market, brand: Brand) -> bool:
    """Whether a contract with the leader, or a change on its way, leaves the brand nothing to choose this month."""
    if brand.change is not None:
        return True
    months = 12 * market.scenario.contracts.years
    return brand.way.mode in WITH_LEADER and market.month < brand.since + months


def brand_name(market: Market, brand: Brand) -> str:
    """Name of the brand."""
    return market.names.brands[brand.brand]


def lines_on_sale(market: Market, brand: Brand) -> int:
    """How many lines the brand has on sale."""
    return int(market.offers.on_sale[brand.lines].sum())


def _attempts(market: Market) -> list[Change]:
    """Attempts under way, brand by brand."""
    return [brand.change for brand in market.brands if brand.change and brand.change.attempt]


def _attempt_spending(market: Market) -> float:
    """kCNY a month."""
    return market.scenario.software.own_stack_rd * KCNY_PER_BN / 12.0


def _wake(market: Market, way: Way) -> None:
    """A new stack comes to the market, as good as in-house stacks are by then."""
    platforms, code = market.platforms, market.platform_code(way.platform)
    if platforms.dormant[code]:
        platforms.quality[code] = built_quality(market)
        platforms.research[code] = market.scenario.software.own_stack_rd
        platforms.dormant[code] = False
