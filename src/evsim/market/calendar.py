"""Who shops this month: those whose car is due, and those whom an announced change of policy makes come sooner or later.

A household that knows of a change within `consumers.horizon_months` compares what shopping is worth, month by month, at today's
prices and the benefits of each month as announced,

    max_t  v_i(t) − c_i |t − due_i|,   v the inclusive value over the old car, c the cost of a month's shift,

and comes at once if that is best, or, on the day, puts its visit off. c is exponential with mean
`consumers.shift_cost`, drawn once per row and visit. Who came early and keeps its car comes again on the old date, or, while
a benefit falls month by month, early once more. Where nothing is announced, nothing moves, bit for bit.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..compiled import over_blocks
from ..economics.price_rule import BuyerPrice, BuyerPriceByClass
from ..economics.timing import best_months, exponential_quantile
from ..streams import Purpose, uniforms
from . import kernels
from .policy import People
from .population import NO_CAR, Population
from .state import Market


@dataclass(frozen=True)
class Early:
    """Rows that shop before their time this month, and when they would have."""

    rows: np.ndarray
    visit: np.ndarray

    def send_back(self, owners: Population, keepers: np.ndarray) -> None:
        """Those of them who keep their car come again when they would have."""
        if not len(self.rows):
            return
        back = np.isin(self.rows, keepers)
        owners.visit[self.rows[back]] = self.visit[back]


NOBODY = Early(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def people_of(market: Market, owners: Population, rows: np.ndarray, at: np.ndarray | int | None = None) -> People:
    """What the households of some rows may claim by, in a month (none: now)."""
    month = market.month if at is None else at
    age = np.where(owners.line[rows] == NO_CAR, -1, month - owners.bought[rows].astype(np.int64))
    income = np.empty(len(rows))
    kernels.incomes(market.scenario.seed, owners.household[rows], market.habits, income)
    return People(owners.household[rows], income, age)


def by_class(rule: BuyerPrice | BuyerPriceByClass, n_buyers: int) -> list[tuple[np.ndarray, BuyerPrice]]:
    """Places of the buyers of each class, and what they pay."""
    if isinstance(rule, BuyerPrice):
        return [(np.arange(n_buyers), rule)]
    return [(np.flatnonzero(rule.class_of == code), each) for code, each in enumerate(rule.rules)]


def paid(rule: BuyerPrice | BuyerPriceByClass, prices: np.ndarray) -> np.ndarray:
    """What buyers pay at posted prices: `[J]` where all pay alike, else `[N, J]`."""
    return rule.value(prices) if isinstance(rule, BuyerPrice) else rule.value(prices)[rule.class_of]


def largest_class(rule: BuyerPrice | BuyerPriceByClass, weights: np.ndarray) -> BuyerPrice:
    """The rule of the class that weighs most."""
    return rule if isinstance(rule, BuyerPrice) else rule.rules[int(np.bincount(rule.class_of, weights).argmax())]


class Visits(NamedTuple):
    """The households that shop in a month, `[n]` each, and what comes of it."""

    rows: np.ndarray  # of the population
    people: People
    choice: np.ndarray  # a position among the lines on sale, or −1: the old car is kept
    worth: np.ndarray  # of the visit over keeping the old car, utils


def choices(market: Market, owners: Population, shoppers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What the households of some rows choose this month: positions among `rows`, or −1."""
    return visits(market, owners, shoppers, rows).choice


def visits(market: Market, owners: Population, shoppers: np.ndarray, rows: np.ndarray) -> Visits:
    """The households of some rows shop among the lines `rows` this month, each at the price of its class."""
    people = people_of(market, owners, shoppers)
    choice, worth = np.empty(len(shoppers), dtype=np.int64), np.empty(len(shoppers))
    if not len(shoppers):
        return Visits(shoppers, people, choice, worth)
    outlay, class_of = price_tags(market, rows, people, market.month)
    shelf, columns, world = market.shelf(rows, outlay), market.columns(owners), market.world(len(owners))

    def task(block: slice) -> None:
        some = (shoppers[block], columns, market.habits, shelf, class_of[block], world)
        kernels.shop(market.scenario.seed, *some, (choice[block], worth[block]))

    over_blocks(task, len(shoppers), market.threads)
    return Visits(shoppers, people, choice, worth)


def price_tags(market: Market, rows: np.ndarray, people: People, month: int) -> tuple[np.ndarray, np.ndarray]:
    """What buyers weigh of each line at today's posted prices and a month's benefits as known now: by class of what they may
    claim, `[C, J]`, kCNY, and the class of each, `[n]`."""
    rule, prices = market.weighed(month, rows, people, seen_from=market.month), market.offers.price[rows]
    if isinstance(rule, BuyerPrice):
        return rule.value(prices)[None], np.zeros(len(people.income), dtype=np.int64)
    return rule.value(prices), rule.class_of.astype(np.int64)


def shift_visits(market: Market, owners: Population, rows: np.ndarray) -> Early:
    """Move visits to and from this month where announced changes make it worth it; who comes early is told."""
    alike = market.policy.outlook(market.month, market.scenario.consumers.horizon_months)
    if not any(alike):
        return NOBODY
    # Nobody comes early who would still find the same next month, so then only those on the day have to choose.
    last = market.month if alike[1] == 0 else market.month + len(alike) - 1
    near = np.flatnonzero((owners.visit >= market.month) & (owners.visit <= last))
    if not len(near):
        return NOBODY
    visit = owners.visit[near].astype(np.int64)
    differing, place = np.unique(alike, return_inverse=True)
    values = inclusive_values(market, owners, near, rows, market.month + differing)[:, place]
    due = visit - market.month
    cost = _costs(market, near, visit)
    best = best_months(values, due, cost)
    early = (best == 0) & (due > 0)
    later = (due == 0) & (best > 0)
    owners.visit[near[early]] = market.month
    fresh = near[later & (owners.due[near] == visit)]
    owners.visit[near[later]] = market.month + best[later]
    owners.due[fresh] = owners.visit[fresh]  # its holder drives the car on until then
    return Early(near[early], visit[early])


def _costs(market: Market, rows: np.ndarray, visit: np.ndarray) -> np.ndarray:
    """What a month's shift costs each row at its visit, utils: the same in every month in which it is asked."""
    costs, mean = np.empty(len(rows)), market.scenario.consumers.shift_cost
    for month in np.unique(visit):
        there = visit == month
        costs[there] = exponential_quantile(
            uniforms(market.scenario.seed, Purpose.SHIFT, int(month), rows[there]), mean
        )
    return costs


def inclusive_values(market: Market, owners: Population, near: np.ndarray, rows: np.ndarray, months) -> np.ndarray:
    """What shopping is worth over keeping the car, at today's prices and the benefits of each of the given months as known now,
    `[n, months]`, utils."""
    people, values = people_of(market, owners, near), np.empty((len(near), len(months)))
    tags = [price_tags(market, rows, people, int(month)) for month in months]
    first = np.cumsum([0, *(len(outlay) for outlay, _ in tags[:-1])])  # of each month's classes among all
    class_of = np.column_stack([before + each for before, (_, each) in zip(first, tags, strict=True)])
    shelf = market.shelf(rows, np.concatenate([outlay for outlay, _ in tags]))
    columns, world = market.columns(owners), market.world(len(owners))

    def task(block: slice) -> None:
        some = (near[block], columns, market.habits, shelf, class_of[block], world)
        kernels.inclusive_values(market.scenario.seed, *some, values[block])

    over_blocks(task, len(near), market.threads)
    return values
