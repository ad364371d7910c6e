"""The headline of a comparison over the years: the level in every world, and paired differences with their bands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from evsim import words
from evsim.report.figures.style import INK, PALE, SERIES_COLOURS, house_style, label_ends, new_figure, save_figure

NAME = "comparison"
MOST = len(SERIES_COLOURS)  # worlds drawn beside the first
HEADROOM = 1.08


def paired_years(comparison: Any) -> Figure:
    """Left the headline's mean in every world by calendar year; right each world less the first, with 90 % bands.

    Args:
        comparison: an `evsim.study.Comparison`.
    """
    how = comparison.manner
    years = _headline_years(comparison)
    worlds = list(dict.fromkeys(years["world"]))[:MOST]
    colours = dict(zip(worlds, SERIES_COLOURS, strict=False))
    first = comparison.worlds[0]
    more = f" The first {MOST} of {len(comparison.worlds) - 1} worlds." if len(comparison.worlds) - 1 > MOST else ""
    note = (
        f"Means over pairs of runs with the same draws, by calendar year. Right: each world less {first}, pair by pair; bands are"
        f" 90 % intervals, each for one year.{more}"
    )
    figure, (left, right) = new_figure(comparison.title, note, (12.0, 5.6), 2)
    _levels(left, years, colours, first, how)
    _differences(right, years, colours, how)
    return figure


def draw_paired_years(comparison: Any, folder: Path | str) -> list[Path]:
    """The figure as PNG and SVG in `folder`, which exists.

    Raises:
        StorageError: the folder cannot be written.
    """
    with house_style():
        return save_figure(paired_years(comparison), Path(folder), NAME)


def _headline_years(comparison: Any) -> pd.DataFrame:
    """The rows of `years` about the headline, without the year or `_total` it may be counted over, scaled for a reader."""
    headline = comparison.aim.headline
    names = {headline, headline.rpartition("_")[0]}
    years = comparison.years[comparison.years["outcome"].isin(names) & (comparison.years["pairs"] > 0)].copy()
    columns = ["first", "other", "difference", "low", "high"]
    years[columns] = comparison.manner.scale * years[columns]
    return years


def _levels(axes: Axes, years: pd.DataFrame, colours: Mapping[str, str], first: str, how: words.Manner) -> None:
    """Every world's mean."""
    labels = []
    for name, colour in colours.items():
        rows = years[years["world"] == name]
        axes.plot(rows["year"], rows["other"], color=colour, marker="o", markersize=4)
        labels.append((words.world_label(name), float(rows["other"].iloc[-1]), colour))
    if len(years):
        rows = years[years["world"] == next(iter(colours))]
        axes.plot(rows["year"], rows["first"], color=INK, marker="o", markersize=4)
        labels.append((words.world_label(first), float(rows["first"].iloc[-1]), INK))
    low, high = axes.dataLim.intervaly
    axes.set_ylim(min(0.0, HEADROOM * low), max(0.0, HEADROOM * high) or 1.0)
    axes.set_ylabel(words.label(f"{how.subject}, {'%' if how.unit == 'points' else how.unit}"))
    _year_ticks(axes)
    label_ends(axes, labels)


def _differences(axes: Axes, years: pd.DataFrame, colours: Mapping[str, str], how: words.Manner) -> None:
    """Paired differences with their bands."""
    labels = []
    for name, colour in colours.items():
        rows = years[years["world"] == name]
        low, high = (np.where(rows[end].isna(), rows["difference"], rows[end]) for end in ("low", "high"))
        axes.fill_between(rows["year"], low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(rows["year"], rows["difference"], color=colour, marker="o", markersize=4)
        last = float(rows["difference"].iloc[-1])
        labels.append((f"{last:+,.{words.digits(abs(last))}f}", last, colour))
    axes.axhline(0.0, color=PALE, linewidth=1.0)
    axes.set_ylabel(f"Difference, {how.unit}")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+,g}" if value else "0"))
    _year_ticks(axes)
    label_ends(axes, labels)


def _year_ticks(axes: Axes) -> None:
    """Whole years below."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
