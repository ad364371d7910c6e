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
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from evsim.errors import BadRequest

from .design import Design
from .engines import Execution, check
from .ledger import Lock
from .policies import Policies, retested
from .problem import BATCH, BATCH_STORE, RETEST_STORE, TRIALS, Problem, n_trials
from .request import Plan
from .runner import SIMULATE, check_same_design, drive
from .store import ABOUT, LOCK, SEARCH, Store
from .trials import Trial, not_beaten, objectives_of


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
    problem = Problem.of(overrides, Plan(replications, samples=samples, trials=trials), config_dir)
    folder = problem.create(out)
    try:
        return pursue_search(folder, execution)
    except KeyboardInterrupt as interruption:
        interruption.add_note(f"go on with evsim.study.pursue_search({str(folder)!r})")
        raise


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
    problem = Problem.read(folder)
    with _alone(folder):
        return _policies(folder, problem, execution or Execution(), simulate)


def read_search(folder: Path) -> Policies:
    """A search as far as it has come; nothing is run."""
    return _policies(folder, Problem.read(folder), None, SIMULATE)


def trials_to_come(problem: Problem, folder: Path | None = None) -> tuple[int, int]:
    """How many runs of trials are to come, and in how many batches.

    Args:
        problem: what is searched.
        folder: of a search that has some of them; none: not one is there.
    """
    stores = [] if folder is None else [Store.open(path.parent) for path in folder.glob(f"{BATCH_STORE}-*/{ABOUT}")]
    begun = sum(store.n_runs for store in stores)
    unfinished = [missing for store in stores if (missing := store.n_runs - store.counts().entered)]
    further = max(n_trials(problem) - begun // problem.n_worlds, 0)
    return further * problem.n_worlds + sum(unfinished), -(-further // BATCH) + len(unfinished)


def front_to_come(folder: Path | None) -> int | None:
    """How many runs of the front in fresh worlds are to come; None: that is not known before all trials are there."""
    if folder is None or not (folder / f"{RETEST_STORE}-1" / ABOUT).is_file():
        return None
    store = Store.open(folder / f"{RETEST_STORE}-1")
    return store.n_runs - store.counts().entered


def _policies(folder: Path, problem: Problem, execution: Execution | None, simulate: str) -> Policies:
    """Batch after batch, then the front again in fresh worlds; without an execution only what is there."""
    tried: list[Trial] = []
    stores: list[Store] = []
    wanted = int(problem.asked.plan.trials or TRIALS)
    for number in itertools.count(1):
        path = folder / f"{BATCH_STORE}-{number}"
        if (path / ABOUT).is_file():
            positions = problem.positions(Store.open(path))
        elif len(tried) >= wanted or (folder / f"{RETEST_STORE}-1" / ABOUT).is_file():
            break
        elif execution is None:
            return Policies(folder, problem.asked, problem.axes, tried, [], stores)
        else:
            positions = problem.proposals(tried, number)
        if not positions:
            break
        store = _store(path, problem.design(positions, problem.worlds, BATCH_STORE), execution, simulate)
        if store is None:
            return Policies(folder, problem.asked, problem.axes, tried, [], stores)
        stores.append(store)
        tried += problem.trials(store, positions, problem.worlds.n_points)
    front = [
        trial.position
        for trial, best in zip(tried, not_beaten(tried, objectives_of(problem.asked)), strict=True)
        if best
    ]
    if not front:
        return Policies(folder, problem.asked, problem.axes, tried, [], stores)
    again = problem.design(front, problem.fresh, RETEST_STORE)
    store = _store(folder / f"{RETEST_STORE}-1", again, execution, simulate)
    if store is None:
        return Policies(folder, problem.asked, problem.axes, tried, [], stores)
    results = retested(store, front, problem.fresh, problem.asked)
    return Policies(folder, problem.asked, problem.axes, tried, results, [*stores, store])


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
