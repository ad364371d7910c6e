"""The writer of a store, while its lock is held: results wait in the ledger until they fill a shard."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from evsim.files import storage_trouble

from . import shards
from .engines.work import Answer
from .ledger import Counts, Ledger

SHARD_RUNS = 1_000  # that fill a shard …
SHARD_BYTES = 32_000_000  # … or this much


class Driver:
    """The writer of a store, while `Store.driving` holds its lock."""

    def __init__(self, folder: Path, ledger: Ledger, n_runs: int) -> None:
        self._folder, self._ledger, self.n_runs = folder, ledger, n_runs
        self.repeated = self._strike_out_damage()
        staged = ledger.staged()
        self._staged_runs, self._staged_bytes = len(staged), 0

    def missing(self, runs: Iterable[int] | None = None) -> Iterator[int]:
        """Runs that are not entered: all, or those of some."""
        entered = self._ledger.entered(self.n_runs)
        return (run for run in (range(self.n_runs) if runs is None else runs) if not entered[run])

    def forget_failures(self) -> int:
        """Have failed runs count as missing; returns how many there were."""
        return self._ledger.forget_failures()

    def acknowledge(self, answers: Sequence[Answer]) -> None:
        """Keep answers; when this returns they are on the disk."""
        self._ledger.acknowledge(answers)
        for given in answers:
            self._staged_runs += not given.error
            self._staged_bytes += len(given.row) + sum(map(len, given.tables.values()))
        if self._staged_runs >= SHARD_RUNS or self._staged_bytes >= SHARD_BYTES:
            self.seal()

    def seal(self) -> None:
        """Move what waits in the ledger into a shard; its files are on the disk before the ledger names them."""
        rows = self._ledger.staged()
        if rows:
            shard = self._ledger.next_shard()
            parts = [shards.write_part(self._folder, shard, shards.ROWS, shards.rows_table(rows))]
            for name in self._ledger.staged_names():
                table = shards.panel_table(self._ledger.staged_tables(name))
                parts.append(shards.write_part(self._folder, shard, name, table))
            shards.sync_folder(self._folder)
            self._ledger.sealed(parts, [run for run, _ in rows])
            self._staged_runs = self._staged_bytes = 0

    def finish(self) -> None:
        """Seal what waits, and leave no larger a ledger than is needed."""
        self.seal()
        self._ledger.tidy()

    def counts(self) -> Counts:
        """How many runs are done and how many failed."""
        return self._ledger.counts()

    def _strike_out_damage(self) -> int:
        """Forget shards that are not whole, and files that no shard has; returns how many runs are to be repeated."""
        parts = self._ledger.parts()
        torn = sorted({part.shard for part in parts if not shards.is_whole(self._folder, part)})
        repeated = sum(self._ledger.forget_shard(shard) for shard in torn)
        known = {part.file for part in parts if part.shard not in torn}
        with storage_trouble(f"cannot write in {self._folder}"):
            for path in self._folder.iterdir():
                if path.name not in known:
                    path.unlink()
        return repeated
