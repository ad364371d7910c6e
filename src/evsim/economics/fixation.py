"""Who wins for ever where success breeds more than its share of success.

A colour of count x is drawn with a chance proportional to x^γ, γ > 1. Rubin's clocks: let colour k, at count x, wait a time
that is exponential with rate x^γ until its count rises. The order of all these rises is that of the urn's draws, and a colour
gets to infinity in finite time,

    T_k = Σ_{m ≥ 0} E_m / λ_m,   λ_m = (a_k + m)^γ,   E_m ~ Exp(1),

so that who is there first has all draws but finitely many:

    P(k) = P(T_k is the smallest) = ∫ f_k(t) Π_{l ≠ k} S_l(t) dt.

f and S, density and survival function of T, come from its transform F(s) = Π_m λ_m / (λ_m + s) by contour integrals

    f(t) = 1/(2πi) ∫ e^{st} F(s) ds,   1/(2πi) ∫ e^{st} F(s) / s ds = 1 − S(t) right of s = 0, −S(t) left of it

along a hyperbola through the saddle of e^{st} F(s) / s. The trapezoidal rule then converges exponentially, over s as over
ln t. Partial fractions of F would be a closed form, but their terms cancel beyond all digits once a is large.

Source: Rubin's theorem in Davis (1990), Probability Theory and Related Fields 84; Oliveira (2009), Random Structures &
Algorithms 34(4), on balls in bins with feedback.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize

CONTOUR_STEP = 0.07  # of the hyperbola's parameter
BEND = math.tan(math.pi / 8)  # of the hyperbola to the left, where e^{st} fades; midway between not at all and too far
FADED = 40.0  # −ln of what is left out of a contour integral, relative to it
TERMS = 34  # of the tail's power series in s / λ_M, of size 1/3 at most
NEGLIGIBLE = 1e-17  # chance that is left out at either end of the integral over t
GRIDS = (48, 96, 192, 384)  # points of that integral: refined until the chances sum to 1
ACCURACY = 1e-10


def fixation_chances(start, exponent):
    """Chance that each colour is the one that gets all draws but finitely many.

    Args:
        start: a, `[K]`, counts at first, positive; they need not be whole.
        exponent: γ of the chance ∝ x^γ, above 1.
    Returns:
        P, `[K]`, with an error below 1e-9, for ordinary counts below 1e-12; they sum to 1.
    Raises:
        ValueError: γ ≤ 1, where no colour wins for ever; a count that is not positive; or numbers so extreme that the
            chances cannot be told.
    """
    start = np.asarray(start, dtype=float)
    if not 1.0 < exponent < math.inf:
        raise ValueError(f"exponent={exponent} must be above 1 and finite: else every colour is drawn for ever")
    if start.ndim != 1 or len(start) == 0 or not (np.isfinite(start).all() and (start > 0).all()):
        raise ValueError("start must be one count a colour, finite and positive")
    counts, colours, rivals = np.unique(start, return_inverse=True, return_counts=True)
    clocks = [_Clock(float(count), float(counts[-1]), float(exponent)) for count in counts]
    low, high = _window(clocks, rivals)
    for points in GRIDS:
        logs = np.linspace(low, high, points)
        chances = (logs[1] - logs[0]) * sum(_first_there(clocks, rivals, math.exp(log)) for log in logs)
        if abs(chances @ rivals - 1.0) < ACCURACY:
            return (chances / (chances @ rivals))[colours]
    raise ValueError(f"start={start.tolist()} and exponent={exponent} are too extreme for the chances to be told")


@dataclass(frozen=True)
class _Clock:
    """Law of the time T in which one colour gets to infinity, in units in which the largest count has rate 1."""

    count: float  # a
    largest: float  # of all colours' counts
    exponent: float  # γ

    @property
    def slowest(self):
        """λ_0."""
        return _series(self, 1)[0][0]

    def series(self, size):
        """λ_m for m < M, λ_M, and the coefficients of the tail's series: M so large that |s| = size is a third of λ_M."""
        needed = self.largest * (3.0 * size) ** (1.0 / self.exponent) - self.count
        return _series(self, 0 if needed <= 0 else 1 << math.ceil(math.log2(needed + 1.0)))

    def log_transform(self, s):
        """ln F(s), `[n]` complex."""
        rates, last, tail = self.series(np.abs(s).max())
        order = np.arange(1, TERMS + 1)
        direct = np.log1p(s[:, None] / rates).sum(axis=1)
        return -direct + np.polynomial.polynomial.polyval(-s / last, np.concatenate([[0.0], tail / order]))

    def moments(self, s):
        """Mean and variance of T under the law tilted by e^{−st}: Σ 1/(λ + s) and Σ 1/(λ + s)²."""
        rates, last, tail = self.series(abs(s))
        powers = (-s / last) ** np.arange(TERMS)
        mean = (1.0 / (rates + s)).sum() + (powers @ tail) / last
        variance = (1.0 / (rates + s) ** 2).sum() + (powers[:-1] * np.arange(1, TERMS)) @ tail[1:] / last**2
        return mean, variance

    def law(self, t):
        """(f(t), S(t))."""
        mean, variance = self.moments(0.0)
        early = t < mean
        saddle = self._saddle(t, 1.0 if early else -1.0, variance)
        width = 1.0 / math.sqrt(self.moments(saddle)[1] + saddle**-2)
        v = np.arange(0.0, self._contour_end(t, saddle, width), CONTOUR_STEP)
        s = _contour(v, saddle, width)
        values = np.exp(s * t + self.log_transform(s)) * width * (1j * np.cosh(v) - BEND * np.sinh(v))
        values[0] *= 0.5
        step = CONTOUR_STEP / math.pi
        density, distribution = step * values.imag.sum(), step * (values / s).imag.sum()
        return density, 1.0 - distribution if early else -distribution

    def _contour_end(self, t, saddle, width):
        """The parameter at which e^{st} F(s) has faded."""
        end, top = 2.0, saddle * t + self.log_transform(np.array([saddle]))[0]
        while True:
            s = _contour(np.array([end]), saddle, width)
            if (s * t + self.log_transform(s))[0].real < top - FADED:
                return end
            end += 0.4

    def _saddle(self, t, side, variance):
        """Where d/ds (s t + ln F(s) − ln |s|) = 0, on one side of 0; it falls in s, and is bracketed by halving."""

        def slope(s):
            return self.moments(s)[0] + 1.0 / s - t

        def further(size):
            return 2.0 * size if side > 0 else min(2.0 * size, 0.5 * (size + self.slowest))

        inner = outer = min(1.0 / math.sqrt(variance), 0.5 * self.slowest)
        while side * slope(side * outer) > 0:
            inner, outer = outer, further(outer)
        while side * slope(side * inner) < 0:
            inner, outer = 0.5 * inner, inner
        return optimize.brentq(slope, side * inner, side * outer, rtol=1e-6) if inner < outer else side * inner

    def never_before(self, t):
        """Whether T < t has a chance below e^(−45), by Chernoff's bound e^{st} F(s), which falls in s and then rises."""
        tilt, bound, lower = 1.0 / t, 1.0, 0.0
        while -45.0 < lower < bound:
            tilt, bound = 2.0 * tilt, lower
            lower = tilt * t + float(self.log_transform(np.array([tilt]))[0])
        return lower <= -45.0


def _contour(v, saddle, width):
    """Points of the hyperbola, `[n]` complex, in the upper half-plane; the lower half is its mirror image."""
    return saddle + width * (1j * np.sinh(v) - BEND * (np.cosh(v) - 1.0))


@lru_cache(maxsize=512)
def _series(clock, n_direct):
    """λ_m for m < n_direct, the next, and Σ_{m ≥ n_direct} (λ_{n_direct} / λ_m)^r for r = 1 … TERMS."""
    counts = clock.count + np.arange(n_direct + 1)
    with np.errstate(over="ignore"):  # a rate without bound is a wait of no length
        rates = np.maximum((counts / clock.largest) ** clock.exponent, 1e-290)
    return rates[:-1], rates[-1], _scaled_zeta(clock.exponent * np.arange(1, TERMS + 1), counts[-1])


def _scaled_zeta(power, q, n_direct=64):
    """Σ_{m ≥ 0} (1 + m/q)^(−x) = q^x ζ(x, q), x > 1: a sum, and Euler and Maclaurin's formula for what remains."""
    direct = np.exp(-power[:, None] * np.log1p(np.arange(n_direct) / q)).sum(axis=1)
    edge = q + n_direct
    third = power * (power + 1.0) * (power + 2.0) / edge**3
    fifth = third * (power + 3.0) * (power + 4.0) / edge**2
    rest = edge / (power - 1.0) + 0.5 + power / (12.0 * edge) - third / 720.0 + fifth / 30240.0
    return direct + np.exp(-power * np.log1p(n_direct / q)) * rest


def _window(clocks, rivals):
    """The logs of times between which somebody is first to get to infinity, all but NEGLIGIBLE."""
    fastest = clocks[-1]
    mean, variance = fastest.moments(0.0)
    step = math.sqrt(variance) / mean
    low = high = math.log(mean)
    while 1.0 - fastest.law(math.exp(low))[1] > NEGLIGIBLE:
        low -= step
    while _nobody_yet(clocks, rivals, math.exp(high)) > NEGLIGIBLE:
        high += step
    return low, high


def _nobody_yet(clocks, rivals, t):
    return math.prod(clock.law(t)[1] ** n for clock, n in zip(clocks, rivals, strict=True) if not clock.never_before(t))


def _first_there(clocks, rivals, t):
    """t f_k(t) Π_{l ≠ k} S_l(t) of one colour for each clock, `[clocks]`."""
    laws = np.array([(0.0, 1.0) if clock.never_before(t) else clock.law(t) for clock in clocks])
    survival = laws[:, 1] ** rivals
    others = np.array([survival[:k].prod() * survival[k + 1 :].prod() for k in range(len(clocks))])
    return t * laws[:, 0] * laws[:, 1] ** (rivals - 1) * others
