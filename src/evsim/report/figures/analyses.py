"""Figures of what a store answers: one a part of an analysis."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from evsim.report.figures.choices import boxes, regret
from evsim.report.figures.fan import fan
from evsim.report.figures.heat_map import heat_map
from evsim.report.figures.indices import morris, sobol, tornado
from evsim.report.figures.style import house_style, save_figure

PART_FIGURES: Mapping[str, Callable[[Any], Figure]] = {
    "heat_map": heat_map,
    "sobol": sobol,
    "morris": morris,
    "tornado": tornado,
    "boxes": boxes,
    "regret": regret,
    "fan": fan,
}


def draw_analysis(analysis: Any, folder: Path) -> list[Path]:
    """Every part's figure, as PNG and SVG in `folder`, which is there.

    Raises:
        StorageError: the folder cannot be written.
    """
    with house_style():
        return [
            path for part in analysis.parts for path in save_figure(PART_FIGURES[part.name](part), folder, part.stem)
        ]
