"""Cost of use and resale, line by line: what a household weighs beside the price of a car, and the CO2 of the fleet.

    extra_j = y(T) d k_j − (1 + r)^(−T) R_j

the equation of `economics.use_cost` with T the mean holding time, d and r of `use`. The cost of a km follows the prices of
energy month by month (`evsim.data.use` says why not by January steps). R rests on the price of the last year,

    p̄ ← p̄ + (p − p̄) / 12 at the end of each month, the base price at the base date and at launch,

so that it is given when prices are set, and moves with them within a year. A car whose stack is orphaned, or will be since all
who sell it have decided for another, fetches less.

Refused: the prices of the last calendar year, new each January. A year of falling prices would lower all resale values in one
month, the month in which benefits change, too.
"""

import numpy as np

from ..data import RESALE_AGES, by_powertrain, consumption, energy_path, grid_factor, resale_values, use_constant
from ..data.market import NO_ECOSYSTEM, POWERTRAINS, SIZE_CLASSES
from ..economics.use_cost import (
    Consumption,
    charging_price,
    cost_per_km,
    discount_factor,
    expected_price_ratio,
    resale_fraction,
    resale_value,
    tons_per_year,
    use_cost,
)
from ..params import Scenario, month_name, month_number
from . import kernels
from .offers import Offers
from .state import Market


def consumption_of(offers: Offers) -> Consumption:
    """What each line takes to drive, `[J]`."""
    table, shares = consumption(), by_powertrain("electric_share")
    kinds = [
        (POWERTRAINS[powertrain], SIZE_CLASSES[size])
        for powertrain, size in zip(offers.powertrain, offers.size_class, strict=True)
    ]
    fuel, power = np.array([table[kind] for kind in kinds]).T
    share = np.array([shares[powertrain] for powertrain, _ in kinds])
    return Consumption(fuel, power, share, use_constant("charging_loss"))


def resale_fractions(offers: Offers, years: float) -> np.ndarray:
    """Part of its price when new that each line is worth after some years, `[J]`."""
    known = resale_values()
    fractions = np.stack([known[powertrain] for powertrain in POWERTRAINS])
    return resale_fraction(years, RESALE_AGES, fractions)[offers.powertrain]


def begin_use(market: Market) -> None:
    """What cars take and fetch, and the prices of energy of all months; the sums of month 0."""
    scenario, offers = market.scenario, market.offers
    market.consumption = consumption_of(offers)
    market.resale_fraction = resale_fractions(offers, scenario.consumers.holding_months / 12.0)
    market.energy, market.last_price = prices_of_energy(scenario), offers.base_price.copy()
    weigh_use(market)


def weigh_use(market: Market) -> None:
    """Set what households weigh of each line beside its price this month: use less resale, `[all lines]`, kCNY."""
    params, offers = market.scenario.use, market.offers
    years = market.scenario.consumers.holding_months / 12.0
    market.last_price = market.last_price + (offers.price - market.last_price) / 12.0
    change = offers.price / market.last_price - 1.0
    ratio = expected_price_ratio(change, years, params.price_persistence)
    fraction = params.resale_weight * market.resale_fraction
    discount = np.where(forsaken(market)[offers.platform], params.orphan_discount, 0.0)
    resale = resale_value(market.last_price, fraction, ratio, discount)
    per_km = cost_per_km(market.consumption, *market.energy[market.month])
    running = use_cost(per_km, params.distance, years, params.discount_rate)
    market.beside_price = running - discount_factor(years, params.discount_rate) * resale


def prices_of_energy(scenario: Scenario) -> np.ndarray:
    """CNY a litre of petrol and CNY a kWh of power that buyers reckon with from the base date on, `[months, 2]`; levers act
    from month 1 on."""
    params, base = scenario.use, month_number(scenario.start) - 1
    months = base + np.arange(scenario.n_months + 1)
    if params.hold_from:
        months[1:] = np.minimum(months[1:], month_number(params.hold_from))
    path = energy_path([month_name(int(month)) for month in months])
    power = charging_price(path["home_power"], path["public_power"], use_constant("home_share"))
    prices = np.column_stack([path["petrol"], power])
    prices[1:] *= (params.petrol_scale, params.power_scale)
    return prices


def forsaken(market: Market) -> np.ndarray:
    """Stacks that nobody keeps up any more, or that all who sell cars with them have decided to leave, `[G]` bool."""
    platforms, offers = market.platforms, market.offers
    named = np.array([name not in NO_ECOSYSTEM for name in platforms.names])
    if not any(brand.change for brand in market.brands):
        return named & ~platforms.ecosystem
    kept = offers.on_sale.copy()  # whether its maker stays on its stack
    for brand in market.brands:
        change = brand.change
        if change and not change.attempt:
            theirs = (offers.automaker == brand.automaker) & (offers.brand == brand.brand)
            to = market.platform_code(change.way.platform)
            kept[theirs & (offers.platform != to)] = False
    sold, staying = (
        np.bincount(offers.platform[rows], minlength=len(platforms)) > 0 for rows in (offers.on_sale, kept)
    )
    return named & (~platforms.ecosystem | (sold & ~staying))


def monthly_tons(market: Market) -> float:
    """CO2 of driving the cars that households hold this month, tons: those of the base date and those bought since, wherever
    they were built; cars bought used are not counted, nor those given up."""
    params, population = market.scenario.use, market.population
    year = (month_number(market.scenario.start) - 1 + market.month) // 12
    each = tons_per_year(market.consumption, params.distance, use_constant("petrol_factor"), grid_factor(year))
    owned = np.zeros(len(each), dtype=np.int64)
    kernels.cars_owned(population.line, owned)
    return float((population.weight * owned) @ each) / 12.0
