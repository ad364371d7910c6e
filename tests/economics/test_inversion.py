"""From shares to mean utilities and back."""

import numpy as np
import pyblp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics.choice import choice_probabilities, shares
from evsim.economics.inversion import conditional_mean_utilities, mean_utilities, meetings, moved_shares


def tastes(seed, n_consumers=40, n_products=6, spread=2.0):
    draws = np.random.default_rng(seed)
    offset = draws.normal(size=(n_consumers, n_products)) * spread
    return draws, offset, draws.random(n_consumers)


@given(
    seed=st.integers(0, 10**6),
    n_consumers=st.integers(1, 60),
    n_products=st.integers(1, 12),
    level=st.sampled_from([-12.0, 0.0, 12.0]),
)
def test_inverting_the_models_own_shares_returns_its_qualities(seed, n_consumers, n_products, level):
    draws, offset, weights = tastes(seed, n_consumers, n_products)
    quality = draws.normal(size=n_products) * 2 + level
    found = mean_utilities(shares(quality + offset, weights), offset, weights)
    assert found.converged
    outside = 1.0 - shares(quality + offset, weights).sum()
    assert found.mean_utility == pytest.approx(quality, abs=1e-10 + 2e-12 / outside)  # 1e-12 in logs, level included


@given(seed=st.integers(0, 10**6), n_consumers=st.integers(1, 60), n_products=st.integers(2, 12))
def test_inverting_shares_among_buyers_returns_qualities_up_to_their_level(seed, n_consumers, n_products):
    draws, offset, weights = tastes(seed, n_consumers, n_products)
    quality = draws.normal(size=n_products) * 2
    inside = shares(quality + offset, weights, -np.inf)
    found = conditional_mean_utilities(inside * 1000.0, offset, weights)
    assert found.converged and found.residual <= 1e-12
    assert found.mean_utility == pytest.approx(quality - (inside * quality).sum(), abs=1e-9)
    assert (inside * found.mean_utility).sum() == pytest.approx(0.0, abs=1e-12)


def test_a_nearly_covered_market_is_inverted_where_the_contraction_would_crawl():
    _, offset, weights = tastes(3, n_consumers=500, n_products=30)
    observed = np.random.default_rng(4).dirichlet(np.full(30, 0.5)) * (1.0 - 1e-6)
    observed = np.maximum(observed, 1e-9)
    observed *= (1.0 - 1e-6) / observed.sum()
    found = mean_utilities(observed, offset, weights)
    assert found.converged and found.iterations < 40
    assert np.log(shares(found.mean_utility + offset, weights)) == pytest.approx(np.log(observed), abs=1e-12)
    crawling = np.log(observed) - np.log(1e-6)
    for _ in range(200):
        crawling = crawling + np.log(observed) - np.log(shares(crawling + offset, weights))
    assert np.abs(crawling - found.mean_utility).max() > 0.01


def test_the_plain_logit_inverts_in_closed_form():
    observed = np.array([0.2, 0.1, 0.05])
    found = mean_utilities(observed, np.zeros((4, 3)), outside_utility=0.7)
    assert found.mean_utility == pytest.approx(np.log(observed) - np.log(0.65) + 0.7, abs=1e-12)


def test_products_that_some_consumers_are_not_offered_are_inverted_too():
    draws, offset, weights = tastes(5, n_consumers=200, n_products=8)
    offset[draws.random(offset.shape) < 0.4] = -np.inf
    offset[:, 0] = 0.0
    quality = draws.normal(size=8)
    inside = shares(quality + offset, weights, -np.inf)
    found = conditional_mean_utilities(inside, offset, weights)
    assert found.converged
    assert np.diff(found.mean_utility) == pytest.approx(np.diff(quality), abs=1e-9)


def test_shares_that_no_qualities_give_are_reported_not_returned_as_found():
    offset = np.zeros((10, 2))
    offset[:5, 0] = -np.inf  # half the consumers cannot buy product 0, which sells 80 %
    found = conditional_mean_utilities([0.8, 0.2], offset)
    assert not found.converged
    assert "product" in found.message


@pytest.mark.filterwarnings("ignore:The model may be under-identified")  # it is only asked for its contraction
def test_the_contraction_of_pyblp_finds_the_same_qualities():
    draws, n_consumers, n_products = np.random.default_rng(0), 30, 5
    observed, attribute = draws.dirichlet(np.ones(n_products + 1))[:n_products], draws.normal(size=n_products)
    nodes, weights = draws.normal(size=n_consumers), np.full(n_consumers, 1.0 / n_consumers)
    verbose, pyblp.options.verbose = pyblp.options.verbose, False
    try:
        problem = pyblp.Problem(
            (pyblp.Formulation("1 + prices"), pyblp.Formulation("0 + attribute")),
            {"market_ids": np.zeros(n_products), "shares": observed, "prices": draws.random(n_products),
             "attribute": attribute, "demand_instruments0": attribute},
            agent_data={"market_ids": np.zeros(n_consumers), "weights": weights, "nodes0": nodes},
        )  # fmt: skip
        solved = problem.solve(
            sigma=[[1.5]],
            optimization=pyblp.Optimization("return"),
            iteration=pyblp.Iteration("squarem", {"atol": 1e-14}),
        )
    finally:
        pyblp.options.verbose = verbose
    found = mean_utilities(observed, 1.5 * nodes[:, None] * attribute, weights)
    assert found.mean_utility == pytest.approx(solved.delta.flatten(), abs=1e-11)


def test_shares_at_other_qualities_follow_from_the_probabilities_at_some():
    draws, offset, weights = tastes(7, n_consumers=150)
    weights, moved, totals = weights / weights.sum(), draws.normal(size=6), np.empty(150)
    chances = choice_probabilities(offset)
    found = moved_shares(chances, 1.0 - chances.sum(axis=1), weights, np.exp(moved), totals)
    assert found == pytest.approx(shares(offset + moved, weights), rel=1e-12)
    assert chances * np.exp(moved) / totals[:, None] == pytest.approx(choice_probabilities(offset + moved), rel=1e-12)


def test_qualities_far_from_the_shares_logs_are_found_too():
    draws, offset, weights = tastes(8, n_consumers=30)
    far = np.array([-250.0, 0.0, 120.0, 150.0, -150.0, 70.0])
    inside = shares(offset, weights, -np.inf)
    found = conditional_mean_utilities(inside, offset - far, weights)
    assert found.converged and np.diff(found.mean_utility - far) == pytest.approx(np.zeros(5), abs=1e-9)


def test_the_product_with_a_table_and_back_is_the_dense_one():
    draws, offset, weights = tastes(7, n_consumers=150)
    chances, direction = choice_probabilities(offset), draws.normal(size=6)
    dense = (chances * weights[:, None]).T @ chances
    assert meetings(chances, weights, direction) == pytest.approx(dense @ direction, rel=1e-11)


@pytest.mark.parametrize("observed", [[0.0, 0.5], [-0.1, 0.5], [np.nan, 0.5], [0.5, 0.5], [0.7, 0.6], [0.3]])
def test_shares_that_cannot_be_shares_are_refused(observed):
    with pytest.raises(ValueError, match="share"):
        mean_utilities(observed, np.zeros((3, 2)))


def test_a_product_offered_to_nobody_or_a_consumer_offered_nothing_is_refused():
    nobody, nothing = np.zeros((3, 2)), np.zeros((3, 2))
    nobody[:, 1], nothing[1, :] = -np.inf, -np.inf
    with pytest.raises(ValueError, match="offer to nobody"):
        mean_utilities([0.3, 0.3], nobody)
    with pytest.raises(ValueError, match="offered nothing"):
        conditional_mean_utilities([0.5, 0.5], nothing)
