"""What a buyer pays at each posted price: jumps, and the rules of several classes put together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics.price_rule import BuyerPrice, BuyerPriceByClass


def rule_of(seed, n_products=4, n_knots=3):
    """A rule with kinks and notches, some knots alike and some not used."""
    draws = np.random.default_rng(seed)
    knots = np.sort(draws.choice([80.0, 120.0, 120.0, 160.0, 200.0, np.inf], (n_products, n_knots)), axis=1)
    jumps = np.where(np.isfinite(knots), draws.choice([0.0, 0.0, 7.0], knots.shape), 0.0)
    slopes = draws.uniform(0.7, 1.3, (n_products, n_knots + 1))
    return BuyerPrice(knots, slopes, draws.normal(size=n_products), jumps)


@given(seed=st.integers(0, 10**6), price=st.floats(10.0, 300.0))
def test_a_rule_rises_and_jumps_only_beyond_its_knots(seed, price):
    rule = rule_of(seed)
    prices = np.sort(np.concatenate([np.linspace(1.0, 300.0, 400), [80.0, 120.0, 160.0, 200.0, price]]))
    paid = rule.value(np.repeat(prices[:, None], 4, axis=1))
    assert (np.diff(paid, axis=0) >= 0).all()
    for knot in (80.0, 120.0, 160.0, 200.0):
        step = rule.value(np.full(4, knot + 1e-9)) - rule.value(np.full(4, knot))
        assert step == pytest.approx(np.where(rule.knots == knot, rule.jumps, 0.0).sum(axis=1), abs=1e-7)
        assert rule.value(np.full(4, knot)) == pytest.approx(rule.value(np.full(4, knot - 1e-9)), abs=1e-7)


@given(seed=st.integers(0, 10**6), price=st.floats(10.0, 300.0))
def test_the_rules_of_classes_put_together_are_each_classes_own(seed, price):
    rules = tuple(rule_of(seed + k, n_knots=k + 1) for k in range(3))
    together, prices = BuyerPriceByClass(rules, np.array([0, 1, 2, 1])), np.full(4, price)
    segment = (prices[:, None] > together.knots).sum(axis=1)
    for c, rule in enumerate(rules):
        assert (together.value(prices)[c] == rule.value(prices)).all()
        assert (together.slopes[c, np.arange(4), segment] == rule.slope_below(prices)).all()
        assert (together.slope_above(prices)[c] == rule.slope_above(prices)).all()
    for j in range(4):
        jumping = {
            float(rule.knots[j, k]) for rule in rules for k in range(rule.knots.shape[1]) if rule.jumps[j, k] > 0
        }
        assert sorted(together.knots[j, together.notches[j]].tolist()) == sorted(jumping)  # each once


def test_one_rule_stays_as_it_is_and_one_product_keeps_its_jumps():
    rule = rule_of(3)
    alone = BuyerPriceByClass((rule,), np.zeros(5, dtype=int))
    assert alone.slopes[0] is not None and (alone.slopes[0] == rule.slopes).all()
    assert (alone.knots == rule.knots).all()
    prices = np.array([90.0, 130.0, 170.0, 210.0])
    assert [rule.only(j).value(prices[[j]])[0] for j in range(4)] == rule.value(prices).tolist()


@pytest.mark.parametrize("jumps", [[[-1.0]], [[np.nan]], [[np.inf]], [[1.0, 1.0]]])
def test_a_rule_that_would_jump_down_is_refused(jumps):
    with pytest.raises(ValueError, match="jumps"):
        BuyerPrice([[100.0]], [[1.0, 1.0]], [0.0], jumps)


@pytest.mark.parametrize("class_of", [np.array([0, 2]), np.array([-1, 0]), np.array([0.0, 1.0]), np.zeros((2, 1), int)])
def test_consumers_of_no_class_are_refused(class_of):
    with pytest.raises(ValueError, match="class_of"):
        BuyerPriceByClass((rule_of(0), rule_of(1)), class_of)
    with pytest.raises(ValueError, match="same products"):
        BuyerPriceByClass((rule_of(0), rule_of(1, n_products=2)), np.array([0, 1]))


@pytest.mark.parametrize("prices", [100.0, [100.0], [[100.0, 200.0, 300.0]]])
def test_prices_of_another_number_of_products_are_refused(prices):
    with pytest.raises(ValueError, match="one a product"):
        BuyerPrice(np.full((2, 1), 150.0), np.ones((2, 2)), np.zeros(2)).value(prices)
