"""The formulas of the lock-in kit, held against the closed forms of a market at rest."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics.hysteresis import hysteresis_loop, loop_width
from evsim.economics.lock_in import SwitchingChain, churn_matrix, implied_switching_cost, repeat_purchase
from evsim.economics.persistence import (
    entry_barrier,
    half_life,
    mean_loop_width,
    naive_switching_cost,
    owners_churn,
    owners_repeat,
    path_dependence,
    spell_months,
    two_way_split,
)
from evsim.economics.switching_chain import expected_tenure, newcomer_law, stationary_law, transition_matrix

CHAIN = SwitchingChain(
    mean_utility=[[0.4, 0.0, -0.3], [-1.0, 0.5, 0.2], [0.0, 0.1, 1.1]],
    brand=[0, 1, 2],
    platform=[0, 0, 1],
    switching_cost=1.2,
    brand_loyalty=0.5,
    weights=[0.5, 0.2, 0.3],
)
GROUPS = np.array([0, 0, 1])


def owners_of(chain):
    """Every type with every car as an owner: chances by platform, had they owned nothing, shares, what each owns, weights."""
    law, moves = stationary_law(chain), transition_matrix(chain)
    member = np.eye(2)[GROUPS]
    chances = (moves @ member).reshape(-1, 2)
    free = np.repeat(newcomer_law(chain) @ member, 3, axis=0)
    weights = (chain.weights[:, None] * law).ravel()
    own = np.tile(GROUPS, 3)
    return chances, free, np.bincount(own, weights), own, weights


def test_owners_at_rest_repeat_as_the_switching_chain_says():
    chances, free, sold, own, weights = owners_of(CHAIN)
    measured, theory = owners_repeat(chances, free, sold, own, weights), repeat_purchase(CHAIN, GROUPS)
    for name in ("repeat", "naive_excess", "state_dependence", "taste"):
        assert getattr(measured, name) == pytest.approx(getattr(theory, name), abs=1e-12)
    assert measured.naive_excess == pytest.approx(measured.state_dependence + measured.taste, abs=1e-15)


def test_churn_of_owners_at_rest_is_that_of_the_switching_chain():
    chances, _, _, own, weights = owners_of(CHAIN)
    assert owners_churn(chances, own, weights) == pytest.approx(churn_matrix(CHAIN, GROUPS), abs=1e-12)


def test_a_group_without_owners_has_no_churn():
    churn = owners_churn([[0.5, 0.5], [0.2, 0.8]], [1, 1])
    assert np.isnan(churn[0]).all() and churn[1] == pytest.approx([0.35, 0.65])


def test_spells_are_those_of_the_switching_chain():
    retention = np.diagonal(churn_matrix(CHAIN, GROUPS))
    assert spell_months(retention, 0.0, 80.0) == pytest.approx(expected_tenure(CHAIN, GROUPS, 80.0), rel=1e-12)


def test_nobody_to_count_is_refused():
    with pytest.raises(ValueError, match="at least one owner"):
        owners_repeat(np.empty((0, 2)), np.empty((0, 2)), [0.5, 0.5], [])


@given(excess=st.floats(0.0, 0.95), n_platforms=st.integers(2, 12))
def test_among_alike_platforms_the_naive_cost_is_the_one_that_repeat_purchase_implies(excess, n_platforms):
    share = 1.0 / n_platforms
    found = naive_switching_cost(share + (1.0 - share) * excess, share)
    assert found == pytest.approx(implied_switching_cost(excess, n_platforms), abs=1e-9)


@given(st.lists(st.floats(-50.0, 50.0), min_size=4, max_size=4))
def test_the_parts_of_a_split_sum_to_what_both_causes_add(values):
    neither, first, second, both = values
    parts = two_way_split(neither, first, second, both)
    assert sum(parts) == pytest.approx(both - neither, abs=1e-10)
    assert two_way_split(neither, second, first, both)[::-1] == pytest.approx(parts, abs=1e-10)


def test_a_loop_of_two_jumps_is_as_wide_as_they_are_apart():
    advantages = np.linspace(-1.0, 1.0, 2001)
    rising, falling = (advantages > 0.3).astype(float), (advantages > -0.5).astype(float)
    assert mean_loop_width(advantages, rising, falling) == pytest.approx(0.8, abs=2e-3)


@pytest.mark.parametrize("network_effect", [8.0, 20.0])
def test_the_loop_of_a_strong_network_effect_is_as_wide_as_its_folds_are_apart(network_effect):
    width = loop_width(network_effect)
    advantages = np.linspace(-width, width, 4001)
    rising, falling = hysteresis_loop(advantages, network_effect)
    # above the folds both branches are one; the height is a little below 1, and the branches bend
    assert mean_loop_width(advantages, rising, falling) == pytest.approx(width, rel=0.12)


@pytest.mark.parametrize("network_effect", [0.0, 2.0, 4.0])
def test_below_the_threshold_the_loop_is_no_loop(network_effect):
    advantages = np.linspace(-3.0, 3.0, 61)
    assert mean_loop_width(advantages, *hysteresis_loop(advantages, network_effect)) == pytest.approx(0.0, abs=1e-9)


def test_a_share_that_never_moves_draws_no_loop():
    assert mean_loop_width([0.0, 1.0], [0.2, 0.2], [0.2, 0.2]) == 0.0


def test_advantages_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="rise"):
        mean_loop_width([0.0, 0.0], [0.1, 0.2], [0.1, 0.2])


def test_an_exponential_lead_is_halved_after_its_half_life():
    times = np.arange(0.0, 40.0, 0.01)
    assert half_life(times, 3.0 * np.exp(-times / 10.0), 3.0) == pytest.approx(10.0 * math.log(2.0), abs=1e-4)


@pytest.mark.parametrize(("lead", "months"), [([0.2, 0.1], 1.0), ([1.0, 0.9], math.inf), ([1.0, 0.0], 2.5)])
def test_a_lead_may_be_halved_at_once_or_never(lead, months):
    assert half_life([1.0, 4.0], lead, 1.0) == pytest.approx(months)


def test_half_of_no_lead_is_refused():
    with pytest.raises(ValueError, match="positive"):
        half_life([1.0], [0.0], 0.0)


def test_the_share_of_variance_of_a_sum_of_two_causes_is_found():
    rng = np.random.default_rng(1)
    n, firms, consumers = 40_000, 3.0, 1.0
    held = rng.normal(0.0, consumers, n)
    found = path_dependence(held + rng.normal(0.0, firms, n), held + rng.normal(0.0, firms, n))
    assert found.share == pytest.approx(0.9, abs=0.01)
    assert found.spread == pytest.approx(firms, abs=0.03)
    assert found.low < found.share < found.high


def test_the_limits_of_a_share_of_variance_hold_it_at_least_nine_times_of_ten():
    rng = np.random.default_rng(2)
    n, hits = 6, 0
    for _ in range(2_000):
        held = rng.normal(size=n)
        found = path_dependence(held + 0.8 * rng.normal(size=n), held + 0.8 * rng.normal(size=n))
        hits += found.low <= 0.64 / 1.64 <= found.high
    assert hits > 1_800


def test_worlds_that_do_not_differ_have_no_variance_to_share():
    found = path_dependence([0.2, 0.2, 0.2], [0.2, 0.2, 0.2])
    assert (found.spread, found.share, found.low, found.high) == (0.0, 0.0, 0.0, 0.0)


def test_a_newcomer_kept_from_a_quarter_of_its_sales():
    assert entry_barrier(0.03, 0.04) == pytest.approx(0.25)
