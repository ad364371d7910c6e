"""The runner: an engine computes what a store lacks, the store keeps what comes of it.

A run that raises, takes too long or loses its worker is tried once more; then it is a row with its error. Nothing is repeated
that is entered, so a sweep may be interrupted anywhere and driven on; only runs in flight are lost.
"""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from evsim.errors import BadRequest

from .design import Design, design_of, design_of_points
from .driver import Driver
from .engines import Answer, Engine, Execution, Job, Task, check, start
from .past import kin_of, shared_past
from .progress import Tell, shown
from .request import Plan
from .store import Store

SIMULATE = "evsim.study.outcomes:simulate"
ATTEMPTS = 2
WAIT_SECONDS = 0.25  # for an answer, before the runner looks at the clock


def sweep(
    *overrides: str,
    points: pd.DataFrame | None = None,
    replications: int | None = None,
    sampler: str | None = None,
    samples: int | None = None,
    keep: str | None = None,
    config_dir: str | Path | None = None,
    out: str | os.PathLike[str] = "outputs",
    execution: Execution | None = None,
) -> Store:
    """Run a study and keep it in a new store: `evsim sweep` from Python.

    Args:
        overrides: study=NAME, key=value for all runs, key=a,b, key=range(…) or key=interval(…) for what is varied.
        points: in place of several values: a frame with a column a key and a row a scenario.
        replications: seeds of every scenario, the same ones.
        sampler, samples: how intervals are drawn (lhs, sobol or morris), and how many points.
        keep: `summary`, or `panel` for yearly and monthly tables too.
        config_dir: a folder of one's own with scenarios and studies.
        out: where to make the store's folder.
        execution: engine, workers, timeout.
    Returns:
        The store: `results()`, `panel("years")`, `failures()`. Interrupted, it can be driven on by `resume`.
    Raises:
        BadRequest: the request cannot be met; nothing was written.
    """
    execution = check(execution or Execution())
    plan = Plan(replications, sampler, samples, keep)
    if points is None:
        design = design_of(*overrides, plan=plan, config_dir=config_dir)
    else:
        design = design_of_points(points, *overrides, plan=plan, config_dir=config_dir)
    store = Store.create(out, design, SIMULATE)
    try:
        return drive(store, execution)
    except KeyboardInterrupt as interruption:
        interruption.add_note(f"go on with evsim.study.resume({str(store.path)!r})")
        raise


def resume(store: Store | str | os.PathLike[str], execution: Execution | None = None) -> Store:
    """Finish what a store lacks; nothing that is entered is repeated.

    Raises:
        BadRequest: another driver is at work on it, it was made by another state of the model, or it is a comparison's.
    """
    store = store if isinstance(store, Store) else Store.open(store)
    if store.is_compared:
        raise BadRequest(f"{store.path}: a comparison lies here; `evsim.study.pursue` goes on with it")
    return drive(store, execution)


def drive(
    store: Store,
    execution: Execution | None = None,
    simulate: str = SIMULATE,
    runs: Iterable[int] | None = None,
    retry_failed: bool = False,
) -> Store:
    """Compute what a store lacks.

    Args:
        store: as it was made, or left by an interruption.
        execution: engine, workers, timeout.
        simulate: "module:function" that gives what is kept of a run; another than the model for tests of the runner.
        runs: those wanted; none: all of the design.
        retry_failed: whether runs that failed count as lacking.
    Returns:
        The store.
    """
    execution, runs = execution or Execution(), None if runs is None else list(runs)
    with store.driving(simulate) as driver:
        if retry_failed:
            driver.forget_failures()
        tasks = _tasks(store.design, driver, runs)
        first = next(tasks, None)
        if first is not None:
            job = Job(simulate, [base.mapping for base in store.design.bases], store.design.keep)
            counts = driver.counts()
            total = store.n_runs if runs is None else counts.entered + sum(1 for _ in driver.missing(runs))
            engine = start(job, execution)
            try:
                with shown(total, counts.entered, execution.quiet) as tell:
                    _compute(engine, driver, itertools.chain([first], tasks), tell)
            finally:
                engine.close()
        driver.finish()
    return store


def check_same_design(store: Store, design: Design) -> None:
    """Check that a store is one of a design.

    Raises:
        BadRequest: it is another's; nothing was harmed.
    """
    if store.about["design"] != design.digest:
        raise BadRequest(
            f"{store.path}: made for another design ({store.n_runs:,} runs, here {design.n_runs:,}, or other values); resume it "
            "as it was, or start a new sweep"
        )


def _compute(engine: Engine, driver: Driver, tasks: Iterator[Task], tell: Tell) -> None:
    """Have tasks computed and keep the answers; an interruption keeps those that have come."""
    counts = driver.counts()
    entered, failed = counts.entered, counts.failed
    again: deque[Task] = deque()
    flying: dict[int, Task] = {}
    finished: list[Answer] = []
    try:
        while True:
            for task in _next_tasks(engine.room(), again, tasks):
                flying[task.run] = task
                engine.submit(task)
            if not flying:
                return
            for given in engine.poll(WAIT_SECONDS):
                task = flying.pop(given.run)
                if given.error and task.attempt < ATTEMPTS:
                    again.append(replace(task, attempt=task.attempt + 1))
                else:
                    finished.append(given)
            if finished:
                driver.acknowledge(finished)
                entered, failed = entered + len(finished), failed + sum(bool(given.error) for given in finished)
                finished = []
            tell(entered, failed)
    except (KeyboardInterrupt, SystemExit):
        lacking = set(driver.missing(given.run for given in finished))
        driver.acknowledge([given for given in finished if given.run in lacking])
        raise


def _tasks(design: Design, driver: Driver, runs: list[int] | None) -> Iterator[Task]:
    """Tasks of the runs that are missing, of all or of some: kin after kin, so that what they have in common is made once.

    Kin are runs of one past where runs share it, else of one seed: they open their markets with the same households.
    """
    past = shared_past(design, design.request.plan.branch_at)
    if past is not None:
        kin = kin_of(design, past)
        chosen = np.fromiter(driver.missing(runs), dtype="int64")
        ordered = chosen[np.lexsort((chosen, kin[chosen]))].tolist()
        return (replace(design.task(run), past=vars(past), kin=int(kin[run])) for run in ordered)
    n_seeds = len(design.seeds)
    wanted = seed_by_seed(design) if runs is None else sorted(runs, key=lambda run: (run % n_seeds, run))
    return (replace(design.task(run), kin=run % n_seeds) for run in driver.missing(wanted))


def seed_by_seed(design: Design) -> Iterator[int]:
    """All runs, those of one seed together: in a store that is not finished, too, points are seen with the same seeds."""
    n_seeds = len(design.seeds)
    return (point * n_seeds + number for number in range(n_seeds) for point in range(design.n_points))


def _next_tasks(room: int, again: deque[Task], tasks: Iterator[Task]) -> Iterator[Task]:
    """At most `room` tasks, those to be repeated first."""
    for _ in range(room):
        task = again.popleft() if again else next(tasks, None)
        if task is None:
            return
        yield task
