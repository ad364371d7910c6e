"""Loops over consumers, compiled. The formulas they call live in `economics`; each kernel writes one result a row.

Arguments that travel together are named tuples of arrays, which numba passes as they are.
"""

from typing import NamedTuple

import numpy as np

from ..compiled import njit
from ..economics.choice import pick
from ..economics.timing import geometric_quantile, weibull_quantile
from ..economics.utility import (
    ELECTRIC,
    FIRST_CLASS,
    INCOME,
    N_TASTES,
    PHONE,
    PREMIUM,
    SIZE_CLASSES,
    SOFTWARE,
    lock_in_strength,
    outside_utility,
    price_sensitivity,
    state_utility,
    taste_utility,
)
from ..streams import Purpose, gumbel, key_of, normal, uniform

TASTE, CHOICE, HOLDING, PAUSE, TURNOVER, OWNED = (
    int(Purpose[name]) for name in ("TASTE", "CHOICE", "HOLDING", "PAUSE", "TURNOVER", "OWNED")
)
KEEP = key_of("keep the car")  # the outside good's key among the products' keys
HOUSEHOLD_STEP = 1 << 40


class Habits(NamedTuple):
    """Numbers that every household shares."""

    median_sensitivity: float  # α₀, utils per kCNY
    income_spread: float
    software_spread: float
    electric_spread: float
    class_spread: float
    premium_spread: float
    phone_share: float
    phone_effect: float  # ψ
    switching_cost: float  # κ
    tenure_scale: float  # τ_κ, months
    brand_loyalty: float  # ι
    word_of_mouth: float  # μ
    over_the_air: float  # ω
    outside_outlay: float  # q₀, kCNY
    overdue_cost: float  # ρ, utils a month
    first_time_share: float
    holding_scale: float
    holding_shape: float
    pause: float


class Shelf(NamedTuple):
    """The cars on offer in one month, one entry a product."""

    quality: np.ndarray  # what everybody sees alike, utils
    software: np.ndarray  # A of the platform, kCNY
    electric: np.ndarray  # 0 to 1
    size_class: np.ndarray  # code
    premium: np.ndarray  # 1: foreign premium marque
    leader: np.ndarray  # 1: on the alliance's platform
    platform: np.ndarray  # code
    brand: np.ndarray  # code
    key: np.ndarray  # of the draws
    outlay: np.ndarray  # q, what the buyer pays, kCNY


class World(NamedTuple):
    """What a household's state is looked up in."""

    ecosystem: np.ndarray  # [platforms] bool: has lock-in
    line_brand: np.ndarray  # [lines] brand of each line, on offer or not
    quality_path: np.ndarray  # [months, platforms] A up to now, kCNY
    whispers: np.ndarray  # [communities, platforms] word of mouth
    community_size: int
    month: int


@njit
def draw_tastes(seed, household, habits, out):
    """Tastes of a household from its key, into a row of `out`; columns as in `economics.utility`."""
    out[INCOME] = np.exp(habits.income_spread * normal(seed, TASTE, 0, household, INCOME))
    spread = habits.software_spread
    out[SOFTWARE] = np.exp(spread * normal(seed, TASTE, 0, household, SOFTWARE) - 0.5 * spread * spread)
    out[ELECTRIC] = habits.electric_spread * normal(seed, TASTE, 0, household, ELECTRIC)
    out[PREMIUM] = habits.premium_spread * normal(seed, TASTE, 0, household, PREMIUM)
    out[PHONE] = 1.0 if uniform(seed, TASTE, 0, household, PHONE) < habits.phone_share else 0.0
    for code in range(SIZE_CLASSES):
        out[FIRST_CLASS + code] = habits.class_spread * normal(seed, TASTE, 0, household, FIRST_CLASS + code)


@njit
def tastes_of(seed, households, habits, out):
    """Tastes of many households, `[n, N_TASTES]`."""
    for i in range(len(households)):
        draw_tastes(seed, households[i], habits, out[i])


@njit
def row_utility(row, line, platform, joined, tastes, habits, shelf, world, out):
    """Utility of every product on the shelf before price, for the household of a row; returns its price sensitivity."""
    taste_utility(tastes, habits.median_sensitivity, habits.phone_effect, shelf, out)
    lock_in = 0.0
    if platform >= 0 and world.ecosystem[platform]:
        lock_in = habits.switching_cost * lock_in_strength(float(world.month - joined), habits.tenure_scale)
    brand = world.line_brand[line] if line >= 0 else -1
    whispers = world.whispers[row // world.community_size]
    state_utility(shelf, platform, lock_in, brand, habits.brand_loyalty, habits.word_of_mouth, whispers, out)
    return price_sensitivity(habits.median_sensitivity, tastes)


@njit
def row_outside(platform, bought, overdue, tastes, habits, world):
    """Utility of carrying on with the old car, for the household of a row."""
    gain = 0.0
    if platform >= 0 and habits.over_the_air > 0.0:
        better = world.quality_path[world.month, platform] - world.quality_path[max(bought, 0), platform]
        gain = habits.over_the_air * habits.median_sensitivity * tastes[SOFTWARE] * better
    sensitivity = price_sensitivity(habits.median_sensitivity, tastes)
    return outside_utility(sensitivity, habits.outside_outlay, overdue, habits.overdue_cost, gain)


@njit
def decide(
    seed, household, row, line, platform, bought, joined, overdue, habits, shelf, world, tastes, utility, shocks
):
    """What the household of a row chooses this month: a position on the shelf, or −1 to keep the car."""
    draw_tastes(seed, household, habits, tastes)
    sensitivity = row_utility(row, line, platform, joined, tastes, habits, shelf, world, utility)
    for j in range(len(utility)):
        utility[j] -= sensitivity * shelf.outlay[j]
        shocks[j] = gumbel(seed, CHOICE, world.month, household, shelf.key[j])
    outside = row_outside(platform, bought, overdue, tastes, habits, world)
    return pick(utility, outside, shocks, gumbel(seed, CHOICE, world.month, household, KEEP))


@njit
def shop(seed, rows, population, habits, shelf, world, choice):
    """Let the households of `rows` shop: fills `choice` with positions on the shelf or −1.

    A row whose car has just fallen due passes first, with its chance, to a household new to the market: `household`,
    `line` and `platform` of the population change. `population` is the tuple of columns (household, line, platform,
    bought, joined, due).
    """
    household, line, platform, bought, joined, due = population
    tastes = np.empty(N_TASTES)
    utility = np.empty(len(shelf.quality))
    shocks = np.empty(len(shelf.quality))
    for k in range(len(rows)):
        row = rows[k]
        overdue = float(world.month - due[row])
        if overdue <= 0.0:
            overdue = 0.0
            if uniform(seed, TURNOVER, world.month, household[row], 0) < habits.first_time_share:
                household[row] += HOUSEHOLD_STEP
                line[row] = -1
                platform[row] = -1
        choice[k] = decide(
            seed,
            household[row],
            row,
            line[row],
            platform[row],
            bought[row],
            joined[row],
            overdue,
            habits,
            shelf,
            world,
            tastes,
            utility,
            shocks,
        )


@njit
def panel_utility(rows, panel, habits, shelf, world, tastes, utility, outside):
    """Utility before price `[n, J]` and of the outside good `[n]` for given households.

    `rows` say which community each hears; `panel` is the tuple of columns (line, platform, bought, joined, overdue).
    """
    line, platform, bought, joined, overdue = panel
    for i in range(len(rows)):
        row_utility(rows[i], line[i], platform[i], joined[i], tastes[i], habits, shelf, world, utility[i])
        outside[i] = row_outside(platform[i], bought[i], overdue[i], tastes[i], habits, world)


@njit
def past_purchases(seed, households, vintage, habits, shelf, constants, tastes, out):
    """Line each household bought in the past, by inversion of its own choice probabilities in that vintage.

    `constants` `[vintages, J]` are the line constants of each vintage, −inf where a line was not sold. The utility row
    is that of a first-time buyer at base prices.
    """
    utility = np.empty(len(shelf.quality))
    for i in range(len(households)):
        taste_utility(tastes[i], habits.median_sensitivity, habits.phone_effect, shelf, utility)
        sensitivity = price_sensitivity(habits.median_sensitivity, tastes[i])
        highest = -np.inf
        for j in range(len(utility)):
            utility[j] += constants[vintage[i], j] - shelf.quality[j] - sensitivity * shelf.outlay[j]
            highest = max(highest, utility[j])
        total = 0.0
        for j in range(len(utility)):
            total += np.exp(utility[j] - highest)
            utility[j] = total
        target = uniform(seed, OWNED, 0, households[i], 0) * total
        chosen = 0
        while chosen < len(utility) - 1 and utility[chosen] < target:
            chosen += 1
        out[i] = chosen


@njit
def after_purchase(seed, households, month, clock, habits, out):
    """Month in which each buyer's new car falls due; `clock` is shopping time at the start of each simulated month."""
    for i in range(len(households)):
        held = weibull_quantile(
            uniform(seed, HOLDING, month, households[i], 0), habits.holding_scale, habits.holding_shape
        )
        within = uniform(seed, HOLDING, month, households[i], 1) * (clock[month] - clock[month - 1])
        out[i] = max(month + 1, month_at(clock, clock[month - 1] + within + held))


@njit
def after_keeping(seed, households, month, clock, habits, out):
    """Month in which each keeper shops again."""
    for i in range(len(households)):
        pause = geometric_quantile(uniform(seed, PAUSE, month, households[i], 0), habits.pause)
        within = uniform(seed, PAUSE, month, households[i], 1) * (clock[month] - clock[month - 1])
        out[i] = max(month + 1, month_at(clock, clock[month - 1] + within + pause))


@njit
def month_at(clock, moment):
    """The month, 1 for the first, in which a moment of shopping time falls."""
    return np.searchsorted(clock, moment, side="right")
