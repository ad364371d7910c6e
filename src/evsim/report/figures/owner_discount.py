"""What discount wins an owner back, by how strongly owners are held, and how many leave for how much."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim.report.figures.intervals import band
from evsim.report.figures.style import PALE, SERIES_COLOURS, label_ends, new_figure

PARTS = {  # column: what it is
    "free_price": ("the car suits its owner", PALE),
    "brand_part": ("held by the brand", SERIES_COLOURS[0]),
    "platform_part": ("held by the platform", "#D55E00"),
}


def owner_discount(numbers: pd.DataFrame, laws: pd.DataFrame, title: str) -> Figure:
    """The mean discount and its parts over the strength of lock-in, and the law of discounts, with 90 % intervals.

    Args:
        numbers: a row a world and seed, with `strength` (1: as calibrated), `price`, `free_price`, `platform_part` and
            `brand_part`, kCNY.
        laws: a row a world and payment (`price`, kCNY), with `strength` and `share`, the part of owners who leave for it.
    """
    note = (
        "Left: payment at which an owner in an ecosystem leaves both stack and brand, mean and 90 % interval of"
        f" {numbers['seed'].nunique()} seeds; lock-in (κ and ι) in multiples of the calibrated one, each world inverted to the"
        " same table. Right: owners who leave for a payment of at most so much, by the strength of lock-in."
    )
    figure, (left, right) = new_figure(title, note, (13.0, 5.4), 2)
    _parts(left, numbers)
    _laws(right, laws)
    return figure


def _parts(axes: Axes, numbers: pd.DataFrame) -> None:
    """Stacked means, and the interval of the whole."""
    wide = {name: numbers.pivot(index="strength", columns="seed", values=name) for name in (*PARTS, "price")}
    strengths = list(wide["price"].index)
    bottom, labels = 0.0 * wide["price"].mean(axis=1), []
    for name, (text, colour) in PARTS.items():
        mean = wide[name].mean(axis=1)
        axes.bar(range(len(strengths)), mean, bottom=bottom, color=colour, width=0.62)
        labels.append((text, float((bottom + 0.5 * mean).iloc[-1]), colour))
        bottom = bottom + mean
    mean, low, high = band(wide["price"])
    axes.errorbar(
        range(len(strengths)), mean, [mean - low, high - mean], fmt="none", ecolor="#222222", capsize=3, lw=1.4
    )
    axes.set_xticks(range(len(strengths)), [f"{strength:g} ×" for strength in strengths])
    axes.set_xlabel("strength of lock-in")
    axes.set_ylabel("discount that wins an owner back, kCNY")
    label_ends(axes, labels)


def _laws(axes: Axes, laws: pd.DataFrame) -> None:
    """Part of owners who leave, over the payment, a line a world."""
    labels = []
    strengths = sorted(laws["strength"].unique())
    for index, strength in enumerate(strengths):
        law = laws[laws["strength"] == strength].groupby("price")["share"].mean()
        law = law[law.index <= 150.0]
        shade = 0.25 + 0.75 * index / max(len(strengths) - 1, 1)
        red, green, blue = (1.0 - shade * (1.0 - part) for part in to_rgb("#D55E00"))
        colour = to_hex((red, green, blue))
        axes.plot(law.index, law.to_numpy(), color=colour)
        labels.append((f"{strength:g} ×", float(law.iloc[-1]), colour))
    axes.set_ylim(0.0, 1.0)
    axes.set_xlim(0.0, 150.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    axes.set_xlabel("payment, kCNY")
    axes.set_ylabel("owners who leave both stack and brand")
    label_ends(axes, labels)
