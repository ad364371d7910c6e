"""Intervals of comparisons hold what they say, with the model itself. Not collected with the other tests: it takes minutes.

    PYTHONPATH=tests .venv/bin/python tests/torture/comparisons.py [--comparisons 200] [--pairs 5] [--workers 2]

A market of four lines, without subsidies against with them, in so many comparisons of so many pairs, no seed in two of them. The
long-run difference is the mean over all pairs. Printed for each outcome: how often the 90 % interval of a comparison holds it,
and the gain in variance by pairing.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from market.worlds import own_table

from evsim.study import Execution, Plan, Store, design_of, drive
from evsim.study.pairs import pair_estimate
from evsim.study.runner import SIMULATE

OUTCOMES = ("nev_penetration", "alliance_share", "mean_price", "hhi_brand", "units", "leader_profit", "repeat_rate")
SMALL = (
    "consumers.count=300", "consumers.reference_size=500", "pricing.survey_size=60", "lock_in.community_size=50", "end=2024-02",
    "pricing=fixed", "modes=timeline",
)  # fmt: skip


def coverages(folder: Path, comparisons: int, pairs: int, workers: int) -> dict[str, tuple[float, float]]:
    """For each outcome, the part of the intervals that hold the long-run difference, and the mean gain by pairing."""
    words = ("subsidy.scale=0,1", f"market.table={own_table(folder)}", *SMALL)
    design = design_of(*words, plan=Plan(replications=comparisons * pairs))
    store = drive(Store.create(folder, design, SIMULATE), Execution(workers=workers))
    results = store.results()
    found = {}
    for outcome in OUTCOMES:
        first, other = (results[results["point"] == point].set_index("seed")[outcome].to_numpy() for point in (0, 1))
        truth = float(np.nanmean(other - first))
        blocks = zip(first.reshape(comparisons, pairs), other.reshape(comparisons, pairs), strict=True)
        estimates = [pair_estimate(*block) for block in blocks]
        held = float(np.mean([estimate.low <= truth <= estimate.high for estimate in estimates]))
        found[outcome] = held, float(np.mean([estimate.pairing for estimate in estimates]))
    return found


def main() -> None:
    """Print the figures; complain where one is out of bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = coverages(Path(folder), options.comparisons, options.pairs, options.workers)
    for outcome, (held, pairing) in found.items():
        print(f"{outcome}: {held:.1%} of {options.comparisons} intervals hold it; pairing gains {pairing:.1f}x")
    assert all(0.84 <= held <= 0.96 for held, _ in found.values())


if __name__ == "__main__":
    main()
