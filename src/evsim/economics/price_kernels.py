"""Compiled loops of the price game: margins summed over consumers, their derivative, one price varied.

A setter's row of the revenue weights A, the cost weights B and the payments F has few entries, so rows are kept sparse
(`Rows`). Sums over consumers are made in blocks in a fixed order, and no BLAS is called, so that the bits are the same
at any number of threads.
"""

import math
from typing import NamedTuple

import numpy as np

from evsim.compiled import njit
from evsim.economics.choice import BLOCK, odds_of
from evsim.vectors import dot_of, whole_vectors


class Rows(NamedTuple):
    """Where the setters' rows have entries: those of setter r are `start[r]:start[r + 1]`."""

    start: np.ndarray  # [setters + 1]
    product: np.ndarray  # [entries]: which product an entry is about
    row_of_product: np.ndarray  # [J]: the setter of each price; -1: the price is given


@njit
def offered_to_somebody(utility, weights):
    """Whether any consumer that counts may buy each product, `[J]` bool."""
    n_consumers, n_products = utility.shape
    offered, missing = np.zeros(n_products, np.bool_), n_products
    for i in range(n_consumers):
        if missing == 0:
            break
        for j in range(n_products):
            if weights[i] > 0.0 and utility[i, j] > -np.inf and not offered[j]:
                offered[j] = True
                missing -= 1
    return offered


@njit
def fill_probabilities(utility, price_sensitivity, outside, buyer_prices, probabilities, inclusive):
    """P_ij and I_i of V_ij − α_i q_j, into `probabilities` `[N, J]` and `inclusive` `[N]`."""
    n_consumers, n_products = utility.shape
    row, odds = np.full(whole_vectors(n_products), -np.inf), np.empty(whole_vectors(n_products))
    for i in range(n_consumers):
        net_utility(utility[i], price_sensitivity[i], buyer_prices, row)
        inclusive[i], scale = odds_of(row, outside[i], odds)
        for j in range(n_products):
            probabilities[i, j] = odds[j] * scale


@njit
def net_utility(utility, price_sensitivity, buyer_prices, out):
    """V_j − α q_j of one consumer, into the first J entries of `out`."""
    for j in range(utility.shape[0]):
        out[j] = utility[j] - price_sensitivity * buyer_prices[j]


@njit
def demand_sums(probabilities, weights, price_sensitivity, rows, margins, expected):
    """What the first-order conditions need, for margins given entry by entry.

    Four consumers i, k, m, n at a time, whose sums need not wait for each other: x, y, z, t are their probabilities, a to d their
    w α, e to h what one setter earns of each.

    Args:
        expected: `[N, setters + 1]`, receives M_if = Σ_k P_ik m_fk, kCNY; its last column, of products without setter, is 0.
    Returns:
        `[3, J]`: s_j = Σ_i w_i P_ij, Λ_j = Σ_i w_i α_i P_ij, and Σ_k Γ_jk m_fk = Σ_i w_i α_i P_ij M_if for j's
        setter f (0 where nobody sets the price).
    """
    n_consumers, n_products = probabilities.shape
    n_setters, last = rows.start.shape[0] - 1, n_consumers - 1
    sums, block = np.zeros((3, n_products)), np.empty((3, n_products))
    own, start, product = products_of_setters(rows), rows.start, rows.product
    own_start, own_product = own.start, own.product
    expected[:, n_setters] = 0.0
    for first in range(0, n_consumers, BLOCK):
        block[:] = 0.0
        for i in range(first, min(first + BLOCK, n_consumers), 4):
            k, m, n, weight, (a, b, c, d) = four_from(i, last, weights, price_sensitivity)
            x, y, z, t = probabilities[i], probabilities[k], probabilities[m], probabilities[n]
            add_four(weight, x, y, z, t, block[0])
            add_four((a, b, c, d), x, y, z, t, block[1])
            for setter in range(n_setters):
                e = f = g = h = 0.0
                for entry in range(start[setter], start[setter + 1]):
                    j, margin = product[entry], margins[entry]
                    e += x[j] * margin
                    f += y[j] * margin
                    g += z[j] * margin
                    h += t[j] * margin
                expected[i, setter], expected[k, setter], expected[m, setter], expected[n, setter] = e, f, g, h
                e, f, g, h = a * e, b * f, c * g, d * h
                for entry in range(own_start[setter], own_start[setter + 1]):
                    j = own_product[entry]
                    block[2, j] += (e * x[j] + f * y[j]) + (g * z[j] + h * t[j])
        sums += block
    return sums


@njit
def four_from(i, last, weights, price_sensitivity):
    """The three consumers after consumer i; w and w α of all four. Where fewer are left the last one stands in for those that are
    missing, with weight 0."""
    k, m, n = min(i + 1, last), min(i + 2, last), min(i + 3, last)
    a, b, c, d = weights[i], weights[k] * (k > i), weights[m] * (m > k), weights[n] * (n > m)
    sensitive = a * price_sensitivity[i], b * price_sensitivity[k], c * price_sensitivity[m], d * price_sensitivity[n]
    return k, m, n, (a, b, c, d), sensitive


@njit
def products_of_setters(rows):
    """Which products each setter prices: `Rows` once more, with an entry for each price that is set."""
    n_setters = rows.start.shape[0] - 1
    start = np.zeros(n_setters + 1, np.int64)
    for row in rows.row_of_product:
        if row >= 0:
            start[row + 1] += 1
    start = np.cumsum(start)
    product, place = np.empty(start[n_setters], np.int64), start.copy()
    for j in range(rows.row_of_product.shape[0]):
        row = rows.row_of_product[j]
        if row >= 0:
            product[place[row]] = j
            place[row] += 1
    return Rows(start, product, rows.row_of_product)


@njit
def add_four(scales, x, y, z, t, total):
    """total_j += a x_j + b y_j + c z_j + d t_j."""
    a, b, c, d = scales
    for j in range(total.shape[0]):
        total[j] += (a * x[j] + b * y[j]) + (c * z[j] + d * t[j])


@njit
def demand_sums_derivative(probabilities, expected, weights, price_sensitivity, rows, entries, steps):
    """The change of `demand_sums` as prices move: `[3, J]`.

        dP_ij = −α_i P_ij (dq_j − Σ_l P_il dq_l),   dM_if = Σ_k (dP_ik m_fk + P_ik A_fk dp_k)

    Four consumers at a time, with the letters of `demand_sums`; dx to dt are the changes of their probabilities.

    Args:
        probabilities, expected: at the prices the derivative is taken at.
        entries: `[2, entries]`: margins m_fk, revenue weights A_fk.
        steps: `[2, J]`: dp, and dq = q' dp.
    """
    n_consumers, n_products = probabilities.shape
    n_setters, last = rows.start.shape[0] - 1, n_consumers - 1
    sums, block = np.zeros((3, n_products)), np.empty((3, n_products))
    changes, margins, more_revenue = np.empty((4, n_products)), entries[0], entries[1] * steps[0][rows.product]
    own, start, product = products_of_setters(rows), rows.start, rows.product
    own_start, own_product, buyer_step = own.start, own.product, steps[1]
    dx, dy, dz, dt = changes[0], changes[1], changes[2], changes[3]
    for first in range(0, n_consumers, BLOCK):
        block[:] = 0.0
        for i in range(first, min(first + BLOCK, n_consumers), 4):
            k, m, n, weight, (a, b, c, d) = four_from(i, last, weights, price_sensitivity)
            x, y, z, t = probabilities[i], probabilities[k], probabilities[m], probabilities[n]
            chance_change(x, price_sensitivity[i], buyer_step, dx)
            chance_change(y, price_sensitivity[k], buyer_step, dy)
            chance_change(z, price_sensitivity[m], buyer_step, dz)
            chance_change(t, price_sensitivity[n], buyer_step, dt)
            add_four(weight, dx, dy, dz, dt, block[0])
            add_four((a, b, c, d), dx, dy, dz, dt, block[1])
            for setter in range(n_setters):
                e = f = g = h = 0.0
                for entry in range(start[setter], start[setter + 1]):
                    j, margin, more = product[entry], margins[entry], more_revenue[entry]
                    e += dx[j] * margin + x[j] * more
                    f += dy[j] * margin + y[j] * more
                    g += dz[j] * margin + z[j] * more
                    h += dt[j] * margin + t[j] * more
                e, f, g, h = a * e, b * f, c * g, d * h
                p, q, r, s = (
                    a * expected[i, setter],
                    b * expected[k, setter],
                    c * expected[m, setter],
                    d * expected[n, setter],
                )
                for entry in range(own_start[setter], own_start[setter + 1]):
                    j = own_product[entry]
                    steered = (p * dx[j] + q * dy[j]) + (r * dz[j] + s * dt[j])
                    block[2, j] += steered + ((e * x[j] + f * y[j]) + (g * z[j] + h * t[j]))
        sums += block
    return sums


@njit
def chance_change(chances, price_sensitivity, steps, out):
    """dP_j = α P_j (Σ_l P_l dq_l − dq_j) of one consumer, into `out` `[J]`."""
    mean = dot_of(chances, steps)
    for j in range(out.shape[0]):
        out[j] = price_sensitivity * (chances[j] * (mean - steps[j]))


@njit
def folded(class_sums, slopes):
    """Sums `[C, 3, J]` of all classes as those of one whose slope is that of the first, `[3, J]`.

    Args:
        slopes: dq/dp of every class, `[C, J]`: s_j is a plain sum, Λ_j and Σ_k Γ_jk m_fk weigh by q'_cj / q'_0j.
    """
    n_classes, _, n_products = class_sums.shape
    sums = np.zeros((3, n_products))
    for c in range(n_classes):
        for j in range(n_products):
            weight = slopes[c, j] / slopes[0, j]
            sums[0, j] += class_sums[c, 0, j]
            sums[1, j] += weight * class_sums[c, 1, j]
            sums[2, j] += weight * class_sums[c, 2, j]
    return sums


@njit
def asked_prices(class_sums, slopes, own_cost, own_revenue, row_of_product):
    """The price that each slope asks for, `[J, K + 1]`, kCNY: ζ = (cost + (A s / d + Σ_k Γ m) / Λ) / A.

    Args:
        slopes: dq/dp of every class between the knots, `[C, J, K + 1]`; own_cost, own_revenue: of each product's setter, `[J]`.
        row_of_product: −1 where the price is given: there it is 0, and not used.
    """
    n_products, n_segments = slopes.shape[1:]
    asked = np.zeros((n_products, n_segments))
    for k in range(n_segments):
        shares, sensitive, cross = folded(class_sums, slopes[:, :, k])
        for j in range(n_products):
            if row_of_product[j] >= 0:
                fixed = (own_cost[j] + cross[j] / sensitive[j]) / own_revenue[j]
                asked[j, k] = fixed + shares[j] / sensitive[j] / slopes[0, j, k]
    return asked


@njit
def kinked_replies(prices, row_of_product, replies, knots, notches):
    """ζ of every product under a piecewise linear buyer's price, given what each of its slopes asks for.

    The steeper q, the lower the price p(d) a slope asks for. From the price's segment walk toward p(d) of the segment
    reached: stop where p(d) lies in its own segment, or at a knot where each side points to the other (there the slope
    rises), or at a notch that p(d) would cross upward. Past a knot where the slope falls the walk goes on in the same
    direction.

    Args:
        prices: p, `[J]`; row_of_product: −1 where the price is given, and stays.
        replies: p(d) of each segment, `[J, K + 1]`, kCNY, the demand sums taken at `prices`.
        knots, notches: of `BuyerPriceByClass`, `[J, K]`.
    Returns:
        ζ, `[J]`; the segment whose slope it has, `[J]`; whether the price is held at a knot, or given, `[J]`.
    """
    n_knots = knots.shape[1]
    target, segments, held = prices.copy(), np.zeros(prices.shape[0], np.int64), np.zeros(prices.shape[0], np.bool_)
    for j in range(prices.shape[0]):
        segment = 0
        while segment < n_knots and prices[j] > knots[j, segment]:
            segment += 1
        held[j] = row_of_product[j] < 0
        while not held[j]:
            target[j] = replies[j, segment]
            if segment < n_knots and target[j] > knots[j, segment]:
                if notches[j, segment]:
                    target[j], held[j] = knots[j, segment], True
                else:
                    segment += 1
            elif segment > 0 and target[j] < knots[j, segment - 1]:
                segment -= 1
                if replies[j, segment] > knots[j, segment]:  # from below it would come back up: it rests here
                    target[j], held[j] = knots[j, segment], True
            else:
                break
        segments[j] = segment
    return target, segments, held


@njit
def gains_along_price(own, rest, others, weights, margins_now_then, moves):
    """Profit gained by one setter as one of its prices moves, all others held, `[G]`, kCNY per potential buyer.

    With a_i = P_ij exp(−α_i Δq), the odds of the product against everything else (which P_i,−j sums), profit is
    Σ_i w_i (a_i m_j + R_i) / (a_i + P_i,−j), where R_i = Σ_k≠j P_ik m_fk.

    Args:
        own: `[2, N]`: log P_ij, α_i.
        rest: P_i,−j, `[N]`: 1 − P_ij, summed over the other products and the outside good.
        others: R_i, `[N]`.
        weights: w, `[N]`.
        margins_now_then: `[1 + G]`: the margin at the price now, then at each price tried.
        moves: Δq, `[G]`: how much more the buyer pays.
    """
    gains = np.zeros(moves.shape[0])
    for first in range(0, weights.shape[0], BLOCK):
        block = np.zeros(moves.shape[0])
        for i in range(first, min(first + BLOCK, weights.shape[0])):
            now = math.exp(own[0, i]) * margins_now_then[0] + others[i]
            for g in range(moves.shape[0]):
                log_odds = own[0, i] - own[1, i] * moves[g]
                if log_odds > 700.0:
                    then = margins_now_then[1 + g]
                else:
                    odds = math.exp(log_odds)
                    total = odds + rest[i]
                    then = (odds * margins_now_then[1 + g] + others[i]) / total if total > 0.0 else now
                block[g] += weights[i] * (then - now)
        gains += block
    return gains
