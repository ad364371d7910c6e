"""Deliveries, backlog, money: the books that balance.

Money is kCNY a month, cars are cars (one row is `weight` of them). A maker's monthly capacity that is smaller than a row's
cars carries its remainder over. Every month buyers' payments equal makers' net revenue plus VAT plus purchase tax less
subsidies, royalties paid equal royalties received, and orders equal deliveries plus the growth of the backlog.

    profit = revenue − royalties − costs − fixed costs − research − investment + credits

Fixed costs of a maker whose accounts are known for the year up to the base date are such that the base window repeats its
reported net profit per yuan of revenue, π/R:

    fixed = max(gross − own research − (π/R) revenue, 0)

all of the model's base window, per month. Only the ratio is taken: a group reports trucks, exports and parts that the market
table does not hold, so its profit in yuan would be that of another firm. A profit without its revenue is therefore not used.
The floor is for groups that earn more on a yuan than the model's cars do before any fixed cost, by exports for instance: a
plant is no income. Every other maker's fixed costs are a share of its gross profit. They stay what they are in yuan, as
plants do; a maker that comes later has the same share of each month's gross profit.

`investment`, `development` and `fixed_fee` of the books are written during the month by whoever decides: what is spent once,
what runs until an attempt ends, and what a contract costs a month beside its fees per car. Conversions and launches are paid
to firms outside the model.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..data import read_firm_figures
from ..data.firms import FIGURES
from ..economics.contracts import royalty
from ..params import month_name, month_number
from .credits import trade
from .offers import MODE
from .rates import KCNY_PER_BN
from .state import Market, Outcome
from .treasury import Receipts, collect

YEAR = 12  # months of results that the books remember


@dataclass
class Queue:
    """Buyers waiting for a car, in order."""

    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    products: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def join(self, rows: np.ndarray, products: np.ndarray) -> None:
        """Put buyers at the end."""
        self.rows, self.products = np.concatenate([self.rows, rows]), np.concatenate([self.products, products])

    def deliver(self, books: "Books", market: Market) -> tuple[np.ndarray, np.ndarray]:
        """Take out those whose car is built this month: for each maker the first in the queue, up to its capacity."""
        weight, makers = market.population.weight, market.offers.automaker[self.products]
        available = books.carry + books.capacity
        places = np.floor(available / weight + 1e-9).astype(np.int64)
        order = np.argsort(makers, kind="stable")
        counts = np.bincount(makers, minlength=len(places))
        position = np.arange(len(makers)) - np.repeat(np.cumsum(counts) - counts, counts)
        built = np.zeros(len(makers), dtype=bool)
        built[order] = position < places[makers[order]]
        delivered = np.bincount(makers[built], minlength=len(places))
        books.carry = np.minimum(available - weight * delivered, weight)
        full = counts > delivered
        books.capacity[full] *= 1.0 + market.scenario.capacity.expansion
        buyers, products = self.rows[built], self.products[built]
        self.rows, self.products = self.rows[~built], self.products[~built]
        return buyers, products

    def waiting(self, weight: float, n_lines: int) -> np.ndarray:
        """Cars ordered and not delivered, `[lines]`."""
        return weight * np.bincount(self.products, minlength=n_lines)


class Exit(NamedTuple):
    """What ended in which month."""

    month: int  # from the base date
    name: str  # automaker, or software stack
    event: str  # "stopped": an automaker out of cash; "orphaned": a stack that nobody supports any more


@dataclass
class Books:
    """Capacity, queue, cash and what makers have agreed to spend, `[automakers]`."""

    capacity: np.ndarray  # cars a month
    carry: np.ndarray  # capacity left over from last month, cars
    cash: np.ndarray  # kCNY
    base_fixed_costs: np.ndarray  # kCNY a month; nan: a maker that came later
    queue: Queue = field(default_factory=Queue)
    investment: np.ndarray = field(init=False)  # kCNY spent once, this month: conversion, launch, exit; 0 after booking
    development: np.ndarray = field(init=False)  # kCNY a month of attempts at a stack of one's own, until they end
    fixed_fee: np.ndarray = field(init=False)  # kCNY a month to the platform leader under contracts in force
    past_revenue: np.ndarray = field(init=False)  # [12, automakers] kCNY, oldest first; nan: not on sale by then
    past_profit: np.ndarray = field(init=False)  # likewise
    gone: np.ndarray = field(init=False)  # bool: stopped for want of cash
    idle: np.ndarray = field(init=False)  # [platforms] months without a line on sale; −1: never an in-house stack
    exits: list[Exit] = field(default_factory=list)

    def __post_init__(self) -> None:
        n_makers = len(self.capacity)
        self.investment, self.development, self.fixed_fee = np.zeros((3, n_makers))
        self.past_revenue, self.past_profit = np.full((2, YEAR, n_makers), np.nan)
        self.gone = np.zeros(n_makers, dtype=bool)
        self.idle = np.empty(0, dtype=np.int64)

    def months_waiting(self, market: Market) -> np.ndarray:
        """Months the queue of each maker takes at its capacity, `[automakers]`."""
        cars = self.queue.waiting(market.population.weight, len(market.offers))
        return np.bincount(market.offers.automaker, cars, len(self.capacity)) / self.capacity

    def remember(self, revenue: np.ndarray, profit: np.ndarray, selling: np.ndarray) -> None:
        """Put the month's results at the end of the last twelve; makers count from their first month on sale."""
        known = selling | ~np.isnan(self.past_revenue[-1])
        self.past_revenue = np.concatenate([self.past_revenue[1:], np.where(known, revenue, np.nan)[None]])
        self.past_profit = np.concatenate([self.past_profit[1:], np.where(known, profit, np.nan)[None]])


@dataclass(frozen=True)
class MonthAccounts:
    """One month's money. Arrays are `[automakers]`, the rest are sums."""

    units: np.ndarray
    revenue: np.ndarray  # net of VAT
    royalties: np.ndarray
    costs: np.ndarray
    fixed_costs: np.ndarray
    research: np.ndarray  # software: of the stack in use, and attempts at one
    investment: np.ndarray  # conversion, launch and exit costs
    credits: np.ndarray  # received from other makers for credits, less paid
    profit: np.ndarray
    royalties_received: float
    parts_costs: float
    leader_research: float
    vat: float
    treasury: Receipts


def open_books(market: Market) -> Books:
    """Capacity, cash and fixed costs at the base date; the year before is taken to be like the base window."""
    scenario, offers = market.scenario, market.offers
    n_makers = len(market.names.automakers)
    rows = np.flatnonzero(offers.base_units > 0)
    net = offers.base_price[rows] / (1.0 + scenario.subsidy.vat)
    fees = royalty(offers.base_price[rows], market.terms(rows), scenario.subsidy.vat)
    gross = np.bincount(offers.automaker[rows], offers.base_units[rows] * (net - fees - market.costs()[rows]), n_makers)
    revenue = np.bincount(offers.automaker[rows], offers.base_units[rows] * net, n_makers)
    units = np.bincount(offers.automaker[rows], offers.base_units[rows], n_makers)
    figures = dict(zip(FIGURES, known_figures(market).to_numpy().T, strict=True))
    capacity = np.maximum(scenario.capacity.headroom * units, scenario.capacity.minimum)
    capacity = np.where(np.isnan(figures["capacity"]), capacity, np.maximum(figures["capacity"] / 12.0, units))
    cash = scenario.accounts.opening_cash_months * revenue
    cash = np.where(np.isnan(figures["cash"]), cash, figures["cash"] * KCNY_PER_BN)
    research = own_research(market, offers.base_units, market.platforms.base_research)
    margin = figures["net_profit"] / figures["revenue"]
    fixed = base_fixed_costs(gross, research, revenue, margin, scenario.accounts.fixed_cost_share)
    selling = units > 0
    books = Books(capacity, np.zeros(n_makers), cash, np.where(selling, fixed, np.nan))
    for _ in range(YEAR):
        books.remember(revenue, gross - fixed - research, selling)
    in_house = offers.platform[offers.on_sale & (offers.mode == MODE["in_house"])]
    books.idle = np.where(np.isin(np.arange(len(market.platforms)), in_house), 0, -1)
    return books


def known_figures(market: Market) -> pd.DataFrame:
    """What is known of each maker at the base date, in the order of the makers' codes; nan where nothing is.

    The columns are those of `evsim.data.firms.FIGURES`. No figure of a later date is among them.
    """
    return _figures_of(month_name(month_number(market.scenario.start) - 1), tuple(market.names.automakers))


@lru_cache(maxsize=16)
def _figures_of(base: str, automakers: tuple[str, ...]) -> pd.DataFrame:
    """Firms' figures of a base date, a row an automaker; not to be changed."""
    figures = read_firm_figures()
    wide = figures[figures["base"] == base].pivot(index="automaker", columns="item", values="value")
    return wide.reindex(index=list(automakers), columns=list(FIGURES))


def base_fixed_costs(
    gross: np.ndarray, research: np.ndarray, revenue: np.ndarray, margin: np.ndarray, share: float
) -> np.ndarray:
    """Fixed costs of each maker at the base date: from its reported margin where there is one, else a share of gross profit.

    Args:
        gross: revenue less royalties and cost of the cars, `[automakers]`, kCNY a month.
        research: what it pays for its own stack, `[automakers]`, kCNY a month.
        revenue: sales net of VAT, `[automakers]`, kCNY a month.
        margin: reported net profit over reported revenue, `[automakers]`; nan where it is not known.
        share: of gross profit, where no margin is known.
    Returns:
        `[automakers]`, kCNY a month: max(gross − research − margin · revenue, 0), or share · gross.
    """
    return np.where(np.isnan(margin), share * gross, np.maximum(gross - research - margin * revenue, 0.0))


def own_research(market: Market, units: np.ndarray, research: np.ndarray | None = None) -> np.ndarray:
    """Software R&D of each maker, kCNY a month: that of its group's stack, paid by the largest maker on it.

    Args:
        units: cars of each line, `[J]`, by which makers are large.
        research: behind each stack, `[G]`, bn CNY a year; none: what the stacks have now.
    """
    research = market.platforms.research if research is None else research
    payers = market.stack_payers(units)
    kept = payers >= 0
    return np.bincount(payers[kept], research[kept] * KCNY_PER_BN / 12.0, len(market.names.automakers))


def keep_accounts(market: Market, books: Books, outcome: Outcome) -> MonthAccounts:
    """Book a month's deliveries and what makers have agreed to spend, and move their cash."""
    scenario, offers, n_makers = market.scenario, market.offers, len(market.names.automakers)
    rows = np.flatnonzero(outcome.units > 0)
    units, price, maker = outcome.units[rows], offers.price[rows], offers.automaker[rows]
    terms, vat = market.terms(rows), scenario.subsidy.vat
    treasury = collect(market, outcome.sales)
    net, fees = price / (1.0 + vat), royalty(price, terms, vat)
    revenue = np.bincount(maker, units * net, n_makers)
    royalties = np.bincount(maker, units * fees, n_makers)
    costs = np.bincount(maker, units * market.car_costs()[rows], n_makers)
    gross = revenue - royalties - costs
    fixed = np.where(
        np.isnan(books.base_fixed_costs),
        scenario.accounts.fixed_cost_share * np.maximum(gross, 0.0),
        books.base_fixed_costs,
    )
    selling = np.bincount(offers.automaker, offers.on_sale | (outcome.units > 0), n_makers) > 0
    fixed = np.where(selling, fixed, 0.0)  # a maker that has left the market pays nothing more
    research = own_research(market, outcome.units) + books.development
    credits = trade(market, outcome.units)
    profit = gross - books.fixed_fee - fixed - research - books.investment + credits
    books.cash = books.cash + profit
    books.remember(revenue, profit, selling)
    investment, books.investment = books.investment, np.zeros(n_makers)
    return MonthAccounts(
        units=np.bincount(maker, units, n_makers),
        revenue=revenue,
        royalties=royalties + books.fixed_fee,
        costs=costs,
        fixed_costs=fixed,
        research=research,
        investment=investment,
        credits=credits,
        profit=profit,
        royalties_received=float(units @ fees + books.fixed_fee.sum()),
        parts_costs=float(units @ terms.parts_cost),
        leader_research=leader_research(market),
        vat=float(units @ (price - net)),
        treasury=treasury,
    )


def leader_research(market: Market) -> float:
    """Software R&D of the platform leader, kCNY a month; nothing where it sells no stack."""
    leader = market.platform_code(market.scenario.alliance.platform)
    return float(market.platforms.research[leader]) * KCNY_PER_BN / 12.0 if leader >= 0 else 0.0
