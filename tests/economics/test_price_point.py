"""The compiled sums of the price game against their definitions."""

from dataclasses import replace

import numpy as np
import pytest
from economics.price_twins import KINDS, game_of, made_up_demand, zeta_twin

from evsim.economics.deviations import candidate_prices, gains_of_prices
from evsim.economics.price_kernels import States
from evsim.economics.price_point import cross_sums, evaluate, target_derivative
from evsim.economics.price_rule import BuyerPriceByClass
from evsim.economics.pricing import (
    Demand,
    bertrand,
    costs_from_prices,
    equilibrium_prices,
    first_order_residual,
    zeta,
)
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


@pytest.mark.parametrize("n_consumers", [1, 2, 3, 5, 62, 63, 65, 127, 128, 129, 300])
def test_any_number_of_consumers_goes_four_at_a_time(n_consumers):
    demand, costs = made_up_demand(7, n_consumers=n_consumers)
    game = bertrand(demand, costs, np.arange(8) // 3)
    prices, step = costs * 1.3, 1e-4
    assert zeta(game, prices) == pytest.approx(zeta_twin(game, prices), rel=1e-12)
    assert evaluate(game, prices).target == pytest.approx(zeta(game, prices), rel=1e-14)
    move = np.sin(np.arange(8.0))
    differences = (zeta_twin(game, prices + step * move) - zeta_twin(game, prices - step * move)) / (2 * step)
    assert target_derivative(game, evaluate(game, prices), move) == pytest.approx(differences, abs=1e-6)


def test_choices_that_are_known_are_not_worked_out_again_and_others_are():
    game = game_of("mixed royalties", 2)
    prices = game.marginal_costs * 1.3
    point = evaluate(game, prices)
    known = replace(game, known=point.chosen)
    assert evaluate(known, prices).chosen is point.chosen
    assert np.array_equal(evaluate(known, prices).target, point.target)
    assert np.array_equal(zeta(known, 1.1 * prices), zeta(game, 1.1 * prices))
    with pytest.raises(ValueError, match="known choices must be of 60 consumers of 60 types among 8 products"):
        replace(game, known=replace(point.chosen, inside=point.chosen.inside[1:]))


def made_up_states(seed, n_types=23, n_products=8):
    """One to four consumers a type, tied to some products in one of five ways, of which the first is to none."""
    draws = np.random.default_rng(seed)
    first = np.concatenate([[0], np.cumsum(draws.integers(1, 5, n_types))])
    named = draws.random((5, n_products)) < np.array([0.0, 0.1, 0.3, 0.6, 1.0])[:, None]
    product = np.nonzero(named)[1]
    return States(
        first=first,
        bond=draws.integers(0, 5, first[-1]),
        more=np.exp(draws.normal(0.5, 1.0, (first[-1], 3))) - 1.0,
        start=np.concatenate([[0], named.sum(axis=1).cumsum()]),
        product=product,
        kind=draws.integers(0, 3, len(product)),
    )


def game_of_types(kind, seed, n_classes=1):
    """A game whose consumers share tastes within types, types in the order of their classes; and the same one by one."""
    game, states, draws = game_of(kind, seed, n_consumers=23), made_up_states(seed), np.random.default_rng(seed)
    n_consumers = states.first[-1]
    weights, outside = draws.uniform(0.0, 1.0, n_consumers), draws.normal(size=n_consumers)
    demand = Demand(game.demand.utility, game.demand.price_sensitivity, weights, outside, states)
    rules = tuple(rule_without_kinks_nearby(8).raised(np.full(8, -7.0 * code)) for code in range(n_classes))
    class_of = np.repeat(np.arange(23) * n_classes // 23, np.diff(states.first))
    typed = replace(game, demand=demand, buyer_price=BuyerPriceByClass(rules, class_of))
    return typed, replace(typed, demand=demand.one_by_one)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_classes", [1, 3])
def test_consumers_who_share_tastes_are_priced_as_if_taken_one_by_one(kind, n_classes):
    typed, plain = game_of_types(kind, 6, n_classes)
    prices = typed.marginal_costs * 1.3
    assert typed.panel is typed.demand
    assert zeta(typed, prices) == pytest.approx(zeta_twin(plain, prices), rel=1e-12)
    assert evaluate(typed, prices).target == pytest.approx(zeta_twin(plain, prices), rel=1e-12)
    point, twin = evaluate(typed, prices), evaluate(plain, prices)
    for name in ("probabilities", "inclusive", "expected", "class_sums", "shares"):
        assert getattr(point, name) == pytest.approx(getattr(twin, name), rel=1e-12, abs=1e-15), name
    step = np.cos(np.arange(8.0))
    assert target_derivative(typed, point, step) == pytest.approx(target_derivative(plain, twin, step), rel=1e-11)
    slopes = plain.rule.slope_below(prices)
    cross = cross_sums(typed, point, typed.accounts.entry_revenue, slopes)
    assert cross == pytest.approx(cross_sums(plain, twin, plain.accounts.entry_revenue, slopes), rel=1e-12)
    for product in range(8):
        tried = prices[product] * np.linspace(0.8, 1.3, 7)
        assert gains_of_prices(typed, point, product, tried) == pytest.approx(
            gains_of_prices(plain, twin, product, tried), rel=1e-9, abs=1e-14
        )
        assert candidate_prices(typed, point, product) == pytest.approx(
            candidate_prices(plain, twin, product), rel=1e-12
        )
    found, expected = equilibrium_prices(typed, prices), equilibrium_prices(plain, prices)
    assert found.converged and found.prices == pytest.approx(expected.prices, rel=1e-9)
    assert costs_from_prices(typed, found.prices) == pytest.approx(typed.marginal_costs, rel=1e-8)


def test_one_by_one_a_state_adds_to_the_utility_of_the_products_its_bond_names():
    states = made_up_states(9)
    demand = Demand(np.zeros((23, 8)), np.full(23, 0.01), states=states)
    gains = np.zeros((len(demand), 8))
    for i, bond in enumerate(states.bond):
        for entry in range(states.start[bond], states.start[bond + 1]):
            gains[i, states.product[entry]] = np.log1p(states.more[i, states.kind[entry]])
    assert demand.one_by_one.utility == pytest.approx(gains, abs=1e-15)
    assert np.array_equal(demand.type_of, np.repeat(np.arange(23), np.diff(states.first)))
    again = demand.weighed(np.arange(1.0, 1.0 + len(demand)))
    assert again.weights.sum() == pytest.approx(1.0) and again.one_by_one.utility == pytest.approx(gains, abs=1e-15)
    assert demand.one_by_one.one_by_one is demand.one_by_one


def test_types_that_stand_in_several_classes_are_taken_one_by_one():
    typed, _ = game_of_types("mixed royalties", 6, 2)
    class_of = np.arange(len(typed.demand)) % 2
    mixed = replace(typed, buyer_price=BuyerPriceByClass(typed.rule.rules, class_of))
    prices = typed.marginal_costs * 1.3
    assert len(mixed.panel.utility) == len(typed.demand)
    plain = replace(mixed, demand=mixed.demand.one_by_one)
    assert zeta(mixed, prices) == pytest.approx(zeta_twin(plain, prices), rel=1e-12)
    straddling = replace(typed, buyer_price=BuyerPriceByClass(typed.rule.rules, 1 * (np.arange(len(typed.demand)) > 6)))
    assert 7 not in typed.demand.states.first and len(straddling.panel.utility) == len(typed.demand)
    assert zeta(straddling, prices) == pytest.approx(
        zeta_twin(replace(straddling, demand=typed.demand.one_by_one), prices), rel=1e-12
    )


def test_a_product_nearly_nobody_buys_is_priced_the_same_for_types():
    typed, plain = game_of_types("leader with own products", 7, 2)
    utility = typed.demand.utility.copy()
    utility[:, 3] -= 720.0
    faint = replace(typed, demand=replace(typed.demand, utility=utility))
    prices = typed.marginal_costs * 1.3
    assert zeta(faint, prices) == pytest.approx(zeta(replace(faint, demand=faint.demand.one_by_one), prices), rel=1e-11)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {"first": s.first[1:]}, "first must be 24 rising numbers from 0"),
        (lambda s: {"first": np.sort(s.first)[::-1]}, "first must be 24 rising numbers"),
        (lambda s: {"bond": s.bond[1:]}, "must be about"),
        (lambda s: {"bond": s.bond + 5}, "bond must be whole numbers below 5"),
        (lambda s: {"more": s.more - 10.0}, "above −1"),
        (lambda s: {"more": s.more * np.inf}, "finite|above −1"),
        (lambda s: {"start": s.start[:-1]}, "start must rise|bond must be whole"),
        (lambda s: {"kind": s.kind[1:]}, "entries that product and kind are about"),
        (lambda s: {"product": s.product + 8}, "product must be below 8"),
        (lambda s: {"kind": s.kind + 3}, "kind below 3"),
    ],
)
def test_states_that_do_not_fit_are_refused(change, said):
    states = made_up_states(9)
    with pytest.raises(ValueError, match=said):
        Demand(np.zeros((23, 8)), np.full(23, 0.01), states=states._replace(**change(states)))


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
