"""Lock-in: how strong it is, what it is worth in money and to whom, and when a market with a network effect tips.

Platforms that are alike share the market evenly as long as what a platform gains from its own installed base is less than what
it takes to leave the even split (`tips`).

An owner's car is ahead of the best rival by d, utils without lock-in, plus the gain of staying κ, plus a logistic shock (the
difference of two Gumbel tastes). What one would have to pay so that the owner leaves is that lead in money, where it is
positive:

    X = max(0, d + κ + shock) / α,   E X = ln(1 + e^(d + κ)) / α,   P(X ≤ x) = Λ(α x − d − κ),  x ≥ 0

The theory behind it is in modules of its own; their public names can be had from here:

    urns             Pólya's urn, linear and with feedback; exact laws and limits
    fixation         superlinear feedback: who wins for ever
    logit_urn        buyers who choose by share: fixed points
    walks            Arthur's walk: absorption
    switching_chain  repeat purchase with brand loyalty and lock-in: retention, churn, tenure, rents
    customer_prices  prices for ever with a switching cost
    persistence      the kit's measures: excess repeat, loop width, half-life, path dependence
    hysteresis       mean-field logit with a network effect: folds, loop, escape
    network_loop     the same with the model's own network effect and lock-in
    birth_death      stationary law and first-passage times

Diffusion is in `diffusion`, prices of two periods in `switching`.
"""

import math

import numpy as np
from scipy import optimize, special

from evsim.economics.birth_death import birth_death_law, first_passage_time
from evsim.economics.choice import inclusive_value, normalised_weights, positive_sensitivity, utility_table
from evsim.economics.customer_prices import CustomerPrices, customer_prices
from evsim.economics.fixation import fixation_chances
from evsim.economics.hysteresis import (
    escape_times,
    finite_market_law,
    fold_points,
    hysteresis_loop,
    logit_rates,
    loop_width,
    rest_points,
    share_at_rest,
    sweep,
)
from evsim.economics.logit_urn import FixedPoints, logit_chances, logit_fixed_points, logit_tipping_points
from evsim.economics.network_loop import (
    AlikePlatforms,
    advantage_at_rest,
    network_folds,
    network_loop_width,
    opening_network_effect,
)
from evsim.economics.persistence import (
    OwnersRepeat,
    PathDependence,
    entry_barrier,
    half_life,
    mean_loop_width,
    naive_switching_cost,
    owners_churn,
    owners_repeat,
    path_dependence,
    spell_months,
    two_way_split,
)
from evsim.economics.switching_chain import (
    RepeatPurchase,
    SwitchingChain,
    churn_matrix,
    expected_tenure,
    newcomer_law,
    owner_rents,
    remaining_tenure,
    repeat_purchase,
    stationary_law,
    stationary_shares,
    transition_matrix,
)
from evsim.economics.urns import (
    DirichletLaw,
    feedback_chances,
    urn_law,
    urn_limit,
    urn_marginals,
    urn_moments,
    urn_probability,
)
from evsim.economics.walks import Absorption, absorption, absorption_times, lock_in_barriers

__all__ = [
    "Absorption", "AlikePlatforms", "CustomerPrices", "DirichletLaw", "FixedPoints", "OwnersRepeat",
    "PathDependence", "RepeatPurchase", "SwitchingChain", "absorption", "absorption_times", "advantage_at_rest",
    "advantage_over_rivals", "birth_death_law", "churn_matrix", "compensating_price", "compensation_cdf",
    "compensation_quantile", "customer_prices", "entry_barrier", "escape_times", "excess_repeat", "expected_tenure",
    "feedback_chances", "finite_market_law", "first_passage_time", "fixation_chances", "fold_points", "half_life",
    "hysteresis_loop", "implied_switching_cost", "lock_in_barriers", "lock_in_price", "lock_in_split",
    "logit_chances", "logit_fixed_points", "logit_rates", "logit_tipping_points", "loop_width", "mean_loop_width",
    "naive_switching_cost", "network_folds", "network_loop_width", "newcomer_law", "opening_network_effect",
    "owner_rents", "owners_churn", "owners_repeat", "path_dependence", "remaining_tenure", "repeat_purchase",
    "rest_points", "share_at_rest", "spell_months", "stationary_law", "stationary_shares", "sweep", "tips",
    "transition_matrix", "two_way_split", "urn_law", "urn_limit", "urn_marginals", "urn_moments", "urn_probability",
]  # fmt: skip


def excess_repeat(switching_cost, n_platforms):
    """Excess repeat probability that lock-in causes among alike platforms.

        λ = (e^κ − 1) / (e^κ + G − 1)

    Args:
        switching_cost: κ, utils, not negative.
        n_platforms: G, at least 1.
    Returns:
        λ, fraction: the chance to repeat is λ + (1 − λ)/G.
    """
    gain = math.exp(switching_cost)
    return (gain - 1.0) / (gain + n_platforms - 1.0)


def implied_switching_cost(excess, n_platforms):
    """The switching cost that would cause an excess repeat probability among alike platforms: `excess_repeat` solved for κ.

        κ = ln((1 + (G − 1) λ) / (1 − λ))

    An observer who takes all excess repeat purchase for lock-in finds this κ; where tastes differ it is too large.

    Args:
        excess: λ, fraction, above −1/(G − 1) and below 1.
        n_platforms: G, at least 2.
    Returns:
        κ, utils; negative where people repeat less than by chance.
    Raises:
        ValueError: no finite κ has this excess.
    """
    if n_platforms < 2 or not -1.0 / (n_platforms - 1.0) < excess < 1.0:
        raise ValueError(f"excess={excess} must be in (−1/(G − 1), 1), and n_platforms={n_platforms} at least 2")
    return math.log1p((n_platforms - 1.0) * excess) - math.log1p(-excess)


def tips(network_effect, installed_base, network_scale, switching_cost, n_platforms):
    """Whether alike platforms leave the symmetric state.

        θ N / (N + N₀) > 1 / (1 + λ)

    Args:
        network_effect: θ, utils per log point; data learning adds its elasticity to it.
        installed_base: N, cars of one platform; network_scale: N₀, cars.
        switching_cost: κ, utils; n_platforms: G.
    Returns:
        True above the threshold; λ from `excess_repeat`. κ alone slows the market but leaves one rest point.
    """
    effective = network_effect * installed_base / (installed_base + network_scale)
    return effective > 1.0 / (1.0 + excess_repeat(switching_cost, n_platforms))


def advantage_over_rivals(utility, own):
    """How far the best of one's own is ahead of the best of the rest, before tastes are drawn.

        d_i = ln Σ_{j own} e^{U_ij} − ln Σ_{j not own} e^{U_ij}

    Args:
        utility: U, `[N, J]`, utils, prices included and lock-in left out.
        own: `[J]` or `[N, J]` bool: the products that staying with the brand, or on the platform, would leave.
    Returns:
        d, `[N]`, utils; −inf where nothing of one's own is on offer, inf where nothing else is.
    Raises:
        ValueError: a consumer to whom nothing at all is on offer, or `own` of another shape.
    """
    utility, own = utility_table(utility), np.asarray(own, dtype=bool)
    if own.shape not in (utility.shape, utility.shape[1:]):
        raise ValueError(f"own must have shape {utility.shape[1:]} or {utility.shape}, not {own.shape}")
    if (utility.max(axis=1) == -np.inf).any():
        raise ValueError("utility must leave every consumer something on offer")
    stay, leave = np.where(own, utility, -np.inf), np.where(own, -np.inf, utility)
    return inclusive_value(stay, -np.inf) - inclusive_value(leave, -np.inf)


def compensating_price(advantage, switching_cost, price_sensitivity):
    """Expected discount of the best rival, or payment, that makes each owner switch.

        E X_i = ln(1 + e^(d_i + κ_i)) / α_i

    Args:
        advantage: d, `[N]` or scalar, utils without lock-in (`advantage_over_rivals`).
        switching_cost: κ, `[N]` or scalar, utils; brand loyalty may be added to it.
        price_sensitivity: α, `[N]` or scalar, utils per kCNY, positive.
    Returns:
        E X, kCNY; those who switch by themselves count as 0.
    Raises:
        ValueError: a price sensitivity is not positive.
    """
    return np.logaddexp(0.0, np.add(advantage, switching_cost)) / _sensitivity(price_sensitivity)


def lock_in_price(advantage, switching_cost, price_sensitivity):
    """The part of the compensating price that lock-in is the reason for.

        (ln(1 + e^(d + κ)) − ln(1 + e^d)) / α

    Args:
        advantage, switching_cost, price_sensitivity: as in `compensating_price`.
    Returns:
        kCNY; between 0 and κ/α, and the nearer to κ/α the further ahead the owner's car is anyhow.
    """
    gain = np.expm1(switching_cost) * special.expit(advantage)  # the difference of the two logarithms is ln(1 + gain)
    return np.log1p(gain) / _sensitivity(price_sensitivity)


def compensation_cdf(price, advantage, switching_cost, price_sensitivity, weights=None):
    """Fraction of owners who switch for a payment of at most x, tastes and consumers taken together.

        F(x) = Σ_i w_i Λ(α_i x − d_i − κ_i) for x ≥ 0, else 0

    At x = 0 it is the fraction that switches anyhow.

    Args:
        price: x, any shape, kCNY.
        advantage, switching_cost, price_sensitivity: d, κ, α, `[N]` or scalar, as in `compensating_price`.
        weights: w, `[N]`, of the consumers; None: all alike.
    Returns:
        F, of the shape of `price`.
    Raises:
        ValueError: shapes that do not go together, weights or price sensitivities that make no sense.
    """
    lead, sensitivity, weights = _owners(advantage, switching_cost, price_sensitivity, weights)
    price = np.asarray(price, dtype=float)
    return np.where(price >= 0, special.expit(price[..., None] * sensitivity - lead) @ weights, 0.0)


def compensation_quantile(probability, advantage, switching_cost, price_sensitivity, weights=None):
    """The payment for which a given fraction of owners switches, kCNY: the inverse of `compensation_cdf`.

    Args:
        probability: u, any shape, in [0, 1); up to the fraction that switches anyhow the payment is 0.
        advantage, switching_cost, price_sensitivity, weights: as in `compensation_cdf`; d + κ finite.
    Returns:
        x, of the shape of `probability`.
    Raises:
        ValueError: a probability outside [0, 1), or an owner whom nothing, or everything, makes switch.
    """
    lead, sensitivity, weights = _owners(advantage, switching_cost, price_sensitivity, weights)
    probability = np.asarray(probability, dtype=float)
    if not ((probability >= 0) & (probability < 1)).all():
        raise ValueError("probability must be in [0, 1): no finite payment moves everybody")
    if not np.isfinite(lead).all():
        raise ValueError("advantage and switching_cost must be finite: else no payment makes an owner switch")
    anyhow = special.expit(-lead) @ weights
    payments = [0.0 if u <= anyhow else _payment(u, lead, sensitivity, weights) for u in probability.ravel()]
    return np.array(payments).reshape(probability.shape)


def _payment(probability, lead, sensitivity, weights):
    """Between the payments that move this fraction of each consumer's tastes: the least of them and the largest."""
    by_owner = (special.logit(probability) + lead[weights > 0]) / sensitivity[weights > 0]
    low, high = max(float(by_owner.min()), 0.0), float(by_owner.max())

    def excess(price):
        return float(special.expit(price * sensitivity - lead) @ weights) - probability

    if excess(low) >= 0.0 or excess(high) <= 0.0:  # owners who are alike, but for rounding
        return low if excess(low) >= 0.0 else high
    return optimize.brentq(excess, low, high, xtol=1e-13, rtol=1e-15)


def lock_in_split(advantage, switching_cost, brand_loyalty, price_sensitivity):
    """What of an owner's lock-in, in money, is the platform's doing and what the brand's.

    Together they make v(κ + ι) − v(0) of the price at which the owner leaves both, v(g) = ln(1 + e^(d + g)) / α. Each gets the
    mean of what it adds to nothing and of what it adds to the other (Shapley's value):

        platform: ½ (v(κ) − v(0)) + ½ (v(κ + ι) − v(ι));   brand: the same with κ and ι exchanged

    Who then earns it is another question: see `switching_chain.owner_rents`.

    Args:
        advantage: d, utils: over the best product of another brand on another platform, without lock-in.
        switching_cost: κ; brand_loyalty: ι, utils.
        price_sensitivity: α, utils per kCNY; all `[N]` or scalar.
    Returns:
        (platform, brand), kCNY; their sum is `lock_in_price` with κ + ι.
    """
    advantage, platform, brand = (np.asarray(x, dtype=float) for x in (advantage, switching_cost, brand_loyalty))

    def part(own, other):
        alone = lock_in_price(advantage, own, price_sensitivity)
        return 0.5 * (alone + lock_in_price(advantage + other, own, price_sensitivity))

    return part(platform, brand), part(brand, platform)


def _sensitivity(price_sensitivity):
    """α, checked, a number where it was a number."""
    return positive_sensitivity(price_sensitivity).reshape(np.shape(price_sensitivity))


def _owners(advantage, switching_cost, price_sensitivity, weights):
    """d + κ, α and weights, `[N]` each."""
    lead = np.add(advantage, switching_cost, dtype=float)
    lead, sensitivity = np.broadcast_arrays(np.atleast_1d(lead), positive_sensitivity(price_sensitivity))
    if lead.ndim != 1 or np.isnan(lead).any():
        raise ValueError("advantage, switching_cost and price_sensitivity must be numbers, or one for each consumer")
    return lead, sensitivity, normalised_weights(weights, len(lead))
