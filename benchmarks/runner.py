"""The runner and the store: what a run costs beside its simulation, how fast a store is driven on and read.

    .venv/bin/python benchmarks/runner.py [--runs 100000] [--estimates]

Goals: at most 2 ms a run for 100,000 runs that do nothing; a finished store of 10,000 runs driven on in under 2 s; monthly
tables of 5,000 runs read for a fan chart in under 0.5 s. With --estimates three small studies of the model are planned
and run, to hold the hours and the disk of a dry run against the truth (goal: a factor of 1.5).
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from evsim.study import Execution, Plan, Store, design_of, drive
from evsim.study.engines.work import Kept

MONTHS = 144
SMALL = ("consumers.count=2000", "consumers.reference_size=500", "pricing.survey_size=200", "market.lines=40")
STUDIES = {
    "short runs": (("subsidy.scale=0,1", "pricing=fixed", "end=2025-12", *SMALL), Plan(replications=40)),
    "yearly tables": (
        ("lock_in.switching_cost=interval(0,2)", "pricing=best_response", "end=2029-12", *SMALL),
        Plan(samples=24, keep="panel"),
    ),
    "modes chosen": (("software.advantage_kcny=0,30", "modes=chosen", "end=2027-12", *SMALL), Plan(replications=8)),
}


def null(mapping, seed, keep):
    """A run that does nothing, with as many outcomes as a real one, and with `panel` one table of 144 months."""
    numbers = np.random.default_rng(seed).random(200)
    row = {f"automaker_share.{number}": float(value) for number, value in enumerate(numbers)}
    months = np.array([f"{2024 + month // 12}-{month % 12 + 1:02d}" for month in range(MONTHS)], dtype=object)
    table = {"month": months} | {
        name: np.random.default_rng([seed, column]).random(MONTHS)
        for column, name in enumerate(("alliance_share", "mean_price", "hhi_brand", "hhi_platform"))
    }
    return Kept(row, {"months": table} if keep == "panel" else {})


def empty(mapping, seed, keep):
    """A run that does nothing and gives one number."""
    return Kept({"mean_price": float(seed)})


def driven(folder: Path, function: str, runs: int, keep: str = "summary") -> tuple[Store, float]:
    """A store of runs that do nothing, and the seconds it took."""
    design = design_of("subsidy.scale=0,1", plan=Plan(replications=runs // 2, keep=keep))
    store = Store.create(folder, design, f"runner:{function}")
    began = time.perf_counter()
    drive(store, Execution(quiet=True), f"runner:{function}")
    return store, time.perf_counter() - began


def megabytes() -> float:
    """The largest size that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def compare_estimates(folder: Path) -> None:
    """Print what a dry run says of three studies, and what they then take."""
    from evsim.study.estimation import estimate
    from evsim.study.runner import SIMULATE

    for name, (words, plan) in STUDIES.items():
        design = design_of(*words, plan=plan)
        said = estimate(design)
        began = time.perf_counter()
        store = drive(Store.create(folder, design, SIMULATE), Execution(quiet=True))
        seconds = time.perf_counter() - began
        size = sum(path.stat().st_size for path in store.path.rglob("*") if path.is_file())
        print(
            f"{name}: {design.n_runs} runs, {said.seconds:.0f} s said, {seconds:.0f} s taken (ratio "
            f"{said.seconds / seconds:.2f}); {said.bytes / 1e3:.0f} kB said, {size / 1e3:.0f} kB taken "
            f"(ratio {said.bytes / size:.2f})",
            flush=True,
        )


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--estimates", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        _, seconds = driven(folder, "empty", options.runs // 10)
        before = megabytes()
        _, seconds = driven(folder, "empty", options.runs)
        print(f"{options.runs:,} runs of one outcome: {1e3 * seconds / options.runs:.2f} ms a run (goal 2)")
        print(
            f"driver: {before:.0f} MB after {options.runs // 10:,} runs, {megabytes():.0f} MB after ten times as many"
        )
        store, seconds = driven(folder, "null", 10_000)
        print(f"10,000 runs of 200 outcomes: {1e3 * seconds / 10_000:.2f} ms a run (goal 2)")
        began = time.perf_counter()
        drive(store, Execution(quiet=True), "runner:null")
        print(f"the finished store of 10,000 runs driven on: {time.perf_counter() - began:.2f} s (goal 2)")
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", f"from evsim.cli import main; main(['status', '{store.path}'])"],
            check=True,
            capture_output=True,
        )
        print(f"`evsim status` of it: {time.perf_counter() - began:.2f} s")
        began = time.perf_counter()
        store.results()
        print(f"its results as a frame: {time.perf_counter() - began:.2f} s")
        store, seconds = driven(folder, "null", 5_000, keep="panel")
        print(f"5,000 runs of 200 outcomes and 144 months: {1e3 * seconds / 5_000:.2f} ms a run")
        began = time.perf_counter()
        months = store.panel("months", ["month", "alliance_share"])
        months.pivot(index="month", columns="run", values="alliance_share").quantile([0.05, 0.5, 0.95], axis=1)
        print(f"their quantiles by month, for a fan chart: {time.perf_counter() - began:.2f} s (goal 0.5)")
        if options.estimates:
            compare_estimates(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
