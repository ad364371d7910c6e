"""How brands get their software, year by year: those that were ever on the leader's platform, or changed their way."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.transforms import offset_copy

from evsim import words
from evsim.report.figures.lock_in import GENERIC
from evsim.report.figures.style import CAMP_COLOURS, INK, PALE, dates, mark_base, new_figure, years_axis

COLOURS: Mapping[str, str] = {  # way: its colour, in the order in which they go before each other in one brand
    "alliance": CAMP_COLOURS["alliance"],
    "inside": "#E69F00",
    "components": "#F0E442",
    "in-house": CAMP_COLOURS["independent"],
    "another's full stack": "#56B4E9",
    "bought-in": "#BDBDBD",
}
NOT_SOLD, STOPPED = "not sold", "maker stopped"
MOST = 30  # brands drawn, those longest on the leader's platform first
MONTH = 1.0 / 12.0

Brand = tuple[str, str]  # automaker, brand


def modes(run: Any) -> Figure:
    """A bar a brand, coloured by the way in which its cars get their software; a ring where a change was chosen."""
    sold, decided, gone = ways_sold(run), changes(run), stopped(run)
    everyone = brands_drawn(run)
    shown = everyone[:MOST][::-1]
    size = (10.0, 2.4 + 0.25 * max(len(shown), 4))
    figure, (axes,) = new_figure(words.modes_finding(run), note(bool(decided), len(everyone) - len(shown)), size)
    months = list(run.headline["month"])
    x = dates(months)
    seen: set[str] = set()
    for at, brand in enumerate(shown):
        ways, chosen = [sold.get(brand, {}).get(month, NOT_SOLD) for month in months], decided.get(brand, {})
        bars(axes, at, ways, x)
        rings(axes, at, chosen)
        if brand[0] in gone:
            axes.plot(dates([gone[brand[0]]]), [at], "X", color=INK, markersize=7, zorder=6)
        seen |= {*ways, *chosen.values(), *([STOPPED] if brand[0] in gone else [])}
    axes.set_yticks(range(len(shown)), [words.brand_name(*brand) for brand in shown])
    axes.set_ylim(-0.7, max(len(shown), 1) - 0.3)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    axes.set_ylabel("brand")
    years_axis(axes, x[0], x[-1])
    mark_base(axes, run.base_month)
    legend(figure, axes, seen)
    return figure


def note(rings_drawn: bool, left_out: int) -> str:
    """How to read the figure."""
    text = (
        "Brands that were on the platform firm's stack at some time, or went from one way to another; the colour is the first"
        " of the list that any of the brand's cars has. Line: not sold."
    )
    if rings_drawn:
        text += " Ring: a change was chosen; cars follow when they are ready, if an attempt does not fail."
    return f"{text} {left_out} more brands are left out." if left_out else text


def bars(axes: Axes, at: int, ways: list[str], x: Any) -> None:
    """One brand's bar: a piece for every span of months in one way, a thin line where it is not sold."""
    start = 0
    for way, span in groupby(ways):
        end = start + len(list(span))
        left, right = x[start] - MONTH, x[end - 1]
        if way == NOT_SOLD:
            axes.plot([left, right], [at, at], color=PALE, linewidth=0.8, solid_capstyle="butt", zorder=1)
        else:
            axes.barh(at, right - left, left=left, height=0.62, color=COLOURS[way], linewidth=0, zorder=2)
        start = end


def rings(axes: Axes, at: int, chosen: Mapping[str, str]) -> None:
    """A ring at each review at which one brand chose to change, in the colour of the new way."""
    for month, way in chosen.items():
        axes.plot(
            dates([month]) - MONTH, [at], "o", markersize=7, zorder=5,
            markerfacecolor=COLOURS.get(way, "white"), markeredgecolor=INK, markeredgewidth=1.2,
        )  # fmt: skip


def legend(figure: Figure, axes: Axes, seen: set[str]) -> None:
    """What the colours that are seen mean, below the axes."""
    handles: list[Any] = [Patch(color=colour, label=way) for way, colour in COLOURS.items() if way in seen]
    if STOPPED in seen:
        handles += axes.plot([], [], "X", color=INK, markersize=7, linestyle="none", label=STOPPED)
    below = offset_copy(axes.transAxes, figure, y=-20.0, units="points")
    axes.legend(
        handles=handles, ncols=max(len(handles), 1), loc="upper left", bbox_to_anchor=(0.0, 0.0), bbox_transform=below,
        frameon=False, fontsize=8.5, handlelength=1.2, columnspacing=1.4, borderaxespad=0.6,
    )  # fmt: skip


def way_of(mode: str, platform: str) -> str:
    """The kind of a way, as in `COLOURS`."""
    if mode in ("alliance", "inside", "components"):
        return mode
    if mode == "in_house":
        return "in-house"
    return "bought-in" if platform in GENERIC else "another's full stack"


def ways_sold(run: Any) -> dict[Brand, dict[str, str]]:
    """In which way each brand's cars are sold, by month: the first of `COLOURS` that any of them has; not sold: no entry."""
    market = run.market
    market = market[~market["brand"].str.startswith(words.POOLED)]
    order = list(COLOURS)
    found: dict[Brand, dict[str, str]] = {}
    kinds = market[["month", "automaker", "brand", "mode", "platform"]].drop_duplicates()
    for month, automaker, brand, mode, platform in kinds.itertuples(index=False):
        ways = found.setdefault((automaker, brand), {})
        ways[month] = min(ways.get(month, order[-1]), way_of(mode, platform), key=order.index)
    return found


def changes(run: Any) -> dict[Brand, dict[str, str]]:
    """To which way each brand chose to change at which review."""
    chosen = run.decisions
    chosen = chosen[chosen["chosen"] & ~chosen["present"]]
    found: dict[Brand, dict[str, str]] = {}
    for row in chosen.to_dict("records"):
        way = NOT_SOLD if row["way"] == "none" else way_of(row["way"], row["platform"])
        found.setdefault((row["automaker"], row["brand"]), {})[row["month"]] = way
    return found


def stopped(run: Any) -> dict[str, str]:
    """Month in which each maker that ran out of cash stopped."""
    exits = run.exits[run.exits["event"] == "stopped"]
    return dict(zip(exits["name"], exits["month"], strict=True))


def brands_drawn(run: Any) -> list[Brand]:
    """Brands ever on the leader's platform, or sold in more ways than one, or that chose to change: longest on it first."""
    decided, sold = changes(run), ways_sold(run)
    on_it = {brand: sum(way in words.WITH_LEADER for way in ways.values()) for brand, ways in sold.items()}
    moving = {brand for brand, ways in sold.items() if len(set(ways.values())) > 1}
    brands = {brand for brand, months in on_it.items() if months} | moving | set(decided)
    return sorted(brands, key=lambda brand: (-on_it.get(brand, 0), min(decided.get(brand, {"9999": ""})), brand))
