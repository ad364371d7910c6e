"""Utility of every car on offer for one household: the row functions of demand.

    V_ij = quality_j + α₀ b_i A_g + e_i electric_j + ζ_i,class(j) + ν_i premium_j + ψ phone_i 1{g is the leader's}
           + μ (W_c(i),g − W̄_g) + κ s(tenure_i) 1{g = g_i} + ι 1{brand = brand_i} − α_i q_j
    V_i0 = −α_i q₀ − ρ overdue_i + ω α₀ b_i (A_g_i − A_g_i when bought)

`quality_j` gathers what is the same for everybody: ξ_j + ln n_j + β_h h_j + θ ln(…) + τ_b + χ electric_j ln(chargers) + ageing.
α_i = α₀ / income_i; the mean of b_i is 1, so a household would pay b_i income_i A for software of quality A.
State dependence is a gain of staying, never a cost of leaving: the two differ in the outside option only.
"""

import numpy as np

from ..compiled import njit

SIZE_CLASSES = 6  # A00, A0, A, B, C, D
INCOME, SOFTWARE, ELECTRIC, PREMIUM, PHONE, FIRST_CLASS = 0, 1, 2, 3, 4, 5  # columns of a row of tastes
N_TASTES = FIRST_CLASS + SIZE_CLASSES


@njit
def price_sensitivity(median_sensitivity, tastes):
    """α_i = α₀ / income_i, utils per kCNY."""
    return median_sensitivity / tastes[INCOME]


@njit
def lock_in_strength(tenure, tenure_scale):
    """s(tenure) = 1 − exp(−tenure/τ_κ): how much of the lock-in has built up."""
    return 1.0 - np.exp(-tenure / tenure_scale)


@njit
def taste_utility(tastes, median_sensitivity, phone_effect, shelf, out):
    """Fill `out` with a household's utility of each product before price and state.

        quality_j + α₀ b_i A_g + e_i electric_j + ζ_i,class(j) + ν_i premium_j + ψ phone_i 1{g is the leader's}

    Args:
        tastes: a row of tastes, columns as above.
        median_sensitivity: α₀, utils per kCNY; phone_effect: ψ, utils.
        shelf: anything with the `[J]` arrays quality (utils), software (A_g, kCNY), electric, premium, leader, size_class.
        out: `[J]`, utils, overwritten.
    """
    software_value = median_sensitivity * tastes[SOFTWARE]
    phone_value = phone_effect * tastes[PHONE]
    for j in range(len(out)):
        out[j] = (
            shelf.quality[j]
            + software_value * shelf.software[j]
            + tastes[ELECTRIC] * shelf.electric[j]
            + tastes[PREMIUM] * shelf.premium[j]
            + tastes[FIRST_CLASS + shelf.size_class[j]]
            + phone_value * shelf.leader[j]
        )


@njit
def state_utility(shelf, platform, lock_in, brand, brand_loyalty, word_of_mouth, whispers, out):
    """Add to `out` what a household's car and neighbours add for each product.

        μ (W_c,g − W̄_g) + κ s(tenure) 1{g = platform} + ι 1{b = brand}

    Args:
        shelf: anything with the `[J]` codes platform and brand.
        platform, brand: of the car owned, −1 if none; lock_in: κ s(tenure), utils; brand_loyalty: ι, utils.
        word_of_mouth: μ, utils; whispers: `[platforms]`, W_c,g − W̄_g.
        out: `[J]`, utils.
    """
    for j in range(len(out)):
        gain = word_of_mouth * whispers[shelf.platform[j]]
        if shelf.platform[j] == platform:
            gain += lock_in
        if shelf.brand[j] == brand:
            gain += brand_loyalty
        out[j] += gain


@njit
def outside_utility(sensitivity, outlay, overdue, overdue_cost, software_gain):
    """V_i0 = −α_i q₀ − ρ overdue_i + software gain of the car owned, already in utils."""
    return -sensitivity * outlay - overdue_cost * overdue + software_gain
