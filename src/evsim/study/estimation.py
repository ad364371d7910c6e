"""What a study will cost, before it is run: hours and disk, from a few of its runs cut short.

As many workers as the study would have simulate points from all over the design, each for some seconds; a run's time is its
set-up plus its months at the mean pace of those seen (measured: months of one run differ little, reviews in January aside, so
whole years are counted where there is one). What a cut run leaves is encoded as the store would encode it, for its size.
"""

import contextlib
import gc
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from evsim.errors import EvsimError
from evsim.params import Scenario

from . import shards
from .design import Design
from .driver import SHARD_RUNS
from .engines import Answer, Execution, Job, Task, start
from .engines.local import cores
from .engines.work import Kept
from .outcomes import OUTCOMES, kept_of
from .past import n_pasts, shared_past

PROBE = "evsim.study.estimation:probe"
PROBE_SECONDS = 4.0
WARM_MONTHS = 25  # before anything is timed: what three yearly reviews call is compiled or loaded then
SMALL = {"count": 2_000, "reference_size": 500, "survey_size": 200, "lines": 40}  # of the market it is done with
ROUNDS = 2  # probes of each worker
LEDGER_BYTES = 70  # of a run …
NUMBER_BYTES = 7.0  # of an outcome: 8, less what those with few values save
COLUMN_BYTES = 350  # of an outcome in each shard, however many runs it has
LEAST_BYTES = 40_000  # … and of any store, beside what its scenarios take
REPORT_BYTES = 180_000  # of the tables and the chart that a comparison or a search writes beside its stores
TIMED = ("set_up", "month", "months", "keeping")  # what a probe tells beside its outcomes
_warm: list[bool] = []  # whether this process has simulated before


@dataclass(frozen=True)
class Estimate:
    """What `n_runs` runs will cost on some workers: seconds from start to end, seconds of a run, bytes on the disk."""

    n_runs: int
    workers: int
    seconds: float
    run_seconds: float
    bytes: float


@dataclass(frozen=True)
class Rates:
    """What each part of a study costs on some workers.

    Attributes:
        workers: as many.
        start_up: seconds until the first run of a store begins.
        run_seconds: of a run.
        run_bytes: of a run …
        shard_bytes: … of each shard beside its runs …
        store_bytes: … and of each store beside its shards.
    """

    workers: int
    start_up: float
    run_seconds: float
    run_bytes: float
    shard_bytes: float
    store_bytes: float

    def of(self, n_runs: int, n_stores: int = 1, n_reports: int = 0) -> Estimate:
        """What so many runs will cost, in so many stores one after the other, with so many charts and their tables."""
        shards = np.ceil(n_runs / n_stores / SHARD_RUNS)
        seconds = n_stores * (self.start_up + np.ceil(n_runs / n_stores / self.workers) * self.run_seconds)
        size = n_stores * (self.store_bytes + self.shard_bytes * shards) + n_runs * self.run_bytes
        size += n_reports * REPORT_BYTES
        return Estimate(n_runs, self.workers, float(seconds), self.run_seconds, float(size))


def probe(mapping: Mapping[str, Any], seed: int, keep: str) -> Kept:
    """Simulate for some seconds, and tell how long each part took beside what is kept so far."""
    from evsim.model import EVMarket
    from evsim.results import Run
    from evsim.scenarios import from_mapping

    scenario = from_mapping(mapping)
    if not _warm:  # kernels are compiled or loaded once in a process, however many runs it has
        small = EVMarket(_small(scenario), rng=seed)
        for _ in range(WARM_MONTHS):
            if small.running:
                small.step()
        gc.collect()  # what loading has left, or a tenth of a second falls on some month
        _warm.append(True)
    began = time.perf_counter()
    model = EVMarket(scenario, rng=seed)
    opened = time.perf_counter()
    ends = [opened]
    while model.running and (len(ends) < 3 or ends[-1] - opened < PROBE_SECONDS):
        model.step()
        ends.append(time.perf_counter())
    whole_years = max(12 * ((len(ends) - 1) // 12), min(12, len(ends) - 1))
    months = [later - earlier for earlier, later in pairwise(ends)][:whole_years]
    record, market = model.record, model.market
    seen = scenario.model_copy(update={"end": record["headline"]["month"][-1]})
    kept = kept_of(Run.from_record(seen, seed, record, dict(market.diagnostics)), keep)
    keeping = time.perf_counter() - ends[-1]
    timed: dict[str, float | None] = {
        "set_up": opened - began,
        "month": float(np.mean(months)),
        "months": len(ends) - 1.0,
        "keeping": keeping,
    }
    return Kept(kept.row | timed, kept.tables)


def _small(scenario: Scenario) -> Scenario:
    """A small market that calls the kernels of a scenario."""
    sizes = {"consumers": ("count", "reference_size"), "pricing": ("survey_size",), "market": ("lines",)}
    changes = {}
    for section, names in sizes.items():
        params = getattr(scenario, section)
        smaller = {name: min(getattr(params, name), SMALL[name]) for name in names}
        changes[section] = params.model_copy(update=smaller)
    return scenario.model_copy(update=changes)


def estimate(design: Design, execution: Execution | None = None, n_runs: int | None = None) -> Estimate:
    """What a design will cost, or what n of its runs will; takes some ten seconds.

    Raises:
        EvsimError: not one of the runs tried could be simulated.
    """
    return rates(design, execution).of(design.n_runs if n_runs is None else n_runs)


def rates(design: Design, execution: Execution | None = None) -> Rates:
    """What each part of a design costs; takes some ten seconds.

    Raises:
        EvsimError: not one of the runs tried could be simulated.
    """
    workers = (execution or Execution()).workers or cores()
    tried, start_up = _probes(design, workers)
    runs = [(given, json.loads(given.row), design.scenario(given.run // len(design.seeds)).n_months) for given in tried]
    past = shared_past(design, design.request.plan.branch_at)
    shared = (
        0.0
        if past is None
        else past.months * (1.0 - workers * len(design.seeds) * n_pasts(design, past) / design.n_runs)
    )
    seconds = float(np.mean([_seconds(told, n_months - max(shared, 0.0)) for _, told, n_months in runs]))
    numbers = float(np.mean([_row_numbers(told, n_months) for _, told, n_months in runs]))
    size = LEDGER_BYTES + NUMBER_BYTES * numbers
    tables = sum(_table_bytes(tried, name) for name in tried[0].tables)
    size += tables / sum(told["months"] for _, told, _ in runs) * float(np.mean([n_months for *_, n_months in runs]))
    store_bytes = LEAST_BYTES + len(json.dumps([base.mapping for base in design.bases]))
    return Rates(workers, start_up, seconds, float(size), COLUMN_BYTES * numbers, float(store_bytes))


def _probes(design: Design, workers: int) -> tuple[list[Answer], float]:
    """Answers of probes at runs from all over the design, and the seconds that workers need to start."""
    chosen = np.unique(np.linspace(0, design.n_runs - 1, ROUNDS * workers).astype("int64"))
    job = Job(PROBE, [base.mapping for base in design.bases], design.keep)
    waiting: list[Task] = [design.task(int(run)) for run in chosen]
    answers: list[Answer] = []
    first = 0.0
    began = time.perf_counter()
    with contextlib.closing(start(job, Execution(workers=workers, quiet=True))) as engine:
        while len(answers) < len(chosen):
            while waiting and engine.room() > 0:
                engine.submit(waiting.pop(0))
            answers += engine.poll(1.0)
            if answers and not first:
                first = time.perf_counter() - began - answers[0].seconds
    good = [given for given in answers if not given.error]
    if not good:
        raise EvsimError(f"no run could be tried: {answers[0].error}")
    return good, first


def _seconds(told: Mapping[str, float], n_months: float) -> float:
    """Of a whole run: set-up, and months with what is kept of them."""
    return told["set_up"] + n_months * (told["month"] + told["keeping"] / told["months"])


def _row_numbers(told: Mapping[str, float], n_months: int) -> float:
    """Outcomes of a whole run, those of years not seen yet among them."""
    by_year = sum(name.rpartition("_")[2].isdecimal() for name in told)
    years_seen, years = by_year / len(OUTCOMES), np.ceil(n_months / 12.0)
    return float(len(told) - len(TIMED) + by_year * max(0.0, years / max(years_seen, 1.0) - 1.0))


def _table_bytes(tried: Sequence[Answer], name: str) -> float:
    """On the disk of one table of the runs tried, less what a file costs whatever is in it."""
    table = shards.panel_table([(given.run, given.tables[name]) for given in tried])
    return float(len(shards.parquet_bytes(table)) - len(shards.parquet_bytes(table.slice(0, 0))))
