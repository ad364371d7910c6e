"""What a billion of support buys under each design, and who has what of one yuan."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.cells import cell, diverging, named
from evsim.report.figures.intervals import bracketed, pseudo_ratios
from evsim.report.figures.style import INK, PALE, SERIES_COLOURS, new_figure

BOUGHT = {  # column of differences: what it is, per bn CNY of support; the scale
    "nev": ("new-energy cars more,\nthousand", 1e-3),
    "allied": ("cars of the alliance more,\nthousand", 1e-3),
    "tons": ("CO2 less,\nthousand tons", 1e-3),
    "hhi": ("concentration of platforms\nmore, HHI points per 100 bn CNY", 100.0),
}
PARTIES = {  # column of incidence: name of the party
    "buyers 1": "poorest\nfifth", "buyers 2": "second\nfifth", "buyers 3": "middle\nfifth", "buyers 4": "fourth\nfifth",
    "buyers 5": "richest\nfifth", "alliance_oem": "makers in\nthe alliance*", "independent": "independents",
    "incumbent": "incumbents", "leader": "leader", "state": "comes back\nin tax", "lost": "lost",
}  # fmt: skip
BN = 1e6  # kCNY


def subsidy_yuan(gains: pd.DataFrame, labels: dict[str, str], title: str, period: str) -> Figure:
    """What a billion of support buys: a panel a kind of good, a row a design, with 90 % intervals.

    Args:
        gains: a row a `seed` and `design`: what that world has more than the one without benefits, with the `support` it
            gave (kCNY), `nev` and `allied` (cars), `tons` (CO2 saved) and `hhi` (HHI points).
        labels: names of the designs, in the order of the rows.
        period: when the support is given and until when its effects are counted, for the note.
    """
    note = (
        f"Support: subsidies paid and purchase tax waived, {period}. Each design against no benefit, in pairs of runs with the"
        f" same draws. Ratios of sums over {gains['seed'].nunique()} seeds; lines: 90 % intervals (jackknife)."
    )
    figure, panels = new_figure(title, note, (14.0, 4.9), len(BOUGHT))
    for axes, (column, (heading, scale)) in zip(panels, BOUGHT.items(), strict=True):
        for place, design in enumerate(labels):
            rows = gains[gains["design"] == design]
            values = scale * pseudo_ratios(rows[column], rows["support"] / BN)
            mean, low, high = words.paired_interval(list(values))
            axes.hlines(place, low, high, color=SERIES_COLOURS[0], linewidth=3.0, alpha=0.35)
            axes.plot(mean, place, "o", color=SERIES_COLOURS[0], markersize=6)
        axes.axvline(0.0, color=PALE, linewidth=1.0)
        axes.set_title(heading, loc="left", color=INK)
        _rows(axes, list(labels.values()) if axes is panels[0] else [""] * len(labels))
        axes.set_xlabel("per 100 bn CNY" if column == "hhi" else "per bn CNY")
    return figure


def subsidy_incidence(shares: pd.DataFrame, labels: dict[str, str], title: str, period: str) -> Figure:
    """Who has what of one yuan of support: designs by parties, with 90 % intervals.

    Args:
        shares: a row a `seed` and `design`, a column a party of `PARTIES`, fen of one yuan; they sum to 100.
        labels, period: as in `subsidy_yuan`.
    """
    note = (
        f"Fen of each yuan of support ({period}), against no benefit: households by fifth of income, makers' profits by kind"
        " (*: the five that build for the alliance, all their brands), the platform's leader, tax on cars sold because of"
        " the support, and what nobody has (below zero: the support corrects more than it distorts). A row sums to 100."
        f" Mean and 90 % interval of {shares['seed'].nunique()} seeds."
    )
    figure, (axes,) = new_figure(title, note, (14.5, 1.9 + 0.62 * len(labels)))
    largest = float(np.abs(shares.groupby("design")[list(PARTIES)].mean().to_numpy()).max())
    for down, design in enumerate(labels):
        rows = shares[shares["design"] == design]
        for across, party in enumerate(PARTIES):
            worth = -rows[party].mean() if party == "lost" else rows[party].mean()  # what is lost is nobody's gain
            cell(axes, across, down, bracketed(rows[party], 0), diverging(worth, largest))
    named(axes, list(PARTIES.values()), dict(enumerate(labels.values())))
    return figure


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """A row a design, the first above."""
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
