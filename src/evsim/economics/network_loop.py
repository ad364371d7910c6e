"""The hysteresis loop of platforms with lock-in and the model's own network effect.

G platforms, alike but for an advantage a of the first; owners, shares x_g, buy again from platform h with utility

    V_h + κ 1{h = own},   V_h = a 1{h = first} + θ ln(N₀ + N_h),   N_h = G N x_h

N being the cars of one platform at the even split. The others are held alike. At rest the shares are the stationary law of
switching (`switching_chain`); with ℓ = ln(x_first / x_other) they call for an advantage of

    a(ℓ) = v(ℓ) − θ n(ℓ)
    v = ½ (ℓ + ln((k + G − 2) / k)) + arsinh(ε sinh((ℓ − ln(G − 1)) / 2)),   k = e^κ,   ε² = (G − 1) / (k (k + G − 2))
    n = ln(N₀ + N_first) − ln(N₀ + N_other)

Where a falls in ℓ nothing stays: between two folds, if there are any. There are where θ exceeds the least v'/n'. For two
platforms that is at the even split, and the condition is that of `lock_in.tips`: θ N / (N + N₀) > 1 / (1 + λ). For more platforms
the loop opens earlier, around a small advantage of its own and a share above the even one, at a θ at which the even split does
not yet fall apart by itself. κ alone has no loop: with θ = 0, a rises throughout.

Source: derived from the reversible law of `switching_chain`, π_h ∝ e^{V_h} Σ_k e^{V_k + κ 1{k = h}}; on lock-in together with
network effects Farrell & Klemperer (2007), Handbook of Industrial Organization 3, chapter 31.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special


@dataclass(frozen=True)
class AlikePlatforms:
    """Platforms that differ in nothing but the advantage that is swept."""

    network_effect: float  # θ, utils per log point; data learning adds its elasticity to it
    installed_base: float  # N, cars of one platform at the even split
    network_scale: float  # N₀, cars
    switching_cost: float = 0.0  # κ, utils
    n_platforms: int = 2  # G

    def __post_init__(self):
        if self.n_platforms < 2:
            raise ValueError(f"n_platforms={self.n_platforms} must be at least 2: one alone has no share to lose")
        for name in ("network_effect", "installed_base", "network_scale", "switching_cost"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)} must be finite and not negative")
        if self.installed_base == 0:
            raise ValueError("installed_base=0: platforms without cars have no shares")

    @property
    def _centre(self):
        return math.log(self.n_platforms - 1.0)

    @property
    def _damping(self):
        """ε: how much less than an unattached market's the log odds move at the centre."""
        others, stay = self.n_platforms - 1.0, math.exp(-self.switching_cost)
        return stay * math.sqrt(others / (1.0 + (others - 1.0) * stay))

    def _steepness(self, log_ratio):
        """v'/n', which the network effect has to exceed for a(ℓ) to fall."""
        half = 0.5 * (log_ratio - self._centre)
        damped = self._damping * math.cosh(half)
        utility = 0.5 * (1.0 + damped / math.hypot(1.0, self._damping * math.sinh(half)))
        cars, scale, others = self.installed_base * self.n_platforms, self.network_scale, self.n_platforms - 1.0
        rise, fall = math.exp(0.5 * log_ratio), math.exp(-0.5 * log_ratio)
        first = (cars + scale) * rise + scale * others * fall
        other = scale * rise + (cars + scale * others) * fall
        return utility * first * other / (cars * (cars + scale * self.n_platforms))

    def _advantage(self, log_ratio):
        """a(ℓ), utils."""
        share = special.expit(log_ratio - self._centre)
        others, fleet = self.n_platforms - 1.0, self.installed_base * self.n_platforms
        lifted = 0.5 * (log_ratio + np.log1p((others - 1.0) * math.exp(-self.switching_cost)))
        utility = lifted + np.arcsinh(self._damping * np.sinh(0.5 * (log_ratio - self._centre)))
        first = self.network_scale + fleet * share
        other = self.network_scale + fleet * special.expit(self._centre - log_ratio) / others
        return utility - self.network_effect * (np.log(first) - np.log(other))


def advantage_at_rest(share, platforms: AlikePlatforms):
    """The advantage with which a share of the first platform is at rest: the whole hysteresis curve, in closed form.

    Args:
        share: x, any shape, of all owners, in (0, 1).
        platforms: `AlikePlatforms`.
    Returns:
        a, utils, of the same shape. Where it falls as the share rises the rest is one that the least push ends.
    Raises:
        ValueError: a share outside (0, 1).
    """
    share = np.asarray(share, dtype=float)
    if not ((share > 0) & (share < 1)).all():
        raise ValueError("share must be in (0, 1): nobody and everybody are at rest with no finite advantage")
    return platforms._advantage(special.logit(share) + platforms._centre)


def opening_network_effect(platforms: AlikePlatforms):
    """The smallest θ above which there is a loop, utils per log point: min_ℓ v'(ℓ) / n'(ℓ).

    For two platforms (N + N₀) / N / (1 + λ). What `platforms` says of θ does not matter.
    """
    return platforms._steepness(_flattest(platforms))


def network_folds(platforms: AlikePlatforms):
    """Where the first platform jumps up as its advantage rises, and down as it falls.

    Returns:
        (advantages, shares), each `[2]`: a in utils, the larger first, and the share just before each jump; both `[0]` where
        there is no loop.
    Raises:
        ValueError: N₀ = 0 and θ ≥ 1: who is ahead stays ahead, whatever its advantage.
    """
    theta, flattest = platforms.network_effect, _flattest(platforms)
    if theta <= platforms._steepness(flattest):
        return np.empty(0), np.empty(0)
    if platforms.network_scale == 0 and theta >= 1.0:
        raise ValueError("network_scale=0 and network_effect >= 1: no advantage, however large, ends a lead; no folds")
    ends = []
    for side in (-1.0, 1.0):
        reach = 1.0
        while platforms._steepness(flattest + side * reach) <= theta:
            reach *= 2.0
        edges = sorted((flattest, flattest + side * reach))
        ends.append(optimize.brentq(lambda ratio: platforms._steepness(ratio) - theta, *edges, xtol=1e-14, rtol=1e-14))
    log_ratios = np.array(ends)
    return platforms._advantage(log_ratios), special.expit(log_ratios - platforms._centre)


def network_loop_width(platforms: AlikePlatforms):
    """Width of the loop in the first platform's advantage, utils.

    0 where there is none: for two platforms wherever `tips` is False. inf where N₀ = 0 and θ ≥ 1. The width in money is this
    over α, for a consumer of price sensitivity α.
    """
    if platforms.network_scale == 0 and platforms.network_effect >= 1.0:
        return math.inf
    advantages, _ = network_folds(platforms)
    return float(advantages[0] - advantages[1]) if len(advantages) else 0.0


def _flattest(platforms):
    """ℓ with the least v'/n'. Left of n's own centre both factors fall in ℓ, right of v's both rise: it is between."""
    cars, scale = platforms.installed_base * platforms.n_platforms, platforms.network_scale
    others = platforms.n_platforms - 1.0
    low, high = 0.5 * math.log(others * (cars + scale * others) / (cars + scale)), platforms._centre
    if scale == 0 or high - low < 1e-12:
        return high
    fine = {"xatol": 1e-10}
    found = optimize.minimize_scalar(platforms._steepness, bounds=(low, high), method="bounded", options=fine)
    return min((low, high, float(found.x)), key=platforms._steepness)
