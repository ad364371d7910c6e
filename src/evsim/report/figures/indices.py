"""Which keys an outcome hangs on: Sobol's parts of variance, Morris's effects, a tornado."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim.report.figures.style import CAMP_COLOURS, INK, PALE, SERIES_COLOURS, new_figure
from evsim.words.language import wrap
from evsim.words.outcomes import difference_unit, key_label, key_value, outcome_name

ALONE, TOGETHER = CAMP_COLOURS["independent"], SERIES_COLOURS[4]
UP, DOWN, VAGUE = CAMP_COLOURS["independent"], CAMP_COLOURS["alliance"], "#C4C4C4"
MOST = 15  # keys drawn
TICK = 46  # letters of a line beside a bar
BESIDE = 0.04  # least distance of two labels, of the axes' height


def sobol(part: Any) -> Figure:
    """First-order and total indices, the largest total on top."""
    table = part.tables["indices"].head(MOST).iloc[::-1]
    note = (
        "Part of the variance that goes with a key: alone (dark), with all it shares with others (light). Bars are 90 % intervals"
        f" over {part.about['n_samples']} base samples. {part.about['roles']}"
    )
    figure, (axes,) = new_figure(part.finding, note, (9.6, 2.2 + 0.62 * max(len(table), 3)))
    for offset, name, colour in ((0.18, "first", ALONE), (-0.18, "total", TOGETHER)):
        at = np.arange(len(table)) + offset
        axes.barh(at, table[name].clip(lower=0.0), 0.32, color=colour)
        _whiskers(axes, at, table[f"{name}_low"], table[f"{name}_high"])
    _keys_axis(axes, [_named(part, key, key) for key in table["key"]])
    axes.set_xlim(0.0, max(1.0, 1.02 * float(table[["first_high", "total_high"]].max().max())))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    axes.set_xlabel(f"part of the variance of {outcome_name(part.subject.outcome)}")
    return figure


def morris(part: Any) -> Figure:
    """Size against spread of elementary effects."""
    table = part.tables["effects"]
    scale, unit = difference_unit(part.subject.unit, float(table["size"].max()))
    note = (
        "Elementary effects of each key over its whole range: mean size μ* and standard deviation σ, with 90 % intervals over"
        f" {part.about['n_samples']} trajectories. Above the dotted line (σ = μ*) an effect hangs much on the other keys."
        f" {part.about['roles']}"
    )
    figure, (axes,) = new_figure(part.finding, note, (9.6, 6.4))
    size, spread = scale * table["size"].to_numpy(), scale * table["spread"].to_numpy()
    axes.hlines(spread, scale * table["size_low"], scale * table["size_high"], color=ALONE, alpha=0.35, linewidth=2.0)
    axes.vlines(size, scale * table["spread_low"], scale * table["spread_high"], color=ALONE, alpha=0.35, linewidth=2.0)
    axes.plot(size, spread, "o", color=ALONE, markersize=6)
    right = 1.3 * float(scale * table["size_high"].max())
    top = 1.12 * float(scale * table["spread_high"].max())
    axes.plot([0.0, min(right, top)], [0.0, min(right, top)], color=PALE, linewidth=1.0, linestyle=":", zorder=1)
    axes.set_xlim(0.0, right)
    axes.set_ylim(0.0, top)
    _label_points(axes, size / right, spread / top, list(table["key"]))
    axes.set_xlabel(f"mean size of effects on {outcome_name(part.subject.outcome)} μ*, {unit}")
    axes.set_ylabel(f"standard deviation of effects σ, {unit}")
    return figure


def tornado(part: Any) -> Figure:
    """Swings of the mean outcome, the largest on top; grey where the interval crosses zero."""
    table = part.tables["swings"].head(MOST).iloc[::-1]
    scale, unit = difference_unit(part.subject.unit, float(table["swing"].abs().max()))
    known = table["low"].notna().any()
    others = "the others at the base point" if part.about["base"] else "over all values of the others"
    intervals = "Whiskers: 90 % intervals; grey bars cross zero." if known else "One world only: no intervals."
    note = f"Change of the mean outcome from one end of a key to the other, {others}. {intervals} {part.about['roles']}"
    figure, (axes,) = new_figure(part.finding, note, (9.6, 2.2 + 0.62 * max(len(table), 3)))
    at, swings = np.arange(len(table)), scale * table["swing"].to_numpy()
    clear = table["clear"].to_numpy(dtype=bool) | (not known)
    colours = [VAGUE if not sure else UP if swing >= 0.0 else DOWN for sure, swing in zip(clear, swings, strict=True)]
    axes.barh(at, swings, 0.55, color=colours)
    _whiskers(axes, at, scale * table["low"], scale * table["high"])
    axes.axvline(0.0, color=PALE, linewidth=1.0)
    ends = [
        _named(part, key, f"{key}: {key_value(first)} → {key_value(last)}")
        for key, first, last in table[["key", "from", "to"]].to_numpy()
    ]
    _keys_axis(axes, ends)
    reach = np.nan_to_num(np.concatenate([swings, scale * table["low"], scale * table["high"]]))
    width = float(np.abs(reach).max()) or 1.0
    axes.set_xlim(1.12 * min(float(reach.min()), -0.04 * width), 1.12 * max(float(reach.max()), 0.04 * width))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+g}" if value else "0"))
    axes.set_xlabel(f"change of {outcome_name(part.subject.outcome)}, {unit}")
    return figure


def _named(part: Any, key: str, below: str) -> str:
    """What a key means, with its unit, and under it the key as it is typed."""
    said = key_label(key, part.about.get("meanings", {}).get(key, ""), part.about["units"].get(key, ""), TICK)
    return "\n".join([*([] if said == key else [said]), wrap(below, TICK)])


def _whiskers(axes: Axes, at: np.ndarray, low: pd.Series, high: pd.Series) -> None:
    """Intervals over bars, where there are any."""
    axes.hlines(at, low.to_numpy(), high.to_numpy(), color=INK, linewidth=1.3)


def _keys_axis(axes: Axes, names: Sequence[str]) -> None:
    """Names beside bars."""
    axes.set_yticks(range(len(names)), list(names), color=INK, fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)


def _label_points(axes: Axes, x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> None:
    """Names right of points, a little above their whiskers; of points that are close, above each other."""
    taken: list[tuple[float, float]] = []
    for at in np.argsort(y, kind="stable"):
        height = y[at] + 0.4 * BESIDE
        for other, place in taken:
            if abs(other - x[at]) < 0.3 and height - place < BESIDE:
                height = place + BESIDE
        taken.append((x[at], height))
        axes.annotate(
            names[at], (x[at], y[at]), xycoords="axes fraction", xytext=(x[at] + 0.02, height), textcoords="axes fraction",
            fontsize=8.5, va="center", annotation_clip=False, color=INK,
            arrowprops={"arrowstyle": "-", "color": PALE, "lw": 0.5, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 3},
        )  # fmt: skip
