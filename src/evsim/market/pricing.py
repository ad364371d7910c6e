"""Prices of one month: the price game over the panel (`market.panel`), by the pricing rule."""

import numpy as np

from ..economics.contracts import price_for_net, price_weights, royalty
from ..economics.pricing import PriceGame, best_response_steps, equilibrium_prices
from ..errors import EvsimError
from ..params import month_number
from .panel import panel_demand
from .state import Market


def price_game(market: Market, rows: np.ndarray) -> PriceGame:
    """The game over the given lines this month; pooled lines have given prices."""
    scenario, offers = market.scenario, market.offers
    alliance = scenario.alliance
    revenue, cost, payments, setter = price_weights(
        offers.automaker[rows],
        len(market.names.automakers),
        market.terms(rows),
        scenario.subsidy.vat,
        fellow_weight=alliance.fellow_weight,
        leader_weight=alliance.leader_weight,
        leader_sets_prices=alliance.price_setter == "leader",
    )
    pooled = offers.pooled[rows]
    setter[pooled] = -1
    for table in (revenue, cost, payments):
        table[:, pooled] = 0.0  # nobody steers by the pool's profit
    return PriceGame(
        panel_demand(market, rows),
        market.costs()[rows],
        revenue,
        cost,
        payments,
        setter,
        market.policy.buyer_price(market.month, rows),
        market.threads,
    )


def fees(market: Market, rows: np.ndarray) -> np.ndarray:
    """What the maker of each line pays the leader a car at present prices, kCNY."""
    return royalty(market.offers.price[rows], market.terms(rows), market.scenario.subsidy.vat)


def cost_plus_prices(market: Market, rows: np.ndarray) -> np.ndarray:
    """Prices that keep the maker's margin over cost at what it was in the table, or at launch."""
    net = (1.0 + market.offers.markup[rows]) * market.costs()[rows]
    return price_for_net(net, market.terms(rows), market.scenario.subsidy.vat)


def set_prices(market: Market, rows: np.ndarray) -> float:
    """Set this month's posted prices by the pricing rule; return the first-order residual in kCNY (0 without a
    game; before the cut in a price war)."""
    params, offers = market.scenario.pricing, market.offers
    plus = cost_plus_prices(market, rows)
    pooled = offers.pooled[rows]
    residual = 0.0
    if params.rule == "cost_plus":
        prices = plus
    elif params.rule == "fixed":
        prices = offers.price[rows].copy()
    else:
        start = np.where(pooled, plus, offers.price[rows])
        game = price_game(market, rows)
        if params.rule == "best_response":
            prices = best_response_steps(game, start, params.steps)
        else:
            solution = equilibrium_prices(game, start, tolerance=params.tolerance)
            prices, residual = solution.prices, solution.residual
            if not solution.converged:
                raise EvsimError(f"month {market.month}: the price game did not settle: {solution.message}")
    if params.rule != "fixed" and at_war(market):
        prices = prices - params.war_cut * margins(market, rows, prices)
    offers.price[rows] = prices
    return residual


def at_war(market: Market) -> bool:
    """Whether a price war is on this month."""
    params = market.scenario.pricing
    if not params.war_start or not params.war_end:
        return False
    now = month_number(market.scenario.start) - 1 + market.month
    return month_number(params.war_start) <= now <= month_number(params.war_end)


def margins(market: Market, rows: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """The part of each posted price that is the maker's margin, VAT and royalty included, kCNY."""
    break_even = price_for_net(market.costs()[rows], market.terms(rows), market.scenario.subsidy.vat)
    return np.maximum(prices - break_even, 0.0)
