"""Results of many runs as Parquet: rows of outcomes, and the tables of a panel with a column `run` in front.

A shard's files are written once, whole, and never changed. Every outcome is an 8-byte number or null; a shard has the outcomes
that its runs have, and a reader puts shards with different ones together.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from evsim.errors import StorageError
from evsim.files import storage_trouble, write_whole

from .ledger import Part

ROWS = "rows"  # the part with the outcomes; other parts are tables, by name
Row = Mapping[str, float | None]


def write_part(folder: Path, shard: int, name: str, content: pyarrow.Table) -> Part:
    """Write one file of a shard.

    Raises:
        StorageError: it cannot be written; nothing is left under its name.
    """
    data = parquet_bytes(content)
    part = Part(shard, name, len(data), hashlib.sha256(data).hexdigest())
    write_whole(folder / part.file, data)
    return part


def read_part(folder: Path, part: Part, columns: Sequence[str] | None = None) -> pyarrow.Table:
    """One file of a shard: all of it, its content checked against the ledger, or some columns of it.

    Raises:
        StorageError: it is missing, or not the file that was written.
    """
    path = folder / part.file
    with storage_trouble(f"cannot read {path}"):
        if columns is None:
            data = path.read_bytes()
            good = hashlib.sha256(data).hexdigest() == part.sha256
        else:
            good = path.stat().st_size == part.bytes
    if not good:
        raise StorageError(f"{path} is damaged; `evsim sweep --resume {folder.parent}` repeats its runs")
    if columns is None:
        return pyarrow.parquet.read_table(pyarrow.BufferReader(data))
    known = pyarrow.parquet.read_schema(path).names
    return pyarrow.parquet.read_table(path, columns=[name for name in columns if name in known])


def is_whole(folder: Path, part: Part) -> bool:
    """Whether a file is there with the content it was written with."""
    path = folder / part.file
    try:
        return path.stat().st_size == part.bytes and _sha256(path) == part.sha256
    except FileNotFoundError:
        return False


def rows_table(rows: Sequence[tuple[int, Row]]) -> pyarrow.Table:
    """Rows of outcomes, (run, outcome -> number), as a table in the order given; a name that a run lacks is null."""
    names = sorted({name for _, row in rows for name in row})
    columns = {"run": pyarrow.array([run for run, _ in rows], pyarrow.int64())}
    columns |= {name: pyarrow.array([_float(row.get(name)) for _, row in rows], pyarrow.float64()) for name in names}
    return pyarrow.table(columns)


def panel_table(tables: Sequence[tuple[int, bytes]]) -> pyarrow.Table:
    """One table of many runs, each as an Arrow stream, as one table with a column `run` in front."""
    parts = []
    for run, data in tables:
        with pyarrow.ipc.open_stream(data) as stream:
            table = stream.read_all()
        parts.append(table.add_column(0, "run", pyarrow.array(np.full(table.num_rows, run, dtype="int64"))))
    return together(parts)


def paths_of(table: pyarrow.Table, column: str) -> tuple[list[str], np.ndarray]:
    """Months in order, and a column's values by month and run, `[months, runs]`, of a table with a row a run and month."""
    run, coded = table["run"].to_numpy(), table["month"].combine_chunks().dictionary_encode()
    months = coded.dictionary.to_pylist()
    place = np.argsort(np.argsort(months))
    present = np.bincount(run) > 0
    values = np.full((len(months), int(present.sum())), np.nan)
    values[place[coded.indices.to_numpy()], (np.cumsum(present) - 1)[run]] = table[column].to_numpy()
    return sorted(months), values


def together(tables: Sequence[pyarrow.Table]) -> pyarrow.Table:
    """Tables under each other; a column that one lacks is null there."""
    return pyarrow.concat_tables(tables, promote_options="permissive")


def parquet_bytes(content: pyarrow.Table) -> bytes:
    """A table as Parquet."""
    buffer = BytesIO()
    pyarrow.parquet.write_table(content, buffer, compression="zstd")
    return buffer.getvalue()


def sync_folder(folder: Path) -> None:
    """Have the names of new files on the disk, too, where the system can promise that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with storage_trouble(f"cannot write in {folder}"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
