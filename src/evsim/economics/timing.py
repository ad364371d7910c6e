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
"""

import numpy as np
from scipy import special

from ..compiled import njit

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
    hazard = 1.0 / pause
    alive = 1.0 - buy_probability(inclusive_value, 0.0, overdue_cost)
    waiting = 0.0
    if overdue_cost > 0.0:
        for overdue in range(1, LONGEST_WAIT):
            waiting += alive
            alive *= 1.0 - hazard * buy_probability(inclusive_value, overdue, overdue_cost)
            if alive < 1e-16:
                return 1.0 + hazard * waiting, waiting
        inclusive_value += overdue_cost * LONGEST_WAIT
    waiting += alive / (hazard * buy_probability(inclusive_value, 0.0, 0.0))
    return 1.0 + hazard * waiting, waiting


@njit
def _fill_spells(inclusive_values, overdue_cost, pause, visits, waiting):
    for i in range(len(inclusive_values)):
        visits[i], waiting[i] = shopping_spell(inclusive_values[i], overdue_cost, pause)


def shopping_spells(inclusive_values, overdue_cost, pause):
    """`shopping_spell` of many households: (visits `[n]`, waiting months `[n]`)."""
    inclusive_values = np.ascontiguousarray(inclusive_values, dtype=float)
    visits, waiting = np.empty(len(inclusive_values)), np.empty(len(inclusive_values))
    _fill_spells(inclusive_values, overdue_cost, pause, visits, waiting)
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
