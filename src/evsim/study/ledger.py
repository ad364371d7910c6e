"""The ledger of a store: which runs are done, which failed and why, and where their results are.

SQLite in write-ahead mode, every commit on the disk before it counts (synchronous=FULL). A run is acknowledged by the
transaction that enters it together with its row and tables, which wait here (`staged`) until there are enough for a shard.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from evsim.errors import StorageError

from .engines.work import Answer

NAME = "ledger.sqlite"
BUSY_SECONDS = 30.0  # that a reader waits for the writer, or the reverse
TABLES = """
CREATE TABLE runs (run INTEGER PRIMARY KEY, failed INTEGER NOT NULL, attempts INTEGER NOT NULL, seconds REAL NOT NULL,
    error TEXT NOT NULL, digest BLOB NOT NULL, shard INTEGER);
CREATE TABLE shards (shard INTEGER, part TEXT, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (shard, part));
CREATE TABLE staged (run INTEGER PRIMARY KEY, row BLOB NOT NULL);
CREATE TABLE staged_tables (run INTEGER, name TEXT, content BLOB NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO numbers VALUES ('next_shard', 0);
"""


@dataclass(frozen=True)
class Part:
    """A file of a shard: the rows (`rows`), or a table by its name."""

    shard: int
    part: str
    bytes: int
    sha256: str

    @property
    def file(self) -> str:
        """Its name in the folder of shards."""
        return f"{self.shard:06d}.{self.part}.parquet"


@dataclass(frozen=True)
class Failure:
    """A run that failed, and why."""

    run: int
    attempts: int
    seconds: float
    error: str


@dataclass(frozen=True)
class Counts:
    """How many runs are entered, and the seconds they took together."""

    done: int
    failed: int
    seconds: float

    @property
    def entered(self) -> int:
        """Done or failed."""
        return self.done + self.failed


class Ledger:
    """The ledger, open. Only a driver, which holds the store's lock, may call what writes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        if not self.path.is_file():
            raise StorageError(f"{self.path} is missing; the store cannot be read without it")
        with self._trouble():
            self._connection = _connect(self.path)

    @staticmethod
    def create(folder: Path) -> None:
        """Make an empty ledger."""
        with _trouble(folder / NAME), contextlib.closing(sqlite3.connect(folder / NAME)) as connection:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(f"BEGIN;{TABLES}COMMIT;")

    def close(self) -> None:
        """Close it."""
        with self._trouble():
            self._connection.close()

    def acknowledge(self, answers: Sequence[Answer]) -> None:
        """Enter answers in one transaction; when this returns they are on the disk."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, NULL)",
                [
                    (
                        given.run,
                        bool(given.error),
                        given.attempt,
                        given.seconds,
                        given.error,
                        bytes.fromhex(given.digest),
                    )
                    for given in answers
                ],
            )
            done = [given for given in answers if not given.error]
            connection.executemany("INSERT INTO staged VALUES (?, ?)", [(given.run, given.row) for given in done])
            connection.executemany(
                "INSERT INTO staged_tables VALUES (?, ?, ?)",
                [(given.run, name, content) for given in done for name, content in given.tables.items()],
            )

    def next_shard(self) -> int:
        """The number of the next shard; none is ever used twice."""
        with self._writing() as connection:
            connection.execute("UPDATE numbers SET value = value + 1 WHERE name = 'next_shard'")
            return int(connection.execute("SELECT value FROM numbers WHERE name = 'next_shard'").fetchone()[0])

    def sealed(self, parts: Sequence[Part], runs: Sequence[int]) -> None:
        """Enter a shard, whose files are on the disk, in place of what was staged for its runs."""
        with self._writing() as connection:
            connection.executemany(
                "INSERT INTO shards VALUES (?, ?, ?, ?)",
                [(part.shard, part.part, part.bytes, part.sha256) for part in parts],
            )
            numbers = [(run,) for run in runs]
            connection.executemany(f"UPDATE runs SET shard = {int(parts[0].shard)} WHERE run = ?", numbers)
            connection.executemany("DELETE FROM staged WHERE run = ?", numbers)
            connection.executemany("DELETE FROM staged_tables WHERE run = ?", numbers)

    def forget_shard(self, shard: int) -> int:
        """Strike out a shard and its runs, so that they are run again; returns how many."""
        with self._writing() as connection:
            connection.execute("DELETE FROM shards WHERE shard = ?", (shard,))
            return connection.execute("DELETE FROM runs WHERE shard = ?", (shard,)).rowcount

    def forget_failures(self) -> int:
        """Strike out the runs that failed, so that they are run again; returns how many."""
        with self._writing() as connection:
            return connection.execute("DELETE FROM runs WHERE failed").rowcount

    def tidy(self) -> None:
        """Give the room of what is no longer staged back to the file system."""
        with self._trouble():
            self._connection.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """One state of the ledger for all that is read inside, whoever writes meanwhile."""
        with self._trouble():
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.rollback()

    def counts(self) -> Counts:
        """How many runs are entered."""
        (row,) = self._select("SELECT COUNT(*), COALESCE(SUM(failed), 0), COALESCE(SUM(seconds), 0.0) FROM runs")
        return Counts(row[0] - row[1], row[1], row[2])

    def entered(self, n_runs: int) -> bytearray:
        """For each run whether it is entered, done or failed."""
        found = bytearray(n_runs)
        for (run,) in self._select("SELECT run FROM runs"):
            found[run] = 1
        return found

    def failures(self) -> list[Failure]:
        """The runs that failed, in their order."""
        rows = self._select("SELECT run, attempts, seconds, error FROM runs WHERE failed ORDER BY run")
        return [Failure(*row) for row in rows]

    def digests(self) -> Iterator[tuple[int, bool, bytes]]:
        """Run, whether it failed, and its digest, in the order of runs."""
        return (
            (row[0], bool(row[1]), row[2]) for row in self._select("SELECT run, failed, digest FROM runs ORDER BY run")
        )

    def parts(self, part: str | None = None) -> list[Part]:
        """The files of shards: all, or those of one table."""
        rows = self._select("SELECT shard, part, bytes, sha256 FROM shards ORDER BY shard, part")
        return [Part(*row) for row in rows if part is None or row[1] == part]

    def staged(self) -> list[tuple[int, dict[str, float | None]]]:
        """Rows that wait for a shard, by run."""
        return [(row[0], json.loads(row[1])) for row in self._select("SELECT run, row FROM staged ORDER BY run")]

    def staged_tables(self, name: str) -> list[tuple[int, bytes]]:
        """One table of the runs that wait for a shard."""
        return self._select("SELECT run, content FROM staged_tables WHERE name = ? ORDER BY run", (name,))

    def staged_names(self) -> list[str]:
        """Names of the tables that wait for a shard."""
        return [row[0] for row in self._select("SELECT DISTINCT name FROM staged_tables ORDER BY name")]

    def _select(self, query: str, values: tuple = ()) -> list[tuple]:
        with self._trouble():
            return self._connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it, on the disk, or nothing."""
        with self._trouble(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    def _trouble(self) -> contextlib.AbstractContextManager[None]:
        return _trouble(self.path)


def _connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on the disk when they return; transactions are begun by hand."""
    place = str(path)
    if not os.access(path.parent, os.W_OK):  # nobody writes there, and SQLite cannot make its files beside the ledger
        place = f"{path.absolute().as_uri()}?immutable=1"
    connection = sqlite3.connect(place, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True)
    connection.execute("PRAGMA synchronous=FULL")
    return connection


@contextlib.contextmanager
def _trouble(path: Path) -> Iterator[None]:
    """SQLite's refusals as one line.

    Raises:
        StorageError: in place of an sqlite3.Error.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(f"cannot use {path}: {error}") from error


class Lock:
    """A store's lock, held by one driver at a time, freed by the system when its process ends.

    An SQLite file that is locked whole: the same on every system, and no file is left that somebody must remove.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def take(self) -> bool:
        """Hold the lock; False when somebody else does."""
        with _trouble(self._path):
            connection = sqlite3.connect(self._path, timeout=1.0, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                connection.close()
                if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                    return False
                raise
        self._connection = connection
        return True

    def free(self) -> None:
        """Let others have it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def is_taken(self) -> bool:
        """Whether a driver holds it."""
        if not self._path.is_file():
            return False
        with _trouble(self._path), contextlib.closing(sqlite3.connect(self._path, timeout=0.0)) as connection:
            try:
                connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                    return True
                raise
        return False
