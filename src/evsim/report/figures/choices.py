"""Boxes of cases among drawn points, and the regret of choices over worlds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from evsim.report.figures.style import CAMP_COLOURS, INK, new_figure
from evsim.words.analyses import cases_phrase, choice_name
from evsim.words.outcomes import axes_note, difference_unit, key_label, key_value, outcome_name, quantity

CASE, OTHER = CAMP_COLOURS["alliance"], "#B8C4CE"
MOST = 20  # choices drawn
LISTED = 12  # values of a key that are drawn side by side, at most …
SPREAD = 0.7  # … and how wide each is
ACROSS, UP = 96, 60  # letters of a line of an axis's label
GOLDEN = (0.7548776662466927, 0.5698402909980532)  # multiples of both spread evenly over a square (Roberts 2018)


def boxes(part: Any) -> Figure:
    """Points and cases over the two keys that the first box limits most, with the box."""
    points, found, about = part.tables["points"], part.about["boxes"], part.about
    keys = _two_keys(part)
    case_is = cases_phrase(part.subject, about["threshold"])
    note = f"Points of the design; orange: {case_is}. {_box_note(found, keys)}{axes_note(*keys)} {about['roles']}"
    figure, (axes,) = new_figure(part.finding, note, (9.6, 6.4))
    places = [_positions(points[key], at) for at, key in enumerate(keys)]
    inside = np.ones(len(points), dtype=bool)
    for key, limit in found[0].limits.items() if found else ():
        if key not in keys:
            inside &= limit.holds(points[key]).to_numpy()
    case = points["case"].to_numpy(dtype=bool)
    for chosen, colour in ((~case, OTHER), (case, CASE)):
        for seen, alpha in ((inside, 1.0), (~inside, 0.25)):
            x, y = (place[chosen & seen] for place, _ in places)
            axes.plot(x, y, "o", markersize=5, alpha=alpha, color=colour, markeredgewidth=0)
    for name, key, (_, values), width in zip("xy", keys, places, (ACROSS, UP), strict=True):
        said = key_label(key, about["meanings"].get(key, ""), about["units"][key], width)
        getattr(axes, f"set_{name}label")(said)
        if values:
            getattr(axes, f"set_{name}ticks")(range(len(values)), [key_value(value) for value in values])
    axes.grid(visible=not places[1][1], axis="y")
    axes.margins(0.06)
    if found:
        _frame(axes, found[0], keys, places)
    return figure


def regret(part: Any) -> Figure:
    """Each choice's regret in every world (dots), on average and at most, the least maximum on top."""
    matrix, levers = part.tables["matrix"], part.about["levers"]
    table = part.tables["choices"].head(MOST).iloc[::-1]
    scale, unit = difference_unit(part.subject.unit, float(table["max_regret"].max()))
    least = "smallest" if part.subject.direction == "minimise" else "largest"
    seeds = " Whiskers: 90 % intervals of the maximum over seeds." if table["low"].notna().all() else ""
    worlds = ", ".join("draws" if name == "sample" else name for name in part.about["worlds"])
    note = (
        f"Regret: what a choice loses in a world against the choice with the {least} value there. Dots: {matrix.shape[1]} worlds"
        f" ({worlds}); bar: their mean; ring: the maximum.{seeds} {part.about['roles']}"
    )
    figure, (axes,) = new_figure(part.finding, note, (9.6, 2.4 + 0.42 * max(len(table), 3)))
    names = [choice_name(levers, row) for row in table.to_dict("records")]
    at = np.arange(len(table))
    axes.barh(at, scale * table["mean_regret"], 0.5, color=OTHER)
    for place, name in zip(at, names, strict=True):
        each = scale * matrix.loc[name].to_numpy()
        axes.plot(each, np.full(len(each), place), "o", color=INK, markersize=3, alpha=0.35)
    axes.hlines(at, scale * table["low"], scale * table["high"], color=CASE, linewidth=2.0, alpha=0.5)
    axes.plot(
        scale * table["max_regret"],
        at,
        "o",
        markerfacecolor="none",
        markeredgecolor=CASE,
        markersize=9,
        markeredgewidth=1.8,
    )
    axes.set_yticks(at, names, color=INK, fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.set_xlim(left=0.0)
    axes.set_xlabel(f"regret in {outcome_name(part.subject.outcome)}, {unit}")
    return figure


def _box_note(found: Sequence[Any], keys: Sequence[str]) -> str:
    """How the frame is to be read."""
    if not found:
        return ""
    box = found[0]
    hidden = [key for key in box.limits if key not in keys]
    beyond = f" Fainter points lie outside its limits on {', '.join(hidden)}." if hidden else ""
    return (
        f"Frame: the first box of PRIM, with {_percent(box.coverage)} of all cases; {_percent(box.density)} of its points are"
        f" cases.{beyond} "
    )


def _two_keys(part: Any) -> list[str]:
    """The keys to draw: those whose limits leave most out, then others."""
    points, found = part.tables["points"], part.about["boxes"]
    limits = found[0].limits if found else {}
    outside = {key: 1.0 - float(limit.holds(points[key]).mean()) for key, limit in limits.items()}
    keys = sorted(part.about["keys"], key=lambda key: -outside.get(key, 0.0))
    return keys[:2]


def _positions(column: pd.Series, at: int) -> tuple[np.ndarray, list[Any]]:
    """Places on an axis: drawn numbers as they are; names and listed numbers side by side, spread so that all are seen."""
    if column.dtype.kind in "fi" and column.nunique() > LISTED:
        return column.to_numpy(dtype="float64"), []
    values, codes = np.unique(
        column.to_numpy() if column.dtype.kind in "fi" else column.astype(str), return_inverse=True
    )
    aside = (GOLDEN[at] * np.arange(len(column))) % 1.0 - 0.5
    return codes + SPREAD * aside, values.tolist()


def _frame(axes: Axes, box: Any, keys: Sequence[str], places: Sequence[tuple[np.ndarray, list[Any]]]) -> None:
    """The box's outline over two keys."""
    limits = []
    for key, (numbers, values), ends in zip(keys, places, (axes.get_xlim(), axes.get_ylim()), strict=True):
        limit, (low, high) = box.limits.get(key), ends
        if limit is not None and values:
            held = np.flatnonzero(limit.holds(pd.Series(values)))
            low, high = held.min() - 0.5, held.max() + 0.5
        elif limit is not None:
            low = low if limit.low is None else _beyond(numbers, limit.low, -1)
            high = high if limit.high is None else _beyond(numbers, limit.high, 1)
        limits.append((low, high))
    (left, right), (bottom, top) = limits
    axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, fill=False, edgecolor=INK, linewidth=1.8))


def _beyond(values: np.ndarray, limit: float, side: int) -> float:
    """Half way from a limit to the next point that it leaves out."""
    outside = values[side * (values - limit) > 0.0]
    return (limit + outside[np.abs(outside - limit).argmin()]) / 2.0 if len(outside) else limit


def _percent(fraction: float) -> str:
    return quantity(fraction, "fraction")
