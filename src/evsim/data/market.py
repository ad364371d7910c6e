"""The market table: one row a product on sale in the base year, the input a strategist replaces with their own.

Two come with the package, "2021" and "2023"; any other name is the path of a CSV file with the columns below.
Products too small for a row of their own are pooled per brand and powertrain (`pooled`, `nameplates`).
"""

import hashlib
import os
from pathlib import Path

import pandas as pd

from evsim.data.columns import Column, check_unique, describe, read_bytes, read_table
from evsim.data.shipped import shipped_path
from evsim.errors import BadRequest

POWERTRAINS = ("ice", "bev", "phev", "erev")
SIZE_CLASSES = ("A00", "A0", "A", "B", "C", "D")
OWNERSHIPS = ("state", "private", "foreign", "joint venture")
CONFIDENCES = ("quoted", "recalled", "assumption")
SHIPPED_TABLES = ("2021", "2023")
NO_ECOSYSTEM = ("supplier", "none")  # platforms without lock-in, network or learning: parts bought from anybody

MARKET_COLUMNS = (
    Column("product", "text", "the product's own key, unlike any other row's"),
    Column("brand", "text", "the marque on the bonnet"),
    Column("automaker", "text", "the firm that sets the price"),
    Column("group", "text", "the automaker's parent, or itself"),
    Column("powertrain", "choice", "how it is driven; full hybrids without a plug are ice", allowed=POWERTRAINS),
    Column("size_class", "choice", "size by length and wheelbase, A00 smallest", allowed=SIZE_CLASSES),
    Column("platform", "text", "the software stack, such as huawei or BYD; supplier and none are no ecosystem"),
    Column("units", "number", "sold in the base year", unit="vehicles/year", above=0.0),
    Column("price", "number", "mean price paid, with VAT, before tax and subsidy", unit="kCNY", above=0.0),
    Column("name", "text", "name to show; the product's key if empty", required=False, blank=True),
    Column("name_zh", "text", "Chinese name", required=False, blank=True),
    Column("brand_origin", "text", "the marque's home country", required=False, blank=True),
    Column("ownership", "choice", "who controls the automaker", required=False, blank=True, allowed=OWNERSHIPS),
    Column("foreign_partner", "text", "the foreign parent of a joint venture", required=False, blank=True),
    Column("body_type", "text", "Sedan, SUV, MPV, Hatchback, …", required=False, blank=True),
    Column("window_units", "number", "sold in the last three months of the base year; a quarter of units if empty",
           unit="vehicles/quarter", required=False, blank=True, at_least=0.0),
    Column("list_price", "number", "list price; if empty, price", unit="kCNY", required=False, blank=True, above=0.0),
    Column("nameplates", "integer", "models pooled in the row", required=False, default="1", at_least=1),
    Column("first_month", "month", "first month on sale, 2018-01 or earlier if 2018-01", required=False, blank=True),
    Column("pooled", "flag", "1 if the row adds small products up", required=False, default="0"),
    Column("confidence", "choice", "of units and price", required=False, blank=True, allowed=CONFIDENCES),
    Column("note", "text", "what to know about the row", required=False, blank=True),
)  # fmt: skip


def read_market_table(path_or_name: str | Path) -> pd.DataFrame:
    """The market table of that name ("2021", "2023") or file, checked, one row a product.

    Returns:
        A frame with the columns of `MARKET_COLUMNS`; empty optional cells are filled as their meaning says.
    Raises:
        BadRequest: the first fault, in one line; StorageError: the file cannot be read.
    """
    table = read_table(market_table_path(path_or_name), MARKET_COLUMNS, check_products)
    table["name"] = table["name"].where(table["name"] != "", table["product"])
    table["window_units"] = table["window_units"].fillna(table["units"] / 4.0)
    table["list_price"] = table["list_price"].fillna(table["price"])
    return table


def market_table_path(path_or_name: str | Path) -> Path:
    """Where the market table of that name, or file, lies.

    Raises:
        BadRequest: there is no such file.
    """
    name = str(path_or_name)
    if name in SHIPPED_TABLES:
        return shipped_path(f"market_{name}.csv")
    path = Path(os.path.expanduser(name))
    if not os.path.exists(path):
        names = ", ".join(SHIPPED_TABLES)
        raise BadRequest(f"market table '{name}': no such file; give the path of a CSV file or one of {names}")
    return path


def market_table_digest(path_or_name: str | Path) -> str:
    """SHA-256 of the file of a market table as it is now: a table that has been edited since is another one.

    Raises:
        BadRequest: there is no such file; StorageError: it cannot be read.
    """
    return hashlib.sha256(read_bytes(market_table_path(path_or_name))).hexdigest()


def check_products(path: Path, table: pd.DataFrame, lines: list[int]) -> None:
    """Refuse a product listed twice and a window in which nothing was sold."""
    check_unique("product")(path, table, lines)
    if (table["window_units"] == 0).all():
        raise BadRequest(f"{path}, column 'window_units': every row is 0; leave it out to use a quarter of units")


def describe_market_columns() -> str:
    """The columns of a market table in words, one a line."""
    return describe(MARKET_COLUMNS)
