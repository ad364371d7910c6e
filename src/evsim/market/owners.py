"""Who owns what at the base date: past purchases by vintage, and the population's stationary start.

A household bought its car in some past month; the line is drawn from its own choice probabilities in that year, with line
constants fitted so that the year's sales come out (dealt at random, cars would lie with people who would not have chosen
them, and repeat purchase would be a quarter too low for years). Years before the panel are taken to be like its first year.

Rows at a moment are either holding a car that is not due (length-biased holding times) or waiting, shopping now and then
(`economics.timing`). A waiting row is held by one of the reference households, drawn with its share of the waiting time.
"""

from dataclasses import dataclass

import numpy as np

from ..economics import timing
from ..economics.inversion import conditional_mean_utilities
from ..economics.utility import INCOME, N_TASTES
from ..kept import Kept, digest
from ..params import Scenario
from ..streams import Purpose, uniforms
from . import kernels
from .kernels import Habits, Shelf
from .population import NEVER, NO_CAR, Population

FIRST_YEAR = 2018  # of the panel of past sales
PHASE, TOTAL, ELAPSED, WAITING, OVERDUE, NEXT = range(6)  # parts of a row's start, index of its draws
FITTED: Kept[tuple[np.ndarray]] = Kept(64)  # constants of past years; a few kB each
SETTLED: Kept[tuple[np.ndarray, ...]] = Kept(4)  # columns of populations; 20 bytes a row
VINTAGE_TOLERANCE = 1e-4  # of log shares: owners are drawn, so more digits would be lost in the draw


@dataclass(frozen=True)
class Households:
    """Households of the reference sample at the moment their car falls due."""

    key: np.ndarray
    tastes: np.ndarray
    line: np.ndarray
    platform: np.ndarray
    bought: np.ndarray


@dataclass(frozen=True)
class Vintages:
    """What was bought in past years: line constants of each year, `[years, base lines]`, −inf where nothing was sold."""

    constants: np.ndarray
    base: int  # months since year 0 of the base date

    def index(self, bought: np.ndarray) -> np.ndarray:
        """Row of `constants` for months counted from the base date (at most 0)."""
        return np.clip((self.base + bought) // 12 - FIRST_YEAR, 0, len(self.constants) - 1)


@dataclass(frozen=True)
class Past:
    """What past purchases are drawn from: the years' line constants, base lines at base prices, habits."""

    vintages: Vintages
    shelf: Shelf
    habits: Habits


def tastes_of(seed: int, households: np.ndarray, habits: Habits) -> np.ndarray:
    """Tastes of households, `[n, N_TASTES]`."""
    tastes = np.empty((len(households), N_TASTES))
    kernels.tastes_of(seed, households, habits, tastes)
    return tastes


def fit_vintages(shares: np.ndarray, tastes: np.ndarray, shelf: Shelf, habits: Habits, base: int) -> Vintages:
    """Line constants under which households without a car would have bought each year's shares, `[years, lines]`."""
    plain = shelf._replace(quality=np.zeros(shares.shape[1]))
    behind = (shares, tastes, habits.median_sensitivity, habits.phone_effect, plain)
    (constants,) = FITTED.get(digest(*behind), lambda: (_vintage_constants(*behind),))
    return Vintages(constants.copy(), base)


def _vintage_constants(shares: np.ndarray, tastes: np.ndarray, sensitivity: float, phone_effect: float, shelf: Shelf):
    """Line constants of each year's shares over the utilities that tastes alone give."""
    utility = np.empty((len(tastes), shares.shape[1]))
    kernels.taste_utilities(tastes, sensitivity, phone_effect, shelf, utility)
    utility -= (sensitivity / tastes[:, INCOME])[:, None] * shelf.outlay
    constants = np.full(shares.shape, -np.inf)
    for year, row in enumerate(shares):
        sold = row > 0
        fit = conditional_mean_utilities(
            row[sold], utility.take(np.flatnonzero(sold), axis=1), tolerance=VINTAGE_TOLERANCE
        )
        constants[year, sold] = fit.mean_utility
    return constants


def past_lines(seed: int, households: np.ndarray, tastes: np.ndarray, bought: np.ndarray, origin: Past) -> np.ndarray:
    """Line each household bought in the month `bought`."""
    out = np.empty(len(households), dtype=np.int16)
    vintage = origin.vintages.index(bought)
    kernels.past_purchases(
        seed, households, vintage, origin.habits, origin.shelf, origin.vintages.constants, tastes, out
    )
    return out


def is_newcomer(seed: int, households: np.ndarray, habits: Habits) -> np.ndarray:
    """Whether a due row passes to a household new to the market, as the base date counts it."""
    return uniforms(seed, Purpose.TURNOVER, 0, households) < habits.first_time_share


def reference_households(scenario: Scenario, past: Past, tastes: np.ndarray) -> Households:
    """The reference sample, at the moment each household's car falls due: the same for every number of rows."""
    habits, shelf = past.habits, past.shelf
    seed = scenario.seed
    key = np.arange(len(tastes), dtype=np.int64)
    chance = uniforms(seed, Purpose.START, 0, key, TOTAL)
    held = habits.holding_scale * (-np.log1p(-chance)) ** (1.0 / habits.holding_shape)
    bought = -np.clip(np.rint(held), 1, NEVER).astype(np.int16)
    line = past_lines(seed, key, tastes, bought, past)
    line[is_newcomer(seed, key, habits)] = NO_CAR
    platform = np.where(line >= 0, shelf.platform[line], NO_CAR).astype(np.int16)
    return Households(key, tastes, line, platform, bought)


@dataclass(frozen=True)
class Spells:
    """How often and how long each reference household shops in a cycle."""

    inclusive_value: np.ndarray  # utils, over keeping the car on the due month
    visits: np.ndarray
    waiting: np.ndarray  # months


def shopping_spells(inclusive_value: np.ndarray, habits: Habits) -> Spells:
    """Visits and waiting months of households with given inclusive values."""
    visits, waiting = timing.shopping_spells(inclusive_value, habits.overdue_cost, habits.pause)
    return Spells(inclusive_value, visits, waiting)


@dataclass(frozen=True)
class Origin(Past):
    """What the population starts from."""

    reference: Households
    spells: Spells
    clock: np.ndarray


def settle(scenario: Scenario, origin: Origin, n_start: int, n_rows: int, weight: float) -> Population:
    """The population at the base date: its own stationary law, row by row from keyed draws.

    Rows from `n_start` on are households to come: they own nothing and enter the market in the month the caller sets.
    """
    behind = (scenario.seed, scenario.consumers.holding_months, origin, n_start, n_rows)
    found = SETTLED.get(digest(*behind), lambda: tuple(_settled(*behind).columns().values()))
    population = Population.empty(n_rows, weight)
    for column, known in zip(population.columns().values(), found, strict=True):
        column[:] = known
    return population


def _settled(seed: int, holding_months: float, origin: Origin, n_start: int, n_rows: int) -> Population:
    """The population that `settle` tells of, one car a row."""
    population = Population.empty(n_rows, 1.0)
    rows = np.arange(n_start, dtype=np.int64)
    mean_wait = float(origin.spells.waiting.mean())
    waits = uniforms(seed, Purpose.START, 0, rows, PHASE) < mean_wait / (holding_months + mean_wait)
    settle_holders(population, rows[~waits], seed, origin)
    _settle_waiting(population, rows[waits], seed, origin)
    line = population.line[:n_start]
    population.platform[:n_start] = np.where(line >= 0, origin.shelf.platform[line], NO_CAR)
    population.joined[:] = population.bought
    return population


def settle_holders(population: Population, rows: np.ndarray, seed: int, origin: Origin) -> None:
    """Rows that hold a car not yet due: length-biased holding time, met at a uniform moment of it."""
    habits = origin.habits
    total, elapsed = _holding(seed, rows, habits)
    population.bought[rows] = -np.minimum(np.floor(elapsed), NEVER).astype(np.int16)
    due = np.searchsorted(origin.clock, total - elapsed, side="right")
    population.due[rows] = population.visit[rows] = np.minimum(due, NEVER)
    tastes = tastes_of(seed, rows, habits)
    population.line[rows] = past_lines(seed, rows, tastes, population.bought[rows], origin)


def _holding(seed: int, rows: np.ndarray, habits: Habits) -> tuple[np.ndarray, np.ndarray]:
    """Whole holding time of the car of each row, and how much of it has passed, months."""
    chance = uniforms(seed, Purpose.START, 0, rows, TOTAL)
    total = timing.length_biased_quantile(chance, habits.holding_scale, habits.holding_shape)
    return total, total * uniforms(seed, Purpose.START, 0, rows, ELAPSED)


def residual_months(seed: int, rows: np.ndarray, habits: Habits) -> np.ndarray:
    """Whole months until each row would shop, were it met at a random moment of a holding time."""
    total, elapsed = _holding(seed, rows, habits)
    return np.minimum(np.floor(total - elapsed), NEVER).astype(np.int64)


def _settle_waiting(population: Population, rows: np.ndarray, seed: int, origin: Origin) -> None:
    """Rows whose car has fallen due and was kept so far: reference households by their share of the waiting time."""
    reference, spells, habits = origin.reference, origin.spells, origin.habits
    cumulative = np.cumsum(spells.waiting)
    chosen = np.searchsorted(cumulative, uniforms(seed, Purpose.START, 0, rows, WAITING) * cumulative[-1])
    chance, value = uniforms(seed, Purpose.START, 0, rows, OVERDUE), spells.inclusive_value[chosen]
    overdue = timing.overdue_quantiles(chance, value, habits.overdue_cost, habits.pause)
    pause = timing.geometric_quantiles(uniforms(seed, Purpose.START, 0, rows, NEXT), habits.pause)
    population.household[rows] = reference.key[chosen]
    population.line[rows] = reference.line[chosen]
    population.due[rows] = 1 - overdue
    population.bought[rows] = reference.bought[chosen] + 1 - overdue
    population.visit[rows] = np.searchsorted(origin.clock, pause - 0.5, side="right")
