"""Diffusion of something that is bought once: Bass's curve, its monthly recursion, and the finite market behind both.

A consumer who has not adopted does so at a hazard that rises with the share that has:

    h(x) = p + q x,   dF/dt = h(F) (1 − F)

p innovation, q imitation (word of mouth), per month. Of N consumers n adopt one by one, n → n + 1 at rate (N − n) h(n/N): a
chain of births alone, whose law is exact here; its mean and variance over N tend to F and to 0 as N grows, like 1/N. The same
holds month by month: with chances h instead of rates the law is a chain of binomials, and its limit the recursion. The functions
on laws and the recursion take any hazard, such as a logit of a utility in which word of mouth is a term.

Source: Bass (1969), Management Science 15(5); Niu (2002), Mathematical Problems in Engineering 8(3), for the chain of births.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy import special

POISSON_REACH = 9.0  # standard deviations of the number of steps that are followed, and 40 steps more


def bass_hazard(share, innovation, imitation):
    """Hazard of those who have not adopted, p + q x: share x of adopters, any shape; p and q per month."""
    return innovation + imitation * np.asarray(share, dtype=float)


def bass_share(months, innovation, imitation, start=0.0):
    """Share of adopters, Bass's curve.

        F(t) = (R − p e^(−(p + q) t)) / (R + q e^(−(p + q) t)),   R = (p + q F₀) / (1 − F₀)

    With F₀ = 0 it is the textbook's (1 − e^(−(p + q) t)) / (1 + (q/p) e^(−(p + q) t)), with p = 0 the logistic curve.

    Args:
        months: t, any shape, not negative.
        innovation: p; imitation: q, per month, not negative.
        start: F₀, share of adopters at t = 0, in [0, 1].
    Returns:
        F, of the shape of `months`.
    Raises:
        ValueError: a number outside its range.
    """
    _check(innovation, imitation, start)
    months = np.asarray(months, dtype=float)
    if not (months >= 0).all():
        raise ValueError("months must not be negative")
    speed = innovation + imitation
    if speed == 0 or start == 1:
        return np.full(months.shape, float(start))
    fade, odds = np.exp(-speed * months), start * speed / (1.0 - start)
    return (odds - innovation * np.expm1(-speed * months)) / (odds + innovation + imitation * fade)


def bass_rate(months, innovation, imitation, start=0.0):
    """Adopters per month, f = (p + q F) (1 − F), as a share of the market; arguments as `bass_share`."""
    share = bass_share(months, innovation, imitation, start)
    return bass_hazard(share, innovation, imitation) * (1.0 - share)


def bass_peak(innovation, imitation, start=0.0):
    """When most adopt.

        t* = ln(q / R) / (p + q),   f(t*) = (p + q)² / (4 q),   R = (p + q F₀) / (1 − F₀)

    Args:
        innovation, imitation, start: as `bass_share`.
    Returns:
        (months, rate): t* and adopters per month as a share of the market; (0, f(0)) where adoption only falls, (inf, f(t*))
        where there is imitation but nobody to begin.
    """
    _check(innovation, imitation, start)
    first = (innovation + imitation * start) * (1.0 - start)
    if imitation * (1.0 - start) <= innovation + imitation * start:
        return 0.0, first
    speed = innovation + imitation
    rate, ratio = speed**2 / (4.0 * imitation), (innovation + imitation * start) / (imitation * (1.0 - start))
    return (-math.log(ratio) / speed if ratio > 0 else math.inf), rate


def diffusion_recursion(periods, hazard: Callable[[float], float], start=0.0):
    """Share of adopters month by month in a market without end: F_{t+1} = F_t + h(F_t) (1 − F_t).

        diffusion_recursion(120, lambda share: bass_hazard(share, 0.003, 0.05))

    Args:
        periods: T, months, not negative.
        hazard: h, chance to adopt in a month, in [0, 1], from the share of adopters.
        start: F_0, in [0, 1].
    Returns:
        F, `[T + 1]`.
    Raises:
        ValueError: a number outside its range, or a hazard that is no chance.
    """
    _check(0.0, 0.0, start)
    _check_periods(periods)
    path = [float(start)]
    for _ in range(periods):
        chance = float(hazard(path[-1]))
        if not 0.0 <= chance <= 1.0:
            raise ValueError(f"hazard({path[-1]})={chance} must be a chance, in [0, 1]")
        path.append(path[-1] + chance * (1.0 - path[-1]))
    return np.array(path)


def adoption_law(months, hazards, start=0):
    """Exact law of the number of adopters in a finite market, in continuous time: Kolmogorov's forward equation.

        dP_n/dt = (N − n + 1) h_{n−1} P_{n−1} − (N − n) h_n P_n

    It is solved by uniformisation: the chain's steps are laid on the points of one Poisson process, all terms positive.

    Args:
        months: t, `[T]`, not negative, any order.
        hazards: h, `[N + 1]`, rates per month of those who have not adopted, by the number n who have; h_N does not matter.
        start: adopters at t = 0, 0 … N.
    Returns:
        P, `[T, N + 1]`. The cost grows with the largest rate times the longest time, and N.
    Raises:
        ValueError: a number outside its range.
    """
    months, hazards = np.atleast_1d(np.asarray(months, dtype=float)), _hazards(hazards, start)
    if months.ndim != 1 or not ((months >= 0) & (months < np.inf)).all():
        raise ValueError("months must be a list of times, finite and not negative")
    rates = np.arange(len(hazards) - 1, -1, -1) * hazards
    law, now = np.zeros(len(rates)), 0.0
    law[start] = 1.0
    laws = np.empty((len(months), len(rates)))
    for k in np.argsort(months, kind="stable"):
        law, now = _advance(law, rates, float(months[k]) - now), float(months[k])
        laws[k] = law
    return laws


def monthly_adoption_law(periods, hazards, start=0):
    """Exact law of the number of adopters in a finite market, month by month: those who have not adopted decide independently.

        P_{t+1}(m) = Σ_n P_t(n) Binomial(m − n; N − n, h_n)

    Args:
        periods: T, months, not negative.
        hazards: h, `[N + 1]`, chances per month, in [0, 1], by the number n of adopters. Memory grows with N².
        start: adopters at t = 0, 0 … N.
    Returns:
        P, `[T + 1, N + 1]`.
    Raises:
        ValueError: a number outside its range.
    """
    hazards = _hazards(hazards, start)
    _check_periods(periods)
    if (hazards > 1).any():
        raise ValueError("hazards must be chances, in [0, 1]")
    count = np.arange(len(hazards))
    left = (len(hazards) - 1 - count)[:, None]  # N − n, by row
    new = count - count[:, None]
    possible = new >= 0
    some, rest = np.where(possible, new, 0), np.where(possible, left - new, 0)
    ways = special.gammaln(left + 1.0) - special.gammaln(some + 1.0) - special.gammaln(rest + 1.0)
    logs = ways + special.xlogy(some, hazards[:, None]) + special.xlog1py(rest, -hazards[:, None])
    kernel = np.exp(np.where(possible, logs, -np.inf))
    kernel /= kernel.sum(axis=1, keepdims=True)
    laws = np.zeros((periods + 1, len(hazards)))
    laws[0, start] = 1.0
    for period in range(periods):
        laws[period + 1] = laws[period] @ kernel
    return laws


def adoption_moments(law):
    """Mean and variance of the number of adopters: law P, `[..., N + 1]` → `[...]` each."""
    law = np.asarray(law, dtype=float)
    count = np.arange(law.shape[-1])
    mean = law @ count
    return mean, (law * (count - mean[..., None]) ** 2).sum(axis=-1)


def bass_moments(months, n_consumers, innovation, imitation, start=0):
    """Exact mean and variance of the number of adopters among N consumers with Bass's hazard, in continuous time.

    Args:
        months: t, `[T]`; n_consumers: N, thousands at most; innovation: p, imitation: q, per month.
        start: adopters at t = 0.
    Returns:
        (mean, variance), `[T]` each, consumers and consumers². Over N and N² they tend to `bass_share` and 0.
    Raises:
        ValueError: a number outside its range.
    """
    _check(innovation, imitation, 0.0)
    if n_consumers < 1:
        raise ValueError(f"n_consumers={n_consumers} must be at least 1")
    hazards = bass_hazard(np.arange(n_consumers + 1) / n_consumers, innovation, imitation)
    return adoption_moments(adoption_law(months, hazards, start))


def _advance(law, rates, span):
    """The law after a span of months, by uniformisation."""
    top = rates.max()
    mean = top * span
    if mean == 0:
        return law
    reach = POISSON_REACH * math.sqrt(mean) + 40.0
    first, last = max(int(mean - reach), 0), int(mean + reach)
    steps = np.arange(first + 1, last + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(mean / steps))])  # Poisson's chances, relative to the first
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    go = rates[:-1] / top
    after = np.zeros_like(law)
    for step in range(last + 1):
        if step >= first:
            after += weights[step - first] * law
        moved = go * law[:-1]
        law = law.copy()
        law[:-1] -= moved
        law[1:] += moved
    return after


def _hazards(hazards, start):
    hazards = np.asarray(hazards, dtype=float)
    if hazards.ndim != 1 or len(hazards) < 2 or not ((hazards >= 0) & (hazards < np.inf)).all():
        raise ValueError("hazards must be finite and not negative, one for each number of adopters 0 … N, N ≥ 1")
    if not 0 <= start < len(hazards) or start != int(start):
        raise ValueError(f"start={start} must be a number of adopters, 0 … {len(hazards) - 1}")
    return hazards


def _check(innovation, imitation, start):
    if not (0 <= innovation < math.inf and 0 <= imitation < math.inf):
        raise ValueError(f"innovation={innovation} and imitation={imitation} must be finite and not negative")
    if not 0 <= start <= 1:
        raise ValueError(f"start={start} must be a fraction, in [0, 1]")


def _check_periods(periods):
    if periods != int(periods) or periods < 0:
        raise ValueError(f"periods={periods} must be a whole number of months, not negative")
