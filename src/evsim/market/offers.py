"""Cars for sale as columns; launches, refreshes and withdrawals.

Rows are made once, for every line of the base table and every line the launch calendar will open, and keep their number for
the whole run; `on_sale` says which are offered. What a buyer sees alike in all households is

    quality_j = ξ_j + ln n_j + β_h (h_j − h_j0) + θ ln((N_0 + N_g) / (N_0 + N_g0)) + lent trust + χ electric_j ln(chargers)
                − ageing (age_j − age_j0)

with everything that ξ absorbs at the base date written as a change since then. A line pools n nameplates whose refreshes are
staggered over the cycle of R months, so its mean age is a sawtooth of height R/n, not of height R.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..params import Scenario, month_number
from ..params.market import MarketParams
from ..streams import Purpose, key_of, normal, uniform
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
    opens: bool  # the row goes on sale
    adds: bool  # one more nameplate in a line that is on sale


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
    cost: np.ndarray  # of the car before fees, at base battery prices, kCNY
    pack_kwh: np.ndarray
    hardware_gap: np.ndarray  # distance to the frontier at the base date
    hardware: np.ndarray  # gap closed since
    refreshed: np.ndarray  # month of the last refresh of one of the line's nameplates
    cycle: np.ndarray  # months between two refreshes in the line
    first_age: np.ndarray  # age_j0
    on_sale: np.ndarray

    def __len__(self) -> int:
        return len(self.product)

    def age(self, month: int) -> np.ndarray:
        """Months since a nameplate of the line was refreshed, in its cycle."""
        return np.mod(month - self.refreshed, self.cycle)


def make_offers(lines: pd.DataFrame, launches: pd.DataFrame, traits: "Traits", names: Names, scenario: Scenario
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
    table = pd.concat([lines.assign(opens=0), future], ignore_index=True)
    n_lines = len(table)
    months_to_base = month_number(scenario.start) - 1
    nameplates = table["nameplates"].to_numpy(dtype=float).copy()
    cycle = np.maximum(scenario.products.refresh_months / np.maximum(nameplates, 1.0), 1.0)
    keys = np.array([key_of(product) for product in table["product"]], dtype=np.int64)
    phase = np.array([uniform(scenario.seed, Purpose.CYCLE, 0, int(key), 0) for key in keys])
    opens = table["opens"].to_numpy()
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
        cost=np.zeros(n_lines),
        pack_kwh=np.array([traits.pack_kwh(row.powertrain, row.size_class) for row in table.itertuples()]),
        hardware_gap=np.array([_hardware_gap(row, traits, scenario) for row in table.itertuples()]),
        hardware=np.zeros(n_lines),
        refreshed=refreshed,
        cycle=cycle,
        first_age=np.zeros(n_lines),
        on_sale=opens == 0,
    )
    offers.first_age = np.where(offers.on_sale, offers.age(0), 0.0)
    return offers, [Launch(month - months_to_base, row, opens_row, not opens_row) for month, row, opens_row in events]


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
    """Lines that the calendar will open, and its events as (month, row, opens)."""
    compact = params.granularity == "compact"
    rows = {} if not compact else {
        (row.brand, row.automaker, row.powertrain, row.tier, row.platform): row.Index for row in lines.itertuples() if not row.pooled
    }
    used = set(lines["product"])
    future, events = [], []
    for launch in launches.itertuples():
        tier = tier_of(launch.price, params.price_tiers)
        key = (launch.brand, launch.automaker, launch.powertrain, tier, launch.platform)
        month = month_number(launch.month)
        if compact and key in rows:
            events.append((month, rows[key], False))
            continue
        row = len(lines) + len(future)
        rows[key] = row
        name = launch.product
        if compact:
            name = line_name(launch.brand, launch.automaker, launch.powertrain, tier_name(tier, params.price_tiers), launch.platform)
            if name in used:
                name = line_name(launch.brand, launch.automaker, launch.powertrain, tier_name(tier, params.price_tiers),
                                 launch.platform, ambiguous=True)
        elif name in used:
            name = f"{launch.product} ({launch.month})"
        used.add(name)
        future.append({
            "product": name, "brand": launch.brand, "automaker": launch.automaker, "group": launch.group,
            "powertrain": launch.powertrain, "size_class": launch.size_class, "tier": tier, "platform": launch.platform,
            "mode": launch.mode, "units": 0.0, "price": launch.price, "nameplates": 1.0, "pooled": False,
            "list_ratio": 1.0, "opens": month,
        })
        events.append((month, row, True))
    columns = [*lines.columns, "opens"]
    return pd.DataFrame(future, columns=columns), events


def regressors(offers: Offers, rows: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Design of the launch regressions: constant, ln price, powertrains, size classes, foreign premium marque, `[n, 11]`."""
    columns = [np.ones(len(rows)), np.log(price)]
    columns += [(offers.powertrain[rows] == code).astype(float) for code in range(1, len(POWERTRAINS))]
    columns += [(offers.size_class[rows] == code).astype(float) for code in range(1, len(SIZE_CLASSES))]
    columns.append(offers.premium[rows])
    return np.column_stack(columns)


def place_launches(offers: Offers, seed: int, brand_spread: float, line_spread: float) -> dict[str, float]:
    """Quality and cost of lines to come, from their peers in brand, class and price; never from their own later sales.

        ξ_j = x_j' b + brand + brand_spread z_b (new brands) + line_spread z_j,   ln c_j = x_j' g

    b and g are least-squares fits of the base lines' ξ and ln c; `brand` is the mean residual of the brand's base lines,
    shrunk by n/(n + 1). z are keyed draws, once per brand and once per line.

    Returns:
        R² of both regressions and their residual standard deviations, for the record.
    """
    base = np.flatnonzero(offers.base_units > 0)
    future = np.flatnonzero(offers.base_units == 0)
    design = regressors(offers, base, offers.base_price[base])
    known = base[~offers.pooled[base]]
    fitted = regressors(offers, known, offers.base_price[known])
    quality_fit = np.linalg.lstsq(fitted, offers.quality[known], rcond=None)[0]
    cost_fit = np.linalg.lstsq(fitted, np.log(offers.cost[known]), rcond=None)[0]
    residual = offers.quality[base] - design @ quality_fit
    new = regressors(offers, future, offers.base_price[future])
    for row, mean_quality, log_cost in zip(future, new @ quality_fit, new @ cost_fit, strict=True):
        peers = residual[(offers.brand[base] == offers.brand[row]) & ~offers.pooled[base]]
        if len(peers):
            brand_effect = float(peers.mean()) * len(peers) / (len(peers) + 1.0)
        else:
            brand_effect = brand_spread * normal(seed, Purpose.LAUNCH, 0, int(offers.brand_key[row]), 0)
        offers.quality[row] = mean_quality + brand_effect + line_spread * normal(seed, Purpose.LAUNCH, 0, int(offers.key[row]), 1)
        offers.cost[row] = np.exp(log_cost)
    return {
        "quality_r2": _r_squared(offers.quality[known], fitted @ quality_fit),
        "cost_r2": _r_squared(np.log(offers.cost[known]), fitted @ cost_fit),
        "quality_residual_sd": float(np.std(offers.quality[known] - fitted @ quality_fit)),
    }


def _r_squared(observed: np.ndarray, fitted: np.ndarray) -> float:
    return float(1.0 - np.var(observed - fitted) / np.var(observed))
