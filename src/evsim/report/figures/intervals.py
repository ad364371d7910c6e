"""Intervals over seeds: bands to draw, brackets to print."""

from collections.abc import Sequence
from math import isnan

import numpy as np
import pandas as pd

from evsim import words

QUANTILE = 1.6449  # of the normal, for 90 %


def share_interval(count: int, of: int) -> tuple[float, float, float]:
    """A share with its 90 % interval.

        (p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n)

    Source:
        Wilson (1927), JASA 22; Brown, Cai & DasGupta (2001), Statistical Science 16, recommend it for small n.
    """
    share, z = count / of, QUANTILE
    middle = share + z**2 / (2 * of)
    half = z * np.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    return share, float((middle - half) / (1 + z**2 / of)), float((middle + half) / (1 + z**2 / of))


def band(table: pd.DataFrame) -> np.ndarray:
    """Mean, low and high end over the columns (seeds) of each row, `[3, rows]`; without a second seed the ends are the mean."""
    ends = np.array([words.paired_interval(list(row)) for row in table.to_numpy()]).T
    return np.where(np.isnan(ends), ends[:1], ends)


def pseudo_ratios(numerators: Sequence[float], denominators: Sequence[float]) -> np.ndarray:
    """Jackknife pseudo-values of a ratio of sums over seeds, `[n]`: their mean and its interval are the ratio's.

        n R − (n − 1) R_(−i),   R = Σ numerators / Σ denominators, R_(−i) without seed i

    A mean of each seed's own ratio is too high where few cars are counted below.

    Source:
        Quenouille (1956), Biometrika 43; Miller (1974), Biometrika 61.
    """
    above, below = np.asarray(numerators, dtype=float), np.asarray(denominators, dtype=float)
    n, ratio = len(above), above.sum() / below.sum()
    if n == 1:
        return np.array([ratio])
    return n * ratio - (n - 1) * (above.sum() - above) / (below.sum() - below)


def bracketed(values: Sequence[float], digits: int = 1, unit: str = "") -> str:
    """Mean over seeds with its 90 % interval: `15.9 % [15.2, 16.6]`; no bracket for a single seed."""
    mean, low, high = words.paired_interval([float(value) for value in values])
    text = f"{_plain(mean, digits)}{unit}"
    return text if isnan(low) else f"{text} [{_plain(low, digits)}, {_plain(high, digits)}]"


def _plain(value: float, digits: int) -> str:
    """Without a sign on nothing."""
    return f"{round(value, digits) + 0.0:,.{digits}f}"
