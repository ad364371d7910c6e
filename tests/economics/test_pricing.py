"""Bertrand–Nash prices: theorems, closed forms, pyblp, and cases where simpler methods fail."""

import warnings

import numpy as np
import pyblp
import pytest
from economics.price_twins import KINDS, demand_twin, game_of, made_up_demand, owned, profit_slopes
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw

from evsim.economics.metrics import group_shares, hhi, share_jacobian
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
from evsim.economics.subsidy import BuyerPrice, compose


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


def pyblp_prices(firm_ids, costs, attribute, nodes, ownership=None):
    """Prices and shares by pyblp: utility 6 + x − 1.5 p, with a random coefficient on each of p and x."""
    n_products, n_consumers = len(costs), len(nodes)
    products = {"market_ids": np.zeros(n_products), "firm_ids": firm_ids, "x": attribute}
    if ownership is not None:
        products["ownership"] = ownership
    verbose, pyblp.options.verbose = pyblp.options.verbose, False
    try:
        simulation = pyblp.Simulation(
            (pyblp.Formulation("1 + x + prices"), pyblp.Formulation("0 + prices + x")),
            products,
            beta=[6.0, 1.0, -1.5],
            sigma=np.diag([0.3, 0.8]),
            xi=np.zeros(n_products),
            agent_data={
                "market_ids": np.zeros(n_consumers), "weights": np.full(n_consumers, 1.0 / n_consumers),
                "nodes0": nodes[:, 0], "nodes1": nodes[:, 1],
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
    ],
)
def test_faulty_games_are_refused(changes, says):
    game = game_of("ordinary", 1)
    fields = ("demand", "marginal_costs", "revenue_weights", "cost_weights", "payments", "setter", "buyer_price")
    with pytest.raises(ValueError, match=says):
        PriceGame(**{name: changes.get(name, getattr(game, name)) for name in fields})
