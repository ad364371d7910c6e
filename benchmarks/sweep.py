"""How long a sweep of the model takes: 20,000 rows, 144 months, `pricing=best_response`, one run after another on each core.

    .venv/bin/python benchmarks/sweep.py [--runs 40] [--workers 2]

Runs differ in their seed and in two levers, so that nothing is shared but what the market table alone decides. Goals for 1,000
runs on two cores: 4 minutes with members on record (`modes=timeline`), 30 with modes chosen. Printed: CPU-independent counts,
seconds a run and core, and what 1,000 runs would take at that pace; then the same with smaller panels, whose price is survey
noise (`benchmarks/survey_noise.py`).
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from evsim.study import Execution, Plan, Store, design_of, drive
from evsim.study.runner import SIMULATE

WORDS = ("consumers.count=20000", "pricing=best_response", "subsidy.scale=0,1", "software.advantage_kcny=0,30")
GOALS = {"timeline": 4.0, "chosen": 30.0}


def seconds_of(folder: Path, runs: int, workers: int, *words: str) -> float:
    """Seconds that so many runs take, starting the workers counted: the caller takes the difference of two."""
    store = Store.create(folder, design_of(*WORDS, *words, plan=Plan(replications=max(runs // 4, 1))), SIMULATE)
    began = time.perf_counter()
    drive(store, Execution(workers=workers, quiet=True))
    seconds = time.perf_counter() - began
    if store.counts().failed:
        raise SystemExit(f"{store.counts().failed} runs failed: {store.failures()['error'].iloc[0]}")
    return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        for modes, goal in GOALS.items():
            for size in (2_000, 1_000, 500):
                words = (f"modes={modes}", f"pricing.survey_size={size}")
                start = seconds_of(folder, 4, options.workers, *words)
                taken = seconds_of(folder, options.runs + 4, options.workers, *words)
                pace = max(taken - start, 0.0) / options.runs
                print(
                    f"modes={modes:8} {size:5} households asked: {pace * options.workers:5.2f} s a run and core; "
                    f"1,000 runs in {1_000 * pace / 60:5.1f} min (goal {goal:.0f})",
                    flush=True,
                )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
