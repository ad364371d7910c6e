"""Who gets what: surplus by group, profits, the state's account, and what a policy's money bought.

Per period, in kCNY, for M potential buyers (w_i sums to 1, s_j are shares of all of them):

    buyers of group g     CS_g = M Σ_{i of g} w_i I_i / α_i,   I_i the log-sum of i's utilities, buyers' prices q in them
    firm f                Π_f = M Σ_j (A_fj p_j − B_fj c_j − F_fj) s_j
    state                 M Σ_cj s_cj (purchase tax + VAT p_j v/(1 + v) − subsidies)_cj
    total                 their sum

What one pays another cancels in the total. Of surplus only differences between two worlds mean anything, so that of
everything here only differences do. What a consumer gains by staying (κ, ι) is counted in CS; `staying_surplus` is that
part of it, to be left out by whoever takes lock-in for a loss of freedom rather than a gain of comfort.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.special import ndtri

from evsim.economics.choice import normalised_weights, positive_sensitivity
from evsim.economics.deviations import profits
from evsim.economics.metrics import group_shares
from evsim.economics.price_game import PriceGame
from evsim.economics.price_point import evaluate
from evsim.economics.subsidy import Fiscal


@dataclass(frozen=True)
class Welfare:
    """The accounts of one world, or by `minus` the difference of two, kCNY per period."""

    consumer_surplus: np.ndarray  # [G], by group of consumers
    producer_surplus: np.ndarray  # [F], makers' profits
    leader_profit: float  # of the platform's leader
    outlay: float  # subsidies paid
    purchase_tax: float  # received, exemptions taken off
    value_added_tax: float  # received
    exemption: float = 0.0  # purchase tax waived: not a part of the total, as it is missing from `purchase_tax`
    staying_surplus: np.ndarray | float = 0.0  # [G]: what κ and ι add to `consumer_surplus`; a part of it

    @property
    def state(self) -> float:
        """What the treasury has: taxes less subsidies."""
        return self.purchase_tax + self.value_added_tax - self.outlay

    @property
    def total(self) -> float:
        """The sum of the parts: buyers, makers, leader, state."""
        return float(self.consumer_surplus.sum() + self.producer_surplus.sum()) + self.leader_profit + self.state

    @property
    def support(self) -> float:
        """What the policy gives away, before what comes back in taxes: subsidies and tax waived."""
        return self.outlay + self.exemption

    def without_staying_surplus(self) -> "Welfare":
        """The same accounts, staying with one's platform or brand not counted as a gain."""
        return replace(self, consumer_surplus=self.consumer_surplus - self.staying_surplus, staying_surplus=0.0)

    def minus(self, other: "Welfare") -> "Welfare":
        """What this world has more than the other, account by account."""
        return Welfare(*(getattr(self, field.name) - getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True)
class Incidence:
    """Who has what of one kCNY of support; all five add up to 1."""

    buyers: np.ndarray  # [G], by group
    makers: np.ndarray  # [F]
    leader: float
    state: float  # what comes back: tax on cars sold because of the support, before any exemption
    lost: float  # to nobody: negative where the policy corrects more than it distorts


def market_welfare(
    game: PriceGame, prices, fiscal: Fiscal, group, *, staying_gain=None, leader=None, market_size=1.0, vat=0.0
) -> Welfare:
    """The accounts of a market at given prices.

    Args:
        game: `PriceGame` whose rows of A, B, F are what firms really earn, no row counting another's money.
        prices: p, `[J]`, kCNY.
        fiscal: per vehicle, `[J]`, or by the game's classes of consumers `[C, J]` (`subsidy.fiscal_by_class`).
        group: the group of each consumer, `[N]`, whole numbers from 0: by income, say (`income_groups`).
        staying_gain: what κ and ι add to each product's utility, `[N, J]`, utils; None: nothing.
        leader: the row of the platform's leader; None: no row is.
        market_size: M, potential buyers per period; vat: v, fraction of the price net of it.
    Returns:
        `Welfare`.
    """
    point, panel, group = evaluate(game, prices), game.panel.one_by_one, np.asarray(group)[game.panel_order]
    earned, sales = market_size * profits(game, prices), market_size * point.class_shares
    stayed = np.zeros(len(group))
    if staying_gain is not None:
        gain = np.asarray(staying_gain, dtype=float)[game.panel_order]
        stayed = staying_surplus(point.probabilities, gain, panel.price_sensitivity)
    return Welfare(
        by_group(point.inclusive / panel.price_sensitivity, panel.weights, group, market_size),
        earned if leader is None else np.delete(earned, leader),
        0.0 if leader is None else float(earned[leader]),
        outlay=float((sales * fiscal.outlay).sum()),
        purchase_tax=float((sales * fiscal.purchase_tax).sum()),
        value_added_tax=float((sales * point.prices).sum()) * vat / (1.0 + vat),
        exemption=float((sales * fiscal.exemption).sum()),
        staying_surplus=by_group(stayed, panel.weights, group, market_size),
    )


def by_group(surplus, weights, group, market_size=1.0, n_groups=None):
    """Surplus of each group of consumers, `[G]`, kCNY per period: M Σ_{i of g} w_i CS_i.

    Args:
        surplus: CS, `[N]`, kCNY per consumer (`choice.consumer_surplus`).
        weights: w, `[N]`, any scale; None: all alike.
        group: `[N]`, whole numbers from 0; −1: in no group.
        market_size: M, consumers per period; n_groups: G; None: the highest group and those below.
    """
    surplus = np.asarray(surplus, dtype=float)
    return market_size * group_shares(normalised_weights(weights, len(surplus)) * surplus, group, n_groups)


def staying_surplus(probabilities, staying_gain, price_sensitivity):
    """What staying adds to each consumer's surplus, `[N]`, kCNY: Σ_j P_ij K_ij / α_i.

    The choice is made with κ and ι in utility and is not another without them: only what it is worth is counted without.

    Args:
        probabilities: P, `[N, J]`, with state dependence.
        staying_gain: K, `[N, J]`, utils: κ s(tenure) on one's platform, ι on one's brand.
        price_sensitivity: α, `[N]`, utils per kCNY, positive.
    Source:
        Train (2015), Journal of Choice Modelling 16, on attributes that count in the choice and not in welfare.
    """
    return (np.asarray(probabilities) * staying_gain).sum(axis=1) / positive_sensitivity(price_sensitivity)


def income_groups(income, weights=None, n_groups=5):
    """Groups of equal weight by income, `[N]`, 0 the poorest; equal incomes may be parted, in their order.

    Raises:
        ValueError: fewer than one group.
    """
    if n_groups < 1:
        raise ValueError(f"n_groups={n_groups} must be at least 1")
    order = np.argsort(income, kind="stable")
    weights = normalised_weights(weights, len(order))[order]
    middle = np.cumsum(weights) - 0.5 * weights
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.minimum((n_groups * middle).astype(np.int64), n_groups - 1)
    return group


def income_bounds(spread, n_groups=5):
    """Incomes that part a log-normal population into groups of equal size, `[G − 1]`: exp(σ Φ⁻¹(k/G)), the median 1.

    Args:
        spread: σ of log income.
    Raises:
        ValueError: fewer than one group, or a spread below 0.
    """
    if n_groups < 1 or not spread >= 0:
        raise ValueError(f"n_groups={n_groups} must be at least 1, and spread={spread} at least 0")
    return np.exp(spread * ndtri(np.arange(1, n_groups) / n_groups))


def incidence(with_policy: Welfare, without: Welfare) -> Incidence:
    """Who captures a policy's support: each account's gain per kCNY of subsidies paid and tax waived.

    Raises:
        ValueError: the policy gives no more than the world without it.
    """
    gain = with_policy.minus(without)
    if not gain.support > 0:
        raise ValueError(f"the policy must give away something, but its support is {gain.support:.3g} kCNY")
    buyers, makers = gain.consumer_surplus / gain.support, gain.producer_surplus / gain.support
    leader, state = gain.leader_profit / gain.support, (gain.state + gain.support) / gain.support
    return Incidence(buyers, makers, leader, state, 1.0 - float(buyers.sum() + makers.sum()) - leader - state)


def cost_per_additional(cost, additional):
    """What one unit more cost, kCNY: cost / additional; +inf where a cost bought none, 0 where nothing was paid.

    Args:
        cost: what the policy cost, kCNY: `support` (gross) or less of `state` (net) than without it.
        additional: units more than without it: NEVs, the alliance's cars, tons of CO2 avoided.
    """
    cost, additional = np.broadcast_arrays(np.asarray(cost, dtype=float), np.asarray(additional, dtype=float))
    bought_none = np.where(cost > 0, np.inf, 0.0)
    return np.divide(cost, additional, out=bought_none, where=additional > 0)
