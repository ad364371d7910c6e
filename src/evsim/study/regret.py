"""Regret of levers: what a choice loses, in each world, against the best choice for that world.

    R(l, w) = max_l' y(l', w) − y(l, w)    where more is better; y is the mean over seeds

The choice with the least maximum regret is never far from the best, whichever world comes (Savage 1951, JASA 46; Lempert,
Popper & Bankes 2003).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .bootstrap import interval, multiplicities

MAXIMISE, MINIMISE = "maximise", "minimise"


@dataclass(frozen=True)
class Choice:
    """What is chosen, among which worlds, by what: columns of a table of runs.

    Attributes:
        levers: somebody sets them; each combination is a choice.
        worlds: nobody does; each combination is a world.
        outcome: what is to be large or small.
        direction: `maximise` or `minimise`.
    """

    levers: Sequence[str]
    worlds: Sequence[str]
    outcome: str
    direction: str = MAXIMISE

    def __post_init__(self) -> None:
        if self.direction not in (MAXIMISE, MINIMISE):
            raise ValueError(f"direction={self.direction!r} must be {MAXIMISE} or {MINIMISE}")


def outcome_matrix(runs: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """Mean outcome over seeds, a row a choice, a column a world; worlds in which a choice was not simulated are left out."""
    keys = [*choice.levers, *choice.worlds]
    means = runs.groupby(keys, dropna=False, sort=False)[choice.outcome].mean()
    return means.unstack(list(choice.worlds)).dropna(axis=1)


def regret_matrix(outcomes: pd.DataFrame, direction: str = MAXIMISE) -> pd.DataFrame:
    """Regret of each choice in each world, never negative.

    Args:
        outcomes: a row a choice, a column a world.
        direction: `maximise` or `minimise`.
    """
    sign = 1.0 if direction == MAXIMISE else -1.0
    best = (sign * outcomes).max(axis=0)
    return best - sign * outcomes


def regrets(runs: pd.DataFrame, choice: Choice, seed: str = "seed") -> pd.DataFrame:
    """Each choice's regret over worlds, the least maximum first.

    Args:
        runs: a row a run.
        choice: levers, worlds, outcome, direction.
        seed: the column of seeds, which are resampled for the interval.
    Returns:
        The levers; `mean` (of the outcome over worlds), `mean_regret`, `max_regret`, `low`, `high` (90 %, nan with one seed),
        `best_in` (fraction of worlds in which no choice is better), and the worlds' columns with the worst world's values.
    """
    outcomes = outcome_matrix(runs, choice)
    regret = regret_matrix(outcomes, choice.direction)
    table = outcomes.index.to_frame(index=False)
    low, high = _interval(runs, choice, seed, outcomes)
    table = table.assign(
        mean=outcomes.mean(axis=1).to_numpy(), mean_regret=regret.mean(axis=1).to_numpy(),
        max_regret=regret.max(axis=1).to_numpy(), low=low, high=high, best_in=(regret == 0.0).mean(axis=1).to_numpy(),
    )  # fmt: skip
    worst = regret.columns[regret.to_numpy().argmax(axis=1)].to_frame(index=False)
    for name in choice.worlds:
        table[f"worst {name}"] = worst[name].to_numpy()
    return table.sort_values(["max_regret", "mean_regret"], ignore_index=True, kind="stable")


def _interval(runs: pd.DataFrame, choice: Choice, seed: str, outcomes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the maximum regret over resampled seeds."""
    keys = [*choice.levers, *choice.worlds]
    table = runs.pivot_table(choice.outcome, keys, seed, "mean", dropna=False, sort=False)
    nothing = np.full(len(outcomes), np.nan)
    if table.shape[1] < 2:
        return nothing, nothing
    cube = np.stack([table[one].unstack(list(choice.worlds)).reindex_like(outcomes) for one in table.columns])
    if not np.isfinite(cube).all():
        return nothing, nothing
    sign = 1.0 if choice.direction == MAXIMISE else -1.0
    times = multiplicities(len(cube), f"regret in {choice.outcome}")
    means = sign * np.tensordot(times, cube, axes=1) / len(cube)
    return interval((means.max(axis=1, keepdims=True) - means).max(axis=2))
