"""Intervals by resampling worlds: seeds or draws that are common to everything compared stay together.

A world (a seed, or a draw of the uncertainties) is resampled whole, with its runs at every value of the levers, so that what
runs share cancels as it does in their differences. Resamples are keyed by what they are for, never "the next number": the
same table gives the same interval whatever else is analysed.
"""

import hashlib

import numpy as np
from scipy.special import ndtri, stdtrit

RESAMPLES = 400
COVERAGE = 0.90


def multiplicities(n_worlds: int, address: str, resamples: int = RESAMPLES) -> np.ndarray:
    """How often each world is in each resample, `[resamples, n_worlds]`; rows sum to the number of worlds.

    Args:
        n_worlds: to be drawn from, with replacement.
        address: what the resamples are for; the same address gives the same ones.
        resamples: how many.
    """
    key = int.from_bytes(hashlib.sha256(f"{address}:{n_worlds}".encode()).digest()[:16], "little")
    generator = np.random.Generator(np.random.Philox(key=key))
    return generator.multinomial(n_worlds, np.full(n_worlds, 1.0 / n_worlds), size=resamples)


def widened(resampled: np.ndarray, value: np.ndarray | float, n_worlds: int) -> np.ndarray:
    """Resampled means, moved from the mean so far that their quantiles are those of Student's interval in small samples.

        value + √(n / (n − 1)) t_{n−1} / z (resampled − value)

    A bootstrap of n worlds is too narrow by √((n − 1)/n), and knows nothing of what a variance from few worlds leaves open.

    Args:
        resampled: means of resamples, the first axis counts them.
        value: the mean itself.
        n_worlds: n, at least 2.
    Source:
        Hesterberg (2015), The American Statistician 69(4), section 4.
    """
    tail = 0.5 + COVERAGE / 2.0
    return value + (n_worlds / (n_worlds - 1.0)) ** 0.5 * stdtrit(n_worlds - 1, tail) / ndtri(tail) * (
        resampled - value
    )


def interval(resampled: np.ndarray, coverage: float = COVERAGE) -> tuple[np.ndarray, np.ndarray]:
    """Low and high end over the first axis; a resample that is ±inf counts as beyond every number."""
    tail = (1.0 - coverage) / 2.0
    low, high = np.quantile(resampled, [tail, 1.0 - tail], axis=0, method="inverted_cdf")
    return low, high
