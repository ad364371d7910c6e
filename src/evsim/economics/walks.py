"""Arthur's walk: two kinds of buyers, two technologies that gain with every adopter, and small events that decide.

Buyers of type R, a share p of those who come, like technology A better, buyers of type S technology B:

    R: a_R + r n_A for A, b_R + r n_B for B;   S: a_S + s n_A, b_S + s n_B;   a_R > b_R, b_S > a_S

The lead of A, d = n_A − n_B, goes up by one with chance p and down with 1 − p, until it is so large that S buyers too take A,
or so small that R buyers too take B. From then on everybody takes the same: the walk is absorbed, and the market locked in.

Source: Arthur (1989), Economic Journal 99(394); Feller (1968), An Introduction to Probability Theory and Its Applications,
volume 1, chapter 14, for the walk.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polyval

COTH_SERIES = (1 / 3, -1 / 45, 2 / 945, -1 / 4725, 2 / 93555, -1382 / 638512875, 4 / 18243225)  # y coth y − 1, in y²
ALMOST_WHOLE = 1e-9  # of a quotient: closer to a whole number it is taken as one, since returns are given in decimals


@dataclass(frozen=True)
class Absorption:
    """How a walk between two barriers ends."""

    upper: float  # chance that it ends at the upper barrier: A takes the market
    lower: float  # at the lower one: B does; with a single barrier their sum may be below 1
    steps: float  # expected adopters until it ends; inf where it may never end
    steps_if_upper: float  # expected adopters among the walks that end there; NaN where none does
    steps_if_lower: float


def lock_in_barriers(preferences, returns):
    """Leads of A at which one technology has everybody.

        upper: the least whole d with d s > b_S − a_S;   lower: the greatest with −d r > a_R − b_R

    On the edge a buyer follows its own taste.

    Args:
        preferences: (a_R − b_R, b_S − a_S), what each type's own technology is worth to it at equal numbers, not negative.
        returns: (r, s), what one adopter more adds for each type, the same unit, not negative; 0: that type never gives in.
    Returns:
        (lower, upper), adopters; ∓inf where there is none.
    Raises:
        ValueError: a number that is negative or not finite.
    """
    preferences, returns = np.asarray(preferences, dtype=float), np.asarray(returns, dtype=float)
    for name, pair in (("preferences", preferences), ("returns", returns)):
        if pair.shape != (2,) or not (np.isfinite(pair).all() and (pair >= 0).all()):
            raise ValueError(f"{name} must be two numbers, of types R and S, finite and not negative")
    leads = [
        math.inf if gain == 0 else _first_above(taste / gain) for taste, gain in zip(preferences, returns, strict=True)
    ]
    return -leads[0], leads[1]


def _first_above(bound):
    nearest = round(bound)
    return (nearest if abs(bound - nearest) <= ALMOST_WHOLE * max(bound, 1.0) else math.floor(bound)) + 1


def absorption(lower, upper, start=0, probability=0.5) -> Absorption:
    """How the walk ends: the gambler's ruin, in a form that is safe for even and for very uneven chances.

        with z = start − lower, w = upper − start, a = z + w, h = ½ ln((1 − p)/p), c(y) = y coth y:
        P(upper) = e^{−w h} sinh(z h) / sinh(a h),   E[steps | upper] = (c(a h) − c(z h)) / (h tanh h)
        p = ½: z / a  and  (a² − z²) / 3

    Args:
        lower, upper: barriers, lead of A; ∓inf for none, but at least one must be there.
        start: lead of A at the beginning, between them.
        probability: p, chance that the next buyer is of type R.
    Returns:
        `Absorption`.
    Raises:
        ValueError: barriers that are no whole numbers or do not enclose the start, or a chance outside [0, 1].
    """
    _check(lower, upper, start, probability)
    to_lower, to_upper = start - lower, upper - start
    log_odds = _half_log_odds(probability)  # of a step down
    high, if_high = _passage(to_upper, to_lower, log_odds)
    low, if_low = _passage(to_lower, to_upper, -log_odds)
    certain = math.isfinite(lower) and math.isfinite(upper) or 1.0 in (high, low)
    reached = [chance * steps for chance, steps in ((high, if_high), (low, if_low)) if chance > 0]
    return Absorption(high, low, sum(reached) if certain else math.inf, if_high, if_low)


def _half_log_odds(probability):
    if probability in (0.0, 1.0):
        return math.inf if probability == 0.0 else -math.inf
    return 0.5 * (math.log1p(-probability) - math.log(probability))


def _passage(distance, room, half_log_odds):
    """Chance to come to a barrier at a distance before one at `room` on the other side, and mean steps of those who do.

    half_log_odds: ½ ln of the odds of a step away from it.
    """
    if distance == 0:
        return 1.0, 0.0
    if room == 0 or math.isinf(distance) or half_log_odds == math.inf:
        return 0.0, math.nan
    if half_log_odds == -math.inf:
        return 1.0, float(distance)
    size, against = abs(half_log_odds), max(half_log_odds, 0.0)
    chance = math.exp(-2.0 * distance * against)  # of ever getting there, with all the room there is
    if math.isinf(room):
        return chance, distance / math.tanh(size) if size > 0 else math.inf
    whole = room + distance
    if size * whole < 1e-150:
        return room / whole, (whole**2 - room**2) / 3.0
    chance *= math.expm1(-2.0 * room * size) / math.expm1(-2.0 * whole * size)
    return chance, (_excess_coth(whole * size) - _excess_coth(room * size)) / (size * math.tanh(size))


def _excess_coth(y):
    """y coth y − 1, by its series where y is small."""
    return float(y * y * polyval(y * y, COTH_SERIES)) if y < 0.3 else y / math.tanh(y) - 1.0


def absorption_times(n_steps, lower, upper, start=0, probability=0.5):
    """Chance that the walk ends with the t-th adopter, at either barrier: by recursion over the law of the lead.

    Args:
        n_steps: T, adopters followed, not negative.
        lower, upper, start, probability: as in `absorption`.
    Returns:
        `[T + 1, 2]`: by t = 0 … T, at the lower barrier and at the upper. What is missing to 1 goes on.
    Raises:
        ValueError: as `absorption`, or a negative number of steps.
    """
    _check(lower, upper, start, probability)
    if n_steps < 0:
        raise ValueError(f"n_steps={n_steps} must not be negative")
    bottom, top = int(max(lower, start - n_steps - 1)), int(min(upper, start + n_steps + 1))
    law = np.zeros(top - bottom + 1)
    law[start - bottom] = 1.0
    ended = np.zeros((n_steps + 1, 2))
    for step in range(n_steps + 1):
        ended[step] = law[0], law[-1]
        law[0] = law[-1] = 0.0
        after = np.zeros_like(law)
        after[1:] += probability * law[:-1]
        after[:-1] += (1.0 - probability) * law[1:]
        law = after
    return ended


def _check(lower, upper, start, probability):
    if not lower <= start <= upper or lower == upper or start != int(start):
        raise ValueError(f"start={start} must be whole, from lower={lower} to upper={upper}, which must differ")
    if math.isinf(lower) and math.isinf(upper):
        raise ValueError("without any barrier the walk never ends: give lower or upper")
    if any(math.isfinite(barrier) and barrier != int(barrier) for barrier in (lower, upper)):
        raise ValueError(f"lower={lower} and upper={upper} must be whole numbers of adopters")
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability={probability} must be in [0, 1]")
