"""What the state gets and pays on the cars delivered in a month, buyer by buyer, and what is left of its budgets.

A budget is served in a keyed order of the month's buyers; who comes too late pays without the benefit, though the price tag had
promised it, and from the next month on the instrument is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..economics.subsidy import consumer_classes, paid_within_budget
from ..streams import Purpose, uniforms
from .policy import Dated
from .state import Market, Sales


@dataclass(frozen=True)
class Receipts:
    """One month of the treasury, kCNY."""

    purchase_tax: float
    tax_waived: float
    subsidies: float
    buyer_price: np.ndarray  # [all lines] mean of what buyers of each line paid, kCNY a car; nan: none sold
    given: np.ndarray  # [n] subsidy and waived tax on the car of each buyer of `Sales`, kCNY
    by_instrument: list[tuple[str, str, float, float]]  # name, kind, cars, kCNY


def collect(market: Market, sales: Sales) -> Receipts:
    """Tax, waived tax and subsidies of a month's sales; budgets are drawn down."""
    entries, offers, weight = market.policy.dated(market.month), market.offers, market.population.weight
    given = market.policy.benefits(market.month, offers.price)
    each = given.alone[:, sales.products]  # kCNY a car, by buyer
    met = _met_claims(market, sales, entries, each)
    class_of, claims = consumer_classes(met)
    money = given.fiscal(claims)
    tax, waived, paid = (part[class_of, sales.products] for part in (money.purchase_tax, money.exemption, money.outlay))
    outlay = np.bincount(sales.products, offers.price[sales.products] + tax - paid, len(offers))
    cars = np.bincount(sales.products, minlength=len(offers))
    return Receipts(
        purchase_tax=weight * float(tax.sum()),
        tax_waived=weight * float(waived.sum()),
        subsidies=weight * float(paid.sum()),
        buyer_price=np.divide(outlay, cars, out=np.full(len(offers), np.nan), where=cars > 0),
        given=waived + paid,
        by_instrument=[
            (entry.name, entry.kind, weight * float(got.sum()), weight * float(worth[got].sum()))
            for entry, worth, got in zip(entries, each, met.T, strict=True)
        ],
    )


def _met_claims(market: Market, sales: Sales, entries: Sequence[Dated], each: np.ndarray) -> np.ndarray:
    """Which buyer gets which instrument, `[n, I]` bool: who may claim it, for a car that it is for, while money is left.

    Args:
        each: what an instrument alone would give each buyer, `[I, n]`, kCNY a car.
    """
    met = sales.entitled & (each.T > 0)
    for number, (entry, worth) in enumerate(zip(entries, each, strict=True)):
        if entry.budget < np.inf:
            met[:, number] = _within_budget(market, entry, sales.rows, worth, met[:, number])
    return met


def _within_budget(market: Market, entry: Dated, rows: np.ndarray, each: np.ndarray, claims: np.ndarray) -> np.ndarray:
    """Which of the claims on one instrument its budget still meets, `[n]` bool; what is paid is put down as spent.

    Args:
        rows: of the buyers; each: what it gives each of them, kCNY a car; claims: who may claim, bool.
    """
    policy, weight = market.policy, market.population.weight
    spent, budget = policy.spent.get(entry.key, 0.0), policy.budget(entry)
    turn = uniforms(market.scenario.seed, Purpose.QUEUE, market.month, rows[claims])
    paid, _ = paid_within_budget(weight * each[claims], turn, max(budget - spent, 0.0))
    met = np.zeros(len(claims), dtype=bool)
    met[np.flatnonzero(claims)[paid]] = True
    policy.spent[entry.key] = spent + weight * float(each[met].sum()) if paid.all() else budget
    return met
