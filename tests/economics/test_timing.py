"""When consumers shop: closed forms, slow twins and laws of large numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from evsim.economics import timing

VALUES = st.floats(-4.0, 8.0)
PAUSES = st.floats(1.0, 24.0)


def spell_by_recursion(inclusive_value, overdue_cost, pause, months=200_000):
    """Visits and waiting months of one cycle, month by month."""
    hazard, visits, waiting = 1.0 / pause, 1.0, 0.0
    alive = 1.0 / (1.0 + np.exp(inclusive_value))
    for overdue in range(1, months):
        waiting += alive
        visits += alive * hazard
        alive *= 1.0 - hazard / (1.0 + np.exp(-inclusive_value - overdue_cost * overdue))
        if alive < 1e-18:
            break
    return visits, waiting


def spells_by_simulation(inclusive_value, overdue_cost, pause, n_cycles):
    """Visits and waiting months of many cycles, each shopper drawn."""
    draws = np.random.default_rng(0)
    visits, waiting = np.ones(n_cycles), np.zeros(n_cycles)
    keeps = draws.uniform(size=n_cycles) > timing.buy_probability(inclusive_value, 0.0, overdue_cost)
    alive, overdue = np.flatnonzero(keeps), 0
    while len(alive):
        overdue += 1
        waiting[alive] += 1
        shops = draws.uniform(size=len(alive)) < 1.0 / pause
        visits[alive[shops]] += 1
        buys = draws.uniform(size=len(alive)) < timing.buy_probability(inclusive_value, float(overdue), overdue_cost)
        alive = alive[~(shops & buys)]
    return visits, waiting


@given(VALUES, PAUSES)
def test_without_impatience_visits_and_waiting_have_their_closed_form(inclusive_value, pause):
    keep = 1.0 / (1.0 + np.exp(inclusive_value))
    visits, waiting = timing.shopping_spell(inclusive_value, 0.0, pause)
    assert visits == pytest.approx(1.0 / (1.0 - keep), rel=1e-12)
    assert waiting == pytest.approx(pause * keep / (1.0 - keep), rel=1e-12)


@given(st.floats(-3.0, 8.0), st.floats(0.001, 0.5), st.floats(1.0, 12.0))
def test_a_spell_is_the_sum_over_its_months(inclusive_value, overdue_cost, pause):
    spell = timing.shopping_spell(inclusive_value, overdue_cost, pause)
    assert spell == pytest.approx(spell_by_recursion(inclusive_value, overdue_cost, pause), rel=1e-9)


@pytest.mark.parametrize(
    ("inclusive_value", "overdue_cost", "pause"), [(-1.0, 0.05, 3.0), (0.8, 0.01, 6.0), (-3.0, 0.2, 1.0)]
)
def test_simulated_cycles_have_the_expected_visits_and_waiting(inclusive_value, overdue_cost, pause):
    expected = timing.shopping_spell(inclusive_value, overdue_cost, pause)
    for drawn, mean in zip(spells_by_simulation(inclusive_value, overdue_cost, pause, 20_000), expected, strict=True):
        assert drawn.mean() == pytest.approx(mean, abs=5.0 * drawn.std() / np.sqrt(20_000))


@given(st.floats(-15.0, -8.0))
def test_a_spell_beyond_the_horizon_adds_its_geometric_tail(inclusive_value):
    patient = timing.shopping_spell(inclusive_value, 0.0, 6.0)
    hardly_impatient = timing.shopping_spell(inclusive_value, 1e-12, 6.0)
    assert hardly_impatient == pytest.approx(patient, rel=1e-6)


@given(VALUES, st.floats(0.0, 0.1), PAUSES)
def test_impatience_shortens_the_wait_and_value_too(inclusive_value, overdue_cost, pause):
    visits, waiting = timing.shopping_spell(inclusive_value, overdue_cost, pause)
    sooner = timing.shopping_spell(inclusive_value, overdue_cost + 0.05, pause)
    better = timing.shopping_spell(inclusive_value + 0.5, overdue_cost, pause)
    assert sooner[0] <= visits * (1 + 1e-12)
    assert sooner[1] <= waiting * (1 + 1e-12)
    assert better[0] < visits
    assert visits == pytest.approx(1.0 + waiting / pause, rel=1e-12)  # a visit every pause months, after the first


def test_many_spells_are_the_single_ones():
    values = np.linspace(-3.0, 5.0, 9)
    visits, waiting = timing.shopping_spells(values, 0.02, 4.0)
    assert list(zip(visits, waiting, strict=True)) == [timing.shopping_spell(value, 0.02, 4.0) for value in values]


@pytest.mark.parametrize(("inclusive_value", "overdue_cost"), [(-1.0, 0.0), (-2.0, 0.05), (1.0, 0.01)])
def test_months_overdue_of_waiting_households_follow_their_stationary_law(inclusive_value, overdue_cost):
    pause, chances = 5.0, (np.arange(20_000) + 0.5) / 20_000
    drawn = np.array([timing.overdue_quantile(u, inclusive_value, overdue_cost, pause) for u in chances])
    alive, law = 1.0 - timing.buy_probability(inclusive_value, 0.0, overdue_cost), []
    for overdue in range(1, 400):
        law.append(alive)
        alive *= 1.0 - timing.buy_probability(inclusive_value, float(overdue), overdue_cost) / pause
    law = np.array(law) / np.sum(law)
    counted = np.bincount(drawn, minlength=400)[1:400] / 20_000
    assert drawn.min() == 1
    assert np.abs(counted - law).max() < 1.0 / 20_000 + 1e-9


@given(st.floats(12.0, 240.0), st.floats(0.6, 8.0))
def test_the_weibull_scale_gives_the_mean(mean, shape):
    scale = timing.weibull_scale(mean, shape)
    assert stats.weibull_min.mean(shape, scale=scale) == pytest.approx(mean, rel=1e-9)


@given(st.floats(0.001, 0.999), st.floats(0.6, 8.0))
def test_the_weibull_quantile_is_scipys(probability, shape):
    expected = stats.weibull_min.ppf(probability, shape, scale=30.0)
    assert timing.weibull_quantile(probability, 30.0, shape) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shape", [0.8, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("probability", [0.01, 0.3, 0.5, 0.9, 0.999])
def test_the_length_biased_quantile_leaves_its_probability_below_it(shape, probability):
    scale = timing.weibull_scale(81.0, shape)
    quantile = timing.length_biased_quantile(probability, scale, shape)
    law = stats.weibull_min(shape, scale=scale)
    below, _ = integrate.quad(lambda t: t * law.pdf(t) / 81.0, 0.0, quantile, limit=200)
    assert below == pytest.approx(probability, abs=1e-6)


@pytest.mark.parametrize("pause", [1.0, 1.5, 6.0, 40.0])
def test_the_geometric_quantile_has_its_law_and_mean(pause):
    chances = (np.arange(200_000) + 0.5) / 200_000
    months = np.array([timing.geometric_quantile(u, pause) for u in chances])
    assert months.mean() == pytest.approx(pause, rel=2e-3)
    assert (months == np.round(months)).all()
    assert (months == 1).mean() == pytest.approx(1.0 / pause, abs=1e-5)
    assert months.min() == 1.0


@given(st.lists(st.floats(0.2, 5.0), min_size=12, max_size=12), st.integers(0, 11), st.integers(1, 60))
def test_the_clock_runs_a_month_a_month_over_every_year(factors, first_month, n_months):
    clock = timing.seasonal_clock(factors, first_month, n_months)
    assert len(clock) == n_months + 1
    assert clock[0] == 0.0
    assert (np.diff(clock) > 0).all()
    assert clock[12::12] == pytest.approx(np.arange(12, n_months + 1, 12), rel=1e-12)
    steps = np.diff(clock)
    scaled = np.array(factors) * 12.0 / np.sum(factors)
    assert steps == pytest.approx(scaled[(first_month + np.arange(n_months)) % 12], rel=1e-9)


def test_an_even_clock_is_the_calendar():
    assert timing.seasonal_clock(np.full(12, 7.0), 5, 30) == pytest.approx(np.arange(31))


@pytest.mark.parametrize("factors", [np.ones(11), np.r_[np.ones(11), 0.0], np.r_[np.ones(11), np.nan]])
def test_a_clock_that_would_stop_is_refused(factors):
    with pytest.raises(ValueError, match="twelve positive numbers"):
        timing.seasonal_clock(factors, 0, 12)
