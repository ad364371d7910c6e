"""Arthur's walk: linear algebra, the buyers themselves, and limits."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics.walks import absorption, absorption_times, lock_in_barriers


def linear_twin(lower, upper, start, probability):
    """Chance of the upper barrier, expected steps, and steps of those who end there, from the walk's equations."""
    size = upper - lower + 1
    step = np.diag(np.full(size - 1, probability), 1) + np.diag(np.full(size - 1, 1 - probability), -1)
    step[0] = step[-1] = 0.0
    inside = np.ones(size)
    inside[0] = inside[-1] = 0.0
    high = np.linalg.solve(np.eye(size) - step, np.eye(size)[-1])
    steps = np.linalg.solve(np.eye(size) - step, inside)
    steps_high = np.linalg.solve(np.eye(size) - step, inside * high)
    k = start - lower
    return high[k], steps[k], steps_high[k] / high[k]


@given(
    below=st.integers(1, 15), above=st.integers(1, 15), probability=st.floats(0.05, 0.95), start=st.integers(-3, 3),
)  # fmt: skip
def test_the_closed_forms_solve_the_walks_equations(below, above, probability, start):
    lower, upper = start - below, start + above
    found = absorption(lower, upper, start, probability)
    high, steps, steps_high = linear_twin(lower, upper, start, probability)
    assert found.upper == pytest.approx(high, rel=1e-9) and found.lower == pytest.approx(1 - high, abs=1e-12)
    assert found.steps == pytest.approx(steps, rel=1e-10)
    assert found.steps_if_upper == pytest.approx(steps_high, rel=1e-8)


@pytest.mark.parametrize("probability", [0.5, 0.5 + 1e-12, 0.5 + 1e-6, 0.5001, 0.51, 0.7, 0.999])
def test_nearly_even_chances_are_as_exact_as_even_ones(probability):
    """Rational arithmetic, in the textbook's form."""
    p, lower, upper, start = Fraction(probability), -30, 45, 4
    z, whole, odds = start - lower, upper - lower, (1 - p) / p
    high = Fraction(z, whole) if odds == 1 else (1 - odds**z) / (1 - odds**whole)
    steps = z * (whole - z) if odds == 1 else (z - whole * high) / (1 - 2 * p)
    found = absorption(lower, upper, start, probability)
    assert found.upper == pytest.approx(float(high), rel=1e-13)
    assert found.steps == pytest.approx(float(steps), rel=1e-13)


def test_even_chances_give_the_ratio_of_distances():
    found = absorption(-3, 7)
    assert (found.upper, found.lower, found.steps) == pytest.approx((0.3, 0.7, 21.0), rel=1e-15)
    assert found.steps_if_upper == pytest.approx((100 - 9) / 3, rel=1e-15)


@given(lower=st.integers(-9, -1), upper=st.integers(1, 9), probability=st.floats(0.02, 0.98))
def test_the_mirrored_walk_ends_on_the_other_side(lower, upper, probability):
    one, other = absorption(lower, upper, 0, probability), absorption(-upper, -lower, 0, 1.0 - probability)
    assert (one.upper, one.lower, one.steps) == pytest.approx((other.lower, other.upper, other.steps), rel=1e-9)
    mix = one.upper * one.steps_if_upper + one.lower * one.steps_if_lower
    assert one.steps == pytest.approx(mix, rel=1e-14)


@pytest.mark.parametrize(("start", "probability"), [(0, 0.5), (2, 0.3), (-3, 0.8)])
def test_the_times_of_absorption_add_up_to_the_closed_forms(start, probability):
    times = absorption_times(3000, -4, 5, start, probability)
    found, step = absorption(-4, 5, start, probability), np.arange(3001)
    assert times.sum(axis=0) == pytest.approx([found.lower, found.upper], rel=1e-12)
    means = step @ times / times.sum(axis=0)
    assert means == pytest.approx([found.steps_if_lower, found.steps_if_upper], rel=1e-11)


def test_the_first_times_are_those_of_all_paths():
    """From 0 to 2 or −1: up-up, or down, or up-down and again."""
    p = 0.3
    times = absorption_times(4, -1, 2, 0, p)
    assert times[:, 0] == pytest.approx([0, 0.7, 0, p * 0.7 * 0.7, 0], abs=1e-15)
    assert times[:, 1] == pytest.approx([0, 0, p * p, 0, p * 0.7 * p * p], abs=1e-15)


def test_with_one_barrier_a_walk_that_drifts_to_it_ends_and_one_that_drifts_away_may_not():
    toward, away, even = (absorption(-math.inf, 5, 0, p) for p in (0.6, 0.4, 0.5))
    assert (toward.upper, toward.steps) == pytest.approx((1.0, 25.0), rel=1e-12)
    assert away.upper == pytest.approx((0.4 / 0.6) ** 5, rel=1e-12) and away.steps == math.inf
    assert away.steps_if_upper == pytest.approx(25.0, rel=1e-12)
    assert (even.upper, even.lower, even.steps) == (1.0, 0.0, math.inf)
    far = absorption(-4000, 5, 0, 0.4)
    assert far.upper == pytest.approx(away.upper, rel=1e-12)
    times = absorption_times(40, -math.inf, 5, 0, 0.6)
    assert times == pytest.approx(absorption_times(40, -60, 5, 0, 0.6), abs=1e-15)


def test_with_one_type_of_buyer_only_the_walk_is_straight():
    found = absorption(-3, 4, 1, 1.0)
    assert (found.upper, found.lower, found.steps) == (1.0, 0.0, 3.0) and math.isnan(found.steps_if_lower)
    assert absorption(-3, 4, 1, 0.0).steps == 4.0
    assert absorption(-3, 4, 4).upper == 1.0 and absorption(-3, 4, 4).steps == 0.0


def first_lead_twin(preference, gain):
    """The first lead of the other technology at which a buyer takes it, asking one buyer after another."""
    lead = 0
    while not Fraction(gain) * lead > Fraction(preference):
        lead += 1
    return lead


@pytest.mark.parametrize(
    ("preferences", "returns"),
    [(("0.3", "1"), ("0.1", "0.3")), (("2.5", "0"), ("0.7", "1")), (("1.1", "4.9"), ("0.1", "0.7"))],
)
def test_the_barriers_are_where_buyers_give_in(preferences, returns):
    lower, upper = lock_in_barriers([float(x) for x in preferences], [float(x) for x in returns])
    assert -lower == first_lead_twin(preferences[0], returns[0])
    assert upper == first_lead_twin(preferences[1], returns[1])


def test_who_gains_nothing_from_others_never_gives_in():
    assert lock_in_barriers((1.0, 1.0), (0.0, 0.5)) == (-math.inf, 3)


def test_stronger_returns_lock_in_sooner_and_taste_slows_it():
    steps = [absorption(*lock_in_barriers((1.0, 1.0), (r, r))).steps for r in (0.05, 0.11, 0.3, 2.0)]
    assert (np.diff(steps) < 0).all() and steps[-1] == 1.0
    slower = [absorption(*lock_in_barriers((a, 1.0), (0.3, 0.3))).steps for a in (0.0, 1.0, 5.0)]
    assert (np.diff(slower) > 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: absorption(1, 5), "start=0"),
        (lambda: absorption(0, 0), "must differ"),
        (lambda: absorption(-5, 5, 0.5), "whole"),
        (lambda: absorption(-1.5, 5), "whole numbers of adopters"),
        (lambda: absorption(-math.inf, math.inf), "never ends"),
        (lambda: absorption(-1, 5, 0, 1.2), "probability=1.2"),
        (lambda: absorption_times(-1, -1, 5), "n_steps=-1"),
        (lambda: lock_in_barriers((1.0, -1.0), (1.0, 1.0)), "preferences must be"),
        (lambda: lock_in_barriers((1.0, 1.0), (1.0, math.nan)), "returns must be"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
