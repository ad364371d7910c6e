"""Series that figures draw: sums of the last 12 months, and what was observed."""

from typing import Any

import pandas as pd

from evsim.data import read_record

MONTHS = 12
TRAILING_NOTE = "12 months to the date; months before the base date count as the base date's."


def trailing(table: pd.DataFrame) -> pd.DataFrame:
    """Sums over the 12 months to each row, so that the season does not show.

    The first row is month 0; the eleven months before it count as like it, so that the first point is its own.
    """
    padded = pd.concat([table.iloc[[0]]] * (MONTHS - 1) + [table])
    return padded.rolling(MONTHS).sum().iloc[MONTHS - 1 :]


def monthly(run: Any, by: str, weights: str | None = None) -> pd.DataFrame:
    """Cars delivered (or cars times the column `weights`) by month and a text column of `market`, month 0 first."""
    market = run.market
    values = market["units"] if weights is None else market["units"] * market[weights]
    return values.groupby([market["month"], market[by]]).sum().unstack(fill_value=0.0)


def trailing_shares(run: Any, by: str) -> pd.DataFrame:
    """Shares of the cars of the last 12 months, a column a name."""
    units = trailing(monthly(run, by))
    return units.div(units.sum(axis=1), axis=0)


def trailing_prices(run: Any, by: str) -> pd.DataFrame:
    """Mean posted price of the cars of the last 12 months, kCNY; empty where none was sold."""
    units = trailing(monthly(run, by))
    return trailing(monthly(run, by, "price")) / units.where(units > 0.5)


def observed(level: str, entity: str, measure: str) -> dict[int, float]:
    """A yearly series of the observed record: year -> value."""
    record = read_record()
    chosen = (record["level"] == level) & (record["entity"] == entity) & (record["measure"] == measure)
    rows = record[chosen & (record["period"].str.len() == 4)].sort_values("period")
    return {int(year): float(value) for year, value in zip(rows["period"], rows["value"], strict=True)}
