"""Tables drawn as coloured cells: a mean over its interval in each, names above and at the left."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patches import Rectangle

from evsim.report.figures.style import INK

DIVERGING = LinearSegmentedColormap.from_list(
    "diverging", ["#E58A4E", "#FFFFFF", "#6BA8D6"]
)  # pale enough for black text
EMPTY = "#F2F2F2"


def cell(axes: Axes, across: float, down: float, text: str, colour) -> None:
    """A coloured box with its mean over its interval."""
    axes.add_patch(Rectangle((across - 0.48, down - 0.46), 0.96, 0.92, facecolor=colour, edgecolor="none"))
    axes.text(across, down, text.replace(" [", "\n["), ha="center", va="center", fontsize=9, color=INK, linespacing=1.3)


def named(axes: Axes, columns: Sequence[str], rows: Mapping[float, str], heading: str = "") -> None:
    """Names of the columns above and of the rows, by their places, at the left; nothing else but the cells."""
    axes.set_yticks(list(rows), list(rows.values()), color=INK)
    axes.set_xticks(range(len(columns)), columns, color=INK)
    axes.set_xlabel(heading)
    axes.xaxis.set_label_position("top")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(max(rows) + 0.5, -0.5)


def diverging(value: float, largest: float):
    """A colour for a value around zero: orange below, blue above, full at ± `largest`; grey where there is none."""
    return DIVERGING(Normalize(-max(largest, 1e-12), max(largest, 1e-12))(value)) if np.isfinite(value) else EMPTY
