"""What a study keeps of each run: a flat row of outcomes, and on request yearly and monthly tables.

An outcome NAME is counted over the last 12 months of a run (all of them if there are fewer); NAME_2030 is the same over
one calendar year, and NAME_total, for flows, over the whole run. `automaker_share.BYD` and `platform_share.Tesla` are
shares of cars delivered over the last 12 months, of every automaker and stack that sells. Month 0, the base date, is left
out. `OUTCOMES` is the one home of names, units and meanings.
"""

import difflib
import functools
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from evsim.data.firms import KINDS
from evsim.errors import BadRequest, EvsimError
from evsim.results import Run
from evsim.tables import COLUMNS, Column, plain

from .engines.work import Kept, Table

How = Literal["mean of cars", "mean of months", "last", "sum"]
LAST_MONTHS = 12
SUMMARY, PANEL = "summary", "panel"
KEPT = (SUMMARY, PANEL)


class Outcome(NamedTuple):
    """One outcome: its unit, its meaning, and how months make a period."""

    unit: str
    meaning: str
    how: How


OUTCOMES: Mapping[str, Outcome] = {
    "units": Outcome("cars", "cars delivered", "sum"),
    "alliance_share": Outcome("fraction", "cars sold in mode alliance, of cars delivered", "mean of cars"),
    "independent_share": Outcome("fraction", "independents' cars, of cars delivered", "mean of cars"),
    "incumbent_share": Outcome("fraction", "incumbents' cars, of cars delivered", "mean of cars"),
    "nev_penetration": Outcome("fraction", "bev, phev and erev, of cars delivered", "mean of cars"),
    "mean_price": Outcome("kCNY", "mean posted price of cars delivered", "mean of cars"),
    "outside_share": Outcome("fraction", "shoppers who kept their car, mean of months", "mean of months"),
    "repeat_rate": Outcome(
        "fraction", "owners in an ecosystem who bought it again, of those who bought; empty: none", "last"
    ),
    "hhi_brand": Outcome("HHI points", "Herfindahl index of brands, mean of months", "mean of months"),
    "hhi_automaker": Outcome("HHI points", "Herfindahl index of automakers, mean of months", "mean of months"),
    "hhi_platform": Outcome("HHI points", "Herfindahl index of platforms, mean of months", "mean of months"),
    "alliance_cars": Outcome("cars", "alliance cars delivered since the first simulated month", "last"),
    "alliance_members": Outcome("brands", "brands sold in mode alliance at the end", "last"),
    "software_advantage": Outcome(
        "kCNY", "quality of the alliance's stack less the mean of independents' stacks, at the end", "last"
    ),
    "outlay": Outcome("kCNY", "what the state gives for cars: subsidies paid and purchase tax waived", "sum"),
    "tax_receipts": Outcome("kCNY", "VAT and purchase tax received", "sum"),
    "surplus": Outcome("kCNY", "what households would pay to have gone shopping rather than keep their cars", "sum"),
    "co2": Outcome("tons", "CO2 of driving the cars that households hold, those bought used left out", "sum"),
    "leader_profit": Outcome("kCNY", "profit of the platform firm", "sum"),
    "royalties": Outcome("kCNY", "revenue share and fees that the platform firm receives", "sum"),
    "alliance_oem_profit": Outcome("kCNY", "profit of the makers of kind alliance_oem, members or not", "sum"),
    "independent_profit": Outcome("kCNY", "profit of independents", "sum"),
    "incumbent_profit": Outcome("kCNY", "profit of incumbents", "sum"),
    "stopped": Outcome("automakers", "automakers that have stopped since the first simulated month", "last"),
}
SHARES: Mapping[str, str] = {  # what stands before the dot of a share's name -> what has the share
    "automaker_share": "automaker",
    "platform_share": "platform",
}
SHARE = Column("fraction", "share of cars delivered")
YEAR = Column("year", "calendar year")
PANELS: Mapping[str, Mapping[str, Column]] = {
    "months": COLUMNS["headline"],
    "years": {"year": YEAR} | {name: Column(unit, text, True) for name, (unit, text, _) in OUTCOMES.items()},
    "automaker_years": {
        "year": YEAR,
        "automaker": COLUMNS["automakers"]["automaker"],
        "units": Column("cars per year", "cars delivered"),
        "share": SHARE,
        "revenue": Column("kCNY per year", "sales, net of VAT"),
        "profit": Column("kCNY per year", COLUMNS["automakers"]["profit"].description),
        "cash": Column("kCNY", "cash at the end of the year"),
    },
    "platform_years": {
        "year": YEAR,
        "platform": COLUMNS["platforms"]["platform"],
        "units": Column("cars per year", "cars delivered"),
        "share": SHARE,
        "quality": Column("kCNY", "software quality at the end of the year"),
        "base": Column("cars", "cars on the road with this stack at the end of the year"),
    },
}


def simulate(mapping: Mapping[str, Any], seed: int, keep: str, past: Mapping[str, Any] | None = None) -> Kept:
    """Simulate one scenario with one seed, on one thread, and keep what a study wants of it.

    Args:
        mapping: the scenario as plain data.
        seed: of all draws.
        keep: `summary`, the row alone, or `panel`, the tables of `PANELS` too.
        past: what it shares with other runs (the fields of `study.past.Past`); none: it starts at the base date.
    """
    from evsim.scenarios import from_mapping
    from evsim.simulation import finish, run

    from .past import Past, continued

    if past is None:
        return kept_of(run(from_mapping(mapping), seed=seed, threads=1), keep)
    return kept_of(finish(continued(mapping, seed, Past(**past))), keep)


def kept_of(run: Run, keep: str = SUMMARY) -> Kept:
    """The row, and with `panel` the tables, of a run."""
    series = _monthly(run)
    months = run.values("headline", "month")[1:]
    years = _years(months)
    row: dict[str, float | None] = {}
    repeats = run.repeat_by_year()
    final = slice(max(0, len(months) - LAST_MONTHS), len(months))
    by_year: dict[str, list[float | None]] = {name: [] for name in OUTCOMES}
    for name, outcome in OUTCOMES.items():
        if name == "repeat_rate":
            row[name] = run.repeat_rate()
            by_year[name] = [_number(name, repeats.get(year, math.nan)) for year in years]
        else:
            row[name] = _number(name, _over(series, name, final))
            by_year[name] = [_number(name, _over(series, name, period)) for period in years.values()]
        row |= {f"{name}_{year}": value for year, value in zip(years, by_year[name], strict=True)}
        if outcome.how == "sum":
            row[f"{name}_total"] = _number(name, _over(series, name, slice(None)))
    last = set(months[final])
    for share, entity in SHARES.items():
        row |= {f"{share}.{name}": value for name, value in _shares(run, entity, last).items()}
    return Kept(row, _panels(run, years, by_year) if keep == PANEL else {})


def describe(name: str) -> Column:
    """Unit and meaning of a column of outcomes.

    Raises:
        BadRequest: there is no such outcome; the nearest is named.
    """
    share, dot, entity = name.partition(".")
    if dot and entity and share in SHARES:
        return Column("fraction", f"{entity}'s share of cars delivered, last {LAST_MONTHS} months", True)
    found = re.fullmatch(r"(\w+?)(?:_(\d{4}|total))?", name)
    plain_name, when = found.groups() if found else (name, None)
    outcome = OUTCOMES.get(plain_name)
    if outcome is None or (when == "total" and outcome.how != "sum"):
        near = difflib.get_close_matches(plain_name, [*OUTCOMES, *SHARES], 1, 0.0)[0]
        near = f"{near}.NAME" if near in SHARES else near
        raise BadRequest(f"unknown outcome {name}; the nearest is {near}, and the outcomes are {', '.join(OUTCOMES)}")
    period = {None: f"last {LAST_MONTHS} months", "total": "whole run"}.get(when, f"in {when}")
    return Column(outcome.unit, f"{outcome.meaning}; {period}", True)


def check_outcomes(names: Iterable[str], years: range, makers: Collection[str] = ()) -> None:
    """Check that runs over these calendar years will have these outcomes.

    Args:
        names: of outcomes.
        years: simulated.
        makers: automakers that may sell; empty: not known.
    Raises:
        BadRequest: an outcome is unknown, of a year that is not simulated, or the share of an unknown automaker.
    """
    for name in names:
        describe(name)
        share, _, maker = name.partition(".")
        if share == "automaker_share" and makers and maker not in makers:
            near = difflib.get_close_matches(maker, sorted(makers), 1, 0.0)[0]
            raise BadRequest(f"outcome {name}: no automaker {maker}; the nearest is {near}")
        year = re.fullmatch(r"\w+?_(\d{4})", name)
        if year and int(year[1]) not in years:
            raise BadRequest(f"outcome {name}: the runs go from {years[0]} to {years[-1]}; name a year of theirs")


def _monthly(run: Run) -> dict[str, np.ndarray]:
    """Every outcome's series over the simulated months, `[T]`, before months are put together."""
    months = run.values("headline", "month")[1:]
    place = {month: number for number, month in enumerate(months)}

    def by_month(table: str, column: str, counted: np.ndarray | None = None) -> np.ndarray:
        rows = slice(None) if counted is None else counted
        month = [place[name] for name in run.values(table, "month")[rows]]
        return np.bincount(np.array(month, dtype=np.int64), run.values(table, column)[rows], len(months))

    same = [name for name in OUTCOMES if name in COLUMNS["headline"] and name != "repeat_rate"]
    series = {name: run.values("headline", name)[1:] for name in same}
    for kind in KINDS:
        series[f"{kind}_profit"] = by_month("automakers", "profit", run.values("automakers", "kind") == kind)
    stopped = run.values("exits", "month")[run.values("exits", "event") == "stopped"]
    state, leader = (functools.partial(run.values, name) for name in ("government", "orchestrator"))
    return series | {
        "alliance_cars": run.values("headline", "alliance_cumulative_deliveries")[1:],
        "alliance_members": leader("members"),
        "outlay": state("subsidies") + state("tax_waived"),
        "tax_receipts": state("vat") + state("purchase_tax"),
        "surplus": by_month("households", "surplus"),
        "leader_profit": leader("profit"),
        "royalties": leader("royalties"),
        "stopped": np.array([np.sum(stopped <= month) for month in months]),
    }


def _years(months: np.ndarray) -> dict[int, slice]:
    """The months of each calendar year, as slices of the simulated months."""
    names = [int(month[:4]) for month in months]
    return {year: slice(names.index(year), len(names) - names[::-1].index(year)) for year in dict.fromkeys(names)}


def _over(series: Mapping[str, np.ndarray], name: str, period: slice) -> float:
    """One outcome over the months of a period; nan where no car is delivered that it could be a mean of."""
    values, how = series[name][period], OUTCOMES[name].how
    if how == "last":
        return float(values[-1])
    if how == "sum":
        return float(values.sum())
    if how == "mean of months":
        return float(values.mean())
    cars = series["units"][period]
    sold = cars > 0
    return float((values[sold] * cars[sold]).sum() / cars.sum()) if sold.any() else math.nan


def _number(name: str, value: float) -> float | None:
    """A plain number; None for nan.

    Raises:
        EvsimError: it is infinite.
    """
    if math.isinf(value):
        raise EvsimError(f"outcome {name} is {value}")
    return None if math.isnan(value) else float(value)


def _shares(run: Run, entity: str, months: set[str]) -> dict[str, float]:
    """Shares of cars over some months, by automaker or by stack, names without cars left out, in the order of names."""
    columns = (run.values(f"{entity}s", column).tolist() for column in ("month", entity, "units"))
    units: dict[str, float] = defaultdict(float)
    for month, name, cars in zip(*columns, strict=True):
        if month in months:
            units[name] += cars
    total = sum(units.values())
    return {name: units[name] / total for name in sorted(units) if units[name] > 0}


def _panels(run: Run, years: Mapping[int, slice], by_year: Mapping[str, list[float | None]]) -> dict[str, Table]:
    """The tables of `PANELS`."""
    numbers = {name: np.array([math.nan if value is None else value for value in by_year[name]]) for name in OUTCOMES}
    return {
        "months": {name: plain("headline", name, run.values("headline", name)[1:]) for name in COLUMNS["headline"]},
        "years": {"year": np.array(list(years), dtype="int64")} | numbers,
        "automaker_years": _entity_years(run, "automaker", ("revenue", "profit"), ("cash",)),
        "platform_years": _entity_years(run, "platform", (), ("quality", "base")),
    }


def _entity_years(run: Run, entity: str, sums: tuple[str, ...], last: tuple[str, ...]) -> Table:
    """A row a year and automaker or stack: cars, share, further sums, and values at the end of the year."""
    table = run.tables[f"{entity}s"]
    groups = table.assign(year=table["month"].str[:4].astype("int64")).groupby(["year", entity])
    years = groups[["units", *sums]].sum().join(groups[list(last)].last())
    total = years.groupby("year")["units"].transform("sum")
    years["share"] = (years["units"] / total).where(total > 0, 0.0)
    years = years.reset_index()
    return {name: years[name].to_numpy(dtype=object if name == entity else None) for name in PANELS[f"{entity}_years"]}
