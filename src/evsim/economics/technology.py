"""Learning curves, R&D, software quality, hardware, chargers, and how long cars stay on the road.

Plain functions on numbers or arrays; the caller brings the draws.
"""

import numpy as np


def experience_cost(initial_cost, initial_output, cumulative_output, learning_rate):
    """Unit cost after learning by doing (Wright's law).

        c = c₀ (Q / Q₀)^(-b),  b = -log₂(1 - learning_rate)

    Args:
        initial_cost: c₀, kCNY per unit, at `initial_output`.
        initial_output: Q₀, units made before; positive.
        cumulative_output: Q, units made so far; at least Q₀ in use, any positive number in the formula.
        learning_rate: fall of cost per doubling of Q, fraction in [0, 1).
    Returns:
        Cost per unit, kCNY, in the shape of `cumulative_output`.
    Raises:
        ValueError: an output is not positive, or the rate is outside [0, 1).
    Source:
        Wright (1936), J. Aeronautical Sciences 3(4); Ziegler & Trancik (2021), doi:10.1039/D0EE02681F.
    """
    if not 0.0 <= learning_rate < 1.0:
        raise ValueError(f"learning_rate={learning_rate} must be in [0, 1)")
    if not (np.asarray(initial_output) > 0).all() or not (np.asarray(cumulative_output) > 0).all():
        raise ValueError("outputs must be positive: learning starts from some experience")
    return initial_cost * np.power(np.divide(cumulative_output, initial_output), np.log2(1.0 - learning_rate))


def success_probability(research, effect):
    """Chance of a success in one period, rising with diminishing returns in research.

        π = a x / (1 + a x)

    Args:
        research: x, any non-negative unit.
        effect: a, per that unit, non-negative.
    Source:
        Ericson & Pakes (1995), Review of Economic Studies 62(1), the example of Pakes & McGuire (1994).
    """
    odds = np.multiply(effect, research)
    return odds / (1.0 + odds)


def pooled_research(spending, fleet, network_scale, data_effect):
    """R&D with what the platform's own fleet teaches, in units of spending.

        x = spending + d ln(1 + N / N₀)

    Diminishing returns in the fleet N; d in units of spending, N₀ in cars.
    """
    return np.asarray(spending) + data_effect * np.log1p(np.asarray(fleet) / network_scale)


def next_quality(quality, success, gain, drift):
    """Quality relative to the moving frontier: A' = A + gain · success − drift (kCNY)."""
    return np.asarray(quality) + gain * np.asarray(success, dtype=float) - drift


def frontier_drift(shares, probability, gain):
    """Drift that leaves the sales-weighted mean of quality unchanged: Σ_g s_g π_g gain / Σ_g s_g (kCNY a period)."""
    shares = np.asarray(shares, dtype=float)
    return gain * float(np.dot(shares, probability) / shares.sum())


def converge(hardware, frontier, rate):
    """Hardware after one period of catching up: h' = h + rate · (frontier − h)."""
    return hardware + rate * (frontier - np.asarray(hardware))


def chargers_wanted(fleet, initial_fleet, elasticity):
    """Stock of chargers, base = 1, that an electric fleet calls forth: (E / E₀)^η."""
    return np.power(np.divide(fleet, initial_fleet), elasticity)


def partial_adjustment(stock, wanted, lag):
    """Stock after one period of adjustment with mean lag `lag` periods (0: at once)."""
    return stock + (wanted - stock) / (1.0 + lag)


def survival(age, scale, shape):
    """Share of cars of an age still on the road (Weibull): exp(-(age / scale)^shape); ages and scale in one unit."""
    return np.exp(-np.power(np.divide(age, scale), shape))


def diluted(support, members, base_members, elasticity):
    """What one partner gets of a leader's attention: support · (n₀ / n)^d, n at least 1."""
    return support * np.power(np.divide(base_members, np.maximum(members, 1)), elasticity)


def research_budget(base, revenue, base_revenue, elasticity):
    """R&D that grows with what a firm sells: base · (revenue / base revenue)^e, in the unit of `base`.

    A firm that sold nothing at the base date spends `base`.
    """
    if not base_revenue > 0:
        return float(base)
    return float(base * np.power(max(revenue, 0.0) / base_revenue, elasticity))
