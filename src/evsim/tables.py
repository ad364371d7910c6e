"""The tables of a run: what every column means, how values are kept, and the books that must balance.

`COLUMNS` is the one home of the columns' units and descriptions; frames, files, figures and notebooks read it. A column
is kept as its unit says (text, yes or no, whole numbers, 8-byte numbers), whatever type a pandas would give.
Month 0, the base date, is the first month of `market` and `headline`; sums over time leave it out.
"""

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from evsim.errors import EvsimError

TEXT_UNITS = frozenset({"month", "name", "choice", "text"})
WHOLE_UNITS = frozenset({"year", "fifth", "brands", "moves", "rounds"})
MAY_BE_EMPTY = frozenset({"decisions", "reviews", "admissions", "benefits", "exits"})  # tables of what need not happen
TOLERANCE = 1e-9  # relative, of the books


class Column(NamedTuple):
    """What a column holds; `nullable` columns may be empty where the description says so."""

    unit: str
    description: str
    nullable: bool = False


MONTH = Column("month", "month, YYYY-MM")
PLATFORM = Column("name", "software stack; `none` and `supplier` are no ecosystem")
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "market": {
        "month": MONTH,
        "product": Column("name", "line for sale"),
        "brand": Column("name", "brand on the car"),
        "automaker": Column("name", "firm that builds and sells it"),
        "kind": Column("choice", "kind of the automaker: alliance_oem, independent or incumbent"),
        "camp": Column("choice", "alliance if sold in mode alliance, else the kind, alliance_oem as incumbent"),
        "platform": PLATFORM,
        "mode": Column("choice", "alliance, inside, components, hardware_only, in_house or supplier"),
        "powertrain": Column("choice", "ice, bev, phev or erev"),
        "size_class": Column("choice", "size class A00 to D"),
        "price": Column("kCNY", "posted price of a car, VAT included"),
        "buyer_price": Column(
            "kCNY",
            "what buyers of the month paid for a car on average, after purchase tax and subsidies; if none: what one "
            "without claims would",
        ),
        "marginal_cost": Column(
            "kCNY", "cost of one more car, with fees per car and the credits it takes, less those it earns"
        ),
        "orders": Column("cars per month", "cars ordered"),
        "units": Column("cars per month", "cars delivered"),
        "backlog": Column("cars", "cars ordered and not delivered at the end of the month"),
    },
    "automakers": {
        "month": MONTH,
        "automaker": Column("name", "firm"),
        "group": Column("name", "group the firm belongs to"),
        "kind": Column("choice", "alliance_oem, independent or incumbent"),
        "units": Column("cars per month", "cars delivered"),
        "revenue": Column("kCNY per month", "sales, net of VAT"),
        "royalties": Column("kCNY per month", "revenue share, fees per car and fixed fees paid to the platform firm"),
        "costs": Column("kCNY per month", "cost of the cars delivered, without royalties"),
        "fixed_costs": Column("kCNY per month", "costs that do not vary with output"),
        "rd": Column("kCNY per month", "software research and development, attempts at a stack of one's own included"),
        "investment": Column("kCNY per month", "conversion, launch and exit costs"),
        "credits": Column(
            "kCNY per month", "received from other automakers for credits for new-energy cars, less paid"
        ),
        "profit": Column("kCNY per month", "revenue and credits less royalties, costs, fixed costs, rd and investment"),
        "cash": Column("kCNY", "cash at the end of the month"),
        "capacity": Column("cars per month", "cars the plants can build"),
        "backlog": Column("cars", "cars ordered and not delivered at the end of the month"),
    },
    "orchestrator": {
        "month": MONTH,
        "royalties": Column("kCNY per month", "revenue share, fees per car and fixed fees received"),
        "parts_costs": Column(
            "kCNY per month", "cost of the stack's parts and of the shops that the platform firm bears"
        ),
        "rd": Column("kCNY per month", "research and development of the platform"),
        "profit": Column("kCNY per month", "royalties less parts, research and development"),
        "members": Column("brands", "brands sold in mode alliance"),
        "insiders": Column("brands", "brands sold in mode inside"),
    },
    "government": {
        "month": MONTH,
        "vat": Column("kCNY per month", "value-added tax received"),
        "purchase_tax": Column("kCNY per month", "purchase tax received, after waivers"),
        "tax_waived": Column("kCNY per month", "purchase tax waived"),
        "subsidies": Column("kCNY per month", "subsidies paid to buyers"),
        "net": Column("kCNY per month", "VAT and purchase tax less subsidies"),
    },
    "households": {
        "month": MONTH,
        "income_group": Column("fifth", "fifth of the population by income, 1 the poorest"),
        "shoppers": Column("households per month", "households that went shopping"),
        "units": Column("cars per month", "cars delivered to them"),
        "surplus": Column(
            "kCNY per month", "what they would pay to have gone shopping rather than keep their old cars, in all"
        ),
        "staying": Column(
            "kCNY per month", "part of the surplus: what staying with their stack or brand is worth to buyers"
        ),
        "benefits": Column("kCNY per month", "subsidies paid and purchase tax waived on the cars delivered to them"),
    },
    "platforms": {
        "month": MONTH,
        "platform": PLATFORM,
        "ecosystem": Column("yes or no", "whether the stack is an ecosystem that can hold its owners"),
        "quality": Column("kCNY", "software quality: what the buyer of median income would pay for it"),
        "base": Column("cars", "cars on the road with this stack"),
        "units": Column("cars per month", "cars delivered"),
        "share": Column("fraction", "share of cars delivered"),
        "repeat_rate": Column(
            "fraction", "owners of this stack who bought it again, of those who bought; empty: none", True
        ),
    },
    "switching": {
        "year": Column("year", "calendar year"),
        "from_platform": Column("name", "stack of the car owned; `first car` for buyers without one"),
        "to_platform": Column("name", "stack of the car bought"),
        "buyers": Column("cars per year", "buyers who went from the one to the other"),
    },
    "decisions": {
        "month": Column("month", "month of the review, YYYY-MM"),
        "automaker": Column("name", "firm that chose"),
        "brand": Column("name", "its brand"),
        "way": Column(
            "choice", "mode it could choose: alliance, inside, components, in_house, supplier, or none (not sold)"
        ),
        "platform": PLATFORM,
        "market_profit": Column("kCNY", "present value of the maker's profit before royalties, all its brands"),
        "royalty": Column("kCNY", "present value of what it would pay the platform firm, negative"),
        "fixed": Column("kCNY", "fixed fees, own research, conversion, launch and exit, negative"),
        "autonomy": Column("kCNY", "what it would give not to depend on the platform firm, negative"),
        "volume": Column("kCNY", "what volume is worth to it beside profit"),
        "option": Column("kCNY", "value of what can still be done later; of an attempt: that it may fail"),
        "value": Column("kCNY", "sum of the parts"),
        "resistance": Column(
            "kCNY", "what keeps the brand as it is, revealed at the base date; on its present mode, else 0"
        ),
        "unseen": Column("kCNY", "what the maker saw in it beside the parts: the draw of this brand, mode and review"),
        "chance": Column("fraction", "chance of this choice before that draw"),
        "months": Column("months", "time until cars are sold in this way"),
        "build": Column("yes or no", "whether it is an attempt at a stack of one's own"),
        "closed": Column("text", "why it was not open; empty: it was"),
        "present": Column("yes or no", "whether the brand was in it"),
        "chosen": Column("yes or no", "whether it was chosen"),
        "turning_term": Column(
            "text", "the part whose smallest change would have made it the choice; empty: none, or it was"
        ),
        "turning_change": Column("fraction", "that change, of the part; empty: none", True),
    },
    "reviews": {
        "month": Column("month", "month of the review, YYYY-MM"),
        "choosing": Column("brands", "brands that chose"),
        "bound": Column("brands", "brands bound by a contract, or on their way to another mode, after the review"),
        "moves": Column("moves", "choices changed, one at a time"),
        "rounds": Column("rounds", "rounds until nobody moved, the last included"),
        "settled": Column("yes or no", "whether it came to rest within the bound on rounds"),
        "members": Column("brands", "brands in mode alliance once all that is decided is in force"),
        "would_leave": Column(
            "brands", "of the members that chose, those that only their draws keep: 0 is internal stability"
        ),
        "would_join": Column(
            "brands", "of the others, those that only their draws keep out of the alliance: 0 is external stability"
        ),
        "members_from_nobody": Column(
            "brands", "members where the brands that might move end from nobody, others as they are"
        ),
        "members_from_everybody": Column("brands", "the same from everybody"),
        "revenue_share": Column("fraction", "the platform firm's share of the price net of VAT in mode alliance"),
        "unit_fee": Column("kCNY", "its fee a car in mode alliance"),
        "research": Column("bn CNY per year", "its research"),
    },
    "admissions": {
        "month": Column("month", "month of the review, YYYY-MM"),
        "applicant": Column("name", "brand that asked for the full stack"),
        "way": Column("choice", "mode it asked for: alliance or inside"),
        "welcome": Column("yes or no", "whether it was let in"),
        "leader_gain": Column("kCNY per year", "what the platform firm gains by it"),
        "member": Column("text", "a brand on the full stack already; empty: there was none"),
        "profit": Column("kCNY per year", "its profit without the applicant"),
        "change": Column("kCNY per year", "what the applicant does to it"),
    },
    "benefits": {
        "month": MONTH,
        "name": Column("name", "the instrument: its name, for the record with its first month, powertrains and amount"),
        "kind": Column("choice", "per_unit, ad_valorem or tax_exemption"),
        "cars": Column("cars per month", "cars delivered to buyers who got it"),
        "paid": Column(
            "kCNY per month", "what it alone would have given them: together exemptions never exceed the tax"
        ),
    },
    "exits": {
        "month": MONTH,
        "name": Column("name", "automaker or software stack"),
        "event": Column("choice", "stopped: an automaker out of cash; orphaned: a stack that nobody supports any more"),
    },
    "headline": {
        "month": MONTH,
        "units": Column("cars per month", "cars delivered"),
        "alliance_share": Column("fraction", "cars sold in mode alliance, of cars delivered"),
        "independent_share": Column("fraction", "independents' cars, of cars delivered"),
        "incumbent_share": Column("fraction", "incumbents' cars, of cars delivered"),
        "nev_penetration": Column("fraction", "bev, phev and erev, of cars delivered"),
        "mean_price": Column("kCNY", "mean posted price of cars delivered"),
        "outside_share": Column("fraction", "shoppers who kept their car"),
        "repeat_rate": Column(
            "fraction", "owners in an ecosystem who bought it again, of those who bought; empty: none", True
        ),
        "brand_repeat_rate": Column(
            "fraction", "owners who bought their brand again, of those who bought; empty: none", True
        ),
        "hhi_brand": Column("HHI points", "Herfindahl index of brands, 0 to 10 000"),
        "hhi_automaker": Column("HHI points", "Herfindahl index of automakers, 0 to 10 000"),
        "hhi_platform": Column("HHI points", "Herfindahl index of platforms, 0 to 10 000"),
        "alliance_cumulative_deliveries": Column("cars", "alliance cars delivered since the first simulated month"),
        "price_residual": Column(
            "kCNY", "largest first-order residual of the month's prices, before the cut of a price war"
        ),
        "software_advantage": Column("kCNY", "quality of the alliance's stack less the mean of independents' stacks"),
        "pack_price": Column("kCNY per kWh", "price of a battery pack"),
        "chargers": Column("index", "public chargers, base date = 1"),
        "co2": Column("tons per month", "CO2 of driving the cars that households hold, those bought used left out"),
    },
}


def columns_table() -> pd.DataFrame:
    """Table, column, unit and description of every column."""
    rows = [
        {"table": table, "column": name, "unit": column.unit, "description": column.description}
        for table, columns in COLUMNS.items()
        for name, column in columns.items()
    ]
    return pd.DataFrame(rows)


class Tables(Mapping[str, pd.DataFrame]):
    """The tables of a run: columns as they are, a frame of a table once it is asked for (of millions of runs none is)."""

    def __init__(self, columns: Mapping[str, Mapping[str, np.ndarray]]):
        self.columns = columns  # table -> column -> values, as `checked` gives them
        self._frames: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            self._frames[name] = _frame(name, self.columns[name])
        return self._frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


def frame(table: str, record: Mapping[str, Any]) -> pd.DataFrame:
    """A table as a frame with `units` and `descriptions` in `.attrs`.

    Raises:
        EvsimError: as `checked`.
    """
    return _frame(table, checked(table, record))


def checked(table: str, record: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """A table's columns in their order, each as its unit says, for nobody to change.

    Raises:
        EvsimError: a column is missing, not described in `COLUMNS`, of another type, or empty where it may not be.
    """
    columns = COLUMNS[table]
    if set(record) != set(columns):
        missing, unknown = sorted(set(columns) - set(record)), sorted(set(record) - set(columns))
        raise EvsimError(f"table {table}: columns missing {missing}, unknown {unknown}; expected {list(columns)}")
    result = {name: plain(table, name, record[name]) for name in columns}
    for values in result.values():
        values.setflags(write=False)
    return result


def _frame(table: str, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """A frame of checked columns."""
    result = pd.DataFrame(columns)
    result.attrs["units"] = {name: column.unit for name, column in COLUMNS[table].items()}
    result.attrs["descriptions"] = {name: column.description for name, column in COLUMNS[table].items()}
    return result


def plain(table: str, name: str, values: Any) -> np.ndarray:
    """A column's values in an array of their own, as its unit says: text, yes or no, whole numbers, else 8-byte numbers."""
    column = COLUMNS[table][name]
    empty: Any = False
    if column.unit in TEXT_UNITS:
        result = np.array(values, dtype=object)
        if not all(issubclass(kind, str) for kind in set(map(type, result))):
            empty = [not isinstance(value, str) for value in result]
    elif column.unit == "yes or no":
        result = np.array(values, dtype=bool)
    elif column.unit in WHOLE_UNITS:
        result = np.array(values, dtype="int64")
    else:
        result = np.array(values, dtype="float64")
        empty = ~np.isfinite(result) & ~(np.isnan(result) & column.nullable)
    if np.any(empty):
        row, wanted = int(np.argmax(empty)), "text" if column.unit in TEXT_UNITS else "a finite number"
        raise EvsimError(f"table {table}, column {name}: row {row} is {values[row]!r}; it must hold {wanted}")
    return result


def canonical(table: str, name: str, values: Any) -> bytes:
    """A column's values as bytes that depend on nothing else: not the byte order, the sign of zero, the kind of nan."""
    array = plain(table, name, values)
    if array.dtype == object:
        return b"\x00".join(text.encode() for text in array)
    if array.dtype.kind == "f":
        return np.where(np.isnan(array), np.nan, array + 0.0).astype("<f8").tobytes()
    return array.astype("<i8").tobytes()


def parquet(table: str, values: pd.DataFrame) -> bytes:
    """A table as Parquet, with unit and description on every field; nan becomes null."""
    import pyarrow
    import pyarrow.parquet

    kinds = {"O": pyarrow.string(), "b": pyarrow.bool_(), "i": pyarrow.int64(), "f": pyarrow.float64()}
    fields, arrays = [], []
    for name, column in COLUMNS[table].items():
        array = plain(table, name, values[name].to_numpy())
        kind = kinds[array.dtype.kind]
        about = {"unit": column.unit, "description": column.description}
        fields.append(pyarrow.field(name, kind, nullable=column.nullable, metadata=about))
        arrays.append(pyarrow.array(array, kind, from_pandas=True))
    buffer = BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)), buffer)
    return buffer.getvalue()


def check_books(tables: Mapping[str, Any]) -> None:
    """Check that money and cars balance in every month after the base date, to 1e-9 of the largest sum in each balance.

        Σ buyer_price · units = revenue + VAT + purchase tax − subsidies
        backlog before + orders = units + backlog after
        royalties paid = royalties received; credits paid for = credits sold; each profit and balance is the sum of its parts
        benefits and cars by income = those in all

    Args:
        tables: frames, or columns by name.
    Raises:
        EvsimError: naming the balance, the month and by how much it fails.
    """
    months = [str(month) for month in tables["headline"]["month"]]
    cars = _MonthlySums(tables["market"], months)
    firms, stacks, buyers = (_MonthlySums(tables[name], months) for name in ("automakers", "platforms", "households"))
    leader, state, headline = (
        _MonthlySums(tables[name], months) for name in ("orchestrator", "government", "headline")
    )
    paid = cars.of(cars.values("buyer_price") * cars.values("units"))
    allied = cars.of(np.where(cars.values("camp") == "alliance", cars.values("units"), 0.0))
    sellers, cumulative = firms.of(np.maximum(firms.values("credits"), 0.0)), headline["alliance_cumulative_deliveries"]
    spent = ("royalties", "costs", "fixed_costs", "rd", "investment")
    balances = {
        "buyers' payments": [paid, -firms["revenue"], -state["vat"], -state["purchase_tax"], state["subsidies"]],
        "cars ordered": [_before(cars["backlog"]), cars["orders"], -cars["units"], -cars["backlog"]],
        "cars delivered by automakers": [cars["units"], -firms["units"]],
        "cars delivered by platforms": [cars["units"], -stacks["units"]],
        "cars delivered in the headline": [cars["units"], -headline["units"]],
        "backlog of automakers": [cars["backlog"], -firms["backlog"]],
        "alliance cars so far": [_before(cumulative), allied, -cumulative],
        "royalties": [firms["royalties"], -leader["royalties"]],
        "automakers' profit": [
            firms["revenue"],
            firms["credits"],
            -firms["profit"],
            *(-firms[cost] for cost in spent),
        ],
        "credits": [sellers, firms["credits"] - sellers],
        "platform firm's profit": [leader["royalties"], -leader["parts_costs"], -leader["rd"], -leader["profit"]],
        "benefits": [buyers["benefits"], -state["subsidies"], -state["tax_waived"]],
        "cars of households": [buyers["units"], -headline["units"]],
        "government's balance": [state["vat"], state["purchase_tax"], -state["subsidies"], -state["net"]],
    }
    for name, terms in balances.items():
        _check_balance(name, months[1:], np.array(terms)[:, 1:])


class _MonthlySums:
    """Sums of a table's columns by month, `[T]`; nan in a month that the table lacks."""

    def __init__(self, table: Any, months: list[str]):
        place, others = {month: number for number, month in enumerate(months)}, len(months)
        self._table, self._size = table, others + 1
        self._month = np.array([place.get(month, others) for month in table["month"]], dtype=np.int64)
        self._lacking = np.bincount(self._month, minlength=self._size) == 0

    def values(self, column: str) -> np.ndarray:
        """The column itself."""
        return np.asarray(self._table[column])

    def of(self, values: np.ndarray) -> np.ndarray:
        """Sums of values, one a row of the table."""
        return np.where(self._lacking, np.nan, np.bincount(self._month, values, self._size))[:-1]

    def __getitem__(self, column: str) -> np.ndarray:
        """Sums of a column."""
        return self.of(self.values(column))


def _before(values: np.ndarray) -> np.ndarray:
    """Each month's value in the month before; nan before the first."""
    return np.append(np.nan, values[:-1])


def _check_balance(name: str, months: list[str], terms: np.ndarray) -> None:
    """Terms `[n, T]` must sum to zero in every month, relative to the largest of them."""
    off, largest = np.abs(terms.sum(axis=0)), np.fmax.reduce(np.abs(terms), axis=0)
    wrong = ~(off <= TOLERANCE * largest)  # a month that is missing from a table is nan, and wrong
    if wrong.any():
        first = int(wrong.argmax())
        raise EvsimError(
            f"books: {name} do not balance in {months[first]}: off by {off[first]:.6g} of {largest[first]:.6g}"
        )
