"""How prices follow costs and taxes: closed forms, small changes of the whole game, and what theory says of incidence."""

from dataclasses import replace

import numpy as np
import pytest
from economics.price_twins import KINDS, game_of, made_up_demand
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw

from evsim.economics.pass_through import buyer_tax_pass_through, pass_through
from evsim.economics.pricing import Demand, PriceGame, bertrand, equilibrium_prices
from evsim.economics.subsidy import compose, compose_by_class

STEP = 1e-3  # kCNY


def logit_game(qualities, costs, owners):
    return bertrand(Demand(np.atleast_2d(qualities), np.array([0.03])), np.array(costs), np.array(owners))


def taxed(n_products):
    """Kinks that rise and fall, and a ceiling."""
    everyone, some = np.ones(n_products, bool), np.arange(n_products) % 3 == 0
    return compose(
        [
            ("tax_exemption", everyone, 0.0, 1.0, 15.0),
            ("ad_valorem", some, 0.0, 0.1, np.inf, 1.0, 400.0),
            ("per_unit", ~some, 8.0, 0.0, np.inf, 1.0, 260.0),
        ],
        n_products,
    )


def taxed_by_class(n_products, n_consumers=60):
    instruments = [
        ("ad_valorem", np.ones(n_products, bool), 0.0, 0.12, 20.0),
        ("per_unit", np.arange(n_products) > 3, 9.0, 0.0, np.inf, 1.0, 300.0),
    ]
    class_of = np.random.default_rng(4).integers(0, 3, n_consumers)
    return compose_by_class(instruments, [[0, 0], [1, 0], [1, 1]], class_of, n_products)


def by_small_changes(game, prices, changed):
    """dp_j/dτ_k at [k, j], from equilibria computed anew; changed(step [J]) is the game with τ moved."""
    rows = []
    for k in range(game.n_products):
        move = STEP * (np.arange(game.n_products) == k)
        there, back = (equilibrium_prices(changed(sign * move), prices).prices for sign in (1.0, -1.0))
        rows.append((there - back) / (2.0 * STEP))
    return np.array(rows)


@pytest.mark.parametrize(("quality", "cost"), [(2.0, 100.0), (8.0, 150.0), (-5.0, 100.0)])
def test_a_logit_monopolist_passes_on_one_over_one_plus_lambert_w(quality, cost):
    game = logit_game([quality], [cost], [0])
    followed = pass_through(game, equilibrium_prices(game).prices)
    w = lambertw(np.exp(quality - 0.03 * cost - 1.0)).real
    assert followed.own[0] == pytest.approx(1.0 / (1.0 + w), abs=1e-9)
    assert followed.buyer_prices[0] == pytest.approx(followed.posted_prices)


@given(seed=st.integers(0, 10**6), n_products=st.integers(2, 8))
def test_logit_rivals_of_one_product_follow_the_closed_form(seed, n_products):
    """From p_j − c_j = 1/(α (1 − s_j)): (1 + a_j) dp_j − a_j Σ_k s_k dp_k = dc_j with a_j = s_j/(1 − s_j)²."""
    draws = np.random.default_rng(seed)
    costs = draws.uniform(80.0, 200.0, n_products)
    game = logit_game(0.03 * costs + draws.normal(size=n_products) + 1.0, costs, np.arange(n_products))
    solution = equilibrium_prices(game)
    a = solution.shares / (1.0 - solution.shares) ** 2
    expected = np.linalg.inv(np.diag(1.0 + a) - a[:, None] * solution.shares[None, :]).T
    assert pass_through(game, solution.prices).posted_prices == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", [None, taxed(8), taxed_by_class(8)], ids=["untaxed", "taxed", "by class"])
def test_costs_are_passed_through_as_in_games_computed_anew(kind, rule):
    game = game_of(kind, 6, rule)
    prices = equilibrium_prices(game).prices
    anew = by_small_changes(game, prices, lambda move: replace(game, marginal_costs=game.marginal_costs + move))
    followed = pass_through(game, prices)
    assert followed.posted_prices == pytest.approx(anew, abs=1e-6)
    slopes = game.rule.slope_below(prices)
    for c, slope in enumerate(slopes):
        assert followed.buyer_prices[c] == pytest.approx(anew * slope, abs=2e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_taxes_on_buyers_are_passed_through_as_in_games_computed_anew(kind):
    game = game_of(kind, 6, taxed(8))
    prices = equilibrium_prices(game).prices

    def changed(move):
        return replace(game, buyer_price=replace(game.buyer_price, intercept=game.buyer_price.intercept + move))

    anew = by_small_changes(game, prices, changed)
    followed = buyer_tax_pass_through(game, prices)
    assert followed.posted_prices == pytest.approx(anew, abs=1e-6)
    assert followed.buyer_prices[0] == pytest.approx(anew * game.rule.slope_below(prices) + np.eye(8), abs=2e-6)


@pytest.mark.parametrize("kind", ["ordinary", "joint"])
def test_it_does_not_matter_who_pays_a_tax(kind):
    """Makers' unit tax and buyers' unit tax end in the same buyers' prices, VAT aside."""
    game = game_of(kind, 4)
    game = PriceGame(game.demand, game.marginal_costs, game.cost_weights, game.cost_weights, setter=game.setter)
    prices = equilibrium_prices(game).prices
    makers, buyers = pass_through(game, prices), buyer_tax_pass_through(game, prices)
    assert buyers.buyer_prices[0] == pytest.approx(makers.buyer_prices[0], abs=1e-8)
    assert buyers.posted_prices == pytest.approx(makers.posted_prices - np.eye(8), abs=1e-8)


def test_a_cost_common_to_all_is_passed_on_in_full_where_nobody_can_stay_outside():
    costs = np.array([100.0, 110.0, 95.0])
    game = logit_game(np.array([5.0, 5.6, 4.8]) - np.log(1e-6), costs, [0, 1, 2])
    together = pass_through(game, equilibrium_prices(game).prices).posted_prices.sum(axis=0)
    assert together == pytest.approx(np.ones(3), abs=1e-4)


@pytest.mark.parametrize("n_firms", [4, 10])
def test_bunched_prices_do_not_follow_and_others_answer_as_in_games_computed_anew(n_firms):
    demand, _ = made_up_demand(2, n_products=10, n_consumers=80)
    rule = compose([("tax_exemption", np.ones(10, bool), 0.0, 1.0, 14.0, 1.0)], 10)
    game = bertrand(demand, np.linspace(110.0, 130.0, 10), np.arange(10) % n_firms, rule)
    prices = equilibrium_prices(game).prices
    followed, held = pass_through(game, prices), prices == rule.knots[:, 0]
    assert held.any() and not held.all()
    assert (followed.held == held).all()
    assert (followed.posted_prices[:, held] == 0.0).all()
    of_the_held = np.abs(followed.posted_prices[np.ix_(held, ~held)]).max()  # their costs move siblings' prices only
    assert of_the_held < 1e-12 if n_firms == 10 else of_the_held > 1e-3
    anew = by_small_changes(game, prices, lambda move: replace(game, marginal_costs=game.marginal_costs + move))
    assert followed.posted_prices == pytest.approx(anew, abs=1e-6)


def test_prices_that_are_no_equilibrium_have_no_pass_through():
    game = logit_game([6.0], [100.0], [0])
    for function in (pass_through, buyer_tax_pass_through):
        with pytest.raises(ValueError, match="must be the equilibrium's"):
            function(game, np.array([200.0]))
