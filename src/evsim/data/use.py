"""What a car costs to run and what it is worth later: energy prices, consumption, distance, resale values, CO2 factors.

An energy price is what buyers reckon with: the mean over the twelve months that end in its month. It is known at the year
ends; between them it moves on a straight line, and after the last one it stays. So no January brings a jump that would be
taken for an effect of a policy that ends in December, and at a base date in December nothing younger enters. Refused: the
mean of each calendar year from its January on, which lifts petrol by 1.4 CNY a litre between 2021-12 and 2022-01.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from evsim.data.columns import Column, check_unique
from evsim.data.market import CONFIDENCES, POWERTRAINS, SIZE_CLASSES
from evsim.data.shipped import read_shipped
from evsim.errors import BadRequest

ENERGY_UNITS = {"petrol": "CNY/litre", "home_power": "CNY/kWh", "public_power": "CNY/kWh"}
LAST_PRICED = "2025-12"
USE_UNITS = {
    "fuel": "l/100km",
    "power": "kWh/100km",
    "distance": "km/year",
    "electric_share": "fraction",
    "charging_loss": "fraction",
    "home_share": "fraction",
    "grid_factor": "kgCO2/kWh",
    "petrol_factor": "kgCO2/litre",
}
RESALE_AGES = (1, 3, 5, 8, 10)  # years

ENERGY_COLUMNS = (
    Column("month", "month", "last of the twelve months that the price is the mean of"),
    Column("item", "choice", "what is bought; power is all in, with the service fee", allowed=tuple(ENERGY_UNITS)),
    Column("low", "number", "low end of the range that the value is the middle of", blank=True, above=0.0),
    Column("high", "number", "its high end", blank=True, above=0.0),
    Column("value", "number", "the price, not deflated", above=0.0),
    Column("unit", "choice", "its unit", allowed=("CNY/litre", "CNY/kWh")),
    Column("source", "text", "where it was read"),
    Column("confidence", "choice", "quoted or recalled", allowed=CONFIDENCES),
    Column("note", "text", "what to know about the row", blank=True),
)
USE_COLUMNS = (
    Column("item", "choice", "fuel: on petrol; power: on the battery, before charging loss", allowed=tuple(USE_UNITS)),
    Column("powertrain", "choice", "as in the market tables; empty: all", blank=True, allowed=POWERTRAINS),
    Column("size_class", "choice", "as in the market tables; empty: all", blank=True, allowed=SIZE_CLASSES),
    Column("year", "integer", "year of the figure, where it moves", blank=True),
    Column("low", "number", "low end of the range found", blank=True, at_least=0.0),
    Column("high", "number", "its high end", blank=True, at_least=0.0),
    Column("value", "number", "the middle of the range, or the figure", at_least=0.0),
    Column("unit", "choice", "its unit", allowed=tuple(dict.fromkeys(USE_UNITS.values()))),
    Column("source", "text", "where it was read, or how a gap was filled"),
    Column("confidence", "choice", "quoted, recalled or assumption", allowed=CONFIDENCES),
    Column("note", "text", "scope", blank=True),
)
RESALE_COLUMNS = (
    Column("powertrain", "choice", "as in the market tables", allowed=POWERTRAINS),
    Column("age", "integer", "age of the car", unit="years", at_least=1),
    Column(
        "value", "number", "what its owner gets for it, by its price when new", unit="fraction", above=0.0, at_most=1.0
    ),
    Column("source", "text", "where it was read, or how a gap was filled"),
    Column("confidence", "choice", "quoted, recalled or assumption", allowed=CONFIDENCES),
    Column("note", "text", "which figures, and what speaks for and against them", blank=True),
)


def read_energy() -> pd.DataFrame:
    """Prices of petrol and of power, one row a month in which one is known."""
    return read_shipped("energy.csv", ENERGY_COLUMNS, check_prices)


def read_use() -> pd.DataFrame:
    """Consumption, distance, electric share, charging and CO2 factors, one figure a row."""
    return read_shipped("use.csv", USE_COLUMNS, check_figures)


def read_resale() -> pd.DataFrame:
    """What used cars are worth by powertrain and age, one figure a row."""
    return read_shipped("resale.csv", RESALE_COLUMNS, check_falling)


def check_prices(path: Path, prices: pd.DataFrame, lines: list[int]) -> None:
    """Refuse a price after the record's end, a wrong unit, a value outside its range, and two prices of one month."""
    for month, line in zip(prices["month"], lines, strict=True):
        if month > LAST_PRICED:
            raise BadRequest(f"{path} line {line}, column 'month': '{month}' must be a month up to {LAST_PRICED}")
    check_ranges(path, prices, lines, ENERGY_UNITS)
    check_unique("month", "item")(path, prices, lines)


def check_figures(path: Path, figures: pd.DataFrame, lines: list[int]) -> None:
    """Refuse a wrong unit, a value outside its range, and a figure given twice."""
    check_ranges(path, figures, lines, USE_UNITS)
    spelled = figures.assign(year=figures["year"].fillna(0))  # nan is unlike nan
    check_unique("item", "powertrain", "size_class", "year")(path, spelled, lines)


def check_ranges(path: Path, table: pd.DataFrame, lines: list[int], units: dict[str, str]) -> None:
    """Refuse a row whose unit is not its item's, or whose value is not between low and high."""
    for row, line in zip(table.to_dict("records"), lines, strict=True):
        if row["unit"] != units[row["item"]]:
            raise BadRequest(
                f"{path} line {line}, column 'unit': '{row['unit']}' must be {units[row['item']]} for {row['item']}"
            )
        if row["value"] < row["low"] or row["value"] > row["high"]:  # nan: no bound
            raise BadRequest(
                f"{path} line {line}, column 'value': {row['value']:g} must lie between {row['low']:g} and {row['high']:g}"
            )


def check_falling(path: Path, values: pd.DataFrame, lines: list[int]) -> None:
    """Refuse an age that is not among `RESALE_AGES` or comes twice, one left out, and a value that does not fall."""
    check_unique("powertrain", "age")(path, values, lines)
    last: dict[str, tuple[int, float]] = {}
    for row, line in zip(values.to_dict("records"), lines, strict=True):
        place, before = last.get(row["powertrain"], (0, 1.0))
        if place == len(RESALE_AGES) or row["age"] != RESALE_AGES[place]:
            wanted = ", ".join(str(age) for age in RESALE_AGES)
            raise BadRequest(
                f"{path} line {line}, column 'age': {row['age']} breaks the order {wanted} of each powertrain"
            )
        if row["value"] >= before:
            raise BadRequest(
                f"{path} line {line}, column 'value': {row['value']:g} must be below {before:g}, a younger car's"
            )
        last[row["powertrain"]] = (place + 1, row["value"])
    for powertrain in POWERTRAINS:
        if last.get(powertrain, (0, 1.0))[0] < len(RESALE_AGES):
            raise BadRequest(f"{path}: {powertrain} has no value at some of the ages {RESALE_AGES}; add them")


def energy_prices(month: str) -> dict[str, float]:
    """`energy_path` of one month."""
    return {item: float(price[0]) for item, price in energy_path([month]).items()}


def energy_path(months: Sequence[str]) -> dict[str, np.ndarray]:
    """What buyers reckon with in some months (YYYY-MM): CNY a litre of petrol, CNY a kWh of power at home and in public.

    The mean of the last twelve months where it is known, a straight line between two such months, the first before them
    and the last after.
    """
    when = [_months(month) for month in months]
    return {item: np.interp(when, *_known_prices(item)) for item in ENERGY_UNITS}


@cache
def _known_prices(item: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Months (since year 0) in which the price of an item is known, and the price."""
    prices = read_energy()
    rows = prices[prices["item"] == item].sort_values("month")
    return tuple(_months(month) for month in rows["month"]), tuple(rows["value"])


def consumption() -> dict[tuple[str, str], tuple[float, float]]:
    """(powertrain, size class) → (litres per 100 km on petrol, kWh per 100 km from the battery); 0 where it has none."""
    return dict(_consumption())


@cache
def _consumption() -> tuple[tuple[tuple[str, str], tuple[float, float]], ...]:
    figures = read_use()
    table = {(powertrain, size): [0.0, 0.0] for powertrain in POWERTRAINS for size in SIZE_CLASSES}
    for place, item in enumerate(("fuel", "power")):
        for row in figures[figures["item"] == item].to_dict("records"):
            table[row["powertrain"], row["size_class"]][place] = row["value"]
    return tuple((key, (fuel, power)) for key, (fuel, power) in table.items())


def by_powertrain(item: str) -> dict[str, float]:
    """`distance` (km a year) or `electric_share` (fraction of it) of each powertrain."""
    return dict(_by_powertrain(item))


@cache
def _by_powertrain(item: str) -> tuple[tuple[str, float], ...]:
    figures = read_use()
    rows = figures[figures["item"] == item]
    return tuple(zip(rows["powertrain"], rows["value"], strict=True))


@cache
def use_constant(item: str) -> float:
    """`charging_loss`, `home_share` or `petrol_factor`: one number for all cars."""
    figures = read_use()
    return float(figures.loc[figures["item"] == item, "value"].item())


@cache
def grid_factor(year: int) -> float:
    """kg of CO2 a kWh from the grid: the youngest figure not after the year, before the first one the first."""
    figures = read_use()
    rows = figures[figures["item"] == "grid_factor"].sort_values("year")
    known = rows[rows["year"] <= year]
    return float(known["value"].iloc[-1] if len(known) else rows["value"].iloc[0])


def resale_values() -> dict[str, np.ndarray]:
    """Powertrain → what an owner gets at the ages of `RESALE_AGES`, `[5]`, fractions of the price when new."""
    return {name: np.array(values) for name, values in _resale_values()}


@cache
def _resale_values() -> tuple[tuple[str, tuple[float, ...]], ...]:
    table = read_resale().pivot(index="powertrain", columns="age", values="value")
    return tuple((name, tuple(table.loc[name, list(RESALE_AGES)].to_numpy(dtype=float))) for name in POWERTRAINS)


def _months(month: str) -> int:
    """Months since year 0."""
    return 12 * int(month[:4]) + int(month[5:]) - 1
