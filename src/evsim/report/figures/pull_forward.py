"""Year ends: sales after over sales before, published and simulated, with and without what was announced."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.intervals import pseudo_ratios
from evsim.report.figures.style import INK, PALE, SERIES_COLOURS, darker, new_figure

ANNOUNCED, UNSEEN, NOTHING = "announced", "nobody looks ahead", "nothing changes"
LOOKS = {  # world: colour, marker, place within its row
    ANNOUNCED: (SERIES_COLOURS[0], "o", 0.2),
    UNSEEN: (SERIES_COLOURS[3], "s", 0.0),
    NOTHING: (SERIES_COLOURS[1], "D", -0.2),
}
PUBLISHED = "published"


def pull_forward(table: pd.DataFrame, seen: pd.DataFrame, season: Mapping[int, float], title: str) -> Figure:
    """Ratios by year end, of one month and of two, and of makers.

    Args:
        table: a row a `seed`, `world`, `who`, `year` and `span` (1 or 2 months), with cars `before` and `after` the year end; the
            first two names of `who` are new-energy and combustion cars, the others makers.
        seen: the same of the published figures; nan where there is none.
        season: by span, the ratio that the season alone gives.
    """
    note = (
        "Cars sold after the year end over cars sold before. Announced: the dated record, buyers look ahead; nobody looks ahead:"
        " the same benefits, no visit moved; nothing changes: benefits stay for good as they were in June 2022 (last two year"
        " ends: August 2024). Dotted: the season that the model is given. Lunar new year: 22 January 2023, 10 February 2024,"
        f" 29 January 2025. Ratios of sums over {table['seed'].nunique()} seeds; lines: 90 % intervals (jackknife)."
    )
    figure, (left, middle, right) = new_figure(title, note, (14.0, 6.8), 3)
    drives, makers = list(table["who"].unique()[:2]), list(table["who"].unique()[2:])
    years = sorted(table["year"].unique(), key=int)
    rows = [(who, year) for year in years for who in drives]
    for axes, span, heading in (
        (left, 1, "January over December"), (middle, 2, "January and February over\nNovember and December"),
    ):  # fmt: skip
        _rows(axes, table, seen, span, rows)
        axes.axvline(season[span], color=PALE, linewidth=1.2, linestyle=":")
        axes.set_title(heading, loc="left", color=INK)
        for place in np.arange(2, len(rows), 2) - 0.5:
            axes.axhline(place, color=PALE, linewidth=0.6)
    left.set_yticks(range(len(rows)), [f"{_span(year)}, {who.removesuffix(' cars')}" for who, year in rows], color=INK)
    middle.set_yticks(range(len(rows)), [])
    known = seen[seen["span"].eq(1) & seen["who"].isin(makers) & seen["after"].notna()]
    of_makers = [
        (name, year) for year in years for name in makers if ((known["who"] == name) & (known["year"] == year)).any()
    ]
    _rows(right, table, seen, 1, of_makers, (ANNOUNCED, NOTHING))
    right.axvline(season[1], color=PALE, linewidth=1.2, linestyle=":")
    right.set_yticks(range(len(of_makers)), [f"{_span(year)}, {name}" for name, year in of_makers], color=INK)
    right.set_title("January over December,\nnew-energy cars by maker or brand", loc="left", color=INK)
    _key(left)
    return figure


def _span(year: int) -> str:
    """`2022-23`."""
    return f"{year}-{(year + 1) % 100:02d}"


def _rows(
    axes: Axes, table: pd.DataFrame, seen: pd.DataFrame, span: int, rows: list[tuple[str, int]], worlds=tuple(LOOKS)
) -> None:
    """A row a name and year end: worlds with intervals, the published ratio as a cross."""
    top = 1.0
    for place, (who, year) in enumerate(rows):
        here = table[(table["who"] == who) & (table["year"] == year) & (table["span"] == span)]
        for world in worlds:
            colour, marker, shift = LOOKS[world]
            cars = here[here["world"] == world]
            if not cars["before"].gt(0).all():
                continue  # nothing was sold to compare with
            mean, low, high = words.paired_interval(list(pseudo_ratios(cars["after"], cars["before"])))
            axes.hlines(place - shift, low, high, color=colour, linewidth=3.0, alpha=0.35)
            axes.plot(mean, place - shift, marker, color=colour, markersize=5.5)
            top = max(top, mean)
        fact = seen[(seen["who"] == who) & (seen["year"] == year) & (seen["span"] == span)].iloc[0]
        axes.plot(
            fact["after"] / fact["before"], place, "x", color="black", markersize=9, markeredgewidth=2.2, zorder=5
        )
    axes.set_xlim(0.0, 1.15 * top)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel("ratio")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)


def _key(axes: Axes) -> None:
    """What the marks are, in the lower left, where no ratio is."""
    marks = [("x", PUBLISHED, "black"), *((marker, world, colour) for world, (colour, marker, _) in LOOKS.items())]
    for step, (marker, text, colour) in enumerate(marks):
        height = 0.235 - 0.045 * step
        axes.plot(
            0.04,
            height,
            marker,
            color=colour,
            markersize=6.5,
            markeredgewidth=2.0 if marker == "x" else 0.5,
            transform=axes.transAxes,
        )
        axes.text(0.08, height, text, color=darker(colour), fontsize=9, va="center", transform=axes.transAxes)
