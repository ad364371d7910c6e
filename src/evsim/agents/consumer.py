"""One household as an agent: a view on its row of the population.

Nothing is kept in the view: what it says is looked up in the market, what is set is written into the columns.
"""

import math
from collections.abc import Callable
from typing import Any, NoReturn

import mesa
import numpy as np

from ..economics.choice import logit
from ..economics.utility import INCOME, price_sensitivity
from ..market import kernels
from ..market.calendar import paid, people_of
from ..market.clearing import move_cars
from ..market.kernels import Shelf
from ..market.owners import tastes_of
from ..market.population import NEVER, NO_CAR
from ..market.state import Market


class Attribute:
    """What can be asked of consumers; one function of the market and some rows answers for many of them and for one."""

    def __init__(self, values: Callable[[Market, np.ndarray], np.ndarray], meaning: str):
        self.values = values
        self.__doc__ = meaning

    def __get__(self, consumer: "Consumer | None", owner: type | None = None) -> Any:
        if consumer is None:
            return self
        value = self.values(consumer.model.market, np.array([consumer.row]))[0]
        return value.item() if isinstance(value, np.generic) else value


class Column(Attribute):
    """A column of the population: the whole numbers from `low` to `high`, which depend on the market, may be set."""

    def __init__(self, meaning: str, low: Callable[[Market], int], high: Callable[[Market], int]):
        super().__init__(lambda market, rows: getattr(market.population, self.name)[rows], meaning)
        self.low, self.high = low, high

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def write(self, market: Market, rows: np.ndarray, value: Any) -> None:
        """Write a value, or one a row, after checking it."""
        column, new = getattr(market.population, self.name), np.asarray(value)
        low, high = self.low(market), self.high(market)
        if new.dtype.kind not in "iu" or new.shape not in ((), rows.shape) or ((new < low) | (new > high)).any():
            raise ValueError(f"{self.name} takes whole numbers from {low} to {high}, one or {len(rows)}, not {value!r}")
        if self.name == "platform":
            move_cars(market, rows, market.population.platform[rows], -1)
            move_cars(market, rows, np.full(rows.shape, new, dtype=np.int16), 1)
        column[rows] = new


def no_car(market: Market) -> int:
    """The lowest code."""
    return NO_CAR


def long_ago(market: Market) -> int:
    """The first month that a column can hold."""
    return -32_768


def never(market: Market) -> int:
    """The last month that a column holds."""
    return NEVER


def named(names: list[str], codes: np.ndarray) -> np.ndarray:
    """Names behind codes; None where the code is −1."""
    return np.array([*names, None], dtype=object)[codes]


def cars(market: Market, rows: np.ndarray) -> np.ndarray:
    """Product that each row owns."""
    return named(market.offers.product, market.population.line[rows])


def brands(market: Market, rows: np.ndarray) -> np.ndarray:
    """Brand of the car that each row owns."""
    line = market.population.line[rows]
    return named(market.names.brands, np.where(line != NO_CAR, market.offers.brand[line], -1))


def platform_names(market: Market, rows: np.ndarray) -> np.ndarray:
    """Platform of the car that each row owns."""
    return named(market.names.platforms, market.population.platform[rows])


def communities(market: Market, rows: np.ndarray) -> np.ndarray:
    """Number of each row's community."""
    return rows // market.scenario.lock_in.community_size


def tastes_in(market: Market, rows: np.ndarray) -> np.ndarray:
    """Tastes of the households in the given rows, `[n, N_TASTES]`."""
    return tastes_of(market.scenario.seed, market.population.household[rows], market.habits)


def sensitivities(market: Market, rows: np.ndarray) -> np.ndarray:
    """α of the households in the given rows, utils per kCNY."""
    return price_sensitivity(market.habits.median_sensitivity, tastes_in(market, rows).T)


def tenures(market: Market, rows: np.ndarray) -> np.ndarray:
    """Months without a break on the platform of the car owned; 0 where there is none."""
    population = market.population
    return np.where(population.platform[rows] != NO_CAR, market.month - population.joined[rows], 0)


def on_offer(market: Market, row: int) -> tuple[np.ndarray, Shelf]:
    """Lines on offer, and how the household of a row sees them at this month's prices, taxes and what it may claim."""
    lines = market.on_sale()
    people = people_of(market, market.population, np.array([row]))
    outlay = paid(market.weighed(market.month, lines, people), market.offers.price[lines])
    return lines, market.shelf(lines, outlay.reshape(-1))


class Consumer(mesa.Agent):
    """The household that holds one row of the population, as the market is now.

    A view: two of the same row are equal, and none is registered with the model (`unique_id` is −1 − row; Mesa counts up
    from 1). The columns can be set, nothing else. When a car falls due its row may pass to a new household.
    """

    pos = None
    row = Attribute(lambda market, rows: rows, "place in the population")
    unique_id = Attribute(lambda market, rows: -1 - rows, "never that of a registered agent")
    household = Column("key of the household's tastes and draws", lambda market: 0, lambda market: 2**62)
    line = Column("row of its car in the offers; −1: none", no_car, lambda market: len(market.offers) - 1)
    platform = Column("code of its car's platform; −1: none", no_car, lambda market: len(market.platforms) - 1)
    bought = Column("month of delivery, from the base date", long_ago, lambda market: market.month)
    joined = Column("month since when on that platform without a break", long_ago, lambda market: market.month)
    due = Column("month when the car fell or falls due", long_ago, never)
    visit = Column("next month in the market; 32 000: waiting for a car", lambda market: market.month + 1, never)
    car = Attribute(cars, "product owned; None: none")
    brand = Attribute(brands, "of the car owned; None: none")
    platform_name = Attribute(platform_names, "of the car owned; None: none")
    tenure = Attribute(tenures, "months on the platform without a break; 0 without one")
    community = Attribute(communities, "neighbours, by number, whose cars it hears of")
    tastes = Attribute(tastes_in, "columns as in `economics.utility`")
    income = Attribute(lambda market, rows: tastes_in(market, rows)[:, INCOME], "the median household's is 1")
    price_sensitivity = Attribute(sensitivities, "α, utils per kCNY")

    def __init__(self, model: Any, row: int):
        # not Agent.__init__, which would register the view; and past __setattr__, which writes columns
        self.__dict__.update(model=model, row=int(row))

    def __setattr__(self, name: str, value: Any) -> None:
        write(self.model.market, np.array([self.row]), name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Consumer) and other.model is self.model and other.row == self.row

    def __hash__(self) -> int:
        return hash((id(self.model), self.row))

    def __repr__(self) -> str:
        return f"<Consumer {self.row}: {self.car or 'no car'}>"

    def remove(self) -> NoReturn:
        """A row stays in the population.

        Raises:
            TypeError: always.
        """
        raise TypeError("a consumer is a row of the population and cannot be removed")

    def decide(self) -> str | None:
        """The product that the household would choose if it shopped this month; None: it would keep its car.

        The kernel's row function on the present market: once the month's prices are set, it is what the household does if
        its turn is this month. Writes nothing.
        """
        market = self.model.market
        lines, shelf = on_offer(market, self.row)
        overdue = float(max(market.month - self.due, 0))
        owner = kernels.Owner(self.line, self.platform, self.bought, self.joined, overdue)
        desk = kernels.desk_for(shelf)
        household = (self.household, self.row, owner)
        view = (market.habits, shelf, shelf.outlay, market.world(), desk)
        chosen, _ = kernels.decide(market.scenario.seed, household, *view)
        return market.offers.product[lines[chosen]] if chosen >= 0 else None

    def chances(self) -> dict[str | None, float]:
        """Probability that `decide` gives each product on offer, and None: the logit of the same utilities."""
        market = self.model.market
        lines, shelf = on_offer(market, self.row)
        rows, population = np.array([self.row]), market.population
        overdue = np.maximum(market.month - population.due[rows].astype(float), 0.0)
        own = (
            population.line[rows],
            population.platform[rows],
            population.bought[rows],
            population.joined[rows],
            overdue,
        )
        tastes, utility, outside = tastes_in(market, rows), np.empty((1, len(lines))), np.empty(1)
        kernels.panel_utility(rows, own, market.habits, shelf, market.world(), tastes, utility, outside)
        chance = np.empty(len(lines))
        value = logit(utility[0] - self.price_sensitivity * shelf.outlay, outside[0], chance)
        products = (market.offers.product[line] for line in lines)
        return {**dict(zip(products, chance.tolist(), strict=True)), None: math.exp(outside[0] - value)}


ATTRIBUTES = {name: item for name, item in vars(Consumer).items() if isinstance(item, Attribute)}
COLUMNS = {name: item for name, item in ATTRIBUTES.items() if isinstance(item, Column)}


def write(market: Market, rows: np.ndarray, name: str, value: Any) -> None:
    """Write a column of the population: one value for the given rows, or one each.

    Raises:
        AttributeError: not a column.
        ValueError: not whole numbers in the column's range.
    """
    if name not in COLUMNS:
        raise AttributeError(f"cannot set {name!r} of consumers: only {', '.join(COLUMNS)} can be set")
    COLUMNS[name].write(market, rows, value)
