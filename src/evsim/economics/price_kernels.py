"""Compiled loops of the price game: margins summed over consumers, their derivative, one price varied.

A setter's row of the revenue weights A, the cost weights B and the payments F has few entries, so rows are kept sparse
(`Rows`). Sums over consumers are made in blocks in a fixed order, and no BLAS is called, so that the bits are the same
at any number of threads.
"""

import math
from typing import NamedTuple

import numpy as np

from evsim.compiled import njit
from evsim.economics.choice import BLOCK, logit


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
    row = np.empty(n_products)
    for i in range(n_consumers):
        for j in range(n_products):
            row[j] = utility[i, j] - price_sensitivity[i] * buyer_prices[j]
        inclusive[i] = logit(row, outside[i], probabilities[i])


@njit
def demand_sums(probabilities, weights, price_sensitivity, rows, margins, expected):
    """What the first-order conditions need, for margins given entry by entry.

    Args:
        expected: `[N, setters + 1]`, receives M_if = Σ_k P_ik m_fk, kCNY; its last column, of products without setter, is 0.
    Returns:
        `[3, J]`: s_j = Σ_i w_i P_ij, Λ_j = Σ_i w_i α_i P_ij, and Σ_k Γ_jk m_fk = Σ_i w_i α_i P_ij M_if for j's
        setter f (0 where nobody sets the price).
    """
    n_consumers, n_products = probabilities.shape
    sums, block, steered = np.zeros((3, n_products)), np.empty((3, n_products)), np.empty(n_products)
    expected_margins(probabilities, rows, margins, expected)
    for first in range(0, n_consumers, BLOCK):
        block[:] = 0.0
        for i in range(first, min(first + BLOCK, n_consumers)):
            for j in range(n_products):
                steered[j] = probabilities[i, j] * expected[i, rows.row_of_product[j]]
            sensitive = weights[i] * price_sensitivity[i]
            add_scaled(block[0], weights[i], probabilities[i])
            add_scaled(block[1], sensitive, probabilities[i])
            add_scaled(block[2], sensitive, steered)
        sums += block
    return sums


@njit
def expected_margins(probabilities, rows, margins, expected):
    """M_if = Σ_k P_ik m_fk into `expected`, as in `demand_sums`: four consumers at a time, whose sums need not wait for each
    other."""
    n_consumers, n_rows = probabilities.shape[0], rows.start.shape[0] - 1
    whole = n_consumers - n_consumers % 4
    expected[:, n_rows] = 0.0
    for i in range(0, whole, 4):
        for row in range(n_rows):
            a = b = c = d = 0.0
            for entry in range(rows.start[row], rows.start[row + 1]):
                k, margin = rows.product[entry], margins[entry]
                a += probabilities[i, k] * margin
                b += probabilities[i + 1, k] * margin
                c += probabilities[i + 2, k] * margin
                d += probabilities[i + 3, k] * margin
            expected[i, row], expected[i + 1, row], expected[i + 2, row], expected[i + 3, row] = a, b, c, d
    for i in range(whole, n_consumers):
        for row in range(n_rows):
            total = 0.0
            for entry in range(rows.start[row], rows.start[row + 1]):
                total += probabilities[i, rows.product[entry]] * margins[entry]
            expected[i, row] = total


@njit
def add_scaled(total, scale, row):
    """total_j += scale x_j."""
    for j in range(total.shape[0]):
        total[j] += scale * row[j]


@njit
def demand_sums_derivative(probabilities, expected, weights, price_sensitivity, rows, entries, steps):
    """The change of `demand_sums` as prices move: `[3, J]`.

        dP_ij = −α_i P_ij (dq_j − Σ_l P_il dq_l),   dM_if = Σ_k (dP_ik m_fk + P_ik A_fk dp_k)

    Args:
        probabilities, expected: at the prices the derivative is taken at.
        entries: `[2, entries]`: margins m_fk, revenue weights A_fk.
        steps: `[2, J]`: dp, and dq = q' dp.
    """
    n_consumers, n_products = probabilities.shape
    sums, block = np.zeros((3, n_products)), np.empty((3, n_products))
    change, d_expected = np.empty(n_products), np.zeros(rows.start.shape[0])
    for first in range(0, n_consumers, BLOCK):
        block[:] = 0.0
        for i in range(first, min(first + BLOCK, n_consumers)):
            mean = 0.0
            for j in range(n_products):
                mean += probabilities[i, j] * steps[1, j]
            for j in range(n_products):
                change[j] = price_sensitivity[i] * probabilities[i, j] * (mean - steps[1, j])
            for row in range(rows.start.shape[0] - 1):
                total = 0.0
                for entry in range(rows.start[row], rows.start[row + 1]):
                    k = rows.product[entry]
                    total += change[k] * entries[0, entry] + probabilities[i, k] * entries[1, entry] * steps[0, k]
                d_expected[row] = total
            sensitive = weights[i] * price_sensitivity[i]
            for j in range(n_products):
                row = rows.row_of_product[j]
                block[0, j] += weights[i] * change[j]
                block[1, j] += sensitive * change[j]
                block[2, j] += sensitive * (change[j] * expected[i, row] + probabilities[i, j] * d_expected[row])
        sums += block
    return sums


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
