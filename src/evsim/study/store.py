"""The store of a study: a folder with its design, a ledger of runs and shards of results; the only reader and writer of one.

    store.json       version, model, digest of the design; written last: a folder without it is no store
    design.json      what was asked and composed          design.parquet   a row a run, before the first of them
    ledger.sqlite    which runs are done or failed        shards/          results of a thousand runs a file

One driver at a time writes (`Store.driving`); readers need no lock, not even while one does. A run counts from the commit of
the ledger on, which holds its results until they fill a shard. kill -9 at any moment leaves a store that can be read and
driven on. The digest is that of the design and of each run's values in the order of runs: workers, engines and the order in
which runs came do not enter it.

2026-11: refused were a shard for each few runs (thousands of small files, slow to read) and rows in SQLite for good (a fan
chart of 5,000 runs would read every table of every run).
"""

import contextlib
import hashlib
import html
import json
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow

from evsim.errors import BadRequest, StorageError
from evsim.files import safe_name, storage_trouble, write_whole

from . import shards
from .design import Design
from .driver import Driver
from .ledger import Counts, Failure, Ledger, Lock
from .outcomes import OUTCOMES, PANELS, SHARES, describe
from .saved import load_design, model_digest, save_design, table_digests

FORMAT = 1
ABOUT, LOCK, SHARDS = "store.json", "lock", "shards"
SEARCH = "search.json"  # of a folder that has stores in it
COMPARISON = "comparison.json"  # beside a store, what its comparison found
SWEEP, COMPARE = "sweep", "compare"  # commands that make stores
VERSIONED = ("evsim", "numpy", "numba", "mesa", "pandas", "pyarrow")


@dataclass(frozen=True, eq=False)
class Store:
    """A store, open for reading.

    Attributes:
        path: its folder.
        about: what `store.json` says.
    """

    path: Path
    about: dict[str, Any]

    @classmethod
    def create(cls, out: str | os.PathLike[str], design: Design, simulate: str, command: str = SWEEP) -> "Store":
        """Make an empty store for a design, in a new folder `<out>/<name>-<n>`, n the first number that is free.

        Args:
            out: where the folder is made.
            design: what is run.
            simulate: "module:function" that gives what is kept of a run.
            command: that makes it, and goes on with it: `sweep` or `compare`.
        Raises:
            StorageError: it cannot be written; nothing is left.
        """
        out = Path(out)
        with storage_trouble(f"cannot write in {out}"):
            out.mkdir(parents=True, exist_ok=True)
            folder = new_folder(out, safe_name(design.request.name))
            (folder / SHARDS).mkdir()
        try:
            save_design(folder, design)
            Ledger.create(folder)
            with storage_trouble(f"cannot write in {folder}"):
                (folder / LOCK).touch()
            about = {
                "format": FORMAT,
                "model": model_digest(),
                "design": design.digest,
                "n_runs": design.n_runs,
                "simulate": simulate,
                "command": command,
                "tables": table_digests(design),
                "versions": {"python": platform.python_version()} | {name: version(name) for name in VERSIONED},
            }
            write_whole(folder / ABOUT, json.dumps(about, indent=1).encode())
            shards.sync_folder(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(folder, about)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "Store":
        """The store in a folder.

        Raises:
            BadRequest: there is none, or it is of another version of evsim's stores.
            StorageError: it cannot be read.
        """
        path = Path(path)
        if (path / SEARCH).is_file():
            raise BadRequest(
                f"{path}: a search lies here; `evsim search --resume {path}` goes on with it, and its stores are {path}/batch-1 "
                "and those after it"
            )
        if not (path / ABOUT).is_file():
            raise BadRequest(f"{path}: no store lies here; name the folder that `evsim sweep` or `evsim compare` made")
        with storage_trouble(f"cannot read {path / ABOUT}"):
            text = (path / ABOUT).read_text(encoding="utf-8")
        try:
            about = json.loads(text)
            found = about["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{path / ABOUT} is damaged: {error}") from error
        if found != FORMAT:
            raise BadRequest(f"{path}: a store of version {found}; this evsim reads version {FORMAT}")
        return cls(path, about)

    @property
    def is_compared(self) -> bool:
        """Whether `evsim compare` made it; stores of before 2026-12 do not say, but have what a comparison found."""
        command = self.about.get("command")
        return command == COMPARE if command else (self.path / COMPARISON).is_file()

    @cached_property
    def design(self) -> Design:
        """The design, as it was written before the first run."""
        return load_design(self.path)

    @property
    def n_runs(self) -> int:
        """Number of runs of the design."""
        return int(self.about["n_runs"])

    def counts(self) -> Counts:
        """How many runs are done and how many failed."""
        with self._ledger() as ledger:
            return ledger.counts()

    def lacking(self, runs: Iterable[int]) -> int:
        """How many of some runs are neither done nor failed."""
        with self._ledger() as ledger:
            entered = ledger.entered(self.n_runs)
        return sum(not entered[run] for run in runs)

    def is_driven(self) -> bool:
        """Whether a driver is at work on it."""
        return Lock(self.path / LOCK).is_taken()

    def results(self) -> pd.DataFrame:
        """A row for each run that is done, in the order of runs: run, point, seed, varied keys, outcomes.

        `.attrs` has `units` and `descriptions` of the outcomes. A share of a name that sold nothing is 0; an outcome that
        is not defined for a run is nan.
        """
        with self._ledger() as ledger, ledger.snapshot():
            parts = [shards.read_part(self._shards, part) for part in ledger.parts(shards.ROWS)]
            parts.append(shards.rows_table(ledger.staged()))
        rows = shards.together(parts).to_pandas().sort_values("run", ignore_index=True)
        names = sorted((name for name in rows.columns if name != "run"), key=_place)
        shares = [name for name in names if name.partition(".")[0] in SHARES]
        rows[shares] = rows[shares].fillna(0.0)
        frame = pd.concat([self.design.table(rows["run"].to_numpy()), rows[names]], axis=1)
        known = {name: describe(name) for name in names if _is_known(name)}
        frame.attrs["units"] = {name: column.unit for name, column in known.items()}
        frame.attrs["descriptions"] = {name: column.description for name, column in known.items()}
        return frame

    def panel(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """One table of all runs that are done, with a column `run`, in the order of runs.

        Args:
            name: `months`, `years`, `automaker_years` or `platform_years`.
            columns: those wanted; none: all. A few are read much faster.
        Raises:
            BadRequest: there is no such table, or the study kept the summary only.
        """
        table = self._panel_table(name, columns)
        frame = table.to_pandas().sort_values("run", kind="stable", ignore_index=True)
        frame.attrs["units"] = {column: PANELS[name][column].unit for column in frame.columns if column != "run"}
        frame.attrs["descriptions"] = {
            column: PANELS[name][column].description for column in frame.columns if column != "run"
        }
        return frame

    def _panel_table(self, name: str, columns: Sequence[str] | None) -> pyarrow.Table:
        """The shards of a table, one under the other, and what waits for a shard."""
        if name not in PANELS:
            raise BadRequest(f"table {name}: must be one of {', '.join(PANELS)}")
        with self._ledger() as ledger, ledger.snapshot():
            wanted = None if columns is None else ["run", *columns]
            parts = [shards.read_part(self._shards, part, wanted) for part in ledger.parts(name)]
            staged = ledger.staged_tables(name)
        if staged:
            table = shards.panel_table(staged)
            parts.append(table if wanted is None else table.select(wanted))
        if not parts:
            raise BadRequest(f"{self.path}: no table {name} was kept; sweep with --keep panel")
        return shards.together(parts)

    def paths(self, column: str) -> tuple[list[str], np.ndarray]:
        """One monthly column of all runs that are done: months, and values `[months, runs]`, nan where a run has none.

        Raises:
            BadRequest: there is no such column, or the study kept the summary only.
        """
        if column not in PANELS["months"] or column == "month":
            known = ", ".join(name for name in PANELS["months"] if name != "month")
            raise BadRequest(f"{column} is not kept by month; months have {known}")
        table = self._panel_table("months", ["month", column])
        return shards.paths_of(table, column)

    def failures(self) -> pd.DataFrame:
        """A row for each run that failed: its varied keys, error, attempts, and the command that repeats it."""
        with self._ledger() as ledger:
            failed: list[Failure] = ledger.failures()
        frame = self.design.table(pd.Series([failure.run for failure in failed], dtype="int64").to_numpy())
        frame["error"] = [failure.error for failure in failed]
        frame["attempts"] = [failure.attempts for failure in failed]
        frame["command"] = [self.design.command(failure.run) for failure in failed]
        return frame

    def damaged(self) -> list[int]:
        """Shards with a file that is missing or not as it was written."""
        with self._ledger() as ledger:
            parts = ledger.parts()
        return sorted({part.shard for part in parts if not shards.is_whole(self._shards, part)})

    @property
    def digest(self) -> str:
        """SHA-256 over the design and, in the order of runs, each run's number and the digest of what it gave."""
        digest = hashlib.sha256(str(self.about["design"]).encode())
        with self._ledger() as ledger:
            for run, failed, own in ledger.digests():
                digest.update(f"{run}:{'failed' if failed else ''}:".encode())
                digest.update(own)
        return digest.hexdigest()

    @contextlib.contextmanager
    def driving(self, simulate: str) -> Iterator[Driver]:
        """Write to the store; nobody else can meanwhile.

        Raises:
            BadRequest: somebody else does; or the store was made by another state of the model, or of the user's tables.
        """
        lock = Lock(self.path / LOCK)
        if not lock.take():
            raise BadRequest(
                f"{self.path}: another driver is at work on this store; `evsim status {self.path}` shows it"
            )
        try:
            self._check_same(simulate)
            with self._ledger() as ledger:
                yield Driver(self._shards, ledger, self.n_runs)
        finally:
            lock.free()

    def _check_same(self, simulate: str) -> None:
        """Refuse to mix runs of two models in one store."""
        here = {"model": model_digest(), "simulate": simulate, "tables": table_digests(self.design)}
        for name, value in here.items():
            if self.about[name] != value:
                what = {"model": "evsim", "simulate": "the simulation"}.get(name, "your market table")
                raise BadRequest(
                    f"{self.path}: {what} has changed since this store was made ({self.about[name]}, now {value}); its runs "
                    "would not belong together: start a new sweep"
                )

    @property
    def _shards(self) -> Path:
        return self.path / SHARDS

    @contextlib.contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        ledger = Ledger(self.path)
        try:
            yield ledger
        finally:
            ledger.close()

    def __repr__(self) -> str:
        counts = self.counts()
        return f"Store({str(self.path)!r}: {counts.done} of {self.n_runs} runs done, {counts.failed} failed)"

    def _repr_html_(self) -> str:
        """A store in a notebook: what is in it, and the mean outcomes it is about."""
        return f"<p>{html.escape(repr(self))}</p>{self.means().to_html(float_format='{:,.4g}'.format)}"

    def means(self) -> pd.DataFrame:
        """Mean of the outcomes that the study is about, over replications and draws, a row for each combination of levers."""
        results = self.results()
        levers = [axis.key for axis in self.design.axes if axis.values and axis.key in results]
        wanted = [name for name in self.design.request.outcomes if name in results]
        if not levers:
            return results[wanted].mean().to_frame("mean").T
        return results.groupby(levers, sort=False, dropna=False)[wanted].mean()


def read(path: str | os.PathLike[str]) -> Any:
    """What lies in a folder: the Store of a sweep, the Search of policies, or the Run of a simulation.

    Raises:
        BadRequest: a store of another version; StorageError: neither can be read there.
    """
    if (Path(path) / ABOUT).is_file():
        return Store.open(path)
    if (Path(path) / SEARCH).is_file():
        from .search import read_search

        return read_search(Path(path))
    from evsim.results import read as read_run

    return read_run(Path(path))


def latest_store(outputs: str | os.PathLike[str] = "outputs", design: Design | None = None) -> Path:
    """The folder of the store that was made last under `outputs`: of all, or of those of a design.

    Raises:
        BadRequest: there is none.
    """
    made = sorted(Path(outputs).glob(f"*/{ABOUT}"), key=lambda path: (path.stat().st_mtime_ns, path), reverse=True)
    for path in made:
        if design is None or Store.open(path.parent).about["design"] == design.digest:
            return path.parent
    of = "" if design is None else " of this design"
    raise BadRequest(
        f"no store{of} lies under {outputs}; `evsim sweep` or `evsim compare` makes one, or name its folder"
    )


def new_folder(out: Path, stem: str) -> Path:
    """Make the folder `stem-n`, n the first free number; two processes never get the same."""
    number = 1
    while True:
        folder = out / f"{stem}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            continue
        return folder


def _is_known(name: str) -> bool:
    """Whether an outcome is one of `OUTCOMES`; a stand-in for the model may have others."""
    try:
        describe(name)
    except BadRequest:
        return False
    return True


def _place(name: str) -> tuple[int, str]:
    """Where an outcome stands in a table: with the others of its kind, in the order of `OUTCOMES`, shares last."""
    order = [*OUTCOMES, *SHARES]
    stem = name.partition(".")[0]
    found = stem if stem in order else stem.rpartition("_")[0]
    return (order.index(found) if found in order else len(order), name)
