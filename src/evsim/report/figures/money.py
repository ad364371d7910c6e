"""Who earns what: automakers, the platform firm, the state."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.style import (
    CAMP_COLOURS,
    INK,
    PALE,
    SERIES_COLOURS,
    dates,
    label_ends,
    new_figure,
    years_axis,
)  # fmt: skip

LARGEST = 8  # automakers drawn, by the size of their profit or loss
BILLION = 1e6  # kCNY


def money(run: Any) -> Figure:
    """Profits of automakers, the platform firm's royalties and profit, and what the state takes in and pays."""
    note = "Sums over the 12 months to the date, money of 2023; the first point is the first full year."
    figure, (firms, leader, state) = new_figure(words.money_finding(run), note, (15.0, 5.6), 3)
    profits = run.automakers.pivot(index="month", columns="automaker", values="profit").fillna(
        0.0
    )  # not there: nothing
    _panel(firms, _largest(_yearly_sums(profits)), f"Profit of the {LARGEST} automakers with most at stake")
    accounts = run.orchestrator.set_index("month")[["royalties", "profit"]]
    accounts.columns = pd.Index(["Royalties", "Profit"])
    _panel(
        leader,
        _yearly_sums(accounts),
        f"{run.scenario.alliance.leader}, the platform firm",
        [CAMP_COLOURS["alliance"], INK],
    )
    public = run.government.set_index("month")[["vat", "purchase_tax", "tax_waived", "subsidies"]]
    public.columns = pd.Index(["VAT", "Purchase tax", "Tax waived", "Subsidies"])
    _panel(state, _yearly_sums(public), "The state: taxes received, taxes waived, subsidies paid")
    return figure


def _yearly_sums(monthly: pd.DataFrame) -> pd.DataFrame:
    """Sums over the last 12 months in bn CNY; over all months, spread to a year, where the run is shorter."""
    sums = monthly.rolling(12).sum().dropna(how="all")
    return (sums if len(sums) else monthly.mean().to_frame(monthly.index[-1]).T * 12.0) / BILLION


def _largest(sums: pd.DataFrame) -> pd.DataFrame:
    """The automakers with the largest profit or loss at either end."""
    return sums[sums.iloc[[0, -1]].abs().max().nlargest(LARGEST).index]


def _panel(axes: Axes, sums: pd.DataFrame, title: str, colours: list[str] | None = None) -> None:
    """Lines in bn CNY a year, each named at its end."""
    x = dates(sums.index)
    chosen = dict(zip(sums.columns, colours or SERIES_COLOURS, strict=False))
    for name, colour in chosen.items():
        axes.plot(x, sums[name].to_numpy(), color=colour, marker="o" if len(x) == 1 else "")
    axes.axhline(0.0, color=PALE, linewidth=1.0)
    axes.set_title(title, loc="left", pad=10)
    axes.set_ylabel("bn CNY a year")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.0), high)
    years_axis(axes, x[0], x[-1])
    label_ends(
        axes, [(f"{name} {sums[name].iloc[-1]:,.0f}", sums[name].iloc[-1], colour) for name, colour in chosen.items()]
    )
