"""Subsidies that wane faster or slower: who gains and who loses, by camp and by price segment."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evsim.report.figures.cells import cell, diverging, named
from evsim.report.figures.intervals import bracketed
from evsim.report.figures.style import INK, new_figure

COLUMNS = {  # column of shares: its heading
    "nev": "new-\nenergy", "alliance": "alliance", "independent": "inde-\npendents", "incumbent": "incum-\nbents",
    "mass": "below\n150", "middle": "150 to\n300", "premium": "300 and\nmore",
}  # fmt: skip


def waning_subsidies(changes: pd.DataFrame, windows: Sequence[str], title: str) -> Figure:
    """Changes of shares against the dated record: speeds by camp and segment, a panel a window of time.

    Args:
        changes: a row a `seed`, `world` and `window`, points of share less those with policy as dated, a column each of
            `COLUMNS`; worlds in the order of the rows.
        windows: names of the windows, in the order of the panels.
    """
    seeds = changes["seed"].nunique()
    note = (
        "Points of the share of cars delivered, less the share with policy as dated, in pairs of runs with the same draws: mean"
        f" and 90 % interval of {seeds} seeds. Segments by the price of a line in its first month, kCNY. As dated, the purchase"
        " tax exemption is halved in 2026 and ends with 2027, trade-in and scrappage benefits end with 2026."
    )
    order = list(changes["world"].unique())
    figure, panels = new_figure(title, note, (17.5, 2.2 + 0.6 * len(order)), len(windows))
    means = changes.groupby(["world", "window"])[list(COLUMNS)].mean()
    for axes, window in zip(panels, windows, strict=True):
        here = changes[changes["window"] == window]
        largest = float(np.abs(means.xs(window, level="window").to_numpy()).max())
        for down, world in enumerate(order):
            rows = here[here["world"] == world]
            for across, column in enumerate(COLUMNS):
                cell(axes, across, down, bracketed(rows[column]), diverging(rows[column].mean(), largest))
        labels = order if axes is panels[0] else [""] * len(order)
        named(axes, list(COLUMNS.values()), dict(enumerate(labels)))
        axes.set_title(window, loc="left", color=INK, weight="bold")
    return figure
