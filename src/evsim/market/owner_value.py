"""The value Λ of a locked-in owner, line by line and firm by firm: `economics.owner_value` on the pricing panel.

Λ is found at the base date, where it is part of the explanation of the table's prices (`market.base`), and at each yearly
review, at the prices and costs of then; a line that opens between reviews is valued when it opens. In between it stays, as firms
do not reckon anew every month what owners will bring in seven years. Who counts which owner in its prices is
`economics.owner_value.counted_values`; how much of it, `pricing.owner_value` (δ).

A car's buyer is back after the mean cycle T, unless the row passes to a newcomer (`consumers.first_time_share`, ν): the discount
from one purchase to the next is β^T (1 − ν). Each maker's margin is that on its own cars, the leader's its fees less parts on
any car that pays them; nobody counts the pool's.
"""

import numpy as np

from ..economics.choice import choice_probabilities
from ..economics.contracts import price_weights
from ..economics.owner_value import Loyalty, counted_values, extra_purchases, owner_values
from ..economics.utility import lock_in_strength
from .calendar import paid
from .panel import panel_demand
from .state import Market


def refresh_owner_value(market: Market) -> None:
    """Value the owners of all lines on sale at present prices, costs and qualities; nothing if no price counts them."""
    if market.scenario.pricing.owner_value:
        rows = market.on_sale()
        set_owner_value(market, rows, extra_purchases_now(market, rows), market.costs()[rows])


def value_new_lines(market: Market, rows: np.ndarray) -> None:
    """Value the owners of those of the given lines that opened since the last review; the others keep their value."""
    if not market.scenario.pricing.owner_value:
        return
    new = np.isnan(market.owner_value[-1, rows])
    if new.any():
        values = values_now(market, rows, extra_purchases_now(market, rows), market.costs()[rows])
        market.owner_value[:, rows[new]] = values[:, new]


def set_owner_value(market: Market, rows: np.ndarray, extra: np.ndarray, costs: np.ndarray) -> None:
    """Keep the values of owners of the given lines as what firms reckon with from now on; nan: of a line not valued."""
    market.owner_value = np.full((len(market.names.automakers) + 1, len(market.offers)), np.nan)
    market.owner_value[:, rows] = values_now(market, rows, extra, costs)


def values_now(market: Market, rows: np.ndarray, extra: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Λ at present prices and the given costs, `[automakers + 1, J]`, kCNY; the leader last.

    Args:
        extra: what owning each line adds to the chances of the next purchase, `[J, J]`, from `extra_purchases_now`.
        costs: of the lines before fees, `[J]`, kCNY.
    """
    scenario, offers = market.scenario, market.offers
    makers = offers.automaker[rows]
    revenue, cost, payments, _ = price_weights(
        makers, len(market.names.automakers), market.terms(rows), scenario.subsidy.vat
    )
    margins = revenue * offers.price[rows] - cost * costs - payments
    margins[:, offers.pooled[rows]] = 0.0
    years = market.diagnostics["mean_cycle_months"] / 12.0
    returns = 1.0 - scenario.consumers.first_time_share
    return owner_values(extra, margins, returns * (1.0 + scenario.pricing.discount_rate) ** -years)


def extra_purchases_now(market: Market, rows: np.ndarray) -> np.ndarray:
    """What owning a line adds to the chance of each line at the next purchase, `[J, J]`, at present prices.

    Buyers are the panel's, as owners and as newcomers; at their next purchase they are newcomers with the lock-in of one
    mean cycle with the car.
    """
    scenario, offers = market.scenario, market.offers
    demand, rule = panel_demand(market, rows)
    utility = demand.utility - demand.price_sensitivity[:, None] * paid(rule, offers.price[rows])
    chances = choice_probabilities(utility, demand.outside_utility)
    bought = demand.weights[:, None] * chances
    size = len(bought) // 2
    strength = lock_in_strength(market.diagnostics["mean_cycle_months"], scenario.lock_in.tenure_months)
    platform = offers.platform[rows]
    loyalty = Loyalty(
        platform=platform,
        brand=offers.brand[rows],
        platform_gain=scenario.lock_in.switching_cost * strength * market.platforms.ecosystem[platform],
        brand_gain=np.full(len(rows), scenario.lock_in.brand_loyalty),
    )
    return extra_purchases(bought[:size] + bought[size:], utility[size:], loyalty, market.threads)


def counted_owners(market: Market, rows: np.ndarray, cost_weights: np.ndarray) -> np.ndarray:
    """What an owner is worth in each decision maker's account, `[automakers + 1, J]`, kCNY a car; 0 where not valued yet.

    Args:
        cost_weights: B of the price game, `[automakers + 1, J]`; 0 on pooled lines.
    """
    values = np.nan_to_num(market.owner_value[:, rows])
    values[-1, market.offers.pooled[rows]] = 0.0
    weight = market.scenario.alliance.leader_weight
    return counted_values(values, market.offers.automaker[rows], market.terms(rows), cost_weights, weight)
