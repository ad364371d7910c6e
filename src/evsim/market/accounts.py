"""Deliveries, backlog, money: the books that balance.

Money is kCNY a month, cars are cars (one row is `weight` of them). A maker's monthly capacity that is smaller than a row's
cars carries its remainder over. Every month buyers' payments equal makers' net revenue plus VAT plus purchase tax less
subsidies, royalties paid equal royalties received, and orders equal deliveries plus the growth of the backlog.
"""

from dataclasses import dataclass, field

import numpy as np

from ..data import read_firm_figures
from ..economics.contracts import royalty
from ..params import month_name, month_number
from .offers import MODE
from .state import Market, Outcome

KCNY_PER_BN = 1e6


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


@dataclass
class Books:
    """Capacity, queue and cash, `[automakers]`."""

    capacity: np.ndarray  # cars a month
    carry: np.ndarray  # capacity left over from last month, cars
    cash: np.ndarray  # kCNY
    base_fixed_costs: np.ndarray  # kCNY a month; nan: a maker that came later
    queue: Queue = field(default_factory=Queue)

    def months_waiting(self, market: Market) -> np.ndarray:
        """Months the queue of each maker takes at its capacity, `[automakers]`."""
        cars = self.queue.waiting(market.population.weight, len(market.offers))
        return np.bincount(market.offers.automaker, cars, len(self.capacity)) / self.capacity


@dataclass(frozen=True)
class MonthAccounts:
    """One month's money. Arrays are `[automakers]`, the rest are sums."""

    units: np.ndarray
    revenue: np.ndarray  # net of VAT
    royalties: np.ndarray
    costs: np.ndarray
    fixed_costs: np.ndarray
    research: np.ndarray
    profit: np.ndarray
    royalties_received: float
    parts_costs: float
    leader_research: float
    vat: float
    purchase_tax: float
    tax_waived: float
    subsidies: float


def open_books(market: Market) -> Books:
    """Capacity, cash and fixed costs at the base date."""
    scenario, offers = market.scenario, market.offers
    n_makers = len(market.names.automakers)
    rows = np.flatnonzero(offers.base_units > 0)
    net = offers.base_price[rows] / (1.0 + scenario.subsidy.vat)
    fees = royalty(offers.base_price[rows], market.terms(rows), scenario.subsidy.vat)
    gross = np.bincount(offers.automaker[rows], offers.base_units[rows] * (net - fees - offers.cost[rows]), n_makers)
    revenue = np.bincount(offers.automaker[rows], offers.base_units[rows] * net, n_makers)
    units = np.bincount(offers.automaker[rows], offers.base_units[rows], n_makers)
    capacity = np.maximum(scenario.capacity.headroom * units, scenario.capacity.minimum)
    cash = scenario.accounts.opening_cash_months * revenue
    figures = read_firm_figures()
    figures = figures[figures["base"] == month_name(month_number(scenario.start) - 1)]
    for row in figures.itertuples():
        if row.automaker not in market.names.automakers:
            continue
        maker = market.names.automakers.index(row.automaker)
        if row.item == "cash":
            cash[maker] = row.value * KCNY_PER_BN
        elif row.item == "capacity":
            capacity[maker] = max(row.value / 12.0, units[maker])
    fixed = np.where(units > 0, scenario.accounts.fixed_cost_share * gross, np.nan)
    return Books(capacity, np.zeros(n_makers), cash, fixed)


def own_research(market: Market, units: np.ndarray) -> np.ndarray:
    """Software R&D of each maker, kCNY a month: that of its group's stack, paid by the largest maker on it.

    Args:
        units: cars of each line, `[J]`, by which makers are large.
    """
    offers, platforms = market.offers, market.platforms
    research = np.zeros(len(market.names.automakers))
    in_house = offers.on_sale & (offers.mode == MODE["in_house"])
    for code in np.unique(offers.platform[in_house]):
        rows = np.flatnonzero(in_house & (offers.platform == code))
        cars = np.bincount(offers.automaker[rows], units[rows] + 1e-9, len(research))
        research[int(cars.argmax())] += platforms.research[code] * KCNY_PER_BN / 12.0
    return research


def keep_accounts(market: Market, books: Books, outcome: Outcome) -> MonthAccounts:
    """Book a month's deliveries, and move makers' cash."""
    scenario, offers, n_makers = market.scenario, market.offers, len(market.names.automakers)
    rows = np.flatnonzero(outcome.units > 0)
    units, price, maker = outcome.units[rows], offers.price[rows], offers.automaker[rows]
    terms, vat = market.terms(rows), scenario.subsidy.vat
    fiscal = market.policy.fiscal(market.month, rows, price)
    net, fees = price / (1.0 + vat), royalty(price, terms, vat)
    revenue = np.bincount(maker, units * net, n_makers)
    royalties = np.bincount(maker, units * fees, n_makers)
    costs = np.bincount(maker, units * market.costs()[rows], n_makers)
    gross = revenue - royalties - costs
    fixed = np.where(
        np.isnan(books.base_fixed_costs),
        scenario.accounts.fixed_cost_share * np.maximum(gross, 0.0),
        books.base_fixed_costs,
    )
    selling = np.bincount(offers.automaker, offers.on_sale | (outcome.units > 0), n_makers) > 0
    fixed = np.where(selling, fixed, 0.0)  # a maker that has left the market pays nothing more
    research = own_research(market, outcome.units)
    profit = gross - fixed - research
    books.cash = books.cash + profit
    return MonthAccounts(
        units=np.bincount(maker, units, n_makers),
        revenue=revenue,
        royalties=royalties,
        costs=costs,
        fixed_costs=fixed,
        research=research,
        profit=profit,
        royalties_received=float(units @ fees),
        parts_costs=float(units @ terms.parts_cost),
        leader_research=leader_research(market),
        vat=float(units @ (price - net)),
        purchase_tax=float(units @ fiscal.purchase_tax),
        tax_waived=float(units @ fiscal.exemption),
        subsidies=float(units @ fiscal.outlay),
    )


def leader_research(market: Market) -> float:
    """Software R&D of the platform leader, kCNY a month; nothing where it sells no stack."""
    leader = market.platform_code(market.scenario.alliance.platform)
    return float(market.platforms.research[leader]) * KCNY_PER_BN / 12.0 if leader >= 0 else 0.0
