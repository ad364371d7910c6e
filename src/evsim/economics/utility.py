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
def traits_of(shelf):
    """What tastes are about, `[6 + SIZE_CLASSES, J]`, in the order in which `taste_utility` reads it: one table, and a size
    class as a row of zeros and ones, so that its loop takes several products at once.

    Args:
        shelf: anything with the `[J]` arrays quality (utils), software (A_g, kCNY), electric, premium, leader, size_class.
    """
    traits = np.zeros((5 + SIZE_CLASSES, len(shelf.quality)))
    traits[0], traits[1], traits[2] = shelf.quality, shelf.software, shelf.electric
    traits[3], traits[4] = shelf.premium, shelf.leader
    for j in range(len(shelf.quality)):
        traits[5 + shelf.size_class[j], j] = 1.0
    return traits


@njit
def taste_utility(tastes, median_sensitivity, phone_effect, traits, out):
    """Fill `out` with a household's utility of each product before price and state.

        quality_j + α₀ b_i A_g + e_i electric_j + ν_i premium_j + ψ phone_i 1{g is the leader's} + ζ_i,class(j)

    Args:
        tastes: a row of tastes, columns as above.
        median_sensitivity: α₀, utils per kCNY; phone_effect: ψ, utils.
        traits: of the products, `traits_of`.
        out: `[J]`, utils, overwritten.
    """
    software, electric, premium = median_sensitivity * tastes[SOFTWARE], tastes[ELECTRIC], tastes[PREMIUM]
    phone, (a00, a0, a, b, c, d) = phone_effect * tastes[PHONE], size_tastes(tastes)
    for j in range(len(out)):
        liked = traits[0, j] + software * traits[1, j] + electric * traits[2, j]
        liked += premium * traits[3, j] + phone * traits[4, j]
        liked += a00 * traits[5, j] + a0 * traits[6, j] + a * traits[7, j]
        out[j] = liked + b * traits[8, j] + c * traits[9, j] + d * traits[10, j]


@njit
def size_tastes(tastes):
    """ζ_i of each size class, A00 to D, utils."""
    first = FIRST_CLASS
    return tastes[first], tastes[first + 1], tastes[first + 2], tastes[first + 3], tastes[first + 4], tastes[first + 5]


@njit
def heard_utility(platform, word_of_mouth, whispers, out):
    """Fill `out` `[J]` with what is said in a community about each product's platform, μ (W_c,g − W̄_g), utils.

    Args:
        platform: code of each product; word_of_mouth: μ, utils; whispers: `[platforms]`, W_c,g − W̄_g.
    """
    for j in range(len(out)):
        out[j] = word_of_mouth * whispers[platform[j]]


@njit
def state_utility(shelf, platform, lock_in, brand, brand_loyalty, heard, out):
    """Add to `out` what a household's car and neighbours add for each product.

        μ (W_c,g − W̄_g) + κ s(tenure) 1{g = platform} + ι 1{b = brand}

    Args:
        shelf: anything with the `[J]` codes platform and brand.
        platform, brand: of the car owned, −1 if none; lock_in: κ s(tenure), utils; brand_loyalty: ι, utils.
        heard: `heard_utility` of the community, `[J]`.
        out: `[J]`, utils.
    """
    for j in range(len(out)):
        stays, returns = shelf.platform[j] == platform, shelf.brand[j] == brand
        out[j] += heard[j] + (lock_in if stays else 0.0) + (brand_loyalty if returns else 0.0)


@njit
def outside_utility(sensitivity, outlay, overdue, overdue_cost, software_gain):
    """V_i0 = −α_i q₀ − ρ overdue_i + software gain of the car owned, already in utils."""
    return -sensitivity * outlay - overdue_cost * overdue + software_gain
