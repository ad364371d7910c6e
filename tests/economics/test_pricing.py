"""Bertrand–Nash prices: theorems, closed forms, pyblp, and cases where simpler methods fail."""

import warnings
from dataclasses import replace

import numpy as np
import pyblp
import pytest
from economics.price_twins import (
    KINDS,
    demand_twin,
    game_of,
    made_up_demand,
    owned,
    profit_slopes,
    profits_twin,
    zeta_twin,
)  # fmt: skip
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw

from evsim.economics.deviations import gains_of_prices
from evsim.economics.metrics import group_shares, hhi, share_jacobian
from evsim.economics.price_point import evaluate, target_derivative
from evsim.economics.price_rule import BuyerPrice, BuyerPriceByClass
from evsim.economics.pricing import (
    Demand,
    PriceGame,
    bertrand,
    best_response_steps,
    certificate,
    costs_from_prices,
    equilibrium_prices,
    largest_gain,
    nash_prices,
    verified_prices,
    zeta,
)
from evsim.economics.subsidy import compose, compose_by_class


def logit(qualities, sensitivity=0.03):
    """Demand of one consumer type: the plain logit."""
    return Demand(np.atleast_2d(np.asarray(qualities, dtype=float)), np.array([sensitivity]))


def exempt(n_products, cap=15.0):
    """Purchase tax, waived up to a cap on every product: a kink at 169.5 kCNY for a cap of 15."""
    return compose([("tax_exemption", np.ones(n_products, dtype=bool), 0.0, 1.0, cap, 1.0)], n_products)


# Closed forms.


@pytest.mark.parametrize(("quality", "cost"), [(2.0, 100.0), (8.0, 150.0), (30.0, 80.0), (-5.0, 100.0), (0.0, 400.0)])
def test_a_logit_monopolist_charges_what_lambert_w_says(quality, cost):
    markup = (1.0 + lambertw(np.exp(quality - 0.03 * cost - 1.0)).real) / 0.03
    solution = equilibrium_prices(bertrand(logit([quality]), np.array([cost]), np.array([0])))
    assert solution.converged
    assert solution.prices[0] == pytest.approx(cost + markup, abs=1e-10)


@pytest.mark.parametrize("quality", [300.0, 3000.0])
def test_a_monopolist_whose_market_is_covered_at_cost_climbs_to_where_it_no_longer_is(quality):
    """ζ alone would climb by 1/α a step: as many steps as the surplus at cost has utils."""
    solution = equilibrium_prices(bertrand(logit([quality]), np.array([100.0]), np.array([0])))
    assert solution.converged and solution.iterations < 100
    margin = solution.prices[0] - 100.0
    w = 0.03 * margin - 1.0  # W(x) is the w with w + log w = log x
    assert w + np.log(w) == pytest.approx(quality - 3.0 - 1.0, rel=1e-12)


def test_a_logit_monopolist_of_many_products_adds_one_markup_by_lambert_w():
    costs = np.linspace(80.0, 300.0, 40)
    qualities = 0.02 * costs + np.sin(np.arange(40.0))
    inclusive = np.exp(qualities - 0.03 * costs).sum()
    markup = (1.0 + lambertw(inclusive * np.exp(-1.0)).real) / 0.03
    solution = equilibrium_prices(bertrand(logit(qualities), costs, np.zeros(40, dtype=int)))
    assert solution.prices == pytest.approx(costs + markup, abs=1e-9)


@pytest.mark.parametrize("n_products", [1, 2, 7, 40])
def test_symmetric_logit_rivals_each_add_one_over_alpha_times_one_minus_share(n_products):
    solution = equilibrium_prices(
        bertrand(logit(np.full(n_products, 6.0)), np.full(n_products, 100.0), np.arange(n_products))
    )
    assert solution.residual <= 1e-9
    assert solution.prices - 100.0 == pytest.approx(1.0 / (0.03 * (1.0 - solution.shares)), abs=1e-9)


# Other people's code.


def pyblp_prices(firm_ids, costs, attribute, nodes, ownership=None, benefits=None):
    """Prices and shares by pyblp: utility 6 + x − 1.5 p, with a random coefficient on each of p and x.

    benefits: `[N, 2]`, what each consumer's benefits add: utils on products with x > 0, utils per unit of price.
    """
    n_products, n_consumers = len(costs), len(nodes)
    products = {
        "market_ids": np.zeros(n_products),
        "firm_ids": firm_ids,
        "x": attribute,
        "green": 1.0 * (attribute > 0),
    }
    if ownership is not None:
        products["ownership"] = ownership
    benefits = np.zeros((n_consumers, 2)) if benefits is None else benefits
    verbose, pyblp.options.verbose = pyblp.options.verbose, False
    try:
        simulation = pyblp.Simulation(
            (pyblp.Formulation("1 + x + prices"), pyblp.Formulation("0 + prices + x + green")),
            products,
            beta=[6.0, 1.0, -1.5],
            sigma=np.diag([0.3, 0.8, 0.0]),
            pi=[[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]],
            xi=np.zeros(n_products),
            agent_formulation=pyblp.Formulation("0 + on_green + per_price"),
            agent_data={
                "market_ids": np.zeros(n_consumers), "weights": np.full(n_consumers, 1.0 / n_consumers),
                "nodes0": nodes[:, 0], "nodes1": nodes[:, 1], "nodes2": np.zeros(n_consumers),
                "on_green": benefits[:, 0], "per_price": benefits[:, 1],
            },
        )  # fmt: skip
        solved = simulation.replace_endogenous(costs=costs, iteration=pyblp.Iteration("simple", {"atol": 1e-13}))
    finally:
        pyblp.options.verbose = verbose
    return solved.product_data.prices.flatten(), solved.product_data.shares.flatten()


@pytest.fixture(scope="module")
def blp_market():
    draws = np.random.default_rng(0)
    return draws.uniform(3.0, 6.0, 6), draws.normal(size=6), np.clip(draws.normal(size=(40, 2)), -2.0, 2.0)


def blp_demand(attribute, nodes):
    return Demand(6.0 + attribute + 0.8 * nodes[:, 1:] * attribute, 1.5 - 0.3 * nodes[:, 0])


@pytest.mark.parametrize("firms", [[0, 0, 1, 1, 2, 3], [0, 0, 0, 0, 2, 3], [0, 1, 2, 3, 4, 5], [0] * 6])
def test_mixed_logit_prices_are_those_of_pyblp_before_and_after_mergers(blp_market, firms):
    costs, attribute, nodes = blp_market
    prices, shares = pyblp_prices(np.array(firms), costs, attribute, nodes)
    solution = equilibrium_prices(bertrand(blp_demand(attribute, nodes), costs, np.array(firms)))
    assert solution.residual <= 1e-9
    assert solution.prices == pytest.approx(prices, abs=1e-9)
    assert solution.shares == pytest.approx(shares, abs=1e-10)


def test_partly_internalised_prices_are_those_of_pyblp_with_that_ownership(blp_market):
    costs, attribute, nodes = blp_market
    firms = np.arange(6) // 2
    internalised = np.where(firms[:, None] == firms[None, :], 1.0, 0.35)
    prices, _ = pyblp_prices(firms, costs, attribute, nodes, ownership=internalised)
    weights = internalised[::2]  # a firm's row: 1 on its own two products, 0.35 on the others
    demand = blp_demand(attribute, nodes)
    solution = equilibrium_prices(PriceGame(demand, costs, weights, weights, setter=firms))
    assert solution.prices == pytest.approx(prices, abs=1e-9)


def test_prices_under_benefits_for_some_consumers_are_those_of_pyblp(blp_market):
    """A fixed benefit on some products and a per cent on all, for a third of the consumers each, and for none."""
    costs, attribute, nodes = blp_market
    demand, firms, green = blp_demand(attribute, nodes), np.array([0, 0, 1, 1, 2, 3]), attribute > 0
    class_of = np.arange(len(nodes)) % 3
    fixed, rate = np.array([0.0, 0.9, 0.0])[class_of], np.array([0.0, 0.0, 0.15])[class_of]
    added = demand.price_sensitivity[:, None] * np.column_stack([fixed, rate])
    prices, shares = pyblp_prices(firms, costs, attribute, nodes, benefits=added)
    instruments = [("per_unit", green, 0.9), ("ad_valorem", np.ones(6, bool), 0.0, 0.15)]
    entitled = np.array([[False, False], [True, False], [False, True]])
    rule = compose_by_class(instruments, entitled, class_of, 6, tax_rate=0.0)
    solution = equilibrium_prices(bertrand(demand, costs, firms, rule))
    assert solution.prices == pytest.approx(prices, abs=1e-9)
    assert solution.shares == pytest.approx(shares, abs=1e-10)


# First-order conditions.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_products", [8, 40])
def test_at_the_solution_no_setters_profit_has_a_slope(kind, n_products):
    game = game_of(kind, 7, n_products=n_products)
    solution = equilibrium_prices(game)
    assert solution.converged and solution.residual <= 1e-9
    assert np.abs(profit_slopes(game, solution.prices)).max() < 1e-7
    assert solution.shares == pytest.approx(demand_twin(game, solution.prices)[1], rel=1e-10)
    found = certificate(game, solution)
    assert found.residual == solution.residual
    assert found.gain <= 1e-10


@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(KINDS),
    n_products=st.integers(3, 20),
    n_consumers=st.sampled_from([1, 5, 80]),
    level=st.sampled_from([-3.0, 1.0, 6.0]),
    taxed=st.booleans(),
)
def test_every_made_up_game_is_solved_and_its_costs_recovered(seed, kind, n_products, n_consumers, level, taxed):
    rule = exempt(n_products) if taxed else None
    game = game_of(kind, seed, rule, n_products=n_products, n_consumers=n_consumers, level=level)
    solution = equilibrium_prices(game)
    assert solution.converged and solution.residual <= 1e-9, solution.message
    off_the_kinks = ~(solution.prices[:, None] == game.buyer_price.knots).any(axis=1)
    costs = costs_from_prices(game, solution.prices)
    if off_the_kinks.all():
        assert costs == pytest.approx(game.marginal_costs, abs=1e-6)
    again = PriceGame(game.demand, costs, game.revenue_weights, game.cost_weights, game.payments, game.setter, rule)
    assert zeta(again, solution.prices) == pytest.approx(solution.prices, abs=1e-9)


@pytest.mark.parametrize("outside", [1e-6, 1e-9])
def test_nearly_covered_markets_are_solved_where_the_naive_markup_iteration_runs_away(outside):
    costs, qualities = np.array([100.0, 110.0, 95.0]), np.array([5.0, 5.6, 4.8])
    demand = logit(qualities - np.log(outside))
    game = bertrand(demand, costs, np.array([0, 1, 1]))
    solution = equilibrium_prices(game)
    assert solution.converged and solution.residual <= 1e-9
    assert 1.0 - solution.shares.sum() < 1e2 * outside
    assert largest_gain(game, solution.prices).gain <= 1e-9
    naive = solution.prices + np.array([1.0, 0.0, 0.0])
    owner = np.equal.outer(game.setter, game.setter)
    distances = []
    for _ in range(60):
        chances, shares = demand_twin(game, naive)
        jacobian = owner * share_jacobian(chances, demand.price_sensitivity)
        with np.errstate(all="ignore"):
            naive = costs - np.linalg.solve(jacobian, shares)
        distances.append(np.abs(naive - solution.prices).max())
        if not np.isfinite(distances[-1]) or distances[-1] > 1e3:
            break
    assert distances[-1] > 1e3  # it set out 1 kCNY from the solution


def test_mixed_logit_with_few_outside_is_solved_for_joint_and_rival_setters():
    demand, costs = made_up_demand(11, n_products=12, n_consumers=200, level=14.0)
    for owners in (np.zeros(12, dtype=int), np.arange(12) % 2, np.arange(12)):
        solution = equilibrium_prices(bertrand(demand, costs, owners))
        assert solution.converged and solution.residual <= 1e-9, solution.message


def test_the_search_finds_its_way_from_absurd_prices():
    game = game_of("ordinary", 3)
    solution = equilibrium_prices(game)
    for start in (np.full(8, -5e3), np.full(8, 1e5), np.linspace(0.0, 1e4, 8)):
        from_afar = equilibrium_prices(game, start)
        assert from_afar.converged
        assert from_afar.prices == pytest.approx(solution.prices, abs=1e-8)


# Kinks.


@pytest.mark.parametrize("n_firms", [40, 8, 1])
def test_prices_bunch_at_the_cap_of_an_exemption_and_nobody_gains_by_leaving(n_firms):
    demand, _ = made_up_demand(2, n_products=40, n_consumers=150)
    costs, owners = np.linspace(110.0, 130.0, 40), np.arange(40) % n_firms
    untaxed = equilibrium_prices(bertrand(demand, costs, owners)).prices
    game = bertrand(demand, costs, owners, exempt(40, cap=0.1 / 1.13 * (np.median(untaxed) - 1.0)))
    solution = equilibrium_prices(game)
    knot = game.buyer_price.knots[:, 0]
    assert 3 <= (solution.prices == knot).sum() < 40
    assert (solution.prices < knot).any() and (solution.prices > knot).any()
    assert solution.residual <= 1e-9
    fine = np.concatenate([np.linspace(20.0, 900.0, 881), knot[0] + np.linspace(-1.0, 1.0, 201)])
    assert largest_gain(game, solution.prices, fine).gain <= 1e-12


@pytest.mark.parametrize("knot", [134.5, 137.0, 140.0, 143.5])
def test_where_the_slope_falls_the_better_of_two_local_maxima_is_chosen(knot):
    demand, cost = logit([4.0]), np.array([100.0])
    falls = BuyerPrice([[knot]], [[1.3, 0.9]], [0.0])
    rule_below = BuyerPrice(np.empty((1, 0)), [[1.3]], [0.0])
    rule_above = BuyerPrice(np.empty((1, 0)), [[0.9]], [(1.3 - 0.9) * knot])
    profits = {}
    for name, rule in (("below", rule_below), ("above", rule_above)):
        alone = bertrand(demand, cost, np.array([0]), rule)
        price = equilibrium_prices(alone).prices
        assert (price[0] < knot) == (name == "below")  # each is a local maximum of the kinked problem
        profits[name] = (float((price - cost)[0] * demand_twin(alone, price)[1][0]), price[0])
    best = max(profits.values())[1]
    game = bertrand(demand, cost, np.array([0]), falls)
    for start in (120.0, knot - 1.0, knot + 1.0, 250.0):
        assert equilibrium_prices(game, np.array([start])).prices[0] == pytest.approx(best, abs=1e-8)


# Notches: price ceilings above which a benefit is lost.


def capped_benefit(n_products, amount, ceiling, eligible=True):
    """A benefit for each car posted at no more than the ceiling, and no tax."""
    mask = np.broadcast_to(np.asarray(eligible), n_products)
    return compose([("per_unit", mask, amount, 0.0, np.inf, 1.0, ceiling)], n_products, tax_rate=0.0)


def logit_monopoly(cost, benefit=0.0, quality=5.0):
    """Price and profit of the logit monopolist whose buyers get a benefit, by Lambert W."""
    w = lambertw(np.exp(quality - 0.03 * (cost - benefit) - 1.0)).real
    return cost + (1.0 + w) / 0.03, w / 0.03


@pytest.mark.parametrize("ceiling", np.arange(112.0, 190.0, 3.0))
def test_a_logit_monopolist_bunches_at_a_ceiling_while_that_earns_more_than_its_price_above(ceiling):
    """Below a threshold it forgoes the benefit; up to the price it would set with the benefit it posts the ceiling."""
    cost, benefit = 100.0, 15.0
    above, above_profit = logit_monopoly(cost)
    below, _ = logit_monopoly(cost, benefit)
    odds = np.exp(5.0 - 0.03 * (ceiling - benefit))
    bunching = (ceiling - cost) * odds / (1.0 + odds)
    expected = below if below <= ceiling else ceiling if bunching > above_profit else above
    game = bertrand(logit([5.0]), np.array([cost]), np.array([0]), capped_benefit(1, benefit, ceiling))
    for solve in (equilibrium_prices, verified_prices):
        for start in (90.0, ceiling, ceiling + 1.0, 300.0):
            solution = solve(game, np.array([start]))
            assert solution.converged
            assert solution.prices[0] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rank", [4, 10, 16])
def test_products_bunch_under_a_ceiling_and_nobody_gains_on_a_fine_grid(kind, rank):
    untaxed = game_of(kind, 8, n_products=24, n_consumers=80)
    ceiling = float(np.sort(equilibrium_prices(untaxed).prices)[rank]) - 1.0
    game = replace(untaxed, buyer_price=capped_benefit(24, 12.0, ceiling))
    solution = equilibrium_prices(game)
    assert solution.converged and solution.residual <= 1e-9
    bunched = np.flatnonzero(solution.prices == ceiling)
    assert 0 < len(bunched) < 24 and (solution.prices > ceiling).any()
    fine = np.concatenate([np.linspace(60.0, 600.0, 541), ceiling + np.linspace(-0.5, 0.5, 101)])
    assert certificate(game, solution, fine).gain <= 1e-11
    earned = profits_twin(game, solution.prices)
    for j in (bunched[0], int(solution.prices.argmax())):  # the certificate itself, against profits computed anew
        for price in (ceiling, ceiling - 1.0, ceiling + 0.01, ceiling + 15.0):
            moved = np.where(np.arange(24) == j, price, solution.prices)
            assert profits_twin(game, moved)[game.setter[j]] <= earned[game.setter[j]] + 1e-11


def test_no_pair_of_prices_serves_a_firm_with_two_products_at_the_ceiling_better():
    demand, costs = made_up_demand(2, n_products=6, n_consumers=60)
    owners, ceiling = np.array([0, 0, 1, 1, 2, 2]), 155.0
    costs = np.array([130.0, 134.0, 120.0, 124.0, 150.0, 110.0])
    game = bertrand(demand, costs, owners, capped_benefit(6, 14.0, ceiling))
    solution = verified_prices(game)
    assert solution.converged and (solution.prices[:2] == ceiling).all()
    best = profits_twin(game, solution.prices)[0]
    grid = np.concatenate([np.linspace(130.0, 260.0, 66), [ceiling]])
    for first in grid:
        for second in grid:
            prices = np.concatenate([[first, second], solution.prices[2:]])
            assert profits_twin(game, prices)[0] <= best + 1e-11


@given(seed=st.integers(0, 10**6), ceiling=st.floats(100.0, 260.0), amount=st.floats(1.0, 40.0))
def test_alike_consumers_and_firms_of_one_product_always_have_an_equilibrium(seed, ceiling, amount):
    """Profits are log-supermodular in buyers' prices, whatever turns posted prices into them."""
    draws = np.random.default_rng(seed)
    costs = draws.uniform(80.0, 200.0, 6)
    rule = capped_benefit(6, amount, ceiling, draws.random(6) < 0.7)
    game = bertrand(logit(0.03 * costs + draws.normal(size=6)), costs, np.arange(6), rule)
    low, high = verified_prices(game, costs), verified_prices(game, np.full(6, 600.0))
    for solution in (low, high):
        assert solution.converged, solution.message
        assert certificate(game, solution, np.linspace(60.0, 500.0, 441)).gain <= 1e-11


def test_where_best_replies_jump_past_each_other_no_equilibrium_is_reported():
    """Many mind the price, few hardly do. On no pair of prices of a fine grid are both within 0.05 of their best reply."""
    demand = Demand(np.array([[8.0, 8.0], [3.0, 8.0]]), np.array([0.04, 0.02]), np.array([0.7, 0.3]))
    costs, rule = np.array([100.0, 100.0]), capped_benefit(2, 15.0, 311.0, [False, True])
    assert verified_prices(bertrand(demand, costs, np.arange(2))).converged
    solution = verified_prices(bertrand(demand, costs, np.arange(2), rule))
    assert not solution.converged
    assert "there may be no equilibrium" in solution.message
    grid = np.unique(np.append(np.linspace(100.0, 420.0, 1601), 311.0))
    paid = grid - np.where(grid <= 311.0, 15.0, 0.0)
    odds_0 = np.exp(demand.utility[:, :1] - demand.price_sensitivity[:, None] * grid)[:, :, None]
    odds_1 = np.exp(demand.utility[:, 1:] - demand.price_sensitivity[:, None] * paid)[:, None, :]
    shares_0, shares_1 = (
        np.einsum("i,ijk->jk", demand.weights, odds / (1 + odds_0 + odds_1)) for odds in (odds_0, odds_1)
    )
    earned_0, earned_1 = (grid[:, None] - 100.0) * shares_0, (grid[None, :] - 100.0) * shares_1
    gains = np.maximum(earned_0.max(axis=0) - earned_0, earned_1.max(axis=1)[:, None] - earned_1)
    assert gains.min() > 0.05


def test_firms_that_only_adjust_see_the_other_side_of_a_ceiling_too():
    demand, costs = made_up_demand(2, n_products=12, n_consumers=60)
    untaxed = equilibrium_prices(bertrand(demand, costs, np.arange(12) % 4)).prices
    ceiling = float(np.sort(untaxed)[6]) - 1.0
    game = bertrand(demand, costs, np.arange(12) % 4, capped_benefit(12, 12.0, ceiling))
    target = equilibrium_prices(game).prices
    assert ((target == ceiling) & (untaxed > ceiling)).any()
    prices = best_response_steps(game, untaxed, 12)
    assert prices == pytest.approx(target, abs=1e-3)


@pytest.mark.parametrize("ceiling", [1.0, 1e6])
def test_a_ceiling_out_of_reach_leaves_the_prices_it_would_have_without_benefit_or_without_ceiling(ceiling):
    demand, costs = made_up_demand(4, n_products=8)
    without = compose([("per_unit", np.ones(8, bool), 10.0 if ceiling > 1e5 else 0.0)], 8, tax_rate=0.0)
    solution = verified_prices(bertrand(demand, costs, np.arange(8) % 3, capped_benefit(8, 10.0, ceiling)))
    expected = verified_prices(bertrand(demand, costs, np.arange(8) % 3, without))
    assert solution.prices == pytest.approx(expected.prices, abs=1e-9)


def test_costs_told_by_prices_at_a_ceiling_give_those_prices_back():
    demand, _ = made_up_demand(3, n_products=6)
    rule = capped_benefit(6, 12.0, 180.0)
    prices = np.array([180.0, 150.0, 230.0, 180.0, 170.0, 260.0])
    costs = costs_from_prices(bertrand(demand, np.zeros(6), np.arange(6), rule), prices)
    again = bertrand(
        demand, costs + np.array([0.5, 0, 0, 0.5, 0, 0]), np.arange(6), rule
    )  # a dearer car rests there too
    assert equilibrium_prices(again, prices + 0.3).prices == pytest.approx(prices, abs=1e-7)


# Classes of consumers with benefits of their own.


def by_class(rules, n_consumers, seed=0):
    """The rules dealt to consumers at random."""
    return BuyerPriceByClass(tuple(rules), np.random.default_rng(seed).integers(0, len(rules), n_consumers))


def trade_in(n_products, n_consumers=60, ceiling=np.inf):
    """Purchase tax exempt to a cap; owners of an old car get 12 % to a cap, some of them 20 kCNY below a ceiling."""
    everyone, some = np.ones(n_products, bool), np.arange(n_products) % 3 > 0
    instruments = [
        ("tax_exemption", everyone, 0.0, 1.0, 15.0),
        ("ad_valorem", some, 0.0, 0.12, 20.0),
        ("per_unit", everyone, 20.0, 0.0, np.inf, 1.0, ceiling),
    ]
    entitled = np.array([[True, False, False], [True, True, False], [True, True, True]])
    class_of = np.random.default_rng(1).integers(0, 3, n_consumers)
    return compose_by_class(instruments, entitled, class_of, n_products)


def test_one_class_is_the_plain_game_bit_for_bit():
    rule = exempt(8)
    plain, classed = game_of("mixed royalties", 3, rule), game_of("mixed royalties", 3, by_class([rule], 60))
    one, other = equilibrium_prices(plain), equilibrium_prices(classed)
    assert (one.prices == other.prices).all() and one.iterations == other.iterations
    assert (costs_from_prices(plain, one.prices) == costs_from_prices(classed, one.prices)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_classes_with_the_same_rule_play_the_game_of_one(kind):
    rule = exempt(8)
    one = verified_prices(game_of(kind, 5, rule))
    three = verified_prices(game_of(kind, 5, by_class([rule] * 3, 60)))
    assert three.prices == pytest.approx(one.prices, abs=1e-8)
    assert three.shares == pytest.approx(one.shares, abs=1e-10)


@given(seed=st.integers(0, 10**6))
def test_a_benefit_in_per_cent_for_some_is_as_if_they_minded_prices_less(seed):
    """With q = (1 − r) p for a class: α (1 − r) p is α' p. And a fixed benefit b is α b utils for each car."""
    draws = np.random.default_rng(seed)
    demand, costs = made_up_demand(seed, n_products=6)
    rates, fixed = np.array([0.0, 0.08, 0.2]), np.array([0.0, 12.0, 5.0])
    rules = [
        compose([("ad_valorem", np.ones(6, bool), 0.0, r), ("per_unit", np.arange(6) < 3, b)], 6, tax_rate=0.0)
        for r, b in zip(rates, fixed, strict=True)
    ]
    class_of = draws.integers(0, 3, 60)
    utility = demand.utility + (demand.price_sensitivity * fixed[class_of])[:, None] * (np.arange(6) < 3)
    other = Demand(utility, demand.price_sensitivity * (1.0 - rates[class_of]), demand.weights)
    classed = equilibrium_prices(bertrand(demand, costs, np.arange(6) % 3, BuyerPriceByClass(tuple(rules), class_of)))
    assert classed.prices == pytest.approx(
        equilibrium_prices(bertrand(other, costs, np.arange(6) % 3)).prices, abs=1e-8
    )


@pytest.mark.parametrize("kind", KINDS)
def test_with_classes_zeta_and_its_derivative_are_those_of_the_slow_twin(kind):
    some, others = np.arange(8) % 2 == 0, np.arange(8) > 3
    rules = [
        compose([], 8),
        compose([("ad_valorem", some, 0.0, 0.1)], 8),
        compose([("ad_valorem", others, 0.0, 0.2)], 8),
    ]
    game = game_of(kind, 3, by_class(rules, 60))
    prices, step = game.marginal_costs * 1.3, 1e-4
    assert zeta(game, prices) == pytest.approx(zeta_twin(game, prices), rel=1e-12)
    point = evaluate(game, prices)
    for move in np.eye(8):
        differences = (zeta_twin(game, prices + step * move) - zeta_twin(game, prices - step * move)) / (2 * step)
        assert target_derivative(game, point, move) == pytest.approx(differences, abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ceiling", [np.inf, 180.0])
def test_with_classes_no_setters_profit_has_a_slope_and_nobody_gains(kind, ceiling):
    game = game_of(kind, 7, trade_in(20, ceiling=ceiling), n_products=20)
    solution = equilibrium_prices(game)
    assert solution.converged and solution.residual <= 1e-9, solution.message
    assert solution.shares == pytest.approx(demand_twin(game, solution.prices)[1], rel=1e-10)
    free = (solution.prices[:, None] != game.rule.knots).all(axis=1)
    assert free.any() and (ceiling == np.inf or (solution.prices == ceiling).any())
    assert np.abs(profit_slopes(game, solution.prices)[free]).max() < 1e-7
    assert certificate(game, solution, np.linspace(60.0, 500.0, 441)).gain <= 1e-11
    point, tried = evaluate(game, solution.prices), np.array([60.0, 169.5, 180.0, 240.0, 1e4])
    for j in (0, 7):
        moved = [profits_twin(game, np.where(np.arange(20) == j, price, solution.prices)) for price in tried]
        gains = np.array(moved)[:, game.setter[j]] - profits_twin(game, solution.prices)[game.setter[j]]
        assert gains_of_prices(game, point, j, tried) == pytest.approx(gains, abs=1e-9)


def test_costs_recovered_where_classes_pay_differently_give_the_prices_back():
    game = game_of("leader with own products", 21, trade_in(8))
    prices = game.marginal_costs * 1.2 + 25.0
    costs = costs_from_prices(game, prices)
    again = PriceGame(
        game.demand, costs, game.revenue_weights, game.cost_weights, game.payments, game.setter, game.buyer_price
    )
    assert zeta(again, prices) == pytest.approx(prices, abs=1e-8)


def test_a_class_that_stands_empty_changes_nothing_and_threads_change_no_bit():
    demand, costs = made_up_demand(6, n_products=5, n_consumers=2500)
    class_of = np.random.default_rng(2).integers(0, 2, 2500)
    rules = (exempt(5), compose([("per_unit", np.ones(5, bool), 9.0)], 5), exempt(5, cap=1.0))
    two = bertrand(demand, costs, np.arange(5) % 2, BuyerPriceByClass(rules[:2], class_of))
    three = bertrand(demand, costs, np.arange(5) % 2, BuyerPriceByClass(rules, class_of))
    prices = costs * 1.3
    assert zeta(three, prices) == pytest.approx(zeta(two, prices), abs=1e-9)
    threaded = PriceGame(
        two.demand, costs, two.revenue_weights, two.cost_weights, two.payments, two.setter, two.buyer_price, 3
    )
    assert (zeta(threaded, prices) == zeta(two, prices)).all()


def test_a_product_some_class_alone_can_still_afford_is_told_a_price():
    demand = Demand(np.zeros((4, 1)), np.array([0.05, 0.02, 0.05, 0.02]))
    rules = (compose([], 1, tax_rate=0.0), compose([("ad_valorem", np.array([True]), 0.0, 0.5)], 1, tax_rate=0.0))
    game = bertrand(demand, np.array([100.0]), np.array([0]), BuyerPriceByClass(rules, np.array([0, 0, 1, 1])))
    assert evaluate(game, np.array([1e6])).shares[0] == 0.0
    assert zeta(game, np.array([1e6])) == pytest.approx([100.0 + 1.0 / (0.5 * 0.02)])


# Taxes, royalties, mergers: what theory says.


@given(seed=st.integers(0, 10**6), per_vehicle=st.floats(0.0, 30.0))
def test_a_subsidy_to_the_buyer_is_a_lower_cost_to_the_seller(seed, per_vehicle):
    demand, costs = made_up_demand(seed, n_products=6)
    owners = np.arange(6) % 3
    to_buyers = compose([("per_unit", np.ones(6, dtype=bool), per_vehicle)], 6, tax_rate=0.0)
    with_rule = equilibrium_prices(bertrand(demand, costs, owners, to_buyers))
    with_costs = equilibrium_prices(bertrand(demand, costs - per_vehicle, owners))
    assert with_rule.prices - per_vehicle == pytest.approx(with_costs.prices, abs=1e-8)


def test_a_tax_on_the_price_falls_alike_on_whoever_pays_it():
    demand, costs = made_up_demand(5, n_products=6)
    owners, table = np.arange(6) % 3, owned(6, 3)
    taxed = compose([], 6, tax_rate=0.2, vat=0.0)
    by_buyers = equilibrium_prices(bertrand(demand, costs, owners, taxed))
    by_sellers = equilibrium_prices(PriceGame(demand, costs, table / 1.2, table, setter=owners))
    assert taxed.value(by_buyers.prices) == pytest.approx(by_sellers.prices, abs=1e-8)


def test_a_logit_monopolist_passes_on_the_outside_share_of_a_cost():
    """From Lambert W: dp/dc = 1/(1 + W), which is the share that stays outside."""
    game = bertrand(logit([6.0]), np.array([100.0]), np.array([0]))
    dearer = bertrand(logit([6.0]), np.array([100.001]), np.array([0]))
    passed_on = (equilibrium_prices(dearer).prices - equilibrium_prices(game).prices)[0] / 0.001
    assert passed_on == pytest.approx(1.0 - equilibrium_prices(game).shares[0], abs=1e-4)


def test_one_royalty_on_all_a_firms_cars_is_a_cost_of_c_over_one_minus_r_but_mixed_royalties_are_not():
    demand, costs = made_up_demand(9, n_products=6)
    table, owners = owned(6, 2), np.arange(6) % 2

    def with_royalty(rate):
        return equilibrium_prices(PriceGame(demand, costs, table * (1.0 - rate), table, setter=owners)).prices

    def with_cost(rate):
        return equilibrium_prices(bertrand(demand, costs / (1.0 - rate), owners)).prices

    uniform, mixed = np.full(6, 0.2), np.array([0.0, 0.0, 0.3, 0.0, 0.1, 0.0])
    assert with_royalty(uniform) == pytest.approx(with_cost(uniform), abs=1e-8)
    assert np.abs(with_royalty(mixed) - with_cost(mixed)).max() > 0.5


@given(seed=st.integers(0, 10**6))
def test_a_logit_merger_raises_every_price_and_concentration(seed):
    draws = np.random.default_rng(seed)
    costs = draws.uniform(80.0, 300.0, 7)
    demand = logit(0.03 * costs + draws.normal(size=7))
    before, after = np.array([0, 0, 1, 1, 2, 3, 4]), np.array([0, 0, 0, 0, 2, 3, 4])
    apart, together = (equilibrium_prices(bertrand(demand, costs, owners)) for owners in (before, after))
    assert (together.prices > apart.prices).all()
    assert hhi(group_shares(together.shares, after)) > hhi(group_shares(apart.shares, before))


def test_a_fee_raises_the_partners_prices_and_the_leaders_own():
    demand, costs = made_up_demand(13, n_products=6)
    table, owners = owned(6, 2), np.arange(6) % 2
    fee = np.zeros((2, 6))
    fee[1], fee[0] = 20.0 * table[1], -20.0 * table[1]  # firm 1 pays the leader, firm 0, for each car
    without = equilibrium_prices(PriceGame(demand, costs, table, table, setter=owners)).prices
    with_fee = equilibrium_prices(PriceGame(demand, costs, table, table, fee, owners)).prices
    deaf = fee * np.array([[0.0], [1.0]])  # a leader that does not count its fee when pricing its own cars
    unheeded = equilibrium_prices(PriceGame(demand, costs, table, table, deaf, owners)).prices
    assert (with_fee[owners == 1] > without[owners == 1] + 5.0).all()
    assert (with_fee[owners == 0] > unheeded[owners == 0]).all()


# Costs, given prices, rules, doors.


@pytest.mark.parametrize("kind", KINDS)
def test_costs_recovered_from_prices_give_those_prices_back(kind):
    game = game_of(kind, 21, exempt(30), n_products=30, n_consumers=100)
    prices = game.marginal_costs * 1.2 + 25.0
    prices[:3] = game.buyer_price.knots[:3, 0]  # three at the kink
    costs = costs_from_prices(game, prices)
    again = PriceGame(
        game.demand, costs, game.revenue_weights, game.cost_weights, game.payments, game.setter, game.buyer_price
    )
    solution = equilibrium_prices(again, prices * 1.05)
    assert solution.prices == pytest.approx(prices, abs=1e-6)


def test_the_cost_told_by_a_price_at_a_kink_is_inside_the_interval_that_holds_it_there():
    demand, _ = made_up_demand(3, n_products=4)
    owners, rule = np.arange(4), exempt(4)
    prices = rule.knots[:, 0] + np.array([0.0, 8.0, -8.0, 20.0])
    costs = costs_from_prices(bertrand(demand, np.zeros(4), owners, rule), prices)
    for shift in (-1.0, 1.0):
        moved = costs + np.array([shift, 0.0, 0.0, 0.0])
        assert equilibrium_prices(bertrand(demand, moved, owners, rule)).prices == pytest.approx(prices, abs=1e-8)


def test_costs_of_given_prices_are_kept_and_costs_that_prices_do_not_tell_are_refused():
    demand, costs = made_up_demand(4, n_products=4)
    table = owned(4, 2)
    game = PriceGame(demand, costs, table, table, setter=np.array([0, 1, 0, -1]))
    recovered = costs_from_prices(game, costs + 60.0)
    assert recovered[3] == costs[3]
    assert recovered[0] != costs[0]
    with pytest.raises(ValueError, match="does not bear the cost"):
        costs_from_prices(PriceGame(demand, costs, table, 0.0 * table, setter=np.array([0, 1, 0, 1])), costs + 60.0)
    with pytest.raises(ValueError, match="nobody buys"):
        costs_from_prices(game, costs + 1e6)


def test_given_prices_stay_and_others_answer_them():
    demand, costs = made_up_demand(6, n_products=4)
    table, setter = owned(4, 2), np.array([0, 1, 0, -1])
    game = PriceGame(demand, costs, table, table, setter=setter)
    cheap, dear = costs * 1.3, costs * 1.3
    cheap[3] -= 60.0
    low, high = equilibrium_prices(game, cheap), equilibrium_prices(game, dear)
    assert low.prices[3] == cheap[3] and high.prices[3] == dear[3]
    assert (low.prices[[0, 1]] != high.prices[[0, 1]]).all()
    with pytest.raises(ValueError, match="start"):
        equilibrium_prices(game)


def test_a_product_offered_to_nobody_leaves_the_others_game_alone():
    demand, costs = made_up_demand(6, n_products=4)
    withdrawn = demand.utility.copy()
    withdrawn[:, 1] = -np.inf
    owners = np.array([0, 1, 0, 1])
    solution = equilibrium_prices(bertrand(Demand(withdrawn, demand.price_sensitivity, demand.weights), costs, owners))
    without = Demand(np.delete(withdrawn, 1, axis=1), demand.price_sensitivity, demand.weights)
    other = equilibrium_prices(bertrand(without, np.delete(costs, 1), np.delete(owners, 1)))
    assert solution.shares[1] == 0.0
    assert np.delete(solution.prices, 1) == pytest.approx(other.prices, abs=1e-9)


def test_best_response_steps_come_closer_to_the_equilibrium_and_rest_there():
    game = game_of("ordinary", 8)
    target = equilibrium_prices(game).prices
    start = target + 20.0
    distances = [np.abs(best_response_steps(game, start, steps) - target).max() for steps in range(6)]
    assert distances[0] == pytest.approx(20.0)
    assert all(later < earlier for earlier, later in zip(distances, distances[1:], strict=False))
    assert best_response_steps(game, target, 3) == pytest.approx(target, abs=1e-9)


def test_plain_arrays_give_the_same_prices_and_a_price_its_setter_by_the_largest_weight():
    game = game_of("leader with own products", 10)
    demand = game.demand
    plain = nash_prices(
        demand.utility, demand.price_sensitivity, demand.weights, game.marginal_costs, game.revenue_weights,
        game.cost_weights, payments=game.payments,
    )  # fmt: skip
    assert plain.prices == pytest.approx(equilibrium_prices(game).prices, abs=1e-9)


def two_kinds_of_buyers():
    """A monopolist between many who mind the price and a few who hardly do: two local maxima of profit."""
    demand = Demand(np.array([[6.0], [6.0]]), np.array([0.1, 0.004]), np.array([0.9, 0.1]))
    return bertrand(demand, np.array([10.0]), np.array([0]))


def test_verified_prices_leave_a_local_maximum_for_a_better_one():
    game = two_kinds_of_buyers()
    local, verified = equilibrium_prices(game, np.array([45.0])), verified_prices(game, np.array([45.0]))
    assert local.converged and verified.converged
    assert local.prices[0] < 100.0 < verified.prices[0]
    assert largest_gain(game, local.prices).gain > 1.0
    assert largest_gain(game, verified.prices).gain <= 1e-9


def test_a_search_cut_short_says_so():
    solution = equilibrium_prices(game_of("ordinary", 3), max_iterations=2)
    assert not solution.converged
    assert "after 2 evaluations" in solution.message


def test_solving_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        equilibrium_prices(game_of("leader with own products", 5, exempt(8)), np.full(8, 1e5))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"marginal_costs": np.zeros(3)}, "about 8 products"),
        ({"revenue_weights": np.ones((2, 7))}, "shape"),
        ({"cost_weights": np.full((3, 8), np.nan)}, "finite"),
        ({"setter": np.full(8, 5)}, "setter"),
        ({"setter": np.zeros(8)}, "setter"),
        ({"setter": (np.arange(8) + 1) % 3}, "positive revenue weight"),
        ({"buyer_price": exempt(5)}, "about 8 products"),
        ({"buyer_price": BuyerPriceByClass((exempt(8),), np.zeros(7, dtype=int))}, "a class for each"),
    ],
)
def test_faulty_games_are_refused(changes, says):
    game = game_of("ordinary", 1)
    fields = ("demand", "marginal_costs", "revenue_weights", "cost_weights", "payments", "setter", "buyer_price")
    with pytest.raises(ValueError, match=says):
        PriceGame(**{name: changes.get(name, getattr(game, name)) for name in fields})
