"""Automakers, brands, the figures known of the firms at the two base dates, and their quarters since.

`kind` says whose rules a firm follows: `alliance_oem` builds cars under the alliance by 2025-12 (it may not be a
member at the base date), `independent` is a private maker of new-energy cars, `incumbent` comes from petrol cars or
belongs to a state group.

Quarters are outcomes: they are drawn beside results and never fitted.
"""

import re
from pathlib import Path

import pandas as pd

from evsim.data.columns import Column, check_unique
from evsim.data.market import CONFIDENCES, OWNERSHIPS
from evsim.data.shipped import read_shipped
from evsim.errors import BadRequest

KINDS = ("alliance_oem", "independent", "incumbent")
BASE_MONTHS = ("2021-12", "2023-12")
FIGURES = ("capacity", "revenue", "net_profit", "rd_spend", "cash")
QUARTER = re.compile(r"20\d\dQ[1-4]", re.ASCII)
LAST_QUARTER = "2025Q4"

AUTOMAKER_COLUMNS = (
    Column("automaker", "text", "name, as in the market tables"),
    Column("group", "text", "its parent, or itself"),
    Column("kind", "choice", "whose rules it follows", allowed=KINDS),
    Column("ownership", "choice", "who controls it", allowed=OWNERSHIPS),
    Column("foreign_partner", "text", "the foreign parent of a joint venture", blank=True),
    Column("reason", "text", "why it is of that kind"),
    Column("confidence", "choice", "of all columns", allowed=CONFIDENCES),
)
BRAND_COLUMNS = (
    Column("brand", "text", "name, as in the market tables"),
    Column("automakers", "text", "who builds it, separated by ';'"),
    Column("brand_origin", "text", "the marque's home country"),
    Column("foreign_premium", "flag", "1 for a premium marque from abroad"),
    Column("confidence", "choice", "of all columns", allowed=CONFIDENCES),
)
FIGURE_COLUMNS = (
    Column("automaker", "text", "name, as in the market tables"),
    Column("base", "choice", "the base date the figure may be used at", allowed=BASE_MONTHS),
    Column("item", "choice", "what is counted", allowed=FIGURES),
    Column("period", "text", "year or month of the figure, never after the base date"),
    Column("value", "number", "the figure"),
    Column("unit", "choice", "its unit", allowed=("vehicles/year", "bn CNY")),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("note", "text", "scope and conversion", blank=True),
)
QUARTER_COLUMNS = (
    Column("automaker", "text", "name, as in the market tables"),
    Column("firm", "text", "the firm that reports"),
    Column("quarter", "text", "such as 2024Q1"),
    Column("item", "choice", "what is counted", allowed=("revenue", "net_profit")),
    Column("value", "number", "the figure; net profit is that of the parent's shareholders"),
    Column("unit", "choice", "its unit", allowed=("bn CNY",)),
    Column(
        "scope",
        "choice",
        "maker: the firm's cars; group: with trucks, parts, exports and joint ventures",
        allowed=("maker", "group"),
    ),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("note", "text", "how it was computed", blank=True),
)


def read_brands() -> pd.DataFrame:
    """Every brand of the market tables, the launches, the memberships and the past sales."""
    return read_shipped("brands.csv", BRAND_COLUMNS, check_unique("brand"))


def read_firm_figures() -> pd.DataFrame:
    """Capacity and accounts, one figure a row, with its source."""
    return read_shipped("firm_figures.csv", FIGURE_COLUMNS, check_dates)


def read_firm_quarters() -> pd.DataFrame:
    """Revenue and net profit by quarter, one figure a row: outcomes after the base date, to be drawn and never fitted."""
    return read_shipped("firm_quarters.csv", QUARTER_COLUMNS, check_quarters)


def read_automakers(base: str = "2023-12") -> pd.DataFrame:
    """Every automaker, one row each, with the figures of the base date beside it (nan where none is known).

    Args:
        base: the base date, 2021-12 or 2023-12.
    Returns:
        The columns of `AUTOMAKER_COLUMNS`, then those of `FIGURES`: capacity in vehicles a year, the others in bn CNY.
    Raises:
        BadRequest: no figures are kept for that date.
    """
    if base not in BASE_MONTHS:
        raise BadRequest(
            f"base date '{base}': firms' figures are kept for {' and '.join(BASE_MONTHS)}; use one of them"
        )
    automakers = read_shipped("automakers.csv", AUTOMAKER_COLUMNS, check_unique("automaker"))
    figures = read_firm_figures()
    wide = figures[figures["base"] == base].pivot(index="automaker", columns="item", values="value")
    return automakers.join(wide.reindex(columns=list(FIGURES)), on="automaker")


def check_dates(path: Path, figures: pd.DataFrame, lines: list[int]) -> None:
    """Refuse a figure younger than the base date it is used at."""
    for row, line in zip(figures.to_dict("records"), lines, strict=True):
        if row["period"] > row["base"]:
            raise BadRequest(
                f"{path} line {line}, column 'period': {row['period']} is after the base date {row['base']}"
            )


def check_quarters(path: Path, figures: pd.DataFrame, lines: list[int]) -> None:
    """Refuse a quarter that is none or lies after the record's end, and a figure given twice."""
    for quarter, line in zip(figures["quarter"], lines, strict=True):
        if not QUARTER.fullmatch(quarter) or quarter > LAST_QUARTER:
            raise BadRequest(
                f"{path} line {line}, column 'quarter': '{quarter}' must be a quarter such as 2024Q1, up to {LAST_QUARTER}"
            )
    check_unique("automaker", "quarter", "item")(path, figures, lines)
