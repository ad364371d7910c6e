"""Credits for new-energy cars: what cars earn, what a credit costs, and who pays whom."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics import credits
from evsim.economics.credits import CreditRule
from evsim.economics.pricing import Demand, bertrand, equilibrium_prices

STEPS = {"range_steps": (100.0, 150.0, 200.0, 300.0), "range_factors": (0.7, 0.8, 0.9, 1.0)}
RULE = CreditRule(ratio=0.18, slope=0.0056, constant=0.4, cap=3.4, plug_in=1.6, exempt_below=30_000.0, **STEPS)
POOL = replace(RULE, store_above=2.0, release_below=1.5)
BALANCES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8).map(np.array)


def yearly(balance, stored, price, rule):
    """The settlement, with what makers had to begin with."""
    return credits.settle(balance, stored, price, rule), np.asarray(balance) + stored


def test_a_battery_car_earns_by_its_range_up_to_the_cap():
    reach = np.array([99.0, 100.0, 160.0, 250.0, 300.0, 400.0, 700.0])
    line = 0.0056 * reach + 0.4
    expected = [0.0, 0.7 * line[1], 0.8 * line[2], 0.9 * line[3], line[4], line[5], 3.4]
    everything = np.ones(7, dtype=bool)
    assert credits.earned_per_car(everything, ~everything, reach, RULE) == pytest.approx(expected)


@given(st.floats(0.0, 1000.0), st.floats(0.0, 200.0))
def test_a_longer_range_never_earns_less(reach, more):
    for rule in (RULE, replace(RULE, slope=0.0034, constant=0.2, cap=2.3)):
        nearer, farther = credits.earned_per_car([True, True], [False, False], [reach, reach + more], rule)
        assert nearer <= farther <= rule.cap


def test_hybrids_earn_a_fixed_number_and_petrol_cars_none_whatever_range_they_state():
    earned = credits.earned_per_car([False, False], [True, False], [np.nan, np.nan], RULE)
    assert list(earned) == [1.6, 0.0]


@pytest.mark.parametrize(("plug_in", "reach"), [([True], [300.0]), ([False], [-1.0]), ([False], [np.nan])])
def test_a_battery_car_with_a_tank_or_without_a_range_is_refused(plug_in, reach):
    with pytest.raises(ValueError, match="not both"):
        credits.earned_per_car([True], plug_in, reach, RULE)


def test_small_makers_have_no_ratio_to_meet_and_no_battery_car_causes_one():
    maker, conventional = np.array([0, 0, 1, 1]), np.array([True, False, True, True])
    cars = np.array([29_999.0, 90_000.0, 10_000.0, 20_000.0])
    assert list(credits.required_per_car(conventional, maker, cars, RULE)) == [0.0, 0.0, 0.18, 0.18]


def test_a_makers_balance_is_the_sum_over_its_cars_also_where_it_has_none():
    net, maker, cars = np.array([2.0, -0.18, -0.18]), np.array([0, 0, 2]), np.array([10.0, 100.0, 50.0])
    assert credits.balances(net, maker, 4, cars) == pytest.approx([2.0, 0.0, -9.0, 0.0])


def test_one_more_car_costs_its_maker_what_its_balance_loses():
    net, maker, cars = np.array([2.0, -0.18, -0.18]), np.array([0, 0, 1]), np.array([10.0, 100.0, 50.0])
    payments = credits.payments_per_car(net, 1.2)
    for line in range(3):
        more = cars + np.eye(3)[line]
        gained = 1.2 * (credits.balances(net, maker, 2, more) - credits.balances(net, maker, 2, cars))
        assert gained[maker[line]] == pytest.approx(-payments[line])


def small_game(credit_price, ratio=0.5):
    """A petrol maker and a maker of battery cars, and a third with both, under a credit price."""
    draws = np.random.default_rng(5)
    demand = Demand(draws.normal(2.0, 1.0, (40, 4)), 0.03 * np.exp(0.3 * draws.standard_normal(40)))
    game = bertrand(demand, np.array([80.0, 100.0, 90.0, 95.0]), np.array([0, 1, 2, 2]))
    net = np.array([-ratio, 1.0, -ratio, 1.0])
    payments = credits.with_payments(game.payments, game.cost_weights, credits.payments_per_car(net, credit_price))
    return replace(game, payments=payments), net


def test_to_prices_a_credit_is_a_cost_of_the_car():
    game, net = small_game(6.0)
    plain, _ = small_game(0.0)
    as_cost = replace(plain, marginal_costs=plain.marginal_costs - 6.0 * net)
    assert equilibrium_prices(game).prices == pytest.approx(equilibrium_prices(as_cost).prices, abs=1e-8)


def test_a_dearer_credit_raises_petrol_prices_and_lowers_those_of_battery_cars():
    cheap, dear = (equilibrium_prices(small_game(price)[0]).prices for price in (1.0, 9.0))
    assert (dear > cheap).tolist() == [True, False, True, False]


def test_payments_follow_the_weight_with_which_a_firm_counts_the_cost():
    cost_weights = np.array([[1.0, 0.3], [0.0, 1.0], [0.0, 0.0]])
    payments = np.array([[0.0, 1.0], [2.0, 0.0], [5.0, 5.0]])
    added = credits.with_payments(payments, cost_weights, np.array([4.0, -2.0])) - payments
    assert added == pytest.approx(np.array([[4.0, -0.6], [0.0, -2.0], [0.0, 0.0]]))


def test_where_makers_answer_to_it_the_price_clears_the_market_and_their_payments_cancel():
    def balance_at(price):
        game, net = small_game(price, ratio=0.9)
        shares = equilibrium_prices(game).shares
        return credits.balances(net, np.array([0, 1, 2, 2]), 3, shares)

    found = credits.clearing_price(balance_at, RULE, cap=60.0, tolerance=1e-9)
    assert found.at == "inside" and 0.0 < found.price < 60.0
    balance = balance_at(found.price)
    assert abs(balance.sum()) < 1e-8 and found.excess == pytest.approx(balance.sum(), abs=1e-12)
    settled = credits.settle(balance, np.zeros(3), found.price, RULE)
    assert settled.transfers == pytest.approx(found.price * balance, abs=1e-7)


@given(st.floats(0.1, 5.0), st.floats(0.1, 5.0), st.floats(0.1, 20.0))
def test_with_straight_lines_the_price_is_where_they_meet(intercept, slope, supply):
    found = credits.clearing_price(
        lambda price: np.array([supply + slope * price, -supply - intercept]), RULE, cap=1000.0
    )
    assert found.price == pytest.approx(intercept / slope, abs=1e-8)


@pytest.mark.parametrize(
    ("balance", "price", "at"),
    [([5.0, -4.0], 0.3, "floor"), ([4.0, -4.0], 0.3, "floor"), ([3.0, -4.0], 3.0, "cap"), ([0.0, 0.0], 0.3, "floor")],
)
def test_at_given_quantities_the_price_is_the_floor_or_the_cap(balance, price, at):
    found = credits.clearing_price(lambda _: np.array(balance), RULE, floor=0.3, cap=3.0)
    assert (found.price, found.at) == (price, at)
    assert found.excess == pytest.approx(sum(balance))


def test_stored_credits_bring_the_price_down_from_the_cap():
    short = np.array([3.0, -4.0])
    assert credits.clearing_price(lambda _: short, POOL, 0.5, cap=3.0).at == "cap"
    assert credits.clearing_price(lambda _: short, POOL, np.array([0.0, 1.0]), cap=3.0).at == "floor"


@pytest.mark.parametrize(("floor", "cap"), [(-0.1, 1.0), (2.0, 1.0), (0.0, np.inf), (np.nan, 1.0)])
def test_bounds_that_do_not_bound_are_refused(floor, cap):
    with pytest.raises(ValueError, match="floor="):
        credits.clearing_price(lambda _: np.array([1.0, -2.0]), RULE, floor=floor, cap=cap)


def test_balances_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="balances must be finite"):
        credits.clearing_price(lambda _: np.array([np.nan, -2.0]), RULE, cap=1.0)


def test_the_pool_fills_above_twice_the_need_and_is_drawn_below_one_and_a_half():
    assert credits.pool_flow(15.24, 4.1, 0.0, POOL) == pytest.approx((15.24 - 8.2, 0.0))
    assert credits.pool_flow(7.0, 4.0, 9.0, POOL) == (0.0, 0.0)
    assert credits.pool_flow(5.0, 4.0, 9.0, POOL) == (0.0, 1.0)
    assert credits.pool_flow(5.0, 4.0, 0.4, POOL) == (0.0, 0.4)
    assert credits.pool_flow(5.0, 0.0, 0.0, POOL) == (5.0, 0.0)
    assert credits.pool_flow(5.0, 0.0, 0.0, RULE) == (0.0, 0.0)


@given(st.floats(0.0, 100.0), st.floats(0.0, 10.0), st.floats(0.0, 50.0), st.floats(0.0, 50.0))
def test_more_supply_never_means_less_on_offer(supply, more, need, stored):
    less, greater = (
        credits.excess_offered(np.array([amount, -need]), stored, POOL) for amount in (supply, supply + more)
    )
    assert greater >= less - 1e-9


@given(BALANCES, st.floats(0.0, 1e6), st.sampled_from([RULE, POOL]))
def test_no_credit_and_no_money_is_lost_between_makers(balance, stored_sum, rule):
    stored = stored_sum * np.linspace(0.0, 1.0, len(balance))
    settled, before = yearly(balance, stored, 1.3, rule)
    after = settled.sold - settled.bought + settled.stored + settled.lapsed - settled.shortfall
    assert after == pytest.approx(before, abs=1e-6)
    assert settled.transfers.sum() == pytest.approx(0.0, abs=1e-6)
    assert settled.sold.sum() == pytest.approx(settled.bought.sum(), abs=1e-6)
    for amounts in (settled.sold, settled.bought, settled.shortfall, settled.stored, settled.lapsed):
        assert (amounts >= -1e-6).all()


def test_sellers_share_a_glut_and_buyers_a_shortage_in_proportion():
    glut, _ = yearly([30.0, 10.0, -20.0], np.zeros(3), 1.0, RULE)
    assert glut.sold == pytest.approx([15.0, 5.0, 0.0]) and glut.lapsed == pytest.approx([15.0, 5.0, 0.0])
    assert glut.transfers == pytest.approx([15.0, 5.0, -20.0]) and not glut.shortfall.any()
    shortage, _ = yearly([20.0, -30.0, -10.0], np.zeros(3), 2.0, RULE)
    assert shortage.shortfall == pytest.approx([0.0, 15.0, 5.0])
    assert shortage.transfers == pytest.approx([40.0, -30.0, -10.0])


def test_what_may_be_stored_does_not_lapse_and_unsold_credits_of_the_pool_go_back():
    settled, _ = yearly([100.0, -20.0], np.zeros(2), 1.0, POOL)
    assert settled.stored == pytest.approx([60.0, 0.0]) and settled.lapsed == pytest.approx([20.0, 0.0])
    drawn, _ = yearly([20.0, -20.0], np.array([0.0, 30.0]), 1.0, POOL)  # 10 drawn, a third of 30 offered unsold
    assert drawn.stored == pytest.approx([0.0, 30.0 - 10.0 * 2.0 / 3.0])
    assert drawn.transfers.sum() == pytest.approx(0.0)


def test_without_any_need_nobody_is_paid():
    settled, _ = yearly([5.0, 0.0], np.zeros(2), 1.0, RULE)
    assert not settled.transfers.any() and settled.lapsed == pytest.approx([5.0, 0.0])


@pytest.mark.parametrize("stored", [np.zeros(3), np.array([1.0, -1.0])])
def test_a_pool_of_other_makers_or_below_nothing_is_refused(stored):
    with pytest.raises(ValueError, match="stored must have shape"):
        credits.settle([1.0, -1.0], stored, 1.0, RULE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ratio": -0.1}, "must be finite and not negative"),
        ({"cap": np.inf}, "must be finite and not negative"),
        ({"range_steps": (100.0, 50.0), "range_factors": (0.5, 1.0)}, "range_steps must rise"),
        ({"range_steps": (100.0,), "range_factors": (0.5, 1.0)}, "range_steps must rise"),
        ({"range_steps": (), "range_factors": ()}, "range_steps must rise"),
        ({"store_above": 1.2, "release_below": 1.5}, "must not be below release_below"),
        ({"release_below": 0.9}, "must not be below release_below"),
    ],
)
def test_an_impossible_rule_is_refused(change, expected):
    with pytest.raises(ValueError, match=expected):
        replace(RULE, **change)
