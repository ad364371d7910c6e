"""From a market table to qualities, costs and owners at the base date.

    table → lines → what past buyers own → ξ by inverting the table's shares on the reference sample
          → the population at its stationary law → costs from the first-order conditions on the pricing panel
          → quality and cost of lines to come

Month 0 reproduces the table by construction, under the policy of the table's period; everything after is the model's.

The inversion. Each shopping cycle of a household ends with one purchase, of line j with probability E_ij / Σ_k E_ik
(E = exp V), whatever its chance to keep the old car (`economics.timing`). So ξ up to a constant solves

    mean_i E_ij / Σ_k E_ik = s_j / Σ_k s_k

over the reference households, and the constant is set so that shoppers keep the old car with the assumed frequency:
mean visits per cycle = 1 / (1 − outside share).
"""

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from ..data import (
    read_automakers,
    read_battery,
    read_brands,
    read_launches,
    read_market_table,
    read_membership,
    read_packs,
    read_software,
    read_vintages,
    seasonal_factors,
)
from ..economics.inversion import conditional_mean_utilities
from ..economics.pricing import costs_from_prices
from ..economics.timing import seasonal_clock, weibull_scale
from ..economics.utility import INCOME
from ..errors import BadRequest
from ..params import Scenario, month_name, month_number
from . import kernels, pricing
from .kernels import Habits
from .lines import lines_of, vintage_shares
from .offers import Names, Traits, make_offers, place_launches
from .owners import (
    FIRST_YEAR,
    Households,
    Origin,
    Past,
    Spells,
    fit_vintages,
    reference_households,
    settle,
    shopping_spells,
    tastes_of,
)
from .panel import make_panel
from .platforms import GENERIC, Platforms
from .policy import make_policy
from .population import NEVER, community_counts, word_of_mouth
from .state import Market

MONTHS_AHEAD = 700  # of the shopping clock beyond the last simulated month: the longest holding time
SHIPPED_BASE = {"2021": "2021-12", "2023": "2023-12"}


def open_market(scenario: Scenario, threads: int = 1) -> Market:
    """The market at the base date, calibrated to its table.

    Owners need tastes, ξ needs owners (their loyalty), costs need the population: the order of the lines below.

    Raises:
        BadRequest: the table is faulty, a shipped table does not belong to the start month, or the table's prices ask for a
            negative cost.
    """
    _check_base(scenario)
    base = month_number(scenario.start) - 1
    table = read_market_table(scenario.market.table)
    lines = with_modes(lines_of(table, scenario.market, month_name(base - 2)), scenario)
    traits = read_traits(table)
    names = Names()
    launches = coming_launches(scenario, lines, month_name(base))
    offers, calendar = make_offers(lines, launches, traits, names, scenario)
    policy = make_policy(offers, scenario)
    habits = habits_of(scenario)
    platforms = open_platforms(names.platforms, scenario, month_name(base))
    _check_leap(scenario, names.platforms)
    rows = np.flatnonzero(offers.on_sale)
    outlay = policy.buyer_price(0, rows).value(offers.base_price[rows])
    clock = shopping_clock(scenario)
    firms = pd.concat([lines[["automaker", "group"]], launches[["automaker", "group"]]])
    market = Market(
        scenario=scenario,
        names=names,
        offers=offers,
        platforms=platforms,
        policy=policy,
        traits=traits,
        habits=habits,
        clock=clock,
        calendar=calendar,
        groups=dict(zip(firms["automaker"], firms["group"], strict=True)),
        base_pack_price=pack_price(base // 12),
        threads=threads,
    )
    market.pack_price = market.base_pack_price
    market.whispers = np.zeros((1, len(platforms)))
    market.wait = np.zeros(len(names.automakers))
    years = list(range(FIRST_YEAR, max(base // 12, FIRST_YEAR) + 1))
    shares = vintage_shares(read_vintages(), lines, scenario.market.price_tiers, years)
    put_on_the_road(market, shares, base)
    tastes = tastes_of(scenario.seed, np.arange(scenario.consumers.reference_size, dtype=np.int64), habits)
    vintages = fit_vintages(shares, tastes, market.shelf(rows, outlay), habits, base)
    past = Past(vintages, market.shelf(rows, outlay), habits)
    reference = reference_households(scenario, past, tastes)
    spells = invert(market, reference, rows, outlay)
    settle_population(market, reference, spells, past)
    recover_costs(market, rows)
    fit = place_launches(offers, scenario.seed, scenario.products.brand_spread, scenario.products.line_spread)
    market.diagnostics |= fit
    return market


def _check_base(scenario: Scenario) -> None:
    """A shipped table belongs to one base date."""
    expected = SHIPPED_BASE.get(scenario.market.table)
    base = month_name(month_number(scenario.start) - 1)
    if expected and base != expected:
        after = month_name(month_number(expected) + 1)
        raise BadRequest(
            f"start={scenario.start} does not follow market.table={scenario.market.table}; use start={after} with this "
            "table, or a table of your own"
        )


def _check_leap(scenario: Scenario, platforms: list[str]) -> None:
    """A platform that is to leap must be one that cars are sold on."""
    leaper = scenario.software.leap_platform
    if leaper and leaper not in platforms:
        known = [name for name in platforms if name not in GENERIC]
        raise BadRequest(
            f"software.leap_platform={leaper} is no platform of this market; use one of {', '.join(known)}"
        )


def habits_of(scenario: Scenario) -> Habits:
    """The numbers every household shares, as the kernels read them."""
    consumers, lock_in = scenario.consumers, scenario.lock_in
    return Habits(
        median_sensitivity=consumers.price_sensitivity,
        income_spread=consumers.income_spread,
        software_spread=consumers.software_taste_spread,
        electric_spread=consumers.electric_taste_spread,
        class_spread=consumers.class_taste_spread,
        premium_spread=consumers.premium_taste_spread,
        phone_share=consumers.phone_share,
        phone_effect=consumers.phone_effect,
        switching_cost=lock_in.switching_cost,
        tenure_scale=lock_in.tenure_months,
        brand_loyalty=lock_in.brand_loyalty,
        word_of_mouth=lock_in.word_of_mouth,
        over_the_air=lock_in.over_the_air,
        outside_outlay=consumers.outside_outlay,
        overdue_cost=consumers.overdue_cost,
        first_time_share=consumers.first_time_share,
        holding_scale=weibull_scale(consumers.holding_months, consumers.holding_shape),
        holding_shape=consumers.holding_shape,
        pause=consumers.pause_months,
    )


def shopping_clock(scenario: Scenario) -> np.ndarray:
    """Shopping time at the start of months 1, 2, …; even without a season."""
    base = month_name(month_number(scenario.start) - 1)
    factors = seasonal_factors(min(max(base, "2020-12"), "2023-12")) if scenario.market.seasonality else np.ones(12)
    return seasonal_clock(factors, month_number(scenario.start) % 12, scenario.n_months + MONTHS_AHEAD)


def read_traits(table: pd.DataFrame) -> Traits:
    """What the project knows about brands and makers; makers of a table of one's own are placed by what they build."""
    brands, packs = read_brands(), read_packs()
    known = dict(zip(*(read_automakers()[name] for name in ("automaker", "kind")), strict=True))
    for automaker, rows in table.groupby("automaker"):
        electric = (rows["powertrain"] != "ice").all()
        known.setdefault(automaker, "independent" if electric else "incumbent")
    return Traits(
        premium_brands=frozenset(brands.loc[brands["foreign_premium"].astype(bool), "brand"]),
        kind=known,
        pack={(row.powertrain, row.size_class): float(row.pack) for row in packs.itertuples()},
    )


def with_modes(lines: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Lines with the mode in which their brand uses its platform at the base date."""
    records = read_membership()
    inside = set(records.loc[records["mode"] == "inside", "brand"]) - set(
        records.loc[records["mode"] == "alliance", "brand"]
    )
    suppliers = set(records.loc[records["mode"] == "supplier", "stack"]) | set(GENERIC)
    suppliers -= set(records.loc[records["mode"] == "in_house", "stack"])

    def mode(row) -> str:
        if row.platform == scenario.alliance.platform:
            return "inside" if row.brand in inside else "alliance"
        return "supplier" if row.platform in suppliers else "in_house"

    return lines.assign(mode=[mode(row) for row in lines.itertuples()])


def coming_launches(scenario: Scenario, lines: pd.DataFrame, base: str) -> pd.DataFrame:
    """Launches, variants and relaunches after the base date, at transaction prices.

    In a world without the alliance its stack is replaced by a bought one, and brands that exist by it alone do not come.
    """
    launches = read_launches()
    wanted = (
        launches["event"].isin(["launch", "variant", "relaunch"])
        & (launches["month"] > base)
        & (launches["month"] <= scenario.end)
    )
    launches = launches[wanted & launches["list_price_low"].notna() & (scenario.products.launches == "calendar")]
    high = launches["list_price_high"].fillna(launches["list_price_low"])
    middle = 0.5 * (launches["list_price_low"] + np.minimum(high, 1.6 * launches["list_price_low"]))
    ratio = float(np.average(lines["list_ratio"], weights=lines["units"]))
    launches = launches.assign(price=middle * ratio)
    if scenario.modes.rule == "none":
        theirs = launches["platform"] == scenario.alliance.platform
        alone = theirs & (launches["mode"] == "alliance") & ~launches["brand"].isin(lines["brand"])
        launches = launches.assign(
            platform=launches["platform"].where(~theirs, "supplier"), mode=launches["mode"].where(~theirs, "supplier")
        )[~alone]
    return launches


def open_platforms(names: list[str], scenario: Scenario, base: str) -> Platforms:
    """Platforms with their quality and research at the base date; nothing on the road yet."""
    software = read_software().sort_values("month", kind="stable")
    if "supplier" not in names:
        names.append("supplier")
    records = read_membership()
    built = set(records.loc[records["mode"] == "in_house", "stack"])
    quality, research = np.zeros(len(names)), np.zeros(len(names))
    for code, name in enumerate(names):
        rows = software[software["platform"] == name]
        rows = rows if len(rows) else software[software["platform"] == "supplier"]
        dated = rows[rows["month"] <= base]
        quality[code] = float((dated if len(dated) else rows.iloc[:1])["quality"].iloc[-1])
        research[code] = _research(name, built, scenario)
    return Platforms(
        names=names,
        ecosystem=np.array([name not in GENERIC for name in names]),
        quality=quality,
        research=research,
        sales=np.zeros((1, len(names))),
        electric_sales=np.zeros(1),
        first_month=0,
        quality_path=np.zeros((scenario.n_months + 1, len(names))),
        initial_fleet=np.zeros(len(names)),
    )


def _research(name: str, built: set[str], scenario: Scenario) -> float:
    """Software R&D behind a platform, bn CNY a year."""
    if name == scenario.alliance.platform:
        return scenario.software.alliance_rd
    if name == "none":
        return 0.0
    known_supplier = name == "supplier" or name not in built
    return scenario.software.supplier_rd if known_supplier else scenario.software.own_stack_rd


def pack_price(year: int) -> float:
    """Battery price of the last year on record up to `year`, kCNY per kWh."""
    prices = read_battery()
    prices = prices[prices["year"] <= year].sort_values("year", kind="stable")
    return float(prices["price"].iloc[-1]) if len(prices) else float(read_battery()["price"].iloc[0])


def put_on_the_road(market: Market, shares: np.ndarray, base: int) -> None:
    """Cars sold in the panel's years join the platforms' fleets, month by month; older cars carry no platform."""
    platforms, offers = market.platforms, market.offers
    months = (base // 12 - FIRST_YEAR) * 12 + base % 12
    platforms.first_month = -months
    monthly = float(offers.base_units.sum())
    platforms.sales = np.zeros((months + 1 + market.scenario.n_months, len(platforms)))
    platforms.electric_sales = np.zeros(len(platforms.sales))
    lines = shares.shape[1]
    for month in range(-months, 1):
        units = monthly * shares[(base + month) // 12 - FIRST_YEAR]
        cars = np.bincount(offers.platform[:lines], weights=units, minlength=len(platforms))
        platforms.add_sales(month, cars, float(units @ offers.electric[:lines]))
    platforms.initial_fleet = platforms.fleet(0)
    platforms.quality_path[0] = platforms.quality
    market.electric_fleet = max(platforms.electric_fleet(0), 1.0)


def reference_utility(market: Market, reference: Households, rows: np.ndarray, outlay: np.ndarray):
    """Utility after price `[R, J]` and of keeping `[R]` of the reference households, at the market's present qualities."""
    counts = community_counts(reference.platform, market.scenario.lock_in.community_size, len(market.platforms))
    world = market.world()._replace(whispers=word_of_mouth(counts))
    shelf = market.shelf(rows, outlay)
    utility, outside = np.empty((len(reference.key), len(rows))), np.empty(len(reference.key))
    panel = (reference.line, reference.platform, reference.bought, reference.bought, np.zeros(len(reference.key)))
    kernels.panel_utility(reference.key, panel, market.habits, shelf, world, reference.tastes, utility, outside)
    utility -= (market.habits.median_sensitivity / reference.tastes[:, INCOME])[:, None] * outlay
    return utility, outside


def invert(market: Market, reference: Households, rows: np.ndarray, outlay: np.ndarray) -> Spells:
    """Set ξ so that the table's shares and the outside share come out; return how the reference households shop."""
    offers, consumers = market.offers, market.scenario.consumers
    utility, outside = reference_utility(market, reference, rows, outlay)
    target = offers.base_units[rows] / offers.base_units[rows].sum()
    fit = conditional_mean_utilities(target, utility)
    utility += fit.mean_utility
    value = np.logaddexp.reduce(utility, axis=1) - outside

    def surplus_visits(shift):
        return shopping_spells(value + shift, market.habits).visits.mean() - 1.0 / (1.0 - consumers.outside_share)

    shift = brentq(surplus_visits, -30.0 - value.mean(), 30.0 - value.mean(), xtol=1e-13)
    offers.quality[rows] += fit.mean_utility + shift
    market.diagnostics["inversion_residual"] = fit.residual
    return shopping_spells(value + shift, market.habits)


def expected_shares(market: Market, reference: Households, rows: np.ndarray, outlay: np.ndarray) -> np.ndarray:
    """Share of each line among purchases of the reference households, weighted by how often each shops, `[J]`.

    Σ_i Σ_visits P_ij(visit) / Σ_i 1 = mean_i E_ij / Σ_k E_ik: over the visits of one cycle each household buys once.
    """
    utility, _ = reference_utility(market, reference, rows, outlay)
    utility -= utility.max(axis=1, keepdims=True)
    chances = np.exp(utility)
    return (chances / chances.sum(axis=1, keepdims=True)).mean(axis=0)


def settle_population(market: Market, reference: Households, spells: Spells, past: Past) -> None:
    """Fill the population and the pricing panel at the base date."""
    scenario, consumers = market.scenario, market.scenario.consumers
    n_start = consumers.count
    cycle = consumers.holding_months + float(spells.waiting.mean())
    weight = float(market.offers.base_units.sum()) * cycle / n_start
    arrivals = growing_rows(n_start, scenario.market.growth, scenario.n_months)
    origin = Origin(**vars(past), reference=reference, spells=spells, clock=market.clock)
    population = settle(scenario, origin, n_start, n_start + len(arrivals), weight)
    population.visit[n_start:] = arrivals
    population.due[n_start:] = (
        np.minimum(arrivals, NEVER) - 1
    )  # they own no car, so they are not passed on when they shop
    market.population = population
    market.community = community_counts(population.platform, scenario.lock_in.community_size, len(market.platforms))
    market.listen()
    market.panel = make_panel(market, origin)
    market.diagnostics |= {"weight": weight, "mean_cycle_months": cycle, "mean_visits": float(spells.visits.mean())}


def growing_rows(n_start: int, growth: float, n_months: int) -> np.ndarray:
    """Month in which each row to come enters the market, sorted: n(t) = n_0 (1 + growth)^(t/12)."""
    totals = np.floor(n_start * (1.0 + growth) ** (np.arange(n_months + 1) / 12.0)).astype(np.int64)
    return np.repeat(np.arange(1, n_months + 1), np.diff(totals)).astype(np.int16)


def recover_costs(market: Market, rows: np.ndarray) -> None:
    """Costs under which the table's prices solve the price game; pooled lines get the mean margin of the others."""
    offers, scenario = market.offers, market.scenario
    offers.price[rows] = offers.base_price[rows]
    game = pricing.price_game(market, rows)
    costs = costs_from_prices(game, offers.base_price[rows])
    pooled = offers.pooled[rows]
    net = offers.base_price[rows] / (1.0 + scenario.subsidy.vat)
    fees = pricing.fees(market, rows)
    if (costs[~pooled] <= 0).any():
        worst = rows[~pooled][int(costs[~pooled].argmin())]
        raise BadRequest(
            f"market.table={scenario.market.table}: '{offers.product[worst]}' at {offers.base_price[worst]:.1f} kCNY would "
            f"need a marginal cost of {costs[~pooled].min():.1f} kCNY: its price is too low for its share of sales; raise "
            "the price, or consumers.price_sensitivity"
        )
    units = offers.base_units[rows]
    margin = (net - costs - fees)[~pooled] @ units[~pooled] / (net[~pooled] @ units[~pooled])
    costs[pooled] = net[pooled] * (1.0 - margin)
    offers.cost[rows] = costs
    market.pooled_margin = float(margin)
    market.diagnostics["mean_margin"] = float(margin)
