"""From shares back to qualities: the mean utilities under which the model's shares are those observed.

Both problems are the minimum of one convex function of δ, expected inclusive value less Σ_j S_j δ_j, whose gradient is
s(δ) − S and whose Hessian is diag(s) − Σ_i w_i P_i P_i'. The contraction of Berry, Levinsohn and Pakes,
δ ← δ + log S − log s(δ), always goes downhill but slowly where consumers differ or few stay outside; so Newton steps
are tried first, (I − D⁻¹ Σ_i w_i P_i P_i') x = log S − log s with D = diag(s), solved by conjugate gradients from
products of the matrix with a vector. Neither a J × J matrix nor BLAS is needed, so the bits do not depend on the number
of threads.

The exponentials are taken once. With P_ij the probabilities at some δ⁰,

    P_ij(δ) = P_ij f_j / D_i,   f_j = exp(δ_j − δ⁰_j),   D_i = P_i0 + Σ_k P_ik f_k

so that an evaluation, and a product with the Hessian, is one pass over the table P; only where δ has come far from δ⁰, where
small probabilities would have lost their digits, is the table made anew.

The level of δ moves the outside share alone. In a nearly covered market that direction is nearly flat (with no outside
good quite flat), and gaps in logs, which do not sum to the gap of the outside share, would send it far away: the
right-hand side is shifted by a constant until they do, the outside share's gap being measured in logs too.

What a price setter's costs must have been, given prices, is `pricing.costs_from_prices`.
"""

from dataclasses import dataclass

import numpy as np

from evsim.compiled import njit
from evsim.economics.choice import BLOCK, logit_rows, normalised_weights, outside_column, utility_table
from evsim.vectors import sum_of

HALVINGS = 4  # of a Newton step, before a contraction step is taken instead
FAR = 100.0  # utils from δ⁰ at which the table of probabilities is made anew


@dataclass(frozen=True)
class Inversion:
    """Mean utilities that reproduce given shares, and how the search for them ended."""

    mean_utility: np.ndarray  # δ, [J], utils
    residual: float  # max_j |log S_j − log s_j(δ)|
    iterations: int  # evaluations of the shares
    converged: bool
    message: str


@dataclass(frozen=True)
class _Problem:
    """What stays fixed while δ is sought."""

    log_shares: np.ndarray  # log S, [J]
    log_outside: float  # log S_0; -inf: no outside good
    offset: np.ndarray  # utility less δ, [N, J]
    outside: np.ndarray  # [N]; -inf: none
    weights: np.ndarray  # [N], sum 1


def mean_utilities(shares, utility_offset, weights=None, outside_utility=0.0, tolerance=1e-12, max_iterations=200):
    """Mean utilities δ that give the observed shares of the potential market.

        Σ_i w_i exp(δ_j + o_ij) / (exp U_i0 + Σ_k exp(δ_k + o_ik)) = S_j

    Args:
        shares: S, `[J]`, fractions of the potential market; positive, summing to less than 1 (the rest stays outside).
        utility_offset: o, `[N, J]`, utils: each consumer's utility less δ, price included; −inf: not on offer to them.
        weights: w, `[N]`; None: all alike.
        outside_utility: U_0, scalar or `[N]`, utils.
        tolerance: largest |log S − log s| accepted.
        max_iterations: evaluations of the shares allowed.
    Returns:
        `Inversion`; `mean_utility` is `[J]`.
    Raises:
        ValueError: a share is not positive, they sum to 1 or more, or a product is on offer to nobody.
    Source:
        Berry (1994), RAND Journal 25(2); Berry, Levinsohn & Pakes (1995), Econometrica 63(4), appendix 1.
    """
    shares, offset, weights = _checked(shares, utility_offset, weights)
    outside = outside_column(outside_utility, len(offset))
    if shares.sum() >= 1.0:
        raise ValueError(f"shares must sum to less than 1, leaving an outside share; they sum to {shares.sum():.6g}")
    log_outside = float(np.log1p(-shares.sum()))
    problem = _Problem(np.log(shares), log_outside, offset, outside, weights)
    return _invert(problem, np.log(shares) - log_outside, tolerance, max_iterations)


def conditional_mean_utilities(inside_shares, offset, weights=None, tolerance=1e-12, max_iterations=200):
    """Mean utilities δ that give the observed shares among buyers, with no outside good.

        Σ_i w_i exp(δ_j + o_ij) / Σ_k exp(δ_k + o_ik) = S_j

    Shares fix δ up to its level, which is set so that Σ_j S_j δ_j = 0.

    Args:
        inside_shares: S, `[J]`, positive; scaled to sum to 1, so that units sold will do.
        offset: o, `[N, J]`, utils; −inf: not on offer to that consumer.
        weights: w, `[N]`, how much each buys; None: all alike.
        tolerance: largest |log S − log s| accepted.
        max_iterations: evaluations of the shares allowed.
    Returns:
        `Inversion`. Where offers of −inf make the shares impossible (more of a product than those it is offered to
        buy), `converged` is False and `message` says so.
    Raises:
        ValueError: a share is not positive, a product is on offer to nobody, or a consumer is offered nothing.
    """
    shares, offset, weights = _checked(inside_shares, offset, weights)
    shares = shares / shares.sum()
    if not (offset.max(axis=1) > -np.inf).all():
        raise ValueError("a consumer is offered nothing: give that row a weight elsewhere, or leave it out")
    problem = _Problem(np.log(shares), -np.inf, offset, np.full(len(offset), -np.inf), weights)
    found = _invert(problem, np.log(shares), tolerance, max_iterations)
    level = float((shares * found.mean_utility).sum())
    return Inversion(found.mean_utility - level, found.residual, found.iterations, found.converged, found.message)


def _checked(shares, offset, weights):
    offset = utility_table(offset, "utility_offset")
    shares = np.ascontiguousarray(shares, dtype=float)
    if shares.shape != (offset.shape[1],):
        raise ValueError(f"shares must have shape ({offset.shape[1]},), one per product, not {shares.shape}")
    if not ((shares > 0).all() and np.isfinite(shares).all()):
        raise ValueError("every share must be positive: no finite utility gives a share of zero; drop that product")
    weights = normalised_weights(weights, len(offset))
    counted = offset if (weights > 0).all() else offset[weights > 0]
    if not (counted.max(axis=0) > -np.inf).all():
        raise ValueError("a product is on offer to nobody, so that no utility can give it a share")
    return shares, offset, weights


@dataclass(frozen=True)
class _Table:
    """Probabilities at δ⁰."""

    at: np.ndarray  # δ⁰, [J]
    inside: np.ndarray  # P, [N, J]
    outside: np.ndarray  # P_0, [N]


@dataclass(frozen=True)
class _Point:
    """The shares at one δ."""

    gap: np.ndarray  # log S − log s(δ), [J]
    table: _Table
    factors: np.ndarray  # f, [J]
    totals: np.ndarray  # D, [N]
    shares: np.ndarray  # s(δ), [J]
    stays_out: float  # s_0(δ)

    @property
    def off(self) -> float:
        """max_j |log S_j − log s_j(δ)|."""
        return float(np.abs(self.gap).max())


def _invert(problem, start, tolerance, max_iterations):
    """Newton steps where they help, contraction steps where they do not."""
    mean_utility = start
    point = _evaluate(problem, _table_at(problem, start), mean_utility)
    evaluations = 1
    while point.off > tolerance and evaluations < max_iterations:
        step = _newton_step(problem, point)
        for _ in range(HALVINGS):
            trial = _evaluate(problem, point.table, mean_utility + step)
            evaluations += 1
            if trial.off < point.off:
                break
            step = 0.5 * step
        else:
            step = point.gap
            trial = _evaluate(problem, point.table, mean_utility + step)
            evaluations += 1
        mean_utility = mean_utility + step
        point = trial
    residual = point.off
    converged = residual <= tolerance
    message = (
        "shares reproduced"
        if converged
        else (
            f"log shares still off by {residual:.3g} after {evaluations} evaluations; "
            f"the worst is product {int(np.abs(point.gap).argmax())}: can those it is offered to buy that much?"
        )
    )
    return Inversion(mean_utility, residual, evaluations, bool(converged), message)


def _table_at(problem, mean_utility):
    """Probabilities at a δ, from which those at others follow."""
    probabilities, inclusive = np.empty_like(problem.offset), np.empty(len(problem.offset))
    logit_rows(problem.offset + mean_utility, problem.outside, probabilities, inclusive)
    return _Table(mean_utility, probabilities, np.exp(problem.outside - inclusive))


def _evaluate(problem, table, mean_utility):
    """The shares at a δ, from a table near it, or else from one made there."""
    if np.abs(mean_utility - table.at).max() > FAR:
        table = _table_at(problem, mean_utility)
    factors, totals = np.exp(mean_utility - table.at), np.empty(len(table.outside))
    shares = moved_shares(table.inside, table.outside, problem.weights, factors, totals)
    stays_out = float((problem.weights * table.outside / totals).sum())
    with np.errstate(divide="ignore"):  # a share that underflows has an infinite gap: worse than any other step
        return _Point(problem.log_shares - np.log(shares), table, factors, totals, shares, stays_out)


def _newton_step(problem, point):
    """x of (D − Σ_i w_i P_i P_i') x = D (gap − constant), D = diag(s), by conjugate gradients preconditioned with D."""
    gap, shares, stays_out = point.gap, point.shares, point.stays_out
    inside_gap = stays_out * (np.log(stays_out) - problem.log_outside) if stays_out > 0 else 0.0
    direction = gap - ((shares * gap).sum() - inside_gap) / shares.sum()
    target = max(1e-14, min(1e-2, point.off)) ** 2
    step = np.zeros_like(gap)
    remainder = shares * direction
    size = first_size = float((remainder * direction).sum())
    for _ in range(2 * len(gap)):
        meeting = meetings(point.table.inside, problem.weights / point.totals**2, point.factors * direction)
        image = shares * direction - point.factors * meeting
        curvature = float((direction * image).sum())
        if curvature <= 1e-15 * float((direction * shares * direction).sum()):
            break  # a direction in which the shares do not move: the level, where there is no outside good
        step = step + (size / curvature) * direction
        remainder = remainder - (size / curvature) * image
        scaled = remainder / shares
        previous, size = size, float((remainder * scaled).sum())
        if size <= target * first_size:
            break
        direction = scaled + (size / previous) * direction
    return step


@njit
def moved_shares(probabilities, outside, weights, factors, totals):
    """Shares once the odds of each product have moved by a factor, `[J]`, block by block in a fixed order.

        s_j = Σ_i w_i P_ij f_j / D_i,   D_i = P_i0 + Σ_k P_ik f_k

    Args:
        probabilities: P before, `[N, J]`; outside: P_0 before, `[N]`; weights: w, `[N]`.
        factors: f, `[J]`.
        totals: receives D, `[N]`.
    """
    n_consumers, n_products = probabilities.shape
    total, block, odds = np.zeros(n_products), np.empty(n_products), np.empty(n_products)
    for first in range(0, n_consumers, BLOCK):
        block[:] = 0.0
        for i in range(first, min(first + BLOCK, n_consumers)):
            for j in range(n_products):
                odds[j] = probabilities[i, j] * factors[j]
            totals[i] = outside[i] + sum_of(odds)
            scale = weights[i] / totals[i]
            for j in range(n_products):
                block[j] += scale * odds[j]
        for j in range(n_products):
            total[j] += block[j]
    return total


@njit
def meetings(table, weights, direction):
    """Σ_i w_i A_ij Σ_k A_ik x_k of a table A, `[J]`, block by block in a fixed order."""
    n_consumers, n_products = table.shape
    total, block, parts = np.zeros(n_products), np.empty(n_products), np.empty(n_products)
    for first in range(0, n_consumers, BLOCK):
        block[:] = 0.0
        for i in range(first, min(first + BLOCK, n_consumers)):
            for k in range(n_products):
                parts[k] = table[i, k] * direction[k]
            scale = weights[i] * sum_of(parts)
            for j in range(n_products):
                block[j] += scale * table[i, j]
        for j in range(n_products):
            total[j] += block[j]
    return total
