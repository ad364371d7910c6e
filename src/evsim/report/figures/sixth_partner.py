"""Whom a new partner hurts: members by candidates, with what the leader gains."""

import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from evsim.report.figures.cells import cell, named
from evsim.report.figures.intervals import bracketed
from evsim.report.figures.style import new_figure

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
                cell(axes, across, down, bracketed(changes, unit=" %"), LOSS(scale(max(-changes.mean(), 0.0))))
        gains = rows.drop_duplicates("seed")
        for down, column in enumerate(("fees", "liked"), start=len(members)):
            cell(axes, across, down + 0.25, bracketed(gains[column], unit=" bn"), GAIN)
    profits = table.groupby("member")["profit"].mean()
    names = [f"{member}, {profits[member]:.0f} bn a year" for member in members]
    places = [*range(len(members)), len(members) + 0.25, len(members) + 1.25]
    named(
        axes,
        candidates,
        dict(zip(places, [*names, f"{leader}: fees, CNY a year", f"{leader}: cars counted"], strict=True)),
        "sixth partner",
    )
    return figure
