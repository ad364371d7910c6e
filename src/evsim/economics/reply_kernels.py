"""Compiled loops over consumers behind one firm's best reply (`best_reply`) and the shares of a forecast.

Tables `[N, L]` are read product by product: in Fortran's order each product is a row of consumers.
"""

import numpy as np

from evsim.compiled import njit
from evsim.economics.price_kernels import kinked_replies
from evsim.economics.price_rule import buyer_prices
from evsim.vectors import dot_of, exponentials

FAINT = 1e-290  # a Λ below this has lost its digits: nobody buys, and the price stays


@njit
def weighted_columns(weights, table):
    """Σ_i w_i x_ij, `[J]`, of a table `[N, J]`: no BLAS, so that the bits depend on no thread."""
    columns, sums = table.T, np.empty(table.shape[1])
    for j in range(table.shape[1]):
        sums[j] = dot_of(weights, columns[j])
    return sums


@njit
def summed_columns(table, columns):
    """Σ_j x_ij over some columns of a table `[N, J]`, one after another, `[N]`."""
    total = np.zeros(table.shape[0])
    for column in columns:
        for i in range(table.shape[0]):
            total[i] += table[i, column]
    return total


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
    products, total, earned = odds.T, rest.copy(), np.zeros(n_consumers)
    for j in range(n_products):
        add_product(products[j], margin[j], total, earned)
    for i in range(n_consumers):
        earned[i] *= price_sensitivity[i] / total[i]
        total[i] = weights[i] / total[i]
    sums = np.empty((3, n_products))
    for j in range(n_products):
        sums[0, j], sums[1, j], sums[2, j] = product_sums(products[j], total, price_sensitivity, earned)
    return sums


@njit
def add_product(odds, margin, total, earned):
    """One product's odds, `[N]`, join the total of all, and what they earn the firm."""
    for i in range(odds.shape[0]):
        total[i] += odds[i]
        earned[i] += odds[i] * margin


@njit
def product_sums(odds, per_odds, price_sensitivity, earned):
    """Σ_i b_i, Σ_i α_i b_i and Σ_i e_i b_i of one product, b its odds times `per_odds`: in four parts each, as in `vectors`."""
    s0 = s1 = s2 = s3 = l0 = l1 = l2 = l3 = g0 = g1 = g2 = g3 = 0.0
    whole = odds.shape[0] - odds.shape[0] % 4
    for i in range(0, whole, 4):
        a, b, c, d = (
            per_odds[i] * odds[i],
            per_odds[i + 1] * odds[i + 1],
            per_odds[i + 2] * odds[i + 2],
            per_odds[i + 3] * odds[i + 3],
        )
        s0, s1, s2, s3 = s0 + a, s1 + b, s2 + c, s3 + d
        l0, l1 = l0 + a * price_sensitivity[i], l1 + b * price_sensitivity[i + 1]
        l2, l3 = l2 + c * price_sensitivity[i + 2], l3 + d * price_sensitivity[i + 3]
        g0, g1, g2, g3 = g0 + a * earned[i], g1 + b * earned[i + 1], g2 + c * earned[i + 2], g3 + d * earned[i + 3]
    for i in range(whole, odds.shape[0]):
        a = per_odds[i] * odds[i]
        s0, l0, g0 = s0 + a, l0 + a * price_sensitivity[i], g0 + a * earned[i]
    return (s0 + s1) + (s2 + s3), (l0 + l1) + (l2 + l3), (g0 + g1) + (g2 + g3)


@njit
def reply_shares(odds, weights, rest):
    """s_j = Σ_i w_i exp U_ij / (rest_i + Σ_k exp U_ik), `[L]`: the first row of `reply_sums`, bit for bit."""
    n_consumers, n_products = odds.shape
    products, total = odds.T, rest.copy()
    for j in range(n_products):
        for i in range(n_consumers):
            total[i] += products[j, i]
    for i in range(n_consumers):
        total[i] = weights[i] / total[i]
    shares = np.empty(n_products)
    for j in range(n_products):
        shares[j] = dot_of(total, products[j])
    return shares


@njit
def write_odds(utility, price_sensitivity, outlay, odds):
    """exp(V_ij − α_i q_j) into a table `[N, L]`, q the buyer's prices `[L]`, kCNY."""
    net, values, products = np.empty(utility.shape[0]), utility.T, odds.T
    for j in range(outlay.shape[0]):
        for i in range(net.shape[0]):
            net[i] = values[j, i] - outlay[j] * price_sensitivity[i]
        exponentials(net, 0.0, products[j])


@njit
def stepped(prices, sums, margins, rule):
    """Prices after one step of ζ, `[L]`, the `reply_sums` taken at `prices`; margins: A, c; rule: as in `buyer_prices`."""
    revenue, cost = margins
    knots, slopes, _, jumps = rule
    setter, asked = np.zeros(prices.shape[0], dtype=np.int64), np.empty(slopes.shape)
    for j in range(prices.shape[0]):
        setter[j] = 0 if sums[1, j] > FAINT else -1
        for k in range(slopes.shape[1]):
            free = (revenue[j] * sums[0, j] / slopes[j, k] + sums[2, j]) / max(sums[1, j], FAINT)
            asked[j, k] = (cost[j] + free) / revenue[j]
    return kinked_replies(prices, setter, asked, knots, jumps > 0.0)[0]


@njit
def replied(tables, consumers, margins, rule, prices, steps):
    """`best_reply` of plain arrays: prices and shares, `[L]` each.

    Args:
        tables: V, `[N, L]` in Fortran's order, and room for as many; consumers: α, w and Σ exp U of everything else, `[N]` each.
        margins: A and c, `[L]` each; rule: as in `buyer_prices`.
    """
    (utility, odds), (price_sensitivity, weights, rest), (revenue, cost) = tables, consumers, margins
    write_odds(utility, price_sensitivity, buyer_prices(prices, rule), odds)
    for _ in range(steps):
        sums = reply_sums(odds, price_sensitivity, weights, rest, revenue * prices - cost)
        prices = stepped(prices, sums, margins, rule)
        write_odds(utility, price_sensitivity, buyer_prices(prices, rule), odds)
    return prices, reply_shares(odds, weights, rest)
