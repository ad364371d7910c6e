"""Run: what one simulation gives, as tidy tables with their meaning, and where the run came from.

The digest is taken over the tables' values (text in UTF-8, numbers as little-endian 8-byte values), not over files or
the types of one pandas: pandas 2 and 3 agree, and so do a run and its copy on disk.
"""

import hashlib
import json
import platform as interpreter
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evsim import words
from evsim.errors import EvsimError, StorageError
from evsim.files import storage_trouble, write_whole
from evsim.params import Scenario
from evsim.tables import COLUMNS, MAY_BE_EMPTY, Tables, canonical, check_books, checked, columns_table, parquet

if TYPE_CHECKING:
    from evsim.economics.welfare import Welfare

VERSIONED = ("evsim", "numpy", "numba", "mesa", "pandas")


@dataclass(frozen=True, eq=False)
class Run:
    """One simulated world: scenario, seed, tables (a frame per name in `COLUMNS`), solver diagnostics, provenance."""

    scenario: Scenario
    seed: int
    tables: Mapping[str, pd.DataFrame]
    diagnostics: dict[str, Any]
    provenance: dict[str, Any]

    @classmethod
    def from_record(
        cls, scenario: Scenario, seed: int, record: Mapping[str, Mapping[str, Any]], diagnostics: dict[str, Any]
    ) -> "Run":
        """A Run from the model's record, a table name -> column -> values, once its columns and books are in order.

        Raises:
            EvsimError: a column is missing, undescribed or empty where it may not be; or the books do not balance.
        """
        record = {name: {column: [] for column in COLUMNS[name]} for name in MAY_BE_EMPTY} | dict(record)
        if set(record) != set(COLUMNS):
            raise EvsimError(f"record: tables are {sorted(record)}; they must be {sorted(COLUMNS)}")
        columns = {name: checked(name, record[name]) for name in COLUMNS}
        check_books(columns)
        return cls(scenario, seed, Tables(columns), dict(diagnostics), _provenance(scenario, seed))

    def values(self, table: str, column: str) -> np.ndarray:
        """A column's values, without making a frame of its table."""
        tables = self.tables
        return tables.columns[table][column] if isinstance(tables, Tables) else tables[table][column].to_numpy()

    @property
    def market(self) -> pd.DataFrame:
        """Products by month: prices, costs, orders, deliveries, backlog."""
        return self.tables["market"].copy()

    @property
    def automakers(self) -> pd.DataFrame:
        """Automakers' accounts by month."""
        return self.tables["automakers"].copy()

    @property
    def orchestrator(self) -> pd.DataFrame:
        """The platform firm's accounts by month."""
        return self.tables["orchestrator"].copy()

    @property
    def government(self) -> pd.DataFrame:
        """Taxes and subsidies by month."""
        return self.tables["government"].copy()

    @property
    def households(self) -> pd.DataFrame:
        """What the market is worth to households by month and fifth of income: surplus, benefits, cars."""
        return self.tables["households"].copy()

    @property
    def benefits(self) -> pd.DataFrame:
        """What each instrument paid or waived, by month."""
        return self.tables["benefits"].copy()

    @property
    def platforms(self) -> pd.DataFrame:
        """Software stacks by month: quality, cars on the road, share, repeat purchase."""
        return self.tables["platforms"].copy()

    @property
    def switching(self) -> pd.DataFrame:
        """From which stack to which buyers went, by year."""
        return self.tables["switching"].copy()

    @property
    def decisions(self) -> pd.DataFrame:
        """Value tables: every way of every brand that chose, at each review."""
        return self.tables["decisions"].copy()

    @property
    def reviews(self) -> pd.DataFrame:
        """The alliance at each review: members, stability, the leader's terms."""
        return self.tables["reviews"].copy()

    @property
    def admissions(self) -> pd.DataFrame:
        """Who asked to come into the alliance, and what each would do to its members."""
        return self.tables["admissions"].copy()

    @property
    def exits(self) -> pd.DataFrame:
        """Automakers that stopped, and stacks that were orphaned."""
        return self.tables["exits"].copy()

    @property
    def headline(self) -> pd.DataFrame:
        """The market in one row a month."""
        return self.tables["headline"].copy()

    @property
    def base_month(self) -> str:
        """Month 0: the base date, reproduced by construction."""
        return str(self.values("headline", "month")[0])

    @cached_property
    def _sales(self) -> pd.DataFrame:
        """The market after the base date, with its calendar year."""
        market = self.tables["market"]
        market = market[market["month"] > self.base_month]
        return market.assign(year=market["month"].str[:4].astype(int), value=market["price"] * market["units"])

    def last_months(self, count: int = 12) -> list[str]:
        """The last simulated months, at most `count`, without the base month."""
        months = self.tables["headline"]["month"]
        return list(months[months > self.base_month].iloc[-count:])

    def base_shares(self, by: str) -> dict[str, float]:
        """Shares of cars at the base date by a text column of `market`, largest first."""
        market = self.tables["market"]
        return _shares(market[market["month"] == self.base_month], by)

    def shares(self, by: str) -> dict[str, float]:
        """Shares of cars over the last 12 months by a text column of `market` (all months if the run is shorter)."""
        return _shares(self._sales[self._sales["month"].isin(self.last_months())], by)

    def final_shares(self) -> dict[str, dict[str, float]]:
        """Shares of cars over the last 12 months by platform, automaker and kind (camp), largest first."""
        return {"platform": self.shares("platform"), "automaker": self.shares("automaker"), "kind": self.shares("camp")}

    def nev_penetration(self) -> dict[int, float]:
        """Part of each calendar year's cars that are not `ice`."""
        electric = self._sales[self._sales["powertrain"] != "ice"].groupby("year")["units"].sum()
        total = self._sales.groupby("year")["units"].sum()
        return _by_year((electric.reindex(total.index, fill_value=0.0) / total)[total > 0])

    def alliance_cumulative_deliveries(self) -> dict[str, float]:
        """Alliance cars delivered from month 1 to the end of each month."""
        headline = self.tables["headline"].iloc[1:]
        return dict(zip(headline["month"], map(float, headline["alliance_cumulative_deliveries"]), strict=True))

    def repeat_year(self) -> int | None:
        """The year repeat purchase is read off: the last full one, else the last; None: nothing was simulated."""
        months = Counter(int(month[:4]) for month in self.values("headline", "month")[1:])
        full = [year for year, count in months.items() if count == 12]
        return max(full or months, default=None)

    def repeat_rate(self) -> float | None:
        """Of buyers in `repeat_year()` who owned an ecosystem's car, those who bought the same one again; None: none.

        For a run that ends in December these are its last 12 months.
        """
        year = self.repeat_year()
        return None if year is None else self.repeat_by_year().get(year)

    def repeat_by_year(self) -> dict[int, float]:
        """Part of each year's buyers who owned an ecosystem's car and bought the same one again."""
        return self._repeat("year")

    def platform_repeat(self, year: int | None) -> dict[str, float]:
        """Of a year's buyers who owned a car of each ecosystem, those who bought the same one again."""
        return {} if year is None else self._repeat("from_platform", year)

    def bought_shares(self, year: int | None) -> dict[str, float]:
        """Shares of platforms in a year's buyers: what their owners would do if they bought like anybody else."""
        bought = self.tables["switching"]
        buyers = bought[bought["year"] == year].groupby("to_platform")["buyers"].sum()
        return {str(name): float(count / buyers.sum()) for name, count in buyers.items()}

    def yearly(self) -> pd.DataFrame:
        """A row a year: cars, camps' shares, NEV penetration, mean price, alliance cars so far, repeat rate."""
        by_year = self._sales.groupby("year")
        units = by_year["units"].sum()
        years = pd.DataFrame({"months": by_year["month"].nunique(), "units": units})
        for camp in words.CAMPS:
            camp_units = self._sales[self._sales["camp"] == camp].groupby("year")["units"].sum()
            years[f"{camp}_share"] = camp_units.reindex(units.index, fill_value=0.0) / units
        years["nev_penetration"] = pd.Series(self.nev_penetration())
        years["mean_price"] = by_year["value"].sum() / units
        cumulative = pd.Series(self.alliance_cumulative_deliveries())
        years["alliance_cumulative_deliveries"] = cumulative.groupby(cumulative.index.str[:4].astype(int)).last()
        years["repeat_rate"] = pd.Series(self.repeat_by_year(), dtype=float)
        return years

    def welfare(self) -> "Welfare":
        """The accounts of the whole run, kCNY: households by fifth of income, automakers by kind (`KINDS`), leader, state.

        Of surplus only differences between two runs mean anything: `run.welfare().minus(other.welfare())`, and
        `evsim.economics.welfare.incidence` of both.
        """
        from evsim.data.firms import KINDS
        from evsim.economics.welfare import Welfare

        households = self.tables["households"].groupby("income_group")[["surplus", "staying"]].sum()
        makers = self.tables["automakers"].groupby("kind")["profit"].sum().reindex(list(KINDS), fill_value=0.0)
        state = self.tables["government"][["subsidies", "purchase_tax", "vat", "tax_waived"]].sum()
        return Welfare(
            consumer_surplus=households["surplus"].to_numpy(),
            producer_surplus=makers.to_numpy(),
            leader_profit=float(self.tables["orchestrator"]["profit"].sum()),
            outlay=float(state["subsidies"]),
            purchase_tax=float(state["purchase_tax"]),
            value_added_tax=float(state["vat"]),
            exemption=float(state["tax_waived"]),
            staying_surplus=households["staying"].to_numpy(),
        )

    def _repeat(self, by: str, year: int | None = None) -> dict[Any, float]:
        """Of buyers who owned an ecosystem's car, those who bought the same one again, by a column of `switching`."""
        ecosystems = set(self.values("platforms", "platform")[self.values("platforms", "ecosystem")])
        columns = (self.values("switching", name) for name in (by, "year", "from_platform", "to_platform", "buyers"))
        owned: dict[Any, float] = defaultdict(float)
        stayed: dict[Any, float] = defaultdict(float)
        for key, when, before, after, buyers in zip(*(column.tolist() for column in columns), strict=True):
            if before in ecosystems and year in (None, when):
                owned[key] += buyers
                stayed[key] += buyers if before == after else 0.0
        return {key: stayed[key] / owned[key] for key in sorted(owned) if owned[key] > 0}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and values of all tables: text in UTF-8, numbers as little-endian 8-byte values."""
        digest = hashlib.sha256()
        for name in sorted(self.tables):
            for column in COLUMNS[name]:
                values = self.values(name, column)
                digest.update(f"{name}.{column}:{len(values)}\n".encode())
                digest.update(canonical(name, column, values))
        return digest.hexdigest()

    def to_json_dict(self, folder: Path | None = None) -> dict[str, Any]:
        """What `--json` prints; `folder` is where the run lies, if it was saved."""
        answer: dict[str, Any] = {
            "scenario": self.scenario.name,
            "seed": self.seed,
            "final_shares": self.final_shares(),
            "nev_penetration": {str(year): rate for year, rate in self.nev_penetration().items()},
            "alliance_cumulative_deliveries": self.alliance_cumulative_deliveries(),
            "repeat_rate": self.repeat_rate(),
            "digest": self.digest,
        }
        return answer if folder is None else answer | {"folder": str(folder)}

    def summary(self) -> str:
        """The run in words, for a terminal of 100 columns."""
        return words.summary(self)

    def _repr_html_(self) -> str:
        """A run in a notebook: its findings and its years."""
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in words.findings(self))
        title = escape(f"{self.scenario.name}, seed {self.seed}, {self.scenario.start} to {self.scenario.end}")
        return f"<h4>{title}</h4><ul>{items}</ul>{self.yearly().to_html(float_format='{:,.3f}'.format)}"

    def save(self, folder: Path | str) -> list[Path]:
        """Write each table as Parquet and CSV, columns.csv, and last run.json, each whole or not at all.

        Raises:
            StorageError: the folder cannot be written.
        """
        folder = Path(folder)
        contents: dict[str, bytes] = {}
        for name, table in self.tables.items():
            contents[f"{name}.parquet"] = parquet(name, table)
            contents[f"{name}.csv"] = table.to_csv(index=False, lineterminator="\n").encode()
        contents["columns.csv"] = columns_table().to_csv(index=False, lineterminator="\n").encode()
        about = {"digest": self.digest, "provenance": self.provenance, "diagnostics": self.diagnostics}
        contents["run.json"] = (json.dumps(about, indent=2, ensure_ascii=False, default=_python_value) + "\n").encode()
        with storage_trouble(f"cannot write in {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
        for file_name, data in contents.items():
            write_whole(folder / file_name, data)
        return [folder / file_name for file_name in contents]


def read(folder: Path | str) -> Run:
    """The Run that `Run.save` wrote into a folder.

    Raises:
        StorageError: a file is missing or unreadable, or the tables are no longer those of the digest.
    """
    import pyarrow.parquet

    folder = Path(folder)
    try:
        about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        columns = {name: pyarrow.parquet.read_table(folder / f"{name}.parquet").to_pydict() for name in COLUMNS}
        provenance = about["provenance"]
        scenario = Scenario.model_validate(provenance["scenario"])
        tables = Tables({name: checked(name, columns[name]) for name in COLUMNS})
        run = Run(scenario, provenance["seed"], tables, about["diagnostics"], provenance)
        intact = run.digest == about["digest"]
    except (OSError, KeyError, TypeError, ValueError, EvsimError) as error:  # pyarrow's and pydantic's are ValueErrors
        reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        raise StorageError(
            f"{folder}: no run can be read here ({reason}); name a folder that a run was saved to"
        ) from error
    if not intact:
        raise StorageError(f"{folder}: the tables are not those of the run's digest; run the scenario again")
    return run


def _provenance(scenario: Scenario, seed: int) -> dict[str, Any]:
    """Where a run came from: the whole scenario, its seed, versions, and digests of the data it read."""
    from evsim.data import data_digests

    about = {"versions": dict(_versions()), "data": data_digests()}
    return {"scenario": scenario.model_dump(mode="json"), "seed": seed, **about}


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    """What is installed, by name; a process has imported it and will see no other."""
    return ("python", interpreter.python_version()), *((name, version(name)) for name in VERSIONED)


def _by_year(values: pd.Series) -> dict[int, float]:
    """A series over years as a plain dict."""
    return {int(year): float(value) for year, value in zip(values.index.to_numpy(), values.to_numpy(), strict=True)}


def _shares(market: pd.DataFrame, by: str) -> dict[str, float]:
    """Shares of units by a text column, largest first, names without cars left out."""
    units = market.groupby(by)["units"].sum()
    units = units[units > 0].sort_values(ascending=False, kind="stable")
    return {str(name): float(share) for name, share in (units / units.sum()).items()}


def _python_value(value: Any) -> Any:
    """A numpy scalar or array as plain Python, for JSON."""
    return value.tolist()
