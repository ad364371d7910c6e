"""Software stacks: how good they are, and how many cars on the road have them."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.style import (
    CAMP_COLOURS,
    SERIES_COLOURS,
    dates,
    label_ends,
    line,
    new_figure,
    years_axis,
)  # fmt: skip

LARGEST = 8  # ecosystems drawn, by cars on the road at the end


def platforms(run: Any) -> Figure:
    """Software quality on the left, cars on the road on the right, of the largest ecosystems."""
    stacks = run.platforms[run.platforms["ecosystem"]]
    base = stacks.pivot(index="month", columns="platform", values="base") / 1e6
    quality = stacks.pivot(index="month", columns="platform", values="quality")
    largest = list(base.iloc[-1].nlargest(LARGEST).index)
    colours = platform_colours(largest, run.scenario.alliance.platform)
    note = (
        "Left: what the buyer of median income would pay for the software. Right: cars on the road with the stack."
        f" The {len(largest)} ecosystems with most cars at the end; generic stacks bought from suppliers are none."
    )
    figure, (left, right) = new_figure(words.quality_finding(run), note, (12.0, 5.8), 2)
    _panel(left, quality[largest], colours, "software quality, kCNY", "{:.0f}")
    _panel(right, base[largest], colours, "cars on the road, million", "{:.1f}")
    return figure


def platform_colours(platforms: list[str], alliance: str) -> dict[str, str]:
    """A colour for each platform; the alliance's is that of its camp."""
    others = [name for name in platforms if name != alliance]
    colours = dict(zip(others, SERIES_COLOURS, strict=False))
    return colours | {alliance: CAMP_COLOURS["alliance"]}


def _panel(axes: Axes, values: pd.DataFrame, colours: dict[str, str], label: str, form: str) -> None:
    """Lines, each named at its end."""
    x = dates(values.index)
    for name in values:
        line(axes, x, values[name].to_numpy(), colours[name])
    axes.set_ylim(min(0.0, float(values.min().min())), 1.05 * float(values.max().max()))
    axes.set_ylabel(label)
    years_axis(axes, x[0], x[-1])
    last = values.iloc[-1].dropna()
    label_ends(
        axes,
        [(f"{words.platform_name(name)} {form.format(last[name])}", last[name], colours[name]) for name in last.index],
    )
