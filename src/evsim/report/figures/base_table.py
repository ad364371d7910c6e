"""Month 0: the table the simulation starts from."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim import words
from evsim.report.figures.style import CAMP_COLOURS, INK, new_figure

LARGEST = 20  # brands drawn


def month_zero(run: Any) -> Figure:
    """The largest brands at the base date: share of cars on the left, mean price on the right."""
    market = run.market[run.market["month"] == run.base_month]
    market = market.assign(value=market["price"] * market["units"])
    sums = market.groupby("brand")[["units", "value"]].sum()
    camps = market.groupby(["brand", "camp"])["units"].sum().unstack(fill_value=0.0).idxmax(axis=1)
    largest = sums["units"].nlargest(LARGEST).index[::-1]
    note = (
        f"The {len(largest)} largest brands at the base date, which the simulation reproduces. Left: share of cars"
        " delivered. Right: mean posted price, VAT included. Alliance orange, independents blue, incumbents grey."
    )
    figure, (left, right) = new_figure(words.base_finding(run), note, (11.0, 7.6), 2)
    y, colours = np.arange(len(largest)), [CAMP_COLOURS[camps[brand]] for brand in largest]
    shares = (sums["units"] / sums["units"].sum())[largest]
    prices = (sums["value"] / sums["units"])[largest]
    left.barh(y, shares, color=colours, height=0.7)
    right.hlines(y, 0, prices, color="#DDDDDD", linewidth=1.0)
    right.scatter(prices, y, c=colours, s=45, zorder=3)
    for at, share, price in zip(y, shares, prices, strict=True):
        left.annotate(
            words.percent(share), (share, at), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5
        )
        right.annotate(
            f"{price:.0f}", (price, at), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8.5
        )
    for axes, names in ((left, list(largest)), (right, [""] * len(largest))):
        axes.set_yticks(y, names, color=INK)
        axes.set_ylim(-0.6, len(largest) - 0.4)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    left.set_xlim(0.0, 1.15 * shares.max())
    right.set_xlim(0.0, 1.12 * prices.max())
    left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    left.set_xlabel("share of cars delivered")
    right.set_xlabel("mean posted price, kCNY per car")
    return figure
