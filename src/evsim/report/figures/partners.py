"""Quarterly profits of the alliance's partners, beside what they reported.

Reported quarters are outcomes: nothing in the model is fitted to them.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evsim import words
from evsim.data import read_automakers, read_firm_quarters
from evsim.report.figures.style import CAMP_COLOURS, INK, PALE, label_ends, new_figure, years_axis

BILLION = 1e6  # kCNY
KIND = "alliance_oem"
LABEL_GAP = 0.06


def partners(run: Any) -> Figure:
    """Simulated profit of each partner by quarter, with the quarters it reported as points."""
    simulated, reported, scope = simulated_quarters(run), reported_quarters(), reported_scope()
    names = [name for name in reported if name in simulated] or list(reported)
    note = (
        "Line: profit of the maker's cars in China, before tax, money of 2023. Points: net profit that the company reported,"
        " after tax, not deflated; where it says so, of the whole group, with trucks, exports and joint ventures. Reported"
        " quarters are outcomes: nothing is fitted to them."
    )
    size = (max(3.2 * len(names), 8.0), 5.2)
    figure, panels = new_figure(partners_finding(simulated, reported, scope), note, size, len(names))
    profits = simulated.reindex(columns=names)
    low, high = _limits(np.append(profits, reported[names]))
    for axes, name in zip(panels, names, strict=True):
        axes.set_ylim(low, high)
        _panel(axes, profits[name].dropna(), reported[name].dropna())
        years_axis(axes, float(reported.index[0][:4]), float(reported.index[-1][:4]) + 1.0)
        axes.set_title(f"{name}{' (reported: whole group)' if scope[name] == 'group' else ''}", loc="left")
        axes.set_ylabel("bn CNY a quarter")
    return figure


def _limits(values: np.ndarray) -> tuple[float, float]:
    """One scale for all panels, with zero and some room."""
    low, high = min(0.0, np.nanmin(values)), max(0.0, np.nanmax(values))
    room = 0.08 * (high - low)
    return low - room, high + room


def _panel(axes: Axes, simulated: pd.Series, reported: pd.Series) -> None:
    """The simulated line and the reported points of one maker."""
    colour, labels = CAMP_COLOURS["alliance"], []
    axes.axhline(0.0, color=PALE, linewidth=1.0)
    x, y = middles(simulated.index), simulated.to_numpy()
    if len(simulated):
        axes.plot(x, y, color=colour, marker="o", markersize=4)
        labels.append((f"model {_tenths(y[-1])}", float(y[-1]), colour))
    x, y = middles(reported.index), reported.to_numpy()
    axes.plot(x, y, "o", color="white", markeredgecolor=INK, markersize=7, zorder=5)
    labels.append((f"reported {_tenths(y[-1])}", float(y[-1]), INK))
    label_ends(axes, labels, LABEL_GAP)


def _tenths(profit: float) -> str:
    """With one digit, and no sign on nothing."""
    return f"{round(profit, 1) + 0.0:.1f}"


def middles(quarters: Any) -> np.ndarray:
    """Quarters such as 2024Q1 as positions on an axis of years: the middle of each."""
    return np.array([int(quarter[:4]) + (int(quarter[5]) - 0.5) / 4.0 for quarter in quarters])


def simulated_quarters(run: Any) -> pd.DataFrame:
    """Profit of each partner in every whole quarter of the run that the reports span, bn CNY: quarters by makers."""
    accounts = run.automakers[run.automakers["kind"] == KIND]
    month = accounts["month"].str[5:].astype(int)
    accounts = accounts.assign(quarter=accounts["month"].str[:4] + "Q" + ((month + 2) // 3).astype(str))
    months = accounts.groupby("quarter")["month"].nunique()
    whole = [quarter for quarter in reported_quarters().index if months.get(quarter) == 3]
    sums = accounts.groupby(["quarter", "automaker"])["profit"].sum().unstack() / BILLION
    return sums.reindex(index=whole)


def reported_quarters() -> pd.DataFrame:
    """Net profit that the partners reported, bn CNY: quarters by makers, whole groups last, the most profitable first."""
    scope, rows = reported_scope(), _partners_rows()
    table = rows.pivot(index="quarter", columns="automaker", values="value").sort_index()
    return table[sorted(table, key=lambda name: (scope[name] == "group", -table[name].mean()))]


def reported_scope() -> dict[str, str]:
    """Whether a partner's accounts are those of the maker or of the whole group."""
    rows = _partners_rows()
    return dict(zip(rows["automaker"], rows["scope"], strict=True))


def _partners_rows() -> pd.DataFrame:
    kinds = read_automakers().set_index("automaker")["kind"]
    rows = read_firm_quarters()
    return rows[(rows["item"] == "net_profit") & (rows["automaker"].map(kinds) == KIND)]


def both_known(simulated: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Whether a partner's quarter was simulated and reported: quarters by makers."""
    return (simulated.reindex(index=reported.index, columns=reported.columns) + reported).notna()


def partners_finding(simulated: pd.DataFrame, reported: pd.DataFrame, scope: dict[str, str]) -> str:
    """What partners whose accounts are comparable earn a quarter, in the model and by their accounts."""
    known = both_known(simulated, reported)
    quarters, names = known.index[known.any(axis=1)], known.columns[known.any()]
    if not len(quarters):
        span = f"{reported.index[0]} to {reported.index[-1]}"
        return words.sentence(f"no whole quarter of this run lies within the reported quarters, {span}")
    span = f"in {quarters[0]}" if len(quarters) == 1 else f"from {quarters[0]} to {quarters[-1]}"
    compared = [name for name in names if scope[name] == "maker"] or list(names)
    model, accounts = (table.where(known).mean() for table in (simulated.reindex_like(known), reported))
    parts = [f"{name} {_results(model[name], accounts[name])} by its accounts" for name in compared]
    return words.sentence(f"{span} {'; '.join(parts)}")


def _results(model: float, accounts: float) -> str:
    """`earns 1.5 bn CNY a quarter in the model and 1.6`, or `… and loses 0.3`."""
    verbs = ["loses" if profit < 0 else "earns" for profit in (model, accounts)]
    again = "" if verbs[0] == verbs[1] else f"{verbs[1]} "
    return f"{verbs[0]} {abs(model):.1f} bn CNY a quarter in the model and {again}{abs(accounts):.1f}"
