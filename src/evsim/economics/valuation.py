"""What a way of doing business is worth: profits at a few points in time, made a present value; and what would turn a choice."""

from functools import lru_cache

import numpy as np


def yearly(years, values, horizon: int) -> np.ndarray:
    """Flows known at a few points in time, year by year: their values in the middle of each year.

    Linear between points, level before the first and after the last.

    Args:
        years: when they are known, `[P]`, years from now, rising.
        values: what they are then, `[..., P]`, finite, kCNY per year.
        horizon: H, years.
    Returns:
        `[..., H]`, kCNY per year.
    """
    return np.asarray(values, dtype=float) @ _between(tuple(years), horizon)


@lru_cache(maxsize=64)
def _between(years, horizon):
    """How much each point in time counts in each year, `[P, H]`; not to be written to."""
    weights = np.array([np.interp(np.arange(horizon) + 0.5, years, one) for one in np.eye(len(years))])
    weights.setflags(write=False)
    return weights


def phased(before, after, delay) -> np.ndarray:
    """A yearly flow that changes after a delay: the year in which it changes has part of both, `[..., H]`.

    Args:
        before, after: `[..., H]`, kCNY per year.
        delay: years from now, not negative.
    """
    before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    there = np.clip(np.arange(after.shape[-1]) + 1.0 - delay, 0.0, 1.0)
    return there * after + (1.0 - there) * before


def present_value(flow, rate):
    """Σ_y flow_y (1 + rate)^−(y + 1/2), kCNY: payments come in the middle of each year.

    Args:
        flow: `[..., H]`, kCNY per year.
        rate: yearly discount rate, above −1.
    Returns:
        `[...]`; a number of one flow.
    Raises:
        ValueError: the rate is −1 or less.
    """
    if not rate > -1.0:
        raise ValueError(f"rate={rate} must be above -1")
    flow = np.asarray(flow, dtype=float)
    return flow @ _factors(flow.shape[-1], rate)


@lru_cache(maxsize=64)
def _factors(horizon, rate):
    """What a payment of each year is worth today, `[H]`; not to be written to."""
    factors = (1.0 + rate) ** -(np.arange(horizon) + 0.5)
    factors.setflags(write=False)
    return factors


def annuity_value(flow, rate) -> float:
    """The even yearly flow of the same present value, kCNY per year."""
    flow = np.asarray(flow, dtype=float)
    return present_value(flow, rate) / present_value(np.ones(len(flow)), rate)


def turning_change(parts, gap):
    """By how much each part of an option's value would have to change, on its own, for the option to be chosen.

        change_k = gap / |part_k|

    Args:
        parts: `[K]`, kCNY, the terms that the option's value is the sum of.
        gap: by how much the option falls short of the one chosen, kCNY, not negative.
    Returns:
        (place of the part with the smallest relative change, that change as a fraction); (−1, inf) if all parts are 0.
    """
    parts = np.abs(np.asarray(parts, dtype=float))
    if not gap >= 0:
        raise ValueError(f"gap={gap} must not be negative: the option would have been chosen")
    if not (parts > 0).any():
        return -1, np.inf
    place = int(parts.argmax())
    return place, float(gap / parts[place])
