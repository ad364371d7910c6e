"""Heat map of an outcome over two keys, with the line where it tips and the band in which that line may lie."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim.report.figures.style import CAMP_COLOURS, INK, new_figure
from evsim.words.language import label
from evsim.words.outcomes import axes_note, key_label, key_value, outcome_name, quantity

COLOURS = "Blues"
LINE = CAMP_COLOURS["alliance"]
UNKNOWN = "#F2F2F2"
BAND = (0.05, 0.95)
TICKED = 12  # values of a key that each have a tick
ACROSS, UP = 96, 60  # letters of a line of an axis's label


def heat_map(part: Any) -> Figure:
    """Mean outcome over two keys; the tipping line, and where it lies in nine of ten resamples of the worlds."""
    means, chance, about = part.tables["means"], part.tables.get("chance_above"), part.about
    threshold = quantity(about["threshold"], part.subject.unit)
    band = (
        f"pale, with dashed edges: where it lies in 90 % of resamples of {about['n_worlds']} worlds (common seeds kept together)"
        if chance is not None
        else "one world only, so no band"
    )
    blank = " Cells left blank were not simulated." if means.isna().any(axis=None) else ""
    note = f"Mean over worlds. Line: where it crosses {threshold}; {band}.{blank} {axes_note(*about['keys'])} {about['roles']}"
    figure, (axes,) = new_figure(part.finding, note, (9.6, 6.6))
    x, y = means.columns.to_numpy(dtype="float64"), means.index.to_numpy(dtype="float64")
    axes.set_facecolor(UNKNOWN)
    axes.grid(visible=False)
    drawn = axes.pcolormesh(x, y, np.ma.masked_invalid(means.to_numpy()), cmap=COLOURS, shading="nearest")
    bar = figure.colorbar(drawn, ax=axes, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value, part.subject.unit)))
    bar.set_label(label(outcome_name(part.subject.outcome)))
    if chance is not None:
        _band(axes, chance)
    if _crosses(means, about["threshold"]):
        axes.contour(x, y, np.ma.masked_invalid(means.to_numpy()), [about["threshold"]], colors=[LINE], linewidths=2.4)
        bar.ax.axhline(about["threshold"], color=LINE, linewidth=2.4)
    for name, key, edges, width in (("x", about["keys"][0], x, ACROSS), ("y", about["keys"][1], y, UP)):
        said = key_label(key, about["meanings"].get(key, ""), about["units"][key], width)
        getattr(axes, f"set_{name}label")(said, color=INK)
        if len(edges) <= TICKED:
            getattr(axes, f"set_{name}ticks")(edges, [key_value(float(value)) for value in edges])
        half = (edges[1] - edges[0]) / 2.0, (edges[-1] - edges[-2]) / 2.0
        getattr(axes, f"set_{name}lim")(edges[0] - half[0], edges[-1] + half[1])
    return figure


def _crosses(means: pd.DataFrame, threshold: float) -> bool:
    """Whether the threshold lies between the lowest and the highest mean."""
    values = means.to_numpy()
    return bool(np.nanmin(values) < threshold <= np.nanmax(values))


def _band(axes: Axes, chance: pd.DataFrame) -> None:
    """Where the line may lie, paler and framed."""
    values = np.ma.masked_invalid(chance.to_numpy())
    if not ((values > BAND[0]) & (values < BAND[1])).any():
        return
    x, y = chance.columns.to_numpy(), chance.index.to_numpy()
    axes.contourf(x, y, values, BAND, colors=["white"], alpha=0.35)
    axes.contour(x, y, values, BAND, colors=[LINE], linewidths=1.0, linestyles="--")
