"""Chains that go up or down by one: how often each state is visited in the long run, and how long it takes to get there.

Births b_n and deaths d_n are rates, per time unit, from state n = 0 … N; the chain cannot leave at either end, so that d_0 and
b_N are 0. Sums have positive terms only, and nothing is lost to cancellation.

Source: Karlin & Taylor (1975), A First Course in Stochastic Processes, chapter 4.
"""

import math

import numpy as np


def birth_death_law(births, deaths):
    """Stationary law, by detailed balance.

        π_n b_n = π_(n+1) d_(n+1)

    Args:
        births: b, `[N + 1]`; deaths: d, `[N + 1]`, per time unit.
    Returns:
        π, `[N + 1]`.
    Raises:
        ValueError: rates that `first_passage_time` refuses, or one at which the chain could get stuck.
    """
    births, deaths = _rates(births, deaths)
    if not ((births[:-1] > 0).all() and (deaths[1:] > 0).all()):
        raise ValueError(
            "births and deaths must be positive inside the chain: where it gets stuck it has no single law"
        )
    logs = np.concatenate([[0.0], np.cumsum(np.log(births[:-1]) - np.log(deaths[1:]))])
    law = np.exp(logs - logs.max())
    return law / law.sum()


def first_passage_time(births, deaths, start, target):
    """Mean time from one state until another is first reached.

        τ_n = (1 + d_n τ_(n−1)) / b_n  from n to n + 1,   E T = Σ_{n = start}^{target − 1} τ_n;  downwards by symmetry

    Args:
        births: b, `[N + 1]`; deaths: d, `[N + 1]`, per time unit.
        start, target: states, 0 … N.
    Returns:
        Time units; inf where the chain may get stuck on the way, or the time exceeds the largest number.
    Raises:
        ValueError: rates that are negative, not finite, or not 0 at the end, or a state outside the chain.
    """
    births, deaths = _rates(births, deaths)
    top = len(births) - 1
    if not (0 <= start <= top and 0 <= target <= top):
        raise ValueError(f"start={start} and target={target} must be states, 0 … {top}")
    if target < start:
        births, deaths, start, target = deaths[::-1], births[::-1], top - start, top - target
    step, total = 0.0, 0.0
    for n, (birth, death) in enumerate(zip(births[:target].tolist(), deaths[:target].tolist(), strict=True)):
        back = death * step if death > 0 else 0.0  # a barrier below matters only where the chain can come down to it
        step = (1.0 + back) / birth if birth > 0 else math.inf
        if n >= start:
            total += step
    return total


def _rates(births, deaths):
    births, deaths = np.asarray(births, dtype=float), np.asarray(deaths, dtype=float)
    if births.ndim != 1 or births.shape != deaths.shape or len(births) < 2:
        raise ValueError("births and deaths must have one rate for every state, and there must be two states")
    if not (np.isfinite([births, deaths]).all() and births.min() >= 0 and deaths.min() >= 0):
        raise ValueError("births and deaths must be finite and not negative")
    if deaths[0] != 0 or births[-1] != 0:
        raise ValueError("the lowest state has no deaths and the highest no births")
    return births, deaths
