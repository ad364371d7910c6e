"""Compiled loops over households behind the value of an owner (`owner_value`)."""

import numpy as np

from evsim.compiled import njit
from evsim.economics.choice import BLOCK


@njit
def purchase_sums(purchases, odds, groups, boosts):
    """The sums over households behind ΔS, `[2, J, J]`: Σ_i b_ij E_ik / D_ij, and Σ_i b_ij P̄_ik.

    An owner's odds E exp g differ from those of the household without a car in two columns' groups only, so that
    D_ij = Σ_k E_ik exp g_jk takes no sum over k, nor Σ_l b_il P_ik(l) one over l:

        D_ij = Σ E_i + Σ_h x_hj (Σ E_i over j's group),   exp g_jk = 1 + Σ_h x_hj 1{k in j's group},   h: platform, brand, both

    Args:
        purchases: b, `[N, J]`; odds: E, `[N, J]`, any positive multiple a row.
        groups: codes from 0 of platform, brand, and both, `[3, J]`.
        boosts: x = (e^κ − 1, e^ι − 1, their product), `[3, J]`.
    """
    n_products = odds.shape[1]
    sums, block = np.zeros((2, n_products, n_products)), np.empty((2, n_products))
    scaled, average = np.empty((BLOCK, n_products)), np.empty((BLOCK, n_products))
    for first in range(0, len(odds), BLOCK):
        rows = min(BLOCK, len(odds) - first)
        for i in range(rows):
            _one_household(purchases[first + i], odds[first + i], groups, boosts, scaled[i], average[i])
        for j in range(n_products):
            block[:] = 0.0
            for i in range(rows):
                own, weight = scaled[i, j], purchases[first + i, j]
                for k in range(n_products):
                    block[0, k] += own * odds[first + i, k]
                    block[1, k] += weight * average[i, k]
            sums[:, j] += block
    return sums


@njit
def _one_household(purchases, odds, groups, boosts, scaled, average):
    """b_j / D_j and P̄_k of one household, into `scaled` and `average`, `[J]`."""
    n_products = len(odds)
    offered, owning = np.zeros((3, n_products)), np.zeros((3, n_products))
    everything, everybody, bought = 0.0, 0.0, 0.0
    for k in range(n_products):
        everything += odds[k]
        for h in range(3):
            offered[h, groups[h, k]] += odds[k]
    for j in range(n_products):
        total = everything
        for h in range(3):
            total += boosts[h, j] * offered[h, groups[h, j]]
        scaled[j] = purchases[j] / total
        bought += purchases[j]
        everybody += scaled[j]
        for h in range(3):
            owning[h, groups[h, j]] += boosts[h, j] * scaled[j]
    for k in range(n_products):
        pull = everybody + owning[0, groups[0, k]] + owning[1, groups[1, k]] + owning[2, groups[2, k]]
        average[k] = odds[k] * pull / bought if bought > 0.0 else 0.0
