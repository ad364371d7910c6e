"""Mean prices by camp and by powertrain."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.series import TRAILING_NOTE, trailing_prices
from evsim.report.figures.style import (
    CAMP_COLOURS,
    POWERTRAIN_COLOURS,
    dates,
    label_ends,
    line,
    mark_base,
    new_figure,
    years_axis,
)  # fmt: skip


def prices(run: Any) -> Figure:
    """Mean posted prices, by camp on the left and by powertrain on the right."""
    note = f"Mean posted price of cars delivered, VAT included, money of 2023; {TRAILING_NOTE}"
    figure, (left, right) = new_figure(words.price_finding(run), note, (12.0, 5.4), 2)
    by_camp, by_powertrain = trailing_prices(run, "camp"), trailing_prices(run, "powertrain")
    top = 1.08 * max(by_camp.max().max(), by_powertrain.max().max())
    _panel(left, by_camp, top, CAMP_COLOURS, words.CAMPS)
    _panel(right, by_powertrain, top, POWERTRAIN_COLOURS, words.POWERTRAINS)
    for axes in (left, right):
        mark_base(axes, run.base_month)
    return figure


def _panel(axes: Axes, means: pd.DataFrame, top: float, colours: Mapping[str, str], names: Mapping[str, str]) -> None:
    """Lines of mean prices from zero to `top`, each named at its end."""
    x, labels = dates(means.index), []
    for name in (name for name in names if name in means):
        y = means[name].to_numpy()
        line(axes, x, y, colours[name])
        if np.isfinite(y[-1]):
            labels.append((f"{words.label(names[name])} {y[-1]:.0f}", y[-1], colours[name]))
    axes.set_ylim(0.0, top)
    axes.set_ylabel("mean posted price, kCNY per car")
    years_axis(axes, x[0], x[-1])
    label_ends(axes, labels)
