"""What a brand pays the platform leader, and whose money counts when a price is set.

Terms per product: a share r of the price net of VAT and a fee w a car, parts included; the leader bears the parts' cost m.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Terms:
    """Terms of the cars on offer, one entry a product."""

    revenue_share: np.ndarray  # r [J], fraction of the price net of VAT
    unit_fee: np.ndarray  # w [J], kCNY per car
    parts_cost: np.ndarray  # m [J], kCNY per car, borne by the leader: parts, and the shops it sells in
    member: np.ndarray  # [J] bool, sold in mode `alliance`


def royalty(prices, terms: Terms, vat):
    """What a maker pays the leader for each car, kCNY: r p / (1 + v) + w, `[J]`."""
    return terms.revenue_share * np.asarray(prices) / (1.0 + vat) + terms.unit_fee


def maker_net(prices, terms: Terms, vat):
    """What is left to the maker of each car after VAT and the leader's share and fee, kCNY: (1 − r) p/(1 + v) − w, `[J]`."""
    return (1.0 - terms.revenue_share) * np.asarray(prices) / (1.0 + vat) - terms.unit_fee


def price_for_net(net, terms: Terms, vat):
    """The posted price that leaves the maker `net` kCNY: the inverse of `maker_net`, `[J]`."""
    return (np.asarray(net) + terms.unit_fee) * (1.0 + vat) / (1.0 - terms.revenue_share)


def exit_cost(years, owners, per_year, per_owner):
    """What leaving a platform costs a brand, kCNY: per_year · years on it + per_owner · owners it has there."""
    return per_year * np.asarray(years) + per_owner * np.asarray(owners)


def holdup(years, exit_costs, share):
    """What a member expects to pay for having become captive, year by year, `[H]`, kCNY.

    Whenever the leader is free to set new terms it asks for a share of what leaving has come to cost since the last time:

        h_y = η · (X(t_k) − X(t_{k−1})) in the year y of the k-th new terms, 0 in others

    Args:
        years: t_k, from now, at which terms are set anew, rising; those from H on do not count.
        exit_costs: X, cost of leaving at the start of each year, `[H]`, kCNY; X(t_0) is today's.
        share: η, fraction.
    Source:
        Klein, Crawford & Alchian (1978), Journal of Law and Economics 21(2), on appropriable quasi-rents.
    """
    exit_costs = np.asarray(exit_costs, dtype=float)
    asked, paid = np.zeros(len(exit_costs)), 0 if not len(exit_costs) else exit_costs[0]
    for year in (int(when) for when in years if when < len(exit_costs)):
        asked[year] += share * max(exit_costs[year] - paid, 0.0)
        paid = max(exit_costs[year], paid)
    return asked


def impossible(terms: Terms, vat) -> np.ndarray:
    """Prices from which the terms leave the maker nothing even before its own cost: p ≤ (1 + v) w / (1 − r), `[J]`, kCNY."""
    return price_for_net(0.0, terms, vat)


def price_weights(
    automaker_of, n_automakers, terms: Terms, vat, *, fellow_weight=0.0, leader_weight=0.0, leader_sets_prices=False
):
    """Revenue weights, cost weights and payments of every decision maker in the price game.

    Decision maker f maximises Σ_j (A_fj p_j − B_fj c_j − F_fj) s_j. Rows 0 … n−1 are automakers, the last row is the leader:

        own car            A = (1 − r)/(1 + v)             B = 1   F = w
        fellow member's    φ times that member's own row
        leader's net       φ_L times A = r/(1 + v), B = 0, F = m − w, on every car that pays the leader
        leader as setter   A = 1/(1 + v), B = 1, F = m on members' cars; r/(1 + v), 0, m − w on others that pay

    A leader who sets prices counts members' margins in full: on its fees alone it would sell below their cost.

    Args:
        automaker_of: `[J]` whole numbers below `n_automakers`.
        terms: the contracts of the J products.
        vat: v, fraction.
        fellow_weight: φ in [0, 1]; leader_weight: φ_L in [0, 1].
        leader_sets_prices: members' cars are priced by the leader.
    Returns:
        (A, B, F, setter): three arrays `[n_automakers + 1, J]`, and `[J]` the row that sets each price.
    """
    n_products = len(automaker_of)
    revenue = np.zeros((n_automakers + 1, n_products))
    cost, payments = np.zeros_like(revenue), np.zeros_like(revenue)
    products = np.arange(n_products)
    own = (1.0 - terms.revenue_share) / (1.0 + vat)
    members = np.flatnonzero(terms.member)
    for row in set(np.asarray(automaker_of)[members].tolist()) if fellow_weight else ():
        revenue[row, members] = fellow_weight * own[members]
        cost[row, members] = fellow_weight
        payments[row, members] = fellow_weight * terms.unit_fee[members]
    revenue[automaker_of, products] = own
    cost[automaker_of, products] = 1.0
    payments[automaker_of, products] = terms.unit_fee
    pays = np.flatnonzero((terms.revenue_share > 0) | (terms.unit_fee > 0) | (terms.parts_cost > 0))
    for row in set(np.asarray(automaker_of)[members].tolist()) if leader_weight else ():
        revenue[row, pays] += leader_weight * terms.revenue_share[pays] / (1.0 + vat)
        payments[row, pays] += leader_weight * (terms.parts_cost - terms.unit_fee)[pays]
    revenue[-1, pays] = terms.revenue_share[pays] / (1.0 + vat)
    payments[-1, pays] = (terms.parts_cost - terms.unit_fee)[pays]
    setter = np.array(automaker_of, dtype=np.int64)
    if leader_sets_prices:
        revenue[-1, members], cost[-1, members] = 1.0 / (1.0 + vat), 1.0
        payments[-1, members] = terms.parts_cost[members]
        setter[members] = n_automakers
    return revenue, cost, payments, setter
