"""Choice among products and an outside good: the logit, its shares and its surplus.

`logit` and `pick` are row functions, compiled: kernels over consumers call them, so that the formula exists once. The
array functions below loop them over rows. A utility of −inf means that the product is not on offer to that consumer.
"""

import math

import numpy as np

from evsim.compiled import njit
from evsim.vectors import exponentials, highest_of, sum_of

BLOCK = 64  # consumers whose contributions are added up before they join the total: fixed order, small rounding error


@njit
def logit(utility, outside, out):
    """Choice probabilities of one consumer, and the value of the choice set.

        P_j = exp(U_j − I),  I = log(exp U_0 + Σ_j exp U_j)

    Args:
        utility: U, `[J]`, utils; −inf: not on offer.
        outside: U_0, utils; −inf: no outside good.
        out: `[J]`, receives P; it may be `utility` itself, which takes longer.
    Returns:
        Inclusive value I, utils; safe for utilities of any size.
    """
    inclusive, scale = odds_of(utility, outside, out)
    for j in range(utility.shape[0]):
        out[j] *= scale
    return inclusive


@njit
def odds_of(utility, outside, out):
    """`logit` short of its last step: odds exp(U_j − h) into `out` `[J]`, h the highest utility.

    Returns:
        Inclusive value I, utils, and what the odds are multiplied by to be probabilities.
    """
    highest = max(outside, highest_of(utility))
    if highest == -np.inf:
        out[:] = 0.0
        return highest, 1.0
    exponentials(utility, highest, out)
    total = math.exp(outside - highest) + sum_of(out)
    return highest + math.log(total), 1.0 / total


@njit
def pick(utility, outside, shocks, outside_shock):
    """The product with the highest utility plus shock, or −1 for the outside good (also when tied with it)."""
    chosen = -1
    highest = outside + outside_shock
    for j in range(utility.shape[0]):
        value = utility[j] + shocks[j]
        if value > highest:
            highest = value
            chosen = j
    return chosen


@njit
def logit_rows(utility, outside, probabilities, inclusive):
    """`logit` for every row: fills `probabilities` `[N, J]` and `inclusive` `[N]`."""
    for i in range(utility.shape[0]):
        inclusive[i] = logit(utility[i], outside[i], probabilities[i])


@njit
def weighted_total(probabilities, weights):
    """Σ_i w_i P_ij, `[J]`, block by block in a fixed order."""
    n_consumers, n_products = probabilities.shape
    total = np.zeros(n_products)
    block = np.empty(n_products)
    for first in range(0, n_consumers, BLOCK):
        block[:] = 0.0
        for i in range(first, min(first + BLOCK, n_consumers)):
            for j in range(n_products):
                block[j] += weights[i] * probabilities[i, j]
        for j in range(n_products):
            total[j] += block[j]
    return total


def choice_probabilities(utility, outside_utility=0.0):
    """Probability that each consumer buys each product: the multinomial logit.

        P_ij = exp U_ij / (exp U_i0 + Σ_k exp U_ik)

    Args:
        utility: U, `[N, J]`, utils; −inf: not on offer.
        outside_utility: U_0, scalar or `[N]`, utils.
    Returns:
        P, `[N, J]`.
    Raises:
        ValueError: utility is not `[N, J]`, or is NaN or +inf somewhere.
    Source:
        Train (2009), Discrete Choice Methods with Simulation, section 3.1.
    """
    return _probabilities_and_value(utility, outside_utility)[0]


def inclusive_value(utility, outside_utility=0.0):
    """Expected utility of the best choice, `[N]`, utils: log(exp U_i0 + Σ_j exp U_ij), safe for large utilities."""
    return _probabilities_and_value(utility, outside_utility)[1]


def shares(utility, weights=None, outside_utility=0.0):
    """Expected shares of the potential market.

        s_j = Σ_i w_i P_ij,  Σ_i w_i = 1

    Args:
        utility: U, `[N, J]`, utils.
        weights: w, `[N]`, not negative, any scale; None: all alike.
        outside_utility: U_0, scalar or `[N]`, utils.
    Returns:
        s, `[J]`.
    Raises:
        ValueError: a negative weight, or weights that sum to zero.
    """
    probabilities, _ = _probabilities_and_value(utility, outside_utility)
    return weighted_total(probabilities, normalised_weights(weights, len(probabilities)))


def outside_share(utility, weights=None, outside_utility=0.0):
    """Expected share that buys nothing: s₀ = Σ_i w_i exp(U_i0 − I_i); exact however small it is."""
    inclusive = inclusive_value(utility, outside_utility)
    stays = np.exp(np.broadcast_to(np.asarray(outside_utility, dtype=float), inclusive.shape) - inclusive)
    return float((normalised_weights(weights, len(stays)) * stays).sum())


def consumer_surplus(utility, price_sensitivity, outside_utility=0.0):
    """Expected surplus of each consumer from what is on offer, in money.

        CS_i = log(exp U_i0 + Σ_j exp U_ij) / α_i

    Args:
        utility: U, `[N, J]`, utils; the outside good is 0 unless given.
        price_sensitivity: α, `[N]`, utils per kCNY; positive.
        outside_utility: U_0, scalar or `[N]`, utils.
    Returns:
        Surplus, `[N]`, kCNY. Only differences between two worlds mean anything.
    Raises:
        ValueError: a price sensitivity is not positive.
    Source:
        Small & Rosen (1981), Econometrica 49(1); Train (2009), section 3.5.
    """
    return inclusive_value(utility, outside_utility) / positive_sensitivity(price_sensitivity)


def positive_sensitivity(price_sensitivity):
    """α as an array of floats.

    Raises:
        ValueError: one is not positive and finite.
    """
    price_sensitivity = np.ascontiguousarray(price_sensitivity, dtype=float)
    if not ((price_sensitivity > 0).all() and np.isfinite(price_sensitivity).all()):
        raise ValueError("price_sensitivity must be positive and finite: surplus and margins are measured in money")
    return price_sensitivity


def normalised_weights(weights, n_consumers):
    """Weights that sum to 1, `[N]`; None: all alike.

    Raises:
        ValueError: wrong length, a negative or infinite weight, or a sum of zero.
    """
    if weights is None:
        return np.full(n_consumers, 1.0 / n_consumers)
    weights = np.ascontiguousarray(weights, dtype=float)
    if weights.shape != (n_consumers,):
        raise ValueError(f"weights must have shape ({n_consumers},), one per consumer, not {weights.shape}")
    total = weights.sum()
    if not ((weights >= 0).all() and np.isfinite(total) and total > 0):
        raise ValueError("weights must not be negative, and one at least must be positive")
    return weights / total


def utility_table(utility, what="utility"):
    """Utilities as a contiguous `[N, J]` table of floats.

    Raises:
        ValueError: not two-dimensional, no consumer or product, or NaN or +inf somewhere.
    """
    utility = np.ascontiguousarray(utility, dtype=float)
    if utility.ndim != 2 or 0 in utility.shape:
        raise ValueError(f"{what} must be a table of consumers by products [N, J], not of shape {utility.shape}")
    if not (utility < np.inf).all():  # also False for NaN
        raise ValueError(f"{what} must be finite, or -inf where a product is not on offer")
    return utility


def outside_column(outside_utility, n_consumers):
    """The outside good's utility as `[N]`.

    Raises:
        ValueError: not a scalar or `[N]`, or NaN or +inf somewhere.
    """
    outside = np.asarray(0.0 if outside_utility is None else outside_utility, dtype=float)
    if outside.shape not in ((), (n_consumers,)):
        raise ValueError(f"outside_utility must be a number or have shape ({n_consumers},), not {outside.shape}")
    if not (outside < np.inf).all():
        raise ValueError("outside_utility must be finite, or -inf where there is no outside good")
    return np.ascontiguousarray(np.broadcast_to(outside, (n_consumers,)))


def _probabilities_and_value(utility, outside_utility):
    utility = utility_table(utility)
    outside = outside_column(outside_utility, len(utility))
    probabilities, inclusive = np.empty_like(utility), np.empty(len(utility))
    logit_rows(utility, outside, probabilities, inclusive)
    return probabilities, inclusive
