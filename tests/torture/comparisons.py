"""Intervals of comparisons hold what they say, with the model itself. Not collected with the other tests: it takes minutes.

    PYTHONPATH=tests .venv/bin/python tests/torture/comparisons.py [--comparisons 200] [--pairs 10] [--seeds 300] [--workers 2]

A market of four lines, with subsidies against without them. `--seeds` pairs are run once; each comparison is of `--pairs` of
them, drawn without repetition, and the long-run difference is the mean of all. Printed for each outcome: how often the 90 %
interval of a comparison holds it, the median gain in variance by pairing, and in how many pairs nothing differs at all.

Where most pairs do not differ, intervals are too short, for a few pairs rarely show what happens in a few. With 300 rows, two
months and 5 pairs (200 comparisons, no seed in two of them) 76 to 81 % of the intervals of prices, shares of powertrains and cars
held the truth, and 30 to 42 % of those of the alliance, of which such a market sells next to nothing.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from market.worlds import own_table

from evsim.study import Execution, Plan, Store, design_of, drive
from evsim.study.pairs import pair_estimate
from evsim.study.runner import SIMULATE

OUTCOMES = ("nev_penetration", "alliance_share", "mean_price", "hhi_brand", "units", "leader_profit")
SMALL = (
    "consumers.count=3000", "consumers.reference_size=500", "pricing.survey_size=60", "lock_in.community_size=50", "end=2024-06",
    "pricing=fixed", "modes=timeline",
)  # fmt: skip


def coverages(folder: Path, options: argparse.Namespace) -> dict[str, tuple[float, float, float]]:
    """For each outcome: part of the intervals that hold the long-run difference, gain by pairing, part of pairs alike."""
    words = ("subsidy.scale=0,1", f"market.table={own_table(folder)}", *SMALL)
    design = design_of(*words, plan=Plan(replications=options.seeds))
    store = drive(Store.create(folder, design, SIMULATE), Execution(workers=options.workers))
    results, found = store.results(), {}
    generator = np.random.default_rng(0)
    chosen = [generator.choice(options.seeds, options.pairs, replace=False) for _ in range(options.comparisons)]
    for outcome in OUTCOMES:
        first, other = (results[results["point"] == point].set_index("seed")[outcome].to_numpy() for point in (0, 1))
        truth = float(np.nanmean(other - first))
        estimates = [pair_estimate(first[seeds], other[seeds]) for seeds in chosen]
        held = float(np.mean([estimate.low <= truth <= estimate.high for estimate in estimates]))
        gain = float(np.median([estimate.pairing for estimate in estimates]))
        found[outcome] = held, gain, float(np.mean(first == other))
    return found


def main() -> None:
    """Print the figures; complain where one is out of bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--comparisons", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = coverages(Path(folder), options)
    for outcome, (held, gain, alike) in found.items():
        print(f"{outcome}: {held:.1%} hold it; pairing gains {gain:.1f}x; {alike:.0%} of pairs alike")
    assert all(0.84 <= held <= 0.96 for held, _, alike in found.values() if alike < 0.5)


if __name__ == "__main__":
    main()
