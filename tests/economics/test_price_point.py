"""The compiled sums of the price game against their definitions."""

from dataclasses import replace

import numpy as np
import pytest
from economics.price_twins import KINDS, game_of, made_up_demand, zeta_twin

from evsim.economics.price_game import Choices
from evsim.economics.price_point import evaluate, target_derivative
from evsim.economics.pricing import Demand, bertrand, first_order_residual, zeta
from evsim.economics.subsidy import BuyerPrice, compose


def rule_without_kinks_nearby(n_products):
    return compose([("ad_valorem", np.arange(n_products) % 2 == 0, 0.0, 0.1)], n_products)


@pytest.mark.parametrize("kind", KINDS)
def test_zeta_is_the_first_order_condition_solved_for_the_price(kind):
    game = game_of(kind, 3, rule_without_kinks_nearby(8))
    prices = game.marginal_costs * 1.3
    assert zeta(game, prices) == pytest.approx(zeta_twin(game, prices), rel=1e-12)
    gap = np.abs(zeta_twin(game, prices) - prices).max()
    assert first_order_residual(game, prices) == pytest.approx(gap, rel=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_the_derivative_of_zeta_is_that_of_the_slow_twin(kind):
    game = game_of(kind, 4, rule_without_kinks_nearby(8))
    prices, step = game.marginal_costs * 1.3, 1e-4
    point = evaluate(game, prices)
    for move in np.eye(8):
        differences = (zeta_twin(game, prices + step * move) - zeta_twin(game, prices - step * move)) / (2 * step)
        assert target_derivative(game, point, move) == pytest.approx(differences, abs=1e-7)


@pytest.mark.parametrize("n_consumers", [1, 2, 3, 5, 62, 63, 65, 130])
def test_any_number_of_consumers_goes_four_at_a_time(n_consumers):
    demand, costs = made_up_demand(7, n_consumers=n_consumers)
    game = bertrand(demand, costs, np.arange(8) // 3)
    prices, step = costs * 1.3, 1e-4
    assert zeta(game, prices) == pytest.approx(zeta_twin(game, prices), rel=1e-12)
    move = np.sin(np.arange(8.0))
    differences = (zeta_twin(game, prices + step * move) - zeta_twin(game, prices - step * move)) / (2 * step)
    assert target_derivative(game, evaluate(game, prices), move) == pytest.approx(differences, abs=1e-6)


def test_choices_that_are_known_are_not_worked_out_again_and_others_are():
    game = game_of("mixed royalties", 2)
    prices = game.marginal_costs * 1.3
    point = evaluate(game, prices)
    known = replace(game, known=Choices(prices, point.probabilities, point.inclusive))
    assert evaluate(known, prices).probabilities is point.probabilities
    assert np.array_equal(evaluate(known, prices).target, point.target)
    assert np.array_equal(zeta(known, 1.1 * prices), zeta(game, 1.1 * prices))
    with pytest.raises(ValueError, match="known choices must be of 60 consumers among 8 products"):
        replace(game, known=Choices(prices, point.probabilities[1:], point.inclusive[1:]))


def test_a_given_price_is_its_own_target_and_never_reacts():
    demand, costs = made_up_demand(5)
    game = bertrand(demand, costs, np.arange(8))
    given = type(game)(
        demand, costs, game.revenue_weights, game.cost_weights, setter=np.where(costs > 110, game.setter, -1)
    )
    prices = costs * 1.3
    point = evaluate(given, prices)
    fixed = given.setter < 0
    assert fixed.any() and not fixed.all()
    assert (point.target[fixed] == prices[fixed]).all()
    assert (target_derivative(given, point, np.ones(8))[fixed] == 0).all()
    assert point.target[~fixed] == pytest.approx(zeta(game, prices)[~fixed], rel=1e-12)


def test_a_product_nobody_can_afford_is_still_told_a_price():
    """Shares that underflow cancel in ζ, which tends to cost + 1/α of the least sensitive buyer."""
    demand = Demand(np.zeros((2, 1)), np.array([0.05, 0.02]))
    game = bertrand(demand, np.array([100.0]), np.array([0]))
    assert evaluate(game, np.array([1e6])).shares[0] == 0.0
    assert zeta(game, np.array([1e6])) == pytest.approx([150.0])


def test_a_price_rests_at_a_rising_knot_when_neither_side_wants_to_leave():
    demand, cost = Demand(np.full((1, 1), 1.0), np.array([0.02])), np.array([100.0])
    free = zeta(bertrand(demand, cost, np.array([0])), np.array([170.0]))[0]
    for knot, above in ((free - 0.5, 1.0), (free - 0.5, 1.1), (free - 30.0, 1.1), (free + 30.0, 1.1)):
        rule = BuyerPrice([[knot]], [[1.0, above]], [0.0])
        point = evaluate(bertrand(demand, cost, np.array([0]), rule), np.array([170.0]))
        held = point.target[0] == knot
        slope = rule.slope_above(point.target)[0] if not held else None
        assert held == (above == 1.1 and abs(knot - free) < 1.0)
        assert held or (slope == 1.0) == (point.target[0] < knot or above == 1.0)


@pytest.mark.parametrize("prices", [[100.0], [np.nan] * 8, [np.inf] * 8])
def test_prices_that_are_not_numbers_for_every_product_are_refused(prices):
    with pytest.raises(ValueError, match="finite numbers"):
        zeta(game_of("ordinary", 1), np.array(prices))
