"""Nested logit: pyblp, closed forms, the plain logit as its limit, theorems."""

import numpy as np
import pyblp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import lambertw

from evsim.economics.choice import choice_probabilities, consumer_surplus, inclusive_value
from evsim.economics.metrics import share_jacobian
from evsim.economics.nested import (
    Nests,
    nested_choice,
    nested_markups,
    nested_mean_utilities,
    nested_prices,
    nested_share_jacobian,
    nested_shares,
    nested_surplus,
)
from evsim.economics.price_kernels import States
from evsim.economics.pricing import Demand, bertrand, equilibrium_prices

COSTS = np.array([80.0, 150.0, 120.0, 95.0, 200.0, 110.0])
QUALITIES = 0.03 * COSTS + np.array([2.0, 1.0, 3.5, 0.5, 2.5, 1.5])
NESTS = np.array([0, 0, 1, 1, 1, 2])
FIRMS = np.array([0, 1, 0, 1, 2, 2])


def alike(qualities=QUALITIES, sensitivity=0.03):
    """Consumers who are all alike."""
    return Demand(np.atleast_2d(np.asarray(qualities, dtype=float)), np.array([sensitivity]))


def types(seed=0, n_types=30, spread=0.6):
    """A few types of consumers, with weights."""
    draws = np.random.default_rng(seed)
    utility = QUALITIES + spread * draws.normal(size=(n_types, 6))
    return Demand(utility, 0.03 * np.exp(0.3 * draws.normal(size=n_types)), draws.uniform(0.5, 1.5, n_types))


def same(owners):
    """H of firms that own products."""
    return np.equal.outer(owners, owners).astype(float)


def choice_twin(utility, nest, correlation, outside=0.0):
    """Probabilities from the textbook's formula, one consumer and product at a time, [N, J]."""
    result = np.zeros_like(utility)
    for i, row in enumerate(utility):
        total = {g: sum(np.exp(row[k] / (1 - correlation[g])) for k in np.flatnonzero(nest == g)) for g in set(nest)}
        everything = np.exp(outside) + sum(total[g] ** (1 - correlation[g]) for g in total)
        for j, g in enumerate(nest):
            within = np.exp(row[j] / (1 - correlation[g])) / total[g]
            result[i, j] = within * total[g] ** (1 - correlation[g]) / everything
    return result


# Shares, surplus, derivatives.


@given(st.integers(0, 10**6), st.lists(st.floats(0.0, 0.9), min_size=3, max_size=3), st.floats(-3.0, 3.0))
def test_probabilities_are_the_textbooks_and_sum_to_one(seed, correlation, outside):
    utility = np.random.default_rng(seed).normal(0.0, 3.0, (4, 6))
    choice = nested_choice(utility, Nests(NESTS, correlation), outside)
    assert choice.probabilities == pytest.approx(choice_twin(utility, NESTS, correlation, outside), abs=1e-13)
    assert choice.probabilities.sum(axis=1) + choice.outside == pytest.approx(np.ones(4), abs=1e-13)
    assert choice.given_nest @ Nests(NESTS, correlation).member == pytest.approx(np.ones((4, 3)), abs=1e-13)


def test_without_correlation_it_is_the_plain_logit():
    utility, plain = np.random.default_rng(1).normal(0.0, 4.0, (50, 6)), Nests(NESTS, 0.0)
    choice = nested_choice(utility, plain, 0.7)
    assert choice.probabilities == pytest.approx(choice_probabilities(utility, 0.7), abs=1e-14)
    assert choice.inclusive == pytest.approx(inclusive_value(utility, 0.7), abs=1e-13)
    sensitivity = np.full(50, 0.03)
    assert nested_surplus(utility, sensitivity, plain) == pytest.approx(
        consumer_surplus(utility, sensitivity), abs=1e-10
    )


@pytest.mark.parametrize("demand", [alike(), types()], ids=["alike", "types"])
def test_without_correlation_prices_and_derivatives_are_those_of_the_plain_logit(demand):
    plain = equilibrium_prices(bertrand(demand, COSTS, FIRMS))
    for correlation, error in ((0.0, 1e-9), (1e-12, 1e-8)):
        nests = Nests(NESTS, correlation)
        solution = nested_prices(demand, nests, COSTS, same(FIRMS))
        assert solution.converged
        assert solution.prices == pytest.approx(plain.prices, abs=error)
        assert solution.shares == pytest.approx(plain.shares, abs=error)
    chances = choice_probabilities(demand.utility - demand.price_sensitivity[:, None] * plain.prices)
    expected = share_jacobian(chances, demand.price_sensitivity, demand.weights)
    assert nested_share_jacobian(demand, Nests(NESTS, 0.0), plain.prices) == pytest.approx(expected, abs=1e-15)


def test_consumers_who_share_tastes_choose_as_if_taken_one_by_one():
    nests = Nests(NESTS, 0.5)
    bonds = (
        np.array([0, 1, 1]),
        np.array([[0.0], [0.8], [2.0]]),
        np.array([0, 0, 2]),
        np.array([1, 4]),
        np.array([0, 0]),
    )
    demand = Demand(
        np.stack([QUALITIES, QUALITIES[::-1]]), np.full(2, 0.03), states=States(np.array([0, 2, 3]), *bonds)
    )
    assert len(demand.one_by_one.utility) == 3
    for answer in (nested_shares, nested_share_jacobian):
        assert answer(demand, nests, 1.3 * COSTS) == pytest.approx(
            answer(demand.one_by_one, nests, 1.3 * COSTS), rel=1e-14
        )
    found, plain = (nested_prices(each, nests, COSTS, same(FIRMS)).prices for each in (demand, demand.one_by_one))
    assert found == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("correlation", [0.0, 0.5, [0.2, 0.8, 0.95]])
def test_the_jacobian_is_the_slope_of_shares_and_symmetric(correlation):
    demand, nests, prices, step = types(), Nests(NESTS, correlation), COSTS + 40.0, 1e-3
    jacobian = nested_share_jacobian(demand, nests, prices)
    for j in range(6):
        move = step * (np.arange(6) == j)
        slope = nested_shares(demand, nests, prices + move) - nested_shares(demand, nests, prices - move)
        assert jacobian[j] == pytest.approx(slope / (2.0 * step), abs=2e-9)
    assert jacobian == pytest.approx(jacobian.T, abs=1e-16)
    assert (jacobian.sum(axis=1) < 0).all()  # somebody leaves the market


@pytest.mark.parametrize("correlation", [0.0, 0.6, [0.2, 0.8, 0.9]])
def test_surplus_falls_by_the_quantity_bought_as_a_price_rises(correlation):
    """Roy's identity: ∂CS_i/∂p_j = −P_ij."""
    demand, nests, step = types(), Nests(NESTS, correlation), 1e-3

    def surplus(prices):
        utility = demand.utility - demand.price_sensitivity[:, None] * prices
        return nested_surplus(utility, demand.price_sensitivity, nests)

    prices = COSTS + 40.0
    utility = demand.utility - demand.price_sensitivity[:, None] * prices
    bought = nested_choice(utility, nests).probabilities
    for j in range(6):
        move = step * (np.arange(6) == j)
        slope = (surplus(prices + move) - surplus(prices - move)) / (2.0 * step)
        assert slope == pytest.approx(-bought[:, j], abs=1e-7)


def test_in_a_close_nest_two_like_products_are_worth_little_more_than_one():
    for correlation, most in ((0.0, 2.0), (0.9, 2.0**0.1)):
        one = nested_choice([[1.0]], Nests([0], correlation)).nest_values[0, 0]
        two = nested_choice([[1.0, 1.0]], Nests([0, 0], correlation)).nest_values[0, 0]
        assert np.exp(two - one) == pytest.approx(most, rel=1e-12)


def test_utilities_of_any_size_and_products_not_on_offer_are_safe():
    nests = Nests([0, 0, 1, 2], 0.9)
    choice = nested_choice([[9000.0, 9001.0, -9000.0, -np.inf]], nests)
    within = np.exp(-1.0 / 0.1)
    assert choice.probabilities[0] == pytest.approx([within / (1 + within), 1 / (1 + within), 0.0, 0.0], abs=1e-12)
    assert np.isfinite(choice.inclusive).all()
    absent = nested_choice([[1.0, -np.inf, 0.5, -np.inf]], nests)
    alone = nested_choice([[1.0, 0.5]], Nests([0, 1], 0.9))
    assert absent.probabilities[0, [0, 2]] == pytest.approx(alone.probabilities[0], abs=1e-15)
    covered = nested_choice([[1.0, 2.0, 0.5, -np.inf]], nests, -np.inf)
    assert covered.probabilities.sum() == pytest.approx(1.0, abs=1e-15) and covered.outside[0] == 0.0


# Inversion.


@given(st.integers(0, 10**6), st.lists(st.floats(0.0, 0.95), min_size=3, max_size=3))
def test_berrys_formula_recovers_the_mean_utilities(seed, correlation):
    utility, nests = np.random.default_rng(seed).normal(0.0, 1.0, 6), Nests(NESTS, correlation)
    shares = nested_choice(utility, nests).probabilities[0]
    if (shares > 1e-10).all():
        assert nested_mean_utilities(shares, nests) == pytest.approx(utility, abs=1e-10)


# Closed forms of prices.


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9, [0.1, 0.5, 0.97]])
@pytest.mark.parametrize("level", [-6.0, 0.0, 6.0, 60.0])
def test_a_nested_logit_monopolist_charges_one_markup_by_lambert_w(correlation, level):
    nests, demand = Nests(NESTS, correlation), alike(QUALITIES + level)
    at_cost = np.exp(nested_choice(QUALITIES - 0.03 * COSTS, nests).nest_values).sum()
    log_value = np.log(at_cost) + level - 1.0
    w = lambertw(np.exp(log_value)).real
    solution = nested_prices(demand, nests, COSTS, np.ones((6, 6)))
    assert solution.converged
    assert solution.prices - COSTS == pytest.approx(np.full(6, (1.0 + w) / 0.03), abs=1e-8)


@pytest.mark.parametrize("correlation", [0.2, 0.8, 0.95])
@pytest.mark.parametrize("n_rivals", [2, 3, 8])
def test_like_rivals_in_one_nest_add_the_symmetric_markup(correlation, n_rivals):
    """m = (1 − σ) / (α (1 − σ/n − (1 − σ) s))."""
    demand, rivals = alike(np.full(n_rivals, 5.0)), np.arange(n_rivals)
    nests = Nests(np.zeros(n_rivals, dtype=int), correlation)
    solution = nested_prices(demand, nests, np.full(n_rivals, 100.0), same(rivals))
    expected = (1 - correlation) / (0.03 * (1 - correlation / n_rivals - (1 - correlation) * solution.shares))
    assert solution.converged
    assert solution.prices - 100.0 == pytest.approx(expected, abs=1e-9)
    assert solution.prices.max() - solution.prices.min() < 1e-9


@pytest.mark.parametrize("correlation", [0.3, 0.9])
def test_a_firm_that_owns_its_whole_nest_prices_as_one_product_of_the_plain_logit(correlation):
    nests, demand = Nests(NESTS, correlation), alike()
    worth = nested_choice(QUALITIES - 0.03 * COSTS, nests).nest_values[0]
    plain = equilibrium_prices(bertrand(alike(worth), np.zeros(3), np.arange(3)))
    solution = nested_prices(demand, nests, COSTS, same(NESTS))
    assert solution.prices - COSTS == pytest.approx(plain.prices[NESTS], abs=1e-8)
    assert solution.shares @ nests.member == pytest.approx(plain.shares, abs=1e-10)


# Other people's code.


def pyblp_market(attribute, nodes, rho, firms, ownership=None):
    """Utility 6 + x − 1.5 p, nests with rho, random coefficients on p and x; solved by pyblp."""
    n_products, n_types = len(attribute), len(nodes)
    products = {"market_ids": np.zeros(n_products), "firm_ids": firms, "x": attribute, "nesting_ids": NESTS}
    if ownership is not None:
        products["ownership"] = ownership
    verbose, pyblp.options.verbose = pyblp.options.verbose, False
    try:
        simulation = pyblp.Simulation(
            (pyblp.Formulation("1 + x + prices"), pyblp.Formulation("0 + prices + x")),
            products, beta=[6.0, 1.0, -1.5], sigma=np.diag([0.2, 0.5]), rho=rho, xi=np.zeros(n_products),
            agent_data={
                "market_ids": np.zeros(n_types), "weights": np.full(n_types, 1.0 / n_types),
                "nodes0": nodes[:, 0], "nodes1": nodes[:, 1],
            },
        )  # fmt: skip
        costs = np.linspace(3.0, 6.0, n_products)
        solved = simulation.replace_endogenous(costs=costs, iteration=pyblp.Iteration("simple", {"atol": 1e-14}))
        prices, shares = solved.product_data.prices.flatten(), solved.product_data.shares.flatten()
        return costs, prices, shares, solved.compute_demand_jacobians(), solved.compute_consumer_surpluses()[0, 0]
    finally:
        pyblp.options.verbose = verbose


@pytest.mark.parametrize("rho", [0.1, 0.6, 0.9, [0.2, 0.7, 0.4]])
@pytest.mark.parametrize("ownership", ["firms", "joint", "partly"])
def test_prices_shares_derivatives_and_surplus_are_those_of_pyblp(rho, ownership):
    draws = np.random.default_rng(4)
    attribute, nodes = draws.normal(size=6), np.clip(draws.normal(size=(12, 2)), -2.0, 2.0)
    owned = {"firms": same(FIRMS), "joint": np.ones((6, 6)), "partly": np.maximum(same(FIRMS), 0.35)}[ownership]
    costs, prices, shares, jacobian, surplus = pyblp_market(attribute, nodes, rho, FIRMS, owned)
    demand = Demand(6.0 + attribute + 0.5 * nodes[:, 1:] * attribute, 1.5 - 0.2 * nodes[:, 0])
    nests = Nests(NESTS, rho)
    solution = nested_prices(demand, nests, costs, owned)
    assert solution.converged
    assert solution.prices == pytest.approx(prices, abs=1e-9)
    assert solution.shares == pytest.approx(shares, abs=1e-10)
    slopes = nested_share_jacobian(demand, nests, prices).T  # pyblp's row is the share
    assert slopes == pytest.approx(jacobian, abs=1e-11)
    assert nested_markups(demand, nests, prices, owned) == pytest.approx(prices - costs, abs=1e-9)
    utility = demand.utility - demand.price_sensitivity[:, None] * prices
    assert nested_surplus(utility, demand.price_sensitivity, nests).mean() == pytest.approx(surplus, abs=1e-10)


# The game.


@given(st.integers(0, 10**6), st.lists(st.floats(0.0, 0.9), min_size=3, max_size=3), st.floats(-3.0, 6.0))
def test_at_the_solution_no_firms_profit_has_a_slope(seed, correlation, level):
    base, nests = types(seed), Nests(NESTS, correlation)
    demand = Demand(base.utility + level, base.price_sensitivity, base.weights)
    owned = np.maximum(same(FIRMS), 0.3 * (seed % 2))
    solution = nested_prices(demand, nests, COSTS, owned)
    assert solution.converged and solution.residual <= 1e-10, solution.message
    for j in range(6):

        def profit(price, j=j):
            prices = np.where(np.arange(6) == j, price, solution.prices)
            return (owned[j] * (prices - COSTS)) @ nested_shares(demand, nests, prices)

        at, step = solution.prices[j], 1e-3
        slope = (profit(at + step) - profit(at - step)) / (2.0 * step)
        assert slope == pytest.approx(0.0, abs=2e-7)
    assert nested_markups(demand, nests, solution.prices, owned) == pytest.approx(solution.prices - COSTS, abs=1e-7)


def test_joint_pricing_of_close_substitutes_raises_their_prices_more_than_that_of_distant_ones():
    demand, nests, alone = alike(0.03 * COSTS + 2.0), Nests(NESTS, 0.8), np.eye(6)
    before = nested_prices(demand, nests, COSTS, alone).prices
    close, distant = np.eye(6), np.eye(6)
    close[2, 3] = close[3, 2] = 1.0  # of one nest
    distant[2, 5] = distant[5, 2] = 1.0
    rises = [nested_prices(demand, nests, COSTS, owned).prices - before for owned in (close, distant)]
    assert rises[0][2] > 2.0 * rises[1][2] > 0.5
    everyone = nested_prices(demand, nests, COSTS, np.ones((6, 6))).prices
    assert (everyone > before + 5.0).all()


def test_closer_nests_make_rivals_in_them_cheaper():
    prices = [nested_prices(alike(), Nests(NESTS, sigma), COSTS, np.eye(6)).prices for sigma in (0.0, 0.4, 0.8)]
    assert (np.diff(prices, axis=0)[:, :5] < -1.0).all()


def test_a_product_nearly_nobody_buys_has_the_markup_of_a_fringe_firm():
    """m = (1 − σ) / α as its share in its nest goes to 0, also where that share is no number any more."""
    demand, nests = alike(QUALITIES - np.array([0.0, 900.0, 0.0, 0.0, 0.0, 0.0])), Nests(NESTS, 0.5)
    solution = nested_prices(demand, nests, COSTS, np.eye(6))
    assert solution.converged and solution.shares[1] == 0.0
    assert solution.prices[1] - COSTS[1] == pytest.approx(0.5 / 0.03, abs=1e-9)


def test_the_search_finds_its_way_from_absurd_prices_and_says_when_it_has_not_arrived():
    demand, nests = types(), Nests(NESTS, 0.7)
    solution = nested_prices(demand, nests, COSTS, same(FIRMS))
    for start in (np.full(6, -2e3), np.full(6, 3e4)):
        afar = nested_prices(demand, nests, COSTS, same(FIRMS), start=start)
        assert afar.converged and afar.prices == pytest.approx(solution.prices, abs=1e-8)
    stopped = nested_prices(demand, nests, COSTS, same(FIRMS), max_iterations=1)
    assert not stopped.converged and "no equilibrium found" in stopped.message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Nests([0, 2], 0.5), "without gaps"),
        (lambda: Nests([0.0, 1.0], 0.5), "whole number"),
        (lambda: Nests([0, 1], [0.5, 0.2, 0.1]), "one entry for each of 2"),
        (lambda: Nests([0, 1], 1.0), "in \\[0, 1\\)"),
        (lambda: nested_choice([[1.0, 2.0]], Nests([0], 0.1)), "must be \\[N, 1\\]"),
        (lambda: nested_choice([[np.nan]], Nests([0], 0.1)), "must be finite"),
        (lambda: nested_choice([[-np.inf]], Nests([0], 0.1), -np.inf), "nothing to choose"),
        (lambda: nested_mean_utilities([0.5, 0.5], Nests([0, 1], 0.1)), "less than 1"),
        (lambda: nested_mean_utilities([0.5, 0.0], Nests([0, 1], 0.1)), "positive"),
        (lambda: nested_prices(alike(), Nests(NESTS, 0.1), COSTS[:3], np.eye(6)), "marginal_costs must be 6"),
        (lambda: nested_prices(alike(), Nests(NESTS, 0.1), COSTS, np.eye(5)), "ownership must be a table"),
        (lambda: nested_prices(alike(), Nests(NESTS, 0.1), COSTS, np.zeros((6, 6))), "1 on the diagonal"),
        (lambda: nested_prices(alike(QUALITIES - np.inf), Nests(NESTS, 0.1), COSTS, np.eye(6)), "offer to nobody"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
