"""Two worlds side by side: paired differences with their intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim import words
from evsim.report.figures.series import trailing_shares
from evsim.report.figures.style import (
    CAMP_COLOURS,
    INK,
    PALE,
    dates,
    label_ends,
    line,
    mark_base,
    new_figure,
    years_axis,
)

MOVERS = 14  # automakers drawn, by the size of the difference


def comparison(baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> Figure:
    """Differences of camps' shares over time, and of automakers' shares at the end, with 90 % intervals.

    Raises:
        ValueError: the runs are not pairs.
    """
    words.check_pairs(baseline_runs, other_runs)
    pairs = len(baseline_runs)
    spread = (
        f"Mean of {pairs} pairs of runs with the same seeds; bands and bars are 90 % intervals."
        if pairs > 1
        else "One pair of runs."
    )
    names = f"{other_runs[0].scenario.name} less {baseline_runs[0].scenario.name}".replace("_", " ").capitalize()
    note = f"{names}, points of the share of cars delivered, 12 months to the date. {spread}"
    figure, (left, right) = new_figure(words.comparison_finding(baseline_runs, other_runs), note, (13.0, 6.2), 2)
    _camps(left, baseline_runs, other_runs)
    _automakers(right, baseline_runs, other_runs)
    return figure


def _differences(baseline_runs: Sequence[Any], other_runs: Sequence[Any], by: str) -> dict[str, pd.DataFrame]:
    """For each name, other less baseline: months in rows, a column a pair; points of share."""
    pairs = [
        (trailing_shares(base, by), trailing_shares(other, by))
        for base, other in zip(baseline_runs, other_runs, strict=True)
    ]
    names = sorted({name for pair in pairs for shares in pair for name in shares})
    empty = pd.Series(0.0, index=pairs[0][0].index)
    return {
        name: pd.DataFrame(
            {at: 100.0 * (other.get(name, empty) - base.get(name, empty)) for at, (base, other) in enumerate(pairs)}
        )
        for name in names
    }


def _camps(axes: Axes, baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> None:
    """Camps over time."""
    labels = []
    for camp, difference in _differences(baseline_runs, other_runs, "camp").items():
        x, colour = dates(difference.index), CAMP_COLOURS[camp]
        mean, low, high = np.array([words.paired_interval(list(row)) for row in difference.to_numpy()]).T
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        line(axes, x, mean, colour)
        labels.append((f"{words.label(words.CAMPS[camp])} {mean[-1]:+.1f}", float(mean[-1]), colour))
        years_axis(axes, x[0], x[-1])
    axes.axhline(0.0, color=PALE, linewidth=1.0)
    axes.set_ylabel("difference of share, points")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+.0f}" if value else "0"))
    label_ends(axes, labels)
    mark_base(axes, baseline_runs[0].base_month)


def _automakers(axes: Axes, baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> None:
    """Automakers at the end."""
    differences = _differences(baseline_runs, other_runs, "automaker")
    intervals = {name: words.paired_interval(list(difference.iloc[-1])) for name, difference in differences.items()}
    largest = sorted(intervals, key=lambda name: -abs(intervals[name][0]))[:MOVERS]
    largest.sort(key=lambda name: intervals[name][0])
    for at, name in enumerate(largest):
        mean, low, high = intervals[name]
        colour = CAMP_COLOURS["independent"] if mean >= 0 else CAMP_COLOURS["alliance"]
        axes.hlines(at, low, high, color=colour, linewidth=3.0, alpha=0.35)
        axes.plot(mean, at, "o", color=colour, markersize=6)
    axes.axvline(0.0, color=PALE, linewidth=1.0)
    axes.set_yticks(range(len(largest)), largest, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    axes.set_xlabel(f"difference of share in {words.period(other_runs[0])}, points")
