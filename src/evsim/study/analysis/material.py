"""What an analysis is made from, and what comes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from evsim.files import safe_name
from evsim.scenarios.keys import parameters
from evsim.study.axes import Axis
from evsim.study.store import Store


@dataclass(frozen=True)
class Subject:
    """An outcome that is analysed: its name, unit, meaning, and whether it should be large (`maximise`) or small."""

    outcome: str
    unit: str
    meaning: str
    direction: str = ""


@dataclass(frozen=True, eq=False)
class Part:
    """One analysis of one outcome.

    Attributes:
        name: of the analyses.
        subject: the outcome.
        finding: in a few words, for a title.
        sentences: what was found, with intervals.
        tables: what it rests on, by name.
        about: what a figure needs beside them: threshold, keys, notes.
    """

    name: str
    subject: Subject
    finding: str
    sentences: Sequence[str]
    tables: Mapping[str, pd.DataFrame]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """How its files begin."""
        return safe_name(f"{self.subject.outcome}-{self.name}{self.about.get('suffix', '')}")


@dataclass(frozen=True, eq=False)
class Material:
    """A store's runs as analyses want them, of one outcome.

    Attributes:
        store: where they are from.
        runs: its results, with a column `world`: what is common to runs at all values of the levers, seed or draw.
        subject: the outcome.
        threshold: as it was asked for; none: each analysis has its own.
    """

    store: Store
    runs: pd.DataFrame
    subject: Subject
    threshold: float | None = None

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What the design varies."""
        return self.store.design.axes

    @cached_property
    def drawn(self) -> list[Axis]:
        """Axes whose values a sampler has drawn."""
        if "sample" not in self.store.design.points:
            return []
        return [axis for axis in self.axes if axis.low is not None or axis.role == "uncertainty"]

    @property
    def crossed(self) -> list[Axis]:
        """The others, with more than one value."""
        return [axis for axis in self.axes if axis not in self.drawn and len(axis.values) > 1]

    @property
    def sampler(self) -> str:
        """Of the drawn axes; empty: nothing was drawn."""
        return str(self.store.design.request.plan.sampler) if self.drawn else ""

    @property
    def is_full_cross(self) -> bool:
        """Whether every value of the crossed axes comes with every other."""
        design = self.store.design
        samples = len(np.unique(design.points["sample"])) if self.drawn else 1
        return design.n_points == samples * int(np.prod([len(axis.values) for axis in self.crossed] or [1]))

    def points(self) -> pd.DataFrame:
        """A row a point of the design that has runs: its keys, and the mean outcome over seeds."""
        keys = [axis.key for axis in self.axes]
        means = self.runs.groupby("point")[self.subject.outcome].mean().dropna()
        table = self.runs.drop_duplicates("point").set_index("point").loc[means.index, keys]
        return table.assign(**{self.subject.outcome: means})

    def by_sample(self) -> np.ndarray:
        """The mean outcome of each drawn point, over seeds and levers, in the sampler's order; nan: no run of it."""
        n_samples = int(self.store.design.points["sample"].max()) + 1
        means = self.runs.groupby("sample")[self.subject.outcome].mean()
        return means.reindex(range(n_samples)).to_numpy(dtype="float64")


def roles(keys: Sequence[str]) -> dict[str, str]:
    """Whether each key is a lever, structure or a setting; groups are alternatives."""
    return {key: parameters()[key].role if key in parameters() else "alternative" for key in keys}


def units(keys: Sequence[str]) -> dict[str, str]:
    """The unit of each key."""
    return {key: parameters()[key].unit if key in parameters() else "" for key in keys}


def meanings(keys: Sequence[str]) -> dict[str, str]:
    """What each key means, in words; nothing of a choice, whose words are those of its alternatives."""
    known = {key: parameters()[key] for key in keys if key in parameters()}
    return {key: "" if known[key].choices else known[key].meaning for key in known}


def is_numeric(axis: Axis) -> bool:
    return axis.kind in ("a number", "a whole number") and None not in axis.values
