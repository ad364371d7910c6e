"""What a table may hold, said once: a checker reads it, `explain` prints it.

A table is a CSV file: UTF-8 (with or without a byte-order mark), comma-separated, a header, one row a line.
`read_table` parses every cell against its `Column` and stops at the first fault with one line that names file, line,
column, value, what is allowed and what to do.
"""

import csv
import difflib
import io
import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evsim.errors import BadRequest, StorageError

MONTH = re.compile(r"(19|20)\d\d-(0[1-9]|1[0-2])", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
TableCheck = Callable[[Path, pd.DataFrame, list[int]], None]  # path, the whole table, the line of each row


@dataclass(frozen=True)
class Column:
    """One column of a table.

    `kind` is text, choice, number, integer, month (YYYY-MM) or flag (0 or 1). A column that is not `required` may be
    missing and takes `default`; a cell without default may be empty only if `blank` says so (text stays empty, a number
    becomes nan).
    """

    name: str
    kind: str
    meaning: str
    unit: str = ""
    required: bool = True
    default: str = ""
    blank: bool = False
    allowed: tuple[str, ...] = ()
    above: float = -math.inf
    at_least: float = -math.inf
    at_most: float = math.inf

    def limits(self) -> str:
        """What a cell may hold, in words."""
        if self.kind == "choice":
            words = "one of " + ", ".join(self.allowed)
        elif self.kind == "month":
            words = "a month such as 2023-12"
        elif self.kind == "flag":
            words = "0 or 1"
        elif self.kind in ("number", "integer"):
            words = "a whole number" if self.kind == "integer" else "a number"
            if self.above > -math.inf:
                words += f" above {self.above:g}"
            if self.at_least > -math.inf:
                words += f" of at least {self.at_least:g}"
            if self.at_most < math.inf:
                words += f" of at most {self.at_most:g}"
        else:
            words = "a text"
        return words + (" or nothing" if self.blank else "")

    def parse(self, cell: str):
        """The cell's value; ValueError where it is none of `limits`."""
        if cell == "":
            if not self.blank:
                raise ValueError(cell)
            return math.nan if self.kind in ("number", "integer") else ""
        if self.kind in ("number", "integer"):
            return self._number(cell)
        if self.kind == "flag":
            return ("0", "1").index(cell) == 1
        if (self.kind == "choice" and cell not in self.allowed) or (self.kind == "month" and not MONTH.fullmatch(cell)):
            raise ValueError(cell)
        return cell

    def _number(self, cell: str) -> float | int:
        if not NUMBER.fullmatch(cell):
            raise ValueError(cell)
        value = float(cell)
        whole = self.kind != "integer" or value == int(value)
        if not (math.isfinite(value) and whole and self.above < value and self.at_least <= value <= self.at_most):
            raise ValueError(cell)
        return int(value) if self.kind == "integer" and not self.blank else value


def nearest(word: str, choices: Sequence[str]) -> str:
    """The choice spelled most like the word, as a question to the reader, or nothing."""
    spelled = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return f"; did you mean '{spelled[found[0]]}'?" if found else ""


def read_bytes(path: Path) -> bytes:
    """The file as it is; a request for a file that is not there is refused."""
    if not os.path.exists(path):  # unlike Path.exists, False for a name too long or forbidden
        raise BadRequest(f"{path}: no such file; give the path of a CSV file")
    if path.is_dir():
        raise BadRequest(f"{path}: is a folder; give the path of a CSV file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


def read_text(path: Path) -> str:
    """The file's text; a request for a file that is not there, or no UTF-8, is refused."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path}: not a UTF-8 text file (byte {error.start}); save it as CSV UTF-8") from error


def read_lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows of a CSV file, each row with the number of its first line; blank lines are passed over."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((start, [cell.strip() for cell in cells]))
            start = reader.line_num + 1
    except csv.Error as error:
        raise BadRequest(f"{path} line {start}: not readable as CSV ({error}); check quotes and commas") from error
    if not rows:
        raise BadRequest(f"{path}: the file is empty; give a header and at least one row")
    header = rows[0][1]
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            raise BadRequest(
                f"{path} line {line}: {len(cells)} cells where the header has {len(header)}; "
                "put quotes around a text with a comma and end every row alike"
            )
    return header, rows[1:]


def check_header(path: Path, header: list[str], columns: Sequence[Column]) -> None:
    """Refuse a header with a column twice, a required one missing, or an optional one misspelled."""
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise BadRequest(f"{path}: one column found ('{header[0][:40]}…'); separate the cells with commas")
    known = [column.name for column in columns]
    for name in header:
        if header.count(name) > 1:
            raise BadRequest(f"{path}: column '{name}' appears {header.count(name)} times; keep one")
    strangers = [name for name in header if name not in known]
    for column in columns:
        if column.required and column.name not in header:
            close = difflib.get_close_matches(column.name, strangers, n=1, cutoff=0.5)
            hint = f"; rename '{close[0]}'" if close else "; add it"
            raise BadRequest(
                f"{path}: column '{column.name}' ({column.meaning}) is missing{hint}; found: {', '.join(header)}"
            )
    for name in strangers:
        close = difflib.get_close_matches(
            name.lower(), [known_name for known_name in known if known_name not in header], 1, 0.8
        )
        if close:
            raise BadRequest(f"{path}: column '{name}' is unknown; did you mean '{close[0]}'?")


def read_table(path: Path, columns: Sequence[Column], check: TableCheck | None = None) -> pd.DataFrame:
    """A CSV file as a checked frame with exactly these columns; `check` sees it whole, with the line of each row.

    Raises:
        BadRequest: the first fault, in one line.
        StorageError: the file is there and cannot be read.
    """
    header, rows = read_lines(path)
    check_header(path, header, columns)
    if not rows:
        raise BadRequest(f"{path}: a header and no row; give at least one row")
    data = {column.name: read_column(path, column, header, rows) for column in columns}
    frame = pd.DataFrame(data)
    if check is not None:
        check(path, frame, [line for line, _ in rows])
    return frame


def read_column(path: Path, column: Column, header: list[str], rows: list[tuple[int, list[str]]]) -> list:
    """One column's values, in the order of the rows."""
    if column.name not in header:
        return [column.parse(column.default)] * len(rows)
    place = header.index(column.name)
    values = []
    for line, cells in rows:
        cell = cells[place]
        try:
            values.append(column.parse(cell if cell or column.blank else column.default))
        except ValueError as error:
            shown = f"'{cell}'" if cell else "empty"
            hint = nearest(cell, column.allowed) if column.kind == "choice" else ""
            rule = f"must be {column.limits()} ({column.meaning}){hint}"
            raise BadRequest(f"{path} line {line}, column '{column.name}': {shown} {rule}") from error
    return values


def check_unique(*names: str) -> TableCheck:
    """A check that refuses two rows alike in these columns."""

    def check(path: Path, table: pd.DataFrame, lines: list[int]) -> None:
        seen: dict[tuple, int] = {}
        for key, line in zip(zip(*(table[name] for name in names), strict=True), lines, strict=True):
            if key in seen:
                shown = ", ".join(f"'{part}'" for part in key)
                raise BadRequest(
                    f"{path} line {line}, column '{names[0]}': {shown} is already on line {seen[key]}; keep one"
                )
            seen[key] = line

    return check


def describe(columns: Sequence[Column]) -> str:
    """The columns as a text table: name, unit, whether it must be there, what is allowed, meaning."""
    lines = []
    for column in columns:
        need = "required" if column.required else f"optional, default {column.default or 'empty'}"
        unit = f", {column.unit}" if column.unit else ""
        lines.append(f"{column.name} ({need}{unit}): {column.meaning}; {column.limits()}")
    return "\n".join(lines)
