"""Past sales: what was sold in the years before a base date, and how a year's sales spread over its months."""

import numpy as np
import pandas as pd

from evsim.data.columns import Column
from evsim.data.market import CONFIDENCES, POWERTRAINS, SIZE_CLASSES
from evsim.data.shipped import read_shipped
from evsim.errors import BadRequest

VINTAGE_COLUMNS = (
    Column("year", "integer", "calendar year", at_least=2018, at_most=2023),
    Column("brand", "text", "as in the market tables"),
    Column("automaker", "text", "as in the market tables"),
    Column("group", "text", "as in the market tables"),
    Column("powertrain", "choice", "as in the market tables", allowed=POWERTRAINS),
    Column("size_class", "choice", "as in the market tables", allowed=SIZE_CLASSES),
    Column("price", "number", "mean list price by units", unit="kCNY", above=0.0),
    Column("units", "number", "sold in the year", unit="vehicles", above=0.0),
    Column("confidence", "choice", "of the units", allowed=CONFIDENCES),
)
MONTHLY_COLUMNS = (
    Column("month", "month", "the month"),
    Column("units", "number", "cars sold, all powertrains", unit="vehicles", above=0.0),
    Column("nev_units", "number", "of which bev, phev and erev", unit="vehicles", at_least=0.0),
)
UNUSUAL_MONTHS = (*(f"2020-{month:02d}" for month in range(1, 7)), *(f"2022-{month:02d}" for month in range(1, 13)))


def read_vintages(last_year: int = 2023) -> pd.DataFrame:
    """Sales by year, brand, powertrain and size class, up to a year."""
    vintages = read_shipped("vintages.csv", VINTAGE_COLUMNS)
    return vintages[vintages["year"] <= last_year].reset_index(drop=True)


def read_monthly_totals() -> pd.DataFrame:
    """The market's sales by month, 2018-01 to 2023-12."""
    return read_shipped("monthly_totals.csv", MONTHLY_COLUMNS)


def seasonal_factors(until: str = "2023-12") -> np.ndarray:
    """Sales of each calendar month relative to the mean month.

        f_m = median over years of units_t / ((u_(t−6)/2 + u_(t−5) + … + u_(t+5) + u_(t+6)/2) / 12), scaled to mean 1

    Left out are 2020-01 to 2020-06 (closures) and all of 2022 (closures in spring, then a petrol tax cut and the end of
    the subsidies); they stay inside the moving means of their neighbours. The lunar new year, which falls in January or
    February, is not followed: the two months share its dip.

    Args:
        until: last month whose sales may be read, YYYY-MM; at least 2020-12.
    Returns:
        Factors, `[12]`, January first, mean 1.
    Raises:
        BadRequest: too few months to know every calendar month.
    Source:
        Ratio to a centred moving average, as in Hyndman & Athanasopoulos, Forecasting, section 3.4.
    """
    totals = read_monthly_totals()
    totals = totals[totals["month"] <= until]
    units = totals["units"].to_numpy()
    calendar = totals["month"].str[5:].astype(int).to_numpy()
    usual = ~totals["month"].isin(UNUSUAL_MONTHS).to_numpy()
    weights = np.array([0.5, *[1.0] * 11, 0.5]) / 12.0
    trend = np.full(len(units), np.nan)
    if len(units) >= len(weights):
        trend[6:-6] = np.convolve(units, weights, mode="valid")
    usual &= np.isfinite(trend)
    ratios = [units[usual & (calendar == month)] / trend[usual & (calendar == month)] for month in range(1, 13)]
    if min(len(ratio) for ratio in ratios) == 0:
        raise BadRequest(f"seasonal factors until '{until}': too few months of sales; use 2020-12 or later")
    factors = np.array([np.median(ratio) for ratio in ratios])
    return factors / factors.mean()
