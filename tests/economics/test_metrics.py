"""Shares, concentration, elasticities and diversion."""

import numpy as np
import pytest

from evsim.economics import metrics
from evsim.economics.choice import choice_probabilities, shares


def market(seed=0, n_consumers=200, n_products=6):
    draws = np.random.default_rng(seed)
    utility = draws.normal(size=(n_consumers, n_products)) + 3.0
    return (
        utility,
        draws.uniform(0.02, 0.05, n_consumers),
        draws.random(n_consumers),
        draws.uniform(60.0, 200.0, n_products),
    )


def shares_at(prices, utility, sensitivity, weights):
    return shares(utility - sensitivity[:, None] * prices, weights)


def test_the_share_jacobian_and_elasticities_are_the_derivatives_row_by_row():
    utility, sensitivity, weights, prices = market()
    chances = choice_probabilities(utility - sensitivity[:, None] * prices)
    jacobian = metrics.share_jacobian(chances, sensitivity, weights)
    elasticities = metrics.price_elasticities(chances, sensitivity, weights, prices)
    now = shares_at(prices, utility, sensitivity, weights)
    for j in range(6):
        move = 1e-3 * (np.arange(6) == j)
        up, down = (shares_at(prices + sign * move, utility, sensitivity, weights) for sign in (1, -1))
        assert jacobian[j] == pytest.approx((up - down) / 2e-3, abs=1e-10)
        assert elasticities[j] == pytest.approx((up - down) / 2e-3 * prices[j] / now, abs=1e-7)


def test_the_share_jacobian_is_the_textbooks_sum_over_consumers():
    utility, sensitivity, weights, prices = market()
    chances = choice_probabilities(utility - sensitivity[:, None] * prices)
    slow = np.zeros((6, 6))
    for chance, alpha, weight in zip(chances, sensitivity, weights / weights.sum(), strict=True):
        slow += weight * alpha * (np.outer(chance, chance) - np.diag(chance))
    jacobian = metrics.share_jacobian(chances, sensitivity, weights)
    assert jacobian == pytest.approx(slow, rel=1e-11)
    assert (np.diag(jacobian) < 0).all() and (jacobian - np.diag(np.diag(jacobian)) >= 0).all()


def test_the_market_elasticity_is_that_of_all_prices_rising_together():
    utility, sensitivity, weights, prices = market()
    chances = choice_probabilities(utility - sensitivity[:, None] * prices)
    up, down = (shares_at(prices * (1 + sign * 1e-5), utility, sensitivity, weights).sum() for sign in (1, -1))
    now = shares_at(prices, utility, sensitivity, weights).sum()
    expected = (up - down) / 2e-5 / now
    assert metrics.market_elasticity(chances, sensitivity, weights, prices) == pytest.approx(expected, rel=1e-6)


def test_those_who_leave_a_product_go_somewhere_and_in_the_plain_logit_in_proportion_to_shares():
    utility, sensitivity, weights, _ = market()
    diversion = metrics.diversion_ratios(choice_probabilities(utility), sensitivity, weights)
    assert diversion.sum(axis=1) == pytest.approx(np.ones(6))
    assert (np.diag(diversion) == 0).all() and (diversion >= 0).all()
    plain = choice_probabilities(utility[:1])
    from_first = metrics.diversion_ratios(plain, sensitivity[:1])[0]
    assert from_first[1:6] == pytest.approx(plain[0, 1:] / (1 - plain[0, 0]))


def test_a_product_nobody_buys_has_no_elasticity_and_diverts_nobody():
    utility, sensitivity, weights, prices = market()
    utility[:, 2] = -np.inf
    chances = choice_probabilities(utility - sensitivity[:, None] * prices)
    assert (metrics.price_elasticities(chances, sensitivity, weights, prices)[:, 2] == 0).all()
    assert (metrics.diversion_ratios(chances, sensitivity, weights)[2] == 0).all()


def test_concentration_runs_from_the_atom_to_the_monopolist():
    assert metrics.hhi([5.0]) == pytest.approx(10_000.0)
    assert metrics.hhi(np.full(4, 7.0)) == pytest.approx(2_500.0)
    assert metrics.hhi([50, 30, 20]) == pytest.approx(3_800.0)
    assert metrics.hhi([0.0, 0.0]) == 0.0
    assert metrics.concentration([40, 30, 20, 5, 5], largest=2) == pytest.approx(0.7)


def test_group_shares_add_up_members_and_leave_out_those_without_a_group():
    grouped = metrics.group_shares([0.1, 0.2, 0.3, 0.4], [1, 0, 1, -1], n_groups=4)
    assert grouped == pytest.approx([0.2, 0.4, 0.0, 0.0])


def test_merging_two_firms_raises_hhi_by_twice_the_product_of_their_shares():
    apart, together = metrics.hhi([0.5, 0.3, 0.2]), metrics.hhi([0.5, 0.5])
    assert together - apart == pytest.approx(2 * 30 * 20)


def test_shares_of_no_sales_are_zero_and_negative_sales_are_refused():
    assert metrics.market_shares([3, 1]) == pytest.approx([0.75, 0.25])
    assert (metrics.market_shares([0, 0]) == 0).all()
    with pytest.raises(ValueError, match="negative"):
        metrics.market_shares([1, -1])
    with pytest.raises(ValueError, match="one group per product"):
        metrics.group_shares([0.5, 0.5], [0])
