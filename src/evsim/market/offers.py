"""Cars for sale as columns; launches, refreshes and withdrawals.

Rows are made once, for every line of the base table and every line the launch calendar will open, and keep their number for
the whole run; `on_sale` says which are offered. What a buyer sees alike in all households is

    quality_j = ξ_j + ln n_j + β_h (h_j − h_j0) + θ ln((N_0 + N_g) / (N_0 + N_g0)) + lent trust + χ electric_j ln(chargers)
                − ageing (age_j − age_j0) − wait cost · months in the maker's queue

with everything that ξ absorbs at the base date written as a change since then. A line pools n nameplates whose refreshes are
staggered over the cycle of R months, so its mean age is a sawtooth of height R/n, not of height R.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..params import Scenario, month_number
from ..params.market import MarketParams
from ..streams import Purpose, bounded_normal, key_of, uniform
from .lines import POWERTRAINS, SIZE_CLASSES, line_name, tier_name, tier_of

MODES = ("supplier", "in_house", "hardware_only", "components", "inside", "alliance")
MODE = {name: code for code, name in enumerate(MODES)}
# Share of the distance driven electrically: plug-in hybrids 0.53 to 0.68 for 50 to 80 km of range, range extenders 0.62 to
# 0.70 (utility factors and fleet figures of 2021-2023)
ELECTRIC_SHARE = {"ice": 0.0, "bev": 1.0, "phev": 0.6, "erev": 0.66}


@dataclass
class Names:
    """Names behind the codes; a name's code is its place."""

    brands: list[str] = field(default_factory=list)
    automakers: list[str] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)

    @staticmethod
    def code(names: list[str], name: str) -> int:
        """Place of a name, added at the end if new."""
        if name not in names:
            names.append(name)
        return names.index(name)


@dataclass(frozen=True)
class Launch:
    """One dated event of the calendar, resolved to a row of the offers."""

    month: int  # from the base date
    row: int
    event: str  # opens: the row goes on sale; adds: one more nameplate in a line on sale; refreshes: a nameplate is renewed


@dataclass
class Offers:
    """Columns of all lines, `[J]`."""

    product: list[str]
    key: np.ndarray  # names the row's draws
    brand_key: np.ndarray  # names its brand's draws
    brand: np.ndarray
    automaker: np.ndarray
    platform: np.ndarray
    mode: np.ndarray
    powertrain: np.ndarray
    size_class: np.ndarray
    tier: np.ndarray
    electric: np.ndarray  # share of the distance driven electrically
    premium: np.ndarray  # 1.0: foreign premium marque
    pooled: np.ndarray
    nameplates: np.ndarray
    price: np.ndarray  # posted, kCNY
    base_price: np.ndarray  # of the table, or of the launch
    base_units: np.ndarray  # of the table, cars per month; 0 for lines to come
    quality: np.ndarray  # ξ, utils
    launch_quality: np.ndarray  # ξ that the launch regression gives the line, utils
    cost: np.ndarray  # of the car before fees, at base battery prices, kCNY
    pack_kwh: np.ndarray
    hardware_gap: np.ndarray  # distance to the frontier at the base date
    hardware: np.ndarray  # gap closed since
    refreshed: np.ndarray  # month of the last refresh of one of the line's nameplates
    cycle: np.ndarray  # months between two refreshes in the line
    first_age: np.ndarray  # age_j0
    settled: np.ndarray  # on sale during the whole base window: its sales are no ramp-up
    on_sale: np.ndarray

    def __len__(self) -> int:
        return len(self.product)

    def age(self, month: int) -> np.ndarray:
        """Months since a nameplate of the line was refreshed, in its cycle."""
        return np.mod(month - self.refreshed, self.cycle)


def make_offers(
    lines: pd.DataFrame, launches: pd.DataFrame, traits: "Traits", names: Names, scenario: Scenario
) -> tuple[Offers, list[Launch]]:
    """Rows of the base lines, then of the lines to come, and the calendar that opens them.

    Args:
        lines: base lines as `lines_of` makes them.
        launches: launches and variants after the base date, with columns month, product, brand, automaker, group,
            powertrain, size_class, platform, mode, price (kCNY).
        traits: what is known about brands and cars beside the table.
        names: codes are given here.
    """
    future, events = _future_lines(lines, launches, scenario.market)
    lines = lines.assign(opens=0)
    table = pd.concat([lines, future], ignore_index=True) if len(future) else lines
    n_lines = len(table)
    months_to_base = month_number(scenario.start) - 1
    nameplates = table["nameplates"].to_numpy(dtype=float).copy()
    cycle = np.maximum(scenario.products.refresh_months / np.maximum(nameplates, 1.0), 1.0)
    keys = np.array([key_of(product) for product in table["product"]], dtype=np.int64)
    phase = np.array([uniform(scenario.seed, Purpose.CYCLE, 0, int(key), 0) for key in keys])
    opens = table["opens"].to_numpy(dtype=np.int64)
    refreshed = np.where(opens > 0, opens - months_to_base, -np.floor(phase * cycle))
    offers = Offers(
        product=list(table["product"]),
        key=keys,
        brand_key=np.array([key_of(brand) for brand in table["brand"]], dtype=np.int64),
        brand=_codes(table["brand"], names.brands),
        automaker=_codes(table["automaker"], names.automakers),
        platform=_codes(table["platform"], names.platforms),
        mode=np.array([MODE[mode] for mode in table["mode"]]),
        powertrain=np.array([POWERTRAINS.index(name) for name in table["powertrain"]]),
        size_class=np.array([SIZE_CLASSES.index(name) for name in table["size_class"]]),
        tier=table["tier"].to_numpy(dtype=np.int64).copy(),
        electric=np.array([ELECTRIC_SHARE[name] for name in table["powertrain"]]),
        premium=np.array([1.0 if brand in traits.premium_brands else 0.0 for brand in table["brand"]]),
        pooled=table["pooled"].to_numpy(dtype=bool).copy(),
        nameplates=nameplates,
        price=table["price"].to_numpy(dtype=float).copy(),
        base_price=table["price"].to_numpy(dtype=float).copy(),
        base_units=table["units"].to_numpy(dtype=float).copy(),
        quality=np.zeros(n_lines),
        launch_quality=np.zeros(n_lines),
        cost=np.zeros(n_lines),
        pack_kwh=np.array([traits.pack_kwh(row.powertrain, row.size_class) for row in table.itertuples()]),
        hardware_gap=np.array([_hardware_gap(row, traits, scenario) for row in table.itertuples()]),
        hardware=np.zeros(n_lines),
        refreshed=refreshed,
        cycle=cycle,
        first_age=np.zeros(n_lines),
        settled=table["settled"].to_numpy(dtype=bool).copy(),
        on_sale=opens == 0,
    )
    offers.first_age = np.where(offers.on_sale, offers.age(0), 0.0)
    return offers, [Launch(month - months_to_base, row, event) for month, row, event in events]


@dataclass(frozen=True)
class Traits:
    """What is known about brands, makers and cars beside the market table."""

    premium_brands: frozenset[str]
    kind: dict[str, str]  # automaker -> alliance_oem, independent, incumbent
    pack: dict[tuple[str, str], float]  # (powertrain, size class) -> kWh

    def pack_kwh(self, powertrain: str, size_class: str) -> float:
        """Battery of a car, kWh; 0 for petrol cars."""
        return self.pack.get((powertrain, size_class), 0.0)


def _codes(column, names: list[str]) -> np.ndarray:
    return np.array([Names.code(names, name) for name in column], dtype=np.int64)


def _hardware_gap(row, traits: Traits, scenario: Scenario) -> float:
    """Distance to the frontier of electric hardware: incumbents start behind, the others at it."""
    electric = ELECTRIC_SHARE[row.powertrain]
    behind = traits.kind.get(row.automaker, "incumbent") != "independent"
    return scenario.products.hardware_gap * electric if behind else 0.0


def _future_lines(lines: pd.DataFrame, launches: pd.DataFrame, params: MarketParams):
    """Lines that the calendar will open, and its events as (month, row, what happens)."""
    book = _LineBook(lines, params)
    future: list[dict] = []
    events = []
    for launch in launches.itertuples():
        month, row = month_number(launch.month), book.row_of(launch)
        if launch.event == "relaunch":
            if row is not None:
                events.append((month, row, "refreshes"))
        elif row is not None:
            events.append((month, row, "adds"))
        else:
            name = book.enter(launch, len(lines) + len(future))
            future.append(
                {
                    "product": name,
                    "brand": launch.brand,
                    "automaker": launch.automaker,
                    "group": launch.group,
                    "powertrain": launch.powertrain,
                    "size_class": launch.size_class,
                    "platform": launch.platform,
                    "tier": tier_of(launch.price, params.price_tiers),
                    "mode": launch.mode,
                    "units": 0.0,
                    "price": launch.price,
                    "nameplates": 1.0,
                    "pooled": False,
                    "list_ratio": 1.0,
                    "settled": False,
                    "opens": month,
                }
            )
            events.append((month, len(lines) + len(future) - 1, "opens"))
    return pd.DataFrame(future, columns=[*lines.columns, "opens"]), events


class _LineBook:
    """Which line a launch belongs to, and names for new ones."""

    def __init__(self, lines: pd.DataFrame, params: MarketParams):
        self.params, self.compact = params, params.granularity == "compact"
        self.names = set(lines["product"])
        self.rows: dict[tuple, int] = {}
        for row in lines[~lines["pooled"]].itertuples():
            self.rows[self._key(row, row.tier)] = row.Index

    def _key(self, row, tier: int) -> tuple:
        return (row.brand, row.automaker, row.powertrain, tier, row.platform) if self.compact else (row.product,)

    def row_of(self, launch) -> int | None:
        """The line's row, if there is one already."""
        key = self._key(launch, tier_of(launch.price, self.params.price_tiers))
        if not self.compact and launch.event == "relaunch":
            key = (launch.of_products.split(";")[0] or launch.product,)
        return self.rows.get(key)

    def enter(self, launch, row: int) -> str:
        """Note a new line and give it a name of its own."""
        tier = tier_of(launch.price, self.params.price_tiers)
        name = launch.product
        if self.compact:
            words = (
                launch.brand,
                launch.automaker,
                launch.powertrain,
                tier_name(tier, self.params.price_tiers),
                launch.platform,
            )
            name = line_name(*words)
            name = line_name(*words, ambiguous=True) if name in self.names else name
        self.names.add(name)
        self.rows[self._key(launch, tier)] = row
        return name


def regressors(offers: Offers, rows: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Design of the launch regressions: constant, ln price, powertrains, size classes, foreign premium marque, `[n, 11]`."""
    columns = [np.ones(len(rows)), np.log(price)]
    columns += [(offers.powertrain[rows] == code).astype(float) for code in range(1, len(POWERTRAINS))]
    columns += [(offers.size_class[rows] == code).astype(float) for code in range(1, len(SIZE_CLASSES))]
    columns.append(offers.premium[rows])
    return np.column_stack(columns)


def place_launches(offers: Offers, seed: int, brand_spread: float, line_spread: float) -> dict[str, float]:
    """Quality and cost of lines to come, from their peers in brand, class and price; never from their own later sales.

        ξ_j = x_j' b + brand + line_spread z_j,   ln c_j = x_j' g

    b and g are least-squares fits of the base lines' ξ and ln c, without pooled lines and lines in their ramp-up. `brand` is
    the mean residual of the brand's lines, or of its maker's if the brand is new, shrunk by n/(n + 1); a brand without either
    has brand_spread z_b. z are keyed draws, once per brand and once per line, from a normal cut at 2 spreads: one brand in
    three hundred would else be beyond everything seen, and its luck the story of the run.

    Returns:
        R² of both regressions and the standard deviation of quality's residuals, for the record.
    """
    known = np.flatnonzero((offers.base_units > 0) & offers.settled & ~offers.pooled)
    future = np.flatnonzero(offers.base_units == 0)
    fitted = regressors(offers, known, offers.base_price[known])
    quality_fit = np.linalg.lstsq(fitted, offers.quality[known], rcond=None)[0]
    cost_fit = np.linalg.lstsq(fitted, np.log(offers.cost[known]), rcond=None)[0]
    residual = offers.quality[known] - fitted @ quality_fit
    offers.launch_quality = offers.quality.copy()
    rows = np.flatnonzero(~offers.pooled)
    expected = regressors(offers, rows, offers.base_price[rows]) @ quality_fit
    for row, mean_quality in zip(rows, expected, strict=True):
        brand_effect = _brand_effect(offers, int(row), known, residual)
        if brand_effect is None:
            brand_effect = brand_spread * bounded_normal(seed, Purpose.LAUNCH, 0, int(offers.brand_key[row]), 0)
        luck = line_spread * bounded_normal(seed, Purpose.LAUNCH, 0, int(offers.key[row]), 1)
        offers.launch_quality[row] = mean_quality + brand_effect + luck
    offers.quality[future] = offers.launch_quality[future]
    offers.cost[future] = np.exp(regressors(offers, future, offers.base_price[future]) @ cost_fit)
    return {
        "quality_r2": _r_squared(offers.quality[known], fitted @ quality_fit),
        "cost_r2": _r_squared(np.log(offers.cost[known]), fitted @ cost_fit),
        "quality_residual_sd": float(np.std(residual)),
    }


def _brand_effect(offers: Offers, row: int, known: np.ndarray, residual: np.ndarray) -> float | None:
    """Mean residual of the peers of a line, shrunk by n/(n + 1); None if it has none."""
    for codes in (offers.brand, offers.automaker):
        peers = residual[codes[known] == codes[row]]
        if len(peers):
            return float(peers.mean()) * len(peers) / (len(peers) + 1.0)
    return None


def _r_squared(observed: np.ndarray, fitted: np.ndarray) -> float:
    return float(1.0 - np.var(observed - fitted) / np.var(observed))
