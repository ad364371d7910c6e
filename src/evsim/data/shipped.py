"""The files that come with the package, and their digests."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from evsim.data.columns import Column, TableCheck, read_table

FOLDER = Path(__file__).parent
_KNOWN: dict[Path, pd.DataFrame] = {}


def shipped_path(name: str) -> Path:
    """Where a shipped file lies."""
    return FOLDER / name


def read_shipped(name: str, columns: Sequence[Column], check: TableCheck | None = None) -> pd.DataFrame:
    """A shipped table, read and checked once like any other; everybody has a copy."""
    path = shipped_path(name)
    if path not in _KNOWN:
        _KNOWN[path] = read_table(path, columns, check)
    return _KNOWN[path].copy()


def data_digests() -> dict[str, str]:
    """SHA-256 of every shipped table, by file name, in the order of the names."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(FOLDER.glob("*.csv"))}
