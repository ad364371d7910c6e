"""Prices of one month: the price game over the panel (`market.panel`), by the pricing rule.

Two things stand beside the rule. Owners that a sale leaves behind may count in prices (`pricing.owner_value`,
`market.owner_value`). And somebody may hand in the price of a line (`Market.given_price`): then that is its price under every
rule, war or not, and the others reply to it.
"""

from dataclasses import replace

import numpy as np

from ..economics.contracts import price_for_net, price_weights, royalty
from ..economics.credits import with_payments
from ..economics.pass_through import buyer_tax_pass_through
from ..economics.price_game import Choices
from ..economics.price_point import evaluate
from ..economics.price_rule import BuyerPrice, BuyerPriceByClass
from ..economics.pricing import Demand, PriceGame, best_response_steps, equilibrium_prices
from ..errors import EvsimError
from ..params import month_number
from .owner_value import counted_owners, value_new_lines
from .panel import priced_demand
from .state import Market


def price_game(market: Market, rows: np.ndarray, start: np.ndarray | None = None) -> PriceGame:
    """The game over the given lines this month; the prices of pooled lines, and those handed in, are given.

    Args:
        start: posted prices `[J]` at which the game is looked at first, kCNY; none: present ones.
    """
    demand, rule, chosen = priced_demand(market, rows, market.offers.price[rows] if start is None else start)
    game, by_hand = whole_game(market, rows, demand, rule, chosen), handed_in(market, rows)
    return game if np.isnan(by_hand).all() else replace(game, setter=np.where(np.isnan(by_hand), game.setter, -1))


def whole_game(
    market: Market,
    rows: np.ndarray,
    demand: Demand,
    rule: BuyerPrice | BuyerPriceByClass,
    known: Choices | None = None,
) -> PriceGame:
    """The game over the given lines for a demand and what it pays; pooled lines have given prices."""
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
    payments = with_payments(payments, cost, market.credit_cost[rows])
    if scenario.pricing.owner_value:
        payments -= scenario.pricing.owner_value * counted_owners(market, rows, cost)
    return PriceGame(
        demand,
        market.car_costs()[rows],
        revenue,
        cost,
        payments,
        setter,
        rule,
        market.threads,
        known,
    )


def subsidy_pass_through(market: Market) -> dict[str, np.ndarray]:
    """Who has one kCNY more of subsidy on each line on sale, at this month's equilibrium, all prices answering, visits given.

    Returns:
        `[J]` each: `row` of the line; `to_buyers`, what they pay less (mean over classes of buyers, by their sales), and
        `to_maker`, what its posted price rises by, kCNY a kCNY: without a tax on the price their sum is 1; `held`: its
        price stays, at a cap or ceiling of the tax rule, or because somebody gives it.
    Raises:
        EvsimError: the price game does not settle.
    """
    rows = market.on_sale()
    game = price_game(market, rows)
    solution = equilibrium_prices(game, market.offers.price[rows], tolerance=1e-9)
    if not solution.converged:
        raise EvsimError(f"month {market.month}: the price game did not settle: {solution.message}")
    follows, own = buyer_tax_pass_through(game, solution.prices), np.arange(len(rows))
    sold = evaluate(game, solution.prices).class_shares
    to_buyers = (sold * follows.buyer_prices[:, own, own]).sum(axis=0) / sold.sum(axis=0)
    return {"row": rows, "to_buyers": to_buyers, "to_maker": 0.0 - follows.own, "held": follows.held}


def handed_in(market: Market, rows: np.ndarray) -> np.ndarray:
    """Prices that somebody has set by hand, `[J]`, kCNY; nan: the pricing rule sets them."""
    return market.given_price[rows] if len(market.given_price) else np.full(len(rows), np.nan)


def fees(market: Market, rows: np.ndarray) -> np.ndarray:
    """What the maker of each line pays the leader a car at present prices, kCNY."""
    return royalty(market.offers.price[rows], market.terms(rows), market.scenario.subsidy.vat)


def cost_plus_prices(market: Market, rows: np.ndarray) -> np.ndarray:
    """Prices that keep the maker's margin over cost at what it was in the table, or at launch."""
    net = (1.0 + market.offers.markup[rows]) * market.costs()[rows]
    return price_for_net(net, market.terms(rows), market.scenario.subsidy.vat)


def set_prices(market: Market, rows: np.ndarray) -> float:
    """Set this month's posted prices by the pricing rule, and those handed in; return the first-order residual in kCNY (0
    without a game; before the cut in a price war)."""
    params, offers = market.scenario.pricing, market.offers
    plus = cost_plus_prices(market, rows)
    pooled, by_hand = offers.pooled[rows], handed_in(market, rows)
    residual = 0.0
    if params.rule == "cost_plus":
        prices = plus
    elif params.rule == "fixed":
        prices = offers.price[rows].copy()
    else:
        start = np.where(pooled, plus, offers.price[rows])
        start = np.where(np.isnan(by_hand), start, by_hand)
        value_new_lines(market, rows)
        game = price_game(market, rows, start)
        if params.rule == "best_response":
            prices = best_response_steps(game, start, params.steps)
        else:
            solution = equilibrium_prices(game, start, tolerance=params.tolerance)
            prices, residual = solution.prices, solution.residual
            if not solution.converged:
                raise EvsimError(f"month {market.month}: the price game did not settle: {solution.message}")
    if params.rule != "fixed" and at_war(market):
        prices = prices - params.war_cut * margins(market, rows, prices)
    offers.price[rows] = np.where(np.isnan(by_hand), prices, by_hand)
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
