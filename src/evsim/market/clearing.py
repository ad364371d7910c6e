"""How one month clears: prices are set, due households shop, plants deliver what they can.

Buyers of a month queue in a keyed order behind those still waiting for a car of the same maker. A car changes hands, and money
is paid, when it is delivered, at that month's price, tax and benefit (purchase tax falls due at registration). The holding
time starts then; while waiting a household does not shop.
"""

import numpy as np

from ..streams import Purpose, uniforms
from . import kernels
from .accounts import Books
from .calendar import Early, Visits, people_of, shift_visits, visits
from .panel import let_panel_shop, take_cars
from .population import NEVER, NO_CAR, rows_in_month
from .pricing import set_prices
from .state import Market, Outcome, Sales
from .surplus import income_group, month_surplus


def clear(market: Market, books: Books) -> Outcome:
    """Price, shop, deliver."""
    rows, population = market.on_sale(), market.population
    with market.dressed(rows):
        residual = set_prices(market, rows)
        early = shift_visits(market, population, rows)
        made = shop(market, rows, early)
        let_panel_shop(market, rows)
    surplus = month_surplus(market, rows, made)
    buys = made.choice >= 0
    ordered = rows[made.choice[buys]]
    order_of_month(market, books, made.rows[buys], ordered)
    buyers, products = books.queue.deliver(books, market)
    market.wait = books.months_waiting(market)
    benefits = market.policy.dated(market.month)
    people = people_of(market, population, buyers)
    sales = Sales(buyers, products, market.policy.entitled(benefits, people), income_group(market, people.income))
    switches, repeats = hand_over(market, buyers, products)
    weight, n_lines = population.weight, len(market.offers)
    return Outcome(
        orders=weight * np.bincount(ordered, minlength=n_lines),
        units=weight * np.bincount(products, minlength=n_lines),
        shoppers=len(buys),
        keepers=len(buys) - len(ordered),
        switches=weight * switches,
        brand_repeats=(weight * repeats[0], weight * repeats[1]),
        residual=residual,
        sales=sales,
        surplus=surplus,
        early=len(early.rows),
    )


def shop(market: Market, rows: np.ndarray, early: Early) -> Visits:
    """The visits of this month to the lines `rows`. Keepers get a next visit: those that came early their old one."""
    population, scenario = market.population, market.scenario
    shoppers = rows_in_month(population.visit, market.month)
    before, household = population.platform[shoppers], population.household[shoppers]
    kernels.pass_on(scenario.seed, shoppers, market.columns(population), market.habits, market.month)
    left = before != population.platform[shoppers]
    move_cars(market, shoppers[left], before[left], -1)
    made = visits(market, population, shoppers, rows)
    keepers = shoppers[made.choice < 0]
    visit = np.empty(len(keepers), dtype=np.int64)
    kernels.after_keeping(scenario.seed, keepers, market.month, market.clock, market.habits, visit)
    population.visit[keepers] = np.minimum(visit, NEVER)
    early.send_back(population, keepers)
    population.due[shoppers[household != population.household[shoppers]]] = market.month  # a newcomer shops from now on
    return made


def order_of_month(market: Market, books: Books, buyers: np.ndarray, products: np.ndarray) -> None:
    """Put this month's buyers in the queue, in a keyed order; they do not shop until they have their car."""
    turn = uniforms(market.scenario.seed, Purpose.QUEUE, market.month, buyers)
    order = np.argsort(turn, kind="stable")
    books.queue.join(buyers[order], products[order])
    market.population.visit[buyers] = NEVER


def hand_over(market: Market, buyers: np.ndarray, products: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Cars change hands: owners' columns, communities, and who bought what after what (in rows)."""
    population, offers = market.population, market.offers
    n_platforms = len(market.platforms)
    old_line, old_platform = population.line[buyers], population.platform[buyers]
    platform = offers.platform[products]
    switches = np.zeros((n_platforms + 1, n_platforms), dtype=np.int64)
    np.add.at(switches, (old_platform, platform), 1)  # −1, no car, is the last row
    owners = old_line != NO_CAR
    same = owners & (offers.brand[old_line] == offers.brand[products])
    move_cars(market, buyers, old_platform, -1)
    move_cars(market, buyers, platform, 1)
    take_cars(market, population, buyers, products)
    return switches, (int(owners.sum()), int(same.sum()))


def move_cars(market: Market, rows: np.ndarray, platforms: np.ndarray, change: int) -> None:
    """Add cars to, or take them from, the communities of the given rows; no car is platform −1."""
    kernels.move_cars(market.community, rows, market.scenario.lock_in.community_size, platforms, change)
