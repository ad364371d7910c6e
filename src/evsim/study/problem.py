"""What a search is about: the levers, the worlds in which each trial is run, and the fresh worlds for those on the front."""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evsim.errors import BadRequest, StorageError
from evsim.files import safe_name, storage_trouble, write_whole
from evsim.scenarios.keys import shown

from .axes import Axis, axis_of
from .design import MOST_RUNS, Composed, Design, plan_design, plan_points, too_many
from .outcomes import SUMMARY
from .request import DEFAULT, Plan, request
from .store import LOCK, SEARCH, Store, new_folder
from .trials import Trial, check_optuna, objectives_of, position_of, promise, propose, values_at

FORMAT = 1
TRIALS, BATCH = 40, 8  # where nothing is said; and of a batch, whatever the number of workers
BATCH_STORE, RETEST_STORE = "batch", "retest"


class Problem:
    """What is searched: levers, worlds and fresh worlds.

    Attributes:
        asked: the request.
        words: the overrides and the plan it was made of, as `search.json` keeps them.
        axes: the levers.
        worlds, fresh: designs without levers: the worlds of every trial, and those of the second test.
    """

    def __init__(self, overrides: Sequence[str], plan: Plan, config_dir: str | Path | None) -> None:
        asked = request(overrides, plan, (), config_dir)
        self.asked = replace(asked, plan=asked.plan.over(Plan(trials=TRIALS)))
        self.words = {
            "overrides": list(overrides),
            "plan": vars(plan),
            "config_dir": None if config_dir is None else str(config_dir),
        }
        self._check()
        self.axes = tuple(axis_of(values, "lever") for values in asked.levers.values())
        bare = replace(self.asked, levers={})
        if not set(bare.uncertainties) - {"seed"} and plan.samples is None:
            bare = replace(bare, plan=replace(bare.plan, sampler=None, samples=None))  # what the file drew is pinned
        self.worlds = plan_design(bare)
        if n_trials(self) * self.n_worlds > MOST_RUNS:
            raise too_many(n_trials(self) * self.n_worlds)
        self._composed: Composed = {}
        seeds = self.worlds.seeds
        further = {key: word for key, word in bare.fixed.items() if key != "seed"} | {"seed": f"seed={max(seeds) + 1}"}
        unsure = {key: values for key, values in bare.uncertainties.items() if key != "seed"}
        again = replace(bare, fixed=further, uncertainties=unsure, plan=replace(bare.plan, replications=len(seeds)))
        self.fresh = plan_design(again, draw_seed=1)
        self._try_levers()

    @classmethod
    def of(cls, overrides: Sequence[str], plan: Plan, config_dir: str | Path | None) -> "Problem":
        """The problem of a request, whose Optuna is there."""
        check_optuna()
        return cls(overrides, plan, config_dir)

    @property
    def n_worlds(self) -> int:
        """Worlds in which each trial is run."""
        return self.worlds.n_runs

    @property
    def digest(self) -> str:
        """SHA-256 over what decides the search: levers, worlds, objectives, constraints, number of trials."""
        levers = [[axis.key, axis.kind, list(axis.values), axis.low, axis.high] for axis in self.axes]
        bounds = {name: vars(bound) for name, bound in self.asked.constraints.items()}
        size = [self.asked.plan.trials, BATCH]
        decides = [levers, bounds, objectives_of(self.asked), size, self.worlds.digest, self.fresh.digest]
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()

    def create(self, out: str | os.PathLike[str]) -> Path:
        """Make the search's folder.

        Raises:
            StorageError: it cannot be written; nothing is left.
        """
        out = Path(out)
        with storage_trouble(f"cannot write in {out}"):
            out.mkdir(parents=True, exist_ok=True)
            folder = new_folder(out, safe_name(self.asked.name))
            (folder / LOCK).touch()
        about = {"format": FORMAT, "digest": self.digest, **self.words}
        try:
            write_whole(folder / SEARCH, json.dumps(about, indent=1, ensure_ascii=False).encode())
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder

    @classmethod
    def read(cls, folder: Path) -> "Problem":
        """What the search in a folder is about.

        Raises:
            BadRequest: there is none, or what it was made of is no longer the same.
            StorageError: it cannot be read.
        """
        if not (folder / SEARCH).is_file():
            raise BadRequest(f"{folder}: no search lies here; name the folder that `evsim search` made")
        try:
            about = json.loads((folder / SEARCH).read_text(encoding="utf-8"))
            words = (about["overrides"], Plan(**about["plan"]), about["config_dir"])
            form, digest = about["format"], about["digest"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{folder / SEARCH} is damaged: {error}") from error
        if form != FORMAT:
            raise BadRequest(f"{folder}: a search of version {form}; this evsim reads version {FORMAT}")
        problem = cls(*words)
        if problem.digest != digest:
            raise BadRequest(f"{folder}: the study or a scenario has changed since this search began; start a new one")
        return problem

    def design(self, positions: Sequence[Sequence[Any]], worlds: Design, name: str) -> Design:
        """The design of some combinations of levers, each in all of some worlds."""
        values = [values_at(self.axes, position) for position in positions]
        columns = {axis.key: [each[axis.key] for each in values for _ in range(worlds.n_points)] for axis in self.axes}
        for axis in worlds.axes:
            columns[axis.key] = [axis.value(cell) for cell in worlds.points[axis.key]] * len(positions)
        fixed = {key: word for key, word in self.asked.fixed.items() if key != "seed"}
        listed = replace(
            self.asked,
            name=name,
            levers={},
            uncertainties={},
            fixed=fixed | {"seed": f"seed={worlds.seeds[0]}"},
            plan=replace(DEFAULT, replications=len(worlds.seeds), keep=SUMMARY),
        )
        return replace(plan_points(listed, pd.DataFrame(columns), self._composed), seeds=worlds.seeds)

    def positions(self, store: Store) -> list[tuple[float | int, ...]]:
        """The positions that a store of the search was made for."""
        points, step = store.design.points, self.worlds.n_points
        found = []
        for point in range(0, store.design.n_points, step):
            values = {axis.key: axis.value(points[axis.key][point]) for axis in store.design.axes}
            found.append(position_of(self.axes, values))
        return found

    def proposals(self, tried: Sequence[Trial], number: int) -> list[tuple[float | int, ...]]:
        """The positions of a batch, `number` from 1; none: the search is at its end."""
        size = min(BATCH, int(self.asked.plan.trials or TRIALS) - len(tried))
        key = np.random.SeedSequence([int(self.worlds.seeds[0]), number]).generate_state(1)[0]
        return propose(self.axes, tried, objectives_of(self.asked), int(key), size) if size > 0 else []

    def trials(self, store: Store, positions: Sequence[tuple[float | int, ...]], n_points: int) -> list[Trial]:
        """What came of positions in a store that has their runs, `n_points` points each."""
        results = store.results()
        number = results["point"] // n_points if "point" in results else pd.Series(dtype="int64")
        return [
            Trial(position, *promise(results[number == index], self.asked)) for index, position in enumerate(positions)
        ]

    def _check(self) -> None:
        if not self.asked.levers:
            raise BadRequest("there is no lever to search over; name a study with levers: study=NAME")
        for key in ("start", "seed"):
            if key in self.asked.levers:
                raise BadRequest(f"{key}={self.asked.levers[key].text}: no lever; give it one value")
        if not objectives_of(self.asked):
            names = ", ".join(self.asked.outcomes)
            raise BadRequest(f"nothing is to be maximised or minimised; say so in the study's outcomes (of {names})")

    def _try_levers(self) -> None:
        """Check every listed value and the ends of every interval, one by one, before anything is run."""
        start = [0 if axis.values else axis.low for axis in self.axes]
        positions = [
            [place if index == own else first for index, first in enumerate(start)]
            for own, axis in enumerate(self.axes)
            for place in (range(len(axis.values)) if axis.values else (axis.low, axis.high))
        ]
        self.design(positions, self.worlds, BATCH_STORE)


def n_trials(problem: Problem) -> int:
    """How many policies a search tries: as many as asked, or all there are where levers have few values."""
    sizes = [len(axis.values) or _whole_numbers(axis) for axis in problem.axes]
    return int(min(problem.asked.plan.trials or TRIALS, math.prod(sizes)))


def first_batch(problem: Problem) -> Design:
    """The design of the policies that are tried first."""
    return problem.design(problem.proposals([], 1), problem.worlds, BATCH_STORE)


def _whole_numbers(axis: Axis) -> float:
    """How many whole numbers an interval has; no end of others."""
    assert axis.low is not None and axis.high is not None  # an axis without values is an interval
    return math.floor(axis.high) - math.ceil(axis.low) + 1 if axis.kind == "a whole number" else math.inf


def lever_words(axes: Sequence[Axis]) -> list[str]:
    """What every lever may be, in a line each."""
    return [
        f"{axis.key}: "
        + (f"from {axis.low:g} to {axis.high:g}" if axis.low is not None else ", ".join(map(_word, axis.values)))
        for axis in axes
    ]


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else shown(value)
