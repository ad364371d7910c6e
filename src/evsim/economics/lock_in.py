"""When a market with a network effect and lock-in tips.

Platforms that are alike share the market evenly as long as what a platform gains from its own installed base is less than what
it takes to leave the even split.
"""

import math


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
