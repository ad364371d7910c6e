"""Credits for new-energy cars: what a car earns or causes, what a credit costs, and what that does to a maker's margin.

Makers of conventional cars must hold `ratio` credits a car they make; cars with a plug earn credits:

    battery car      min(slope · range + constant, cap) · factor(range), nothing below the first step of the range
    plug-in hybrid   a fixed number, range extenders included
    conventional     −ratio, unless its maker makes fewer than `exempt_below` a year

At the price π of a credit one more car of line j costs its maker F_j = π (required_j − earned_j): a payment beside its cost
that whoever counts the cost counts too, F_fj = B_fj F_j (`with_payments`). Fuel-consumption credits, the other half of the
policy, are outside; a maker's need of them, which new-energy credits cover one to one, may be taken off its balance.

The price is given, or clears the market of a year: makers with too few credits buy, the others sell. The pool of 2023 stands
between: of a supply above `store_above` times the need the rest may be stored, and while it is below `release_below` times
the need stored credits may be sold. With S offered and N needed,

    π between floor and cap with S(π) = N(π);   the floor where more is offered even there;   the cap where less is

the floor being what an unsold credit is worth to its owner, the cap what it costs to go without. That at given quantities
nothing but floor and cap is possible is the market's own trouble: supply was 3.7 times the need in 2022.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq


@dataclass(frozen=True)
class CreditRule:
    """The rule of a year, by the names of `evsim.data.credit_rules`."""

    ratio: float  # credits a conventional car
    slope: float  # credits per km of range
    constant: float  # credits
    cap: float  # credits a battery car, before the range factor
    plug_in: float  # credits a plug-in hybrid or range extender
    exempt_below: float = 0.0  # conventional cars a year
    range_steps: tuple[float, ...] = (0.0,)  # km, rising
    range_factors: tuple[float, ...] = (1.0,)  # from each step on
    store_above: float = np.inf  # supply over need; +inf: there is no pool to store in
    release_below: float = 1.0  # supply over need

    def __post_init__(self):
        numbers = (self.ratio, self.slope, self.constant, self.cap, self.plug_in, self.exempt_below)
        if not (np.isfinite(numbers).all() and min(numbers) >= 0):
            raise ValueError("ratio, slope, constant, cap, plug_in and exempt_below must be finite and not negative")
        steps, factors = np.asarray(self.range_steps, dtype=float), np.asarray(self.range_factors, dtype=float)
        if (
            steps.shape != factors.shape
            or len(steps) == 0
            or not (np.diff(steps) > 0).all()
            or not (factors >= 0).all()
        ):
            raise ValueError("range_steps must rise, with one factor each that is not negative")
        if not self.store_above >= self.release_below >= 1.0:
            raise ValueError(
                f"store_above={self.store_above} must not be below release_below={self.release_below}, nor that below 1"
            )


@dataclass(frozen=True)
class CreditPrice:
    """The price of a credit, and how it was found."""

    price: float  # π, kCNY
    excess: (
        float  # offered less needed at that price, credits: positive at the floor, negative at the cap, else about 0
    )
    at: str  # floor, inside or cap


@dataclass(frozen=True)
class Settlement:
    """What makers do with their credits at the end of a year, `[F]` each, credits unless said."""

    sold: np.ndarray
    bought: np.ndarray
    shortfall: np.ndarray  # needed and not to be had
    stored: np.ndarray  # in the pool after the year
    lapsed: np.ndarray  # neither sold nor stored
    transfers: np.ndarray  # kCNY received from other makers less paid to them; they sum to zero


def earned_per_car(battery, plug_in, electric_range, rule: CreditRule):
    """Credits that a car of each line earns, `[J]`; 0 for conventional cars.

    Args:
        battery, plug_in: `[J]` bool, battery cars and cars with plug and tank; no car is both.
        electric_range: `[J]`, km; of cars without battery it does not count.
        rule: of the year.
    Raises:
        ValueError: a car of both kinds, or a negative or NaN range of a battery car.
    """
    battery, plug_in = np.asarray(battery, dtype=bool), np.asarray(plug_in, dtype=bool)
    reach = np.where(battery, np.asarray(electric_range, dtype=float), 0.0)
    if (battery & plug_in).any() or not (reach >= 0).all():
        raise ValueError("a car is a battery car or a plug-in hybrid, not both, and its electric_range is not negative")
    step = np.searchsorted(np.asarray(rule.range_steps, dtype=float), reach, side="right")
    factor = np.append(0.0, rule.range_factors)[step]
    of_battery = np.minimum(rule.slope * reach + rule.constant, rule.cap) * factor
    return np.where(battery, of_battery, np.where(plug_in, rule.plug_in, 0.0))


def required_per_car(conventional, maker, yearly_cars, rule: CreditRule):
    """Credits that a car of each line obliges its maker to hold, `[J]`: `ratio` for conventional cars.

    Args:
        conventional: `[J]` bool.
        maker: `[J]`, whole numbers from 0.
        yearly_cars: made a year, `[J]`: with fewer than `exempt_below` conventional ones a maker has no ratio to meet.
        rule: of the year.
    """
    conventional = np.asarray(conventional, dtype=bool)
    made = np.bincount(maker, weights=np.where(conventional, yearly_cars, 0.0))[maker]
    return np.where(conventional & (made >= rule.exempt_below), rule.ratio, 0.0)


def balances(net_credits, maker, n_makers, cars):
    """Credits earned less required of each maker, `[F]`: Σ_j of f net_j · cars_j.

    Args:
        net_credits: earned less required per car, `[J]`.
        maker: `[J]`, whole numbers below `n_makers`.
        cars: made in the year, `[J]`.
    """
    return np.bincount(maker, weights=np.asarray(net_credits) * cars, minlength=n_makers)


def payments_per_car(net_credits, credit_price):
    """What one more car of each line costs its maker in credits, `[J]`, kCNY: −π · (earned − required)."""
    return -credit_price * np.asarray(net_credits, dtype=float)


def with_payments(payments, cost_weights, per_car):
    """The payments F of a price game with those of credits in them, `[F, J]`: F + B · per_car.

    Credits are the car's maker's, like the car's cost, so whoever counts a share B of that cost counts as much of them.

    Args:
        payments: F, `[F, J]`, kCNY per vehicle.
        cost_weights: B, `[F, J]`.
        per_car: `[J]`, from `payments_per_car`.
    """
    return np.asarray(payments) + np.asarray(cost_weights) * per_car


def pool_flow(supply, need, stored, rule: CreditRule):
    """Credits that go into the pool and come out of it in a year; one of the two is 0.

        in = max(S − store_above · N, 0);   out = min(stored, max(release_below · N − S, 0))

    Args:
        supply, need: S of makers with credits to spare, N of the others.
        stored: in the pool before.
    Source:
        Ministry of Industry and Information Technology, decision of 2023 on the dual-credit rules; storing is voluntary
        there, and here owners store what they may.
    """
    into = max(supply - rule.store_above * need, 0.0) if np.isfinite(rule.store_above) else 0.0
    return into, min(stored, max(rule.release_below * need - supply, 0.0))


def excess_offered(balance, stored, rule: CreditRule) -> float:
    """Credits offered, the pool's flow counted, less credits needed.

    Args:
        balance: `[F]`, credits of each maker.
        stored: in the pool, `[F]` or their sum.
    """
    supply, need = _sides(balance)
    into, out = pool_flow(supply.sum(), need.sum(), np.sum(stored), rule)
    return float(supply.sum() - into + out - need.sum())


def clearing_price(
    balance_at: Callable[[float], np.ndarray], rule: CreditRule, stored=0.0, *, cap, floor=0.0, tolerance=1e-10
) -> CreditPrice:
    """The price at which credits offered are credits needed, between a floor and a cap.

    Args:
        balance_at: price in kCNY → balances `[F]` when makers reckon with it: dearer credits, more of them. A market
            whose quantities are given is `lambda price: balance`.
        rule: of the year, for the pool.
        stored: in the pool, `[F]` or their sum.
        cap: kCNY, what a missing credit costs.
        floor: kCNY, what an unsold credit is worth to its owner, not negative.
        tolerance: of the price, kCNY.
    Returns:
        `CreditPrice`.
    Raises:
        ValueError: not 0 ≤ floor ≤ cap < ∞, or balances that are not finite.
    """
    if not 0.0 <= floor <= cap < np.inf:
        raise ValueError(f"floor={floor} and cap={cap} must be finite, not negative, and rise")

    def excess(price):
        value = excess_offered(balance_at(price), stored, rule)
        if not np.isfinite(value):
            raise ValueError(f"balances must be finite; at a price of {price} kCNY they are not")
        return value

    for price, at, beyond in ((floor, "floor", 1.0), (cap, "cap", -1.0)):
        value = excess(price)
        if value * beyond >= 0.0:
            return CreditPrice(float(price), value, at)
    price = float(brentq(excess, floor, cap, xtol=tolerance, rtol=1e-14))
    return CreditPrice(price, excess(price), "inside")


def settle(balance, stored, credit_price, rule: CreditRule) -> Settlement:
    """Who sells to whom, and what is left: all sell the same part of what they offer, or get the same part of their need.

    Stored credits come out of the pool and go into it in proportion to what each maker has; unsold ones go back.

    Args:
        balance: `[F]`, credits of the year.
        stored: in the pool before, `[F]`, not negative.
        credit_price: kCNY.
        rule: of the year.
    Returns:
        `Settlement`: balance + stored = sold − bought + stored after + lapsed − shortfall for each maker.
    """
    supply, need = _sides(balance)
    stored = np.asarray(stored, dtype=float)
    if stored.shape != supply.shape or not (stored >= 0).all():
        raise ValueError(f"stored must have shape {supply.shape} and not be negative")
    spare, wanted, kept = supply.sum(), need.sum(), stored.sum()
    into, out = pool_flow(spare, wanted, kept, rule)
    put, drawn = into * _parts(supply, spare), out * _parts(stored, kept)
    offered = supply - put + drawn
    on_offer = offered.sum()
    traded = min(on_offer, wanted)
    sold, bought = traded * _parts(offered, on_offer), traded * _parts(need, wanted)
    unsold_part = 1.0 - traded / on_offer if on_offer > 0 else 0.0
    return Settlement(
        sold=sold,
        bought=bought,
        shortfall=need - bought,
        stored=np.maximum(stored + put - drawn * (1.0 - unsold_part), 0.0),  # to the last bit
        lapsed=(supply - put) * unsold_part,
        transfers=credit_price * (sold - bought),
    )


def _sides(balance):
    """Credits to spare and credits wanting, `[F]` each."""
    balance = np.asarray(balance, dtype=float)
    return np.maximum(balance, 0.0), np.maximum(-balance, 0.0)


def _parts(amounts, total):
    """Each one's part of the sum; 0 where there is none."""
    return amounts / total if total > 0 else np.zeros_like(amounts)
