"""Which keys an outcome hangs on: Sobol indices, Morris effects, the swings of a tornado.

Each takes plain arrays or a frame of runs and gives a frame with a row a key and 90 % intervals. A design's points must be
those of its sampler, in its order: SALib's layout.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evsim.errors import BadRequest
from evsim.words.pairs import paired_interval

from .axes import LEAST_BLOCKS, salib_problem
from .bootstrap import COVERAGE, RESAMPLES, interval, multiplicities

LISTED = 12  # with more values, and others in each world, thirds are compared
LEAST_DRAWS = 12  # of drawn points for a tornado


def sobol_indices(values: np.ndarray, keys: Sequence[str]) -> pd.DataFrame:
    """First-order and total indices: the part of the outcome's variance that goes with a key, alone and with all others.

        S_i = V(E(Y | X_i)) / V(Y)        T_i = E(V(Y | X_~i)) / V(Y)

    Args:
        values: outcomes at SALib's Saltelli points without second order, `[N (D + 2)]`: A, A with B's i-th column, B, in turn.
            Blocks with a nan are left out.
        keys: the D keys.
    Returns:
        key, `first`, `first_low`, `first_high`, `total`, `total_low`, `total_high`, largest total first.
    Raises:
        BadRequest: SALib is not installed, too few blocks are whole, or the outcome is the same everywhere.
    Source:
        Saltelli et al. (2010), Computer Physics Communications 181(2); intervals of SALib, from resampled blocks.
    """
    try:
        from SALib.analyze import sobol
    except ImportError as error:
        raise BadRequest("Sobol indices need SALib; pip install 'evsim[analysis]' brings it") from error
    whole = _whole_blocks(values, len(keys) + 2)
    if np.ptp(whole) == 0.0:
        raise BadRequest("the outcome is the same in every run: there is no variance to divide")
    found = sobol.analyze(
        salib_problem(len(keys)), whole.ravel(), calc_second_order=False, num_resamples=RESAMPLES,
        conf_level=COVERAGE, seed=1,
    )  # fmt: skip
    columns: dict[str, Any] = {"key": list(keys)}
    for name, own in (("first", "S1"), ("total", "ST")):
        value, half = np.asarray(found[own]), np.asarray(found[f"{own}_conf"])
        columns |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    return pd.DataFrame(columns).sort_values("total", ascending=False, ignore_index=True)


def elementary_effects(unit: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The change of an outcome over each step of Morris's trajectories, divided by the step, `[trajectories, D]`.

        EE_i = (y(x + Δ e_i) − y(x)) / Δ

    Args:
        unit: points of the unit cube along trajectories in which each coordinate moves once, `[r (D + 1), D]`.
        values: the outcome there, `[r (D + 1)]`; trajectories with a nan are left out.
    Raises:
        BadRequest: too few trajectories are whole.
        ValueError: a step moves no coordinate, or several.
    """
    n_keys = unit.shape[1]
    whole = _whole_blocks(values, n_keys + 1)
    steps = np.diff(unit.reshape(-1, n_keys + 1, n_keys), axis=1)[~_broken(values, n_keys + 1)]
    if not ((steps != 0.0).sum(axis=2) == 1).all():
        raise ValueError("unit must be trajectories: each step moves one coordinate")
    moved = np.abs(steps).argmax(axis=2)
    effects = np.empty((len(whole), n_keys))
    np.put_along_axis(effects, moved, np.diff(whole, axis=1) / steps.sum(axis=2), axis=1)
    return effects


def morris_effects(unit: np.ndarray, values: np.ndarray, keys: Sequence[str]) -> pd.DataFrame:
    """Morris's screening: mean, mean size and spread of elementary effects, over the whole range of each key.

        μ = mean EE      μ* = mean |EE|      σ = standard deviation of EE

    μ* ranks keys; σ beside a small |μ| tells of effects that change their sign or hang on other keys.

    Args:
        unit, values: as in `elementary_effects`.
        keys: the D keys.
    Returns:
        key, `mean`, `size` (μ*), `spread` (σ), each with `_low` and `_high` over resampled trajectories; largest size first.
    Source:
        Morris (1991), Technometrics 33(2); Campolongo, Cariboni & Saltelli (2007), Environmental Modelling & Software 22(10).
    """
    effects = elementary_effects(unit, values)
    times = multiplicities(len(effects), f"trajectories of {len(keys)} keys")
    again = np.array([np.repeat(np.arange(len(effects)), count) for count in times])  # [resamples, trajectories]
    measures = {
        "mean": lambda given: given.mean(axis=-2),
        "size": lambda given: np.abs(given).mean(axis=-2),
        "spread": lambda given: given.std(axis=-2, ddof=1),
    }
    columns: dict[str, Any] = {"key": list(keys)}
    for name, of in measures.items():
        low, high = interval(of(effects[again]))
        columns |= {name: of(effects), f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(columns).sort_values("size", ascending=False, ignore_index=True)


def tornado(
    runs: pd.DataFrame, outcome: str, keys: Sequence[str], world: str = "seed", base: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """How far each key alone moves the mean outcome, the others as they come in the design, or at a base point.

    A key that has the same numbers in every world, or few, is compared at its highest and its lowest, one whose numbers are
    drawn at its highest and lowest third, one with names at the names with the highest and the lowest mean. Where every world
    has all values, the interval is Student's over paired differences; else worlds are resampled.

    Args:
        runs: a row a run.
        outcome: a column.
        keys: columns that were varied.
        world: the column of what runs share: the seed, or the draw.
        base: value of each key; where given, a key is compared over runs in which all others have theirs (one at a time).
    Returns:
        key, `from`, `to` (values or thirds), `at_from`, `at_to` (mean outcomes), `swing` (at_to − at_from), `low`, `high`
        (nan without a second world), `clear` (the interval leaves zero out); the largest swing first.
    """
    known = runs[runs[outcome].notna()]
    rows = []
    for key in keys:
        chosen = known
        for name, value in (base or {}).items():
            chosen = chosen if name == key else chosen[chosen[name] == value]
        if chosen[key].nunique(dropna=False) > 1:
            rows.append(_swing(chosen, outcome, key, world))
    table = pd.DataFrame(rows, columns=["key", "from", "to", "at_from", "at_to", "swing", "low", "high"])
    table["clear"] = (table["low"] > 0.0) | (table["high"] < 0.0)
    order = table["swing"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _swing(runs: pd.DataFrame, outcome: str, key: str, world: str) -> list:
    """One row of a tornado."""
    low, high, first, second = _ends(runs, outcome, key, world)
    sums = pd.DataFrame({"world": runs[world], "value": runs[outcome], "low": low, "high": high})
    by_world = pd.DataFrame(
        {
            side: sums[sums[side]].groupby("world")["value"].mean()
            for side in ("low", "high")
        }
    )  # fmt: skip
    at = [float(sums.loc[sums[side], "value"].mean()) for side in ("low", "high")]
    paired = by_world.dropna()
    if len(paired) == sums["world"].nunique():
        _, *ends = paired_interval(list(paired["high"] - paired["low"]))
    else:
        ends = list(_resampled_swing(sums, key))
    return [key, first, second, *at, at[1] - at[0], *ends]


def _ends(runs: pd.DataFrame, outcome: str, key: str, world: str) -> tuple[pd.Series, pd.Series, object, object]:
    """Runs at the low and at the high end of a key, and what the ends are called."""
    column = runs[key]
    numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and column.notna().all()
    if not numbers:
        named = column.astype(object).where(column.notna(), "none")
        means = runs.groupby(named)[outcome].mean()
        first, second = means.idxmin(), means.idxmax()
        return named == first, named == second, first, second
    in_all_worlds = runs.loc[column == column.min(), world].nunique() == runs[world].nunique() > 1
    if in_all_worlds or column.nunique() <= LISTED:
        first, second = column.min(), column.max()
        return column == first, column == second, first, second
    lower, upper = column.quantile([1.0 / 3.0, 2.0 / 3.0])
    return column <= lower, column >= upper, f"its lowest third (up to {lower:.3g})", f"its highest (from {upper:.3g})"


def _resampled_swing(sums: pd.DataFrame, key: str) -> tuple[float, float]:
    """The interval of a swing over resampled worlds."""
    place, worlds = pd.factorize(sums["world"], sort=True)
    if len(worlds) < LEAST_DRAWS:
        return np.nan, np.nan
    times = multiplicities(len(worlds), f"swing of {key}")
    means = []
    for side in ("low", "high"):
        total = np.bincount(place, sums["value"].where(sums[side], 0.0), minlength=len(worlds))
        count = np.bincount(place, sums[side].astype("float64"), minlength=len(worlds))
        means.append((times @ total) / np.maximum(times @ count, 1.0))
    low, high = interval(means[1] - means[0])
    return float(low), float(high)


def _broken(values: np.ndarray, length: int) -> np.ndarray:
    """Blocks of so many values that hold a nan, `[blocks]`."""
    if len(values) % length:
        raise ValueError(f"{len(values)} values do not come in blocks of {length}")
    return np.isnan(values.reshape(-1, length)).any(axis=1)


def _whole_blocks(values: np.ndarray, length: int) -> np.ndarray:
    """The blocks of a sampler that hold no nan, `[blocks, length]`.

    Raises:
        BadRequest: there are too few for an analysis.
    """
    broken = _broken(values, length)
    whole = values.reshape(-1, length)[~broken]
    if len(whole) < LEAST_BLOCKS:
        raise BadRequest(
            f"{len(whole)} samples are whole; an analysis needs {LEAST_BLOCKS}: raise --samples, or finish the sweep"
        )
    return whole
