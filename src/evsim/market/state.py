"""The market's state, and the two views of it that the kernels read: what is on the shelf, and the world around it."""

from dataclasses import dataclass, field

import numpy as np

from ..economics.contracts import Terms
from ..params import Scenario
from .kernels import Habits, Shelf, World
from .launches import Launch
from .offers import MODE, Names, Offers, Traits
from .platforms import Platforms
from .policy import Policy
from .population import Population, word_of_mouth


@dataclass
class Panel:
    """The fixed households on which expected shares are computed; `market.panel` says how they live."""

    owners: Population  # their cars, and when they shop; tastes are those of the keys 0, 1, …
    tastes: np.ndarray  # [S, N_TASTES]


@dataclass
class Market:
    """Everything that changes from month to month, and what it was calibrated to."""

    scenario: Scenario
    names: Names
    offers: Offers
    platforms: Platforms
    policy: Policy
    traits: Traits
    habits: Habits
    clock: np.ndarray  # shopping time at the start of months 1, 2, …
    calendar: list[Launch]
    groups: dict[str, str]  # automaker -> group
    base_pack_price: float  # kCNY per kWh
    threads: int = 1
    population: Population = field(default_factory=lambda: Population.empty(0, 1.0))
    panel: Panel = field(default_factory=lambda: Panel(Population.empty(0, 1.0), np.empty((0, 0))))
    community: np.ndarray = field(default_factory=lambda: np.zeros((1, 1)))  # [communities, platforms] cars
    pack_price: float = 0.0  # kCNY per kWh
    electric_fleet: float = 1.0  # at the base date, cars
    month: int = 0
    chargers: float = 1.0  # stock, base = 1
    output_gwh: float = 0.0  # batteries made in and outside the market since the base date
    wait: np.ndarray = field(
        default_factory=lambda: np.zeros(1)
    )  # [automakers] months until a car ordered now is built
    diagnostics: dict[str, float] = field(default_factory=dict)
    whispers: np.ndarray = field(default_factory=lambda: np.zeros((1, 1)))

    def on_sale(self) -> np.ndarray:
        """Rows of the lines on offer, in their order."""
        return np.flatnonzero(self.offers.on_sale)

    def listen(self) -> None:
        """Word of mouth as it stands: what each community hears until next month."""
        self.whispers = word_of_mouth(self.community)

    def quality_alike(self) -> np.ndarray:
        """What every household sees alike in each line, `[J]`, utils: the equation in `market.offers`."""
        offers, params = self.offers, self.scenario
        scale = params.lock_in.network_scale
        growth = np.log((scale + self.platforms.fleet(self.month)) / (scale + self.platforms.initial_fleet))
        network = params.lock_in.network_effect * np.where(self.platforms.ecosystem, growth, 0.0)
        return (
            offers.quality
            + np.log(offers.nameplates)
            + params.products.hardware_value * offers.hardware
            + network[offers.platform]
            + params.alliance.lent_trust * (offers.mode == MODE["alliance"])
            + params.chargers.value * offers.electric * np.log(self.chargers)
            - params.products.ageing * (offers.age(self.month) - offers.first_age)
            - params.capacity.wait_cost * self.wait[offers.automaker]
        )

    def shelf(self, rows: np.ndarray, outlay: np.ndarray) -> Shelf:
        """Lines on offer as the kernels read them; `outlay` is what the buyer pays for each."""
        offers = self.offers
        leader = self.platform_code(self.scenario.alliance.platform)
        return Shelf(
            quality=self.quality_alike()[rows],
            software=self.platforms.quality[offers.platform[rows]],
            electric=offers.electric[rows],
            size_class=offers.size_class[rows],
            premium=offers.premium[rows],
            leader=(offers.platform[rows] == leader).astype(float),
            platform=offers.platform[rows],
            brand=offers.brand[rows],
            key=offers.key[rows],
            outlay=outlay,
        )

    def world(self) -> World:
        """What a household's state is looked up in."""
        return World(
            ecosystem=self.platforms.ecosystem,
            line_brand=self.offers.brand,
            quality_path=self.platforms.quality_path,
            whispers=self.whispers,
            community_size=self.scenario.lock_in.community_size,
            month=self.month,
        )

    def platform_code(self, name: str) -> int:
        """Code of a platform; −1 if nobody has it."""
        return self.names.platforms.index(name) if name in self.names.platforms else -1

    def costs(self) -> np.ndarray:
        """Marginal cost of each line before fees, `[J]`, kCNY: cheaper batteries since the base date."""
        return np.maximum(self.offers.cost - self.offers.pack_kwh * (self.base_pack_price - self.pack_price), 0.1)

    def terms(self, rows: np.ndarray) -> Terms:
        """Contracts of the given lines."""
        alliance, mode = self.scenario.alliance, self.offers.mode[rows]
        fees = np.zeros(len(MODE))
        fees[MODE["alliance"]], fees[MODE["inside"]] = alliance.unit_fee, alliance.inside_fee
        fees[MODE["components"]] = fees[MODE["hardware_only"]] = alliance.components_fee
        parts = np.zeros(len(MODE))
        parts[[MODE["alliance"], MODE["inside"]]] = alliance.parts_cost
        return Terms(
            revenue_share=np.where(mode == MODE["alliance"], alliance.revenue_share, 0.0),
            unit_fee=fees[mode],
            parts_cost=parts[mode],
            member=mode == MODE["alliance"],
        )


@dataclass(frozen=True)
class Outcome:
    """What happened in one month."""

    orders: np.ndarray  # [all lines] cars
    units: np.ndarray  # [all lines] cars delivered
    shoppers: int  # rows that shopped
    keepers: int  # of them, rows that kept their car
    switches: np.ndarray  # [platforms + 1, platforms] cars delivered, by platform owned before (last: none) and bought
    brand_repeats: tuple[float, float]  # cars: to owners of any car; to owners of the same brand
    residual: float  # of the price game, kCNY
