"""A fan chart of 5,000 runs over 144 months, from the store to the picture, against the plain way with pandas.

    .venv/bin/python benchmarks/fan_chart.py [--runs 5000]

Goal: under 0.5 s. The plain way reads the table as a frame, pivots it, and has pandas find the quantiles of the same means.
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
from runner import driven

from evsim.report.figures.fan import fan
from evsim.report.figures.style import house_style
from evsim.study import Store
from evsim.study.fan import MONTHS, PARTS, fan_quantiles

OUTCOME = "alliance_share"


def quick(store: Store) -> pd.DataFrame:
    """Quantiles by month as `evsim analyse` has them."""
    return fan_quantiles(*store.paths(OUTCOME))


def plain(store: Store) -> pd.DataFrame:
    """The same by way of a frame."""
    months = store.panel("months", ["month", OUTCOME]).pivot(index="month", columns="run", values=OUTCOME)
    quantiles = months.rolling(MONTHS, min_periods=1).mean().quantile(PARTS, axis=1).T
    return quantiles.set_axis([f"{part:g}" for part in PARTS], axis=1)


def seconds(store: Store, quantiles: Callable[[Store], pd.DataFrame], picture: Path, times: int = 5) -> float:
    """The least time from the store to the picture."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        subject = SimpleNamespace(outcome=OUTCOME, unit="fraction")
        about = {"n_runs": store.n_runs}
        part = SimpleNamespace(subject=subject, finding="Runs", tables={"quantiles": quantiles(store)}, about=about)
        fan(part).savefig(picture, dpi=150)
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5_000)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        store, _ = driven(folder, "null", options.runs, keep="panel")
        assert (quick(store) - plain(store)).abs().max(axis=None) < 1e-12
        with house_style():
            ours, theirs = (seconds(store, way, folder / "fan.png") for way in (quick, plain))
        print(f"fan chart of {store.n_runs:,} runs: {ours:.2f} s from the store to the picture (goal 0.5)")
        print(f"with pandas: {theirs:.2f} s, {theirs / ours:.1f} times as long")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
