"""One task becomes one answer: what every engine runs, and how an answer travels.

An answer travels and is stored as bytes that depend on the run alone: its row as JSON with sorted keys, its tables as Arrow.
Its digest is over values, not over those bytes, so that another version of Arrow does not change it.
"""

import hashlib
import importlib
import json
import struct
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evsim.errors import EvsimError

LONGEST_ERROR = 500  # characters
Table = dict[str, np.ndarray]  # column -> values
LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Kept:
    """What is kept of one run: `row`, outcome -> number (None: not defined there), and tables by name."""

    row: dict[str, float | None]
    tables: dict[str, Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What all tasks of a study share.

    Attributes:
        simulate: "module:function", called with (mapping, seed, keep) and returning `Kept`; never read from a file.
        bases: composed scenarios as plain data.
        keep: `summary` or `panel`.
    """

    simulate: str
    bases: Sequence[Mapping[str, Any]]
    keep: str


@dataclass(frozen=True)
class Task:
    """One run: a base with some keys changed, and a seed.

    Attributes:
        attempt: counts from 1.
        past: if any, handed on as it is.
        kin: runs of equal kin begin alike, so that a process does the second of them sooner; decides nothing else.
    """

    run: int
    base: int
    changes: Mapping[str, Any]
    seed: int
    attempt: int = 1
    past: Mapping[str, Any] | None = None
    kin: int = 0


@dataclass(frozen=True)
class Answer:
    """What came of a task: an error, or a row (JSON) with its tables (Arrow) and the digest of both."""

    run: int
    attempt: int
    seconds: float
    error: str = ""
    digest: str = ""
    row: bytes = b""
    tables: Mapping[str, bytes] = field(default_factory=dict)


Simulate = Callable[..., Kept]  # of (mapping, seed, keep), and of `past` where runs share one


def resolve(name: str) -> Simulate:
    """The function of a "module:function"."""
    module, _, function = name.partition(":")
    found: Simulate = getattr(importlib.import_module(module), function)
    return found


def answer(job: Job, simulate: Simulate, task: Task) -> Answer:
    """Simulate one task; whatever it raises becomes the answer's error."""
    began = time.perf_counter()
    try:
        shared = {} if task.past is None else {"past": task.past}
        kept = simulate(merged(job.bases[task.base], task.changes), task.seed, job.keep, **shared)
        row = json.dumps(kept.row, sort_keys=True, allow_nan=False, ensure_ascii=False).encode()
        tables = {name: arrow_bytes(table) for name, table in sorted(kept.tables.items())}
        digest = run_digest(row, kept.tables)
    except Exception as error:
        return Answer(task.run, task.attempt, time.perf_counter() - began, error=told(error))
    return Answer(task.run, task.attempt, time.perf_counter() - began, "", digest, row, tables)


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A composed scenario with some dotted keys set; the base stays as it is."""
    result = dict(base)
    for key, value in changes.items():
        *sections, name = key.split(".")
        inside = result
        for section in sections:
            inside[section] = dict(inside[section])
            inside = inside[section]
        inside[name] = value
    return result


def told(error: Exception) -> str:
    """An error in one line: evsim's own as it is, another's with its kind and the place it came from."""
    message = " ".join(str(error).split())
    if not isinstance(error, EvsimError):
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
        message = f"{type(error).__name__}: {message}{place}" if message else f"{type(error).__name__}{place}"
    return message[:LONGEST_ERROR]


def run_digest(row: bytes, tables: Mapping[str, Table]) -> str:
    """SHA-256 over a row and the names and values of tables."""
    digest = hashlib.sha256(row)
    for name, table in sorted(tables.items()):
        for column, values in table.items():
            digest.update(f"\n{name}.{column}:{len(values)}\n".encode())
            digest.update(_canonical(values))
    return digest.hexdigest()


def _canonical(values: np.ndarray) -> bytes:
    """Values as bytes: text in UTF-8, numbers little-endian, one zero and one nan."""
    if values.dtype.kind in "OTU":
        return b"\x00".join(str(value).encode() for value in values)
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8").tobytes()
    return values.astype("<i8").tobytes()


def arrow_bytes(table: Table) -> bytes:
    """A table as an Arrow stream; nan becomes null."""
    import pyarrow

    arrays = [pyarrow.array(values, from_pandas=True) for values in table.values()]
    content = pyarrow.Table.from_arrays(arrays, names=list(table))
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, content.schema) as stream:
        stream.write_table(content)
    return sink.getvalue().to_pybytes()


def pack(given: Answer) -> bytes:
    """An answer as bytes; `unpack` gives it back."""
    parts = [given.row, *given.tables.values()]
    about = {
        "run": given.run,
        "attempt": given.attempt,
        "seconds": given.seconds,
        "error": given.error,
        "digest": given.digest,
        "tables": list(given.tables),
        "lengths": [len(part) for part in parts],
    }
    header = json.dumps(about).encode()
    return b"".join([LENGTH.pack(len(header)), header, *parts])


def unpack(data: bytes) -> Answer:
    """The answer that `pack` made into bytes."""
    (length,) = LENGTH.unpack_from(data)
    place = LENGTH.size + length
    about = json.loads(data[LENGTH.size : place])
    parts = []
    for length in about["lengths"]:
        parts.append(data[place : place + length])
        place += length
    tables = dict(zip(about["tables"], parts[1:], strict=True))
    return Answer(about["run"], about["attempt"], about["seconds"], about["error"], about["digest"], parts[0], tables)
