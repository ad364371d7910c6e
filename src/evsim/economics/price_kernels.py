"""Compiled loops of the price game: margins summed over consumers, their derivative, one price varied.

A setter's row of the revenue weights A, the cost weights B and the payments F has few entries, so rows are kept sparse
(`Rows`). Sums over consumers are made in blocks in a fixed order, and no BLAS is called, so that the bits are the same
at any number of threads.
"""

import math
from typing import NamedTuple

import numpy as np

from evsim.compiled import njit
from evsim.economics.choice import BLOCK
from evsim.vectors import dot_of, exponentials, highest_of, sum_of, whole_vectors

AT_HAND = 2 * BLOCK  # types whose odds fit into a processor's own memory


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


class States(NamedTuple):
    """Consumers of one type stand one after the other: they share tastes, price sensitivity and what they pay, and differ in
    their state.

    A state adds to the utility of few products, those that the consumer's bond names: an owner's of its brand, say.
    """

    first: np.ndarray  # [G + 1]: the consumers of type g are first[g]:first[g + 1]
    bond: np.ndarray  # [N]: which bond a consumer has
    more: np.ndarray  # [N, K]: exp(what it adds, utils) − 1, by kind of product
    start: np.ndarray  # [bonds + 1]: the products of bond b are those of entries start[b]:start[b + 1]
    product: np.ndarray  # [entries]: which product an entry is about; no bond names one twice
    kind: np.ndarray  # [entries]: which column of `more` holds for it


def stateless(n_consumers: int) -> States:
    """Every consumer is a type of its own, with the utility that stands in the table."""
    none = np.empty(0, np.int64)
    bonds = np.zeros(n_consumers, np.int64), np.zeros((n_consumers, 1)), np.zeros(2, np.int64)
    return States(np.arange(n_consumers + 1), *bonds, none, none)


@njit
def fill_odds(utility, price_sensitivity, outside, states, buyer_prices, out):
    """exp(V_gj − α_g q_j − h_g) of some types, h the highest utility that is not a state's, and what their consumers make of it.

    Args:
        utility, price_sensitivity: of the types, `[G, J]` and `[G]`; outside: U_0 of all consumers, `[N]`.
        states: `first` of the types, in the numbers of all consumers; the rest of all.
        out: odds `[G, J]` and h `[G]` of the types; and of all consumers, of whom those of the types are filled in, `[N]` each:
            Σ_j exp(U_ij − h) and exp(U_i0 − h).
    """
    odds, highest, inside, staying = out
    first, bond, more, start, product, kind = states
    n_types, n_products = utility.shape
    row, scaled = np.full(whole_vectors(n_products), -np.inf), np.empty(whole_vectors(n_products))
    for g in range(n_types):
        net_utility(utility[g], price_sensitivity[g], buyer_prices, row)
        top = highest_of(row)
        for i in range(first[g], first[g + 1]):
            top = max(top, outside[i])
        highest[g], total = top, 0.0
        if top > -np.inf:
            exponentials(row, top, scaled)
            total = sum_of(scaled)
        else:
            scaled[:] = 0.0
        for j in range(n_products):
            odds[g, j] = scaled[j]
        for i in range(first[g], first[g + 1]):
            tied = 0.0
            for entry in range(start[bond[i]], start[bond[i] + 1]):
                tied += scaled[product[entry]] * more[i, kind[entry]]
            inside[i] = total + tied
            staying[i] = math.exp(outside[i] - top) if top > -np.inf else 1.0


@njit
def net_utility(utility, price_sensitivity, buyer_prices, out):
    """V_j − α q_j of one consumer, into the first J entries of `out`."""
    for j in range(utility.shape[0]):
        out[j] = utility[j] - price_sensitivity * buyer_prices[j]


@njit
def fill_probabilities(odds, per_odds, states, probabilities):
    """P_ij of every consumer from the odds of its type, into `probabilities` `[N, J]`."""
    first, bond, more, start, product, kind = states
    for g in range(odds.shape[0]):
        for i in range(first[g], first[g + 1]):
            for j in range(odds.shape[1]):
                probabilities[i, j] = odds[g, j] * per_odds[i]
            for entry in range(start[bond[i]], start[bond[i] + 1]):
                probabilities[i, product[entry]] *= 1.0 + more[i, kind[entry]]


@njit
def add_gains(states, utility):
    """Add to utilities of consumers `[N, J]` what their states add, utils."""
    for i in range(utility.shape[0]):
        for entry in range(states.start[states.bond[i]], states.start[states.bond[i] + 1]):
            utility[i, states.product[entry]] += np.log1p(states.more[i, states.kind[entry]])


@njit
def fill_expected(probabilities, rows, margins, expected):
    """What each consumer is expected to earn each setter, M_if = Σ_k P_ik m_fk, into `expected` `[N, setters + 1]`, kCNY, for
    margins given entry by entry; its last column, of products without setter, is 0."""
    n_setters = rows.start.shape[0] - 1
    start, product = rows.start, rows.product
    expected[:, n_setters] = 0.0
    for i in range(probabilities.shape[0]):
        for setter in range(n_setters):
            earned = 0.0
            for entry in range(start[setter], start[setter + 1]):
                earned += probabilities[i, product[entry]] * margins[entry]
            expected[i, setter] = earned


@njit
def demand_sums(odds, price_sensitivity, consumers, states, rows, bonded, margins):
    """What the first-order conditions need, for margins given entry by entry, summed over the consumers of some types.

        s_j = Σ_i w_i P_ij,  Λ_j = Σ_i w_i α_i P_ij,  Σ_k Γ_jk m_fk = Σ_i w_i α_i P_ij M_if,  M_if = Σ_k P_ik m_fk

    with f the setter of j (the third is 0 where nobody sets the price). P_ij is x_gj / D_i, x the odds of the type, but where the
    bond of i names j: the sums over consumers of one type are x_gj times sums of w_i / D_i and w_i M_if / D_i, and what bonds
    add (`weigh_four`). Four types i, k, m, n at a time, whose sums need not wait for each other: x, y, z, t are their odds, e to
    h what one setter earns of each.

    Args:
        odds, price_sensitivity: of the types, `[G, J]` and `[G]`.
        consumers: w and 1 / D of all consumers, `[N]` each; states: as in `fill_odds`; bonded: `entries_of_bonds`.
    Returns:
        `[3, J]`.
    """
    n_types, n_products = odds.shape
    n_setters, last = rows.start.shape[0] - 1, n_types - 1
    sums, block = np.zeros((3, n_products)), np.empty((3, n_products))
    own, start, product = products_of_setters(rows), rows.start, rows.product
    own_start, own_product = own.start, own.product
    earned, weight, sensitive = np.empty((4, n_setters)), np.empty(4), np.empty(4)
    room = weight, sensitive, np.zeros(n_setters), np.zeros(n_setters), block
    for lead in range(0, n_types, BLOCK):
        block[:] = 0.0
        for i in range(lead, min(lead + BLOCK, n_types), 4):
            k, m, n = min(i + 1, last), min(i + 2, last), min(i + 3, last)
            x, y, z, t = odds[i], odds[k], odds[m], odds[n]
            for setter in range(n_setters):
                e = f = g = h = 0.0
                for entry in range(start[setter], start[setter + 1]):
                    j, margin = product[entry], margins[entry]
                    e += x[j] * margin
                    f += y[j] * margin
                    g += z[j] * margin
                    h += t[j] * margin
                earned[0, setter], earned[1, setter], earned[2, setter], earned[3, setter] = e, f, g, h
            weigh_four(i, odds, price_sensitivity, (*consumers, margins), states, bonded, earned, room)
            add_four((weight[0], weight[1], weight[2], weight[3]), x, y, z, t, block[0])
            add_four((sensitive[0], sensitive[1], sensitive[2], sensitive[3]), x, y, z, t, block[1])
            add_own(own_start, own_product, earned, (x, y, z, t), block[2])
        sums += block
    return sums


@njit
def demand_sums_at(tastes, weights, states, buyer_prices, rows, bonded, margins):
    """`demand_sums` of some types at given prices: their odds are made for a few types at a time, and not kept.

    Args:
        tastes: V and α of the types and U_0 of all consumers, as in `fill_odds`.
        weights: w of all consumers, `[N]`; the others as in `fill_odds` and `demand_sums`.
    """
    (utility, price_sensitivity, outside), (first, bond, more, start, product, kind) = tastes, states
    n_types, n_products = utility.shape
    sums, inside, staying = np.zeros((3, n_products)), np.empty(len(outside)), np.empty(len(outside))
    odds, highest = np.empty((AT_HAND, n_products)), np.empty(AT_HAND)
    for lead in range(0, n_types, AT_HAND):
        end = min(lead + AT_HAND, n_types)
        few = States(first[lead : end + 1], bond, more, start, product, kind)
        own = odds[: end - lead], highest[: end - lead], inside, staying
        fill_odds(utility[lead:end], price_sensitivity[lead:end], outside, few, buyer_prices, own)
        for i in range(first[lead], first[end]):
            inside[i] = 1.0 / (inside[i] + staying[i])
        sums += demand_sums(own[0], price_sensitivity[lead:end], (weights, inside), few, rows, bonded, margins)
    return sums


@njit
def weigh_four(lead, odds, price_sensitivity, given, states, bonded, earned, room):
    """What the odds of four types from `lead` on weigh in `demand_sums`, and what their consumers' bonds add to the sums.

    Args:
        given: w and 1 / D of all consumers, and margins entry by entry of the setters' rows.
        earned: Σ_k x_k m_fk of each type and setter, `[4, setters]`; receives α Σ_i w_i M_if / D_i.
        room: receives Σ_i w_i / D_i and the same times α, `[4]` each; two times `[setters]`, zeros before and after; and the sums
            `[3, J]`, to which is added. Types beyond the last weigh nothing.
    """
    (weights, per_odds, margins), (weight, sensitive, more_earned, steered, sums) = given, room
    first, bond, more, start, product, kind = states
    begin, named, entry_of, setter_of, first_met, met, row_of_product = bonded
    for place in range(4):
        g = lead + place
        if g >= odds.shape[0]:
            weight[place], sensitive[place], earned[place] = 0.0, 0.0, 0.0
            continue
        total, squared, alpha = 0.0, 0.0, price_sensitivity[g]
        for i in range(first[g], first[g + 1]):
            per = per_odds[i]
            part = weights[i] * per
            total += part
            squared += part * per
            own = bond[i]
            for at in range(begin[own], begin[own + 1]):
                entry = named[at]
                tied = odds[g, product[entry]] * more[i, kind[entry]]
                more_earned[setter_of[at]] += tied * margins[entry_of[at]]
            for entry in range(start[own], start[own + 1]):
                j = product[entry]
                bought, setter = part * odds[g, j] * more[i, kind[entry]], row_of_product[j]
                sums[0, j] += bought
                sums[1, j] += alpha * bought
                if setter >= 0:
                    sums[2, j] += alpha * bought * ((earned[place, setter] + more_earned[setter]) * per)
            for at in range(first_met[own], first_met[own + 1]):
                steered[met[at]] += part * per * more_earned[met[at]]
                more_earned[met[at]] = 0.0
        weight[place], sensitive[place], scale = total, alpha * total, alpha * squared
        for setter in range(earned.shape[1]):
            earned[place, setter] *= scale
        for i in range(first[g], first[g + 1]):
            for at in range(first_met[bond[i]], first_met[bond[i] + 1]):
                earned[place, met[at]] += alpha * steered[met[at]]
                steered[met[at]] = 0.0


@njit
def entries_of_bonds(states, rows, n_products):
    """The entries of the setters' rows about products that bonds name.

    Returns:
        Where those of each bond begin, `[bonds + 1]`; and of each: which entry of the bond's it meets, itself, and its setter.
        Where the setters that a bond meets begin, `[bonds + 1]`, and who they are. The setter of each price, `[J]`.
    """
    n_bonds, n_setters = len(states.start) - 1, len(rows.start) - 1
    holds = np.zeros(n_products, np.int64)
    for j in rows.product:
        holds[j] += 1
    begin, first_met = np.zeros(n_bonds + 1, np.int64), np.zeros(n_bonds + 1, np.int64)
    for bond in range(n_bonds):
        begin[bond + 1] = begin[bond]
        for entry in range(states.start[bond], states.start[bond + 1]):
            begin[bond + 1] += holds[states.product[entry]]
    named, entry_of = np.empty(begin[n_bonds], np.int64), np.empty(begin[n_bonds], np.int64)
    setter_of, met = np.empty(begin[n_bonds], np.int64), np.empty(begin[n_bonds], np.int64)
    of_product, n_met = np.full(n_products, -1), 0
    for bond in range(n_bonds):
        place = begin[bond]
        for entry in range(states.start[bond], states.start[bond + 1]):
            of_product[states.product[entry]] = entry
        for setter in range(n_setters):
            before = place
            for entry in range(rows.start[setter], rows.start[setter + 1]):
                if of_product[rows.product[entry]] >= 0:
                    named[place], entry_of[place], setter_of[place] = of_product[rows.product[entry]], entry, setter
                    place += 1
            if place > before:
                met[n_met] = setter
                n_met += 1
        first_met[bond + 1] = n_met
        for entry in range(states.start[bond], states.start[bond + 1]):
            of_product[states.product[entry]] = -1
    return begin, named, entry_of, setter_of, first_met, met[:n_met].copy(), rows.row_of_product


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
def add_own(own_start, own_product, earned, four, total):
    """total_j += e x_j + f y_j + g z_j + h t_j for the prices of each setter, e to h being `earned` `[4, setters]`."""
    x, y, z, t = four
    for setter in range(earned.shape[1]):
        e, f, g, h = earned[0, setter], earned[1, setter], earned[2, setter], earned[3, setter]
        for entry in range(own_start[setter], own_start[setter + 1]):
            j = own_product[entry]
            total[j] += (e * x[j] + f * y[j]) + (g * z[j] + h * t[j])


@njit
def demand_sums_derivative(odds, price_sensitivity, consumers, states, rows, bonded, entries, steps):
    """The change of `demand_sums` as prices move, but for what each product's own step does through −α_i P_ij dq_j: `[3, J]`.

        dP_ij = α_i P_ij (c_i − dq_j),  c_i = Σ_l P_il dq_l
        dM_if = α_i c_i M_if + Σ_k P_ik n_fk,  n_fk = A_fk dp_k − α_i dq_k m_fk

    so that what is summed is w_i α_i P_ij times c_i, α_i c_i, and 2 α_i c_i M_if + Σ_k P_ik n_fk. What is left out is −dq_j times
    `demand_sums` of the consumers weighed by w_i α_i, whatever the direction. Letters and types as in `demand_sums`.

    Args:
        odds to bonded: as there, at the prices the derivative is taken at.
        entries: `[2, entries]`: margins m_fk, revenue weights A_fk.
        steps: `[2, J]`: dp, and dq = q' dp.
    """
    n_types, n_products = odds.shape
    n_setters, last = rows.start.shape[0] - 1, n_types - 1
    sums, block = np.zeros((3, n_products)), np.empty((3, n_products))
    own, start, product = products_of_setters(rows), rows.start, rows.product
    own_start, own_product, buyer_step, margins = own.start, own.product, steps[1], entries[0]
    more_revenue, steered = entries[1] * steps[0][product], entries[0] * steps[1][product]
    changes = margins, more_revenue, steered, buyer_step
    earned, pushed, weight, sensitive = np.empty((4, n_setters)), np.empty((4, n_setters)), np.empty(4), np.empty(4)
    room = weight, sensitive, np.zeros((3, n_setters)), block
    for lead in range(0, n_types, BLOCK):
        block[:] = 0.0
        for i in range(lead, min(lead + BLOCK, n_types), 4):
            k, m, n = min(i + 1, last), min(i + 2, last), min(i + 3, last)
            x, y, z, t = odds[i], odds[k], odds[m], odds[n]
            for setter in range(n_setters):
                e = f = g = h = p = q = r = s = 0.0
                for entry in range(start[setter], start[setter + 1]):
                    j, margin = product[entry], margins[entry]
                    more, less = more_revenue[entry], steered[entry]
                    e += x[j] * margin
                    f += y[j] * margin
                    g += z[j] * margin
                    h += t[j] * margin
                    p += x[j] * (more - price_sensitivity[i] * less)
                    q += y[j] * (more - price_sensitivity[k] * less)
                    r += z[j] * (more - price_sensitivity[m] * less)
                    s += t[j] * (more - price_sensitivity[n] * less)
                earned[0, setter], earned[1, setter], earned[2, setter], earned[3, setter] = e, f, g, h
                pushed[0, setter], pushed[1, setter], pushed[2, setter], pushed[3, setter] = p, q, r, s
            weight[0], weight[1] = dot_of(x, buyer_step), dot_of(y, buyer_step)
            weight[2], weight[3] = dot_of(z, buyer_step), dot_of(t, buyer_step)
            steer_four(i, odds, price_sensitivity, (*consumers, *changes), states, bonded, (earned, pushed), room)
            add_four((weight[0], weight[1], weight[2], weight[3]), x, y, z, t, block[0])
            add_four((sensitive[0], sensitive[1], sensitive[2], sensitive[3]), x, y, z, t, block[1])
            add_own(own_start, own_product, earned, (x, y, z, t), block[2])
        sums += block
    return sums


@njit
def steer_four(lead, odds, price_sensitivity, given, states, bonded, earned, room):
    """`weigh_four` for `demand_sums_derivative`.

    Args:
        given: w and 1 / D of all consumers; m, A dp and dq m, entry by entry of the setters' rows; dq, `[J]`.
        earned: Σ_k x_k m_fk and Σ_k x_k n_fk of each type and setter, `[4, setters]`; the first receives what the odds of each
            type weigh in the third sum.
        room: Σ_k x_k dq_k of each type, `[4]`, for which it receives what the odds weigh in the first sum; receives the same
            times α; three times `[setters]`, zeros before and after; and the sums `[3, J]`, to which is added.
    """
    weights, per_odds, margins, more_revenue, less, buyer_step = given
    (earned, pushed), (weight, sensitive, spare, sums) = earned, room
    first, bond, more, start, product, kind = states
    begin, named, entry_of, setter_of, first_met, met, row_of_product = bonded
    for place in range(4):
        g = lead + place
        if g >= odds.shape[0]:
            weight[place], sensitive[place], earned[place] = 0.0, 0.0, 0.0
            continue
        total, by_margin, by_push, alpha = 0.0, 0.0, 0.0, price_sensitivity[g]
        for i in range(first[g], first[g + 1]):
            per, mean = per_odds[i], weight[place]
            part = weights[i] * per
            own = bond[i]
            for entry in range(start[own], start[own + 1]):
                mean += odds[g, product[entry]] * more[i, kind[entry]] * buyer_step[product[entry]]
            for at in range(begin[own], begin[own + 1]):
                entry, setter, held = named[at], setter_of[at], entry_of[at]
                tied = odds[g, product[entry]] * more[i, kind[entry]]
                spare[0, setter] += tied * margins[held]
                spare[1, setter] += tied * (more_revenue[held] - alpha * less[held])
            mean *= per
            steer = 2.0 * alpha * mean
            total += part * mean
            by_margin += part * per * steer
            by_push += part * per
            for entry in range(start[own], start[own + 1]):
                j = product[entry]
                bought, setter = alpha * (part * odds[g, j] * more[i, kind[entry]]), row_of_product[j]
                sums[0, j] += bought * mean
                sums[1, j] += bought * mean * alpha
                if setter >= 0:
                    gain, push = earned[place, setter] + spare[0, setter], pushed[place, setter] + spare[1, setter]
                    sums[2, j] += bought * (per * (steer * gain + push))
            for at in range(first_met[own], first_met[own + 1]):
                setter = met[at]
                spare[2, setter] += part * per * (steer * spare[0, setter] + spare[1, setter])
                spare[0, setter], spare[1, setter] = 0.0, 0.0
        weight[place], sensitive[place] = alpha * total, alpha * alpha * total
        by_margin, by_push = alpha * by_margin, alpha * by_push
        for setter in range(earned.shape[1]):
            earned[place, setter] = by_margin * earned[place, setter] + by_push * pushed[place, setter]
        for i in range(first[g], first[g + 1]):
            for at in range(first_met[bond[i]], first_met[bond[i] + 1]):
                earned[place, met[at]] += alpha * spare[2, met[at]]
                spare[2, met[at]] = 0.0


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
