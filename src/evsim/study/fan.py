"""Quantiles of many runs, month by month, for a fan chart."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

PARTS = (0.05, 0.25, 0.5, 0.75, 0.95)
MONTHS = 12  # over which a run's months are averaged, so that season and small samples do not show


def fan_quantiles(months: Sequence[str], paths: np.ndarray) -> pd.DataFrame:
    """Quantiles over runs of each run's mean of the 12 months to the date (at first of those there are).

    Args:
        months: YYYY-MM, in order.
        paths: `[months, runs]`; nan where a run has no value.
    Returns:
        A row a month, a column for each of `PARTS`.
    """
    known = np.isfinite(paths)
    sums, counts = (np.cumsum(each, axis=0) for each in (np.where(known, paths, 0.0), known))
    sums[MONTHS:], counts[MONTHS:] = sums[MONTHS:] - sums[:-MONTHS], counts[MONTHS:] - counts[:-MONTHS]
    means = np.divide(sums, counts, out=np.full(paths.shape, np.nan), where=counts > 0)
    quantiles = np.quantile if known.all() else np.nanquantile
    return pd.DataFrame(
        quantiles(means, PARTS, axis=1).T, pd.Index(months, name="month"), [f"{part:g}" for part in PARTS]
    )
