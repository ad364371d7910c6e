"""Slow twins of the price game in plain numpy, and made-up games, for the tests of pricing."""

import numpy as np

from evsim.economics.pricing import Demand, PriceGame


def demand_twin(game, prices):
    """Probabilities, and shares, from the logit's formula; every consumer at the buyer's price of its class."""
    demand = game.demand
    paid = game.rule.value(prices)[game.rule.class_of]
    utility = demand.utility - demand.price_sensitivity[:, None] * paid
    odds = np.exp(utility)
    chances = odds / (np.exp(demand.outside_utility) + odds.sum(axis=1))[:, None]
    return chances, demand.weights @ chances


def zeta_twin(game, prices):
    """ζ from dense matrices, no kinks: p_j = (B c + F + (A s_j + Σ_k G_jk m_fk) / L_j) / A, with each consumer's q'_ij in
    L_j = Σ_i w_i α_i q'_ij P_ij and G_jk = Σ_i w_i α_i q'_ij P_ij P_ik."""
    chances, shares = demand_twin(game, prices)
    slopes = game.rule.slope_below(prices)[game.rule.class_of]
    weighted = (game.demand.weights * game.demand.price_sensitivity)[:, None] * slopes * chances
    total, cross = weighted.sum(axis=0), weighted.T @ chances
    costs = game.cost_weights * game.marginal_costs + game.payments
    margins = game.revenue_weights * prices - costs
    answer = np.array(prices, dtype=float)
    for j, f in enumerate(game.setter):
        if f >= 0:
            margin = (game.revenue_weights[f, j] * shares[j] + cross[j] @ margins[f]) / total[j]
            answer[j] = (costs[f, j] + margin) / game.revenue_weights[f, j]
    return answer


def profits_twin(game, prices):
    """What every firm earns, [F]."""
    margins = game.revenue_weights * prices - game.cost_weights * game.marginal_costs - game.payments
    return margins @ demand_twin(game, prices)[1]


def profit_slopes(game, prices, step=1e-4):
    """Central difference of each setter's profit in its own price, [J]; 0 where the price is given."""
    slopes = np.zeros(game.n_products)
    for j, f in enumerate(game.setter):
        if f >= 0:
            move = step * (np.arange(game.n_products) == j)
            slopes[j] = (profits_twin(game, prices + move)[f] - profits_twin(game, prices - move)[f]) / (2 * step)
    return slopes


def made_up_demand(seed, n_products=8, n_consumers=60, spread=1.0, level=1.0):
    """Consumers with log-normal incomes and tastes for the products, and the products' costs."""
    draws = np.random.default_rng(seed)
    costs = np.exp(draws.normal(np.log(120.0), 0.5, n_products))
    sensitivity = 0.03 * np.exp(0.4 * draws.normal(size=n_consumers))
    quality = 0.03 * costs + draws.normal(size=n_products) + level
    utility = quality + spread * draws.normal(size=(n_consumers, n_products))
    return Demand(utility, sensitivity, draws.uniform(0.5, 1.5, n_consumers)), costs


def owned(n_products, n_firms):
    """Ownership as a table of ones, [F, J], products dealt in turn."""
    return (np.arange(n_firms)[:, None] == (np.arange(n_products) % n_firms)[None, :]).astype(float)


def game_of(kind, seed, rule=None, **size):
    """A game of each kind of account, `KINDS`, by three firms."""
    demand, costs = made_up_demand(seed, **size)
    draws, n = np.random.default_rng(seed + 1), len(costs)
    revenue = owned(n, 3) / 1.13
    cost, payments, setter = owned(n, 3), np.zeros((3, n)), np.arange(n) % 3
    if kind == "joint":
        revenue, cost = np.ones((3, n)) / 1.13, np.ones((3, n))
    elif kind == "partly internalised":
        revenue, cost = np.maximum(revenue, 0.4 / 1.13), np.maximum(cost, 0.4)
    elif kind == "mixed royalties":
        royalty = draws.uniform(0.0, 0.3, n)
        revenue, payments = revenue * (1.0 - royalty), owned(n, 3) * draws.uniform(0.0, 15.0, n)
    elif kind == "leader with own products":
        partner = setter == 1
        revenue[1, partner] = 0.9 / 1.13
        revenue[0, partner], payments[1, partner], payments[0, partner] = 0.1 / 1.13, 8.0, 5.0 - 8.0
    elif kind != "ordinary":
        raise ValueError(kind)
    return PriceGame(demand, costs, revenue, cost, payments, setter, rule)


KINDS = ("ordinary", "joint", "partly internalised", "mixed royalties", "leader with own products")
