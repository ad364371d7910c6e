"""Shares, concentration, elasticities, diversion: how a market is described.

The derivative of shares is the mixed logit's with given consumers: ∂s_k/∂q_j = Γ_jk − Λ_j δ_jk, Λ_j = Σ_i w_i α_i P_ij,
Γ_jk = Σ_i w_i α_i P_ij P_ik. In every square table the row is the price that moves, the column what responds.
Prices here are the buyer's; where tax or subsidy make dq/dp other than 1, multiply row j by q'_j for the posted price.
"""

import numpy as np

from evsim.compiled import njit
from evsim.economics.choice import BLOCK, normalised_weights, positive_sensitivity, weighted_total


def market_shares(units):
    """Each product's fraction of all units sold, `[J]`; zeros where nothing is sold.

    Raises:
        ValueError: negative or NaN units.
    """
    units = np.asarray(units, dtype=float)
    if not (units >= 0).all():
        raise ValueError("units sold must not be negative")
    total = units.sum()
    return units / total if total > 0 else np.zeros_like(units)


def group_shares(shares, group, n_groups=None):
    """Sum of shares by group, `[G]`.

    Args:
        shares: `[J]`.
        group: the group of each product, `[J]`, whole numbers from 0; −1: none.
        n_groups: G; None: the highest group and those below.
    """
    shares, group = np.asarray(shares, dtype=float), np.asarray(group)
    if shares.shape != group.shape:
        raise ValueError(f"group must name one group per product, {shares.shape}, not {group.shape}")
    member = group >= 0
    return np.bincount(group[member], weights=shares[member], minlength=n_groups or 0)


def hhi(shares):
    """Herfindahl–Hirschman index, points from 0 to 10 000: 10 000 Σ s², shares scaled to sum to 1; 0 without sales."""
    return float(10_000.0 * (market_shares(shares) ** 2).sum())


def concentration(shares, largest=4):
    """Joint share of the few largest, a fraction: CR4 unless told otherwise; shares scaled to sum to 1."""
    return float(np.sort(market_shares(shares))[::-1][:largest].sum())


def share_jacobian(probabilities, price_sensitivity, weights=None):
    """∂s_k/∂q_j, `[J, J]`, per kCNY; row j: the price that moves.

        ∂s_k/∂q_j = Σ_i w_i α_i P_ij (P_ik − δ_jk)

    Args:
        probabilities: P, `[N, J]`.
        price_sensitivity: α, `[N]`, utils per kCNY, positive.
        weights: w, `[N]`; None: all alike.
    Source:
        Train (2009), section 6.2; Berry, Levinsohn & Pakes (1995), equation 6.9.
    """
    probabilities = np.ascontiguousarray(probabilities, dtype=float)
    sensitive = normalised_weights(weights, len(probabilities)) * positive_sensitivity(price_sensitivity)
    jacobian = _weighted_gram(probabilities, sensitive)
    jacobian[np.diag_indices_from(jacobian)] -= weighted_total(probabilities, sensitive)
    return jacobian


def price_elasticities(probabilities, price_sensitivity, weights, buyer_prices):
    """Elasticity of share k with respect to price j, `[J, J]`; row j: the price that moves.

        E_jk = (∂s_k/∂q_j) q_j / s_k

    Args:
        probabilities: P, `[N, J]`.
        price_sensitivity: α, `[N]`, utils per kCNY, positive.
        weights: w, `[N]`; None: all alike.
        buyer_prices: q, `[J]`, kCNY.
    Returns:
        `[J, J]`; own elasticities on the diagonal; 0 in the column of a product with no share.
    """
    jacobian = share_jacobian(probabilities, price_sensitivity, weights)
    shares = _shares(probabilities, weights)[None, :] * np.ones((len(jacobian), 1))
    change = jacobian * np.asarray(buyer_prices, dtype=float)[:, None]
    return np.divide(change, shares, out=np.zeros_like(change), where=shares > 0)


def market_elasticity(probabilities, price_sensitivity, weights, buyer_prices):
    """Elasticity of total sales when all prices rise by the same per cent: Σ_jk q_j ∂s_k/∂q_j / Σ_k s_k."""
    jacobian = share_jacobian(probabilities, price_sensitivity, weights)
    change = (np.asarray(buyer_prices, dtype=float)[:, None] * jacobian).sum()
    return float(change / _shares(probabilities, weights).sum())


def diversion_ratios(probabilities, price_sensitivity, weights=None):
    """Where the buyers go who leave product j as its price rises, `[J, J + 1]`; the last column: the outside good.

        D_jk = −(∂s_k/∂q_j) / (∂s_j/∂q_j)

    The diagonal is 0 and every row sums to 1; the row of a product that nobody buys is 0.

    Source:
        Conlon & Mortimer (2021), RAND Journal 52(4).
    """
    jacobian = share_jacobian(probabilities, price_sensitivity, weights)
    leaving = -np.diag(jacobian)[:, None] * np.ones_like(jacobian)
    diversion = np.divide(jacobian, leaving, out=np.zeros_like(jacobian), where=leaving > 0)
    np.fill_diagonal(diversion, 0.0)
    outside = np.where(leaving[:, 0] > 0, 1.0 - diversion.sum(axis=1), 0.0)
    return np.column_stack([diversion, outside])


def _shares(probabilities, weights):
    probabilities = np.ascontiguousarray(probabilities, dtype=float)
    return weighted_total(probabilities, normalised_weights(weights, len(probabilities)))


@njit
def _weighted_gram(probabilities, weights):
    """Σ_i w_i P_ij P_ik, `[J, J]`, block by block in a fixed order."""
    n_consumers, n_products = probabilities.shape
    total = np.zeros((n_products, n_products))
    block = np.empty((n_products, n_products))
    for first in range(0, n_consumers, BLOCK):
        block[:] = 0.0
        for i in range(first, min(first + BLOCK, n_consumers)):
            for j in range(n_products):
                chance = weights[i] * probabilities[i, j]
                for k in range(n_products):
                    block[j, k] += chance * probabilities[i, k]
        total += block
    return total
