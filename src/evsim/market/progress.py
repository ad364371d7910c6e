"""What changes before anybody decides: launches and refreshes, hardware, batteries, chargers, software.

Levers on software act here, from month 1 on: the advantage set by the scenario, the month from which rivals keep level, the
leap of a rival. Refused: setting them before the inversion, where ξ would absorb them.
"""

import numpy as np

from ..economics import technology
from ..params import month_number
from ..streams import Purpose, key_of, uniforms
from .changes import in_the_brands_way
from .launches import Launch
from .state import Market
from .use import weigh_use

KWH_PER_GWH = 1e6


def advance_products(market: Market, electric_units: np.ndarray) -> None:
    """Launches, hardware, battery price, chargers and cost of use, after a month in which `electric_units` were delivered.

    Args:
        electric_units: cars delivered last month by line, `[J]`.
    """
    offers, params = market.offers, market.scenario
    for event in market.calendar:
        if event.month == market.month:
            _launch(market, event)
    gap = technology.converge(offers.hardware - offers.hardware_gap, 0.0, params.products.hardware_convergence)
    offers.hardware = offers.hardware_gap + gap
    inside = float(electric_units @ offers.pack_kwh) / KWH_PER_GWH
    market.output_gwh += inside * (1.0 + params.battery.outside_ratio)
    market.pack_price = float(
        technology.experience_cost(
            market.base_pack_price,
            params.battery.cumulative_gwh,
            params.battery.cumulative_gwh + market.output_gwh,
            params.battery.learning_rate,
        )
    )
    fleet = market.platforms.electric_fleet(market.month - 1)
    wanted = technology.chargers_wanted(fleet, market.electric_fleet, params.chargers.fleet_elasticity)
    market.chargers = float(technology.partial_adjustment(market.chargers, wanted, params.chargers.lag_months))
    weigh_use(market)


def _launch(market: Market, event: Launch) -> None:
    """A line opens, gets one more nameplate or loses one, or has one renewed.

    A line renewed in its ramp-up takes a launch's quality, if that is better; one that loses its last nameplate is withdrawn.
    """
    offers, row = market.offers, event.row
    if event.event == "leaves":
        offers.on_sale[row] = offers.nameplates[row] > 1.0
        offers.nameplates[row] = max(offers.nameplates[row] - 1.0, 1.0)
        offers.cycle[row] = max(market.scenario.products.refresh_months / offers.nameplates[row], 1.0)
        return
    if event.event == "adds":
        offers.nameplates[row] += 1.0 if offers.on_sale[row] else 0.0  # a withdrawn line comes back with this one
        offers.cycle[row] = max(market.scenario.products.refresh_months / offers.nameplates[row], 1.0)
    elif event.event == "refreshes" and not offers.settled[row]:
        offers.quality[row] = max(offers.quality[row], offers.launch_quality[row])
    opens = not offers.on_sale[row]
    offers.on_sale[row] = offers.settled[row] = True
    offers.refreshed[row] = market.month
    if opens and market.scenario.modes.rule == "chosen":
        in_the_brands_way(market, row)


def advance_platforms(market: Market) -> None:
    """Research draws, fleet learning, the moving frontier; then the scenario's levers. Updates reach the whole fleet."""
    platforms, params = market.platforms, market.scenario.software
    fleet = platforms.fleet(market.month - 1)
    chance = success_chance(market, platforms.research, fleet)
    drawn = uniforms(
        market.scenario.seed_of_firms, Purpose.RESEARCH, market.month, [key_of(name) for name in platforms.names]
    )
    platforms.quality = technology.next_quality(platforms.quality, drawn < chance, params.success_gain, platforms.drift)
    if market.month == 1 and params.advantage_kcny is not None:
        set_advantage(market, params.advantage_kcny)
    now = month_number(market.scenario.start) - 1 + market.month
    leader = market.platform_code(market.scenario.alliance.platform)
    if leader >= 0 and params.leap_platform and params.leap_month and now == month_number(params.leap_month):
        leaper = market.platform_code(params.leap_platform)
        platforms.quality[leaper] = max(platforms.quality[leaper], platforms.quality[leader] + params.leap_kcny)
    if leader >= 0 and params.advantage_until and now >= month_number(params.advantage_until):
        platforms.quality = np.maximum(platforms.quality, platforms.quality[leader])
    platforms.quality_path[market.month] = platforms.quality


def success_chance(market: Market, research: np.ndarray, fleet: np.ndarray) -> np.ndarray:
    """Chance of a success this month of each platform, `[G]`: research and pooled fleet data, a twelfth of the yearly odds."""
    platforms, params = market.platforms, market.scenario.software
    learners = np.where(platforms.ecosystem, fleet, 0.0)
    pooled = technology.pooled_research(research, learners, market.scenario.lock_in.network_scale, params.data_effect)
    return np.where(research > 0, technology.success_probability(pooled, params.rd_effect) / 12.0, 0.0)


def set_drift(market: Market) -> None:
    """The frontier moves as fast as the mean of qualities, weighted by sales, would at default research and base fleets."""
    platforms, offers = market.platforms, market.offers
    shares = np.bincount(offers.platform, offers.base_units, len(platforms))
    chance = success_chance(market, platforms.base_research, platforms.initial_fleet)
    platforms.drift = technology.frontier_drift(shares, chance, market.scenario.software.success_gain)


def software_advantage(market: Market) -> float:
    """The alliance's quality less the mean of independents' stacks at the base date's sales, kCNY; 0 if one is missing."""
    offers, leader = market.offers, market.platform_code(market.scenario.alliance.platform)
    kinds = market.traits.kind
    independent = np.array([kinds.get(name, "incumbent") == "independent" for name in market.names.automakers])
    theirs = independent[offers.automaker] & (offers.platform != leader)
    weights = np.where(theirs, offers.base_units, 0.0)
    if leader < 0 or weights.sum() == 0:
        return 0.0
    quality = market.platforms.quality
    return float(quality[leader] - weights @ quality[offers.platform] / weights.sum())


def set_advantage(market: Market, advantage: float) -> None:
    """Move the alliance's quality so that its advantage is the scenario's."""
    leader = market.platform_code(market.scenario.alliance.platform)
    if leader >= 0:
        market.platforms.quality[leader] += advantage - software_advantage(market)


def withdraw(market: Market, rows: np.ndarray) -> None:
    """Lines that are no longer sold; cars ordered are still built, cars sold keep their platform."""
    market.offers.on_sale[rows] = False


def stack_research(market: Market, books, code: int) -> float:
    """Research of an in-house stack, bn CNY a year: what it was when calibrated, moved by its group's revenue of the last
    year against the base date's; half of that while the group owes money."""
    params, names = market.scenario.software, market.names.automakers
    offers = market.offers
    users = np.unique(offers.automaker[offers.on_sale & (offers.platform == code) & market.own_software()])
    base = np.bincount(offers.automaker, offers.base_units * offers.base_price, len(names))[users].sum()
    base *= 12.0 / (1.0 + market.scenario.subsidy.vat)
    past = books.past_revenue[:, users]
    if market.month <= len(past) or np.isnan(past).any():
        return float(market.platforms.research[code])
    budget = technology.research_budget(params.own_stack_rd, float(past.sum()), base, params.rd_elasticity)
    return budget * (0.5 if books.cash[users].sum() < 0 else 1.0)
