"""Compiled loops over consumers behind one firm's best reply (`best_reply`) and the shares of a forecast."""

import numpy as np

from evsim.compiled import njit
from evsim.economics.price_kernels import kinked_replies

FAINT = 1e-290  # a Λ below this has lost its digits: nobody buys, and the price stays


@njit
def replied(utility, price_sensitivity, weights, rest, margins, rule, prices, steps):
    """Move `prices` by some steps of ζ; returns the shares there. One pass over the consumers a step, in their order."""
    revenue, cost = margins
    knots, slopes, intercept, jumps = rule
    notches, asked = jumps > 0.0, np.empty(slopes.shape)
    n_products = prices.shape[0]
    row, buyer, margin = np.empty(n_products), np.empty(n_products), np.empty(n_products)
    setter = np.zeros(n_products, dtype=np.int64)
    sums = np.zeros((3, n_products))
    for step in range(steps + 1):
        for j in range(n_products):
            buyer[j] = intercept[j] + slopes[j, 0] * prices[j]
            for k in range(knots.shape[1]):
                if prices[j] > knots[j, k]:
                    buyer[j] += (slopes[j, k + 1] - slopes[j, k]) * (prices[j] - knots[j, k]) + jumps[j, k]
            margin[j] = revenue[j] * prices[j] - cost[j]
        sums[:] = 0.0
        for i in range(weights.shape[0]):
            total, earned = rest[i], 0.0
            for j in range(n_products):
                row[j] = np.exp(utility[i, j] - price_sensitivity[i] * buyer[j])
                total += row[j]
                earned += row[j] * margin[j]
            scale = weights[i] / total
            for j in range(n_products):
                bought = scale * row[j]
                sums[0, j] += bought
                sums[1, j] += bought * price_sensitivity[i]
                sums[2, j] += bought * price_sensitivity[i] * earned / total
        if step == steps:
            break
        for j in range(n_products):
            setter[j] = 0 if sums[1, j] > FAINT else -1
            for k in range(slopes.shape[1]):
                free = (revenue[j] * sums[0, j] / slopes[j, k] + sums[2, j]) / max(sums[1, j], FAINT)
                asked[j, k] = (cost[j] + free) / revenue[j]
        target, _, _ = kinked_replies(prices, setter, asked, knots, notches)
        for j in range(n_products):
            prices[j] = target[j]
    return sums[0].copy()


@njit
def weighted_columns(weights, table):
    """Σ_i w_i x_ij, `[J]`, of a table `[N, J]`, row after row: no BLAS, so that the bits depend on no thread."""
    sums = np.zeros(table.shape[1])
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            sums[j] += weights[i] * table[i, j]
    return sums
