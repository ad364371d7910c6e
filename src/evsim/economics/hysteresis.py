"""Hysteresis of a mean-field logit with a network effect: two platforms, everybody on one of them.

    dx/dt = Λ(a + θ (x − ½)) − x,   Λ(y) = 1 / (1 + e^(−y))

x is the share on the first platform, a its advantage over the other, θ what the whole market is worth to a platform more
than nobody. A time unit is the time in which everybody thinks again once, on average. At θ ≤ 4 there is one rest point for
every a; above, two stable ones between the folds, and the share an advantage won stays when the advantage is gone. Where
each platform gains b from its own share, as in the logit urn, θ = 2 b and the threshold is b = 2.

With N consumers who think again one by one the share is a birth–death chain (`birth_death`): it has a stationary law instead
of rest points, and now and then it leaves the one for the other.

Source: Brock & Durlauf (2001), Review of Economic Studies 68(2): their mean choice m = tanh(h + J m) is x = (1 + m)/2, a = 2 h,
θ = 4 J.
"""

import math

import numpy as np
from scipy import optimize, special

from evsim.economics.birth_death import birth_death_law, first_passage_time

TANGENT = 1e-13  # of θ/2 + |a| + 1: an advantage so near to a fold is at it


def fold_points(network_effect):
    """Where the lower rest point ends as the advantage rises, and the upper as it falls.

        x∓ = (1 ∓ r)/2,   a = ±(θ r/2 − 2 artanh r),   r = √(1 − 4/θ)

    Args:
        network_effect: θ, utils.
    Returns:
        (advantages, shares), each `[2]`: a in utils, the larger first, and the share on the branch that ends there; both
        `[0]` at θ ≤ 4, where there is no fold.
    Raises:
        ValueError: θ is not finite.
    """
    _check(0.0, network_effect)
    if network_effect <= 4.0:
        return np.empty(0), np.empty(0)
    spread = math.sqrt(1.0 - 4.0 / network_effect)
    # 1 − r = 4 / (θ (1 + r)) keeps its digits where r is nearly 1, and artanh r = ½ ln((1 + r) / (1 − r)) with it
    remainder = 4.0 / (network_effect * (1.0 + spread))
    advantage = 0.5 * network_effect * spread - math.log((1.0 + spread) / remainder)
    return np.array([advantage, -advantage]), 0.5 * np.array([remainder, 1.0 + spread])


def loop_width(network_effect):
    """Width of the hysteresis loop in the advantage, utils: θ r − 4 artanh r, r = √(1 − 4/θ); 0 at θ ≤ 4."""
    advantages, _ = fold_points(network_effect)
    return max(float(advantages[0] - advantages[1]), 0.0) if len(advantages) else 0.0


def rest_points(advantage, network_effect):
    """All rest points, x = Λ(a + θ (x − ½)).

    The folds are known, and bracket the log odds of each, which is then found to rounding.

    Args:
        advantage: a, utils; network_effect: θ, utils.
    Returns:
        (shares, stable): `[R]` rising, R from 1 to 3, and `[R]` bool. At a fold R is 2, and the one there is not stable.
    Raises:
        ValueError: a number is not finite.
    """
    _check(advantage, network_effect)

    def excess(log_odds):
        return log_odds - advantage - 0.5 * network_effect * math.tanh(0.5 * log_odds)

    size = 0.5 * abs(network_effect) + 1.0
    pieces, touching = [(advantage - size, advantage + size, True)], []
    folds, noise = fold_points(network_effect)[0], TANGENT * (size + abs(advantage))
    if len(folds) and folds[0] > noise:
        turn = math.acosh(math.sqrt(network_effect) / 2.0) * 2.0  # Λ(y) (1 − Λ(y)) = 1/θ
        pieces = [(advantage - size, -turn, True), (-turn, turn, False), (turn, advantage + size, True)]
        touching = [y for y in (-turn, turn) if abs(excess(y)) <= noise]
    roots = [(y, False) for y in touching]
    for low, high, stable in pieces:
        if low < high and low not in touching and high not in touching and excess(low) * excess(high) < 0.0:
            roots.append((optimize.brentq(excess, low, high, xtol=1e-15, rtol=1e-15), stable))
    roots.sort()
    return special.expit(np.array([y for y, _ in roots])), np.array([stable for _, stable in roots])


def share_at_rest(share, advantage, network_effect):
    """Where the market comes to rest from a share: the next rest point in the direction in which it moves.

    Args:
        share: x, fraction in [0, 1]; a share that is at rest stays there, even where the least push would move it.
        advantage: a, utils; network_effect: θ, utils.
    Returns:
        The share at rest.
    Raises:
        ValueError: a share outside [0, 1], or a number that is not finite.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share={share} must be a fraction, in [0, 1]")
    rests, _ = rest_points(advantage, network_effect)
    if np.abs(rests - share).min() <= 4.0 * np.finfo(float).eps:
        return float(share)
    drift = special.expit(advantage + network_effect * (share - 0.5)) - share
    ahead = rests[rests > share] if drift > 0 else rests[rests < share][::-1]
    return float(ahead[0])


def sweep(advantages, network_effect, start):
    """Shares as the advantage takes one value after another, the market coming to rest at each.

    Args:
        advantages: a, `[A]`, utils, in the order in which they come.
        network_effect: θ, utils; start: share before the first of them, fraction.
    Returns:
        x, `[A]`.
    """
    path = []
    for advantage in np.asarray(advantages, dtype=float):
        start = share_at_rest(start, float(advantage), network_effect)
        path.append(start)
    return np.array(path)


def hysteresis_loop(advantages, network_effect):
    """The share with the advantage rising from its lowest value, and with it falling from its highest.

    Args:
        advantages: a, `[A]`, utils, rising; network_effect: θ, utils.
    Returns:
        (rising, falling), each `[A]`, both in the order of `advantages`; they differ inside the loop only.
    Raises:
        ValueError: the advantages do not rise.
    """
    advantages = np.asarray(advantages, dtype=float)
    if advantages.ndim != 1 or len(advantages) == 0 or (np.diff(advantages) <= 0).any():
        raise ValueError("advantages must rise from one to the next")
    rising = sweep(advantages, network_effect, 0.0)
    falling = sweep(advantages[::-1], network_effect, 1.0)[::-1]
    return rising, falling


def logit_rates(n_consumers, advantage, network_effect):
    """Rates at which one consumer more, or one fewer, is on the first platform.

        b_n = (N − n) Λ(a + θ (n/N − ½)),   d_n = n (1 − Λ(a + θ (n/N − ½)))

    Each consumer thinks again once in a time unit on average and sees the shares as they are, its own choice included.

    Args:
        n_consumers: N, at least 1; advantage: a, utils; network_effect: θ, utils.
    Returns:
        (births, deaths), each `[N + 1]`, per time unit, by n = 0 … N.
    Raises:
        ValueError: N is not positive, or a number is not finite.
    """
    _check(advantage, network_effect)
    if n_consumers < 1:
        raise ValueError(f"n_consumers={n_consumers} must be at least 1")
    count = np.arange(n_consumers + 1)
    pull = advantage + network_effect * (count / n_consumers - 0.5)
    return (n_consumers - count) * special.expit(pull), count * special.expit(-pull)


def finite_market_law(n_consumers, advantage, network_effect):
    """Chance of each number n = 0 … N on the first platform in the long run, `[N + 1]`, exact (`birth_death_law`)."""
    return birth_death_law(*logit_rates(n_consumers, advantage, network_effect))


def escape_times(n_consumers, advantage, network_effect):
    """Mean time until N consumers, at one stable rest point, first come to the other: exact for the finite market.

    Args:
        n_consumers: N; advantage: a, utils; network_effect: θ, utils.
    Returns:
        (up, down): from the lower to the upper, and back, in time units; each rest point is taken at the nearest whole
        number of consumers. They grow exponentially in N.
    Raises:
        ValueError: there are no two stable rest points.
    """
    shares, stable = rest_points(advantage, network_effect)
    if stable.sum() < 2:
        raise ValueError("nothing to escape from: with these numbers there is one stable rest point alone")
    low, high = (int(round(n_consumers * share)) for share in shares[stable])
    births, deaths = logit_rates(n_consumers, advantage, network_effect)
    return first_passage_time(births, deaths, low, high), first_passage_time(births, deaths, high, low)


def _check(advantage, network_effect):
    if not (math.isfinite(advantage) and math.isfinite(network_effect)):
        raise ValueError(f"advantage={advantage} and network_effect={network_effect} must be finite")
