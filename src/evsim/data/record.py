"""What happened: single published facts to draw beside results and to score them by, never to fit.

Rows after the base date of a run are outcomes. `level` says what the entity is: the market, a maker as CPCA counts it
(BYD with all its brands, Geely with Galaxy, Lynk & Co and Zeekr), a brand, a product, or the alliance.
"""

from pathlib import Path

import pandas as pd

from evsim.data.columns import MONTH, Column, check_unique
from evsim.data.market import CONFIDENCES
from evsim.data.shipped import read_shipped
from evsim.errors import BadRequest

LEVELS = ("market", "alliance", "maker", "brand", "product")
LAST_RECORDED = "2025-12"

RECORD_COLUMNS = (
    Column("period", "text", "a year or a month (YYYY or YYYY-MM)"),
    Column("level", "choice", "what the entity is", allowed=LEVELS),
    Column("entity", "text", "whom it is about; a product by its key"),
    Column("measure", "text", "what was counted"),
    Column("value", "number", "the figure", at_least=0.0),
    Column("unit", "text", "its unit"),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("note", "text", "scope", blank=True),
)


def read_record() -> pd.DataFrame:
    """The observed record, one fact a row."""
    return read_shipped("record.csv", RECORD_COLUMNS, check_facts)


def check_facts(path: Path, record: pd.DataFrame, lines: list[int]) -> None:
    """Refuse a period that is none or lies after the record's end, and a fact given twice."""
    for period, line in zip(record["period"], lines, strict=True):
        month = period if len(period) == 7 else f"{period}-12"
        if not MONTH.fullmatch(month) or month > LAST_RECORDED:
            raise BadRequest(
                f"{path} line {line}, column 'period': '{period}' must be a year or month up to {LAST_RECORDED}"
            )
    check_unique("period", "level", "entity", "measure")(path, record, lines)
