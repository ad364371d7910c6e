"""Purchase instruments of the state, 2018 to 2027, each with its dates.

Kinds: `per_unit` pays `amount` a car; `ad_valorem` pays `rate` of the price, at most `cap`; `purchase_tax` is charged
at `rate` of the price before VAT; `tax_relief` waives the share `rate` of that tax, at most `cap`. A car is eligible
from `range_min` up to below `range_max` km of electric range and up to `price_ceiling`; `requires` names what the
buyer must hand in. Instruments that change within a month do so at its start, or from the 16th on at the start of the
next.
"""

from itertools import combinations
from pathlib import Path

import pandas as pd

from evsim.data.columns import Column
from evsim.data.market import CONFIDENCES, POWERTRAINS
from evsim.data.shipped import read_shipped
from evsim.errors import BadRequest

POLICY_KINDS = ("per_unit", "ad_valorem", "purchase_tax", "tax_relief")

POLICY_COLUMNS = (
    Column("instrument", "text", "name"),
    Column("kind", "choice", "what the state does", allowed=POLICY_KINDS),
    Column("powertrains", "text", "cars it is for, separated by ';'"),
    Column("start", "month", "first month in force"),
    Column("end", "month", "last month in force; empty: open", blank=True),
    Column("range_min", "number", "least electric range", unit="km", blank=True, at_least=0.0),
    Column("range_max", "number", "electric range below which it holds", unit="km", blank=True, above=0.0),
    Column("condition", "text", "conditions in words", blank=True),
    Column("amount", "number", "paid a car", unit="kCNY", blank=True, above=0.0),
    Column("rate", "number", "share of price or tax", unit="fraction", blank=True, above=0.0, at_most=1.0),
    Column("cap", "number", "most a buyer gets", unit="kCNY", blank=True, above=0.0),
    Column("price_ceiling", "number", "dearest car eligible", unit="kCNY", blank=True, above=0.0),
    Column("requires", "choice", "what the buyer hands in", blank=True, allowed=("scrappage", "trade_in")),
    Column("announced", "month", "month it became known", blank=True),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("note", "text", "what to know about the row", blank=True),
)


def read_policy() -> pd.DataFrame:
    """Every instrument, one row a target and span of time."""
    return read_shipped("policy.csv", POLICY_COLUMNS, check_instruments)


def check_instruments(path: Path, policy: pd.DataFrame, lines: list[int]) -> None:
    """Refuse an amount or rate unlike the kind, an unknown powertrain, and spans of one target that overlap."""
    rows = policy.to_dict("records")
    for row, line in zip(rows, lines, strict=True):
        needed, other = ("amount", "rate") if row["kind"] == "per_unit" else ("rate", "amount")
        strangers = set(row["powertrains"].split(";")) - set(POWERTRAINS)
        if pd.isna(row[needed]) or not pd.isna(row[other]):
            raise BadRequest(f"{path} line {line}: kind '{row['kind']}' needs '{needed}' and no '{other}'")
        if strangers:
            raise BadRequest(
                f"{path} line {line}, column 'powertrains': '{strangers.pop()}' is none of {', '.join(POWERTRAINS)}"
            )
        if row["end"] and row["end"] < row["start"]:
            raise BadRequest(f"{path} line {line}, column 'end': '{row['end']}' is before the start, '{row['start']}'")
    for (first, one), (second, two) in combinations(zip(rows, lines, strict=True), 2):
        if same_target(first, second) and same_time(first, second):
            raise BadRequest(
                f"{path} lines {one} and {two}: '{first['instrument']}' holds twice for one car; end one earlier"
            )


def same_time(first: dict, second: dict) -> bool:
    """Whether two rows are in force in some month together."""
    return first["start"] <= (second["end"] or "9999-12") and second["start"] <= (first["end"] or "9999-12")


def same_target(first: dict, second: dict) -> bool:
    """Whether two rows of one instrument can meet in one car of one buyer."""
    if (first["instrument"], first["requires"]) != (second["instrument"], second["requires"]):
        return False
    if not set(first["powertrains"].split(";")) & set(second["powertrains"].split(";")):
        return False
    low = [0.0 if pd.isna(row["range_min"]) else row["range_min"] for row in (first, second)]
    high = [float("inf") if pd.isna(row["range_max"]) else row["range_max"] for row in (first, second)]
    return max(low) < min(high)


def policy_in_force(month: str) -> pd.DataFrame:
    """The instruments in force in a month (YYYY-MM)."""
    policy = read_policy()
    return policy[(policy["start"] <= month) & ((policy["end"] == "") | (policy["end"] >= month))].reset_index(
        drop=True
    )
