"""Search: combinations of levers with the best objectives under constraints, each tried in the same worlds.

    search.json      what is searched, and its digest; written before the first run
    batch-1, …       a store for each batch of trials: their combinations of levers × the worlds
    retest-1         the trials on the front, in fresh worlds

A design is written before its first run, and a search knows its next trials only when it has seen the last; so it is a row of
stores, each whole by itself, and not one store whose design grows. Nothing else is kept: who goes on with a search reads the
stores again, tells Optuna what came of them, and has the same proposals as if nothing had happened; who reads it needs no Optuna.
Refused (2026-11) was
Optuna's own storage, a second record of the same runs that could disagree with the first.

What looks best among many trials looks better than it is, by the luck of its worlds. So trials on the front are tried again
where neither seed nor draw has been seen, and what is left of the promise is told.
"""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evsim.errors import BadRequest, StorageError
from evsim.files import safe_name, storage_trouble, write_whole
from evsim.scenarios.keys import shown

from .axes import Axis, axis_of
from .design import Composed, Design, plan_design, plan_points
from .engines import Execution, check
from .ledger import Lock
from .outcomes import SUMMARY
from .policies import Policies, retested
from .request import DEFAULT, Plan, request
from .runner import SIMULATE, check_same_design, drive
from .store import ABOUT, LOCK, SEARCH, Store, new_folder
from .trials import Trial, check_optuna, not_beaten, objectives_of, position_of, promise, propose, values_at

FORMAT = 1
TRIALS, BATCH = 40, 8  # where nothing is said; and of a batch, whatever the number of workers
BATCH_STORE, RETEST_STORE = "batch", "retest"


def search(
    *overrides: str,
    trials: int | None = None,
    replications: int | None = None,
    samples: int | None = None,
    config_dir: str | Path | None = None,
    out: str | os.PathLike[str] = "outputs",
    execution: Execution | None = None,
) -> Policies:
    """Search for policies: `evsim search` from Python.

    Args:
        overrides: study=NAME, and key=value for what is to be otherwise than in its file.
        trials: combinations of levers (40, or as the study says).
        replications, samples: seeds and draws of the uncertainties: together the worlds in which each is tried.
        config_dir: a folder of one's own with scenarios and studies.
        out: where to make the search's folder.
        execution: engine, workers, timeout.
    Returns:
        The policies: `.words`, `.trials`, `.front`, `.figure()`.
    Raises:
        BadRequest: the request cannot be met; nothing was written.
    """
    execution = check(execution or Execution())
    task = Task.of(overrides, Plan(replications, samples=samples, trials=trials), config_dir)
    folder = task.create(out)
    try:
        return pursue_search(folder, execution)
    except KeyboardInterrupt as interruption:
        interruption.add_note(f"go on with evsim.study.pursue_search({str(folder)!r})")
        raise


class Task:
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
        self._composed: Composed = {}
        seeds = self.worlds.seeds
        further = {key: word for key, word in bare.fixed.items() if key != "seed"} | {"seed": f"seed={max(seeds) + 1}"}
        unsure = {key: values for key, values in bare.uncertainties.items() if key != "seed"}
        again = replace(bare, fixed=further, uncertainties=unsure, plan=replace(bare.plan, replications=len(seeds)))
        self.fresh = plan_design(again, draw_seed=1)
        self._try_levers()

    @classmethod
    def of(cls, overrides: Sequence[str], plan: Plan, config_dir: str | Path | None) -> "Task":
        """The task of a request, whose Optuna is there."""
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
    def read(cls, folder: Path) -> "Task":
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
        task = cls(*words)
        if task.digest != digest:
            raise BadRequest(f"{folder}: the study or a scenario has changed since this search began; start a new one")
        return task

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


def pursue_search(
    folder: str | os.PathLike[str], execution: Execution | None = None, simulate: str = SIMULATE
) -> Policies:
    """Go on with a search to its end; no run that is entered is repeated.

    Args:
        folder: of the search.
        execution: engine, workers, timeout.
        simulate: "module:function" that gives what is kept of a run; another than the model for tests.
    Raises:
        BadRequest: somebody else is at work on it, or what it was made of has changed.
    """
    folder = Path(folder)
    task = Task.read(folder)
    with _alone(folder):
        return _policies(folder, task, execution or Execution(), simulate)


def read_search(folder: Path) -> Policies:
    """A search as far as it has come; nothing is run."""
    return _policies(folder, Task.read(folder), None, SIMULATE)


def _policies(folder: Path, task: Task, execution: Execution | None, simulate: str) -> Policies:
    """Batch after batch, then the front again in fresh worlds; without an execution only what is there."""
    tried: list[Trial] = []
    stores: list[Store] = []
    wanted = int(task.asked.plan.trials or TRIALS)
    for number in itertools.count(1):
        path = folder / f"{BATCH_STORE}-{number}"
        if (path / ABOUT).is_file():
            positions = task.positions(Store.open(path))
        elif len(tried) >= wanted or (folder / f"{RETEST_STORE}-1" / ABOUT).is_file():
            break
        elif execution is None:
            return Policies(folder, task.asked, task.axes, tried, [], stores)
        else:
            positions = task.proposals(tried, number)
        if not positions:
            break
        store = _store(path, task.design(positions, task.worlds, BATCH_STORE), execution, simulate)
        if store is None:
            return Policies(folder, task.asked, task.axes, tried, [], stores)
        stores.append(store)
        tried += task.trials(store, positions, task.worlds.n_points)
    front = [
        trial.position for trial, best in zip(tried, not_beaten(tried, objectives_of(task.asked)), strict=True) if best
    ]
    if not front:
        return Policies(folder, task.asked, task.axes, tried, [], stores)
    again = task.design(front, task.fresh, RETEST_STORE)
    store = _store(folder / f"{RETEST_STORE}-1", again, execution, simulate)
    if store is None:
        return Policies(folder, task.asked, task.axes, tried, [], stores)
    results = retested(store, front, task.fresh, task.asked)
    return Policies(folder, task.asked, task.axes, tried, results, [*stores, store])


def _store(path: Path, design: Design, execution: Execution | None, simulate: str) -> Store | None:
    """A store of a search, with all its runs; without an execution None where runs are missing."""
    if not (path / ABOUT).is_file():
        if execution is None:
            return None
        shutil.rmtree(path, ignore_errors=True)  # begun, and never whole
        store = Store.create(path.parent, design, simulate)
    else:
        store = Store.open(path)
        check_same_design(store, design)
    if execution is not None:
        return drive(store, execution, simulate)
    return store if store.counts().entered == store.n_runs else None


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the search's lock.

    Raises:
        BadRequest: somebody else does.
    """
    lock = Lock(folder / LOCK)
    if not lock.take():
        raise BadRequest(f"{folder}: somebody else is at work on this search")
    try:
        yield
    finally:
        lock.free()


def latest_search(outputs: str | os.PathLike[str] = "outputs") -> Path:
    """The folder of the search that was begun last under `outputs`.

    Raises:
        BadRequest: there is none.
    """
    made = sorted(Path(outputs).glob(f"*/{SEARCH}"), key=lambda path: (path.stat().st_mtime_ns, path))
    if not made:
        raise BadRequest(f"no search lies under {outputs}; `evsim search study=NAME` makes one")
    return made[-1].parent


def planned(task: Task) -> tuple[int, int, int]:
    """Trials, worlds of each, and runs, the second test left out."""
    trials = int(task.asked.plan.trials or TRIALS)
    return trials, task.n_worlds, trials * task.n_worlds


def lever_words(axes: Sequence[Axis]) -> list[str]:
    """What every lever may be, in a line each."""
    return [
        f"{axis.key}: "
        + (f"from {axis.low:g} to {axis.high:g}" if axis.low is not None else ", ".join(map(_word, axis.values)))
        for axis in axes
    ]


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else shown(value)
