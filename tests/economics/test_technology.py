"""Learning, research, hardware, chargers, survival."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evsim.economics import technology

FRACTIONS = st.floats(0.0, 0.95)


@given(FRACTIONS, st.integers(0, 12), st.floats(0.01, 1e6))
def test_every_doubling_of_output_cuts_cost_by_the_learning_rate(rate, doublings, output):
    cost = technology.experience_cost(100.0, output, output * 2.0**doublings, rate)
    assert cost == pytest.approx(100.0 * (1.0 - rate) ** doublings, rel=1e-9)


@given(FRACTIONS, st.floats(1.0, 100.0), st.floats(1.0, 100.0))
def test_learning_in_two_steps_is_learning_in_one(rate, first, second):
    halfway = technology.experience_cost(5.0, 1.0, first, rate)
    assert technology.experience_cost(halfway, first, first * second, rate) == pytest.approx(
        technology.experience_cost(5.0, 1.0, first * second, rate), rel=1e-9
    )


@pytest.mark.parametrize(
    ("initial", "output", "rate"), [(0.0, 1.0, 0.2), (1.0, 0.0, 0.2), (1.0, 2.0, 1.0), (1.0, 2.0, -0.1)]
)
def test_learning_from_nothing_or_to_nothing_is_refused(initial, output, rate):
    with pytest.raises(ValueError, match="outputs must be positive|learning_rate"):
        technology.experience_cost(1.0, initial, output, rate)


@given(st.floats(0.0, 1e6), st.floats(0.0, 1e3), st.floats(0.01, 100.0))
def test_success_is_a_probability_that_rises_with_research(research, effect, more):
    chance = technology.success_probability(research, effect)
    assert 0.0 <= chance < 1.0
    assert technology.success_probability(research + more, effect) >= chance


@given(st.floats(0.1, 50.0), st.floats(0.01, 5.0))
def test_research_has_diminishing_returns_and_half_its_effect_at_one_over_a(research, effect):
    chances = technology.success_probability(np.array([0.0, research, 2.0 * research]), effect)
    assert chances[0] == 0.0
    assert chances[2] - chances[1] < chances[1]
    assert technology.success_probability(1.0 / effect, effect) == pytest.approx(0.5)


@given(st.floats(0.0, 20.0), st.floats(1.0, 1e8))
def test_a_fleet_teaches_as_much_again_for_every_equal_ratio(spending, fleet):
    no_fleet = technology.pooled_research(spending, 0.0, 1e6, 0.5)
    assert no_fleet == spending
    assert technology.pooled_research(spending, fleet, 1e6, 0.5) == pytest.approx(
        spending + 0.5 * np.log(1 + fleet / 1e6)
    )


@given(st.lists(st.tuples(st.floats(0.01, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=8), st.floats(0.0, 10.0))
def test_the_drift_holds_the_sales_weighted_mean_in_expectation(platforms, gain):
    shares, chance = (np.array(column) for column in zip(*platforms, strict=True))
    drift = technology.frontier_drift(shares, chance, gain)
    quality = np.linspace(0.0, 30.0, len(shares))
    expected = technology.next_quality(quality, chance, gain, drift)  # linear in success
    assert shares @ expected == pytest.approx(shares @ quality, abs=1e-9)


def test_the_mean_of_quality_wanders_but_does_not_drift():
    draws, gain = np.random.default_rng(0), 2.0
    shares, chance = np.array([0.5, 0.3, 0.2]), np.array([0.05, 0.2, 0.1])
    drift = technology.frontier_drift(shares, chance, gain)
    ends = []
    for _ in range(300):
        quality = np.zeros(3)
        for _ in range(60):
            quality = technology.next_quality(quality, draws.uniform(size=3) < chance, gain, drift)
        ends.append(shares @ quality)
    assert np.mean(ends) == pytest.approx(0.0, abs=5.0 * np.std(ends) / np.sqrt(300))


@given(st.floats(-5.0, 0.0), st.floats(0.0, 1.0), st.integers(0, 50))
def test_the_gap_to_the_frontier_closes_geometrically(hardware, rate, months):
    level = hardware
    for _ in range(months):
        level = technology.converge(level, 1.0, rate)
    assert level == pytest.approx(1.0 + (hardware - 1.0) * (1.0 - rate) ** months, abs=1e-9)


@given(st.floats(0.1, 100.0), st.floats(0.0, 2.0))
def test_chargers_respond_to_the_fleet_with_constant_elasticity(growth, elasticity):
    wanted = technology.chargers_wanted(growth * 3e6, 3e6, elasticity)
    assert np.log(wanted) == pytest.approx(elasticity * np.log(growth), abs=1e-9)


@given(st.floats(0.0, 60.0))
def test_the_adjustment_has_its_mean_lag(lag):
    stock, left = 0.0, []
    for _ in range(4_000):
        left.append(1.0 - stock)
        stock = technology.partial_adjustment(stock, 1.0, lag)
    assert sum(left) == pytest.approx(1.0 + lag, rel=1e-9)  # months short of the goal, summed


def test_without_a_lag_the_stock_is_what_is_wanted():
    assert technology.partial_adjustment(3.0, 8.0, 0.0) == 8.0


@given(st.floats(0.0, 400.0), st.floats(10.0, 300.0), st.floats(0.5, 8.0))
def test_survival_is_the_weibull_law(age, scale, shape):
    assert technology.survival(age, scale, shape) == pytest.approx(
        stats.weibull_min.sf(age, shape, scale=scale), abs=1e-12
    )


@given(st.floats(0.1, 2.0), st.integers(1, 30), st.integers(1, 30), st.floats(0.0, 2.0))
def test_attention_falls_with_the_number_of_partners_by_its_elasticity(support, members, base, elasticity):
    left = technology.diluted(support, members, base, elasticity)
    assert np.log(left / support) == pytest.approx(-elasticity * np.log(members / base), abs=1e-9)
    assert technology.diluted(support, base, base, elasticity) == pytest.approx(support)
    assert technology.diluted(support, members + 1, base, elasticity) <= left


def test_without_partners_attention_is_what_the_first_would_get():
    assert technology.diluted(0.8, 0, 4, 0.5) == technology.diluted(0.8, 1, 4, 0.5) == pytest.approx(1.6)


@given(st.floats(0.1, 10.0), st.floats(1.0, 1e6), st.floats(1.0, 1e6), st.floats(0.0, 2.0))
def test_a_budget_follows_revenue_with_constant_elasticity(base, revenue, base_revenue, elasticity):
    budget = technology.research_budget(base, revenue, base_revenue, elasticity)
    assert np.log(budget / base) == pytest.approx(elasticity * np.log(revenue / base_revenue), abs=1e-9)


def test_a_firm_that_sold_nothing_spends_what_it_set_out_with():
    assert technology.research_budget(3.0, 500.0, 0.0, 0.5) == 3.0
    assert technology.research_budget(3.0, -5.0, 100.0, 0.5) == 0.0  # and one that sells nothing, nothing
