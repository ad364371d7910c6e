"""Prices of one month: the price game over the panel, by the pricing rule.

Expected shares are those of a fixed panel of rows, as they would shop with what they own now: a survey drawn anew each month
would move prices for no reason. Rows weigh by their chance to shop, v/(H + W) (`economics.timing`), at last month's prices.
"""

import numpy as np

from ..economics.choice import inclusive_value
from ..economics.contracts import price_weights, royalty
from ..economics.pricing import Demand, PriceGame, best_response_steps, equilibrium_prices
from ..economics.utility import INCOME
from ..params import month_number
from . import kernels
from .owners import shopping_spells, tastes_of
from .state import Market


def panel_demand(market: Market, rows: np.ndarray) -> Demand:
    """Demand of the panel for the given lines, before price, weighted by the chance to shop at present prices."""
    panel, population, scenario = market.panel, market.population, market.scenario
    at = panel.rows
    moved = np.flatnonzero(population.household[at] != panel.household)
    if len(moved):
        panel.household[moved] = population.household[at[moved]]
        panel.tastes[moved] = tastes_of(scenario.seed, panel.household[moved], market.habits)
        panel.newcomer[moved] = False
    line = np.where(panel.newcomer, -1, population.line[at]).astype(np.int16)
    platform = np.where(panel.newcomer, -1, population.platform[at]).astype(np.int16)
    overdue = np.maximum(market.month - population.due[at].astype(float), 0.0)
    state = (line, platform, population.bought[at], population.joined[at], overdue)
    utility, outside = np.empty((len(at), len(rows))), np.empty(len(at))
    shelf = market.shelf(rows, np.zeros(len(rows)))
    world = market.world()

    def fill(first, last):
        part = slice(first, last)
        kernels.panel_utility(
            at[part],
            tuple(column[part] for column in state),
            market.habits,
            shelf,
            world,
            panel.tastes[part],
            utility[part],
            outside[part],
        )

    market.in_blocks(fill, len(at))
    sensitivity = market.habits.median_sensitivity / panel.tastes[:, INCOME]
    outlay = market.policy.buyer_price(market.month, rows).value(market.offers.price[rows])
    value = inclusive_value(utility - sensitivity[:, None] * outlay, outside)
    return Demand(utility, sensitivity, chance_to_shop(market, value - outside), outside)


def chance_to_shop(market: Market, value: np.ndarray) -> np.ndarray:
    """Visits a month of households with given inclusive values of the market over keeping the car: v / (H + W)."""
    spells = shopping_spells(log_odds(value), market.habits)
    return spells.visits / (market.scenario.consumers.holding_months + spells.waiting)


def log_odds(inclusive: np.ndarray) -> np.ndarray:
    """Inclusive value of buying over keeping, from that of the whole choice over keeping: ln(exp I − 1)."""
    return inclusive + np.log1p(-np.exp(-inclusive))


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
    setter[offers.pooled[rows]] = -1
    return PriceGame(
        panel_demand(market, rows),
        market.costs()[rows],
        revenue,
        cost,
        payments,
        setter,
        market.policy.buyer_price(market.month, rows),
    )


def fees(market: Market, rows: np.ndarray) -> np.ndarray:
    """What the maker of each line pays the leader a car at present prices, kCNY."""
    return royalty(market.offers.price[rows], market.terms(rows), market.scenario.subsidy.vat)


def cost_plus_prices(market: Market, rows: np.ndarray) -> np.ndarray:
    """Prices that keep each line's margin over cost and fees at what it was when the line came to market."""
    offers, terms, vat = market.offers, market.terms(rows), market.scenario.subsidy.vat
    net = offers.base_price[rows] / (1.0 + vat) * (1.0 - terms.revenue_share) - terms.unit_fee
    ratio = market.costs()[rows] / offers.cost[rows]
    return (net * ratio + terms.unit_fee) * (1.0 + vat) / (1.0 - terms.revenue_share)


def set_prices(market: Market, rows: np.ndarray) -> float:
    """Set this month's posted prices by the pricing rule; return the first-order residual in kCNY (0 where no game is played)."""
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
                raise ArithmeticError(f"month {market.month}: the price game did not settle: {solution.message}")
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
    terms, vat = market.terms(rows), market.scenario.subsidy.vat
    break_even = (market.costs()[rows] + terms.unit_fee) * (1.0 + vat) / (1.0 - terms.revenue_share)
    return np.maximum(prices - break_even, 0.0)
