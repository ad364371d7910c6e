"""What a foreign premium maker loses to the software gap, and what each response saves."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.style import INK, PALE, SERIES_COLOURS, darker, new_figure

HOLD, PRICE, INSIDE, RESEARCH = (
    "hold prices and stack", "best prices", "the leader's stack inside", "three times the research",
)  # fmt: skip
LEVEL, NO_GAP = "own stack level, for nothing", "no software gap at all"
RESPONSES = (HOLD, PRICE, INSIDE, RESEARCH)


def premium_response(table: pd.DataFrame, title: str) -> Figure:
    """Shares at the end and profits over the run by response, makers in colours, with 90 % intervals.

    Args:
        table: a row a seed, maker and response (of `RESPONSES`, `LEVEL` or `NO_GAP`), with `share` and `base_share`, fractions,
            and `profit`, bn CNY over the run.
    """
    note = (
        "Left: share of cars delivered in the last 12 months; dotted: at the base date. Right: profit over the run, less that"
        " with prices and stack held, in pairs of runs with the same draws. Points: mean; lines: 90 % intervals of"
        f" {table['seed'].nunique()} seeds. One maker answers at a time; without the gap, every stack that is behind keeps level"
        " with the alliance's."
    )
    figure, (left, right) = new_figure(title, note, (13.0, 5.2), 2)
    places = {name: place for place, name in enumerate((NO_GAP, LEVEL, *reversed(RESPONSES)))}
    for index, (maker, rows) in enumerate(table.groupby("maker", sort=False)):
        colour, shift = SERIES_COLOURS[index], 0.16 * (1 - 2 * index)
        shares, profits = (rows.pivot(index="seed", columns="response", values=name) for name in ("share", "profit"))
        _row(left, 100.0 * shares, places, colour, shift)
        _row(right, profits.sub(profits[HOLD], axis=0), places, colour, shift)
        left.axvline(100.0 * rows["base_share"].mean(), color=colour, linewidth=1.0, linestyle=":")
        left.annotate(
            maker, (0.3 * index, 1.01), xycoords="axes fraction", color=darker(colour), va="bottom", fontsize=9.5,
            weight="bold",
        )  # fmt: skip
    right.axvline(0.0, color=PALE, linewidth=1.0)
    right.set_yticks(range(len(places)), [])
    left.set_yticks(range(len(places)), list(places), color=INK)
    left.set_xlabel("share of cars delivered at the end, %")
    right.set_xlabel("profit over the run against holding prices and stack, bn CNY")
    for axes in (left, right):
        axes.set_ylim(-0.6, len(places) - 0.2)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", visible=True)
    left.set_xlim(left=0.0)
    return figure


def _row(axes: Axes, values: pd.DataFrame, places: dict[str, int], colour: str, shift: float) -> None:
    """Mean and interval of each response."""
    for name in places:
        mean, low, high = words.paired_interval(list(values[name]))
        axes.hlines(places[name] + shift, low, high, color=colour, linewidth=3.0, alpha=0.35)
        axes.plot(mean, places[name] + shift, "o", color=colour, markersize=6)
