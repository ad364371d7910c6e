"""What the leader earns over its revenue share and over its fee, members answering; where it peaks and where partners leave."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from evsim.report.figures.intervals import band
from evsim.report.figures.style import INK, PALE, new_figure

PARTNERS, WITH_NEAREST = "its partners", "partners and the nearest outsiders"
LEGEND_ROOM = 1.28  # of the highest value
COLOURS = {PARTNERS: "#D55E00", WITH_NEAREST: "#0072B2"}
LEVERS = {
    "revenue share": ("revenue share, per cent of the price net of VAT", "the leader's profit, bn CNY a year"),
    "fee": ("fee a car in mode alliance, kCNY", ""),
}


def peaks(curve: pd.DataFrame, column: str) -> list[float]:
    """For each seed, the point of the grid at which a column is highest.

    Args:
        curve: rows of one lever and one set of answering brands.
    """
    return [float(rows.loc[rows[column].idxmax(), "value"]) for _, rows in curve.groupby("seed")]


def leaves(curve: pd.DataFrame) -> dict[str, list[float]]:
    """For each brand that is in at some point of every seed's grid, the first point above at which it is out, seed by seed.

    A brand that stays in to the end of the grid in some seed is left out. The first to go come first.
    """
    last: dict[str, list[float]] = {}
    for _, rows in curve.sort_values("value").groupby("seed"):
        values = rows["value"].to_list()
        for name in {name for members in rows["members"] for name in members}:
            place = max(at for at, members in enumerate(rows["members"]) if name in members)
            last.setdefault(name, []).append(values[place + 1] if place + 1 < len(values) else np.nan)
    seeds = curve["seed"].nunique()
    whole = {name: found for name, found in last.items() if len(found) == seeds and not np.isnan(found).any()}
    return dict(sorted(whole.items(), key=lambda item: (np.mean(item[1]), item[0])))


def royalty(curves: pd.DataFrame, present: dict[str, float], title: str) -> Figure:
    """The leader's profit over each lever, with 90 % bands.

    Args:
        curves: a row a seed, lever (of `LEVERS`), value and set of answering brands, with `profit`, `liked` (profit and what
            the leader counts for cars), both bn CNY a year, and `members` (the answering brands that are in).
        present: each lever's value in the present terms.
    """
    note = (
        "A market three years after the base date. Lines: what the leader earns, fees less the parts and shops it bears,"
        " research not counted; dashed: with what it counts for each car on its stack, recovered from the share it asks: from"
        f" partners it likes that best. Bands: 90 % intervals of the mean over {curves['seed'].nunique()} seeds. Marks: where a"
        " partner leaves if only partners may move. Dotted: present terms."
    )
    figure, panels = new_figure(title, note, (13.0, 6.2), 2)
    for axes, (lever, labels) in zip(panels, LEVERS.items(), strict=True):
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        _panel(axes, curves[curves["lever"] == lever])
        if lever == "revenue share":
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.axvline(present[lever], color=PALE, linewidth=1.0, linestyle=":", zorder=1)
    panels[0].legend(loc="upper left", frameon=False, fontsize=8.5)
    lowest = min(axes.get_ylim()[0] for axes in panels)
    highest = max(axes.get_ylim()[1] for axes in panels)
    for axes, lever in zip(panels, LEVERS, strict=True):
        axes.set_ylim(max(lowest, -0.35 * highest), LEGEND_ROOM * highest)
        _departures(axes, leaves(curves[(curves["lever"] == lever) & (curves["answering"] == PARTNERS)]))
    return figure


def _panel(axes: Axes, curves: pd.DataFrame) -> None:
    """Profit and what is liked, for both sets of brands."""
    axes.axhline(0.0, color=PALE, linewidth=1.0)
    for answering, colour in COLOURS.items():
        own = curves[curves["answering"] == answering]
        for column, style in (("profit", "-"), ("liked", "--")):
            by_seed = own.pivot(index="value", columns="seed", values=column)
            x, (mean, low, high) = by_seed.index.to_numpy(), band(by_seed)
            text = f"{answering} may move{'' if style == '-' else '; cars counted'}"
            axes.plot(x, mean, color=colour, linestyle=style, linewidth=2.0 if style == "-" else 1.3, label=text)
            axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
            at = int(mean.argmax())
            axes.plot(x[at], mean[at], "o", color=colour, markersize=5)


def _departures(axes: Axes, partners: dict[str, list[float]]) -> None:
    """A mark on the zero line for each partner, named below."""
    low, high = axes.get_ylim()
    for place, (name, values) in enumerate(partners.items()):
        at = float(np.mean(values))
        axes.plot([at, at], [0.0, -(0.05 + 0.055 * place) * (high - low)], color=COLOURS[PARTNERS], linewidth=1.0)
        axes.annotate(
            f"{name} leaves", (at, -(0.05 + 0.055 * place) * (high - low)), xytext=(-3, 0), textcoords="offset points",
            ha="right", va="center", fontsize=8.5, color=INK,
        )  # fmt: skip
