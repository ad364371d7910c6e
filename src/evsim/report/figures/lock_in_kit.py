"""Figures of the lock-in kit: repeat purchase taken apart, compensating prices, the loop, the lead that is lost."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from evsim import words
from evsim.files import storage_trouble
from evsim.report.figures.style import (
    CAMP_COLOURS,
    INK,
    PALE,
    darker,
    house_style,
    label_ends,
    new_figure,
    percent_axis,
    save_figure,
)
from evsim.words.lock_in import owners_finding

WITH, WITHOUT = CAMP_COLOURS["alliance"], CAMP_COLOURS["independent"]
WORLDS: Mapping[str, tuple[str, str]] = {"with": ("with lock-in", WITH), "without": ("without lock-in", WITHOUT)}
MOST = 14  # platforms drawn, by owners
BANDS = "bands are 90 % intervals over {} replications"


def owners(kit: Any) -> Figure:
    """Each ecosystem's repeat purchase: share, what taste adds, what owning adds."""
    table = kit.platforms.head(MOST).iloc[::-1]
    note = (
        "Chance that today's owners buy their stack at their next purchase (dot), that the same consumers would buy it had they"
        " owned nothing (square), and the stack's share in all that is bought (ring). From ring to dot is what a naive observer"
        " calls lock-in; from square to dot is what owning does; from ring to square is taste."
    )
    title = owners_finding(kit["naive_excess"].value, kit["state_dependence"].value)
    figure, (axes,) = new_figure(title, note, (10.0, 2.0 + 0.34 * max(len(table), 4)))
    for at, row in enumerate(table.itertuples()):
        axes.hlines(at, row.share, row.unattached, color=PALE, linewidth=2.0)
        axes.hlines(at, row.unattached, row.repeat, color=WITH, linewidth=3.0, alpha=0.4)
        axes.plot(row.share, at, "o", markerfacecolor="white", markeredgecolor=PALE, markersize=7)
        axes.plot(row.unattached, at, "s", color=PALE, markersize=6)
        axes.plot(row.repeat, at, "o", color=WITH, markersize=8)
        axes.annotate(
            f"{words.percent(row.repeat)}", (max(row.repeat, row.unattached, row.share), at), xytext=(9, 0),
            textcoords="offset points", va="center", fontsize=8.5,
        )  # fmt: skip
    axes.set_yticks(range(len(table)), [words.platform_name(name) for name in table["platform"]])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    most = float(table[["repeat", "unattached", "share"]].max().max())
    axes.set_xlim(-0.01 * most, 1.15 * most)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
    axes.set_xlabel("chance at the next purchase")
    return figure


def compensation(kit: Any) -> Figure:
    """Owners who stay with brand and stack for a payment, with lock-in and without."""
    table = kit.compensation
    note = (
        "Owners of cars in an ecosystem, at their next purchase, of whom a payment is made to everyone who buys another brand on"
        f" another stack instead; without lock-in: the same owners with κ = ι = 0. {_bands(kit)}."
    )
    figure, (axes,) = new_figure(_plain(kit["lock_in_price"].sentence), note)
    for world, (name, colour) in WORLDS.items():
        rows = table[table["lock_in"] == world]
        payment, stay = rows["price"].to_numpy(), 1.0 - rows["share"].to_numpy()
        _band(axes, payment, stay, 1.0 - rows["high"], 1.0 - rows["low"], colour)
        half = payment[stay <= 0.5 * stay[0]]
        price = f"{half[0]:.0f}" if len(half) else f"more than {payment[-1]:.0f}"
        text = f"{words.label(name)}: {words.percent(stay[0])} stay unpaid, half of these leave for {price} kCNY"
        height = 0.92 if world == "with" else 0.84
        axes.annotate(text, (0.98, height), xycoords="axes fraction", ha="right", color=darker(colour))
    percent_axis(axes, "owners who stay", 1.05 * float(1.0 - table[["share", "low"]].min().min()))
    axes.set_xlim(0.0, float(table["price"].max()))
    axes.set_xlabel("payment for leaving, kCNY")
    return figure


def loop(kit: Any) -> Figure:
    """The leader's share as its advantage goes up and comes down again, with lock-in and without."""
    table, leader = kit.loop, words.platform_name(kit.scenario.alliance.platform)
    note = (
        f"Share of {leader} in what is bought next, at rest, in a frozen market (no drift, launch, policy or price change), as"
        f" its software advantage over independents' stacks is raised step by step (solid), then lowered (dashed). {_bands(kit)}."
    )
    figure, panels = new_figure(_plain(kit["loop_width"].sentence), note, (11.5, 5.4), 2)
    top = 1.08 * float(table[["share", "high"]].max().max())
    for axes, (world, (name, colour)) in zip(panels, WORLDS.items(), strict=True):
        rows = table[table["lock_in"] == world]
        for way, look in (("rising", "-"), ("falling", "--")):
            branch = rows[rows["direction"] == way].sort_values("advantage")
            x, y = branch["advantage"].to_numpy(), branch["share"].to_numpy()
            _band(axes, x, y, branch["low"], branch["high"], colour, linestyle=look, marker="o", markersize=4)
        percent_axis(axes, f"share of {leader}", top)
        axes.set_xlabel("software advantage, kCNY")
        axes.set_title(words.label(name), loc="left", color=INK)
    return figure


def lead(kit: Any) -> Figure:
    """The lead in sales while the advantage lasts, and after it is gone."""
    table, leader = kit.lead, words.platform_name(kit.scenario.alliance.platform)
    note = (
        f"Lead: share of {leader} in what is bought next, less its share in a market where all stacks are as good from the first"
        f" month on; a frozen market. The advantage lasts until year 0, then every stack is as good. {_bands(kit)}."
    )
    figure, (axes,) = new_figure(_plain(kit["lead_left"].sentence), note)
    labels = []
    for world, (name, colour) in WORLDS.items():
        rows = table[table["lock_in"] == world].sort_values("month")
        x, y = rows["month"].to_numpy() / 12.0, 100.0 * rows["share"].to_numpy()
        _band(axes, x, y, 100.0 * rows["low"], 100.0 * rows["high"], colour)
        labels.append((words.label(name), float(y[-1]), colour))
    axes.axvline(0.0, color=PALE, linewidth=1.0, linestyle=":")
    axes.axhline(0.0, color=PALE, linewidth=1.0)
    axes.set_xlabel("years since the advantage is gone")
    axes.set_ylabel("lead, points of share")
    label_ends(axes, labels, gap=0.07)
    return figure


KIT_FIGURES: Mapping[str, Callable[[Any], Figure]] = {
    "platforms": owners,
    "compensation": compensation,
    "loop": loop,
    "lead": lead,
}


def draw_kit(kit: Any, folder: Path | str) -> list[Path]:
    """Every figure of a kit whose table it has, as PNG and SVG in `folder`.

    Raises:
        StorageError: the folder cannot be written.
    """
    folder = Path(folder)
    with storage_trouble(f"cannot write in {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    with house_style():
        drawn = {name: draw(kit) for name, draw in KIT_FIGURES.items() if name in kit.tables}
        return [path for name, figure in drawn.items() for path in save_figure(figure, folder, f"lock_in_{name}")]


def _band(axes: Axes, x: np.ndarray, y: np.ndarray, low: pd.Series, high: pd.Series, colour: str, **look: Any) -> None:
    """A line with its interval, where there is one."""
    if low.notna().all():
        axes.fill_between(x, low.to_numpy(), high.to_numpy(), color=colour, alpha=0.18, linewidth=0)
    axes.plot(x, y, color=colour, **look)


def _bands(kit: Any) -> str:
    return (
        words.sentence(BANDS.format(kit.replications)).removesuffix(".") if kit.replications > 1 else "One replication"
    )


def _plain(sentence: str) -> str:
    """A sentence as a title: without its intervals."""
    return re.sub(r" \[[^\]]*\]", "", sentence)
