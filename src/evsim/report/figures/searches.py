"""What a search has found: every trial by its objectives, the front, and where it comes out in fresh worlds."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evsim import words
from evsim.report.figures.style import CAMP_COLOURS, PALE, house_style, new_figure, save_figure

NAME = "front"
BEST, FRESH = CAMP_COLOURS["alliance"], CAMP_COLOURS["independent"]
NUMBER = ""  # in place of a second objective: the trial's number


def front(policies: Any) -> Figure:
    """Trials by their first two objectives; by number and objective where there is one.

    Args:
        policies: an `evsim.study.Policies`.
    """
    names = list(policies.units())[: len([way for way in policies.asked.outcomes.values() if way])]
    across, up = (names[0], names[1]) if len(names) > 1 else (NUMBER, names[0])
    more = f" Further objectives, not drawn: {words.names(names[2:])}." if len(names) > 2 else ""
    note = (
        "A dot is a combination of levers, at its means over the worlds it was tried in; rings miss a constraint. Line: the"
        " front, as promised. Squares: the same in fresh worlds, with 90 % intervals; crossed out: it misses a constraint"
        f" there.{more}"
    )
    figure, (axes,) = new_figure(policies.title, note, (10.0, 6.2))
    _trials(axes, policies, across, up)
    _front(axes, policies, across, up)
    axes.set_xlabel(_label(across))
    axes.set_ylabel(_label(up))
    axes.grid(axis="x", visible=True)
    return figure


def draw_front(policies: Any, folder: Path | str) -> list[Path]:
    """The figure as PNG and SVG in `folder`, which exists.

    Raises:
        StorageError: the folder cannot be written.
    """
    with house_style():
        return save_figure(front(policies), Path(folder), NAME)


def _trials(axes: Axes, policies: Any, across: str, up: str) -> None:
    """All trials: those that keep to the constraints as dots, others as rings."""
    for feasible, inside in ((True, PALE), (False, "none")):
        rows = policies.trials[policies.trials["feasible"] == feasible]
        axes.scatter(_scaled(rows, across), _scaled(rows, up), s=22, facecolors=inside, edgecolors=PALE)


def _front(axes: Axes, policies: Any, across: str, up: str) -> None:
    """The front as promised, and as it comes out."""
    table = policies.front
    if not len(table):
        return
    x, y = _scaled(table, across), _scaled(table, up)
    order = np.argsort(x, kind="stable")
    axes.plot(x[order], y[order], "o-", color=BEST, linewidth=1.2, markersize=6)
    if "holds" not in table:
        return
    fresh_x = x if across == NUMBER else _scaled(table, across, "fresh.")
    fresh_y = _scaled(table, up, "fresh.")
    for at, holds in enumerate(table["holds"]):
        axes.plot([x[at], fresh_x[at]], [y[at], fresh_y[at]], color=PALE, linewidth=0.8)
        axes.plot(fresh_x[at], fresh_y[at], "s" if holds else "x", color=FRESH, markersize=6)
    axes.vlines(
        fresh_x, _scaled(table, up, "fresh.", ".low"), _scaled(table, up, "fresh.", ".high"), color=FRESH, alpha=0.4
    )
    if across != NUMBER:
        low, high = (_scaled(table, across, "fresh.", side) for side in (".low", ".high"))
        axes.hlines(fresh_y, low, high, color=FRESH, alpha=0.4)


def _scaled(table: Any, name: str, before: str = "", after: str = "") -> np.ndarray:
    """A column as a reader wants it."""
    if name == NUMBER:
        return table["trial"].to_numpy(dtype=float)
    return words.manner(name).scale * table[f"{before}{name}{after}"].to_numpy(dtype=float)


def _label(name: str) -> str:
    """An axis by its outcome and unit."""
    how = words.manner(name)
    if name == NUMBER:
        return "Trial"
    return words.label(f"{how.subject} {how.when}".rstrip() + f", {'%' if how.unit == 'points' else how.unit}")
