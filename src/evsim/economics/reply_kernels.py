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
def weighted_columns(weights, table, columns):
    """Σ_i w_i x_ij of some columns of a table `[N, J]`: no BLAS, so that the bits depend on no thread."""
    products, sums = table.T, np.empty(len(columns))
    for place in range(len(columns)):
        sums[place] = dot_of(weights, products[columns[place]])
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
def reply_sums(odds, total, price_sensitivity, weights, margin):
    """What the firm's first-order conditions need at its prices.

    Args:
        odds: exp U of the firm's products, `[N, L]`; total: their sum with that of everything else, `[N]`.
        margin: m of each product, `[L]`, kCNY.
    Returns:
        `[3, L]`: s_j, Λ_j = Σ_i w_i α_i P_ij, and Σ_k Γ_jk m_k = Σ_i w_i α_i P_ij Σ_k P_ik m_k.
    """
    n_consumers, n_products = odds.shape
    products, earned, per_odds, sums = odds.T, np.zeros(n_consumers), np.empty(n_consumers), np.empty((3, n_products))
    for j in range(0, n_products, 2):
        k = min(j + 1, n_products - 1)
        add_two(products[j], products[k], margin[j], margin[k] if k > j else 0.0, earned)
    for i in range(n_consumers):
        share = 1.0 / total[i]
        earned[i] *= price_sensitivity[i] * share
        per_odds[i] = weights[i] * share
    for j in range(n_products):
        sums[0, j], sums[1, j], sums[2, j] = product_sums(products[j], per_odds, price_sensitivity, earned)
    return sums


@njit
def add_two(first, second, margin, other, earned):
    """What two products' odds, `[N]` each, earn the firm joins the rest of it."""
    for i in range(earned.shape[0]):
        earned[i] = (earned[i] + first[i] * margin) + second[i] * other


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
def reply_shares(odds, total, weights):
    """s_j = Σ_i w_i exp U_ij / total_i, `[L]`: the first row of `reply_sums`, bit for bit."""
    products, per_odds, shares = odds.T, np.empty(total.shape[0]), np.empty(odds.shape[1])
    for i in range(total.shape[0]):
        per_odds[i] = weights[i] * (1.0 / total[i])
    for j in range(shares.shape[0]):
        shares[j] = dot_of(per_odds, products[j])
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
def raise_outlay(odds, price_sensitivity, rise, total):
    """Odds of one product, `[N]`, once its buyers pay so much more, exp U exp(−α Δq); they join the total.

    Args:
        price_sensitivity: α of each household, `[N / c]`: the consumers are the same households c times, one after the other.
    """
    size = price_sensitivity.shape[0]
    fall, left = np.empty(size), np.empty(size)
    for i in range(size):
        fall[i] = -rise * price_sensitivity[i]
    exponentials(fall, 0.0, left)
    for start in range(0, odds.shape[0], size):
        scale_into(odds[start : start + size], left, total[start : start + size])


@njit
def copy_scaled(odds, scale, out, total):
    """Odds times a number into `out`, `[N]`; they join the total."""
    for i in range(odds.shape[0]):
        scaled = scale * odds[i]
        out[i] = scaled
        total[i] += scaled


@njit
def add_to(odds, total):
    """Odds, `[N]`, join the total."""
    for i in range(odds.shape[0]):
        total[i] += odds[i]


@njit
def scale_into(odds, scale, total):
    """x_i times its scale, `[N]`, which joins the total."""
    for i in range(odds.shape[0]):
        scaled = odds[i] * scale[i]
        odds[i] = scaled
        total[i] += scaled


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
def replied(odds, total, consumers, margins, rule, prices, steps):
    """`best_reply` from the odds at the prices to start from: prices and shares, `[L]` each.

    Args:
        odds: exp U, `[N, L]` in Fortran's order, overwritten; what is too small for a number stays 0.
        total: their sum with that of everything else, `[N]`, overwritten.
        consumers: α of each household, as in `raise_outlay`; α, w and Σ exp U of everything else, `[N]` each.
        margins: A and c, `[L]` each; rule: as in `buyer_prices`.
    """
    (households, price_sensitivity, weights, rest), (revenue, cost), products = consumers, margins, odds.T
    outlay = buyer_prices(prices, rule)
    for _ in range(steps):
        sums = reply_sums(odds, total, price_sensitivity, weights, revenue * prices - cost)
        prices = stepped(prices, sums, margins, rule)
        before, outlay = outlay, buyer_prices(prices, rule)
        total[:] = rest
        for j in range(outlay.shape[0]):
            raise_outlay(products[j], households, outlay[j] - before[j], total)
    return prices, reply_shares(odds, total, weights)
