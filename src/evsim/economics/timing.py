"""When consumers shop: holding time, pauses, season, and the stationary law of all that.

A household holds its car for a Weibull time of mean H, then shops. At a visit with d months overdue it keeps the car with
probability k(d) = 1 / (1 + exp(I + ρ d)), I the inclusive value of the market over keeping at d = 0, else buys and starts
anew. After keeping it shops again each month with hazard h = 1/pause, so each cycle ends with exactly one purchase. Over a
cycle a household visits v = Σ_d visits(d) times and waits W = v-dependent months (`shopping_spell`).

Decided 2026-11: the stationary law is that of *cycles*. A due row may pass to a fresh household, so households in successive
cycles follow the population's law of tastes, whatever their chance to keep: sales are the plain mean over households of
P_ij / Σ_k P_ik, a household counts v times among shoppers, and rows at a point in time are households weighted by H + W.
Relative to rows this is a weight of v/(H + W) = 1/((1 − k) H + k pause) for ρ = 0. Refused: drawing newcomers from the law of
rows with weights 1/((1 − k) H + k pause) inside the inversion, which is stationary only if nobody is ever replaced.

An announced change of policy moves shopping trips. With v(t) the inclusive value of the market in month t, as far ahead as
households look, and c what a month sooner or later costs, a household due in month d shops in the month

    argmax_t v(t) − c |t − d|

so that a loss to come pulls a trip to the last month before it, a gain delays it to the first month after, and where v is
the same in all months nothing moves. The plan made in one month is the plan of the next, as long as v is what was announced.
With c exponential between households the chance of each month has a closed form (`month_chances`). Without a horizon trips
would come from ever farther away: those n months off move with a chance of about loss / (n mean cost).
"""

import numpy as np
from scipy import special

from ..compiled import njit
from ..vectors import highest_of

LONGEST_WAIT = 600  # months overdue after which the chance to buy is taken as constant


@njit
def buy_probability(inclusive_value, overdue, overdue_cost):
    """Chance that a shopper buys, 1 − k(d) = 1 / (1 + exp(−I − ρ d))."""
    return 1.0 / (1.0 + np.exp(-inclusive_value - overdue_cost * overdue))


@njit
def shopping_spell(inclusive_value, overdue_cost, pause):
    """Expected visits and months waiting of one cycle, after a car falls due.

        alive(1) = k(0);  alive(d + 1) = alive(d) (1 − h (1 − k(d)));  h = 1/pause
        visits = 1 + h Σ_d alive(d);   waiting = Σ_d alive(d)

    Args:
        inclusive_value: I, utils, of the market over keeping the car when it falls due.
        overdue_cost: ρ, utils a month, not negative.
        pause: mean months between visits, at least 1.
    Returns:
        (visits, waiting): expected number, expected months. With ρ = 0: 1/(1 − k) and pause k/(1 − k).
    """
    visits, waiting = np.empty(1), np.empty(1)
    fill_spells(np.full(1, inclusive_value), overdue_cost, pause, visits, waiting)
    return visits[0], waiting[0]


@njit
def fill_spells(inclusive_values, overdue_cost, pause, visits, waiting):
    """`shopping_spell` of many households, into `visits` and `waiting` `[n]`: a month of all of them after the other, for
    what is done alike to many can be done to several at once."""
    hazard, later = 1.0 / pause, np.exp(-overdue_cost)
    keeps, alive = np.empty(len(visits)), np.empty(len(visits))
    for i in range(len(visits)):
        keeps[i] = np.exp(-inclusive_values[i])  # odds of keeping the car, k / (1 − k)
        alive[i] = 1.0 - 1.0 / (1.0 + keeps[i])
        waiting[i] = 0.0
    if overdue_cost > 0.0:
        for overdue in range(1, LONGEST_WAIT):
            for i in range(len(visits)):
                waiting[i] += alive[i]
                keeps[i] *= later
                alive[i] *= 1.0 - hazard / (1.0 + keeps[i])
            if overdue % 16 == 0 and highest_of(alive) < 1e-16:
                break
    for i in range(len(visits)):
        at_last = buy_probability(inclusive_values[i], float(LONGEST_WAIT), overdue_cost)
        waiting[i] += alive[i] / (hazard * at_last)
        visits[i] = 1.0 + hazard * waiting[i]


def shopping_spells(inclusive_values, overdue_cost, pause):
    """`shopping_spell` of many households: (visits `[n]`, waiting months `[n]`)."""
    inclusive_values = np.ascontiguousarray(inclusive_values, dtype=float)
    visits, waiting = np.empty(len(inclusive_values)), np.empty(len(inclusive_values))
    fill_spells(inclusive_values, overdue_cost, pause, visits, waiting)
    return visits, waiting


@njit
def overdue_quantile(probability, inclusive_value, overdue_cost, pause):
    """Months overdue of a waiting household, by inversion of its stationary law alive(d)/W, d = 1, 2, …"""
    hazard = 1.0 / pause
    target = probability * shopping_spell(inclusive_value, overdue_cost, pause)[1]
    alive = 1.0 - buy_probability(inclusive_value, 0.0, overdue_cost)
    waited = 0.0
    for overdue in range(1, LONGEST_WAIT):
        waited += alive
        if waited >= target:
            return overdue
        alive *= 1.0 - hazard * buy_probability(inclusive_value, overdue, overdue_cost)
    return LONGEST_WAIT


@njit
def overdue_quantiles(probabilities, inclusive_values, overdue_cost, pause):
    """`overdue_quantile` of many households, `[n]`, whole months."""
    months = np.empty(len(probabilities), dtype=np.int64)
    for i in range(len(probabilities)):
        months[i] = overdue_quantile(probabilities[i], inclusive_values[i], overdue_cost, pause)
    return months


def weibull_scale(mean, shape):
    """Scale of a Weibull law with a given mean: mean / Γ(1 + 1/shape)."""
    return mean / special.gamma(1.0 + 1.0 / shape)


@njit
def weibull_quantile(probability, scale, shape):
    """Holding time at a probability: scale (−ln(1 − u))^(1/shape)."""
    return scale * (-np.log1p(-probability)) ** (1.0 / shape)


def length_biased_quantile(probability, scale, shape):
    """Whole holding time of a car met at a random moment, density t f(t) / mean.

    (T/scale)^shape follows a Gamma(1 + 1/shape) law.
    """
    return scale * special.gammaincinv(1.0 + 1.0 / shape, probability) ** (1.0 / shape)


@njit
def geometric_quantile(probability, pause):
    """Months until the next visit, 1, 2, …, with mean `pause`: ceil(ln(1 − u) / ln(1 − 1/pause))."""
    if pause <= 1.0:
        return 1.0
    return max(1.0, np.ceil(np.log1p(-probability) / np.log1p(-1.0 / pause)))


@njit
def geometric_quantiles(probabilities, pause):
    """`geometric_quantile` of many visits, `[n]`."""
    months = np.empty(len(probabilities))
    for i in range(len(probabilities)):
        months[i] = geometric_quantile(probabilities[i], pause)
    return months


@njit
def exponential_quantile(probability, mean):
    """−mean ln(1 − u): a household's cost of shopping a month sooner or later, utils, from its draw."""
    return -mean * np.log1p(-probability)


@njit
def shift_worth(value_there, value_due, months, cost):
    """What it is worth to shop `months` sooner or later than due, utils: v(t) − v(d) − c |t − d|. Who moves has it positive."""
    return value_there - value_due - cost * months


@njit
def shift_chance(value_there, value_due, months, mean_cost):
    """Chance that a household moves its trip by `months`, its cost a month being exponential.

    P(v(t) − v(d) > c n) = 1 − exp(−(v(t) − v(d)) / (n c̄)), 0 where there is nothing to gain
    """
    gain = value_there - value_due
    return -np.expm1(-gain / (months * mean_cost)) if gain > 0.0 else 0.0


@njit
def best_month(values, due, cost):
    """The month in which a household shops: argmax_t v(t) − c |t − d|; among equals the nearest to d, then the sooner.

    Args:
        values: v, `[H + 1]`, utils: inclusive values of this month and of the H months that households look ahead.
        due: d, months from now, not negative; beyond H: nothing moves.
        cost: c, utils a month, not negative.
    Returns:
        t, months from now.
    """
    n_months = values.shape[0]
    best, worth = due, 0.0
    if due >= n_months:
        return best
    for distance in range(1, n_months):
        for month in (due - distance, due + distance):
            if 0 <= month < n_months:
                moved = shift_worth(values[month], values[due], distance, cost)
                if moved > worth:
                    best, worth = month, moved
    return best


@njit
def _fill_best_months(values, due, cost, best):
    for i in range(len(due)):
        best[i] = best_month(values[i], due[i], cost[i])


def best_months(values, due, cost):
    """`best_month` of many households, `[n]`: values `[n, H + 1]` or alike for all `[H + 1]`, due `[n]`, cost `[n]`."""
    due, cost = np.ascontiguousarray(due, dtype=np.int64), np.ascontiguousarray(cost, dtype=float)
    values = np.asarray(values, dtype=float)
    values = np.ascontiguousarray(np.broadcast_to(values, (len(due), values.shape[-1])))
    best = np.empty(len(due), dtype=np.int64)
    _fill_best_months(values, due, cost, best)
    return best


@njit
def month_chances(values, due, mean_cost, out):
    """Chance of each month to be the one a household shops in, its cost a month being exponential.

    As a function of c the best of v(t) − c |t − d| is the upper envelope of lines. It is followed from c = ∞, where the
    trip is made when due, down to c = 0; a line that is best between two costs has the chance that c lies there.

    Args:
        values: v, `[H + 1]`, utils.
        due: d, from 0 to H.
        mean_cost: c̄, utils a month, positive.
        out: `[H + 1]`, overwritten; its sum is 1.
    """
    n_months = values.shape[0]
    out[:] = 0.0
    best, below_upper = due, 1.0  # chance that c lies below the cost from which `best` is best
    while True:
        following, switch = -1, 0.0
        for month in range(n_months):
            farther = abs(month - due) - abs(best - due)
            if farther > 0 and (values[month] - values[best]) / farther > switch:
                following, switch = month, (values[month] - values[best]) / farther
        below_switch = -np.expm1(-switch / mean_cost)
        out[best] += below_upper - below_switch
        if following < 0:
            break
        best, below_upper = following, below_switch


def shopping_profile(values, due_flow, mean_cost):
    """Expected trips in each month, `[H + 1]`, when policy is announced to change; their sum is that of the trips due.

    Args:
        values: v, `[H + 1]`, utils: alike for all households.
        due_flow: trips due in each month, `[H + 1]`.
        mean_cost: c̄, utils a month, positive.
    Returns:
        Trips made, `[H + 1]`, the same unit as `due_flow`; bit for bit `due_flow` where v is the same in all months.
    Raises:
        ValueError: a mean cost that is not positive, or arrays that are not alike.
    """
    values, due_flow = np.ascontiguousarray(values, dtype=float), np.asarray(due_flow, dtype=float)
    if not mean_cost > 0:
        raise ValueError(f"mean_cost={mean_cost} must be positive: at no cost all trips move to the best month")
    if values.ndim != 1 or due_flow.shape != values.shape:
        raise ValueError(f"values and due_flow must be alike and [H + 1], not {values.shape} and {due_flow.shape}")
    trips, chances = np.zeros(len(values)), np.empty(len(values))
    for due, flow in enumerate(due_flow):
        month_chances(values, due, mean_cost, chances)
        trips += flow * chances
    return trips


def expiry_profile(loss, horizon, mean_cost):
    """Trips around a change of policy, `[2 · horizon]`, for a steady flow of one a month: the surge and the cliff.

        last month before    1 + Σ_n π_n       n-th month after    1 − π_n       π_n = 1 − exp(−loss / (n c̄)), n ≤ horizon

    and the mirror image for a gain (a loss below zero). The first `horizon` entries are the months before the change.

    Args:
        loss: fall of the inclusive value, utils.
        horizon: by how many months trips move at most.
        mean_cost: c̄, utils a month, positive.
    Raises:
        ValueError: a mean cost or a horizon that is not positive.
    """
    if not (mean_cost > 0 and horizon >= 1):
        raise ValueError(f"mean_cost={mean_cost} must be positive and horizon={horizon} at least one month")
    months = np.arange(1, horizon + 1)
    moved = np.array([shift_chance(abs(loss), 0.0, month, mean_cost) for month in months])
    gains, loses = np.ones(horizon), 1.0 - moved
    gains[0] += moved.sum()
    return np.concatenate([gains[::-1], loses] if loss > 0 else [loses[::-1], gains])


def seasonal_clock(factors, first_month, n_months):
    """Shopping time at the start of each month, so that a season shifts due months and nothing else.

        C(0) = 0, C(t + 1) = C(t) + factor(month of t)

    Args:
        factors: `[12]`, January first, mean 1.
        first_month: 0 for January, of t = 0.
        n_months: how many months the clock covers.
    Returns:
        `[n_months + 1]`, non-decreasing; a car due x shopping months from t = 0 is due in the month t with C(t) ≤ x < C(t + 1).
    """
    factors = np.asarray(factors, dtype=float)
    if factors.shape != (12,) or not (factors > 0).all():
        raise ValueError("factors must be twelve positive numbers, January first")
    factors = factors * (12.0 / factors.sum())
    months = (first_month + np.arange(n_months)) % 12
    return np.concatenate([[0.0], np.cumsum(factors[months])])
