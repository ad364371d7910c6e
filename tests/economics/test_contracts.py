"""What members pay the leader, and whose money counts when a price is set."""

import numpy as np
import pytest

from evsim.economics.contracts import (
    Terms,
    exit_cost,
    holdup,
    impossible,
    maker_net,
    price_for_net,
    price_weights,
    royalty,
)
from evsim.economics.pricing import Demand, PriceGame, bertrand, equilibrium_prices

VAT = 0.13
MAKERS = np.array([0, 1, 1, 2])  # product 0 of maker 0, products 1 and 2 of maker 1, product 3 of maker 2
TERMS = Terms(  # 0 and 1 are members' cars, 2 buys the stack, 3 nothing
    revenue_share=np.array([0.10, 0.10, 0.0, 0.0]),
    unit_fee=np.array([30.0, 30.0, 40.0, 0.0]),
    parts_cost=np.array([20.0, 20.0, 25.0, 0.0]),
    member=np.array([True, True, False, False]),
)
OWN, FULL, FEE = 0.9 / 1.13, 1.0 / 1.13, 0.1 / 1.13


def weights(terms=TERMS, **settings):
    return price_weights(MAKERS, 3, terms, VAT, **settings)


def test_a_royalty_is_a_share_of_the_net_price_and_a_fee():
    assert royalty([113.0, 226.0, 113.0, 113.0], TERMS, VAT) == pytest.approx([40.0, 50.0, 40.0, 0.0])


def test_independent_makers_count_their_own_cars_after_royalties():
    revenue, cost, payments, setter = weights()
    assert revenue == pytest.approx(np.array([[OWN, 0, 0, 0], [0, OWN, FULL, 0], [0, 0, 0, FULL], [FEE, FEE, 0, 0]]))
    assert cost == pytest.approx(np.array([[1.0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]))
    assert payments == pytest.approx(np.array([[30.0, 0, 0, 0], [0, 30, 40, 0], [0, 0, 0, 0], [-10, -10, -15, 0]]))
    assert setter.tolist() == [0, 1, 1, 2]


def test_joint_members_count_each_other_and_the_leaders_net_in_full():
    revenue, cost, payments, setter = weights(fellow_weight=1.0, leader_weight=1.0)
    assert revenue[0] == pytest.approx([FULL, FULL, 0.0, 0.0])
    assert cost[0] == pytest.approx([1.0, 1.0, 0.0, 0.0])
    assert payments[0] == pytest.approx([20.0, 20.0, -15.0, 0.0])
    assert revenue[1] == pytest.approx([FULL, FULL, FULL, 0.0])
    assert payments[1] == pytest.approx([20.0, 20.0, 25.0, 0.0])  # its own other car: all the money there is
    assert revenue[2] == pytest.approx([0.0, 0.0, 0.0, FULL])  # an outsider counts nobody
    assert payments[2] == pytest.approx([0.0, 0.0, 0.0, 0.0])
    assert setter.tolist() == [0, 1, 1, 2]


def test_half_a_weight_is_half_way_between_none_and_full():
    tables = [weights(fellow_weight=fellow, leader_weight=leader) for fellow, leader in ((0, 0), (0.5, 0.5), (1, 1))]
    for none, half, full in zip(*(table[:3] for table in tables), strict=True):
        assert half == pytest.approx(0.5 * (none + full))


def test_a_leader_who_sets_prices_counts_members_margins_in_full():
    revenue, cost, payments, setter = weights(leader_sets_prices=True)
    assert revenue[3] == pytest.approx([FULL, FULL, 0.0, 0.0])
    assert cost[3] == pytest.approx([1.0, 1.0, 0.0, 0.0])
    assert payments[3] == pytest.approx([20.0, 20.0, -15.0, 0.0])
    assert setter.tolist() == [3, 3, 1, 2]


def test_money_is_neither_made_nor_lost_between_maker_and_leader():
    for setter in (False, True):
        revenue, cost, payments, _ = weights(leader_sets_prices=setter)
        if setter:
            revenue, cost, payments = (table[:, 2:] for table in (revenue, cost, payments))
        assert revenue.sum(axis=0) == pytest.approx(np.full(revenue.shape[1], FULL))
        assert cost.sum(axis=0) == pytest.approx(np.ones(cost.shape[1]))
        assert payments.sum(axis=0) == pytest.approx(TERMS.parts_cost[-payments.shape[1] :])


def demand(seed=0):
    draws = np.random.default_rng(seed)
    utility = draws.normal(3.0, 1.0, (200, 4)) + np.array([3.0, 2.0, 2.0, 3.0])
    return Demand(utility, 0.03 * np.exp(0.4 * draws.normal(size=200)))


COSTS = np.array([120.0, 90.0, 80.0, 110.0])


def prices(terms, **settings):
    revenue, cost, payments, setter = weights(terms, **settings)
    return equilibrium_prices(PriceGame(demand(), COSTS, revenue, cost, payments, setter)).prices


def uniform(share, fee):
    everything = np.ones(4)
    return Terms(share * everything, fee * everything, 0.0 * everything, np.ones(4, dtype=bool))


def test_a_uniform_revenue_share_is_a_rise_of_every_cost():
    share, fee = 0.2, 15.0
    scaled = (COSTS + fee) * (1.0 + VAT) / (1.0 - share)
    ordinary = equilibrium_prices(bertrand(demand(), scaled, MAKERS)).prices
    assert prices(uniform(share, fee)) == pytest.approx(ordinary, abs=1e-7)


def as_costs(terms):
    """Prices without any contract, each car's cost divided by what its share leaves: (c + w) (1 + v) / (1 − r)."""
    return equilibrium_prices(bertrand(demand(), price_for_net(COSTS, terms, VAT), MAKERS)).prices


def test_shares_that_differ_between_firms_are_each_a_rise_of_its_costs():
    """Within every firm the share is uniform: each firm's profit is scaled by its own."""
    by_firm = np.array([0.3, 0.1, 0.1, 0.0])
    terms = Terms(by_firm, np.array([5.0, 20.0, 0.0, 0.0]), np.zeros(4), by_firm > 0)
    assert prices(terms) == pytest.approx(as_costs(terms), abs=1e-7)


def test_shares_that_differ_inside_a_firm_are_no_rise_of_costs():
    """It pushes the car of which it keeps more: the other's price is higher than a dearer car's would be."""
    mixed = Terms(np.array([0.0, 0.3, 0.0, 0.0]), np.zeros(4), np.zeros(4), np.array([False, True, False, False]))
    found, as_cost = prices(mixed), as_costs(mixed)
    assert found[1] > as_cost[1] + 0.5
    assert found[2] < as_cost[2] - 0.5
    assert np.abs(found - as_cost).max() > 0.5


def test_a_fee_inside_a_firm_is_a_rise_of_costs_however_mixed():
    fees = Terms(np.zeros(4), np.array([0.0, 30.0, 0.0, 12.0]), np.zeros(4), np.zeros(4, dtype=bool))
    assert prices(fees) == pytest.approx(as_costs(fees), abs=1e-7)


def test_a_price_for_a_net_is_the_inverse_of_the_net_of_a_price():
    posted = np.array([113.0, 226.0, 150.0, 80.0])
    assert price_for_net(maker_net(posted, TERMS, VAT), TERMS, VAT) == pytest.approx(posted, rel=1e-14)
    assert maker_net(posted, TERMS, VAT) + royalty(posted, TERMS, VAT) == pytest.approx(posted / 1.13, rel=1e-14)


def test_up_to_the_impossible_price_the_terms_leave_nothing():
    least = impossible(TERMS, VAT)
    assert least == pytest.approx([30.0 * 1.13 / 0.9, 30.0 * 1.13 / 0.9, 40.0 * 1.13, 0.0])
    assert maker_net(least, TERMS, VAT) == pytest.approx(np.zeros(4), abs=1e-12)
    assert (maker_net(least + 1.0, TERMS, VAT) > 0).all()


def test_leaving_costs_more_with_every_year_and_every_owner():
    assert exit_cost(0.0, 0.0, 200.0, 1.0) == 0.0
    years, owners = np.arange(5.0), 1_000.0 * np.arange(5.0)
    costs = exit_cost(years, owners, 200.0, 0.5)
    assert costs == pytest.approx(years * 700.0)
    assert (np.diff(exit_cost(years, 0.0, 200.0, 0.5)) == 200.0).all()


def test_what_a_captive_is_asked_for_sums_to_its_share_of_what_leaving_has_come_to_cost():
    costs = np.array([10.0, 14.0, 20.0, 28.0, 40.0, 55.0])
    asked = holdup([3, 5], costs, 0.5)
    assert asked.tolist() == [0.0, 0.0, 0.0, 0.5 * (28.0 - 10.0), 0.0, 0.5 * (55.0 - 28.0)]
    every_year = holdup(range(1, 6), costs, 0.5)
    assert every_year.sum() == pytest.approx(asked.sum()) == pytest.approx(0.5 * (costs[5] - costs[0]))


def test_who_is_bound_longer_pays_later_and_may_never_be_asked():
    costs = 10.0 * np.arange(8.0)
    short, long = holdup(range(1, 8), costs, 0.5), holdup([3, 6], costs, 0.5)
    assert (np.cumsum(long) <= np.cumsum(short)).all()
    assert not holdup([8, 9], costs, 0.5).any()  # from the horizon on nothing counts
    assert holdup([1, 2], [], 0.5).tolist() == []


def test_a_captive_whose_leaving_has_become_cheaper_is_asked_for_nothing_until_it_is_dearer_than_ever():
    asked = holdup([1, 2, 3], [10.0, 4.0, 8.0, 16.0], 0.5)
    assert asked.tolist() == [0.0, 0.0, 0.0, 3.0]


def test_who_counts_all_margins_prices_as_after_a_merger():
    joint = prices(uniform(0.3, 10.0), fellow_weight=1.0, leader_weight=1.0)
    merged = equilibrium_prices(bertrand(demand(), COSTS * (1.0 + VAT), np.zeros(4, dtype=int))).prices
    assert joint == pytest.approx(merged, abs=1e-7)
    leader = prices(uniform(0.3, 10.0), leader_sets_prices=True)
    assert leader == pytest.approx(merged, abs=1e-7)


def test_royalties_raise_members_prices_and_the_leaders_weight_lowers_them_again():
    free = Terms(np.zeros(4), np.zeros(4), TERMS.parts_cost, TERMS.member)
    plain, dear, shared = prices(free), prices(TERMS), prices(TERMS, leader_weight=1.0)
    assert (dear[:2] > plain[:2] + 20.0).all()
    assert (shared[:2] < dear[:2] - 5.0).all()  # no second margin on the leader's
