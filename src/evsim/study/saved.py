"""A design on disk: `design.json` says what was asked and composed, `design.parquet` has a row a run.

Both are written before the first run and never again. The model that makes the runs is named by a digest of its sources and
data: runs of two states of the model do not belong into one store.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evsim.data.market import SHIPPED_TABLES
from evsim.errors import StorageError
from evsim.files import storage_trouble, write_whole

from .axes import Axis
from .design import Base, Design
from .request import Plan, Request

ABOUT, TABLE = "design.json", "design.parquet"
PACKAGE = Path(__file__).parents[1]
NO_MODEL = ("cli", "report", "study", "words")  # parts of the package that change no result …
MODEL_TOO = "study/outcomes.py"  # … but for this one, which says what is kept
TABLE_ROWS = 1_000_000  # of the design written at a time


def save_design(folder: Path, design: Design) -> None:
    """Write both files of a design.

    Raises:
        StorageError: the folder cannot be written.
    """
    request = design.request
    about = {
        "name": request.name,
        "question": request.question,
        "fixed": dict(request.fixed),
        "outcomes": dict(request.outcomes),
        "plan": vars(request.plan),
        "config_dir": request.config_dir,
        "axes": [vars(axis) for axis in design.axes],
        "bases": [{"groups": dict(base.groups), "mapping": dict(base.mapping)} for base in design.bases],
        "seeds": [design.seeds.start, design.seeds.stop] if isinstance(design.seeds, range) else None,
        "listed_seeds": None if isinstance(design.seeds, range) else list(design.seeds),
        "n_points": design.n_points,
        "digest": design.digest,
    }
    write_whole(folder / ABOUT, json.dumps(about, indent=1, ensure_ascii=False).encode())
    write_whole(folder / TABLE, _table_writer(design))


def load_design(folder: Path) -> Design:
    """The design that `save_design` wrote.

    Raises:
        StorageError: a file is missing or damaged.
    """
    import pyarrow.parquet

    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        seeds = range(*about["seeds"]) if about["seeds"] else tuple(about["listed_seeds"])
        axes = tuple(Axis(**(axis | {"values": tuple(axis["values"])})) for axis in about["axes"])
        request = Request(
            about["name"], about["question"], about["fixed"], {}, {}, about["outcomes"], Plan(**about["plan"]),
            about["config_dir"],
        )  # fmt: skip
        table = pyarrow.parquet.read_table(folder / TABLE, filters=[("replication", "=", 0)]).to_pandas()
        names = ["base", *(axis.key for axis in axes), *(["sample"] if "sample" in table else [])]
        kinds = {axis.key: axis for axis in axes}
        points = {name: _column(table[name], kinds.get(name)) for name in names}
        order = [name for name in table.columns if name in points]
        design = Design(
            request, axes, tuple(Base(base["groups"], base["mapping"]) for base in about["bases"]),
            {name: points[name] for name in order}, seeds,
        )  # fmt: skip
        intact = design.digest == about["digest"]
    except (OSError, KeyError, TypeError, ValueError) as error:  # pyarrow's errors are OSErrors or ValueErrors
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise StorageError(f"{folder}: the design cannot be read ({reason})") from error
    if not intact:
        raise StorageError(f"{folder}: the design is not the one that was written; it has been changed or damaged")
    return design


def table_digests(design: Design) -> dict[str, str]:
    """SHA-256 of the market tables of one's own that a design reads, by path.

    Raises:
        StorageError: one cannot be read.
    """
    names = {str(base.mapping["market"]["table"]) for base in design.bases}
    if "market.table" in design.points:
        names = {str(name) for name in design.points["market.table"]}
    digests = {}
    for name in sorted(names - set(SHIPPED_TABLES)):
        with storage_trouble(f"cannot read {name}"):
            digests[name] = hashlib.sha256(Path(name).expanduser().read_bytes()).hexdigest()
    return digests


@cache
def model_digest() -> str:
    """SHA-256, first 16 digits, over the version, the sources and the data that decide what a run gives."""
    digest = hashlib.sha256(version("evsim").encode())
    for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.csv"))):
        name = path.relative_to(PACKAGE).as_posix()
        if name == MODEL_TOO or name.split("/")[0].removesuffix(".py") not in NO_MODEL:
            digest.update(f"\n{name}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _table_writer(design: Design) -> Callable[[Any], object]:
    """A function that writes the design's table to an open file, some rows at a time."""
    import pyarrow
    import pyarrow.parquet

    def rows(first: int) -> pyarrow.Table:
        runs = np.arange(first, min(first + TABLE_ROWS, design.n_runs))
        frame = design.table(runs)
        frame.insert(2, "replication", runs % len(design.seeds))
        frame.insert(3, "base", design.points["base"][frame["point"]])
        return pyarrow.Table.from_pandas(frame, preserve_index=False)

    def write(file: Any) -> None:
        first = rows(0)
        with pyarrow.parquet.ParquetWriter(file, first.schema) as writer:
            writer.write_table(first)
            for start in range(TABLE_ROWS, design.n_runs, TABLE_ROWS):
                writer.write_table(rows(start).cast(first.schema))

    return write


def _column(values: pd.Series, axis: Axis | None) -> np.ndarray:
    """A column of points as `Axis.column` had made it."""
    if axis is None:
        return values.to_numpy(dtype="int64")
    if axis.kind == "a number":
        return values.to_numpy(dtype="float64")
    cells = [None if pd.isna(cell) else cell for cell in values.tolist()]
    kinds: Mapping[str, str] = {"a whole number": "int64", "true or false": "bool"}
    if axis.kind == "a whole number" and None in cells:
        cells = [None if cell is None else int(cell) for cell in cells]  # pandas made numbers of them
    return np.array(cells, dtype=object if None in cells else kinds.get(axis.kind, object))
