"""Policies: what a search has found: every trial, the front, and what is left of its promise in fresh worlds."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from evsim import words
from evsim.files import write_whole

from .axes import Axis
from .design import Design
from .outcomes import describe
from .request import Request
from .store import Store
from .trials import MET, MISSED, Trial, not_beaten, objectives_of, promise, values_at


@dataclass(frozen=True)
class Retest:
    """A trial of the front in fresh worlds.

    Attributes:
        trial: its means there, and how it keeps to the constraints.
        limits: objective -> 90 % limits of the mean, nan for a single world.
    """

    trial: Trial
    limits: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Policies:
    """What a search has found, as far as it has come.

    Attributes:
        folder: of the search.
        asked: levers, objectives, constraints.
        axes: the levers.
        tried: the trials, in their order.
        fresh: the trials on the front in fresh worlds, in the order of the front; empty: not yet.
        stores: of the runs.
    """

    folder: Path
    asked: Request
    axes: Sequence[Axis]
    tried: Sequence[Trial]
    fresh: Sequence[Retest]
    stores: Sequence[Store]

    @cached_property
    def trials(self) -> pd.DataFrame:
        """A row a trial: levers, mean objectives, how constraints are met and missed, whether feasible and on the front."""
        rows = [self._row(trial) for trial in self.tried]
        front = not_beaten(self.tried, objectives_of(self.asked))
        table = pd.DataFrame(rows).assign(front=front)
        table.insert(0, "trial", range(1, len(rows) + 1))
        return table

    @cached_property
    def front(self) -> pd.DataFrame:
        """The rows of `trials` on the front, and beside each objective what it is in fresh worlds (`fresh.…`) with 90 % limits.

        `holds`: keeps to the constraints in fresh worlds too; `unbeaten`: and is not beaten there by another that does.
        """
        table = self.trials[self.trials["front"]].drop(columns=["front", "feasible"]).reset_index(drop=True)
        if not self.fresh:
            return table
        for name in objectives_of(self.asked):
            table[f"fresh.{name}"] = [test.trial.objectives.get(name, math.nan) for test in self.fresh]
            for end, side in enumerate(("low", "high")):
                table[f"fresh.{name}.{side}"] = [test.limits.get(name, (math.nan,) * 2)[end] for test in self.fresh]
        for name in self.asked.constraints:
            table[f"fresh.{MET}{name}"] = [test.trial.met.get(name, math.nan) for test in self.fresh]
        table["holds"] = [test.trial.is_feasible for test in self.fresh]
        table["unbeaten"] = not_beaten([test.trial for test in self.fresh], objectives_of(self.asked))
        return table

    @property
    def failures(self) -> int:
        """Runs that failed; worlds without them count."""
        return sum(store.counts().failed for store in self.stores)

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the stores, in their order."""
        return hashlib.sha256("\n".join(store.digest for store in self.stores).encode()).hexdigest()

    @cached_property
    def words(self) -> list[str]:
        """What was found, and what of it survived."""
        return words.search_words(
            self.trials, self.front, [axis.key for axis in self.axes], objectives_of(self.asked), self._bounds
        )

    @property
    def title(self) -> str:
        """The finding, for a figure."""
        return words.front_finding(self.front, len(self.trials), objectives_of(self.asked), self._bounds)

    def summary(self) -> str:
        """Sentences and the front, for a terminal."""
        lines = [f"- {words.wrap(text, words.WIDTH - 2, 2)}" for text in self.words]
        if len(self.front):
            lines += ["", words.front_table(self.front, [axis.key for axis in self.axes], objectives_of(self.asked))]
        return "\n".join(lines)

    __str__ = summary

    def __repr__(self) -> str:
        return f"Policies({str(self.folder)!r}: {len(self.tried)} tried, {len(self.front)} on the front)"

    def _repr_html_(self) -> str:
        """A search in a notebook: sentences and the front."""
        items = "".join(f"<li>{escape(text)}</li>" for text in self.words)
        return f"<ul>{items}</ul>{self.front.to_html(index=False, float_format='{:,.4g}'.format)}"

    def figure(self) -> Any:
        """Every trial by its first two objectives, the front, and where it comes out in fresh worlds."""
        drawing = import_module("evsim.report.figures.searches")  # a floor above; nothing else here needs it
        return drawing.front(self)

    def to_json_dict(self) -> dict[str, Any]:
        """What `--json` prints; what is not known as null."""
        frames = {name: frame.astype(object) for name, frame in (("trials", self.trials), ("front", self.front))}
        records = {name: frame.where(frame.notna(), None).to_dict("records") for name, frame in frames.items()}
        about = {"folder": str(self.folder), "words": self.words, "failed": self.failures, "digest": self.digest}
        return about | records

    def save(self) -> list[Path]:
        """Write trials and front as CSV, and everything said as JSON, into the search's folder.

        Raises:
            StorageError: the folder cannot be written.
        """
        written = [
            write_whole(self.folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n").encode())
            for name, table in (("trials", self.trials), ("front", self.front))
        ]
        text = json.dumps(self.to_json_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        return [*written, write_whole(self.folder / "policies.json", f"{text}\n".encode())]

    def units(self) -> dict[str, str]:
        """Unit of every objective and constrained outcome."""
        return {name: describe(name).unit for name in (*objectives_of(self.asked), *self.asked.constraints)}

    @property
    def _bounds(self) -> list[str]:
        """Every constraint in words."""
        return [
            words.bound(name, describe(name).unit, bound.bound, bound.is_upper, bound.part)
            for name, bound in self.asked.constraints.items()
        ]

    def _row(self, trial: Trial) -> dict[str, Any]:
        """A trial as a row."""
        objectives = {name: trial.objectives.get(name, math.nan) for name in objectives_of(self.asked)}
        kept = {f"{MET}{name}": trial.met.get(name, math.nan) for name in self.asked.constraints}
        missed = {f"{MISSED}{name}": trial.missed.get(name, math.nan) for name in self.asked.constraints}
        return values_at(self.axes, trial.position) | objectives | kept | missed | {"feasible": trial.is_feasible}


def retested(store: Store, positions: Sequence[tuple[float | int, ...]], fresh: Design, asked: Request) -> list[Retest]:
    """What came of trials of the front in fresh worlds.

    Limits are Student's, over draws of the uncertainties (each the mean of its seeds) or, where nothing is drawn, over seeds.
    Draws share their seeds; with one seed the limits hold for it alone.

    Args:
        store: of the runs, `fresh.n_points` points a trial.
        positions: of the trials.
        fresh: the worlds.
        asked: objectives and constraints.
    """
    results = store.results()
    found = []
    for index, position in enumerate(positions):
        worlds = results[results["point"] // fresh.n_points == index]
        units = worlds.groupby("point") if fresh.n_points > 1 else worlds.groupby("seed")
        limits = {}
        for name in objectives_of(asked):
            values = units[name].mean().dropna().to_list() if name in worlds else []
            limits[name] = words.paired_interval(values)[1:] if values else (math.nan, math.nan)
        found.append(Retest(Trial(position, *promise(worlds, asked)), limits))
    return found
