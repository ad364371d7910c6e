"""One look for all figures: fonts, colours, titles, end labels, the base date; and files that are always the same.

matplotlib is used by its objects, never by pyplot's hidden state. Colours are those of Okabe & Ito, which the
colour-blind can tell apart; series are labelled where they end, not in a legend. A title states the finding, in words
of `evsim.words`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from evsim import words
from evsim.files import write_whole

INK, PALE, GRID = "#222222", "#8A8A8A", "#E6E6E6"
CAMP_COLOURS: Mapping[str, str] = {"alliance": "#D55E00", "independent": "#0072B2", "incumbent": "#6B6B6B"}
POWERTRAIN_COLOURS: Mapping[str, str] = {"bev": "#0072B2", "erev": "#CC79A7", "phev": "#56B4E9", "ice": "#A6A6A6"}
SERIES_COLOURS = ("#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F", "#4B3F8F", "#000000")
CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
)
DOTS_PER_INCH = 150
TITLE_WIDTH = 9.3  # characters of title an inch of figure
NOTE_WIDTH = 15.5  # the same of the note
WITHIN, SHORTEST = 0.994, 20  # part of the page that lines may reach across; letters of a line, at least
LABEL_GAP = 0.052  # least distance of two end labels, of the axes' height
SETTINGS: Mapping[str, Any] = {
    "font.size": 10.0, "axes.titlesize": 10.0, "axes.labelsize": 10.0, "figure.titlesize": 12.5,
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": PALE,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.grid.axis": "y", "grid.color": GRID,
    "axes.axisbelow": True, "lines.linewidth": 2.0, "figure.facecolor": "white", "svg.hashsalt": "evsim",
}  # fmt: skip


@contextmanager
def house_style() -> Iterator[None]:
    """matplotlib's settings while a figure is drawn and saved; Chinese names find a font where the machine has one."""
    installed = set(font_manager.get_font_names())
    fonts = ["DejaVu Sans", *(font for font in CHINESE_FONTS if font in installed)]
    settings: dict[Any, Any] = {**SETTINGS, "font.family": fonts}
    with matplotlib.rc_context(settings):
        yield


def new_figure(
    title: str, note: str, size: tuple[float, float] = (10.0, 5.6), panels: int = 1
) -> tuple[Figure, list[Axes]]:
    """A figure with its finding above, `panels` axes side by side, and a note on how to read it below."""
    figure = Figure(figsize=size, layout="constrained")
    above = figure.suptitle("", x=0.01, ha="left", weight="bold", linespacing=1.25)
    below = figure.supxlabel("", x=0.01, ha="left", fontsize=8.5, color="#5A5A5A")
    _set_wrapped(above, title.removesuffix("."), int(TITLE_WIDTH * size[0]))
    _set_wrapped(below, note, int(NOTE_WIDTH * size[0]))
    figure.get_layout_engine().set(h_pad=0.08, w_pad=0.08, wspace=0.06)  # type: ignore[union-attr, call-arg]
    axes = figure.subplots(1, panels, squeeze=False)[0]
    return figure, list(axes)


def _set_wrapped(place: Text, text: str, letters: int) -> None:
    """Fill a text of a figure with lines of so many letters, fewer where wide letters would run off the page."""
    place.set_text(words.wrap(text, letters))
    page = place.get_figure().bbox  # type: ignore[union-attr]
    while letters > SHORTEST and place.get_window_extent().x1 > WITHIN * page.x1:
        letters -= 1
        place.set_text(words.wrap(text, letters))


def dates(months: Sequence[str]) -> np.ndarray:
    """Months YYYY-MM as positions on an axis of years: the end of each month."""
    return np.array([int(month[:4]) + int(month[5:]) / 12.0 for month in months])


def years_axis(axes: Axes, first: float, last: float) -> None:
    """Whole years below, a tick at the start of each, room at the right for what comes."""
    axes.set_xlim(first - 0.15, last + 0.05)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))


def percent_axis(axes: Axes, label: str, top: float | None = None) -> None:
    """Fractions written as per cent, from zero."""
    axes.set_ylim(0.0, top)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 6):g} %"))
    axes.set_ylabel(label)


def mark_base(axes: Axes, month: str) -> None:
    """A dotted line at the base date, named."""
    at = dates([month])[0]
    axes.axvline(at, color=PALE, linewidth=1.0, linestyle=":", zorder=1)
    axes.annotate(
        f"base date, end of {words.month(month)}", (at, 1.0), xycoords=("data", "axes fraction"), xytext=(3, 2),
        textcoords="offset points", fontsize=8, color=PALE, ha="left", va="bottom",
    )  # fmt: skip


def line(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, **look: Any) -> None:
    """A series with its month-0 point."""
    axes.plot(x, y, color=colour, **look)
    axes.plot(x[:1], y[:1], "o", color=colour, markersize=5, zorder=4, clip_on=False)


def label_ends(axes: Axes, labels: Sequence[tuple[str, float, str]], gap: float = LABEL_GAP) -> None:
    """Names to the right of where series end, moved apart where they would overlap; call it when the limits are set.

    Args:
        axes: the axes, with their final limits.
        labels: text, height in data units, colour.
        gap: least distance between two labels, of the axes' height.
    """
    labels = [label for label in labels if np.isfinite(label[1])]  # a series that has ended has no end to name
    low, high = axes.get_ylim()
    ends = np.array([(height - low) / (high - low) for _, height, _ in labels])
    order = np.argsort(ends, kind="stable")
    places = spread(ends[order], gap)
    for place, index in zip(places, order, strict=True):
        text, _, colour = labels[index]
        axes.annotate(
            text, (1.0, ends[index]), xycoords="axes fraction", xytext=(1.025, place), textcoords="axes fraction",
            color=darker(colour), fontsize=9, va="center", ha="left", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.7, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 0},
        )  # fmt: skip


def darker(colour: str) -> tuple[float, float, float]:
    """A colour dark enough for text on white."""
    red, green, blue = to_rgb(colour)
    return 0.75 * red, 0.75 * green, 0.75 * blue


def spread(heights: np.ndarray, gap: float) -> np.ndarray:
    """Ascending heights in [0, 1], moved as little as needs be (least squares) to be at least `gap` apart.

    Neighbours that come too close are put around their mean: pool adjacent violators (Best & Chakravarti 1990), within
    bounds, which only clips the means.
    """
    blocks: list[list[float]] = []  # sum of (height − place within the block), count
    for index, height in enumerate(heights):
        blocks.append([float(height) - gap * index, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    means = np.concatenate([np.full(int(count), total / count) for total, count in blocks]) if blocks else np.zeros(0)
    room = max(1.0 - gap * (len(heights) - 1), 0.0)
    return means.clip(0.0, room) + gap * np.arange(len(heights))


def save_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG and SVG, whole or not at all; the same figure gives the same bytes."""
    paths = []
    for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None, "Creator": None})):
        buffer = BytesIO()
        figure.savefig(buffer, format=suffix[1:], dpi=DOTS_PER_INCH, metadata=metadata)
        paths.append(write_whole(folder / f"{name}{suffix}", buffer.getvalue()))
    return paths
