"""Loops over consumers, compiled. The formulas they call live in `economics`; each kernel writes one result a row.

Arguments that travel together are named tuples of arrays, which numba passes as they are.

Tastes are drawn by the household's key, everything that happens in a month by its row: several rows may start with households of
the same tastes, but no two rows ever share a draw.
"""

from typing import NamedTuple

import numpy as np

from ..compiled import inlined, njit
from ..economics.choice import logit, odds_of, pick
from ..economics.price_kernels import States, net_utility
from ..economics.timing import fill_spells, geometric_quantile, weibull_quantile
from ..economics.utility import (
    ELECTRIC,
    FIRST_CLASS,
    INCOME,
    N_TASTES,
    PHONE,
    PREMIUM,
    SIZE_CLASSES,
    SOFTWARE,
    heard_utility,
    lock_in_strength,
    outside_utility,
    price_sensitivity,
    state_utility,
    taste_utility,
    traits_of,
)
from ..streams import Purpose, gumbel, gumbels, key_of, normal, uniform
from ..vectors import sum_of, whole_vectors

TASTE, CHOICE, HOLDING, PAUSE, TURNOVER, OWNED = (
    int(Purpose[name]) for name in ("TASTE", "CHOICE", "HOLDING", "PAUSE", "TURNOVER", "OWNED")
)
KEEP = key_of("keep the car")  # the outside good's key among the products' keys
HOUSEHOLD_STEP = 1 << 40  # between the keys of successive households of one row: a row fits in 40 bits


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
    outlay: np.ndarray  # q, what the buyer pays, kCNY: [J], or by class of buyers [C, J]


class World(NamedTuple):
    """What a household's state is looked up in."""

    ecosystem: np.ndarray  # [platforms] bool: has lock-in
    line_brand: np.ndarray  # [lines] brand of each line, on offer or not
    quality_path: np.ndarray  # [months, platforms] A up to now, kCNY
    whispers: np.ndarray  # [communities, platforms] word of mouth
    community_size: int
    month: int


class Display(NamedTuple):
    """A shelf as households look at it one after the other."""

    traits: np.ndarray  # [K, J], what tastes are about
    heard: np.ndarray  # [J] what is said in the community of the household that looked last, utils
    community: np.ndarray  # [1] which it is; −1: none yet


class Owner(NamedTuple):
    """What a household brings to the market: its car, if any, and how long it is overdue."""

    line: int  # −1: no car
    platform: int  # −1: no car
    bought: int  # month
    joined: int  # month since when it is on that platform
    overdue: float  # months


class Desk(NamedTuple):
    """Room for one decision, used again for the next."""

    tastes: np.ndarray  # [N_TASTES]
    utility: np.ndarray  # [J]
    shocks: np.ndarray  # [J]
    scratch: tuple[np.ndarray, np.ndarray]  # [J] of float64 and of int64
    display: Display


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
def taste_utilities(tastes, median_sensitivity, phone_effect, shelf, utility):
    """`taste_utility` of many households, `[n, J]`."""
    traits = traits_of(shelf)
    for i in range(len(tastes)):
        taste_utility(tastes[i], median_sensitivity, phone_effect, traits, utility[i])


@njit
def cars_owned(line, out):
    """Add to `out` `[lines]` how many rows own a car of each line; `line` is −1 where none is owned."""
    for owned in line:
        if owned >= 0:
            out[owned] += 1


@njit
def move_cars(community, rows, community_size, platforms, change):
    """Add `change` to the cars `[communities, platforms]` of each row's community on its platform, −1: none."""
    for k in range(len(rows)):
        if platforms[k] >= 0:
            community[rows[k] // community_size, platforms[k]] += change


@njit
def incomes(seed, households, habits, out):
    """Income of many households relative to the median, `[n]`."""
    for i in range(len(households)):
        out[i] = np.exp(habits.income_spread * normal(seed, TASTE, 0, households[i], INCOME))


@njit
def display_of(shelf):
    """The shelf, before anybody has looked."""
    return Display(traits_of(shelf), np.empty(len(shelf.quality)), np.full(1, -1))


@njit
def desk_for(shelf):
    """A desk to choose at among what is on a shelf."""
    n_products = len(shelf.quality)
    scratch = (np.empty(n_products), np.empty(n_products, dtype=np.int64))
    return Desk(np.empty(N_TASTES), np.empty(n_products), np.empty(n_products), scratch, display_of(shelf))


@inlined
def row_utility(row, owner, tastes, habits, shelf, display, world, out):
    """Utility of every product on the shelf before price, for the household of a row; returns its price sensitivity."""
    taste_utility(tastes, habits.median_sensitivity, habits.phone_effect, display.traits, out)
    lock_in, brand = bonds(owner, habits, world)
    community = row // world.community_size
    if display.community[0] != community:
        display.community[0] = community
        heard_utility(shelf.platform, habits.word_of_mouth, world.whispers[community], display.heard)
    state_utility(shelf, owner.platform, lock_in, brand, habits.brand_loyalty, display.heard, out)
    return price_sensitivity(habits.median_sensitivity, tastes)


@inlined
def bonds(owner, habits, world):
    """What binds a household to its car: the lock-in of its platform, utils, and its brand, −1 without a car."""
    lock_in = 0.0
    if owner.platform >= 0 and world.ecosystem[owner.platform]:
        lock_in = habits.switching_cost * lock_in_strength(float(world.month - owner.joined), habits.tenure_scale)
    return lock_in, (world.line_brand[owner.line] if owner.line >= 0 else -1)


@inlined
def row_outside(owner, tastes, habits, world):
    """Utility of carrying on with the old car, for the household of a row."""
    gain = 0.0
    if owner.platform >= 0 and habits.over_the_air > 0.0:
        path, stack = world.quality_path, owner.platform
        better = path[world.month, stack] - path[max(owner.bought, 0), stack]
        gain = habits.over_the_air * habits.median_sensitivity * tastes[SOFTWARE] * better
    sensitivity = price_sensitivity(habits.median_sensitivity, tastes)
    return outside_utility(sensitivity, habits.outside_outlay, owner.overdue, habits.overdue_cost, gain)


@inlined
def decide(seed, household, habits, shelf, outlay, world, desk):
    """What a household chooses this month if it pays `outlay` `[J]`: a position on the shelf, or −1 to keep the car; and what
    the visit is worth over keeping the car, utils, before its shocks are drawn.

    `household` is the tuple (key of its tastes, row, `Owner`).
    """
    key, row, owner = household
    draw_tastes(seed, key, habits, desk.tastes)
    sensitivity = row_utility(row, owner, desk.tastes, habits, shelf, desk.display, world, desk.utility)
    for j in range(len(desk.utility)):
        desk.utility[j] -= sensitivity * outlay[j]
    outside = row_outside(owner, desk.tastes, habits, world)
    worth = logit(desk.utility, -np.inf, desk.scratch[0]) - outside
    gumbels(seed, CHOICE, world.month, row, shelf.key, desk.scratch, desk.shocks)
    return pick(desk.utility, outside, desk.shocks, gumbel(seed, CHOICE, world.month, row, KEEP)), worth


@njit
def pass_on(seed, rows, population, habits, month):
    """Rows whose car is not overdue pass, with their chance, to households new to the market before they shop: `household`,
    `line` and `platform` change. The draw is that of the month the car is due, early or not.

    `population` is the tuple of columns (household, line, platform, bought, joined, due).
    """
    household, line, platform, _, _, due = population
    for row in rows:
        if due[row] >= month and uniform(seed, TURNOVER, due[row], row, 0) < habits.first_time_share:
            household[row] += HOUSEHOLD_STEP
            line[row] = -1
            platform[row] = -1


@njit
def turnover_draws(seed, rows, due, out):
    """The draw by which each row passes on when its car is due, `[n]`."""
    for k in range(len(rows)):
        out[k] = uniform(seed, TURNOVER, due[rows[k]], rows[k], 0)


@njit
def inclusive_values(seed, rows, population, habits, shelf, class_of, world, out):
    """What shopping is worth over keeping the car for the households of `rows` if they do not pass on, utils.

    Args:
        shelf: with the outlay of each class of buyers, `[C, J]`.
        class_of: the classes in which each row is asked, `[n, M]`.
        out: `[n, M]`.
    """
    household, line, platform, bought, joined, due = population
    tastes, display = np.empty(N_TASTES), display_of(shelf)
    n_products = len(shelf.quality)
    utility, after, scratch = np.empty(n_products), np.empty(n_products), np.empty(n_products)
    for k in range(len(rows)):
        row = rows[k]
        owner = Owner(line[row], platform[row], bought[row], joined[row], max(float(world.month - due[row]), 0.0))
        draw_tastes(seed, household[row], habits, tastes)
        sensitivity = row_utility(row, owner, tastes, habits, shelf, display, world, utility)
        outside = row_outside(owner, tastes, habits, world)
        for m in range(class_of.shape[1]):
            outlay = shelf.outlay[class_of[k, m]]
            for j in range(n_products):
                after[j] = utility[j] - sensitivity * outlay[j]
            out[k, m] = logit(after, -np.inf, scratch) - outside


@njit
def shop(seed, rows, population, habits, shelf, class_of, world, out):
    """Let the households of `rows` shop.

    Args:
        population: the tuple of columns (household, line, platform, bought, joined, due).
        shelf: with the outlay of each class of buyers, `[C, J]`.
        class_of: the class of each row, `[n]`.
        out: positions on the shelf, or −1; and what each visit is worth over keeping the car, utils: `[n]` each.
    """
    (household, line, platform, bought, joined, due), (choice, worth) = population, out
    desk = desk_for(shelf)
    for k in range(len(rows)):
        row = rows[k]
        overdue = max(float(world.month - due[row]), 0.0)
        owner = Owner(line[row], platform[row], bought[row], joined[row], overdue)
        outlay = shelf.outlay[class_of[k]]
        choice[k], worth[k] = decide(seed, (household[row], row, owner), habits, shelf, outlay, world, desk)


@njit
def panel_utility(rows, panel, habits, shelf, world, tastes, utility, outside):
    """Utility before price `[n, J]` and of the outside good `[n]` for given households: `row_utility` and `row_outside` of each,
    in two loops, so that the one over products looks nothing up.

    `rows` say which community each hears; `panel` is the tuple of columns (line, platform, bought, joined, overdue).
    """
    lock_in, brand = np.empty(len(rows)), np.empty(len(rows), np.int64)
    fill_bonds(panel, habits, world, tastes, np.arange(len(rows)), (lock_in, brand, outside))
    traits, heard, listening = traits_of(shelf), np.empty(len(shelf.quality)), -1
    for i in range(len(rows)):
        community = rows[i] // world.community_size
        if community != listening:
            listening = community
            heard_utility(shelf.platform, habits.word_of_mouth, world.whispers[community], heard)
        taste_utility(tastes[i], habits.median_sensitivity, habits.phone_effect, traits, utility[i])
        state_utility(shelf, panel[1][i], lock_in[i], brand[i], habits.brand_loyalty, heard, utility[i])


@njit
def fill_bonds(panel, habits, world, tastes, household, out):
    """The `bonds` of households in given states, and what carrying on with the old car is worth to them, `[n]` each.

    Args:
        panel: as in `panel_utility`; tastes: of all households, of which each state's is the row `household`.
    """
    (line, platform, bought, joined, overdue), (lock_in, brand, outside) = panel, out
    for i in range(len(line)):
        owner = Owner(line[i], platform[i], bought[i], joined[i], overdue[i])
        lock_in[i], brand[i] = bonds(owner, habits, world)
        outside[i] = row_outside(owner, tastes[household[i]], habits, world)


@njit
def type_utility(rows, habits, shelf, world, tastes, utility):
    """Utility before price that households have whatever they own, `[n, J]`: `panel_utility` without a car.

    `rows` say which community each hears.
    """
    traits, heard, listening = traits_of(shelf), np.empty(len(shelf.quality)), -1
    for i in range(len(rows)):
        community = rows[i] // world.community_size
        if community != listening:
            listening = community
            heard_utility(shelf.platform, habits.word_of_mouth, world.whispers[community], heard)
        taste_utility(tastes[i], habits.median_sensitivity, habits.phone_effect, traits, utility[i])
        for j in range(len(heard)):
            utility[i, j] += heard[j]


@njit
def states_of(first, platform, lock_in, brand, habits, shelf):
    """What `state_utility` adds for households by what they own, as the price game reads it.

    Args:
        first: of `States`; platform, lock_in, brand: of the households, as in `state_utility`.
    """
    n_households, n_products = len(lock_in), len(shelf.quality)
    places = np.full((platform.max() + 2, brand.max() + 2), -1)
    bond, more = np.empty(n_households, np.int64), np.zeros((n_households, 3))
    owners = np.empty(n_households, np.int64)  # one of each bond
    n_bonds = 0
    for i in range(n_households):
        stack = platform[i] if lock_in[i] > 0.0 else -1
        if places[stack + 1, brand[i] + 1] < 0:
            places[stack + 1, brand[i] + 1], owners[n_bonds] = n_bonds, i
            n_bonds += 1
        bond[i] = places[stack + 1, brand[i] + 1]
        if stack >= 0 or brand[i] >= 0:
            more[i, 0], more[i, 1] = np.expm1(lock_in[i]), np.expm1(habits.brand_loyalty)
            more[i, 2] = np.expm1(lock_in[i] + habits.brand_loyalty)
    start, found = np.zeros(n_bonds + 1, np.int64), 0
    product, kind = np.empty(n_bonds * n_products, np.int64), np.empty(n_bonds * n_products, np.int64)
    nothing, named = np.zeros(n_products), np.empty(n_products)
    for place in range(n_bonds):
        owner = owners[place]
        named[:] = -1.0
        stays = 1.0 if lock_in[owner] > 0.0 else 0.0
        state_utility(shelf, platform[owner], stays, brand[owner], 2.0, nothing, named)
        for j in range(n_products):
            if named[j] >= 0.0:
                product[found], kind[found] = j, np.int64(named[j])
                found += 1
        start[place + 1] = found
    return States(first, bond, more, start, product[:found].copy(), kind[:found].copy())


@njit
def panel_visits(rows, utility, outside, sensitivity, outlay, habits, visits):
    """Expected visits per cycle of the given rows of a panel, `[n]`, from utility before price and what they pay."""
    after, odds = np.full(whole_vectors(len(outlay)), -np.inf), np.empty(whole_vectors(len(outlay)))
    values, waiting = np.empty(len(rows)), np.empty(len(rows))
    for k in range(len(rows)):
        i = rows[k]
        net_utility(utility[i], sensitivity[i], outlay, after)
        values[k] = odds_of(after, -np.inf, odds)[0] - outside[i]
    fill_spells(values, habits.overdue_cost, habits.pause, visits, waiting)


@njit
def visits_then(chosen, outside, states, sensitivity, moved, habits, visits):
    """`panel_visits` of the consumers of some types from what they choose at some prices, where a few lines cost something else.

    Args:
        chosen: x `[G, J]` and h `[G]` of these types, of `economics.Choices`.
        outside, visits: of all consumers; states: `first` of these types, the rest of all, as in `fill_odds`.
        sensitivity: of the types; moved: lines, and how much more each costs now, kCNY.
    """
    (odds, highest), (lines, rise) = chosen, moved
    first, bond, more, start, product, kind = states
    begin, end = first[0], first[-1]
    values, waiting, now = np.empty(end - begin), np.empty(end - begin), np.empty(odds.shape[1])
    for g in range(len(highest)):
        now[:] = odds[g]
        for place in range(len(lines)):
            now[lines[place]] *= np.exp(-sensitivity[g] * rise[place])
        alike = sum_of(now)
        for i in range(first[g], first[g + 1]):
            total = alike
            for entry in range(start[bond[i]], start[bond[i] + 1]):
                total += now[product[entry]] * more[i, kind[entry]]
            values[i - begin] = highest[g] + np.log(total) - outside[i]
    fill_spells(values, habits.overdue_cost, habits.pause, visits[begin:end], waiting)


@njit
def past_purchases(seed, households, vintage, habits, shelf, constants, tastes, out):
    """Line each household bought in the past, by inversion of its own choice probabilities in that vintage.

    `constants` `[vintages, J]` are the line constants of each vintage, −inf where a line was not sold. The utility row
    is that of a first-time buyer at base prices.
    """
    utility, traits = np.empty(len(shelf.quality)), traits_of(shelf)
    for i in range(len(households)):
        taste_utility(tastes[i], habits.median_sensitivity, habits.phone_effect, traits, utility)
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
def after_purchase(seed, rows, month, clock, habits, out):
    """Month in which each buyer's new car falls due; `clock` is shopping time at the start of each simulated month."""
    for i in range(len(rows)):
        held = weibull_quantile(uniform(seed, HOLDING, month, rows[i], 0), habits.holding_scale, habits.holding_shape)
        within = uniform(seed, HOLDING, month, rows[i], 1) * (clock[month] - clock[month - 1])
        out[i] = max(month + 1, month_at(clock, clock[month - 1] + within + held))


@njit
def after_keeping(seed, rows, month, clock, habits, out):
    """Month in which each keeper shops again."""
    for i in range(len(rows)):
        pause = geometric_quantile(uniform(seed, PAUSE, month, rows[i], 0), habits.pause)
        within = uniform(seed, PAUSE, month, rows[i], 1) * (clock[month] - clock[month - 1])
        out[i] = max(month + 1, month_at(clock, clock[month - 1] + within + pause))


@njit
def month_at(clock, moment):
    """The month, 1 for the first, in which a moment of shopping time falls."""
    return np.searchsorted(clock, moment, side="right")
