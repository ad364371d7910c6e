"""LockIn: what the kit found, as frames that show themselves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evsim.files import storage_trouble, write_whole
from evsim.params import Scenario
from evsim.study.lock_in.measures import KINDS, Answers, Measure, measure
from evsim.study.lock_in.worlds import Sizes, watched_platform
from evsim.words import platform_name, wrap
from evsim.words.lock_in import CHAPTERS, NOTES, sweep_notes
from evsim.words.pairs import paired_interval

WIDTH = 98  # of a terminal
TABLES: Mapping[str, str] = {
    "measures": "each measure: value, 90 % limits, unit, sentence",
    "draws": "every number of every world and replication",
    "churn": "chance that an owner of one platform buys each at its next purchase",
    "platforms": "owners of each ecosystem: share, repeat purchase, its excess, compensating price and its parts (kCNY)",
    "compensation": "fraction of owners who leave brand and stack for a payment of at most so many kCNY",
    "loop": "the leader's share at rest, as its advantage (kCNY) goes up and down",
    "lead": "the lead in sales (fraction) after so many months without the advantage; month 0: with it",
}


@dataclass(frozen=True, eq=False)
class LockIn:
    """The lock-in kit of a scenario: `measures` and the tables behind them (`TABLES`), with 90 % limits."""

    scenario: Scenario
    replications: int
    parts: Sequence[str]
    sizes: Sizes
    tables: Mapping[str, pd.DataFrame]
    failures: Sequence[str]  # worlds that could not be made, and why

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in TABLES:
            raise AttributeError(f"LockIn has no {name!r}; it has {', '.join(TABLES)}")
        return self.tables[name].copy()

    def __getitem__(self, name: str) -> pd.Series:
        """One measure by its name, such as `kit["state_dependence"].value`."""
        found = self.tables["measures"].set_index("measure")
        if name not in found.index:
            raise KeyError(f"{name!r} is no measure of this scenario; there are {', '.join(found.index)}")
        return found.loc[name]

    @property
    def notes(self) -> list[str]:
        """What to know of the sweeps: loops that stayed open, markets that did not come to rest."""
        draws = self.tables["draws"]
        swept = draws[draws["world"] == "loop"]
        return sweep_notes({name: list(swept.loc[swept["name"] == name, "value"]) for name in NOTES})

    def summary(self) -> str:
        """Every measure in its sentence, for a terminal."""
        seeds = f"seeds {self.scenario.seed} to {self.scenario.seed + self.replications - 1}"
        lines = [f"Lock-in in {self.scenario.name}, {self.scenario.start} to {self.scenario.end}, {seeds}", ""]
        measures = self.tables["measures"]
        for chapter, heading in CHAPTERS.items():
            rows = measures[measures["chapter"] == chapter]
            if len(rows):
                lines += [heading, *(f"  {wrap(text, WIDTH - 2, indent=2)}" for text in rows["sentence"]), ""]
        spread = (
            "Means of {} draws in pairs, 90 % intervals in brackets."
            if self.replications > 1
            else "One draw: no intervals."
        )
        return "\n".join([*lines, spread.format(self.replications), *self.notes, *self.failures])

    __str__ = summary

    def _repr_html_(self) -> str:
        """The measures in a notebook."""
        shown = self.tables["measures"].drop(columns="chapter")
        return f"<h4>{escape(f'Lock-in in {self.scenario.name}')}</h4>{shown.to_html(index=False, float_format='{:,.4g}'.format)}"

    def to_json_dict(self, folder: Path | None = None) -> dict[str, Any]:
        """What `--json` prints; nan as null."""
        rows = self.tables["measures"].astype(object).where(self.tables["measures"].notna(), None).to_dict("records")
        answer = {
            "scenario": self.scenario.name,
            "seed": self.scenario.seed,
            "replications": self.replications,
            "measures": rows,
            "notes": self.notes,
            "failures": list(self.failures),
        }
        return answer if folder is None else answer | {"folder": str(folder)}

    def save(self, folder: Path | str) -> list[Path]:
        """Write every table as CSV, and lock_in.json: scenario, sizes, measures.

        Raises:
            StorageError: the folder cannot be written.
        """
        folder = Path(folder)
        with storage_trouble(f"cannot write in {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
        about = self.to_json_dict() | {"sizes": vars(self.sizes), "settings": self.scenario.model_dump(mode="json")}
        paths = [
            write_whole(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n").encode())
            for name, table in self.tables.items()
        ]
        text = json.dumps(about, indent=2, ensure_ascii=False, allow_nan=False)
        return [*paths, write_whole(folder / "lock_in.json", f"{text}\n".encode())]


def result_of(
    scenario: Scenario, replications: int, parts: Sequence[str], sizes: Sizes, answers: Answers, failures: Sequence[str]
) -> LockIn:
    """Measures and tables from what the worlds said."""
    names = {
        "leader": platform_name(scenario.alliance.platform),
        "path": platform_name(watched_platform(scenario)),
        "rows": f"{scenario.consumers.count:,}",
        "small_rows": f"{max(scenario.consumers.count // 4, 500):,}",
        "lead": f"{sizes.lead:g} kCNY",
        "years": f"{sizes.held / 12.0:g}",
        "entry": str(sizes.entry),
        "after": str(sizes.after),
    }
    found = [measure(kind, answers, names) for kind in KINDS]
    measures = pd.DataFrame([each for each in found if each], columns=list(Measure._fields))
    tables = {"measures": measures, "draws": draws_of(answers)} | pooled_tables(answers)
    return LockIn(scenario, replications, tuple(parts), sizes, tables, tuple(failures))


def draws_of(answers: Answers) -> pd.DataFrame:
    """Every plain number: world, replication, name, value."""
    rows = [
        (world, number, name, float(value))
        for world, given in answers.worlds.items()
        for number, answer in sorted(given.items())
        for name, value in answer.items()
        if isinstance(value, float)
    ]
    return pd.DataFrame(rows, columns=["world", "replication", "name", "value"])


def pooled_tables(answers: Answers) -> dict[str, pd.DataFrame]:
    """Tables of all replications as means with limits; those that this scenario does not have are left out."""
    own = answers.worlds.get("own", {})
    tables = {
        "churn": _pooled(_stacked(own, "churn"), ["from_platform", "to_platform"], "chance"),
        "platforms": _platforms(own),
        "compensation": _long(_stacked(own, "compensation"), ["price"], {"held": "with", "free": "without"}),
    }
    for name, columns in (("loop", loop_columns), ("lead", lead_columns)):
        frames = [
            columns(answer).assign(lock_in=lock_in, replication=number)
            for world, lock_in in ((name, "with"), (f"{name}_without", "without"))
            for number, answer in answers.worlds.get(world, {}).items()
        ]
        if frames:
            table = pd.concat(frames, ignore_index=True)
            keys = [key for key in table.columns if key not in ("share", "replication")]
            tables[name] = _pooled(table, keys, "share")
    return {name: table for name, table in tables.items() if len(table)}


def loop_columns(answer: Mapping[str, Any]) -> pd.DataFrame:
    """A sweep as rows: step (the advantage over the base date's), direction, share."""
    steps = np.asarray(answer["levels"])
    parts = [{"advantage": steps, "direction": way, "share": answer[way]} for way in ("rising", "falling")]
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)


def lead_columns(answer: Mapping[str, Any]) -> pd.DataFrame:
    """A lost lead as rows: month, share."""
    return pd.DataFrame({"month": answer["months"], "share": answer["lead"]})


def _stacked(given: Mapping[int, Mapping[str, Any]], name: str) -> pd.DataFrame:
    """The columns of every replication under each other."""
    frames = [pd.DataFrame(answer[name]).assign(replication=k) for k, answer in given.items() if name in answer]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _pooled(table: pd.DataFrame, keys: list[str], value: str) -> pd.DataFrame:
    """Mean and limits over replications."""
    if table.empty:
        return table
    groups = table.groupby(keys, sort=False)[value]
    rows = [(*(key if isinstance(key, tuple) else (key,)), *paired_interval(list(given))) for key, given in groups]
    return pd.DataFrame(rows, columns=[*keys, value, "low", "high"])


def _long(table: pd.DataFrame, keys: list[str], worlds: Mapping[str, str]) -> pd.DataFrame:
    """Columns of two worlds under each other, pooled: keys, lock_in (with, without), share and limits."""
    if table.empty:
        return table
    parts = [table[[*keys, "replication"]].assign(lock_in=name, share=table[column]) for column, name in worlds.items()]
    return _pooled(pd.concat(parts, ignore_index=True), ["lock_in", *keys], "share")


def _platforms(own: Mapping[int, Mapping[str, Any]]) -> pd.DataFrame:
    """Means by ecosystem, the largest by owners first."""
    owners, prices = _stacked(own, "platforms"), _stacked(own, "compensation_by_platform")
    if owners.empty or prices.empty:
        return owners
    table = owners.merge(prices, on=["platform", "replication"], how="left").drop(columns="replication")
    table = table.groupby("platform", sort=False).mean().sort_values("owners", ascending=False).reset_index()
    table["naive_excess"] = table["repeat"] - table["share"]
    table["state_dependence"] = table["repeat"] - table["unattached"]
    return table
