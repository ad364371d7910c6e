"""Compiled loops over consumers behind one firm's best reply (`best_reply`) and the shares of a forecast.

Tables `[N, L]` are read product by product. Exponentials are numpy's, which takes several at once: in compiled loops, one after
another, they were three quarters of a reply.
"""

import numpy as np

from evsim.compiled import njit
from evsim.economics.price_kernels import kinked_replies
from evsim.economics.price_rule import buyer_prices

FAINT = 1e-290  # a Λ below this has lost its digits: nobody buys, and the price stays


@njit
def weighted_columns(weights, table):
    """Σ_i w_i x_ij, `[J]`, of a table `[N, J]`, row after row: no BLAS, so that the bits depend on no thread."""
    n_rows, n_columns = table.shape
    sums = np.empty(n_columns)
    first = 0
    while first < n_columns:  # four sums at a time: they do not wait for each other
        last = n_columns - 1
        a, b, c, d = first, min(first + 1, last), min(first + 2, last), min(first + 3, last)
        of_a, of_b, of_c, of_d = 0.0, 0.0, 0.0, 0.0
        for i in range(n_rows):
            of_a += weights[i] * table[i, a]
            of_b += weights[i] * table[i, b]
            of_c += weights[i] * table[i, c]
            of_d += weights[i] * table[i, d]
        sums[a], sums[b], sums[c], sums[d] = of_a, of_b, of_c, of_d
        first += 4
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
def reply_shares(odds, weights, rest):
    """s_j = Σ_i w_i exp U_ij / (rest_i + Σ_k exp U_ik), `[L]`: the first row of `reply_sums`, bit for bit."""
    n_consumers, n_products = odds.shape
    total = rest.copy()
    for j in range(n_products):
        for i in range(n_consumers):
            total[i] += odds[i, j]
    for i in range(n_consumers):
        total[i] = weights[i] / total[i]
    return weighted_columns(total, odds)


@njit
def write_net_utility(utility, price_sensitivity, outlay, net):
    """U_ij = V_ij − α_i q_j into a table `[N, L]`, q the buyer's prices `[L]`, kCNY."""
    for j in range(outlay.shape[0]):
        for i in range(utility.shape[0]):
            net[i, j] = utility[i, j] - outlay[j] * price_sensitivity[i]


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
def next_prices(utility, odds, price_sensitivity, weights, rest, margins, rule, prices):
    """Prices after one step of ζ, `[L]`; the odds at the old ones, `[N, L]`, give way to U at the new ones."""
    revenue, cost = margins
    sums = reply_sums(odds, price_sensitivity, weights, rest, revenue * prices - cost)
    found = stepped(prices, sums, margins, rule)
    write_net_utility(utility, price_sensitivity, buyer_prices(found, rule), odds)
    return found
