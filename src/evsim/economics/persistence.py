"""What stays as it is because it was so before, measured on chances, paths and draws: the formulas of the lock-in kit.

`switching_chain` has the same measures in closed form for a market at rest. Here the chances of given owners come from outside,
from a market that need not be at rest, and owners may be anybody.

Source: Heckman (1981), in Studies in Labor Markets, on state dependence and taste; Dubé, Hitsch & Chintagunta (2010), Marketing
Science 29(2), on concentration against that without the effect; Saltelli et al. (2010), Computer Physics Communications
181(2), on shares of variance from draws in pairs.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from evsim.economics.choice import normalised_weights


@dataclass(frozen=True)
class OwnersRepeat:
    """How often owners stay, what an observer makes of it, and what it really is. Fractions of owners who buy."""

    repeat: float  # bought in the group already owned
    share: float  # would have been, if owners bought like everybody
    unattached: float  # would have been, if the same owners had owned nothing

    @property
    def naive_excess(self) -> float:
        """Repeat purchase beyond share: what is seen from outside."""
        return self.repeat - self.share

    @property
    def state_dependence(self) -> float:
        """Repeat purchase beyond the same owners' chance had they owned nothing: what owning does."""
        return self.repeat - self.unattached

    @property
    def taste(self) -> float:
        """The rest of the naive excess: owners like their group better than others do, and would buy it anyhow."""
        return self.unattached - self.share


def owners_repeat(chances, unattached, sold, own, weights=None) -> OwnersRepeat:
    """Repeat purchase of given owners, and its excess over share split into state dependence and taste.

        repeat = Σ_i w_i P_i,own(i),   share = Σ_i w_i s_own(i),   unattached = Σ_i w_i P⁰_i,own(i)

    Args:
        chances: P, `[N, G]`: that owner i, when it buys, buys in each group.
        unattached: P⁰, `[N, G]`: the same if it owned nothing.
        sold: s, `[G]`, shares of the groups in all that is bought.
        own: `[N]`, the group each owns.
        weights: w, `[N]`; None: all alike.
    Raises:
        ValueError: no owner, or shapes that do not go together.
    """
    chances, unattached, own = np.asarray(chances, float), np.asarray(unattached, float), np.asarray(own)
    if not len(own) or chances.shape != unattached.shape or chances.shape != (len(own), len(np.asarray(sold))):
        raise ValueError("chances and unattached must be owners by groups, sold groups, own owners; at least one owner")
    weights, row = normalised_weights(weights, len(own)), np.arange(len(own))
    stay, free = chances[row, own], unattached[row, own]
    return OwnersRepeat(float(weights @ stay), float(weights @ np.asarray(sold, float)[own]), float(weights @ free))


def owners_churn(chances, own, weights=None):
    """Of the owners of each group who buy, the fraction that goes to each group, `[G, G]`; nan in rows without owners.

        C_ab = Σ_{i owns a} w_i P_ib / Σ_{i owns a} w_i

    Args:
        chances, own, weights: as in `owners_repeat`.
    """
    chances, own = np.asarray(chances, float), np.asarray(own)
    weights, n_groups = normalised_weights(weights, len(own)), chances.shape[1]
    flow = np.zeros((n_groups, n_groups))
    np.add.at(flow, own, weights[:, None] * chances)
    owners = np.bincount(own, weights, n_groups)[:, None]
    return np.divide(flow, owners, out=np.full_like(flow, np.nan), where=owners > 0)


def naive_switching_cost(repeat, share):
    """κ that an observer finds who takes all repeat purchase beyond share for lock-in, utils: logit(repeat) − logit(share).

    With s = 1/G it is `lock_in.implied_switching_cost` of the excess (repeat − s)/(1 − s). Where tastes differ it is too large.

    Args:
        repeat, share: fractions in (0, 1), any shape.
    """
    repeat, share = np.asarray(repeat, float), np.asarray(share, float)
    return np.log(repeat / (1.0 - repeat)) - np.log(share / (1.0 - share))


def spell_months(retention, turnover, months_between_purchases):
    """Mean length of an unbroken stay, months: months / (1 − (1 − ν) R), as in `switching_chain.expected_tenure`.

    Args:
        retention: R, fraction of owners who buy again that stay.
        turnover: ν, fraction of households that leave after a purchase.
        months_between_purchases: mean, positive.
    """
    return months_between_purchases / (1.0 - (1.0 - turnover) * np.asarray(retention, float))


def two_way_split(neither, first, second, both):
    """What each of two causes adds to a value, by Shapley: (first, second), which sum to both − neither.

        first: ½ (v₁ − v₀) + ½ (v₁₂ − v₂);   second: the same with 1 and 2 exchanged

    Args:
        neither, first, second, both: v₀, v₁, v₂, v₁₂, the value with none, one or both of the causes at work, any shape.
    """
    neither, first, second, both = (np.asarray(value, float) for value in (neither, first, second, both))
    return 0.5 * (first - neither + both - second), 0.5 * (second - neither + both - first)


def mean_loop_width(advantages, rising, falling):
    """Width of a hysteresis loop, in units of the advantage: how far apart, on the mean, are the two advantages of a share.

        ∫ (x_falling − x_rising) da / (x_highest − x_lowest)

    The area of the loop over its height, by the trapezoid rule; where the share jumps from nothing to all, it is the distance
    between the two jumps.

    Args:
        advantages: a, `[A]`, rising.
        rising, falling: share at rest at each advantage, `[A]`, on the way up and on the way down.
    Returns:
        The width; 0 where the share never moves.
    Raises:
        ValueError: advantages that do not rise, or other shapes.
    """
    advantages, rising, falling = (np.asarray(value, float) for value in (advantages, rising, falling))
    if advantages.ndim != 1 or len(advantages) < 2 or not (np.diff(advantages) > 0).all():
        raise ValueError("advantages must be two or more numbers that rise")
    if rising.shape != advantages.shape or falling.shape != advantages.shape:
        raise ValueError(f"rising and falling must have one share for each of {len(advantages)} advantages")
    height = max(rising.max(), falling.max()) - min(rising.min(), falling.min())
    return float(np.trapezoid(falling - rising, advantages) / height) if height > 0 else 0.0


def half_life(times, lead, start):
    """When a lead has first fallen to half of what it was, by straight lines between the times; inf: not by the last.

    Args:
        times: `[T]`, rising, any unit, from the event on.
        lead: `[T]`, at these times.
        start: the lead before, positive.
    Raises:
        ValueError: there was no lead.
    """
    times, lead = np.asarray(times, float), np.asarray(lead, float)
    if not start > 0:
        raise ValueError(f"start={start} must be positive: there is no half of a lead that is none")
    below = np.flatnonzero(lead <= 0.5 * start)
    if not len(below):
        return math.inf
    after = int(below[0])
    if after == 0:
        return float(times[0])
    step = (lead[after - 1] - 0.5 * start) / (lead[after - 1] - lead[after])
    return float(times[after - 1] + step * (times[after] - times[after - 1]))


@dataclass(frozen=True)
class PathDependence:
    """How much of an outcome's spread is due to one kind of draws, with 90 % limits (nan with a single pair)."""

    spread: float  # standard deviation between these draws, the others held
    share: float  # of the whole variance
    low: float
    high: float


def path_dependence(outcomes, twins, coverage=0.90) -> PathDependence:
    """Share of variance due to the draws in which two worlds of a pair differ, the others being held.

        V = Σ_k (y_k − y'_k)² / 2 n,   share = V / Var(y)

    The total effect of these draws in the sense of Sobol, by Jansen's estimate. Limits are those of an F ratio with n and
    n − 1 degrees of freedom; as the numerator is part of the denominator they are wide rather than narrow.

    Args:
        outcomes: y, `[n]`: worlds that differ in all draws.
        twins: y', `[n]`: each with the held draws of its partner, and others of the kind in question.
    Raises:
        ValueError: lists of other lengths.
    Source:
        Jansen (1999), Computer Physics Communications 117(1–2).
    """
    first, second = np.asarray(outcomes, float), np.asarray(twins, float)
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise ValueError("outcomes and twins must be two lists of numbers of one length")
    between, n = float(((first - second) ** 2).mean() / 2.0), len(first)
    if n == 1:
        return PathDependence(math.sqrt(between), math.nan, math.nan, math.nan)
    total = 0.5 * float(first.var(ddof=1) + second.var(ddof=1))
    if total == 0.0:
        return PathDependence(0.0, 0.0, 0.0, 0.0)
    tail = (1.0 - coverage) / 2.0
    ratio = between / total
    low, high = (ratio / float(special.fdtri(n, n - 1, chance)) for chance in (1.0 - tail, tail))
    return PathDependence(math.sqrt(between), min(ratio, 1.0), min(low, 1.0), min(high, 1.0))


def entry_barrier(share, free_share):
    """Fraction of its sales that lock-in keeps from a newcomer: 1 − s/s⁰, s⁰ its share where there is none."""
    return 1.0 - np.asarray(share, float) / np.asarray(free_share, float)
