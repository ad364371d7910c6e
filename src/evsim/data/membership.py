"""Who uses which software stack, in which mode, from when to when.

A record of scope `brand` holds for every product of the brand, one of scope `line` for the named products only and
goes before it, one of scope `parts` says what is bought beside the brand's own stack and changes no product's
platform. A blank `start` means no customer car by 2025-12, a blank `end` still so then.
"""

from itertools import pairwise
from pathlib import Path

import pandas as pd

from evsim.data.columns import Column
from evsim.data.market import CONFIDENCES
from evsim.data.shipped import read_shipped
from evsim.errors import BadRequest

SCOPES = ("brand", "line", "parts")
MODES = ("hardware_only", "components", "inside", "alliance", "in_house", "supplier")

MEMBERSHIP_COLUMNS = (
    Column("brand", "text", "the brand"),
    Column("scope", "choice", "what of the brand the record covers", allowed=SCOPES),
    Column("line", "text", "the lines meant, in words", blank=True),
    Column("products", "text", "their keys in the market tables and the launches, separated by ';'", blank=True),
    Column("automaker", "text", "the firm that holds the contract; two separated by ';'"),
    Column("stack", "text", "the software stack, as `platform` in the market tables"),
    Column("mode", "choice", "the kind of contract", allowed=MODES),
    Column("start", "month", "first month with customer cars", blank=True),
    Column("end", "month", "last month", blank=True),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("note", "text", "what to know about the record", blank=True),
)


def read_membership() -> pd.DataFrame:
    """The timeline of memberships, one row a record."""
    return read_shipped("membership.csv", MEMBERSHIP_COLUMNS, check_overlaps)


def check_overlaps(path: Path, records: pd.DataFrame, lines: list[int]) -> None:
    """Refuse two records of one brand, or of one product, in force in the same month, and an end before its start."""
    spans: dict[tuple[str, str], list[tuple[str, str, int]]] = {}
    for record, line in zip(records.to_dict("records"), lines, strict=True):
        start, end = record["start"], record["end"]
        if end and end < start:
            raise BadRequest(
                f"{path} line {line}, column 'end': '{end}' is before the start, '{start}'; exchange the two"
            )
        if record["scope"] == "parts" or not start:
            continue
        products = [""] if record["scope"] == "brand" else [key for key in record["products"].split(";") if key]
        for product in products:
            spans.setdefault((record["brand"], product), []).append((start, end or "9999-12", line))
    for (brand, product), entries in spans.items():
        for (_, end, earlier), (start, _, later) in pairwise(sorted(entries)):
            if start <= end:
                whom = f"product '{product}' of {brand}" if product else f"brand '{brand}'"
                raise BadRequest(
                    f"{path} lines {earlier} and {later}: {whom} has two modes in {start}; end one before the other"
                )


def membership_at(month: str) -> pd.DataFrame:
    """The records in force in a month (YYYY-MM)."""
    records = read_membership()
    started = (records["start"] != "") & (records["start"] <= month)
    return records[started & ((records["end"] == "") | (records["end"] >= month))].reset_index(drop=True)
