"""What a search tries: combinations of levers, all in the same worlds; what they promise; which are not beaten.

A trial's promise is the mean of each objective over its worlds. A constraint "below b in a part p of the worlds" is met when
the ⌈p n⌉-th smallest of the outcome's n values is below b; how far that value is beyond b, in units of b, says how badly it is
missed, so that a sampler knows which way is better. Optuna proposes; its memory is made anew from the trials for every batch
and its sampler has a seed for each batch, so that the runs in the stores are all there is to keep.
"""

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evsim.errors import BadRequest

from .axes import Axis
from .request import Constraint, Request

RANDOM_TRIALS = 10  # at the beginning, before the sampler learns from them
ATTEMPTS = 20  # proposals for each one that is new
SPELLING = {"maximise": "maximize", "minimise": "minimize"}  # Optuna's
MISSED = "missed."  # before an outcome: a column of how far its constraint is missed, at most 0: met
MET = "met."  # the same: the part of worlds in which the outcome keeps to its bound


@dataclass(frozen=True)
class Trial:
    """One combination of levers: a position on each axis, the values that go with it, and what came of it.

    Attributes:
        position: what Optuna knows it by: a number of an interval, or the place of a listed value.
        objectives: outcome -> mean over the worlds; empty: no world could be simulated.
        missed: outcome -> how far its constraint is missed, in units of the bound; at most 0: met.
        met: outcome -> part of the worlds that keep to the bound.
    """

    position: tuple[float | int, ...]
    objectives: Mapping[str, float]
    missed: Mapping[str, float]
    met: Mapping[str, float]

    @property
    def is_feasible(self) -> bool:
        """Whether it keeps to all constraints."""
        return bool(self.objectives) and all(value <= 0.0 for value in self.missed.values())


def propose(
    axes: Sequence[Axis], tried: Sequence[Trial], objectives: Mapping[str, str], seed: int, size: int
) -> list[tuple[float | int, ...]]:
    """Positions to try next, none of them tried before; fewer than `size` where there are no more.

    The tree-structured Parzen estimator for several objectives under constraints.

    Args:
        axes: the levers.
        tried: what is known, in its order.
        objectives: outcome -> maximise or minimise.
        seed: of this batch.
        size: how many.
    Source:
        Ozaki, Tanigaki, Watanabe & Onishi (2020), GECCO; Optuna's TPESampler.
    """
    optuna = _optuna()
    distributions = {axis.key: _distribution(axis) for axis in axes}
    with _quietly(optuna):
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=RANDOM_TRIALS)
        directions = [SPELLING[direction] for direction in objectives.values()]
        study = optuna.create_study(directions=directions, sampler=sampler)
        for trial in tried:
            if trial.objectives:
                study.add_trial(_finished(optuna, trial, distributions, objectives))
        seen, found = {trial.position for trial in tried}, []
        for _ in range(ATTEMPTS * size):
            params = study.ask(distributions).params
            position = tuple(params[axis.key] for axis in axes)
            if position not in seen:
                seen.add(position)
                found.append(position)
                if len(found) == size:
                    break
    return found


def values_at(axes: Sequence[Axis], position: Sequence[float | int]) -> dict[str, Any]:
    """The values of levers at a position."""
    return {
        axis.key: axis.values[int(place)] if axis.values else place for axis, place in zip(axes, position, strict=True)
    }


def position_of(axes: Sequence[Axis], values: Mapping[str, Any]) -> tuple[float | int, ...]:
    """The position at which levers have these values; the reverse of `values_at`."""
    return tuple(axis.values.index(values[axis.key]) if axis.values else values[axis.key] for axis in axes)


def promise(worlds: pd.DataFrame, asked: Request) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Mean objectives, how far constraints are missed, and in what part of worlds they are met.

    Args:
        worlds: a row a world that was simulated, a column an outcome.
        asked: with objectives and constraints.
    """
    objectives = {name: float(worlds[name].mean()) if name in worlds else math.nan for name in objectives_of(asked)}
    if not all(math.isfinite(value) for value in objectives.values()):
        return {}, {}, {}
    missed, met = {}, {}
    for name, constraint in asked.constraints.items():
        values = worlds[name].dropna().to_numpy() if name in worlds else np.zeros(0)
        if not len(values):
            return {}, {}, {}
        missed[name] = violation(values, constraint)
        met[name] = float(np.mean(values < constraint.bound if constraint.is_upper else values > constraint.bound))
    return objectives, missed, met


def violation(values: np.ndarray, constraint: Constraint) -> float:
    """By how much a constraint is missed, in units of its bound; below 0: met.

        (v_(⌈p n⌉) − b) / max(|b|, 1e-9), values ascending and b an upper bound; signs turned for a lower one

    A value at the bound is not below it, so that 0 is missed too, by the least there is.
    """
    sign = 1.0 if constraint.is_upper else -1.0
    ordered = np.sort(sign * values)
    place = math.ceil(constraint.part * len(values) - 1e-9) - 1
    excess = float(ordered[place] - sign * constraint.bound)
    return (excess if excess != 0.0 else np.finfo(float).tiny) / max(abs(constraint.bound), 1e-9)


def objectives_of(asked: Request) -> dict[str, str]:
    """Outcomes with a direction."""
    return {name: direction for name, direction in asked.outcomes.items() if direction}


def not_beaten(trials: Sequence[Trial], objectives: Mapping[str, str]) -> np.ndarray:
    """Which trials are feasible and not beaten: no other is as good in every objective and better in one; `[n]` bool."""
    signs = np.array([-1.0 if direction == "maximise" else 1.0 for direction in objectives.values()])
    front = np.zeros(len(trials), dtype=bool)
    allowed = [index for index, trial in enumerate(trials) if trial.is_feasible]
    if allowed:
        costs = np.array([[trials[index].objectives[name] for name in objectives] for index in allowed]) * signs
        beaten = [((costs <= own).all(axis=1) & (costs < own).any(axis=1)).any() for own in costs]
        front[allowed] = ~np.array(beaten)
    return front


def check_optuna() -> None:
    """Check that Optuna is there.

    Raises:
        BadRequest: it is not installed.
    """
    _optuna()


def _distribution(axis: Axis) -> Any:
    """An axis as Optuna knows it: numbers, in an interval or listed, have an order; names have none."""
    distributions = _optuna().distributions
    if axis.values:
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in axis.values)
        if numbers and list(axis.values) == sorted(axis.values):
            return distributions.IntDistribution(0, len(axis.values) - 1)
        return distributions.CategoricalDistribution(tuple(range(len(axis.values))))
    assert axis.low is not None and axis.high is not None  # an axis without values is an interval
    if axis.kind == "a whole number":
        return distributions.IntDistribution(math.ceil(axis.low), math.floor(axis.high))
    return distributions.FloatDistribution(axis.low, axis.high)


def _finished(optuna: Any, trial: Trial, distributions: Mapping[str, Any], objectives: Mapping[str, str]) -> Any:
    """A trial as Optuna remembers one."""
    return optuna.trial.create_trial(
        params=dict(zip(distributions, trial.position, strict=True)),
        distributions=dict(distributions),
        values=[trial.objectives[name] for name in objectives],
        constraints=dict(trial.missed),
    )


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise BadRequest("a search needs Optuna; pip install 'evsim[analysis]' brings it") from error
    return optuna


@contextlib.contextmanager
def _quietly(optuna: Any) -> Iterator[None]:
    """Without a line for each study on standard error."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
