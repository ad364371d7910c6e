"""Credits that makers must hold for new-energy cars (the NEV half of the dual-credit policy), by year.

Rules already announced for 2026 and 2027 are inputs; the formula of these years is not known and that of 2025 stays. After
the last year its rule stays too. `price` is the mean of the trades known to be made in a year and is no rule.
"""

import math
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from evsim.data.columns import Column
from evsim.data.market import CONFIDENCES
from evsim.data.shipped import read_shipped
from evsim.errors import BadRequest

RULES = ("ratio", "slope", "constant", "cap", "plug_in", "exempt_below")  # one number in every year
POOL = {"store_above": math.inf, "release_below": 1.0}  # what holds in years without a pool
CREDIT_ITEMS = (*RULES, *POOL, "range_factor", "price")

CREDIT_COLUMNS = (
    Column("first_year", "integer", "first year in force"),
    Column("last_year", "integer", "last year in force"),
    Column("item", "choice", "which number of the rule", allowed=CREDIT_ITEMS),
    Column("range_from", "number", "electric range from which the factor holds", unit="km", blank=True, above=0.0),
    Column("value", "number", "the number", at_least=0.0),
    Column("unit", "text", "its unit"),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted, recalled or assumption", allowed=CONFIDENCES),
    Column("note", "text", "what to know about the row", blank=True),
)


def read_credits() -> pd.DataFrame:
    """Every number of the rules, one row a number and span of years."""
    return read_shipped("credits.csv", CREDIT_COLUMNS, check_spans)


def check_spans(path: Path, numbers: pd.DataFrame, lines: list[int]) -> None:
    """Refuse a span that ends before it starts, a range where none belongs, and one number with two values in a year."""
    rows = numbers.to_dict("records")
    for row, line in zip(rows, lines, strict=True):
        if row["last_year"] < row["first_year"]:
            raise BadRequest(
                f"{path} line {line}, column 'last_year': {row['last_year']} is before the first, {row['first_year']}"
            )
        if (row["item"] == "range_factor") == pd.isna(row["range_from"]):
            raise BadRequest(f"{path} line {line}, column 'range_from': needed for range_factor, and for nothing else")
    for (first, one), (second, two) in combinations(zip(rows, lines, strict=True), 2):
        alike = first["item"] == second["item"] and (
            first["range_from"] == second["range_from"] or first["item"] != "range_factor"
        )
        if alike and max(first["first_year"], second["first_year"]) <= min(first["last_year"], second["last_year"]):
            raise BadRequest(
                f"{path} lines {one} and {two}: '{first['item']}' has two values in a year; end one earlier"
            )


@cache
def first_credit_year() -> int:
    """The first year with a rule."""
    numbers = read_credits()
    return int(numbers.loc[numbers["item"].isin(RULES), "first_year"].min())


def credit_rules(year: int) -> dict[str, Any]:
    """The rule of a year, by the names of `economics.credits.CreditRule`; after the last year announced its rule stays.

    Raises:
        BadRequest: the year is before the first one with a rule.
    """
    if year < first_credit_year():
        raise BadRequest(f"year {year}: credits begin in {first_credit_year()}; use a later year")
    return dict(_rules_of(year))


@cache
def _rules_of(year: int) -> tuple[tuple[str, Any], ...]:
    numbers = read_credits()
    rules = numbers[numbers["item"] != "price"]
    year = min(year, int(rules["last_year"].max()))
    rules = rules[(rules["first_year"] <= year) & (rules["last_year"] >= year)]
    steps = rules[rules["item"] == "range_factor"].sort_values("range_from")
    values = rules[rules["item"] != "range_factor"].set_index("item")["value"].to_dict()
    found: dict[str, Any] = {name: float(values[name]) for name in RULES} | {
        name: values.get(name, none) for name, none in POOL.items()
    }
    found |= {"range_steps": tuple(steps["range_from"]), "range_factors": tuple(steps["value"])}
    return tuple(found.items())


@cache
def credit_price(year: int) -> float:
    """kCNY a credit in the trades of a year: the last price known by then, before the first one the first."""
    numbers = read_credits()
    prices = numbers[numbers["item"] == "price"].sort_values("first_year")
    known = prices[prices["first_year"] <= year]
    return float(known["value"].iloc[-1] if len(known) else prices["value"].iloc[0])
