"""How far new-energy vehicles have come, beside what was observed."""

from typing import Any

from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.series import TRAILING_NOTE, observed, trailing_shares
from evsim.report.figures.style import (
    INK,
    POWERTRAIN_COLOURS,
    dates,
    label_ends,
    mark_base,
    new_figure,
    percent_axis,
    years_axis,
)  # fmt: skip

YEARS_BEFORE = 2  # observed years drawn before the base date


def penetration(run: Any) -> Figure:
    """Powertrains as stacked shares, with the observed new-energy share of each year as points."""
    shares = trailing_shares(run, "powertrain")
    note = (
        f"Share of cars delivered, {TRAILING_NOTE} Points: observed share of new-energy vehicles in a year's retail"
        " sales (CPCA), at its end; the base date has the mix of the last months before it, not of its whole year."
    )
    figure, (axes,) = new_figure(words.penetration_finding(run), note)
    x, floor, labels = dates(shares.index), 0.0 * shares.iloc[:, 0].to_numpy(), []
    for powertrain in (name for name in POWERTRAIN_COLOURS if name in shares):
        top = floor + shares[powertrain].to_numpy()
        axes.fill_between(x, floor, top, color=POWERTRAIN_COLOURS[powertrain], linewidth=0)
        name = words.label(words.POWERTRAINS[powertrain])
        middle, share = float(floor[-1] + top[-1]) / 2.0, float(top[-1] - floor[-1])
        labels.append((f"{name} {words.percent(share)}", middle, INK))
        floor = top
    nev = 1.0 - shares.get("ice", 0.0 * shares.iloc[:, 0]).to_numpy()
    axes.plot(x, nev, color=INK, linewidth=2.0)
    _observed_points(axes, run.base_month, x[-1])
    percent_axis(axes, "share of cars delivered", 1.0)
    axes.grid(visible=False)
    label_ends(axes, labels)
    mark_base(axes, run.base_month)
    return figure


def _observed_points(axes: Any, base_month: str, last: float) -> None:
    """Observed yearly shares, from shortly before the base date on, each with its figure."""
    base = dates([base_month])[0]
    points = {year + 1.0: rate for year, rate in observed("market", "market", "nev_penetration").items()}
    points = {at: rate for at, rate in points.items() if base - YEARS_BEFORE < at <= last + 0.01}
    years_axis(axes, min([base, *points]), last)
    axes.plot(list(points), list(points.values()), "o", color="white", markeredgecolor=INK, markersize=7, zorder=5)
    for at, rate in points.items():
        axes.annotate(
            f"{at - 1:.0f}: {words.percent(rate)}", (at, rate), xytext=(7, -6), textcoords="offset points", fontsize=8,
            ha="left", va="top", zorder=6,
            bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "linewidth": 0, "alpha": 0.8},
        )  # fmt: skip
