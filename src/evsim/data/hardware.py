"""Battery prices, pack sizes and ranges by class, chargers and cars on the road."""

import pandas as pd

from evsim.data.columns import Column
from evsim.data.market import CONFIDENCES, POWERTRAINS, SIZE_CLASSES
from evsim.data.shipped import read_shipped

BATTERY_COLUMNS = (
    Column("year", "integer", "calendar year"),
    Column("scope", "choice", "market surveyed", allowed=("China", "world")),
    Column("usd_per_kwh", "number", "price of a pack", unit="USD/kWh", above=0.0),
    Column("basis", "choice", "prices of which year", allowed=("as published", "real 2023")),
    Column("price", "number", "the same at 7.08 CNY/USD, the mean rate of 2023", unit="kCNY/kWh", above=0.0),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("note", "text", "'outcome' marks years that no fit may read", blank=True),
)
PACK_COLUMNS = (
    Column("powertrain", "choice", "cars with a plug", allowed=POWERTRAINS[1:]),
    Column("size_class", "choice", "as in the market tables", allowed=SIZE_CLASSES),
    Column("pack_low", "number", "small pack", unit="kWh", above=0.0),
    Column("pack_high", "number", "large pack", unit="kWh", above=0.0),
    Column("pack", "number", "middle of the two", unit="kWh", above=0.0),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "recalled or assumption", allowed=CONFIDENCES),
    Column("note", "text", "how a gap was filled", blank=True),
)
RANGE_COLUMNS = (
    Column("powertrain", "choice", "cars with a plug", allowed=POWERTRAINS[1:]),
    Column("size_class", "choice", "as in the market tables", allowed=SIZE_CLASSES),
    Column("first_year", "integer", "first year of the rule"),
    Column("last_year", "integer", "last year of the rule"),
    Column("price_from", "number", "least list price", unit="kCNY", blank=True, above=0.0),
    Column("price_below", "number", "list price below which it holds", unit="kCNY", blank=True, above=0.0),
    Column("range_low", "number", "electric range, short version (NEDC to 2021, then CLTC)", unit="km", above=0.0),
    Column("range_high", "number", "electric range, long version", unit="km", above=0.0),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "always recalled", allowed=CONFIDENCES),
    Column("note", "text", "which subsidy band it means", blank=True),
)
STOCK_ITEMS = (
    "public_chargers_fast",
    "public_chargers_slow",
    "bev_on_road",
    "phev_on_road",
    "nev_registered",
    "vehicles_registered",
)
STOCK_COLUMNS = (
    Column("month", "month", "end of that month"),
    Column("item", "choice", "what is counted; phev_on_road includes erev", allowed=STOCK_ITEMS),
    Column("value", "number", "the count", above=0.0),
    Column("unit", "choice", "its unit", allowed=("vehicles", "charging points")),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("note", "text", "scope", blank=True),
)


def read_battery() -> pd.DataFrame:
    """Pack prices by year, for China and the world."""
    return read_shipped("battery.csv", BATTERY_COLUMNS)


def read_packs() -> pd.DataFrame:
    """Pack size by powertrain and size class."""
    return read_shipped("packs.csv", PACK_COLUMNS)


def read_ranges() -> pd.DataFrame:
    """Electric range by powertrain, size class, years and list price, for the bands of the subsidies."""
    return read_shipped("ranges.csv", RANGE_COLUMNS)


def read_stock() -> pd.DataFrame:
    """Chargers and cars on the road at the year ends 2018 to 2023."""
    return read_shipped("stock.csv", STOCK_COLUMNS)
