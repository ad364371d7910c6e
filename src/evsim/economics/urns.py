"""Pólya urns: success breeds success, one buyer at a time.

A buyer draws a colour with a chance that depends on the counts x of the urn, x_k = a_k + draws of k so far.

    linear         chance ∝ a_k + c n_k: shares settle anywhere, at random (Dirichlet)
    x^γ, γ > 1     one colour gets all draws but finitely many (`fixation`)
    logit          chance ∝ exp(b_k + β x_k / Σ x): shares settle at a stable fixed point, of many (`logit_urn`)

`urn_law` gives the exact law after a number of draws for any of them.

Source: Eggenberger & Pólya (1923), Zeitschrift für Angewandte Mathematik und Mechanik 3(4); Arthur, Ermoliev & Kaniovski
(1987), European Journal of Operational Research 30(3); Pemantle (2007), Probability Surveys 4.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special


def urn_probability(draws, start, reinforcement=1.0):
    """Chance of given numbers of draws from the linear urn: Dirichlet-multinomial.

        P(n) = n! / Π_k n_k! · Π_k a_k (a_k + c) … (a_k + c (n_k − 1)) / (A (A + c) … (A + c (n − 1))),   A = Σ_k a_k

    Args:
        draws: n, `[..., K]`, whole numbers, not negative; n = Σ_k n_k may differ between rows.
        start: a, `[K]`, what the urn holds at first, not negative, any unit.
        reinforcement: c, added to a colour with every draw of it, the same unit, not negative; 0: independent draws.
    Returns:
        P, `[...]`.
    Raises:
        ValueError: draws that are no counts of K colours, or a start or reinforcement that is negative or all zero.
    """
    start, reinforcement = _linear(start, reinforcement)
    draws = _counts(draws, len(start))
    total = draws.sum(axis=-1)
    rises = np.array([_log_rises(amount, reinforcement, int(total.max(initial=0))) for amount in (*start, start.sum())])
    weights = np.take_along_axis(rises[:-1], draws.reshape(-1, len(start)).T, axis=1).sum(axis=0).reshape(total.shape)
    ways = special.gammaln(total + 1.0) - special.gammaln(draws + 1.0).sum(axis=-1)
    return np.exp(ways + weights - rises[-1][total])


def urn_marginals(draws, start, reinforcement=1.0):
    """Law of the number of draws of each colour out of n from the linear urn: beta-binomial, `[K, n + 1]`.

    Args:
        draws: n; start, reinforcement: as in `urn_probability`.
    """
    start, reinforcement = _linear(start, reinforcement)
    drawn = np.arange(_number_of_draws(draws) + 1)
    pairs = np.stack([drawn, drawn[::-1]], axis=-1)
    return np.array([urn_probability(pairs, [own, start.sum() - own], reinforcement) for own in start])


def urn_moments(draws, start, reinforcement=1.0):
    """Mean and covariance of the numbers of draws from the linear urn.

        E n_k = n p_k,   cov(n_k, n_l) = n (A + c n) / (A + c) · p_k (1{k = l} − p_l),   p = a / A

    Args:
        draws: n; start, reinforcement: as in `urn_probability`.
    Returns:
        (mean `[K]`, covariance `[K, K]`).
    """
    start, reinforcement = _linear(start, reinforcement)
    draws, total = _number_of_draws(draws), start.sum()
    chance = start / total
    spread = draws * (total + reinforcement * draws) / (total + reinforcement)
    return draws * chance, spread * (np.diag(chance) - np.outer(chance, chance))


@dataclass(frozen=True)
class DirichletLaw:
    """Law of shares that sum to 1; each alone is Beta(α_k, Σ α − α_k)."""

    concentration: np.ndarray  # α, [K], positive

    @property
    def mean(self) -> np.ndarray:
        """E x, `[K]`."""
        return self.concentration / self.concentration.sum()

    @property
    def covariance(self) -> np.ndarray:
        """cov(x_k, x_l) = m_k (1{k = l} − m_l) / (Σ α + 1), `[K, K]`."""
        return (np.diag(self.mean) - np.outer(self.mean, self.mean)) / (self.concentration.sum() + 1.0)

    def moment(self, powers) -> float:
        """E Π_k x_k^{r_k}, powers r `[K]`, not negative."""
        powers = np.asarray(powers, dtype=float)
        if powers.shape != self.concentration.shape or not (powers >= 0).all():
            raise ValueError(f"powers must be {len(self.concentration)} numbers, not negative")
        total, power = self.concentration.sum(), powers.sum()
        gains = special.gammaln(self.concentration + powers) - special.gammaln(self.concentration)
        return float(np.exp(gains.sum() + special.gammaln(total) - special.gammaln(total + power)))

    def density(self, shares) -> np.ndarray:
        """Density at shares `[..., K]`, with respect to the first K − 1 of them: Γ(Σ α) Π_k x_k^{α_k − 1} / Γ(α_k)."""
        shares = np.asarray(shares, dtype=float)
        if shares.shape[-1] != len(self.concentration) or not np.allclose(shares.sum(axis=-1), 1.0, atol=1e-9):
            raise ValueError(f"shares must be {len(self.concentration)} fractions that sum to 1")
        logs = special.xlogy(self.concentration - 1.0, shares).sum(axis=-1)
        constant = special.gammaln(self.concentration.sum()) - special.gammaln(self.concentration).sum()
        return np.where((shares < 0).any(axis=-1), 0.0, np.exp(logs + constant))

    def marginal_density(self, share) -> np.ndarray:
        """Density of each colour's share at x: `[...]` → `[..., K]`."""
        own, rest = self.concentration, self.concentration.sum() - self.concentration
        share = np.asarray(share, dtype=float)[..., None]
        logs = special.xlogy(own - 1.0, share) + special.xlog1py(rest - 1.0, -share) - special.betaln(own, rest)
        return np.exp(logs)

    def marginal_cdf(self, share) -> np.ndarray:
        """Chance that each colour's share is at most x: `[...]` → `[..., K]`."""
        rest = self.concentration.sum() - self.concentration
        return special.betainc(self.concentration, rest, np.asarray(share, dtype=float)[..., None])


def urn_limit(start, reinforcement=1.0) -> DirichletLaw:
    """Law to which the shares of the linear urn settle: Dirichlet with α = a / c.

    Args:
        start: a, `[K]`, positive; reinforcement: c, positive.
    Raises:
        ValueError: one is not: without reinforcement the shares settle at a / Σ a, a colour of which there is none at 0.
    """
    start, reinforcement = _linear(start, reinforcement)
    if not (start > 0).all() or reinforcement == 0 or len(start) < 2:
        raise ValueError("the limit law needs two colours or more, all there at the start, and reinforcement")
    return DirichletLaw(start / reinforcement)


def urn_law(draws, start, chances: Callable[[np.ndarray], np.ndarray]):
    """Exact law of the numbers of draws from any urn, by recursion over the draws.

        urn_law(50, [1, 1], lambda counts: feedback_chances(counts, 2.0))

    Args:
        draws: n. Costs n^K: two colours and thousands of draws, three and a hundred.
        start: a, `[K]`, counts at first.
        chances: from counts `[..., K]` to the chances of drawing each colour, `[..., K]`.
    Returns:
        P, `[n + 1] * (K − 1)`: entry (i, j, …) that colour 0 was drawn i times, colour 1 j times, …, the last the rest;
        0 where these exceed n.
    Raises:
        ValueError: chances that are negative or do not sum to 1.
    """
    draws, start = _number_of_draws(draws), np.asarray(start, dtype=float)
    if start.ndim != 1 or len(start) < 2:
        raise ValueError("start must hold two colours or more")
    free = len(start) - 1
    law = np.zeros((draws + 1,) * free)
    law[(0,) * free] = 1.0
    for step in range(draws):
        reached = (slice(0, step + 1),) * free
        drawn = np.indices((step + 1,) * free)
        last = step - drawn.sum(axis=0)
        possible = last >= 0
        counts = start + np.moveaxis(np.concatenate([drawn, last[None]]), 0, -1)[possible]
        chance = np.asarray(chances(counts), dtype=float)
        if chance.shape != counts.shape or not ((chance >= 0).all() and np.allclose(chance.sum(-1), 1.0, atol=1e-12)):
            raise ValueError("chances must give every colour a chance, not negative, and they must sum to 1")
        before = law[reached][possible]
        after = np.zeros_like(law)
        after[reached][possible] = before * chance[:, -1]
        for colour in range(free):
            moved = tuple(slice(int(k == colour), step + 1 + int(k == colour)) for k in range(free))
            after[moved][possible] += before * chance[:, colour]
        law = after
    return law


def feedback_chances(counts, exponent):
    """Chance of each colour, x_k^γ / Σ_l x_l^γ: counts `[..., K]`, not negative, one positive → `[..., K]`."""
    counts = np.asarray(counts, dtype=float)
    powers = (counts / counts.max(axis=-1, keepdims=True)) ** exponent
    return powers / powers.sum(axis=-1, keepdims=True)


def _log_rises(amount, reinforcement, top):
    """ln of a (a + c) … (a + c (m − 1)) for m = 0 … top."""
    with np.errstate(divide="ignore"):  # a colour of which there is none is never drawn
        return np.concatenate([[0.0], np.cumsum(np.log(amount + reinforcement * np.arange(top)))])


def _linear(start, reinforcement):
    start = np.asarray(start, dtype=float)
    if start.ndim != 1 or not (np.isfinite(start).all() and (start >= 0).all() and start.sum() > 0):
        raise ValueError("start must be one number a colour, finite, not negative, and not all 0")
    if not 0 <= reinforcement < math.inf:
        raise ValueError(f"reinforcement={reinforcement} must be finite and not negative")
    return start, float(reinforcement)


def _counts(draws, n_colours):
    counts = np.asarray(draws)
    if counts.ndim == 0 or counts.shape[-1] != n_colours or not ((counts >= 0) & (counts == np.floor(counts))).all():
        raise ValueError(f"draws must be whole numbers, not negative, one for each of {n_colours} colours")
    return counts.astype(np.int64)


def _number_of_draws(draws):
    if draws != int(draws) or draws < 0:
        raise ValueError(f"draws={draws} must be a whole number, not negative")
    return int(draws)
