"""Exit: makers out of cash stop, and stacks that nobody supports are orphaned.

A group stands for its makers: their cash is one purse, and it fails when

    Σ_group cash < −credit_months · (Σ_group revenue of the last 12 months) / 12

that is, when it owes more than suppliers and banks lend on its sales. Of a failed group those makers stop that did not earn
a profit over the last 12 months; one that did is carried on by its creditors, for as long as it does and the group is in
the red. So a parent feeds a young brand while it can, and a sound joint venture does not fall with its parent. A group is not
judged before it has been on sale for 12 months: who launches a first car has put up the money to see it through. Small
makers pooled in the table are many firms and never stop as one; and the last maker stays, since buyers face some offer.

A maker that stops sells nothing more and opens nothing more; cars ordered from it are still built and paid for. The stack of
its own, if no maker that goes on sells a car with it, is orphaned at once: it is no ecosystem any more, so its owners' lock-in
(κ), its network effect and its learning from data end, its research is 0, and its quality is left to fall behind the frontier.
An in-house stack that its maker gives up for another is orphaned after the months of support that were promised.

Refused: judging each maker by its own cash. Avatr lost 5.7 bn CNY in 2022 and 2023, more than the 5.6 it sold for in 2023, and
lives on its parent's money, which a maker's own books do not hold. Refused too: stopping a failed group whole, for it would
close Beijing Benz with Arcfox.
"""

from functools import lru_cache

import numpy as np

from ..params import month_name, month_number
from .accounts import Books, Exit
from .lines import OTHER
from .state import Market


def failing(market: Market, books: Books) -> np.ndarray:
    """Codes of the makers that must stop for want of cash this month, in order; call it when the month is booked."""
    stopping = failed(market, books)
    if not stopping.any():
        return np.flatnonzero(stopping)
    earned = _over_the_year(books.past_profit)
    stopping &= ~(earned > 0.0) & still_there(market)
    on_sale = np.bincount(market.offers.automaker, market.offers.on_sale, len(stopping)) > 0
    if on_sale.any() and not (on_sale & ~stopping).any():
        stopping[np.flatnonzero(on_sale)[earned[on_sale].argmax()]] = False
    return np.flatnonzero(stopping)


def failed(market: Market, books: Books) -> np.ndarray:
    """Whether the group of each maker owes more than its credit, `[automakers]`; pooled makers and newcomers never do."""
    names = market.names.automakers
    group = _codes_of(tuple(map(market.groups.get, names, names)))
    cash = np.bincount(group, books.cash)
    yearly = np.bincount(group, _over_the_year(books.past_revenue))
    judged = np.bincount(group, ~np.isnan(books.past_revenue[0])) > 0
    short = judged & (cash < -market.scenario.accounts.credit_months * yearly / len(books.past_revenue))
    return short[group] & ~_pooled(tuple(names))


def _over_the_year(past: np.ndarray) -> np.ndarray:
    """Sum of the months in which a maker was on sale, `[automakers]`."""
    return np.where(np.isnan(past), 0.0, past).sum(axis=0)


@lru_cache(maxsize=16)
def _codes_of(names: tuple[str, ...]) -> np.ndarray:
    """The same number for the same name, `[n]`, in the order of the names; read-only."""
    codes = np.unique(names, return_inverse=True)[1]
    codes.setflags(write=False)
    return codes


@lru_cache(maxsize=16)
def _pooled(names: tuple[str, ...]) -> np.ndarray:
    """Whether a maker stands for many small ones, `[automakers]`; read-only."""
    pooled = np.array(names) == OTHER
    pooled.setflags(write=False)
    return pooled


def still_there(market: Market) -> np.ndarray:
    """Whether a maker has a line on sale or a launch to come, `[automakers]`."""
    offers = market.offers
    there = np.zeros(len(market.names.automakers), dtype=bool)
    there[offers.automaker[offers.on_sale]] = True
    there[[offers.automaker[event.row] for event in market.calendar if event.month > market.month]] = True
    return there


def close(market: Market, books: Books, code: int) -> None:
    """A maker stops: nothing more on sale, no launches, no contract; its stack is orphaned if left alone.

    Attempts at a stack under way are ended by `changes.stop_attempts`, which knows them one by one.
    """
    offers = market.offers
    theirs = offers.automaker == code
    stacks = np.unique(offers.platform[theirs & market.own_software()])
    offers.on_sale[theirs] = False
    market.calendar = [event for event in market.calendar if not theirs[event.row]]
    books.fixed_fee[code] = 0.0
    books.gone[code] = True
    books.exits.append(Exit(market.month, market.names.automakers[code], "stopped"))
    for stack in stacks[~np.isin(stacks, offers.platform[offers.on_sale])]:
        orphan(market, books, int(stack))


def orphan(market: Market, books: Books, platform: int) -> None:
    """Nobody supports a stack any more: lock-in, network, learning from data and research end; its quality stays."""
    platforms = market.platforms
    if platforms.ecosystem[platform]:
        platforms.ecosystem[platform], platforms.research[platform] = False, 0.0
        books.exits.append(Exit(market.month, platforms.names[platform], "orphaned"))


def age_out(market: Market, books: Books, support_months: int) -> None:
    """Count the months in which no line on sale runs on an in-house stack, and orphan it when its support ends.

    Args:
        market: after the month's changes; call this once a month.
        books: `idle` is counted here.
        support_months: for how long a stack is supported after its last line left.
    """
    offers = market.offers
    stacks = range(len(market.platforms))
    used = np.bincount(offers.platform[offers.on_sale], minlength=len(stacks)) > 0
    in_house = np.bincount(offers.platform[offers.on_sale & market.own_software()], minlength=len(stacks)) > 0
    given_up = ~used & (books.idle >= 0)
    books.idle = np.where(in_house, 0, np.where(given_up, books.idle + 1, books.idle))
    for stack in np.flatnonzero(given_up & (books.idle >= support_months)):
        orphan(market, books, int(stack))


def exit_table(market: Market, books: Books) -> dict[str, dict[str, list]]:
    """Who stopped and what was orphaned so far, as the table `exits`; nothing if nobody."""
    base = month_number(market.scenario.start) - 1
    columns = {
        "month": [month_name(base + event.month) for event in books.exits],
        "name": [event.name for event in books.exits],
        "event": [event.event for event in books.exits],
    }
    return {"exits": columns} if books.exits else {}
