"""The logit urn: buyers choose by share, and shares settle at a fixed point.

    chance of colour k = exp(b_k + β x_k) / Σ_l exp(b_l + β x_l),   x the shares of the colours so far

With weak feedback β there is one fixed point; with strong feedback one for every colour that may lead, and which of them the
shares come to is decided by who happened to buy early. `urns.urn_law` gives the exact law after a number of buyers.

Source: Arthur, Ermoliev & Kaniovski (1987), European Journal of Operational Research 30(3), on where such urns settle; Anderson,
de Palma & Thisse (1992), Discrete Choice Theory of Product Differentiation, chapter 2, on the logit.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from evsim.economics.hysteresis import rest_points


def logit_chances(counts, feedback, advantages=0.0):
    """Chance of each colour of the logit urn, ∝ exp(b_k + β x_k / Σ_l x_l).

    Args:
        counts: x, `[..., K]`; shares do as well.
        feedback: β, utils per unit of share; advantages: b, scalar or `[K]`, utils.
    """
    counts = np.asarray(counts, dtype=float)
    return special.softmax(advantages + feedback * counts / counts.sum(axis=-1, keepdims=True), axis=-1)


@dataclass(frozen=True)
class FixedPoints:
    """Shares at which the chances of a logit urn equal the shares."""

    shares: np.ndarray  # [R, K]; of points that differ by the names of the colours only one, largest shares first
    stable: np.ndarray  # [R] bool: shares near it are drawn to it, so that the urn settles there with positive chance
    copies: np.ndarray  # [R] int: points that the names of the colours make of it


def logit_fixed_points(feedback, advantages) -> FixedPoints:
    """All fixed points of a logit urn of two colours, or of any number of colours that are alike.

        x_k = exp(b_k + β x_k) / Σ_l exp(b_l + β x_l)

    Among alike colours a point has at most two values, u for m colours and u e^(−2y) for the others, with

        β = (2 m − K) y + K y coth y,

    convex in y: two roots on either side of its least value, which is bracketed first. Two colours are the mean-field logit
    of `hysteresis` with advantage b_0 − b_1 and θ = 2 β.

    Args:
        feedback: β, utils per unit of share, finite; advantages: b, `[K]`, utils.
    Returns:
        `FixedPoints`; two colours in their own order, the first's share falling.
    Raises:
        ValueError: more than two colours that differ.
    """
    advantages = np.asarray(advantages, dtype=float)
    n_colours = len(advantages)
    if n_colours == 2:
        first, stable = rest_points(float(advantages[0] - advantages[1]), 2.0 * feedback)
        other, _ = rest_points(float(advantages[1] - advantages[0]), 2.0 * feedback)
        return FixedPoints(np.stack([first[::-1], other], axis=1), stable[::-1], np.ones(len(first), dtype=int))
    if n_colours < 2 or np.ptp(advantages) != 0 or not math.isfinite(feedback):
        raise ValueError("fixed points are known for two colours, or for more with the same advantages")
    points = [(np.full(n_colours, 1.0 / n_colours), 1)]
    for leaders in range(1, n_colours // 2 + 1):
        for half in _half_log_ratios(feedback, leaders, n_colours):
            ahead = 1.0 / (leaders + (n_colours - leaders) * math.exp(-2.0 * half))
            behind = 1.0 / (leaders * math.exp(2.0 * half) + n_colours - leaders)
            shares = np.repeat([ahead, behind], [leaders, n_colours - leaders])
            points.append((np.sort(shares)[::-1], math.comb(n_colours, leaders)))
    shares = np.array([point for point, _ in points])
    stable = np.array([_attracts(point, feedback) for point in shares])
    return FixedPoints(shares, stable, np.array([copies for _, copies in points]))


def logit_tipping_points(n_colours):
    """The feedback from which a lead can last, and that from which an even split cannot, for alike colours.

        (min_y (2 − K) y + K y coth y,  K);   equal, 2, for two colours

    Args:
        n_colours: K, at least 2.
    Returns:
        (β of the lead, β of the even split), utils per unit of share; between them history decides which it is.
    """
    if n_colours < 2:
        raise ValueError(f"n_colours={n_colours} must be at least 2")
    return _feedback(_turn(1, n_colours), 1, n_colours), float(n_colours)


def _feedback(half, leaders, n_colours):
    """β(y) = (2 m − K) y + K y coth y."""
    return (2 * leaders - n_colours) * half + n_colours * (half / math.tanh(half) if half else 1.0)


def _turn(leaders, n_colours):
    """y at which β(y) is least: coth y − y / sinh² y = (K − 2 m) / K."""
    target = (n_colours - 2 * leaders) / n_colours
    if target == 0.0:
        return 0.0

    def excess(half):
        return (math.sinh(2.0 * half) - 2.0 * half) / (2.0 * math.sinh(half) ** 2) - target

    return optimize.brentq(excess, 0.5 * target, 5.0 + math.log(n_colours), xtol=1e-15, rtol=1e-15)


def _half_log_ratios(feedback, leaders, n_colours):
    """All y ≠ 0 with β(y) = β; of a pair y, −y that differs by the names of the colours only the positive one."""
    turn = _turn(leaders, n_colours)
    least = _feedback(turn, leaders, n_colours)
    if feedback < least or turn == 0.0 and feedback == least:
        return []
    if feedback == least:
        return [turn]

    def excess(half):
        return _feedback(half, leaders, n_colours) - feedback

    roots = [optimize.brentq(excess, turn, 0.5 * feedback / leaders + 1.0, xtol=1e-15, rtol=1e-15)]
    if 2 * leaders < n_colours and feedback != n_colours:  # at β = K the second root is y = 0, the even split
        low = -0.5 * feedback / (n_colours - leaders) - 1.0
        roots.append(optimize.brentq(excess, low, turn, xtol=1e-15, rtol=1e-15))
    return roots


def _attracts(shares, feedback):
    """Whether all eigenvalues of β (diag x − x x'), the slope of the chances in the shares, are below 1."""
    roots = np.sqrt(shares)
    slope = roots[:, None] * (np.eye(len(shares)) - np.outer(roots, roots)) * roots
    return bool((feedback * np.linalg.eigvalsh(slope)).max() < 1.0 - 1e-12)
