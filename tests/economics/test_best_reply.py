"""One firm's best reply: the one-setter price game, its kinks and notches, and what a few steps leave on the table."""

from dataclasses import replace

import numpy as np
import pytest
from economics.price_twins import KINDS, game_of, zeta_twin

from evsim.economics.best_reply import Margins, best_reply
from evsim.economics.price_rule import BuyerPrice, identity
from evsim.economics.pricing import Demand, PriceGame, equilibrium_prices
from evsim.economics.reply_kernels import (
    buyer_prices,
    replied,
    reply_shares,
    reply_sums,
    summed_columns,
    weighted_columns,
)

FIRM = 1
PLENTY = 300  # steps


def held(kind, seed, rule=None):
    """A made-up game with everybody's prices but one firm's given, its products' columns, and all prices."""
    game = game_of(kind, seed, rule)
    mine = np.flatnonzero(game.setter == FIRM)
    given = replace(game, setter=np.where(game.setter == FIRM, FIRM, -1))
    prices = 1.13 * game.marginal_costs + np.random.default_rng(seed).uniform(20.0, 80.0, game.n_products)
    return given, mine, prices


def of_others(game, mine, prices):
    """Σ exp U over everything the firm does not sell, the outside good included, `[N]`."""
    demand, others = game.demand, np.setdiff1d(np.arange(game.n_products), mine)
    paid = game.rule.rules[0].value(prices)[others]
    odds = np.exp(demand.utility[:, others] - demand.price_sensitivity[:, None] * paid)
    return np.exp(demand.outside_utility) + odds.sum(axis=1)


def margins_of(game, mine):
    """A, and B c + F, of the firm's own products."""
    cost = game.cost_weights[FIRM] * game.marginal_costs + game.payments[FIRM]
    return Margins(game.revenue_weights[FIRM, mine], cost[mine])


def rule_of(game, mine):
    whole = game.rule.rules[0]
    return BuyerPrice(*(part[mine] for part in (whole.knots, whole.slopes, whole.intercept, whole.jumps)))


def reply(game, mine, prices, steps, start=None, scale=1.0):
    """`best_reply` of the firm; `scale` divides every odds."""
    demand = game.demand
    start = prices[mine] if start is None else start
    return best_reply(
        demand.utility[:, mine] - np.log(scale),
        demand.price_sensitivity,
        demand.weights,
        of_others(game, mine, prices) / scale,
        margins_of(game, mine),
        rule_of(game, mine),
        start,
        steps,
    )


def monopoly(game, mine, prices):
    """The game of one setter, everything else in the outside good."""
    demand, margins = game.demand, margins_of(game, mine)
    alone = Demand(
        demand.utility[:, mine], demand.price_sensitivity, demand.weights, np.log(of_others(game, mine, prices))
    )
    ones = np.ones((1, len(mine)))
    return PriceGame(alone, margins.cost, margins.revenue[None], ones, buyer_price=rule_of(game, mine))


def profit(game, mine, prices, chosen):
    """What the firm earns on its own products, a consumer."""
    margins = margins_of(game, mine)
    return reply(game, mine, prices, 0, start=chosen)[1] @ (margins.revenue * chosen - margins.cost)


ORDINARY = [kind for kind in KINDS if kind not in ("joint", "partly internalised", "leader with own products")]


@pytest.mark.parametrize("kind", ORDINARY)
@pytest.mark.parametrize("seed", range(4))
def test_many_steps_end_at_the_prices_of_the_game_of_one_setter_and_of_the_game_with_rivals_prices_given(kind, seed):
    game, mine, prices = held(kind, seed)
    found, shares = reply(game, mine, prices, PLENTY)
    alone = equilibrium_prices(monopoly(game, mine, prices), prices[mine])
    assert alone.converged
    assert found == pytest.approx(alone.prices, abs=1e-8)
    assert shares == pytest.approx(alone.shares, abs=1e-12)
    among = equilibrium_prices(game, prices)
    assert found == pytest.approx(among.prices[mine], abs=1e-8)
    assert shares == pytest.approx(among.shares[mine], abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_one_step_is_one_step_of_the_map(seed):
    game, mine, prices = held("mixed royalties", seed)
    alone = monopoly(game, mine, prices)
    assert reply(game, mine, prices, 1)[0] == pytest.approx(zeta_twin(alone, prices[mine]), abs=1e-9)
    twice = zeta_twin(alone, zeta_twin(alone, prices[mine]))
    assert reply(game, mine, prices, 2)[0] == pytest.approx(twice, abs=1e-9)


def test_no_step_leaves_prices_and_says_what_is_sold_at_them():
    game, mine, prices = held("ordinary", 0)
    start = prices[mine].copy()
    found, shares = reply(game, mine, prices, 0)
    assert found.tolist() == start.tolist() == prices[mine].tolist()
    demand = game.demand
    odds = np.exp(demand.utility[:, mine] - demand.price_sensitivity[:, None] * start)
    chances = odds / (odds.sum(axis=1) + of_others(game, mine, prices))[:, None]
    assert shares == pytest.approx(demand.weights @ chances, rel=1e-13)


def test_the_start_given_is_not_written_to():
    game, mine, prices = held("ordinary", 0)
    start = prices[mine].copy()
    reply(game, mine, prices, 3, start=start)
    assert start.tolist() == prices[mine].tolist()


def test_odds_may_be_divided_by_any_factor_a_consumer():
    game, mine, prices = held("ordinary", 2)
    factors = np.exp(np.random.default_rng(0).uniform(-200.0, 200.0, (len(game.demand.weights), 1)))
    demand, others = game.demand, of_others(game, mine, prices)
    scaled = best_reply(
        demand.utility[:, mine] - np.log(factors),
        demand.price_sensitivity,
        demand.weights,
        others / factors[:, 0],
        margins_of(game, mine),
        identity(len(mine)),
        prices[mine],
        2,
    )
    plain = reply(game, mine, prices, 2)
    assert scaled[0] == pytest.approx(plain[0], rel=1e-12)
    assert scaled[1] == pytest.approx(plain[1], rel=1e-11)


@pytest.mark.parametrize("steps", [0, 2])
def test_profit_errs_by_the_square_of_what_prices_err(steps):
    game, mine, prices = held("ordinary", 1)
    best = reply(game, mine, prices, PLENTY)[0]
    most = profit(game, mine, prices, best)
    away = np.random.default_rng(1).uniform(-1.0, 1.0, len(mine))
    lost = []
    for size in (4.0, 2.0, 1.0):
        near = reply(game, mine, prices, steps, start=best + size * away)[0]
        lost.append(most - profit(game, mine, prices, near))
    assert lost[0] > lost[1] > lost[2] > 0.0
    assert [lost[0] / lost[1], lost[1] / lost[2]] == pytest.approx([4.0, 4.0], rel=0.15)


@pytest.mark.parametrize("seed", range(4))
def test_two_steps_from_prices_a_tenth_off_leave_little_to_gain(seed):
    game, mine, prices = held("mixed royalties", seed)
    best = reply(game, mine, prices, PLENTY)[0]
    most, start = profit(game, mine, prices, best), profit(game, mine, prices, 1.1 * best)
    left = most - profit(game, mine, prices, reply(game, mine, prices, 2, start=1.1 * best)[0])
    assert 0.0 <= left < 0.1 * (most - start)
    assert left < 2e-3 * most


def bent(below, above, jump=0.0, knot=150.0):
    """One knot for every product of the made-up games: dq/dp on its two sides, and a jump."""
    ones = np.ones(8)
    return BuyerPrice(knot * ones[:, None], np.outer(ones, [below, above]), 0.0 * ones, jump * ones[:, None])


def at_the_knot(kind, seed, rule):
    """A firm whose products' best prices lie on both sides of the knot, and some at it."""
    game, mine, prices = held(kind, seed, rule)
    return game, mine, prices, equilibrium_prices(monopoly(game, mine, prices), prices[mine])


@pytest.mark.parametrize("knot", [140.0, 170.0, 200.0])
def test_prices_rest_at_a_kink_as_they_do_in_the_game(knot):
    resting = 0
    for seed in range(6):
        game, mine, prices, solution = at_the_knot("ordinary", seed, bent(0.6, 1.1, knot=knot))
        found, shares = reply(game, mine, prices, PLENTY)
        assert found == pytest.approx(solution.prices, abs=1e-8)
        assert shares == pytest.approx(solution.shares, abs=1e-12)
        resting += int((found == knot).sum())
    assert resting > 0


@pytest.mark.parametrize("knot", [120.0, 140.0, 170.0])
def test_prices_that_rest_at_a_notch_in_the_game_come_up_to_it_and_no_further(knot):
    """A ceiling above which a benefit of 12 kCNY is lost; steps see their own side of it, the game looks across."""
    resting = 0
    for seed in range(6):
        game, mine, prices, solution = at_the_knot("ordinary", seed, bent(1.0, 1.0, 12.0, knot))
        at = solution.prices == knot
        start = np.where(at, knot - 5.0, solution.prices + np.where(solution.prices > knot, 5.0, -5.0))
        found, shares = reply(game, mine, prices, PLENTY, start=start)
        assert found == pytest.approx(solution.prices, abs=1e-8)
        assert shares == pytest.approx(solution.shares, abs=1e-12)
        free = equilibrium_prices(replace(monopoly(game, mine, prices), buyer_price=identity(len(mine)))).prices
        assert (free[at] > knot).all()
        resting += int(at.sum())
    assert resting > 0


def test_a_product_that_nobody_can_want_keeps_its_price():
    game, mine, prices = held("ordinary", 3)
    demand = game.demand
    utility = demand.utility.copy()
    utility[:, mine[0]] = -1e4
    unwanted = replace(game, demand=Demand(utility, demand.price_sensitivity, demand.weights))
    found, shares = reply(unwanted, mine, prices, 5)
    assert found[0] == prices[mine[0]] and shares[0] == 0.0
    assert (found[1:] != prices[mine[1:]]).all() and np.isfinite(found).all()


@pytest.mark.parametrize("order", ["C", "F"])
def test_sums_of_a_reply_are_those_of_the_conditions_written_out(order):
    draws = np.random.default_rng(3)
    odds, rest = draws.lognormal(size=(200, 4)), draws.lognormal(size=200)
    sensitivity, weights, margin = draws.uniform(0.01, 0.05, 200), draws.uniform(size=200), draws.uniform(10.0, 60.0, 4)
    chances = odds / (rest + odds.sum(axis=1))[:, None]
    steered = np.diag(weights * sensitivity) @ chances * (chances @ margin)[:, None]
    expected = np.stack([weights @ chances, (weights * sensitivity) @ chances, steered.sum(axis=0)])
    found = reply_sums(np.array(odds, order=order), rest + odds.sum(axis=1), sensitivity, weights, margin)
    assert found == pytest.approx(expected, rel=1e-12)


def test_weighted_columns_are_the_weighted_sums():
    draws = np.random.default_rng(0)
    table, weights = draws.normal(size=(300, 7)), draws.uniform(size=300)
    for columns in (np.arange(7), np.array([5, 0]), np.empty(0, dtype=np.int64)):
        assert weighted_columns(weights, table, columns) == pytest.approx(weights @ table[:, columns], rel=1e-13)


@pytest.mark.parametrize("n_products", [1, 3, 4, 9])
def test_shares_alone_and_sums_of_columns_are_the_plain_ones_bit_for_bit(n_products):
    rng = np.random.default_rng(n_products)
    odds, rest = np.asfortranarray(rng.exponential(1.0, (50, n_products))), rng.uniform(1.0, 2.0, 50)
    weights = rng.dirichlet(np.ones(50))
    total = rest + odds.sum(axis=1)
    sums = reply_sums(odds, total, rng.uniform(0.01, 0.1, 50), weights, rng.normal(10.0, 3.0, n_products))
    assert np.array_equal(reply_shares(odds, total, weights), sums[0])
    columns = np.arange(0, n_products, 2)
    assert np.array_equal(summed_columns(odds, columns), np.add.reduce(odds.T[columns]))


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("copies", [1, 2])
def test_a_reply_that_starts_from_odds_is_the_one_that_starts_from_utilities(steps, copies):
    """The compiled steps, which move odds with prices, against `best_reply`, which works them out anew."""
    game, mine, prices = held("mixed royalties", 2)
    demand, margins, rule, paid = game.demand, margins_of(game, mine), rule_of(game, mine), rule_of(game, mine).value
    utility, rest = np.tile(demand.utility[:, mine], (copies, 1)), np.tile(of_others(game, mine, prices), copies)
    alpha, weights = np.tile(demand.price_sensitivity, copies), np.tile(demand.weights, copies) / copies
    utility[len(demand.weights) :] += 1.0
    odds = np.asfortranarray(np.exp(utility - alpha[:, None] * paid(prices[mine])))
    consumers = demand.price_sensitivity, alpha, weights, rest
    accounts = margins.revenue, margins.cost
    found = replied(odds, rest + odds.sum(axis=1), consumers, accounts, rule.parts, prices[mine], steps)
    afresh = best_reply(utility, alpha, weights, rest, margins, rule, prices[mine], steps)
    assert found[0] == pytest.approx(afresh[0], rel=1e-12) and found[1] == pytest.approx(afresh[1], rel=1e-12)


@pytest.mark.parametrize("kind", ORDINARY)
def test_buyers_prices_are_those_of_the_rule_bit_for_bit(kind):
    game, mine, prices = held(kind, 0)
    rule = rule_of(game, mine)
    parts = (rule.knots, rule.slopes, rule.intercept, rule.jumps)
    for shift in (-40.0, 0.0, 40.0):
        asked = prices[mine] + shift
        assert np.array_equal(buyer_prices(asked, parts), rule.value(asked))
