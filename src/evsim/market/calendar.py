"""Who shops this month: those whose car is due, and those whom an announced change of policy makes come sooner or later.

A household that knows of a change within `consumers.horizon_months` compares what shopping is worth, month by month, at today's
prices and the benefits of each month as announced,

    max_t  v_i(t) − c_i |t − due_i|,   v the inclusive value over the old car, c the cost of a month's shift,

and comes at once if that is best, or, on the day, puts its visit off. c is exponential with mean
`consumers.shift_cost`, drawn once per row and visit. Who came early and keeps its car comes again on the old date, or, while
a benefit falls month by month, early once more. Where nothing is announced, nothing moves, bit for bit.
"""

from dataclasses import dataclass

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


def choices(market: Market, owners: Population, shoppers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What the households of some rows choose this month, each at the price of its class: positions among `rows`, or −1."""
    chosen = np.empty(len(shoppers), dtype=np.int64)
    rule = market.weighed(market.month, rows, people_of(market, owners, shoppers))
    columns, world = market.columns(owners), market.world(len(owners))
    prices = market.offers.price[rows]
    on_offer = market.shelf(rows, prices)
    for places, each in by_class(rule, len(shoppers)):
        shelf = on_offer._replace(outlay=each.value(prices))
        found, there = np.empty(len(places), dtype=np.int64), shoppers[places]

        def task(block: slice, shelf=shelf, found=found, there=there) -> None:
            kernels.shop(market.scenario.seed, there[block], columns, market.habits, shelf, world, found[block])

        over_blocks(task, len(places), market.threads)
        chosen[places] = found
    return chosen


def shift_visits(market: Market, owners: Population, rows: np.ndarray) -> Early:
    """Move visits to and from this month where announced changes make it worth it; who comes early is told."""
    horizon = market.scenario.consumers.horizon_months
    months = market.month + np.arange(horizon + 1)
    signatures = [market.policy.signature(int(month), market.month) for month in months]
    if all(signature == signatures[0] for signature in signatures):
        return NOBODY
    # Nobody comes early who would still find the same next month, so then only those on the day have to choose.
    last = market.month if signatures[1] == signatures[0] else months[-1]
    near = np.flatnonzero((owners.visit >= market.month) & (owners.visit <= last))
    if not len(near):
        return NOBODY
    visit = owners.visit[near].astype(np.int64)
    values = np.empty((len(near), len(months)))
    for place, signature in enumerate(signatures):
        first = signatures.index(signature)
        if first < place:
            values[:, place] = values[:, first]
        else:
            values[:, place] = inclusive_values(market, owners, near, rows, int(months[place]))
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


def inclusive_values(market: Market, owners: Population, near, rows, month: int) -> np.ndarray:
    """What shopping is worth over keeping the car, at today's prices and that month's benefits as known now, `[n]`, utils."""
    people, values = people_of(market, owners, near), np.empty(len(near))
    rule = market.weighed(month, rows, people, seen_from=market.month)
    columns, world = market.columns(owners), market.world(len(owners))
    prices = market.offers.price[rows]
    on_offer = market.shelf(rows, prices)
    for places, each in by_class(rule, len(near)):
        shelf = on_offer._replace(outlay=each.value(prices))
        found, chosen = np.empty(len(places)), near[places]

        def task(block: slice, shelf=shelf, found=found, chosen=chosen) -> None:
            kernels.inclusive_values(
                market.scenario.seed, chosen[block], columns, market.habits, shelf, world, found[block]
            )

        over_blocks(task, len(places), market.threads)
        values[places] = found
    return values
