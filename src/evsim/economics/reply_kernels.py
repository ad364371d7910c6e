"""Compiled loops over consumers behind one firm's best reply (`best_reply`) and the shares of a forecast.

Tables `[N, L]` are read product by product. Exponentials are numpy's, which takes several at once: in compiled loops, one after
another, they were three quarters of a reply.
"""

import numpy as np

from evsim.compiled import njit
from evsim.economics.price_kernels import kinked_replies

FAINT = 1e-290  # a Λ below this has lost its digits: nobody buys, and the price stays


@njit
def reply_sums(odds, price_sensitivity, weights, rest, margin):
    """What the firm's first-order conditions need at its prices, every sum over the consumers in their order.

    Args:
        odds: exp U of the firm's products, `[N, L]`; rest: that of everything else together, `[N]`.
        margin: m of each product, `[L]`, kCNY.
    Returns:
        `[3, L]`: s_j, Λ_j = Σ_i w_i α_i P_ij, and Σ_k Γ_jk m_k = Σ_i w_i α_i P_ij Σ_k P_ik m_k.
    """
    n_consumers, n_products = odds.shape
    total, earned = rest.copy(), np.zeros(n_consumers)
    for j in range(n_products):
        for i in range(n_consumers):
            total[i] += odds[i, j]
            earned[i] += odds[i, j] * margin[j]
    for i in range(n_consumers):
        earned[i] /= total[i]
        total[i] = weights[i] / total[i]
    sums = np.zeros((3, n_products))
    for j in range(n_products):
        share, sensitive, steered = 0.0, 0.0, 0.0
        for i in range(n_consumers):
            bought = total[i] * odds[i, j]
            share += bought
            sensitive += bought * price_sensitivity[i]
            steered += bought * price_sensitivity[i] * earned[i]
        sums[0, j], sums[1, j], sums[2, j] = share, sensitive, steered
    return sums


@njit
def stepped(prices, sums, margins, rule):
    """Prices after one step of ζ, `[L]`, the `reply_sums` taken at `prices`; margins: A, c; rule: knots, slopes, jumps."""
    revenue, cost = margins
    knots, slopes, jumps = rule
    setter, asked = np.zeros(prices.shape[0], dtype=np.int64), np.empty(slopes.shape)
    for j in range(prices.shape[0]):
        setter[j] = 0 if sums[1, j] > FAINT else -1
        for k in range(slopes.shape[1]):
            free = (revenue[j] * sums[0, j] / slopes[j, k] + sums[2, j]) / max(sums[1, j], FAINT)
            asked[j, k] = (cost[j] + free) / revenue[j]
    return kinked_replies(prices, setter, asked, knots, jumps > 0.0)[0]


@njit
def weighted_columns(weights, table):
    """Σ_i w_i x_ij, `[J]`, of a table `[N, J]`, row after row: no BLAS, so that the bits depend on no thread."""
    sums = np.empty(table.shape[1])
    for j in range(table.shape[1]):
        total = 0.0
        for i in range(table.shape[0]):
            total += weights[i] * table[i, j]
        sums[j] = total
    return sums
