"""Credits for new-energy cars in the market: what each line earns or takes, what a credit is worth, who sells to whom.

The rule of a calendar year holds from its January; before the first there are no credits, and month 0 is under the rule of its
own year, at the price of record. A maker whose cars took more credits than they earned in the last calendar year (at first: in
the base window) buys at the price π; one with credits to spare sells only the part σ of them that finds a buyer,

    worth of a credit    π to a maker that is short, σ π to one that has some to spare
    one more car of j    costs its maker −worth · (earned_j − required_j), in `Market.costs` and so in every price

and each month's credits change hands at π, pro rata (`economics.credits.settle`): what makers are paid makers pay. Where the
market clears, π is that at which last year's sales, with every line's price moved by what its credits cost more or less, would
give as many credits as are needed.

Refused: counting every credit at π. Supply was three to four times the need from 2022 on, so that makers would steer by, and
book, money that nobody pays.
"""

from dataclasses import replace

import numpy as np

from ..data import credit_price, credit_rules, first_credit_year
from ..data.market import POWERTRAINS
from ..economics.choice import choice_probabilities
from ..economics.credits import (
    CreditRule,
    Settlement,
    balances,
    clearing_price,
    earned_per_car,
    payments_per_car,
    required_per_car,
    settle,
)
from ..params import month_number
from ..params.base import without_levers
from ..params.credits import CreditParams
from .calendar import paid
from .panel import panel_demand
from .policy import electric_range
from .state import CreditBook, Market

YEAR = 12


def begin_credits(market: Market) -> None:
    """The credit market at the base date, under the record."""
    n_makers = len(market.names.automakers)
    market.credits = CreditBook(stored=np.zeros(n_makers), made=np.zeros(len(market.offers)))
    set_year(market, YEAR * market.offers.base_units, without_levers(market.scenario.credits))


def review_credits(market: Market) -> None:
    """In January, and in month 1: the rule and the price of the year, by the cars of the last one; call it before prices."""
    this_month = month_number(market.scenario.start) - 1 + market.month
    if market.month == 1:
        set_year(market, YEAR * market.offers.base_units, market.scenario.credits)
    elif this_month % YEAR == 0:
        cars = market.credits.made * YEAR / min(YEAR, market.month - 1)
        set_year(market, cars, market.scenario.credits)
        market.credits.made = np.zeros(len(market.offers))


def set_year(market: Market, cars: np.ndarray, params: CreditParams) -> None:
    """What each line earns or takes, what credits are worth to each maker, and what that comes to a car.

    Args:
        cars: made in the year before, `[lines]`.
        params: the scenario's, or those of the record.
    """
    book, offers, n_makers = market.credits, market.offers, len(market.names.automakers)
    month = month_number(market.scenario.start) - 1 + market.month
    if params.hold_from:
        month = min(month, month_number(params.hold_from))
    year = month // YEAR
    if params.rule == "off" or year < first_credit_year():
        book.rule, market.credit_cost = None, np.zeros(len(offers))
        return
    rule = CreditRule(**credit_rules(year))
    book.rule = rule = replace(rule, ratio=params.ratio_scale * rule.ratio)
    book.net = net_credits(market, cars, rule, params.fuel_need, year)
    if params.rule == "clearing":
        book.price = clearing_price(
            lambda price: expected_balances(market, cars, price),
            rule,
            book.stored,
            floor=params.floor_kcny,
            cap=params.cap_kcny,
        ).price
    else:
        book.price = credit_price(year) if params.price_kcny is None else params.price_kcny
    worth = worth_of(balances(book.net, offers.automaker, n_makers, cars), book.stored, book.price, rule)
    market.credit_cost = payments_per_car(book.net, worth[offers.automaker])


def net_credits(market: Market, cars: np.ndarray, rule: CreditRule, fuel_need: float, year: int) -> np.ndarray:
    """Credits that one more car of each line earns less those it takes, `[lines]`."""
    offers = market.offers
    conventional = offers.powertrain == POWERTRAINS.index("ice")
    battery = offers.powertrain == POWERTRAINS.index("bev")
    earned = earned_per_car(battery, ~conventional & ~battery, electric_range(offers, year), rule)
    return earned - required_per_car(conventional, offers.automaker, cars, rule) - fuel_need * conventional


def worth_of(balance: np.ndarray, stored: np.ndarray, price: float, rule: CreditRule) -> np.ndarray:
    """What a credit is worth to each maker, `[automakers]`, kCNY: to those with some to spare, by the part that is sold."""
    sold = settle(balance, stored, price, rule).sold
    spare = np.maximum(balance, 0.0).sum()
    return price * np.where(balance < 0, 1.0, min(sold.sum() / spare, 1.0) if spare > 0 else 1.0)


def expected_balances(market: Market, cars: np.ndarray, price: float) -> np.ndarray:
    """Credits of each maker in a year at a price of credits, `[automakers]`: last year's cars moved as the panel's demand is
    when every posted price moves by what its line's credits cost more than they do."""
    book, offers, rows = market.credits, market.offers, market.on_sale()
    demand, rule = panel_demand(market, rows)
    moved = (payments_per_car(book.net, price) - market.credit_cost)[rows] * (1.0 + market.scenario.subsidy.vat)

    def sales(posted):
        utility = demand.utility - demand.price_sensitivity[:, None] * paid(rule, posted)
        return demand.weights @ choice_probabilities(utility, demand.outside_utility)

    now = offers.price[rows]
    expected = cars.copy()
    expected[rows] *= sales(np.maximum(now + moved, 0.01 * now)) / sales(now)
    return balances(book.net, offers.automaker, len(market.names.automakers), expected)


def trade(market: Market, units: np.ndarray) -> np.ndarray:
    """A month's credits change hands; what each maker receives less what it pays, `[automakers]`, kCNY; the sum is 0.

    Args:
        units: cars delivered, `[lines]`.
    """
    book, n_makers = market.credits, len(market.names.automakers)
    book.made = book.made + units
    if book.rule is None:
        return np.zeros(n_makers)
    balance = balances(book.net, market.offers.automaker, n_makers, units)
    settled: Settlement = settle(balance, book.stored, book.price, book.rule)
    book.stored = settled.stored
    return settled.transfers
