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
from ..streams import Purpose, key_of, uniforms

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


@dataclass(frozen=True)
class Sheet:
    """What is known of all lines before a run: base lines, then lines to come, `[J]`; arrays are read-only."""

    product: tuple[str, ...]
    brand: tuple[str, ...]
    automaker: tuple[str, ...]
    platform: tuple[str, ...]
    key: np.ndarray  # names the line's draws
    brand_key: np.ndarray  # names its brand's draws
    mode: np.ndarray  # code
    powertrain: np.ndarray  # code
    size_class: np.ndarray  # code
    tier: np.ndarray
    electric: np.ndarray  # share of the distance driven electrically
    premium: np.ndarray  # 1.0: foreign premium marque
    pooled: np.ndarray
    nameplates: np.ndarray
    price: np.ndarray  # kCNY
    units: np.ndarray  # cars per month; 0 for lines to come
    pack_kwh: np.ndarray
    settled: np.ndarray
    opens: np.ndarray  # month from the base date; 0: on sale by then

    def __post_init__(self) -> None:
        for column in vars(self).values():
            if isinstance(column, np.ndarray):
                column.setflags(write=False)


def make_sheet(lines: pd.DataFrame, future: pd.DataFrame, traits: Traits) -> Sheet:
    """Base lines, then lines to come, as columns.

    Args:
        lines: base lines as `lines_of` makes them, with modes.
        future: lines to come, with the month that opens them, as `market.launches.plan` gives them.
        traits: what is known about brands and cars beside the table.
    """
    lines = lines.assign(opens=0)
    table = pd.concat([lines, future], ignore_index=True) if len(future) else lines
    cars = list(zip(table["powertrain"], table["size_class"], strict=True))
    electric_share = by_powertrain("electric_share")
    return Sheet(
        **{name: tuple(table[name]) for name in ("product", "brand", "automaker", "platform")},
        key=np.array([key_of(product) for product in table["product"]], dtype=np.int64),
        brand_key=np.array([key_of(brand) for brand in table["brand"]], dtype=np.int64),
        mode=np.array([MODE[mode] for mode in table["mode"]]),
        powertrain=np.array([POWERTRAINS.index(powertrain) for powertrain, _ in cars]),
        size_class=np.array([SIZE_CLASSES.index(size) for _, size in cars]),
        tier=np.array(table["tier"], dtype=np.int64),
        electric=np.array([electric_share[powertrain] for powertrain, _ in cars], dtype=float),
        premium=np.array([1.0 if brand in traits.premium_brands else 0.0 for brand in table["brand"]]),
        pooled=np.array(table["pooled"], dtype=bool),
        nameplates=np.array(table["nameplates"], dtype=float),
        price=np.array(table["price"], dtype=float),
        units=np.array(table["units"], dtype=float),
        pack_kwh=np.array([traits.pack_kwh(powertrain, size) for powertrain, size in cars]),
        settled=np.array(table["settled"], dtype=bool),
        opens=np.array(table["opens"], dtype=np.int64),
    )


def make_offers(sheet: Sheet, traits: Traits, names: Names, scenario: Scenario) -> Offers:
    """Rows of the base lines, then of the lines to come; codes of brands, makers and platforms are given in `names`."""
    n_lines, nameplates = len(sheet.product), sheet.nameplates.copy()
    cycle = np.maximum(scenario.products.refresh_months / np.maximum(nameplates, 1.0), 1.0)
    phase = uniforms(scenario.seed_of_firms, Purpose.CYCLE, 0, sheet.key)
    gap = np.array([_hardware_gap(automaker, traits, scenario) for automaker in sheet.automaker])
    offers = Offers(
        product=list(sheet.product),
        key=sheet.key.copy(),
        brand_key=sheet.brand_key.copy(),
        brand=_codes(sheet.brand, names.brands),
        automaker=_codes(sheet.automaker, names.automakers),
        platform=_codes(sheet.platform, names.platforms),
        mode=sheet.mode.copy(),
        powertrain=sheet.powertrain.copy(),
        size_class=sheet.size_class.copy(),
        tier=sheet.tier.copy(),
        electric=sheet.electric.copy(),
        premium=sheet.premium.copy(),
        pooled=sheet.pooled.copy(),
        nameplates=nameplates,
        price=sheet.price.copy(),
        base_price=sheet.price.copy(),
        base_units=sheet.units.copy(),
        quality=np.zeros(n_lines),
        launch_quality=np.zeros(n_lines),
        cost=np.zeros(n_lines),
        markup=np.zeros(n_lines),
        pack_kwh=sheet.pack_kwh.copy(),
        hardware_gap=sheet.electric * gap,
        hardware=np.zeros(n_lines),
        refreshed=np.where(sheet.opens > 0, sheet.opens, -np.floor(phase * cycle)),
        cycle=cycle,
        first_age=np.zeros(n_lines),
        settled=sheet.settled.copy(),
        on_sale=sheet.opens == 0,
    )
    offers.first_age = np.where(offers.on_sale, offers.age(0), 0.0)
    return offers


def _codes(column, names: list[str]) -> np.ndarray:
    return np.array([Names.code(names, name) for name in column], dtype=np.int64)


def _hardware_gap(automaker: str, traits: Traits, scenario: Scenario) -> float:
    """Distance of an electric car to the frontier of hardware: independents are at it, everybody else starts behind."""
    return scenario.products.hardware_gap if traits.kind.get(automaker, "incumbent") != "independent" else 0.0
