"""The fixed panel on which expected shares are computed when prices are set.

The first `pricing.survey_size` households by key, the same for every number of rows. Their tastes never change, they weigh by
how often they shop, and they live beside the population: they shop when their car is due, with the kernel everybody shops
with, and own what they chose. A survey drawn anew each month would move prices by 0.2 to 1 % for no reason.

At a visit a household of given tastes owns its last car, or, with the chance that the row passes to a newcomer, none. Both
states stand in the panel with these weights, so that no draw decides between them: 2 S entries for S households. Where both pay
the same, the price game takes them as one type in two states.

Refused: the population's first rows, as they are. Whenever one of them passes to a newcomer its tastes jump; in a market
where nothing changes that moved single prices by up to 0.8 % a month at 2 000 rows, and by 0.5 to 0.8 % at 4 000.
"""

from dataclasses import dataclass

import numpy as np

from ..compiled import over_blocks
from ..economics.price_game import Choices, class_types
from ..economics.price_point import choices_at
from ..economics.price_rule import BuyerPrice, BuyerPriceByClass
from ..economics.pricing import Demand
from ..economics.utility import INCOME
from . import kernels
from .calendar import by_class, choices, shift_visits
from .kernels import Shelf
from .owners import Origin, settle_holders, tastes_of
from .policy import People
from .population import NEVER, NO_CAR, Population
from .state import Market, Panel


def make_panel(market: Market, origin: Origin) -> Panel:
    """The panel at the base date: every household holds a car that is not due."""
    size = market.scenario.pricing.survey_size
    owners = Population.empty(size, 1.0)
    rows = np.arange(size, dtype=np.int64)
    settle_holders(owners, rows, market.scenario.seed, origin)
    owners.platform[:] = origin.shelf.platform[owners.line]
    owners.joined[:] = owners.bought
    return Panel(owners, tastes_of(market.scenario.seed, rows, market.habits))


@dataclass(frozen=True)
class Entries:
    """The panel as it would face the market now: households as owners, then as newcomers; columns `[2 S]`."""

    state: tuple[np.ndarray, ...]  # line, platform, bought, joined, overdue
    hears: np.ndarray  # row by which a community is found
    tastes: np.ndarray  # [2 S, N_TASTES]
    sensitivity: np.ndarray  # α, utils per kCNY
    chance: np.ndarray  # to be an owner, or a newcomer
    people: People  # what they may claim by

    def __len__(self) -> int:
        return len(self.sensitivity)

    def ordered(self, order: np.ndarray) -> "Entries":
        """The same entries in another order."""
        return Entries(
            tuple(column[order] for column in self.state),
            self.hears[order],
            self.tastes[order],
            self.sensitivity[order],
            self.chance[order],
            People(*(column[order] for column in self.people)),
        )


def panel_entries(market: Market) -> Entries:
    """Both states of every household. An owner has the tenure it will have when its car is due."""
    owners, size, share = market.panel.owners, len(market.panel.owners), market.scenario.consumers.first_time_share
    nobody = np.full(size, NO_CAR, dtype=np.int16)
    early = np.minimum(market.month - owners.due, 0)  # months until due: the tenure is read at that month
    state = (
        np.concatenate([owners.line, nobody]),
        np.concatenate([owners.platform, nobody]),
        np.tile(owners.bought, 2),
        np.tile(owners.joined + early, 2).astype(np.int16),
        np.zeros(2 * size),
    )
    rows_heard = len(market.whispers) * market.scenario.lock_in.community_size
    tastes = np.tile(market.panel.tastes, (2, 1))
    sensitivity = market.habits.median_sensitivity / tastes[:, INCOME]
    hears = np.arange(2 * size) % size % rows_heard
    age = np.where(owners.line == NO_CAR, -1, np.maximum(owners.due, market.month) - owners.bought)
    people = People(np.tile(owners.household, 2), tastes[:, INCOME], np.concatenate([age, np.full(size, -1)]))
    return Entries(state, hears, tastes, sensitivity, np.repeat([1.0 - share, share], size), people)


def panel_utility(market: Market, entries: Entries, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Utility of the given lines before price, `[2 S, J]`, and of the outside good, `[2 S]`."""
    return shelf_utility(market, entries, market.shelf(rows, np.zeros(len(rows))))


def shelf_utility(market: Market, entries: Entries, shelf: Shelf) -> tuple[np.ndarray, np.ndarray]:
    """`panel_utility` of the cars on a shelf."""
    utility, outside = np.empty((len(entries), len(shelf.quality))), np.empty(len(entries))
    world = market.world()

    def fill(block: slice) -> None:
        state = tuple(column[block] for column in entries.state)
        kernels.panel_utility(
            entries.hears[block],
            state,
            market.habits,
            shelf,
            world,
            entries.tastes[block],
            utility[block],
            outside[block],
        )

    over_blocks(fill, len(entries), market.threads)
    return utility, outside


def stack_utility(market: Market, entries: Entries, line: int) -> np.ndarray:
    """What each platform would add to a line's utility, beside lent trust, `[2 S, 2 G]`, up to what all have: first as the
    line's full stack, then as its own software with the leader's components. Utility is a sum, so one line tells for all."""
    n_platforms = len(market.platforms)
    codes, lines = np.tile(np.arange(n_platforms), 2), np.full(2 * n_platforms, line)
    quality = market.platforms.quality
    leader = market.platform_code(market.scenario.alliance.platform)
    gap = np.maximum(quality[leader] - quality, 0.0) if leader >= 0 else np.zeros(n_platforms)
    software = np.concatenate([quality, quality + market.scenario.alliance.components_gain * gap])
    shelf = market.shelf(lines, np.zeros(len(lines)))._replace(
        platform=codes,
        software=software,
        leader=(codes == leader).astype(float),
        quality=market.network()[codes],
    )
    return shelf_utility(market, entries, shelf)[0]


def panel_visits(market: Market, entries: Entries, utility, outside, rule, prices: np.ndarray) -> np.ndarray:
    """Expected visits of each entry per cycle at given posted prices, times its chance, `[2 S]`."""
    visits = np.empty(len(entries))
    for places, each in by_class(rule, len(entries)):
        outlay, found = each.value(prices), np.empty(len(places))

        def fill(block: slice, places=places, outlay=outlay, found=found) -> None:
            kernels.panel_visits(
                places[block], utility, outside, entries.sensitivity, outlay, market.habits, found[block]
            )

        over_blocks(fill, len(places), market.threads)
        visits[places] = found
    return visits * entries.chance


def panel_demand(market: Market, rows: np.ndarray) -> tuple[Demand, BuyerPrice | BuyerPriceByClass]:
    """Demand of the panel for the given lines before price, `[2 S, J]`, and what it pays; entries weigh by their visits at
    present prices."""
    entries = panel_entries(market)
    rule = market.weighed(market.month, rows, entries.people)
    utility, outside = panel_utility(market, entries, rows)
    visits = panel_visits(market, entries, utility, outside, rule, market.offers.price[rows])
    return Demand(utility, entries.sensitivity, visits, outside), rule


def priced_demand(market: Market, rows: np.ndarray, start: np.ndarray) -> tuple[Demand, BuyerPriceByClass, Choices]:
    """`panel_demand` as the price game reads it: the entries of one class after those of the other, and the two states of a
    household as one type where they are of one class; and what they choose at the prices the game starts from, `[J]`, kCNY: from
    that follow their visits at present prices too."""
    entries = panel_entries(market)
    known = market.weighed(market.month, rows, entries.people)
    if isinstance(known, BuyerPrice):
        known = BuyerPriceByClass((known,), np.zeros(len(entries), dtype=np.int64))
    household = np.arange(len(entries)) % (len(entries) // 2)
    type_of = known.class_of.astype(np.int64) * len(entries) + household
    order = np.argsort(type_of, kind="stable")
    first = np.append(np.flatnonzero(np.diff(type_of[order], prepend=-1)), len(entries))
    rule = BuyerPriceByClass(known.rules, known.class_of[order])
    demand = _typed_demand(market, entries, rows, order, first)
    chosen = choices_at(start, demand, rule, market.threads)
    visits = visits_from(market, chosen, rule, market.offers.price[rows]) * entries.chance[order]
    return demand.weighed(visits), rule, chosen


def _typed_demand(market: Market, entries: Entries, rows: np.ndarray, order: np.ndarray, first: np.ndarray) -> Demand:
    """The panel's entries in an order in which those of type g stand from `first[g]` on, `[G + 1]`, all alike in weight."""
    some, panel = order[first[:-1]], tuple(column[order] for column in entries.state)
    shelf, world, habits = market.shelf(rows, np.zeros(len(rows))), market.world(), market.habits
    lock_in, brand, outside = np.empty(len(order)), np.empty(len(order), dtype=np.int64), np.empty(len(order))
    kernels.fill_bonds(panel, habits, world, entries.tastes, order, (lock_in, brand, outside))
    states = kernels.states_of(first, panel[1], lock_in, brand, habits, shelf)
    utility, tastes, hears = np.empty((len(some), len(rows))), entries.tastes[some], entries.hears[some]

    def fill(block: slice) -> None:
        kernels.type_utility(hears[block], habits, shelf, world, tastes[block], utility[block])

    over_blocks(fill, len(some), market.threads)
    return Demand(utility, entries.sensitivity[some], outside_utility=outside, states=states)


def visits_from(market: Market, chosen: Choices, rule: BuyerPriceByClass, prices: np.ndarray) -> np.ndarray:
    """`panel_visits` at given posted prices from what the entries choose at others, few of which differ, `[2 S]`, whatever
    their chance."""
    demand, visits, moved = chosen.demand, np.empty(len(chosen.inside)), np.flatnonzero(prices != chosen.prices)
    rises = rule.value(prices) - rule.value(chosen.prices)
    for types, rise in zip(class_types(demand, rule), rises[:, moved], strict=True):

        def fill(block: slice, first=types.start, rise=rise) -> None:
            own = slice(first + block.start, first + block.stop)
            chances = chosen.odds[own], chosen.highest[own]
            states, sensitivity = demand.states_of(own), demand.price_sensitivity[own]
            kernels.visits_then(
                chances, demand.outside_utility, states, sensitivity, (moved, rise), market.habits, visits
            )

        over_blocks(fill, types.stop - types.start, market.threads)
    return visits


def let_panel_shop(market: Market, rows: np.ndarray) -> None:
    """Panel households whose time has come choose as everybody does; they need not queue, and keep their tastes."""
    owners, seed = market.panel.owners, market.scenario.seed
    early = shift_visits(market, owners, rows)
    shoppers = np.flatnonzero(owners.visit == market.month)
    fresh = owners.due[shoppers] >= market.month
    lot = np.empty(len(shoppers))
    kernels.turnover_draws(seed, shoppers, owners.due, lot)
    newborn = fresh & (lot < market.habits.first_time_share)
    owners.line[shoppers[newborn]] = owners.platform[shoppers[newborn]] = NO_CAR
    choice = choices(market, owners, shoppers, rows)
    keepers, buyers = shoppers[choice < 0], shoppers[choice >= 0]
    visit = np.empty(len(keepers), dtype=np.int64)
    kernels.after_keeping(seed, keepers, market.month, market.clock, market.habits, visit)
    owners.visit[keepers] = np.minimum(visit, NEVER)
    early.send_back(owners, keepers)
    take_cars(market, owners, buyers, rows[choice[choice >= 0]])


def take_cars(market: Market, owners: Population, buyers: np.ndarray, products: np.ndarray) -> None:
    """Buyers become owners this month: line, platform, months, and when the new car will be due."""
    platform, month = market.offers.platform[products], market.month
    stays = owners.platform[buyers] == platform
    owners.joined[buyers] = np.where(stays, owners.joined[buyers], month)
    owners.line[buyers], owners.platform[buyers], owners.bought[buyers] = products, platform, month
    due = np.empty(len(buyers), dtype=np.int64)
    kernels.after_purchase(market.scenario.seed, buyers, month, market.clock, market.habits, due)
    owners.due[buyers] = owners.visit[buyers] = np.minimum(due, NEVER)
