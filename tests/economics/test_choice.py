"""The logit: its probabilities, its sums and its surplus."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evsim.economics import choice

UTILITY = arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 8)), elements=st.floats(-800.0, 800.0))


def markets(seed=0, n_consumers=7, n_products=5):
    draws = np.random.default_rng(seed)
    return (
        draws.normal(size=(n_consumers, n_products)),
        draws.uniform(0.01, 0.1, n_consumers),
        draws.random(n_consumers),
    )


@given(utility=UTILITY, outside=st.floats(-800.0, 800.0))
def test_probabilities_and_the_outside_share_sum_to_one_at_any_utility(utility, outside):
    chances = choice.choice_probabilities(utility, outside)
    assert (chances >= 0).all()
    assert choice.shares(utility, None, outside).sum() + choice.outside_share(utility, None, outside) == pytest.approx(
        1.0
    )
    assert chances.mean(axis=0) == pytest.approx(choice.shares(utility, None, outside), abs=1e-15)


@given(utility=UTILITY, shift=st.floats(-500.0, 500.0))
def test_only_differences_of_utility_matter(utility, shift):
    moved = choice.choice_probabilities(utility + shift, shift)
    assert moved == pytest.approx(choice.choice_probabilities(utility), abs=1e-12)
    assert choice.inclusive_value(utility + shift, shift) == pytest.approx(choice.inclusive_value(utility) + shift)


def test_the_row_function_is_the_textbook_formula():
    utility, _, _ = markets()
    odds = np.exp(utility)
    chances = odds / (1.0 + odds.sum(axis=1, keepdims=True))
    row = np.empty(utility.shape[1])
    for i in range(len(utility)):
        value = choice.logit(utility[i], 0.0, row)
        assert row == pytest.approx(chances[i], rel=1e-14)
        assert value == pytest.approx(np.log(1.0 + odds[i].sum()), rel=1e-14)


def test_a_product_not_on_offer_is_never_bought_and_changes_nothing_else():
    utility, _, _ = markets()
    withdrawn = utility.copy()
    withdrawn[:, 2] = -np.inf
    others = np.delete(utility, 2, axis=1)
    chances = choice.choice_probabilities(withdrawn)
    assert (chances[:, 2] == 0).all()
    assert np.delete(chances, 2, axis=1) == pytest.approx(choice.choice_probabilities(others))


def test_without_an_outside_good_everybody_buys():
    utility, _, weights = markets()
    assert choice.shares(utility, weights, -np.inf).sum() == pytest.approx(1.0)
    assert choice.outside_share(utility, weights, -np.inf) == 0.0


def test_the_outside_share_of_a_nearly_covered_market_keeps_its_digits():
    assert choice.outside_share(np.full((3, 1), 80.0)) == pytest.approx(np.exp(-80.0), rel=1e-13)


def test_what_is_picked_with_gumbel_shocks_is_bought_as_often_as_the_logit_says():
    utility, _, _ = markets(n_products=3)
    draws, n_draws = np.random.default_rng(1), 40_000
    shocks = draws.gumbel(size=(n_draws, 4))
    picked = [choice.pick(utility[0], 0.3, shock[:3], shock[3]) for shock in shocks]
    observed = np.bincount(np.array(picked) + 1, minlength=4)[1:] / n_draws
    chances = choice.choice_probabilities(utility[:1], 0.3)[0]
    assert (np.abs(observed - chances) < 4.0 * np.sqrt(chances * (1 - chances) / n_draws)).all()


def test_pick_takes_the_best_and_the_outside_good_when_nothing_beats_it():
    shocks = np.zeros(3)
    assert choice.pick(np.array([1.0, 5.0, 2.0]), 0.0, shocks, 0.0) == 1
    assert choice.pick(np.array([-1.0, -np.inf, -2.0]), 0.0, shocks, 0.0) == -1
    assert choice.pick(np.array([1.0, 5.0, 2.0]), 0.0, shocks, 5.0) == -1


def test_roys_identity_a_price_rise_costs_a_consumer_what_it_would_cost_to_buy_as_before():
    base, sensitivity, _ = markets()
    prices, step = np.array([20.0, 15.0, 30.0, 25.0, 10.0]), 1e-4

    def surplus(prices):
        return choice.consumer_surplus(base - sensitivity[:, None] * prices, sensitivity)

    chances = choice.choice_probabilities(base - sensitivity[:, None] * prices)
    for j in range(5):
        move = step * (np.arange(5) == j)
        slope = (surplus(prices + move) - surplus(prices - move)) / (2 * step)
        assert slope == pytest.approx(-chances[:, j], abs=1e-9)


@pytest.mark.parametrize("utility", [[1.0, 2.0], [[np.nan]], [[np.inf]], np.empty((0, 3))])
def test_utilities_that_are_no_table_of_numbers_are_refused(utility):
    with pytest.raises(ValueError, match="utility must be"):
        choice.choice_probabilities(utility)


@pytest.mark.parametrize("weights", [[1.0], [-1.0, 2.0], [0.0, 0.0], [np.nan, 1.0]])
def test_weights_that_cannot_be_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights must"):
        choice.shares(np.zeros((2, 2)), weights)


@pytest.mark.parametrize("sensitivity", [[0.0, 1.0], [-1.0, 1.0], [np.nan, 1.0]])
def test_surplus_needs_positive_price_sensitivities(sensitivity):
    with pytest.raises(ValueError, match="positive"):
        choice.consumer_surplus(np.zeros((2, 2)), sensitivity)
