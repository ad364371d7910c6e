"""The launch calendar 2022-01 to 2025-12: what came on sale when, at which list price, on whose software stack.

It holds no sales. From 2024 on it lists new-energy cars only; petrol launches are in it for 2022 and 2023.
"""

from pathlib import Path

import pandas as pd

from evsim.data.columns import Column
from evsim.data.market import CONFIDENCES, POWERTRAINS, SIZE_CLASSES
from evsim.data.membership import MODES
from evsim.data.shipped import read_shipped
from evsim.errors import BadRequest

EVENTS = ("launch", "variant", "relaunch", "price_cut")

LAUNCH_COLUMNS = (
    Column("month", "month", "first month on sale, or of the event"),
    Column("product", "text", "key: that of the market tables where the product has a row there"),
    Column("name", "text", "name to show"),
    Column("name_zh", "text", "Chinese name", blank=True),
    Column("brand", "text", "the brand"),
    Column("automaker", "text", "the firm that sets the price, as in the market tables"),
    Column("group", "text", "its parent, or itself"),
    Column("event", "choice", "new product, added version, new generation or facelift, lower price", allowed=EVENTS),
    Column("of_products", "text", "products a later event belongs to, separated by ';'; empty: all", blank=True),
    Column("powertrain", "choice", "as in the market tables", allowed=POWERTRAINS),
    Column("size_class", "choice", "as in the market tables", allowed=SIZE_CLASSES),
    Column("body_type", "text", "as in the market tables"),
    Column("list_price_low", "number", "cheapest version's list price", unit="kCNY", blank=True, above=0.0),
    Column("list_price_high", "number", "dearest version's list price", unit="kCNY", blank=True, above=0.0),
    Column("platform", "text", "software stack at that date"),
    Column("mode", "choice", "contract with the stack at that date", allowed=MODES),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("source", "text", "where it was read"),
    Column("note", "text", "what to know about the row", blank=True),
)  # fmt: skip


def read_launches() -> pd.DataFrame:
    """The calendar in the order of its months, one row an event."""
    return read_shipped("launches.csv", LAUNCH_COLUMNS, check_calendar)


def check_calendar(path: Path, launches: pd.DataFrame, lines: list[int]) -> None:
    """Refuse months out of order, a key used twice, a launch without a price and a low price above the high one."""
    before, seen = "", set()
    for row, line in zip(launches.to_dict("records"), lines, strict=True):
        fault = ""
        if row["month"] < before:
            fault = f"column 'month': {row['month']} after {before}; sort by month"
        elif row["product"] in seen:
            fault = f"column 'product': '{row['product']}' is already above; give each event its own key"
        elif row["event"] == "launch" and pd.isna(row["list_price_low"]):
            fault = "column 'list_price_low': a launch needs its price"
        elif row["list_price_low"] > row["list_price_high"]:
            fault = f"column 'list_price_low': {row['list_price_low']:g} is above list_price_high; exchange the two"
        if fault:
            raise BadRequest(f"{path} line {line}, {fault}")
        before = row["month"]
        seen.add(row["product"])
