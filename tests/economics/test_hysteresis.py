"""Hysteresis of a mean-field logit: folds, loops, and the finite market that jumps."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, special

from evsim.economics.hysteresis import (
    escape_times,
    finite_market_law,
    fold_points,
    hysteresis_loop,
    logit_rates,
    loop_width,
    rest_points,
    share_at_rest,
    sweep,
)


def advantage_at(share, theta):
    """The advantage with which a share is at rest."""
    return special.logit(share) - theta * (share - 0.5)


@pytest.mark.parametrize("theta", [4.001, 4.5, 6.0, 12.0, 60.0])
def test_folds_are_where_the_advantage_at_rest_turns(theta):
    advantages, shares = fold_points(theta)
    for share, (low, high), sign in zip(shares, ((1e-12, 0.5), (0.5, 1 - 1e-12)), (-1, 1), strict=True):
        turn = optimize.minimize_scalar(
            lambda x, s=sign: s * advantage_at(x, theta), bounds=(low, high), method="bounded", options={"xatol": 1e-12}
        )
        assert share == pytest.approx(turn.x, abs=2e-6)
        assert theta * share * (1 - share) == pytest.approx(1.0, rel=1e-12)
    assert advantages == pytest.approx(advantage_at(shares, theta), abs=1e-12)
    assert loop_width(theta) == pytest.approx(advantages[0] - advantages[1], rel=1e-15)


def test_there_is_no_loop_up_to_the_threshold_and_a_wider_one_the_further_above_it():
    assert [loop_width(theta) for theta in (-3.0, 0.0, 2.0, 3.999, 4.0)] == [0.0] * 5
    assert len(fold_points(4.0)[0]) == 0
    widths = [loop_width(theta) for theta in (4.01, 4.1, 5.0, 8.0, 30.0)]
    assert widths[0] > 0 and (np.diff(widths) > 0).all()
    assert loop_width(4.004) == pytest.approx(4 * 2 / 3 * (1 - 4 / 4.004) ** 1.5, rel=2e-3)  # opens like a 3/2 power


@given(theta=st.floats(-15.0, 40.0), advantage=st.floats(-12.0, 12.0))
def test_all_rest_points_are_found(theta, advantage):
    shares, stable = rest_points(advantage, theta)
    assert special.expit(advantage + theta * (shares - 0.5)) == pytest.approx(shares, abs=1e-13)
    folds = fold_points(theta)[0]
    if len(folds) and np.abs(folds - advantage).min() > 1e-6:
        assert len(shares) == (3 if abs(advantage) < folds[0] else 1)
    if len(shares) != 2:
        slope = theta * shares * (1 - shares)
        assert ((slope < 1 + 1e-9) == stable).all() and stable[0] and stable[-1]
    log_odds = advantage + np.linspace(-1, 1, 4000) * (0.5 * abs(theta) + 1)
    excess = log_odds - advantage - theta * (special.expit(log_odds) - 0.5)
    assert len(shares) >= np.diff(excess > 0).sum()


def test_just_at_a_fold_two_rest_points_are_left_and_one_of_them_may_be_pushed_over():
    advantages, ends = fold_points(7.0)
    shares, stable = rest_points(advantages[0], 7.0)
    assert shares[0] == pytest.approx(ends[0], abs=1e-9) and stable.tolist() == [False, True]


def test_they_are_brock_and_durlaufs_mean_choices():
    field, coupling = 0.1, 1.4
    shares, _ = rest_points(2 * field, 4 * coupling)
    mean = 2 * shares - 1
    assert len(mean) == 3 and np.tanh(field + coupling * mean) == pytest.approx(mean, abs=1e-14)


@pytest.mark.parametrize("start", [0.01, 0.3, 0.5, 0.52, 0.99])
@pytest.mark.parametrize(("advantage", "theta"), [(0.0, 6.0), (0.2, 6.0), (-0.1, 4.3), (0.4, 2.0)])
def test_the_market_rests_where_the_flow_leads(start, advantage, theta):
    flow = integrate.solve_ivp(
        lambda _, x: special.expit(advantage + theta * (x - 0.5)) - x, (0.0, 400.0), [start], rtol=1e-10, atol=1e-12
    )
    assert share_at_rest(start, advantage, theta) == pytest.approx(flow.y[0, -1], abs=1e-7)


def test_a_share_won_by_an_advantage_stays_when_the_advantage_is_gone():
    assert sweep([0.0, 2.0, 0.0], 8.0, 0.0)[[0, 2]] == pytest.approx([0.0213, 0.9787], abs=1e-3)
    with_little = sweep([0.0, 2.0, 0.0], 3.0, 0.0)
    assert with_little[0] == pytest.approx(with_little[2], abs=1e-12)


@pytest.mark.parametrize("theta", [2.0, 5.0, 9.0])
def test_the_swept_loop_is_as_wide_as_the_folds_say(theta):
    grid = np.linspace(-3, 3, 1201)
    rising, falling = hysteresis_loop(grid, theta)
    apart = falling - rising > 1e-9
    assert apart.sum() * (grid[1] - grid[0]) == pytest.approx(loop_width(theta), abs=2 * (grid[1] - grid[0]))
    assert (np.diff(rising) > 0).all() and (np.diff(falling) > 0).all()
    assert rising == pytest.approx(1.0 - falling[::-1], abs=1e-12)


def test_the_finite_market_has_the_law_that_its_rates_leave_as_it_is():
    births, deaths = logit_rates(30, 0.3, 5.0)
    law = finite_market_law(30, 0.3, 5.0)
    flow = np.zeros(31)
    flow[1:] += births[:-1] * law[:-1] - deaths[1:] * law[1:]
    flow[:-1] -= births[:-1] * law[:-1] - deaths[1:] * law[1:]
    assert flow == pytest.approx(np.zeros(31), abs=1e-15)
    assert (births + deaths)[0] == pytest.approx(30 * special.expit(0.3 - 2.5), rel=1e-14)


def test_without_network_effect_the_finite_market_is_binomial():
    count = np.arange(41)
    logs = special.gammaln(41) - special.gammaln(count + 1) - special.gammaln(41 - count)
    share = special.expit(0.7)
    expected = np.exp(logs + count * np.log(share) + (40 - count) * np.log(1 - share))
    assert finite_market_law(40, 0.7, 0.0) == pytest.approx(expected, rel=1e-11)


def test_the_finite_market_is_mostly_near_the_stable_rest_points():
    shares, stable = rest_points(0.0, 5.0)
    law = finite_market_law(2000, 0.0, 5.0)
    peaks = np.flatnonzero((law[1:-1] > law[:-2]) & (law[1:-1] > law[2:])) + 1
    assert peaks / 2000 == pytest.approx(shares[stable], abs=1e-3)
    assert law @ np.arange(2001) == pytest.approx(1000.0, abs=1e-8)


def test_escape_takes_a_time_that_grows_by_the_height_of_the_barrier_per_consumer():
    theta, advantage = 5.0, 0.05
    shares, _ = rest_points(advantage, theta)

    def uphill(x):
        up = special.expit(advantage + theta * (x - 0.5))
        return math.log(x * (1 - up) / ((1 - x) * up))

    height, _ = integrate.quad(uphill, shares[0], shares[1], epsabs=1e-13)
    times = [escape_times(n, advantage, theta)[0] for n in (1000, 2000)]
    assert math.log(times[1] / times[0]) / 1000 == pytest.approx(height, rel=2e-2)


def test_escape_times_solve_the_chains_linear_system():
    births, deaths = logit_rates(60, 0.1, 6.0)
    shares, stable = rest_points(0.1, 6.0)
    low, high = (round(60 * x) for x in shares[stable])
    generator = np.diag(births[:-1], 1) + np.diag(deaths[1:], -1) - np.diag(births + deaths)
    for k, (start, target) in enumerate([(low, high), (high, low)]):
        others = np.arange(61) != target
        times = np.zeros(61)
        times[others] = np.linalg.solve(generator[np.ix_(others, others)], -np.ones(60))
        assert escape_times(60, 0.1, 6.0)[k] == pytest.approx(times[start], rel=1e-8)


def test_an_advantage_makes_escape_to_it_quicker_and_from_it_slower():
    up, down = np.array([escape_times(80, a, 6.0) for a in (0.0, 0.1, 0.2)]).T
    assert up[0] == pytest.approx(down[0], rel=1e-10)
    assert (np.diff(up) < 0).all() and (np.diff(down) > 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fold_points(math.nan), "network_effect=nan"),
        (lambda: rest_points(math.inf, 1.0), "advantage=inf"),
        (lambda: share_at_rest(1.2, 0.0, 1.0), "share=1.2"),
        (lambda: hysteresis_loop([0.0, 0.0], 5.0), "must rise"),
        (lambda: hysteresis_loop([], 5.0), "must rise"),
        (lambda: logit_rates(0, 0.0, 5.0), "n_consumers=0"),
        (lambda: escape_times(10, 0.0, 3.0), "nothing to escape from"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
