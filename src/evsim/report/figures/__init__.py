"""Figures of runs: one function a figure, each giving a matplotlib Figure; `draw_all` writes them as PNG and SVG."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from evsim.files import storage_trouble
from evsim.report.figures.alliance import alliance
from evsim.report.figures.base_table import month_zero
from evsim.report.figures.comparison import comparison
from evsim.report.figures.lock_in import repeat, switching
from evsim.report.figures.modes import brands_drawn, modes
from evsim.report.figures.money import money
from evsim.report.figures.partners import both_known, partners, reported_quarters, simulated_quarters
from evsim.report.figures.penetration import penetration
from evsim.report.figures.platforms import platforms
from evsim.report.figures.prices import prices
from evsim.report.figures.shares import automakers, camps
from evsim.report.figures.style import house_style, save_figure

FIGURES: Mapping[str, Callable[[Any], Figure]] = {
    "month_zero": month_zero,
    "camps": camps,
    "automakers": automakers,
    "penetration": penetration,
    "prices": prices,
    "platforms": platforms,
    "repeat": repeat,
    "switching": switching,
    "alliance": alliance,
    "modes": modes,
    "money": money,
    "partners": partners,
}
EMPTY: Mapping[str, Callable[[Any], bool]] = {
    "modes": lambda run: not brands_drawn(run),  # nobody on the leader's platform, and nobody changed
    "switching": lambda run: not len(run.switching),  # nobody bought, nobody switched
    "partners": lambda run: not both_known(simulated_quarters(run), reported_quarters()).to_numpy().any(),
}

__all__ = ["FIGURES", "draw", "draw_all", "draw_comparison", *FIGURES, "comparison"]


def draw_all(run: Any, folder: Path | str) -> list[Path]:
    """Every figure of a run that has something to show, as PNG and SVG in `folder`; the paths, in the order of `FIGURES`.

    Raises:
        StorageError: the folder cannot be written.
    """
    names = [name for name in FIGURES if name not in EMPTY or not EMPTY[name](run)]
    return [path for name in names for path in draw(name, run, folder)]


def draw(name: str, run: Any, folder: Path | str) -> list[Path]:
    """One figure of a run, by its name in `FIGURES`, as PNG and SVG in `folder`."""
    with house_style():
        return save_figure(FIGURES[name](run), _made(folder), name)


def draw_comparison(
    baseline_runs: Sequence[Any], other_runs: Sequence[Any], folder: Path | str, name: str = "comparison"
) -> list[Path]:
    """The paired differences of two worlds, as PNG and SVG in `folder`.

    Raises:
        ValueError: the runs are not pairs.
        StorageError: the folder cannot be written.
    """
    with house_style():
        return save_figure(comparison(baseline_runs, other_runs), _made(folder), name)


def _made(folder: Path | str) -> Path:
    """The folder, made where it is missing."""
    folder = Path(folder)
    with storage_trouble(f"cannot write in {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
