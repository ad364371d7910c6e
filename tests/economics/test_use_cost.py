"""Cost of use, resale and CO2: present values, log-lines, sums."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from evsim.economics import use_cost
from evsim.economics.price_rule import BuyerPrice, BuyerPriceByClass
from evsim.economics.subsidy import compose, compose_by_class
from evsim.economics.technology import survival
from evsim.economics.use_cost import Consumption

YEARS = st.floats(0.0, 30.0)
RATES = st.floats(-0.05, 0.3)
PETROL_CAR = Consumption(7.0, 0.0, 0.0)
BATTERY_CAR = Consumption(0.0, 14.0, 1.0, charging_loss=0.1)
AGES, FALLING = np.array([1.0, 3.0, 5.0]), np.array([0.8, 0.5, 0.3])


def test_a_hybrid_costs_between_its_two_ways_of_driving_by_its_electric_share():
    share = np.array([0.0, 0.25, 1.0])
    hybrid = Consumption(np.full(3, 5.0), np.full(3, 16.0), share, charging_loss=0.25)
    on_petrol, on_power = 0.05 * 8.0 / 1000.0, 0.16 * 1.25 * 0.9 / 1000.0
    assert use_cost.cost_per_km(hybrid, 8.0, 0.9) == pytest.approx((1 - share) * on_petrol + share * on_power)


def test_charging_at_home_only_costs_the_home_price():
    assert use_cost.charging_price(0.5, 1.3, 1.0) == 0.5
    assert use_cost.charging_price(0.5, 1.3, 0.5) == pytest.approx(0.9)


@given(YEARS, RATES)
def test_years_of_use_are_the_integral_of_the_discount_factor(years, rate):
    integral = quad(lambda when: float(use_cost.discount_factor(when, rate)), 0.0, years)[0]
    assert use_cost.years_of_use(years, rate) == pytest.approx(integral, rel=1e-8, abs=1e-12)


def test_without_discounting_a_year_counts_as_a_year_and_a_sum_as_a_sum():
    assert use_cost.years_of_use(6.75, 0.0) == 6.75
    assert use_cost.discount_factor(6.75, 0.0) == 1.0


@given(YEARS, YEARS, RATES)
def test_holding_a_car_twice_is_holding_it_once_for_both_times(first, second, rate):
    later = use_cost.discount_factor(first, rate) * use_cost.use_cost(5e-4, 12_000.0, second, rate)
    whole = use_cost.use_cost(5e-4, 12_000.0, first + second, rate)
    assert use_cost.use_cost(5e-4, 12_000.0, first, rate) + later == pytest.approx(whole, rel=1e-9, abs=1e-12)


@given(st.floats(0.0, 40.0))
def test_between_two_ages_a_car_loses_the_same_part_every_year(age):
    fraction = use_cost.resale_fraction(age, AGES, FALLING)
    if age <= 1.0:
        expected = 0.8**age
    elif age <= 3.0:
        expected = 0.8 * (0.5 / 0.8) ** ((age - 1.0) / 2.0)
    else:
        expected = 0.5 * (0.3 / 0.5) ** ((age - 3.0) / 2.0)  # beyond the last age too
    assert fraction == pytest.approx(expected, rel=1e-12)


def test_values_at_the_ages_given_are_those_given_and_a_new_car_is_worth_its_price():
    assert use_cost.resale_fraction(AGES, AGES, FALLING) == pytest.approx(FALLING)
    assert use_cost.resale_fraction(0.0, AGES, FALLING) == 1.0


@given(YEARS, st.floats(0.0, 5.0))
def test_an_older_car_is_worth_less(age, more):
    younger, older = (use_cost.resale_fraction(years, AGES, FALLING) for years in (age, age + more))
    assert older <= younger


def test_lines_of_unlike_powertrains_are_valued_by_their_own_curves():
    curves = np.stack([FALLING, FALLING**2, np.ones(3)])
    together = use_cost.resale_fraction(np.array([2.0, 4.0, 7.0]), AGES, curves)
    alone = [use_cost.resale_fraction(age, AGES, curve) for age, curve in zip((2.0, 4.0, 7.0), curves, strict=True)]
    assert together == pytest.approx(alone)
    assert use_cost.resale_fraction(4.0, AGES, curves).shape == (3,)


@pytest.mark.parametrize(
    ("age", "ages", "fractions", "expected"),
    [
        (-1.0, AGES, FALLING, "age must be"),
        (np.nan, AGES, FALLING, "age must be"),
        (1.0, [3.0, 1.0, 5.0], FALLING, "ages must rise"),
        (1.0, [0.0, 1.0, 5.0], FALLING, "ages must rise"),
        (1.0, AGES, FALLING[:2], "ages must rise"),
        (1.0, AGES, [0.5, 0.6, 0.3], "fall with age"),
        (1.0, AGES, [1.1, 0.6, 0.3], "fall with age"),
        (1.0, AGES, [0.5, 0.3, 0.0], "fractions must be positive"),
    ],
)
def test_a_curve_that_rises_or_a_car_not_yet_built_is_refused(age, ages, fractions, expected):
    with pytest.raises(ValueError, match=expected):
        use_cost.resale_fraction(age, ages, fractions)


@given(st.floats(-0.3, 0.3), st.integers(0, 12), st.floats(0.0, 1.0))
def test_last_years_change_of_prices_goes_on_and_fades(change, years, persistence):
    ratio = 1.0
    for year in range(1, years + 1):
        ratio *= (1.0 + change) ** (persistence**year)
    assert use_cost.expected_price_ratio(change, years, persistence) == pytest.approx(ratio, rel=1e-9)


def test_a_deeper_cut_of_new_prices_lowers_what_a_car_will_fetch():
    ratios = use_cost.expected_price_ratio(np.array([0.05, 0.0, -0.1, -0.2]), 7.0, 0.5)
    assert (np.diff(ratios) < 0).all() and ratios[1] == 1.0
    today, after_cut = (use_cost.resale_value(price, 0.3) for price in (200.0, 180.0))
    assert after_cut == pytest.approx(0.9 * today)


def test_an_orphaned_stack_takes_its_discount_and_no_more_than_the_car():
    assert use_cost.resale_value(200.0, 0.3, 0.9, np.array([0.0, 0.25, 1.0])) == pytest.approx([54.0, 40.5, 0.0])
    with pytest.raises(ValueError, match="fraction from 0 to 1"):
        use_cost.resale_value(200.0, 0.3, orphan_discount=1.2)


@pytest.mark.parametrize(("change", "years", "persistence"), [(-1.0, 1.0, 0.5), (0.0, -1.0, 0.5), (0.0, 1.0, 1.5)])
def test_prices_below_nothing_and_changes_that_grow_are_refused(change, years, persistence):
    with pytest.raises(ValueError, match="price_change must be above -1"):
        use_cost.expected_price_ratio(change, years, persistence)


def test_use_and_resale_move_what_the_buyer_pays_but_not_how_it_answers_to_the_posted_price():
    extra = np.array([12.0, -70.0, 0.0])
    rule = compose([("tax_exemption", [True, True, False], 0.0, 1.0, 15.0), ("per_unit", [True] * 3, 8.0)], 3)
    net = use_cost.with_outlay(rule, extra)
    for prices in (np.array([90.0, 169.0, 250.0]), np.array([169.5, 400.0, 20.0])):
        assert net.value(prices) == pytest.approx(rule.value(prices) + extra)
        assert np.array_equal(net.slope_below(prices), rule.slope_below(prices))
        assert np.array_equal(net.slope_above(prices), rule.slope_above(prices))


def test_the_outlay_may_differ_between_classes_of_consumers():
    instruments = [("per_unit", [True, True], 10.0, 0.0, np.inf, 1.0, 150.0)]
    rule = compose_by_class(instruments, [[True], [False]], np.array([0, 1, 1]), 2)
    prices, extra = np.array([140.0, 160.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    net = use_cost.with_outlay(rule, extra)
    assert isinstance(net, BuyerPriceByClass) and np.array_equal(net.class_of, rule.class_of)
    assert net.value(prices) == pytest.approx(rule.value(prices) + extra)
    assert np.array_equal(net.notches, rule.notches)
    alike = use_cost.with_outlay(rule, extra[0])
    assert alike.value(prices) == pytest.approx(rule.value(prices) + extra[0])


def test_sums_for_other_products_than_the_rules_are_refused():
    for rule in (compose([], 2), compose_by_class([("per_unit", [True, True], 1.0)], [[True], [False]], [0, 1], 2)):
        with pytest.raises(ValueError, match="extra must be"):
            use_cost.with_outlay(rule, np.zeros(3))


@given(st.floats(0.1, 100.0), st.floats(1e-5, 1e-3), st.floats(0.5, 15.0), RATES)
def test_at_the_break_even_distance_the_two_cars_cost_the_same(extra, saving, years, rate):
    distance = use_cost.break_even_distance(extra, saving, years, rate)
    assert use_cost.use_cost(saving, distance, years, rate) == pytest.approx(extra)


def test_a_car_that_is_no_dearer_pays_at_once_and_one_that_saves_nothing_never():
    distances = use_cost.break_even_distance(np.array([-5.0, 5.0, 5.0]), np.array([1e-4, 0.0, -1e-4]), 7.0, 0.05)
    assert list(distances) == [0.0, np.inf, np.inf]
    assert use_cost.break_even_distance(5.0, 1e-4, 0.0, 0.05) == np.inf


def test_a_fleet_emits_what_its_cars_emit():
    cars = np.array([[10.0, 0.0], [5.0, 20.0], [1.0, 40.0]])
    car = Consumption(
        np.array([[8.0, 0.0]] * 3), np.array([[0.0, 15.0], [0.0, 14.0], [0.0, 13.0]]), np.array([0.0, 1.0])
    )
    one_by_one = np.zeros(3)
    for vintage in range(3):
        for line in range(2):
            litres, power = 0.08 if line == 0 else 0.0, (15.0 - vintage) / 100.0 if line == 1 else 0.0
            one_by_one[vintage] += cars[vintage, line] * 12_000.0 * (litres * 2.3 + power * 0.53) / 1000.0
    assert use_cost.fleet_tons(cars, car, 12_000.0, 2.3, 0.53) == pytest.approx(one_by_one)


def test_a_cleaner_grid_cleans_battery_cars_of_every_age_and_no_petrol_car():
    for car, cleaner in ((BATTERY_CAR, True), (PETROL_CAR, False)):
        then, now = (float(use_cost.tons_per_year(car, 12_000.0, 2.3, factor)) for factor in (0.6, 0.5))
        assert (now < then) is cleaner
        assert now == pytest.approx(then * 5.0 / 6.0 if cleaner else then)


def test_over_its_life_a_car_emits_the_sum_of_its_years():
    alive, grid = survival(np.arange(20), 14.5, 4.7), np.linspace(0.53, 0.2, 20)
    for car in (PETROL_CAR, BATTERY_CAR):
        yearly = [a * use_cost.tons_per_year(car, 12_000.0, 2.3, g) for a, g in zip(alive, grid, strict=True)]
        assert use_cost.tons_over_life(car, 12_000.0, alive, 2.3, grid) == pytest.approx(sum(yearly))
    with pytest.raises(ValueError, match="must be alike"):
        use_cost.tons_over_life(PETROL_CAR, 12_000.0, alive, 2.3, grid[1:])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((-1.0, 0.0, 0.0), "fuel must be"),
        ((1.0, np.nan, 0.0), "power must be"),
        ((1.0, 1.0, 1.2), "electric_share must not exceed 1"),
        ((1.0, 1.0, 0.5, -0.1), "charging_loss must not be negative"),
    ],
)
def test_a_car_that_makes_energy_is_refused(arguments, expected):
    with pytest.raises(ValueError, match=expected):
        Consumption(*arguments)


@pytest.mark.parametrize(("years", "rate"), [(-1.0, 0.05), (np.nan, 0.05), (1.0, -1.0)])
def test_time_that_runs_backwards_is_refused(years, rate):
    with pytest.raises(ValueError, match="years must not be negative"):
        use_cost.years_of_use(years, rate)
    with pytest.raises(ValueError, match="years must not be negative"):
        use_cost.discount_factor(years, rate)


def test_a_rule_with_outlay_is_the_rule_built_from_its_parts():
    rule = compose([("tax_exemption", [True, False], 0.0, 1.0, 30.0)], 2)
    extra, prices = np.array([3.0, -2.0]), np.array([150.0, 380.0])
    raised = use_cost.with_outlay(rule, extra)
    built = BuyerPrice(rule.knots, rule.slopes, rule.intercept + extra, rule.jumps)
    assert (raised.value(prices) == built.value(prices)).all() and (raised.intercept == built.intercept).all()
    assert not raised.intercept.flags.writeable
    with pytest.raises(ValueError, match="finite"):
        use_cost.with_outlay(rule, np.array([np.nan, 0.0]))
