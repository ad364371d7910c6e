"""When alike platforms tip, and what lock-in is worth to owners, in money."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, special

from evsim.economics.lock_in import (
    SwitchingChain,
    advantage_over_rivals,
    compensating_price,
    compensation_cdf,
    compensation_quantile,
    excess_repeat,
    implied_switching_cost,
    lock_in_price,
    lock_in_split,
    tips,
    transition_matrix,
)

OWNERS = {
    "advantage": np.array([-2.0, 0.3, 1.5]),
    "switching_cost": 0.8,
    "price_sensitivity": np.array([0.05, 0.03, 0.02]),
}
WEIGHTS = np.array([1.0, 2.0, 0.5])


def test_excess_repeat_is_what_a_logit_with_lock_in_adds():
    kappa, platforms = 1.3, 4
    stay = math.exp(kappa) / (math.exp(kappa) + platforms - 1)
    leave = 1.0 / (math.exp(kappa) + platforms - 1)
    assert excess_repeat(kappa, platforms) == pytest.approx(stay - leave, rel=1e-14)


def share_map(share, theta, kappa):
    """Next share of the first of two platforms: owners by share, logit with network effect ln(share) and lock-in."""
    pull = theta * (math.log(share) - math.log(1.0 - share))
    stay = 1.0 / (1.0 + math.exp(-pull - kappa))
    come = 1.0 / (1.0 + math.exp(-pull + kappa))
    return share * stay + (1.0 - share) * come


@pytest.mark.parametrize("kappa", [0.0, 0.7, 1.5])
@pytest.mark.parametrize(("theta_over_threshold", "leaves"), [(0.97, False), (1.03, True)])
def test_the_even_split_of_two_platforms_is_left_above_the_threshold_only(kappa, theta_over_threshold, leaves):
    threshold = 1.0 / (1.0 + excess_repeat(kappa, 2))
    theta = theta_over_threshold * threshold
    share = 0.5 + 1e-6
    for _ in range(20_000):
        share = min(share_map(share, theta, kappa), 1.0 - 1e-9)
    assert (share > 0.6) is leaves
    assert tips(theta, 1e12, 1.0, kappa, 2) is leaves


def test_lock_in_alone_never_tips():
    assert not any(tips(0.0, 1e7, 1e6, kappa, 3) for kappa in np.linspace(0, 8, 9))


@given(kappa=st.floats(-3.0, 12.0), n_platforms=st.integers(2, 12))
def test_the_implied_switching_cost_undoes_excess_repeat(kappa, n_platforms):
    assert implied_switching_cost(excess_repeat(kappa, n_platforms), n_platforms) == pytest.approx(kappa, abs=1e-8)


def test_the_advantage_is_that_of_the_best_of_ones_own_over_the_best_of_the_rest():
    utility = np.array([[1.0, 2.0, 0.5], [-np.inf, 1.0, 3.0]])
    own = [True, False, False]
    found = advantage_over_rivals(utility, own)
    assert found[0] == pytest.approx(1.0 - math.log(math.exp(2.0) + math.exp(0.5)), rel=1e-14) and found[1] == -math.inf
    assert advantage_over_rivals(utility, ~np.array(own))[0] == pytest.approx(-found[0], rel=1e-14)
    by_owner = advantage_over_rivals(utility, [[True, False, False], [False, False, True]])
    assert by_owner == pytest.approx([found[0], 2.0], rel=1e-14)
    assert advantage_over_rivals([[700.0, -700.0]], [True, False])[0] == pytest.approx(1400.0, rel=1e-14)


def test_those_whom_nothing_needs_to_hold_are_the_chains_repeat_buyers():
    """P(X > 0) = Λ(d + κ) is the chance to stay of an owner in the switching chain."""
    utility = np.array([0.4, 1.0, -0.3])
    chain = SwitchingChain(utility, range(3), range(3), switching_cost=0.9)
    lead = advantage_over_rivals(utility[None, :], [False, True, False])
    leaves = compensation_cdf(0.0, lead, 0.9, 0.03)
    assert 1.0 - leaves == pytest.approx(transition_matrix(chain)[0, 1, 1], rel=1e-13)


@pytest.mark.parametrize("lead", [-8.0, -1.0, 0.0, 2.0, 30.0])
def test_the_compensating_price_is_the_mean_lead_of_who_would_stay(lead):
    def stays(shock):
        return (lead + shock) * math.exp(-shock) / (1 + math.exp(-shock)) ** 2

    edges = (-lead, max(-lead, 0.0) + 5.0, max(-lead, 0.0) + 60.0)
    expected = sum(integrate.quad(stays, *pair, epsabs=1e-14, limit=200)[0] for pair in itertools.pairwise(edges))
    assert compensating_price(lead - 0.5, 0.5, 0.02) == pytest.approx(expected / 0.02, rel=1e-8)


def test_its_mean_over_owners_is_the_area_over_the_distribution():
    mean = (WEIGHTS * compensating_price(**OWNERS)).sum() / WEIGHTS.sum()
    area, _ = integrate.quad(lambda x: 1.0 - float(compensation_cdf(x, **OWNERS, weights=WEIGHTS)), 0, 3000, limit=300)
    assert area == pytest.approx(mean, rel=1e-8)


def test_the_distribution_has_an_atom_of_those_who_switch_anyhow_and_rises_to_one():
    grid = np.array([-1.0, 0.0, 10.0, 100.0, 1e5])
    found = compensation_cdf(grid, **OWNERS, weights=WEIGHTS)
    anyhow = (WEIGHTS * special.expit(-OWNERS["advantage"] - 0.8)).sum() / WEIGHTS.sum()
    assert found[:2] == pytest.approx([0.0, anyhow], rel=1e-14)
    assert (np.diff(found) > 0).all() and found[-1] == pytest.approx(1.0, abs=1e-15)


@given(probability=st.floats(0.0, 0.9999))
def test_quantiles_undo_the_distribution(probability):
    payment = float(compensation_quantile(probability, **OWNERS, weights=WEIGHTS))
    back = float(compensation_cdf(payment, **OWNERS, weights=WEIGHTS))
    assert back == pytest.approx(max(probability, float(compensation_cdf(0.0, **OWNERS, weights=WEIGHTS))), abs=1e-12)
    alone = float(compensation_quantile(probability, 1.0, 0.5, 0.03))
    assert alone == pytest.approx(max(0.0, (special.logit(probability) + 1.5) / 0.03), abs=1e-9)


def test_a_quantile_of_few_with_much_weight_is_theirs():
    two = {"advantage": [0.0, 5.0], "switching_cost": 0.0, "price_sensitivity": 0.03}
    found = compensation_quantile([[0.6, 0.9]], **two, weights=[1.0, 0.0])
    assert found == pytest.approx(special.logit(np.array([[0.6, 0.9]])) / 0.03, rel=1e-12)
    assert compensation_quantile(0.5, **two) == pytest.approx(
        optimize.brentq(lambda x: special.expit(0.03 * x) + special.expit(0.03 * x - 5) - 1, 0, 500), rel=1e-10
    )


def test_more_lock_in_costs_more_to_undo_and_never_more_than_its_own_value():
    leads = np.linspace(-6, 6, 13)
    prices = np.array([compensating_price(leads, kappa, 0.03) for kappa in (0.0, 0.5, 1.0, 3.0)])
    assert (np.diff(prices, axis=0) > 0).all()
    parts = lock_in_price(leads, 3.0, 0.03)
    assert parts == pytest.approx(prices[3] - prices[0], rel=1e-10)
    assert (np.diff(parts) > 0).all() and (parts < 100.0).all() and parts[-1] > 99.0
    assert (
        lock_in_price(math.inf, 3.0, 0.03) == pytest.approx(100.0, rel=1e-14)
        and lock_in_price(-math.inf, 3.0, 0.03) == 0
    )


@given(lead=st.floats(-20.0, 20.0), kappa=st.floats(0.0, 8.0), iota=st.floats(0.0, 8.0))
def test_brand_and_platform_share_all_of_the_lock_in_and_the_stronger_tie_has_more(lead, kappa, iota):
    platform, brand = lock_in_split(lead, kappa, iota, 0.03)
    assert platform + brand == pytest.approx(float(lock_in_price(lead, kappa + iota, 0.03)), rel=1e-9, abs=1e-9)
    assert (platform - brand) * (kappa - iota) >= -1e-9
    assert lock_in_split(lead, kappa, 0.0, 0.03)[1] == 0.0
    swapped = lock_in_split(lead, iota, kappa, 0.03)
    assert (swapped[1], swapped[0]) == (platform, brand)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: implied_switching_cost(1.0, 3), "excess=1.0"),
        (lambda: implied_switching_cost(-0.6, 3), "excess=-0.6"),
        (lambda: implied_switching_cost(0.2, 1), "n_platforms=1"),
        (lambda: advantage_over_rivals([[1.0, 2.0]], [True]), "own must have shape"),
        (lambda: advantage_over_rivals([[-np.inf, -np.inf]], [True, False]), "something on offer"),
        (lambda: compensating_price(1.0, 1.0, 0.0), "price_sensitivity must be positive"),
        (lambda: compensation_cdf(1.0, [1.0, np.nan], 1.0, 0.03), "must be numbers"),
        (lambda: compensation_cdf(1.0, [1.0, 2.0], 1.0, 0.03, [1.0]), "weights must have shape"),
        (lambda: compensation_quantile(1.0, 1.0, 1.0, 0.03), "probability must be in"),
        (lambda: compensation_quantile(0.5, np.inf, 1.0, 0.03), "no payment makes"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
