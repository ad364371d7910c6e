"""Which refusers come to the leader's full stack, in what share of seeds, when, and for which reason."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from evsim.report.figures.intervals import share_interval
from evsim.report.figures.style import INK, PALE, new_figure

REASONS: Mapping[str, tuple[str, str]] = {  # what made the difference: its name, its colour
    "market_profit": ("market profit", "#0072B2"),
    "royalty": ("royalties", "#009E73"),
    "fixed": ("fixed costs", "#E69F00"),
    "autonomy": ("autonomy", "#CC79A7"),
    "volume": ("volume", "#56B4E9"),
    "option": ("later options", "#8C6D1F"),
    "resistance": ("readiness to change", "#4B3F8F"),
    "unseen": ("what is unseen", "#BDBDBD"),
}
MOST = 22  # brands drawn


def refusers(flips: pd.DataFrame, seeds: int, title: str, always: str = "") -> Figure:
    """Share of seeds in which each refuser flips, by reason, with 90 % intervals and median years.

    Args:
        flips: a row a seed and brand that flipped, with `automaker`, `brand`, `year` and `reason` (of `REASONS`).
        seeds: how many runs.
        always: maker whose brands are drawn and set bold in any case.
    """
    counts = flips.groupby("brand")["seed"].count().sort_values(ascending=False, kind="stable")
    named = set(flips.loc[flips["automaker"] == always, "brand"])
    drawn = [brand for place, brand in enumerate(counts.index) if place < MOST or brand in named]
    more = len(counts) - len(drawn)
    note = (
        f"Share of {seeds} seeds in which a brand that was outside at the base date first chooses mode alliance or inside, with"
        " the median year; lines: 90 % intervals (Wilson). Colour: the part that speaks most for the change; grey: the brand"
        " would have stayed but for the draw of what is unseen in the parts of its value."
        + (f" {more} more brands flip less often." if more else "")
    )
    figure, (axes,) = new_figure(title, note, (10.0, max(3.2, 1.6 + 0.27 * len(drawn))))
    shown = [reason for reason in REASONS if reason in set(flips["reason"])]
    for place, brand in enumerate(reversed(drawn)):
        rows, left = flips[flips["brand"] == brand], 0.0
        for reason in shown:
            width = (rows["reason"] == reason).sum() / seeds
            axes.barh(place, width, left=left, color=REASONS[reason][1], height=0.72)
            left += width
        _, low, high = share_interval(len(rows), seeds)
        axes.hlines(place, low, high, color=INK, linewidth=1.0)
        axes.annotate(
            f"{rows['year'].median():.0f}", (high, place), xytext=(5, 0), textcoords="offset points", va="center",
            fontsize=8.5, color=PALE,
        )  # fmt: skip
    axes.set_yticks(range(len(drawn)), list(reversed(drawn)), color=INK)
    for label in axes.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() in named else "normal")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlim(0.0, 1.0)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("share of seeds in which the brand flips")
    handles = [axes.barh([0], [0], color=REASONS[reason][1], label=REASONS[reason][0]) for reason in shown]
    if handles:
        axes.legend(handles=handles, loc="lower right", frameon=False, fontsize=9)
    return figure
