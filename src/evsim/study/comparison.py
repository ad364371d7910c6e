"""A comparison: every world of a store against the first, in pairs, outcome by outcome and year by year.

Intervals hold 90 % each, for one outcome; of many outcomes that do not change, one in ten looks as if it did.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evsim import words
from evsim.errors import BadRequest, EvsimError
from evsim.files import write_whole
from evsim.params.scenario import month_name, month_number
from evsim.words import Manner

from .axes import Axis
from .design import Design
from .outcomes import LAST_MONTHS, SHARES, describe
from .pairs import TABLE, paired, pairs_needed, student
from .store import COMPARISON, Store

ABOUT = COMPARISON
YEARLY = re.compile(r"(\w+?)_(\d{4})")
SHARES_OF_YEARS = {"automaker_share": "automaker_years", "platform_share": "platform_years"}


@dataclass(frozen=True)
class Aim:
    """How far a comparison goes.

    Attributes:
        headline: the outcome that it is about.
        replications: pairs of every world with the first; with a precision, those it begins with.
        precision: largest half width of the headline's interval: in points for a fraction, else in the outcome's unit.
    """

    headline: str
    replications: int
    precision: float | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """A comparison: frames, sentences, a figure.

    Attributes:
        store: of the runs.
        aim: its headline, and how many pairs it has looked at.
        table: a row a world and outcome of the last 12 months or the whole run: levels, difference, 90 % limits, pairs, pairing.
        years: the same by calendar year, with a column `year`; its outcomes are without the year in their names.
    """

    store: Store
    aim: Aim
    table: pd.DataFrame
    years: pd.DataFrame

    @property
    def worlds(self) -> list[str]:
        """Names of the worlds, the first one that all others are held against."""
        return [words.world_name(changes) for changes in worlds_of(self.store.design)]

    @property
    def half_width(self) -> float:
        """Of the headline's interval, the widest of all worlds, in points or the outcome's unit; nan: there is none."""
        rows = self.headline
        return float(self._scale * ((rows["high"] - rows["low"]) / 2.0).max(skipna=False))

    @property
    def title(self) -> str:
        """The headline as a figure's title."""
        return words.headline_finding(self.headline.to_dict("records"), self._worlds, self._ending)

    @property
    def headline(self) -> pd.DataFrame:
        """The rows of `table` about the headline, one a world."""
        return self.table[self.table["outcome"] == self.aim.headline]

    def pairs_for(self, precision: float) -> int | None:
        """How many pairs would make the headline's interval that narrow in every world, by the variance seen.

        The smallest n with t_{n−1} s_d / √n ≤ precision; None where no variance is known.
        """
        rows = self.headline
        if not np.isfinite(self.half_width):
            return None
        spreads = [
            self._scale * (high - low) / 2.0 * pairs**0.5 / student(pairs)
            for low, high, pairs in rows[["low", "high", "pairs"]].itertuples(index=False)
        ]
        return max(pairs_needed(spread, precision) for spread in spreads)

    @cached_property
    def words(self) -> list[str]:
        """What it says, the headline first, then what is largest; what cannot be told from zero is said to be so."""
        return words.comparison_words(self.table, self._about, self._worlds, self._ending)

    @property
    def reached(self) -> str:
        """Whether the interval is as narrow as was asked, in one sentence; empty where nothing was asked."""
        if self.aim.precision is None:
            return ""
        needed = self.pairs_for(self.aim.precision)
        return words.precision_reached(self.manner, self.aim.precision, self.half_width, self.aim.replications, needed)

    def summary(self) -> str:
        """Sentences and a table, for a terminal."""
        lines = [f"- {words.wrap(text, words.WIDTH - 2, 2)}" for text in self.words]
        notes = [
            words.wrap(note, words.WIDTH) for note in (words.pairs_note(self.worlds[0], self._pairs), self.reached)
        ]
        table = words.comparison_table(self.table, self._about, self._worlds)
        return "\n".join([*lines, "", *filter(None, notes), "", table])

    __str__ = summary

    def __repr__(self) -> str:
        worlds = ", ".join(self.worlds[1:])
        return f"Comparison({worlds} against {self.worlds[0]}: {self._pairs} pairs, {str(self.store.path)!r})"

    def _repr_html_(self) -> str:
        """A comparison in a notebook: sentences, the rows they are about."""
        items = "".join(f"<li>{escape(text)}</li>" for text in self.words)
        note = " ".join(filter(None, (words.pairs_note(self.worlds[0], self._pairs), self.reached)))
        told = self.table[self.table["outcome"].isin(self._about)]
        return f"<ul>{items}</ul><p>{escape(note)}</p>{told.to_html(index=False, float_format='{:,.4g}'.format)}"

    def figure(self) -> Any:
        """The headline over the years: every world, and its paired difference from the first with its band."""
        drawing = import_module("evsim.report.figures.paired_years")  # a floor above; nothing else here needs it
        return drawing.paired_years(self)

    def save(self) -> list[Path]:
        """Write both tables as CSV, and what was asked and said as JSON, into the store's folder.

        Raises:
            StorageError: the folder cannot be written.
        """
        path = self.store.path
        written = [
            write_whole(path / f"{name}.csv", table.to_csv(index=False, lineterminator="\n").encode())
            for name, table in (("comparison", self.table), ("comparison_years", self.years))
        ]
        text = json.dumps(self.to_json_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        return [*written, write_whole(path / ABOUT, f"{text}\n".encode())]

    def to_json_dict(self) -> dict[str, Any]:
        """What `--json` prints; what is not finite as null."""
        numbers = self.table.replace([np.inf, -np.inf], np.nan).astype(object)
        return {
            "store": str(self.store.path),
            "worlds": self.worlds,
            "words": self.words,
            "headline": self.aim.headline,
            "pairs": self._pairs,
            "precision": self.aim.precision,
            "half_width": self.half_width if np.isfinite(self.half_width) else None,
            "pairs_needed": None if self.aim.precision is None else self.pairs_for(self.aim.precision),
            "table": numbers.where(numbers.notna(), None).to_dict("records"),
            "digest": self.store.digest,
        }

    @property
    def manner(self) -> Manner:
        """How the headline is told."""
        return words.manner(self.aim.headline, describe(self.aim.headline).unit)

    @property
    def _scale(self) -> float:
        return 100.0 if describe(self.aim.headline).unit == "fraction" else 1.0

    @property
    def _pairs(self) -> int:
        """Pairs of the headline, the fewest of all worlds."""
        return int(self.headline["pairs"].min())

    @property
    def _about(self) -> list[str]:
        """The outcomes that are told: the headline, and those the study is about."""
        return list(dict.fromkeys((self.aim.headline, *self.store.design.request.outcomes)))

    @property
    def _worlds(self) -> dict[str, Mapping[str, Any]]:
        """Name of every other world -> what it changes."""
        first, *others = worlds_of(self.store.design)
        return {
            words.world_name(other): {key: value for key, value in other.items() if value != first[key]}
            for other in others
        }

    @property
    def _ending(self) -> str:
        """What the last 12 months of the runs are called."""
        end = month_number(self.store.design.scenario(0).end)
        n_months = min(LAST_MONTHS, self.store.design.scenario(0).n_months)
        return words.period_of([month_name(end - back) for back in reversed(range(n_months))])


def comparison_of(store: Store, headline: str | None = None, aim: Aim | None = None) -> Comparison:
    """Every world of a store against the first, in pairs; any store of a sweep that varied listed values will do.

    Args:
        store: as far as it has come; runs that failed or are missing leave their pair out.
        headline: the outcome that it is about; none: the first that the study is about.
        aim: in place of a headline, with the number of replications to look at.
    Raises:
        BadRequest: the store has one world, or worlds that cannot be compared; or there is no such outcome.
        EvsimError: not one run is done.
    """
    design = store.design
    check_comparable(design)
    if aim is None:
        aim = Aim(headline or next(iter(design.request.outcomes)), len(design.seeds))
    results = store.results()
    if results.empty:
        raise EvsimError(f"{store.path}: no run is done, so nothing can be compared; `evsim status` says why")
    results = results[results["seed"].isin(list(design.seeds[: aim.replications]))]
    results = _with_headline(results, store, aim.headline)
    names = [name for name in results.columns if name not in design.table(np.array([0])).columns]
    worlds = [
        results[results["point"] == point].set_index("seed")[names].astype("float64")
        for point in range(design.n_points)
    ]
    yearly = [name for name in names if YEARLY.fullmatch(name) and name != aim.headline]
    frame = paired(worlds, [words.world_name(changes) for changes in worlds_of(design)])
    frame["unit"] = frame["outcome"].map(results.attrs["units"]).fillna("")
    years = frame[frame["outcome"].isin([name for name in names if YEARLY.fullmatch(name)])].copy()
    parts = years["outcome"].str.rpartition("_")
    years["outcome"] = parts[0]
    years.insert(2, "year", parts[2].astype("int64"))
    if aim.headline.partition(".")[0] in SHARES:
        years = pd.concat([years, _share_years(store, aim)], ignore_index=True)
    table = frame[~frame["outcome"].isin(yearly)].reset_index(drop=True)
    return Comparison(store, aim, table, years.reset_index(drop=True))


def worlds_of(design: Design) -> list[dict[str, Any]]:
    """What every point of a design sets: key -> value; the first is the one that others are held against."""
    return [
        {axis.key: axis.value(design.points[axis.key][point]) for axis in design.axes}
        for point in range(design.n_points)
    ]


def check_comparable(design: Design) -> None:
    """Check that a design has at least two worlds, listed, and two seeds.

    Raises:
        BadRequest: it has not; or its worlds are not of the same months.
    """
    drawn = next((axis for axis in design.axes if _is_drawn(axis, design)), None)
    if drawn is not None:
        raise BadRequest(f"{drawn.key}={drawn.text}: worlds are compared one by one; list its values, or sweep it")
    if design.n_points < 2:
        raise BadRequest("one world only; give a key two or more values, such as scenario=baseline,no_alliance")
    if len(design.seeds) < 2:
        raise BadRequest("--replications 1: one pair has no interval; give 2 or more")
    spans = {(scenario.start, scenario.end) for scenario in map(design.scenario, range(design.n_points))}
    if len(spans) > 1:
        shown = " and ".join(f"{start} to {end}" for start, end in sorted(spans)[:2])
        raise BadRequest(f"worlds are compared over the same months, not {shown}; vary neither start nor end")


def _is_drawn(axis: Axis, design: Design) -> bool:
    return axis.low is not None or ("sample" in design.points and axis.role == "uncertainty")


def _share_years(store: Store, aim: Aim) -> pd.DataFrame:
    """The rows of `years` for a headline that is one seller's share, from the yearly tables that were kept."""
    stem, _, entity = aim.headline.partition(".")
    column = SHARES[stem]
    if store.design.keep != "panel":
        return pd.DataFrame(columns=[*TABLE[:2], "year", *TABLE[2:]])
    panel = store.panel(SHARES_OF_YEARS[stem], ["year", column, "share"])
    panel["point"], panel["replication"] = np.divmod(panel["run"], len(store.design.seeds))
    panel = panel[panel["replication"] < aim.replications]
    own = panel[panel[column] == entity].set_index(["point", "replication", "year"])["share"]
    wide = (
        panel[["point", "replication", "year"]]
        .drop_duplicates()
        .join(own, on=["point", "replication", "year"])
        .fillna({"share": 0.0})
        .pivot(index=["point", "replication"], columns="year", values="share")
    )
    names = [words.world_name(changes) for changes in worlds_of(store.design)]
    points = wide.index.get_level_values("point")
    frame = paired([wide[points == point].droplevel("point") for point in range(store.design.n_points)], names)
    frame.insert(2, "year", frame["outcome"].astype("int64"))
    return frame.assign(outcome=aim.headline, unit="fraction")


def _with_headline(results: pd.DataFrame, store: Store, headline: str) -> pd.DataFrame:
    """The results with the headline among them: a share of somebody who never sold anything is 0.

    Raises:
        BadRequest: runs have no such outcome.
    """
    if headline in results:
        return results
    describe(headline)
    if headline.partition(".")[0] not in SHARES:
        raise BadRequest(f"{store.path}: no run has an outcome {headline}")
    results.attrs["units"] = results.attrs["units"] | {headline: "fraction"}
    return results.assign(**{headline: 0.0})
