"""The market's state, and the two views of it that the kernels read: what is on the shelf, and the world around it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..economics.contracts import Terms
from ..economics.credits import CreditRule
from ..economics.price_rule import BuyerPrice, BuyerPriceByClass
from ..economics.technology import diluted
from ..economics.use_cost import Consumption, with_outlay
from ..params import Scenario
from .brands import Brand
from .kernels import Habits, Shelf, World
from .launches import Launch
from .offers import MODE, Names, Offers, Traits
from .platforms import Platforms
from .policy import People, Policy
from .population import Population, word_of_mouth
from .rates import Rates


@dataclass
class Panel:
    """The fixed households on which expected shares are computed; `market.panel` says how they live."""

    owners: Population  # their cars, and when they shop; tastes are those of the keys 0, 1, …
    tastes: np.ndarray  # [S, N_TASTES]


@dataclass
class CreditBook:
    """The credit market of a year; `market.credits` says how it works."""

    stored: np.ndarray  # [automakers] credits kept from past years
    made: np.ndarray  # [lines] cars of this calendar year so far
    rule: CreditRule | None = None  # of the year; None: there are no credits
    price: float = 0.0  # π, kCNY a credit
    net: np.ndarray = field(default_factory=lambda: np.empty(0))  # [lines] credits earned less taken, a car


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
    rates: Rates  # the leader's terms in force
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
    given_price: np.ndarray = field(default_factory=lambda: np.empty(0))  # [lines] kCNY, nan: by the rule; empty: all
    owner_value: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))  # Λ, [automakers + 1, lines] kCNY
    brands: list[Brand] = field(default_factory=list)
    base_members: int = 1  # brands in mode `alliance` at the base date, at least 1
    usual_resistance: float = 0.0  # of the middle one of the brands at the base date, utils
    consumption: Consumption = field(default_factory=lambda: Consumption(*np.empty((3, 0))))  # of each line
    resale_fraction: np.ndarray = field(
        default_factory=lambda: np.empty(0)
    )  # [lines] of its price when new, when it is due
    energy: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))  # [months, 2] CNY a litre, CNY a kWh
    last_price: np.ndarray = field(default_factory=lambda: np.empty(0))  # [lines] kCNY, of the last year
    beside_price: np.ndarray = field(default_factory=lambda: np.empty(0))  # [lines] kCNY, cost of use less resale
    credits: CreditBook = field(default_factory=lambda: CreditBook(np.empty(0), np.empty(0)))
    credit_cost: np.ndarray = field(default_factory=lambda: np.empty(0))  # [lines] kCNY a car; negative: it earns some
    results_seen: list[int] = field(default_factory=lambda: [0, 0])  # attempts at in-house stacks: successes, failures
    # rows, and what they show while nothing but prices moves: `dressed`; a copy of the market has none
    window: tuple[np.ndarray, Shelf] | None = field(init=False, default=None, compare=False, repr=False)

    def on_sale(self) -> np.ndarray:
        """Rows of the lines on offer, in their order."""
        return np.flatnonzero(self.offers.on_sale)

    def listen(self) -> None:
        """Word of mouth as it stands: what each community hears until next month."""
        self.whispers = word_of_mouth(self.community)

    def quality_alike(self) -> np.ndarray:
        """What every household sees alike in each line, `[J]`, utils: the equation in `market.offers`."""
        offers, params = self.offers, self.scenario
        return (
            offers.quality
            + np.log(offers.nameplates)
            + params.products.hardware_value * offers.hardware
            + self.network()[offers.platform]
            + self.lent_trust() * (offers.mode == MODE["alliance"])
            + params.chargers.value * offers.electric * np.log(self.chargers)
            - params.products.ageing * (offers.age(self.month) - offers.first_age)
            - params.capacity.wait_cost * self.wait[offers.automaker]
        )

    def network(self) -> np.ndarray:
        """What each platform's fleet adds to a car's quality since the base date, `[G]`, utils."""
        platforms, lock_in = self.platforms, self.scenario.lock_in
        scale = lock_in.network_scale
        growth = np.log((scale + platforms.fleet(self.month)) / (scale + platforms.initial_fleet))
        return lock_in.network_effect * np.where(platforms.ecosystem, growth, 0.0)

    def own_software(self) -> np.ndarray:
        """Lines on a stack that their makers build, with the leader's parts beside it or without, `[J]` bool."""
        offers = self.offers
        parts = (offers.mode == MODE["components"]) & self.platforms.in_house[offers.platform]
        return (offers.mode == MODE["in_house"]) | parts

    def stack_payers(self, units: np.ndarray) -> np.ndarray:
        """The maker that pays for each in-house stack, `[G]`: the one that sells most cars on it, `units` `[J]` of each line, or
        is the only one there; −1: no line on sale has the stack."""
        offers, n_makers, n_platforms = self.offers, len(self.names.automakers), len(self.platforms)
        rows = np.flatnonzero(offers.on_sale & self.own_software())
        place = offers.platform[rows] * n_makers + offers.automaker[rows]
        cars = np.bincount(place, units[rows] + 1e-9, n_platforms * n_makers).reshape(n_platforms, n_makers)
        return np.where(cars.any(axis=1), cars.argmax(axis=1), -1)

    def members(self) -> int:
        """Number of brands on sale in mode `alliance`."""
        brands = self.offers.brand[self.offers.on_sale & (self.offers.mode == MODE["alliance"])]
        return int(np.count_nonzero(np.bincount(brands)))

    def lent_trust(self) -> float:
        """Trust that the leader lends each brand in mode `alliance`, utils."""
        return self.trust_lent_to(self.members())

    def trust_lent_to(self, members: int) -> float:
        """Trust that the leader would lend each of so many brands, utils: less, the more there are."""
        alliance = self.scenario.alliance
        return float(diluted(alliance.lent_trust, members, self.base_members, alliance.dilution))

    def charge_fixed_fees(self, fees: np.ndarray) -> None:
        """Fill in what each maker pays the leader a month whatever it sells, `[automakers]`, kCNY: a fee for each brand on sale
        and mode of its lines."""
        offers = self.offers
        n_modes, n_brands = len(MODE), len(self.names.brands)
        paying = np.flatnonzero(offers.on_sale & (self.rates.fixed_fee > 0)[offers.mode])
        contract = (offers.automaker[paying] * n_brands + offers.brand[paying]) * n_modes + offers.mode[paying]
        contracts = np.unique(contract)
        fees[:] = np.bincount(contracts // (n_brands * n_modes), self.rates.fixed_fee[contracts % n_modes], len(fees))

    def software(self, rows: np.ndarray) -> np.ndarray:
        """Quality of the software in the given lines, kCNY: the platform's, and part of the gap to the leader's with
        the leader's components."""
        offers, quality = self.offers, self.platforms.quality
        own, leader = quality[offers.platform[rows]], self.platform_code(self.scenario.alliance.platform)
        if leader < 0:
            return own
        gap = np.maximum(quality[leader] - own, 0.0)
        return own + self.scenario.alliance.components_gain * np.where(
            offers.mode[rows] == MODE["components"], gap, 0.0
        )

    def weighed(
        self, month: int, rows: np.ndarray, people: People | None = None, seen_from: int | None = None
    ) -> BuyerPrice | BuyerPriceByClass:
        """q of the given lines as a function of the posted price: what buyers pay, and today's cost of use less resale.

        Args:
            month: whose policy, as known in `seen_from` (none: then); rows: lines.
            people: the buyers, `[N]`, by class of what they may claim; none: one without claims.
        """
        policy = self.policy
        rule = policy.buyer_price(month, rows) if people is None else policy.classes(month, rows, people, seen_from)
        return with_outlay(rule, self.beside_price[rows])

    @contextmanager
    def dressed(self, rows: np.ndarray) -> Iterator[None]:
        """Put the given lines on the shelf once for all who look at them: for as long as nothing moves but prices and owners."""
        self.window = (rows, self.shelf(rows, np.empty(0)))
        try:
            yield
        finally:
            self.window = None

    def shelf(self, rows: np.ndarray, outlay: np.ndarray) -> Shelf:
        """Lines on offer as the kernels read them; `outlay` is what the buyer weighs of each (`weighed`)."""
        if self.window is not None and rows is self.window[0]:
            return self.window[1]._replace(outlay=outlay)
        offers = self.offers
        leader = self.platform_code(self.scenario.alliance.platform)
        return Shelf(
            quality=self.quality_alike()[rows],
            software=self.software(rows),
            electric=offers.electric[rows],
            size_class=offers.size_class[rows],
            premium=offers.premium[rows],
            leader=(offers.platform[rows] == leader).astype(float),
            platform=offers.platform[rows],
            brand=offers.brand[rows],
            key=offers.key[rows],
            outlay=outlay,
        )

    def columns(self, owners: Population) -> tuple[np.ndarray, ...]:
        """Columns of a population as the kernels take them."""
        return owners.household, owners.line, owners.platform, owners.bought, owners.joined, owners.due

    def world(self, n_rows: int = 0) -> World:
        """What a household's state is looked up in; of a panel larger than the population `n_rows` hear what is said."""
        size = self.scenario.lock_in.community_size
        copies = max(-(-n_rows // (len(self.whispers) * size)), 1)
        return World(
            ecosystem=self.platforms.ecosystem,
            line_brand=self.offers.brand,
            quality_path=self.platforms.quality_path,
            whispers=np.tile(self.whispers, (copies, 1)) if copies > 1 else self.whispers,
            community_size=size,
            month=self.month,
        )

    def platform_code(self, name: str) -> int:
        """Code of a platform; −1 if nobody has it."""
        return self.names.platforms.index(name) if name in self.names.platforms else -1

    def costs(self) -> np.ndarray:
        """What one more car of each line costs its maker before fees, `[J]`, kCNY: the car and the credits it takes or earns."""
        return self.car_costs() + self.credit_cost

    def car_costs(self) -> np.ndarray:
        """Marginal cost of each line's cars alone, `[J]`, kCNY: cheaper batteries since the base date."""
        return np.maximum(self.offers.cost - self.offers.pack_kwh * (self.base_pack_price - self.pack_price), 0.1)

    def terms(self, rows: np.ndarray) -> Terms:
        """Contracts of the given lines."""
        return self.rates.terms(self.offers.mode[rows], self.offers.base_price[rows], self.scenario.subsidy.vat)


class Sales(NamedTuple):
    """Cars delivered in a month, one entry a buyer (a row)."""

    rows: np.ndarray  # of the population
    products: np.ndarray  # lines
    entitled: np.ndarray  # [n, I] bool: which of the benefits in force each may claim
    income_group: np.ndarray  # [n] fifth of the population by income, 0 the poorest


class Surplus(NamedTuple):
    """What the month's visits are worth to households, `[groups]` each, by income, poorest first; `market.surplus` says how."""

    shoppers: np.ndarray  # households
    surplus: np.ndarray  # kCNY
    staying: np.ndarray  # kCNY, a part of it


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
    sales: Sales
    surplus: Surplus
    early: int  # rows that shopped before their time
