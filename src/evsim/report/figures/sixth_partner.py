"""Whom a new partner hurts: members by candidates, with what the leader gains."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from evsim.report.figures.intervals import bracketed
from evsim.report.figures.style import INK, new_figure

LOSS = LinearSegmentedColormap.from_list("loss", ["#FFFFFF", "#F2A679", "#D55E00"])
GAIN = "#EAF2F8"


def sixth_partner(table: pd.DataFrame, title: str, leader: str) -> Figure:
    """The change of each member's yearly profit by candidate, per cent, and the leader's gain.

    Args:
        table: a row a seed, candidate and member, in the order of candidates, with the member's `profit` (bn CNY a year), its
            `change` (a fraction) and the leader's gain, in `fees` and as `liked` (with what it counts for cars), bn CNY a year.
    """
    note = (
        "Change of each brand's yearly gross profit, royalties paid, if the brand named above joins in mode alliance at the end"
        " of 2025: a market three years on, others' prices held. Below: what the leader gains in fees, and with what it counts"
        f" for each car on its stack. Mean and 90 % interval of {table['seed'].nunique()} seeds."
    )
    candidates = list(table["candidate"].drop_duplicates())
    members = list(table.groupby("member")["profit"].mean().sort_values(ascending=False).index)
    size = (max(1.9 + 1.55 * len(candidates), 8.0), 2.6 + 0.62 * (len(members) + 2))
    figure, (axes,) = new_figure(title, note, size)
    scale = Normalize(0.0, max(-100 * table.groupby(["candidate", "member"])["change"].mean().min(), 1e-9))
    for across, candidate in enumerate(candidates):
        rows = table[table["candidate"] == candidate]
        for down, member in enumerate(members):
            changes = 100.0 * rows.loc[rows["member"] == member, "change"]
            if len(changes):
                _cell(axes, across, down, bracketed(changes, unit=" %"), LOSS(scale(max(-changes.mean(), 0.0))))
        gains = rows.drop_duplicates("seed")
        for down, column in enumerate(("fees", "liked"), start=len(members)):
            _cell(axes, across, down + 0.25, bracketed(gains[column], unit=" bn"), GAIN)
    profits = table.groupby("member")["profit"].mean()
    names = [f"{member}, {profits[member]:.0f} bn a year" for member in members]
    places = [*range(len(members)), len(members) + 0.25, len(members) + 1.25]
    axes.set_yticks(places, [*names, f"{leader}: fees, CNY a year", f"{leader}: cars counted"], color=INK)
    axes.set_xticks(range(len(candidates)), candidates, color=INK)
    axes.set_xlabel("sixth partner")
    axes.xaxis.set_label_position("top")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlim(-0.5, len(candidates) - 0.5)
    axes.set_ylim(len(members) + 1.75, -0.5)
    return figure


def _cell(axes: Axes, across: float, down: float, text: str, colour) -> None:
    """A coloured box with its mean over its interval."""
    axes.add_patch(Rectangle((across - 0.48, down - 0.46), 0.96, 0.92, facecolor=colour, edgecolor="none"))
    axes.text(across, down, text.replace(" [", "\n["), ha="center", va="center", fontsize=9, color=INK, linespacing=1.3)
