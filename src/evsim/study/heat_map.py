"""An outcome over a grid of two keys, and the line where it tips: where its mean crosses a threshold.

Tables of runs are frames with a row a run: columns for both keys, for the world (what is common to runs at all points of the
grid: the seed, or the draw), for the outcome. A grid may have holes; the line is known where neighbours are.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .bootstrap import RESAMPLES, interval, multiplicities, widened

FINER = 6  # points of the band between two neighbours of the grid


@dataclass(frozen=True)
class Grid:
    """What a heat map is of: columns of a table of runs.

    Attributes:
        x, y: keys with numbers.
        outcome: its mean is mapped.
        world: what runs share; resampled whole.
        x_values, y_values: of the whole grid, where a table may lack some; none: those in the table.
    """

    x: str
    y: str
    outcome: str
    world: str = "seed"
    x_values: tuple[float, ...] = ()
    y_values: tuple[float, ...] = ()


def grid_means(runs: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """Mean outcome, a row for each y, a column for each x, both ascending; nan where no run is."""
    means = runs.groupby([grid.y, grid.x])[grid.outcome].mean().unstack()
    x = sorted(grid.x_values or means.columns)
    y = sorted(grid.y_values or means.index)
    return means.reindex(index=pd.Index(y, name=grid.y), columns=pd.Index(x, name=grid.x))


def halfway(means: pd.DataFrame) -> float:
    """The usual threshold: half way between the lowest and the highest mean of a grid."""
    values = means.to_numpy()
    return float((np.nanmin(values) + np.nanmax(values)) / 2.0)


def crossings(means: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Where the line crosses the grid's own lines, by linear interpolation between neighbours on both sides of it.

    Args:
        means: of `grid_means`.
        threshold: at or above it is one side, below it the other.
    Returns:
        A row a crossing: its x and y, and `column` and `row`, the same counted in cells of the grid.
    """
    values = means.to_numpy(dtype="float64")
    x, y = means.columns.to_numpy(dtype="float64"), means.index.to_numpy(dtype="float64")
    (in_row, left), along_x = _between(values, threshold)
    (in_column, below), along_y = _between(values.T, threshold)
    row, column = np.concatenate([in_row, below + along_y]), np.concatenate([left + along_x, in_column])
    return pd.DataFrame(
        {
            means.columns.name or "x": np.interp(column, np.arange(len(x)), x),
            means.index.name or "y": np.interp(row, np.arange(len(y)), y),
            "row": row,
            "column": column,
        }
    )


def _between(values: np.ndarray, threshold: float) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Places (row, left column) of neighbours in a row on both sides of a threshold, and how far from the left one it is."""
    left, right = values[:, :-1], values[:, 1:]
    known = np.isfinite(left) & np.isfinite(right)
    place = np.nonzero(known & ((left >= threshold) != (right >= threshold)))
    return (place[0], place[1]), (threshold - left[place]) / (right[place] - left[place])


def first_crossings(values: np.ndarray, x: np.ndarray, threshold: float, rising: bool) -> np.ndarray:
    """The lowest x at which each row crosses, `[rows]`; ±inf where it never does: the side on which it would have to.

    Args:
        values: `[rows, columns]`; nan: unknown.
        x: of the columns, ascending.
        threshold: what is crossed.
        rising: whether the outcome grows with x, on the whole: then a row above throughout would cross to the left.
    Returns:
        x of each row; nan where it is unknown.
    """
    place, part = _between(values, threshold)
    found = np.full(len(values), np.nan)
    known, above = np.isfinite(values).sum(axis=1), (values >= threshold).sum(axis=1)
    all_above, all_below = (known > 0) & (above == known), (known > 0) & (above == 0)
    found[all_above if rising else all_below] = -np.inf
    found[all_below if rising else all_above] = np.inf
    row, index = np.unique(place[0], return_index=True)  # the first place of each row
    left = place[1][index]
    found[row] = x[left] + part[index] * (x[left + 1] - x[left])
    return found


def tipping_line(runs: pd.DataFrame, grid: Grid, threshold: float, resamples: int = RESAMPLES) -> pd.DataFrame:
    """For each y the x at which the mean outcome first crosses a threshold, with a 90 % interval over worlds.

    Args:
        runs: a row a run.
        grid: what is x and y.
        threshold: in the outcome's unit.
        resamples: of worlds.
    Returns:
        y, x, `low`, `high`, `crossings` (in that row; more than one: it comes back). x is nan where the row does not cross
        it; a limit beyond the grid is ±inf, without a second world nan.
    """
    means = grid_means(runs, grid)
    x, values = means.columns.to_numpy(dtype="float64"), means.to_numpy()
    rising = bool(np.nansum(np.diff(values, axis=1)) >= 0.0)
    found = first_crossings(values, x, threshold, rising)
    low = high = np.full(len(found), np.nan)
    resampled = _resampled(runs, grid, means, resamples)
    if resampled is not None:
        each = [first_crossings(one, x, threshold, rising) for one in resampled]
        low, high = interval(np.array(each))
    place, _ = _between(values, threshold)
    return pd.DataFrame(
        {
            grid.y: means.index.to_numpy(),
            grid.x: np.where(np.isfinite(found), found, np.nan),
            "low": low,
            "high": high,
            "crossings": np.bincount(place[0], minlength=len(values)),
        }
    )


def chance_above(
    runs: pd.DataFrame, grid: Grid, threshold: float, resamples: int = RESAMPLES, finer: int = FINER
) -> pd.DataFrame | None:
    """How sure it is that the mean lies above the threshold: the fraction of resampled worlds in which it does.

    Between 0.05 and 0.95 lies the band of the tipping line. The means are interpolated linearly between the grid's points.

    Returns:
        A row for each y, a column for each x, `finer` times as dense as the grid; None without a second world.
    """
    means = grid_means(runs, grid)
    resampled = _resampled(runs, grid, means, resamples)
    if resampled is None:
        return None
    rows, columns = _weights(means.shape[0], finer), _weights(means.shape[1], finer)
    above = np.zeros((len(rows), len(columns)))
    for one in resampled:
        fine = rows @ np.nan_to_num(one) @ columns.T
        above += fine >= threshold
    known = np.isfinite(means.to_numpy()).astype("float64")
    above[rows @ known @ columns.T < 1.0 - 1e-9] = np.nan
    y, x = rows @ means.index.to_numpy(dtype="float64"), columns @ means.columns.to_numpy(dtype="float64")
    return pd.DataFrame(
        above / len(resampled), pd.Index(y, name=means.index.name), pd.Index(x, name=means.columns.name)
    )


def _resampled(runs: pd.DataFrame, grid: Grid, means: pd.DataFrame, resamples: int) -> np.ndarray | None:
    """Means of the grid in resampled worlds, `[resamples, rows, columns]`; None without a second world."""
    runs = runs[runs[grid.outcome].notna()]
    world, worlds = pd.factorize(runs[grid.world], sort=True)
    if len(worlds) < 2:
        return None
    row = means.index.get_indexer(pd.Index(runs[grid.y]))
    cell = row * means.shape[1] + means.columns.get_indexer(pd.Index(runs[grid.x]))
    sums, counts = np.zeros((len(worlds), means.size)), np.zeros((len(worlds), means.size))
    np.add.at(sums, (world, cell), runs[grid.outcome].to_numpy(dtype="float64"))
    np.add.at(counts, (world, cell), 1.0)
    times = multiplicities(len(worlds), f"heat map of {grid.outcome} over {grid.x} and {grid.y}", resamples)
    number = times @ counts
    value = means.to_numpy().ravel()
    found = np.divide(times @ sums, number, out=np.full_like(number, np.nan), where=number > 0)
    found = np.where(np.isnan(found), value, found)  # none of a cell's worlds was drawn: it has its mean
    return widened(found, value, len(worlds)).reshape(resamples, *means.shape)


def _weights(count: int, finer: int) -> np.ndarray:
    """Weights of linear interpolation from `count` points to `finer` times as many steps, `[fine, count]`."""
    place = np.linspace(0.0, count - 1.0, (count - 1) * finer + 1)
    return np.clip(1.0 - np.abs(place[:, None] - np.arange(count)), 0.0, None)
