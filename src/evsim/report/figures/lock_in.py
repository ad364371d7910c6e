"""Lock-in as an observer sees it: repeat purchase beside share, and who goes where."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim import words
from evsim.report.figures.style import CAMP_COLOURS, INK, new_figure

LARGEST = 8  # platforms in the matrix; the others are one row and one column
MOST = 16  # platforms whose repeat rate is drawn
LEAST_OWNERS = 0.002  # of all buyers: below, a repeat rate is chance
OTHERS = "others"
GENERIC = ("supplier", "none")  # stacks that are no ecosystem: the last rows and columns


def repeat(run: Any) -> Figure:
    """Each ecosystem's repeat rate beside its share of sales, in the last full year."""
    year = run.repeat_year()
    bought = run.switching[run.switching["year"] == year]
    owners = bought.groupby("from_platform")["buyers"].sum() / bought["buyers"].sum()
    shares = run.bought_shares(year)
    rates = {name: rate for name, rate in run.platform_repeat(year).items() if owners[name] >= LEAST_OWNERS}
    names = sorted(rates, key=lambda name: shares.get(name, 0.0))[-MOST:]
    note = (
        f"Owners who bought a car in {year}. Ring: the platform's share of all cars bought, what owners without lasting"
        " taste or lock-in would do. Dot: owners who stayed. The gap is lock-in and taste together, not lock-in alone."
    )
    figure, (axes,) = new_figure(words.repeat_finding(run), note, (10.0, 1.8 + 0.32 * max(len(names), 4)))
    for at, name in enumerate(names):
        allied = name == run.scenario.alliance.platform
        colour, share = CAMP_COLOURS["alliance" if allied else "independent"], shares.get(name, 0.0)
        axes.hlines(at, share, rates[name], color=colour, linewidth=2.0, alpha=0.35)
        axes.plot(share, at, "o", markerfacecolor="white", markeredgecolor=colour, markersize=7)
        axes.plot(rates[name], at, "o", color=colour, markersize=8)
        text = f"{words.percent(rates[name])}, share {words.percent(share)}"
        end = (max(rates[name], share), at)
        axes.annotate(text, end, xytext=(9, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_yticks(range(len(names)), [words.label(words.platform_name(name)) for name in names])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(0.0, 1.22 * max([0.05, *rates.values(), *(shares.get(name, 0.0) for name in names)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    axes.set_xlabel(f"part of buyers in {year}")
    axes.tick_params(axis="y", length=0)
    return figure


def switching(run: Any) -> Figure:
    """Where owners of each platform go, in the last full year, as a heat map."""
    year = run.repeat_year()
    matrix = switching_matrix(run, year)
    note = f"Of 100 buyers in {year} who owned a car of the row's platform, how many bought one of the column's."
    figure, (axes,) = new_figure(words.switching_finding(run), note, (10.0, 6.6))
    values = 100.0 * matrix.to_numpy()
    axes.imshow(values, cmap="Blues", vmin=0.0, vmax=max(float(values.max()), 1.0), aspect="auto")
    for row, column in np.ndindex(values.shape):
        pale = values[row, column] > 0.6 * values.max()
        own = matrix.index[row] == matrix.columns[column] != words.FIRST_CAR
        axes.text(
            column, row, f"{values[row, column]:.0f}" if values[row, column] >= 0.5 else "·", ha="center", va="center",
            color="white" if pale else INK, weight="bold" if own else "normal", fontsize=9,
        )  # fmt: skip
    axes.grid(visible=False)
    axes.set_xticks(
        range(len(matrix.columns)),
        [words.label(words.platform_name(name)) for name in matrix.columns],
        rotation=35,
        ha="right",
    )
    axes.set_yticks(range(len(matrix.index)), [_owner_name(name) for name in matrix.index])
    axes.set_xlabel("bought")
    axes.set_ylabel("owned before")
    axes.spines[:].set_visible(False)
    return figure


def switching_matrix(run: Any, year: int) -> pd.DataFrame:
    """Part of each row's owners who bought each column's platform; small platforms together, first-time buyers last."""
    bought = run.switching[run.switching["year"] == year]
    largest = list(bought.groupby("to_platform")["buyers"].sum().nlargest(LARGEST).index)
    kept = {words.FIRST_CAR: words.FIRST_CAR} | {name: name for name in largest}
    table = bought.assign(
        owned=bought["from_platform"].map(kept).fillna(OTHERS),
        bought=bought["to_platform"].where(bought["to_platform"].isin(largest), OTHERS),
    )
    sums = table.pivot_table(index="owned", columns="bought", values="buyers", aggfunc="sum", fill_value=0.0)
    order = [*sorted(largest, key=lambda name: name in GENERIC), OTHERS]
    rows = [name for name in order if name in sums.index and name != words.FIRST_CAR]
    sums = sums.loc[
        [*rows, *(name for name in (words.FIRST_CAR,) if name in sums.index)], [n for n in order if n in sums.columns]
    ]
    return sums.div(sums.sum(axis=1), axis=0)


def _owner_name(name: str) -> str:
    """A row's name: buyers of a first car are no platform's owners."""
    return "First car" if name == words.FIRST_CAR else words.label(words.platform_name(name))
