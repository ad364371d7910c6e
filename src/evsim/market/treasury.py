"""What the state gets and pays on the cars delivered in a month, buyer by buyer, and what is left of its budgets.

A budget is served in a keyed order of the month's buyers; who comes too late pays without the benefit, though the price tag had
promised it, and from the next month on the instrument is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..economics.subsidy import Fiscal, consumer_classes, fiscal, fiscal_by_class, paid_within_budget
from ..streams import Purpose, uniforms
from .policy import Dated, instrument_of
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
    entries, scale = market.policy.dated(market.month), market.policy.scale(market.month)
    offers, weight, dials = market.offers, market.population.weight, market.scenario.subsidy
    lines, place = np.unique(sales.products, return_inverse=True)
    price = offers.price[lines]
    instruments = [instrument_of(entry, lines, scale) for entry in entries]
    alone = [fiscal([instrument], price, dials.purchase_tax, dials.vat) for instrument in instruments]
    each = [(money.outlay + money.exemption)[place] for money in alone]  # kCNY a car, by buyer
    met = _met_claims(market, sales, entries, each)
    class_of, claims = consumer_classes(met)
    if len(lines):
        money = fiscal_by_class(instruments, claims, price, dials.purchase_tax, dials.vat)
    else:
        money = Fiscal(*np.zeros((3, 1, 0)))
    tax, waived, paid = (getattr(money, name)[class_of, place] for name in ("purchase_tax", "exemption", "outlay"))
    outlay = np.bincount(sales.products, price[place] + tax - paid, len(offers))
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


def _met_claims(market: Market, sales: Sales, entries: Sequence[Dated], each: Sequence[np.ndarray]) -> np.ndarray:
    """Which buyer gets which instrument, `[n, I]` bool: who may claim it, for a car that it is for, while money is left.

    Args:
        each: what an instrument alone would give each buyer, kCNY a car.
    """
    met = sales.entitled.copy()
    for number, (entry, worth) in enumerate(zip(entries, each, strict=True)):
        met[:, number] &= worth > 0
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
