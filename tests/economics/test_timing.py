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
    single = np.array([timing.shopping_spell(value, 0.02, 4.0) for value in values])
    assert np.allclose(np.stack([visits, waiting], axis=1), single, rtol=1e-14, atol=0.0)


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


# Pull-forward: trips moved by an announced change.

PATHS = st.lists(st.floats(-2.0, 3.0), min_size=2, max_size=9)


def step_path(n_before, n_after, loss):
    """Inclusive values that fall by a loss after some months."""
    return np.repeat([1.0, 1.0 - loss], [n_before, n_after])


@given(value=st.floats(-5.0, 5.0), n_months=st.integers(1, 12), cost=st.floats(0.0, 2.0), mean=st.floats(0.01, 5.0))
def test_without_an_announcement_nothing_moves(value, n_months, cost, mean):
    values, due = np.full(n_months, value), np.arange(n_months + 3)
    assert (timing.best_months(values, due, np.full(n_months + 3, cost)) == due).all()
    flow = np.random.default_rng(n_months).uniform(0.5, 2.0, n_months)
    assert (timing.shopping_profile(values, flow, mean) == flow).all()
    assert (timing.expiry_profile(0.0, n_months, mean) == 1.0).all()


@given(loss=st.floats(0.01, 3.0), cost=st.floats(0.001, 2.0), due=st.integers(0, 11))
def test_a_loss_pulls_a_trip_to_the_last_month_before_it_when_it_exceeds_the_cost_of_advancing(loss, cost, due):
    pulled = due >= 5 and 1.0 - (1.0 - loss) > cost * (due - 4)
    assert timing.best_month(step_path(5, 7, loss), due, cost) == (4 if pulled else due)


@given(gain=st.floats(0.01, 3.0), cost=st.floats(0.001, 2.0), due=st.integers(0, 11))
def test_a_gain_delays_a_trip_to_the_first_month_after_it_likewise(gain, cost, due):
    delayed = due < 5 and 1.0 + gain - 1.0 > cost * (5 - due)
    assert timing.best_month(step_path(5, 7, -gain), due, cost) == (5 if delayed else due)


@given(path=PATHS, due=st.integers(0, 8), cost=st.floats(0.0, 1.5))
def test_no_month_is_worth_more_than_the_one_chosen(path, due, cost):
    values = np.array(path)
    chosen = timing.best_month(values, due, cost)
    if due >= len(values):
        assert chosen == due
        return
    worth = values - cost * np.abs(np.arange(len(values)) - due)
    assert worth[chosen] >= worth.max() - 1e-12
    assert timing.best_months(np.tile(values, (3, 1)), np.full(3, due), np.full(3, cost)).tolist() == [chosen] * 3


@given(path=PATHS, cost=st.floats(0.001, 1.5))
def test_the_plan_of_one_month_is_still_the_plan_of_the_next(path, cost):
    values = np.array(path)
    for due in range(len(values)):
        chosen = timing.best_month(values, due, cost)
        for now in range(min(chosen, due) + 1):  # months pass; the path is what was announced
            worth = values[now:] - cost * np.abs(np.arange(now, len(values)) - due)
            again = now + timing.best_month(values[now:], due - now, cost)
            assert worth[again - now] == pytest.approx(worth[chosen - now], abs=1e-12)


@given(path=PATHS, due=st.integers(0, 8), mean=st.floats(0.05, 2.0))
def test_the_chances_of_months_are_those_of_households_whose_costs_follow_the_exponential_law(path, due, mean):
    values, n = np.array(path), 4000
    if due >= len(values):
        return
    chances = np.empty(len(values))
    timing.month_chances(values, due, mean, chances)
    assert chances.sum() == pytest.approx(1.0, abs=1e-12)
    assert (chances >= 0.0).all()
    costs = timing.exponential_quantile((np.arange(n) + 0.5) / n, mean)
    counted = np.bincount(timing.best_months(values, np.full(n, due), costs), minlength=len(values)) / n
    assert np.abs(counted - chances).max() <= 1.0 / n + 1e-9


def test_the_exponential_quantile_is_scipys():
    chances = np.array([0.001, 0.3, 0.5, 0.99])
    assert timing.exponential_quantile(chances, 0.7) == pytest.approx(stats.expon.ppf(chances, scale=0.7), rel=1e-12)


@given(path=PATHS, mean=st.floats(0.05, 2.0), seed=st.integers(0, 99))
def test_trips_are_moved_and_never_lost(path, mean, seed):
    flow = np.random.default_rng(seed).uniform(0.5, 2.0, len(path))
    assert timing.shopping_profile(path, flow, mean).sum() == pytest.approx(flow.sum(), rel=1e-12)


@pytest.mark.parametrize("loss", [1.2, 0.3, -0.8])
@pytest.mark.parametrize("horizon", [1, 3, 6])
def test_surge_and_cliff_have_their_closed_form(loss, horizon):
    """Whoever is due n months after the last good month moves with chance 1 − exp(−loss/(n c̄)), n ≤ horizon."""
    profile = timing.expiry_profile(loss, horizon, 0.25)
    moved = 1.0 - np.exp(-abs(loss) / (0.25 * np.arange(1, horizon + 1)))
    near, far = (
        (profile[:horizon][::-1], profile[horizon:]) if loss > 0 else (profile[horizon:], profile[:horizon][::-1])
    )
    assert near == pytest.approx(np.r_[1.0 + moved.sum(), np.ones(horizon - 1)], rel=1e-12)
    assert far == pytest.approx(1.0 - moved, rel=1e-12)
    assert profile.sum() == pytest.approx(2.0 * horizon, rel=1e-12)
    path = step_path(horizon, horizon, loss)
    assert timing.shopping_profile(path, np.ones(2 * horizon), 0.25) == pytest.approx(profile, rel=1e-12)
    assert timing.shift_chance(abs(loss), 0.0, 2, 0.25) == pytest.approx(1.0 - np.exp(-abs(loss) / 0.5), rel=1e-12)


@pytest.mark.parametrize(("low", "high"), [((0.2, 0.25), (0.6, 0.25)), ((0.6, 0.5), (0.6, 0.25))])
def test_a_greater_loss_and_a_smaller_cost_deepen_the_cliff(low, high):
    (loss, mean), (greater, smaller) = low, high
    mild, deep = timing.expiry_profile(loss, 6, mean), timing.expiry_profile(greater, 6, smaller)
    assert deep[5] > mild[5] > 1.0
    assert (deep[6:] < mild[6:]).all()
    assert (np.diff(deep[6:]) > 0).all()  # farther due dates move less


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: timing.shopping_profile(np.ones(3), np.ones(3), 0.0), "must be positive"),
        (lambda: timing.shopping_profile(np.ones(3), np.ones(4), 1.0), "alike"),
        (lambda: timing.expiry_profile(1.0, 0, 1.0), "at least one month"),
        (lambda: timing.expiry_profile(1.0, 3, 0.0), "must be positive"),
    ],
)
def test_faulty_profiles_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


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
