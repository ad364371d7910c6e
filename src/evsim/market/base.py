"""From a market table to qualities, costs and owners at the base date.

    table → lines → what past buyers own → ξ by inverting the table's shares on the reference sample
          → the population at its stationary law → costs from the first-order conditions on the pricing panel
          → quality and cost of lines to come

Month 0 reproduces the table by construction, under the policy of the table's period; everything after is the model's.

The inversion. Each shopping cycle of a household ends with one purchase, of line j with probability E_ij / Σ_k E_ik
(E = exp V), whatever its chance to keep the old car (`economics.timing`). So ξ up to a constant solves

    mean_i E_ij / Σ_k E_ik = s_j / Σ_k s_k

over the reference households, and the constant is set so that shoppers keep the old car with the assumed frequency:
mean visits per cycle = 1 / (1 − outside share), of which all but one keep the car.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from ..economics.choice import inclusive_value
from ..economics.contracts import maker_net, royalty
from ..economics.inversion import conditional_mean_utilities
from ..economics.lock_in import tips
from ..economics.pricing import costs_from_prices
from ..economics.utility import INCOME
from ..errors import BadRequest, EvsimError
from ..kept import Kept, digest
from ..params import Scenario, month_name, month_number
from . import kernels, pricing
from .credits import begin_credits
from .draft import Draft, draft_of
from .kernels import Habits, Shelf, World
from .launches import place_launches
from .modes import dated_changes
from .offers import MODE, Names, make_offers
from .owner_value import extra_purchases_now, set_owner_value
from .owners import (
    FIRST_YEAR,
    Households,
    Origin,
    Past,
    Spells,
    fit_vintages,
    reference_households,
    residual_months,
    settle,
    shopping_spells,
    tastes_of,
)
from .panel import make_panel
from .policy import make_policy
from .population import NEVER, community_counts, word_of_mouth
from .rates import check_rates, rates_of
from .setup import (
    check_base,
    check_platforms,
    habits_of,
    open_platforms,
    pack_price,
    shopping_clock,
    stacks_for_sale,
    stacks_to_come,
)
from .state import Market
from .use import begin_use
from .ways import brands_of

COSTS: Kept[tuple[np.ndarray]] = Kept(64)  # a kB each
OWNER_TOLERANCE = 1e-10  # kCNY, of costs and values of owners found together


def open_market(scenario: Scenario, threads: int = 1) -> Market:
    """The market at the base date, calibrated to its table.

    Owners need tastes, ξ needs owners (their loyalty), costs need the population: the order of the lines below.

    Raises:
        BadRequest: the table is faulty, a shipped table does not belong to the start month, or the table's prices ask for a
            negative cost.
    """
    check_base(scenario)
    base = month_number(scenario.start) - 1
    draft = draft_of(scenario)
    market, shares = _market_of(scenario, draft, threads), draft.past_shares
    offers, habits = market.offers, market.habits
    rows = np.flatnonzero(offers.on_sale)
    outlay = market.weighed(0, rows).value(offers.base_price[rows])
    put_on_the_road(market, shares, base)
    tastes = tastes_of(scenario.seed, np.arange(scenario.consumers.reference_size, dtype=np.int64), habits)
    vintages = fit_vintages(shares, tastes, market.shelf(rows, outlay), habits, base)
    past = Past(vintages, market.shelf(rows, outlay), habits)
    reference = reference_households(scenario, past, tastes)
    spells = invert(market, reference, rows, outlay)
    settle_population(market, reference, spells, past)
    recover_costs(market, rows)
    everything = np.arange(len(offers))
    terms, vat = market.terms(everything), scenario.subsidy.vat
    market.diagnostics |= place_launches(offers, royalty(offers.base_price, terms, vat), scenario)
    market.diagnostics["tips"] = float(would_tip(market))
    offers.markup = maker_net(offers.base_price, terms, vat) / np.maximum(market.costs(), 1e-9) - 1.0
    return market


def _market_of(scenario: Scenario, draft: Draft, threads: int) -> Market:
    """The market's columns, before anything is calibrated."""
    base = month_number(scenario.start) - 1
    traits, names, groups = draft.own_traits, Names(), dict(draft.groups)
    offers = make_offers(draft.sheet, traits, names, scenario)
    if len(set(offers.key.tolist())) < len(offers):
        raise BadRequest(
            f"market.table={scenario.market.table}: two lines share a name; give brands and makers names of their own"
        )
    for change in dated_changes(scenario):
        if change.platform and change.brand in names.brands:
            Names.code(names.platforms, change.platform)
    if scenario.modes.rule == "chosen":
        for stack in stacks_for_sale(scenario):
            Names.code(names.platforms, stack)
    check_platforms(scenario, names)
    check_rates(scenario, float(offers.base_price.max()))
    platforms = open_platforms(names.platforms, stacks_to_come(groups, traits, scenario), scenario, month_name(base))
    platforms.in_house[offers.platform[offers.mode == MODE["in_house"]]] = True
    market = Market(
        scenario=scenario,
        names=names,
        offers=offers,
        platforms=platforms,
        policy=make_policy(offers, names, scenario),
        traits=traits,
        habits=habits_of(scenario),
        clock=shopping_clock(scenario),
        calendar=list(draft.calendar),
        groups=groups,
        base_pack_price=pack_price(base // 12),
        rates=rates_of(scenario),
        threads=threads,
    )
    market.pack_price = market.base_pack_price
    market.whispers = np.zeros((1, len(platforms)))
    market.wait = np.zeros(len(names.automakers))
    market.brands = brands_of(offers, names, scenario)
    market.base_members = max(market.members(), 1)
    begin_use(market)
    begin_credits(market)
    return market


def put_on_the_road(market: Market, shares: np.ndarray, base: int) -> None:
    """Cars sold in the panel's years join the platforms' fleets, month by month; older cars carry no platform."""
    platforms, offers = market.platforms, market.offers
    months = max((base // 12 - FIRST_YEAR) * 12 + base % 12, 0)
    platforms.first_month = -months
    monthly = float(offers.base_units.sum())
    platforms.sales = np.zeros((months + 1 + market.scenario.n_months, len(platforms)))
    platforms.electric_sales = np.zeros(len(platforms.sales))
    lines = shares.shape[1]
    for month in range(-months, 1):
        units = monthly * shares[max((base + month) // 12 - FIRST_YEAR, 0)]
        cars = np.bincount(offers.platform[:lines], weights=units, minlength=len(platforms))
        platforms.add_sales(month, cars, float(units @ offers.electric[:lines]))
    platforms.initial_fleet = platforms.fleet(0)
    platforms.quality_path[0] = platforms.quality
    market.electric_fleet = max(platforms.electric_fleet(0), 1.0)


def reference_utility(market: Market, reference: Households, rows: np.ndarray, outlay: np.ndarray):
    """Utility after price `[R, J]` and of keeping `[R]` of the reference households, at the market's present qualities."""
    return seen_utility(reference, market.habits, *reference_view(market, reference, rows, outlay))


def reference_view(market: Market, reference: Households, rows: np.ndarray, outlay: np.ndarray) -> tuple[Shelf, World]:
    """What the reference households see: lines on the shelf, and what is said in communities of their own."""
    counts = community_counts(reference.platform, market.scenario.lock_in.community_size, len(market.platforms))
    return market.shelf(rows, outlay), market.world()._replace(whispers=word_of_mouth(counts))


def seen_utility(reference: Households, habits: Habits, shelf: Shelf, world: World) -> tuple[np.ndarray, np.ndarray]:
    """Utility after price `[R, J]` and of keeping `[R]` of households that see this."""
    utility, outside = np.empty((len(reference.key), len(shelf.outlay))), np.empty(len(reference.key))
    panel = (reference.line, reference.platform, reference.bought, reference.bought, np.zeros(len(reference.key)))
    kernels.panel_utility(reference.key, panel, habits, shelf, world, reference.tastes, utility, outside)
    utility -= (habits.median_sensitivity / reference.tastes[:, INCOME])[:, None] * shelf.outlay
    return utility, outside


def invert(market: Market, reference: Households, rows: np.ndarray, outlay: np.ndarray) -> Spells:
    """Set ξ so that the table's shares and the outside share come out; return how the reference households shop."""
    offers, outside_share = market.offers, market.scenario.consumers.outside_share
    target = offers.base_units[rows] / offers.base_units[rows].sum()
    behind = (target, outside_share, reference, market.habits, reference_view(market, reference, rows, outlay))
    found = INVERTED.get(digest(*behind), lambda: _inverted(*behind))
    offers.quality[rows] += found.quality
    market.diagnostics["inversion_residual"] = found.residual
    return Spells(found.inclusive_value, found.visits, found.waiting)


class _Inverted(NamedTuple):
    """ξ of the lines on sale and how the reference households then shop."""

    quality: np.ndarray  # [J] utils
    residual: float
    inclusive_value: np.ndarray  # [R], as in `Spells`
    visits: np.ndarray
    waiting: np.ndarray


INVERTED: Kept[_Inverted] = Kept(64)  # 120 kB each at 5000 reference households


def _inverted(
    target: np.ndarray, outside_share: float, reference: Households, habits: Habits, view: tuple[Shelf, World]
) -> _Inverted:
    """Solve the two equations of the module's docstring for the given shares and households."""
    utility, outside = seen_utility(reference, habits, *view)
    fit = conditional_mean_utilities(target, utility)
    utility += fit.mean_utility
    value, odds = inclusive_value(utility, -np.inf) - outside, outside_share / (1.0 - outside_share)

    def kept_too_often(shift):  # visits before the one that buys over those wanted, in logs: nearly a line
        return np.log(shopping_spells(value + shift, habits).waiting.mean() / (habits.pause * odds))

    shift = brentq(kept_too_often, -30.0 - value.max(), 30.0 - value.min(), xtol=1e-13)
    spells = shopping_spells(value + shift, habits)
    return _Inverted(fit.mean_utility + shift, fit.residual, spells.inclusive_value, spells.visits, spells.waiting)


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
    rest = residual_months(scenario.seed, np.arange(n_start, len(population)), market.habits)
    population.visit[n_start:] = np.minimum(arrivals + rest, NEVER)
    population.due[n_start:] = population.visit[n_start:] - 1  # overdue: they own no car, and are not passed on
    market.population = population
    market.community = community_counts(population.platform, scenario.lock_in.community_size, len(market.platforms))
    market.listen()
    market.panel = make_panel(market, origin)
    market.diagnostics |= {"weight": weight, "mean_cycle_months": cycle, "mean_visits": float(spells.visits.mean())}


def growing_rows(n_start: int, growth: float, n_months: int) -> np.ndarray:
    """Month in which each row to come joins the households that buy new, sorted: n(t) = n_0 (1 + growth)^(t/12).

    Like everybody it then shops after the rest of a holding time, so that sales grow at the rate of the households.
    """
    totals = np.floor(n_start * (1.0 + growth) ** (np.arange(n_months + 1) / 12.0)).astype(np.int64)
    return np.repeat(np.arange(1, n_months + 1), np.diff(totals)).astype(np.int16)


def would_tip(market: Market) -> bool:
    """Whether the network effect is so strong that even platforms alike would not share the market, at the largest fleet."""
    platforms, lock_in = market.platforms, market.scenario.lock_in
    fleet = float(np.where(platforms.ecosystem, platforms.initial_fleet, 0.0).max())
    n_platforms = max(int(platforms.ecosystem.sum()), 1)
    return tips(lock_in.network_effect, fleet, lock_in.network_scale, lock_in.switching_cost, n_platforms)


def recover_costs(market: Market, rows: np.ndarray) -> None:
    """Costs under which the table's prices solve the price game; pooled lines get the mean margin of the others."""
    offers, scenario = market.offers, market.scenario
    offers.price[rows] = offers.base_price[rows]
    if scenario.pricing.owner_value:
        costs = costs_with_owners(market, rows)
    else:
        costs = costs_now(market, rows)
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
    credits = market.credit_cost[rows]
    margin = (net - costs - credits - fees)[~pooled] @ units[~pooled] / (net[~pooled] @ units[~pooled])
    costs[pooled] = net[pooled] * (1.0 - margin) - credits[pooled]
    offers.cost[rows] = costs
    market.diagnostics["mean_margin"] = float(margin)


def costs_now(market: Market, rows: np.ndarray) -> np.ndarray:
    """Costs under which the table's prices solve the price game as it stands, `[J]`, kCNY."""
    game, prices = pricing.price_game(market, rows), market.offers.base_price[rows]
    (costs,) = COSTS.get(digest(game, prices), lambda: (costs_from_prices(game, prices),))
    return costs.copy()


def costs_with_owners(market: Market, rows: np.ndarray) -> np.ndarray:
    """Costs under which the table's prices solve the price game where firms count the owners they win; `[J]`, kCNY.

        c = costs(p, δ Λ),   Λ = values(p − c)

    A fixed point, as what an owner brings depends on the cost of the next car. Iterating contracts: costs follow a firm's δΛ
    one for one, and Λ_f(j) follows them by β^T (1 − ν) Σ_{k of f} ΔS_jk, a return that is discounted, may fail and counts in
    excess of the average shopper's only. Each round leaves a tenth or so of the error.

    Raises:
        EvsimError: 100 rounds do not settle it.
    """
    extra = extra_purchases_now(market, rows)
    owners = np.zeros((len(market.names.automakers) + 1, len(market.offers)))
    market.owner_value, costs = owners, np.full(len(rows), np.inf)
    for _ in range(100):
        previous, costs = costs, costs_now(market, rows)
        if np.abs(costs - previous).max() < OWNER_TOLERANCE:
            return costs
        set_owner_value(market, rows, extra, costs + market.credit_cost[rows])
    raise EvsimError("costs at the base date and what owners are worth do not settle; lower pricing.owner_value")
