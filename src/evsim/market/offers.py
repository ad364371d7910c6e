"""Cars for sale as columns.

Rows are made once, for every line of the base table and every line the launch calendar will open, and keep their number for
the whole run; `on_sale` says which are offered. What a buyer sees alike in all households is

    quality_j = ξ_j + ln n_j + β_h (h_j − h_j0) + θ ln((N_0 + N_g) / (N_0 + N_g0)) + lent trust + χ electric_j ln(chargers)
                − ageing (age_j − age_j0) − wait cost · months in the maker's queue

where the installed base, hardware, chargers, age and queues enter as changes since the base date, and lent trust as a level, so
that ξ is net of it. A line pools n nameplates whose refreshes are
staggered over the cycle of R months, so its mean age is a sawtooth of height R/n, not of height R.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..data import by_powertrain
from ..data.market import POWERTRAINS, SIZE_CLASSES
from ..data.membership import MODES
from ..params import Scenario
from ..streams import Purpose, key_of, uniform

MODE = {name: code for code, name in enumerate(MODES)}


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
    markup: np.ndarray  # maker's margin over cost at the base price, or at launch
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


@dataclass(frozen=True)
class Traits:
    """What is known about brands, makers and cars beside the market table."""

    premium_brands: frozenset[str]
    origin: dict[str, str]  # brand -> home country of the marque
    ownership: dict[str, str]  # automaker -> state, private, foreign, joint venture
    kind: dict[str, str]  # automaker -> alliance_oem, independent, incumbent
    pack: dict[tuple[str, str], float]  # (powertrain, size class) -> kWh

    def pack_kwh(self, powertrain: str, size_class: str) -> float:
        """Battery of a car, kWh; 0 for petrol cars."""
        return self.pack.get((powertrain, size_class), 0.0)


def make_offers(lines: pd.DataFrame, future: pd.DataFrame, traits: Traits, names: Names, scenario: Scenario) -> Offers:
    """Rows of the base lines, then of the lines to come.

    Args:
        lines: base lines as `lines_of` makes them, with modes.
        future: lines to come, with the month that opens them, as `market.launches.plan` gives them.
        traits: what is known about brands and cars beside the table.
        names: codes are given here.
    """
    lines = lines.assign(opens=0)
    table = pd.concat([lines, future], ignore_index=True) if len(future) else lines
    n_lines = len(table)
    nameplates = table["nameplates"].to_numpy(dtype=float).copy()
    cycle = np.maximum(scenario.products.refresh_months / np.maximum(nameplates, 1.0), 1.0)
    electric_share = by_powertrain("electric_share")
    keys = np.array([key_of(product) for product in table["product"]], dtype=np.int64)
    phase = np.array([uniform(scenario.seed_of_firms, Purpose.CYCLE, 0, int(key), 0) for key in keys])
    opens = table["opens"].to_numpy(dtype=np.int64)
    refreshed = np.where(opens > 0, opens, -np.floor(phase * cycle))
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
        electric=table["powertrain"].map(electric_share).to_numpy(dtype=float).copy(),
        premium=np.array([1.0 if brand in traits.premium_brands else 0.0 for brand in table["brand"]]),
        pooled=table["pooled"].to_numpy(dtype=bool).copy(),
        nameplates=nameplates,
        price=table["price"].to_numpy(dtype=float).copy(),
        base_price=table["price"].to_numpy(dtype=float).copy(),
        base_units=table["units"].to_numpy(dtype=float).copy(),
        quality=np.zeros(n_lines),
        launch_quality=np.zeros(n_lines),
        cost=np.zeros(n_lines),
        markup=np.zeros(n_lines),
        pack_kwh=np.array([traits.pack_kwh(row.powertrain, row.size_class) for row in table.itertuples()]),
        hardware_gap=table["powertrain"].map(electric_share).to_numpy(dtype=float)
        * [_hardware_gap(automaker, traits, scenario) for automaker in table["automaker"]],
        hardware=np.zeros(n_lines),
        refreshed=refreshed,
        cycle=cycle,
        first_age=np.zeros(n_lines),
        settled=table["settled"].to_numpy(dtype=bool).copy(),
        on_sale=opens == 0,
    )
    offers.first_age = np.where(offers.on_sale, offers.age(0), 0.0)
    return offers


def _codes(column, names: list[str]) -> np.ndarray:
    return np.array([Names.code(names, name) for name in column], dtype=np.int64)


def _hardware_gap(automaker: str, traits: Traits, scenario: Scenario) -> float:
    """Distance of an electric car to the frontier of hardware: independents are at it, everybody else starts behind."""
    return scenario.products.hardware_gap if traits.kind.get(automaker, "incumbent") != "independent" else 0.0
