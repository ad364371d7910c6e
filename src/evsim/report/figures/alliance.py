"""What the alliance has delivered, beside what was observed."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim import words
from evsim.report.figures.series import observed
from evsim.report.figures.style import (
    CAMP_COLOURS,
    INK,
    SERIES_COLOURS,
    dates,
    label_ends,
    mark_base,
    new_figure,
    years_axis,
)  # fmt: skip

BRANDS = 6  # drawn apart; the others together
OTHERS = "other brands"


def alliance(run: Any) -> Figure:
    """Cumulative deliveries of the alliance by brand from month 1, with the observed total at each year's end."""
    note = (
        f"Cars delivered in mode alliance since {words.month(run.scenario.start)}, by brand. Points: observed retail"
        " deliveries of the alliance (HIMA, CPCA; AITO alone before 2024), added up from the same month."
    )
    figure, (axes,) = new_figure(words.deliveries_finding(run), note)
    market = run.market[run.market["camp"] == "alliance"]
    units = market.groupby(["month", "brand"])["units"].sum().unstack(fill_value=0.0)
    units = units.reindex(run.headline["month"], fill_value=0.0)
    units.iloc[0] = 0.0  # month 0 is before the count
    so_far = units.cumsum() / 1e6
    x, floor, labels = dates(so_far.index), np.zeros(len(so_far)), []
    largest = list(so_far.iloc[-1].nlargest(BRANDS).index) if len(so_far.columns) else []
    rest = so_far.drop(columns=largest).sum(axis=1)
    parts = [*((name, so_far[name]) for name in largest), *([(OTHERS, rest)] if rest.iloc[-1] > 0 else [])]
    colours = (CAMP_COLOURS["alliance"], *SERIES_COLOURS)
    for (name, part), colour in zip(parts, colours, strict=False):
        top = floor + part.to_numpy()
        axes.fill_between(x, floor, top, color=colour, alpha=0.55, linewidth=0)
        labels.append((f"{name} {words.number(1e6 * part.iloc[-1])}", float(floor[-1] + top[-1]) / 2.0, INK))
        floor = top
    axes.plot(x, floor, color=INK, linewidth=1.8)
    points = observed_so_far(run)
    axes.set_ylim(0.0, 1.12 * max([floor[-1], 1.0, *points.values()]))
    axes.set_ylabel("cars delivered so far, million")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.axhline(1.0, color=INK, linewidth=0.8, linestyle="--")
    early = max(points, default=x[0]) < x[0] + 0.5 * (x[-1] - x[0])  # points on the left: names go to the right of them
    at, side = (0.99, "right") if early else (0.01, "left")
    axes.annotate("a million", (at, 1.0), xycoords=("axes fraction", "data"), fontsize=8, ha=side, va="bottom")
    years_axis(axes, x[0], x[-1])
    axes.plot(list(points), list(points.values()), "o", color="white", markeredgecolor=INK, markersize=7, zorder=5)
    for place, (when, count) in enumerate(points.items()):
        axes.annotate(
            f"observed {words.number(1e6 * count)}", (when, count), xytext=(0, 26 + 20 * place),
            textcoords="offset points", fontsize=8, ha="center" if early else "right", va="bottom", zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4},
        )  # fmt: skip
    label_ends(axes, labels)
    mark_base(axes, run.base_month)
    return figure


def observed_so_far(run: Any) -> dict[float, float]:
    """Observed deliveries since the run's start, million cars at each year's end; none for a start within a year.

    Before 2024 the alliance was AITO alone, and the record has AITO's figures.
    """
    if not run.scenario.start.endswith("-01"):
        return {}
    first, total, points = int(run.scenario.start[:4]), 0.0, {}
    alliance = observed("alliance", "HIMA", "nev_retail")
    aito = {year: count for year, count in observed("brand", "AITO", "deliveries").items() if year < min(alliance)}
    for year, count in (aito | alliance).items():
        if first <= year <= int(run.scenario.end[:4]):
            total += count / 1e6
            points[year + 1.0] = total
    return points
