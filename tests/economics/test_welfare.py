"""Accounts that add up, Roy's identity, who captures a subsidy, and a capped exemption that beats having no tax."""

from dataclasses import replace

import numpy as np
import pytest
from economics.price_twins import game_of, made_up_demand
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics.choice import consumer_surplus
from evsim.economics.pass_through import pass_through
from evsim.economics.price_point import evaluate
from evsim.economics.pricing import Demand, bertrand, equilibrium_prices
from evsim.economics.subsidy import compose, compose_by_class, fiscal, fiscal_by_class
from evsim.economics.welfare import (
    Welfare,
    by_group,
    cost_per_additional,
    incidence,
    income_groups,
    market_welfare,
    staying_surplus,
)

VAT, SIZE = 0.13, 1.8e6  # SIZE: potential buyers a month
ENTITLED = np.array([[True, False, False], [True, True, False], [True, True, True]])


def instruments(n_products, amount=9.0):
    """An exemption for all, a benefit in per cent and one below a ceiling for some."""
    green = np.arange(n_products) % 2 == 0
    return [
        ("tax_exemption", green, 0.0, 1.0, 15.0),
        ("ad_valorem", np.ones(n_products, bool), 0.0, 0.12, 20.0),
        ("per_unit", green, amount, 0.0, np.inf, 1.0, 220.0),
    ]


def classed_game(kind="ordinary", seed=3, amount=9.0):
    """A game with three classes of consumers, and what each class's cars bring and cost."""
    class_of = np.random.default_rng(seed).integers(0, 3, 60)
    game = game_of(kind, seed, compose_by_class(instruments(8, amount), ENTITLED, class_of, 8))
    return game, lambda prices: fiscal_by_class(instruments(8, amount), ENTITLED, prices)


def groups_of(game, n_groups=4):
    return income_groups(1.0 / game.demand.price_sensitivity, game.demand.weights, n_groups)


def welfare_of(game, prices, money, **options):
    return market_welfare(game, prices, money(prices), groups_of(game), market_size=SIZE, vat=VAT, **options)


# Adding up.


@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["ordinary", "mixed royalties", "leader with own products"]))
def test_the_total_is_what_cars_are_worth_less_what_they_take_to_make(seed, kind):
    """Taxes, subsidies, VAT and prices cancel: what is left is CS + Σ w_i P_ij q_ij less all costs and payments out."""
    game, money = classed_game(kind, seed)
    prices = game.marginal_costs * 1.35
    found = welfare_of(game, prices, money)
    paid = game.rule.value(prices)[game.rule.class_of]
    utility = game.demand.utility - game.demand.price_sensitivity[:, None] * paid
    chances = np.exp(utility) / (1.0 + np.exp(utility).sum(axis=1, keepdims=True))
    surplus = consumer_surplus(utility, game.demand.price_sensitivity)
    shares = game.demand.weights @ chances
    spent = (game.demand.weights[:, None] * chances * paid).sum()
    resources = game.cost_weights.sum(axis=0) * game.marginal_costs + game.payments.sum(axis=0)
    royalties_to_nobody = (1.0 / (1.0 + VAT) - game.revenue_weights.sum(axis=0)) * prices
    value = (game.demand.weights * surplus).sum() + spent - ((resources + royalties_to_nobody) * shares).sum()
    assert found.total == pytest.approx(SIZE * value, rel=1e-11)
    parts = [*found.consumer_surplus, *found.producer_surplus, found.leader_profit]
    parts += [found.purchase_tax, found.value_added_tax, -found.outlay]
    assert found.total == pytest.approx(sum(parts), abs=1e-9 * abs(found.total))


def test_surplus_by_group_adds_up_to_all_surplus_and_the_leaders_row_is_taken_out_of_the_makers():
    game, money = classed_game("leader with own products")
    prices = equilibrium_prices(game).prices
    whole, apart = welfare_of(game, prices, money), welfare_of(game, prices, money, leader=0)
    assert apart.leader_profit == whole.producer_surplus[0]
    assert (apart.producer_surplus == whole.producer_surplus[1:]).all()
    assert apart.total == pytest.approx(whole.total, rel=1e-14)
    one_group = market_welfare(game, prices, money(prices), np.zeros(60, int), market_size=SIZE, vat=VAT)
    assert whole.consumer_surplus.sum() == pytest.approx(one_group.consumer_surplus[0], rel=1e-13)


def test_a_pure_transfer_leaves_the_sum_of_accounts_alone():
    """A subsidy that every price rises by: the same cars to the same buyers, the money in makers' pockets."""
    demand, costs = made_up_demand(5, n_products=6)
    everyone = np.ones(6, bool)
    paid = [("per_unit", everyone, 25.0)]
    without = bertrand(demand, costs, np.arange(6) % 3)
    with_subsidy = replace(without, buyer_price=compose(paid, 6, tax_rate=0.0))
    prices, group = costs * 1.3, np.zeros(60, dtype=int)
    before = market_welfare(without, prices, fiscal([], prices, 0.0), group)
    after = market_welfare(with_subsidy, prices + 25.0, fiscal(paid, prices + 25.0, 0.0), group)
    assert after.outlay > 1.0
    assert after.consumer_surplus == pytest.approx(before.consumer_surplus, abs=1e-9)
    assert after.producer_surplus.sum() - before.producer_surplus.sum() == pytest.approx(after.outlay, abs=1e-9)
    assert after.total == pytest.approx(before.total, abs=1e-9)


def test_a_fee_among_firms_at_given_prices_moves_profit_and_nothing_else():
    game, money = classed_game("leader with own products")
    prices = game.marginal_costs * 1.3
    dearer = game.payments.copy()
    dearer[1, game.setter == 1] += 4.0
    dearer[0, game.setter == 1] -= 4.0
    before = welfare_of(game, prices, money, leader=0)
    moved = welfare_of(replace(game, payments=dearer), prices, money, leader=0).minus(before)
    assert moved.leader_profit == pytest.approx(-moved.producer_surplus[0], rel=1e-9)
    assert moved.leader_profit > 0
    assert moved.total == pytest.approx(0.0, abs=1e-9 * abs(before.total))


# Roy's identity.


def test_surplus_falls_with_a_price_by_what_is_bought_of_it():
    """∂CS_g/∂q_cj = −M Σ_{i of g and c} w_i P_ij: each group's own purchases, class by class."""
    game, money = classed_game()
    prices, step, group = game.marginal_costs * 1.3, 1e-4, groups_of(game)
    chances = np.empty((60, 8))
    chances[game.panel_order] = evaluate(game, prices).probabilities
    for j in (0, 3, 5):
        for c in range(3):

            def surplus(move, j=j, c=c):
                rules = list(game.rule.rules)
                rules[c] = replace(rules[c], intercept=rules[c].intercept + move * (np.arange(8) == j))
                moved = replace(game, buyer_price=replace(game.rule, rules=tuple(rules)))
                return welfare_of(moved, prices, money).consumer_surplus

            slope = (surplus(step) - surplus(-step)) / (2 * step)
            bought = game.demand.weights * chances[:, j] * (game.rule.class_of == c)
            assert slope == pytest.approx(-SIZE * np.bincount(group, weights=bought, minlength=4), rel=1e-6, abs=1e-3)


# What staying is worth.


def test_without_the_gain_of_staying_surplus_is_that_of_the_same_choices_simulated():
    draws = np.random.default_rng(0)
    utility, gain = np.array([[0.5, 1.0, -0.3]]), np.array([[0.0, 0.8, 0.0]])
    shocks = draws.gumbel(size=(400_000, 4)) - np.euler_gamma
    experienced = np.column_stack([np.zeros(400_000), utility + shocks[:, 1:]])
    experienced[:, 0] = shocks[:, 0]
    chosen = (experienced + np.append(0.0, gain[0])).argmax(axis=1)
    counted = experienced[np.arange(400_000), chosen] / 0.03
    odds = np.exp(utility + gain)
    chances, total = odds / (1.0 + odds.sum()), np.log(1.0 + odds.sum()) / 0.03
    without = total - staying_surplus(chances, gain, np.array([0.03]))[0]
    assert without == pytest.approx(counted.mean(), abs=5.0 * counted.std() / np.sqrt(400_000))
    assert without < total


def test_the_gain_of_staying_is_counted_or_not_and_nothing_else_moves():
    game, money = classed_game()
    prices = equilibrium_prices(game).prices
    stays = np.zeros((60, 8))
    stays[np.arange(60), np.arange(60) % 8] = 0.7
    staying = replace(game, demand=replace(game.demand, utility=game.demand.utility + stays))
    counted = welfare_of(staying, prices, money, staying_gain=stays)
    left_out = counted.without_staying_surplus()
    assert (counted.staying_surplus > 0).all()
    assert left_out.consumer_surplus == pytest.approx(counted.consumer_surplus - counted.staying_surplus)
    assert counted.total - left_out.total == pytest.approx(counted.staying_surplus.sum(), rel=1e-9)
    # a world where nobody gains by staying is worth less than this one, and more than this one's choices without the gain
    bare = welfare_of(game, prices, money)
    assert (left_out.consumer_surplus <= bare.consumer_surplus).all()
    assert (bare.consumer_surplus <= counted.consumer_surplus).all()


# Who captures a subsidy.


def test_of_a_small_subsidy_a_monopolist_has_all_and_buyers_its_pass_through_beside():
    """dΠ/db = s (envelope) and dCS/db = ρ s: what buyers gain is won from the monopoly's distortion, lost = −ρ."""
    game = bertrand(Demand(np.array([[6.0]]), np.array([0.03])), np.array([100.0]), np.array([0]))
    prices, small = equilibrium_prices(game).prices, 1e-4
    rho = pass_through(game, prices).own[0]
    paid = [("per_unit", np.array([True]), small)]
    subsidised = replace(game, buyer_price=compose(paid, 1, tax_rate=0.0))
    there = equilibrium_prices(subsidised).prices
    group = np.array([0])
    gained = incidence(
        market_welfare(subsidised, there, fiscal(paid, there, 0.0), group),
        market_welfare(game, prices, fiscal([], prices, 0.0), group),
    )
    assert gained.makers == pytest.approx([1.0], abs=1e-4)
    assert gained.buyers == pytest.approx([rho], abs=1e-4)
    assert gained.state == pytest.approx(0.0, abs=1e-4) and gained.lost == pytest.approx(-rho, abs=1e-4)


def test_what_is_captured_by_all_and_lost_is_the_support():
    game, money = classed_game("leader with own products", amount=12.0)
    bare, no_money = classed_game("leader with own products", amount=0.0)
    worlds = [
        welfare_of(each, equilibrium_prices(each).prices, bill, leader=0)
        for each, bill in ((game, money), (bare, no_money))
    ]
    found, gain = incidence(*worlds), worlds[0].minus(worlds[1])
    parts = float(found.buyers.sum() + found.makers.sum()) + found.leader + found.state
    assert parts + found.lost == pytest.approx(1.0, abs=1e-12)
    assert (parts - 1.0) * gain.support == pytest.approx(gain.total, abs=1e-9 * abs(worlds[0].total))
    assert found.state > 0  # VAT on cars sold because of it
    with pytest.raises(ValueError, match="must give away something"):
        incidence(worlds[1], worlds[0])


def test_of_a_benefit_for_the_poor_the_rich_have_what_it_does_to_prices():
    """Buyers who mind prices more become more: here prices fall, which is all that the rich gain (Roy)."""
    demand, costs = made_up_demand(7, n_products=8, n_consumers=200)
    group = income_groups(1.0 / demand.price_sensitivity, demand.weights, 2)
    benefit, entitled = [("per_unit", np.ones(8, bool), 0.05)], [[True], [False]]
    bare = bertrand(demand, costs, np.arange(8) % 3)
    aided = replace(bare, buyer_price=compose_by_class(benefit, entitled, group, 8, tax_rate=0.0))
    before, after = equilibrium_prices(bare).prices, equilibrium_prices(aided).prices
    worlds = (
        market_welfare(aided, after, fiscal_by_class(benefit, entitled, after, 0.0), group),
        market_welfare(bare, before, fiscal([], before, 0.0), group),
    )
    rich_buy = (demand.weights[:, None] * evaluate(bare, before).probabilities)[group == 1].sum(axis=0)
    gain, found = worlds[0].minus(worlds[1]), incidence(*worlds)
    assert gain.consumer_surplus[1] == pytest.approx(-(rich_buy * (after - before)).sum(), rel=1e-3)
    assert 0.0 < found.buyers[1] < 0.2 < 0.5 < found.buyers[0]


def test_a_capped_exemption_can_leave_buyers_better_off_than_no_tax_at_all():
    """Just below the prices of an untaxed market the cap holds every price down; no tax is paid there either."""
    demand, group = Demand(np.full((1, 5), 9.0), np.array([0.03])), np.array([0])
    untaxed = bertrand(demand, np.full(5, 300.0), np.arange(5))
    free = equilibrium_prices(untaxed).prices
    exempt = [("tax_exemption", np.ones(5, bool), 0.0, 1.0, 0.1 / 1.13 * (free[0] - 2.0))]
    capped = replace(untaxed, buyer_price=compose(exempt, 5))
    pressed = equilibrium_prices(capped).prices
    assert pressed == pytest.approx(free - 2.0, abs=1e-9)
    no_tax = market_welfare(untaxed, free, fiscal([], free, 0.0), group)
    with_cap = market_welfare(capped, pressed, fiscal(exempt, pressed), group)
    assert with_cap.consumer_surplus[0] > no_tax.consumer_surplus[0] + 0.5
    assert with_cap.purchase_tax == pytest.approx(0.0, abs=1e-12)
    assert with_cap.producer_surplus.sum() < no_tax.producer_surplus.sum()


# What it costs, and groups.


def test_cost_per_additional_unit_is_cost_over_units_and_infinite_where_it_bought_none():
    assert cost_per_additional(300.0, 15.0) == 20.0
    assert cost_per_additional([300.0, 300.0, 0.0, 5.0], [10.0, 0.0, 0.0, -3.0]).tolist() == [30.0, np.inf, 0.0, np.inf]


def test_income_groups_weigh_alike_and_run_from_poor_to_rich():
    draws = np.random.default_rng(1)
    income, weights = draws.lognormal(size=3000), draws.uniform(0.5, 1.5, 3000)
    group = income_groups(income, weights, 5)
    assert by_group(np.ones(3000), weights, group) == pytest.approx(np.full(5, 0.2), abs=1e-3)
    for poorer in range(4):
        assert income[group == poorer].max() <= income[group == poorer + 1].min()
    assert income_groups(np.ones(4), None, 2).tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="at least 1"):
        income_groups(income, None, 0)


def test_the_difference_of_two_worlds_is_taken_account_by_account():
    one = Welfare(np.array([5.0, 3.0]), np.array([2.0]), 1.0, 4.0, 3.0, 2.0, 6.0, np.array([1.0, 0.5]))
    other = Welfare(np.array([4.0, 1.0]), np.array([1.0]), 2.0, 1.0, 1.0, 1.0, 1.0, np.array([1.0, 0.0]))
    gain = one.minus(other)
    assert gain.consumer_surplus.tolist() == [1.0, 2.0] and gain.staying_surplus.tolist() == [0.0, 0.5]
    assert (gain.state, gain.support, gain.total) == (0.0, 8.0, 3.0)
