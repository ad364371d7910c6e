"""Present values of profits known at a few points in time, and what would have turned a choice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.economics.valuation import annuity_value, phased, present_value, turning_change, yearly

FLOWS = st.lists(st.floats(-100.0, 100.0), min_size=1, max_size=12)


@given(st.floats(-50.0, 50.0), st.floats(-5.0, 5.0), st.integers(1, 6))
def test_a_flow_that_grows_in_a_straight_line_is_read_off_it_in_the_middle_of_each_year(level, slope, horizon):
    years = np.array([0.5, 2.0, 6.0])
    assert yearly(years, level + slope * years, horizon) == pytest.approx(
        level + slope * (np.arange(horizon) + 0.5), abs=1e-9
    )


def test_outside_the_points_a_flow_is_level():
    assert yearly([2.0, 4.0], [10.0, 20.0], 7).tolist() == [10.0, 10.0, 12.5, 17.5, 20.0, 20.0, 20.0]
    assert yearly([3.0], [7.0], 4).tolist() == [7.0] * 4
    several = np.array([[10.0, 20.0], [-1.0, 5.0]])
    assert yearly([2.0, 4.0], several, 7) == pytest.approx(np.stack([yearly([2.0, 4.0], one, 7) for one in several]))
    assert present_value(several, 0.1).tolist() == pytest.approx([present_value(one, 0.1) for one in several])


@given(FLOWS, st.floats(0.0, 14.0))
def test_years_before_the_change_are_the_old_flows_years_after_it_the_new_ones_the_year_itself_part_of_both(
    flow, delay
):
    horizon = len(flow)
    mixed = phased(np.zeros(horizon), np.ones(horizon), delay)
    for year in range(horizon):
        if delay <= year:
            assert mixed[year] == 1.0
        elif delay >= year + 1:
            assert mixed[year] == 0.0
        else:
            assert mixed[year] == pytest.approx(year + 1 - delay)
    before, after = np.array(flow), np.arange(horizon) - 3.0
    assert phased(before, after, delay) == pytest.approx(before + mixed * (after - before), abs=1e-12)
    assert mixed.sum() == pytest.approx(max(horizon - delay, 0.0))


@given(st.sampled_from([-0.3, 0.0, 0.02, 0.08, 0.5]), st.integers(1, 30))
def test_a_level_flow_is_worth_its_annuity(rate, horizon):
    factor = 1.0 / (1.0 + rate)
    series = horizon if rate == 0.0 else (1.0 - factor**horizon) / (1.0 - factor)
    assert present_value(np.full(horizon, 3.0), rate) == pytest.approx(3.0 * factor**0.5 * series, rel=1e-9)


def test_without_interest_a_present_value_is_a_sum():
    assert present_value([1.0, 2.0, 4.0], 0.0) == 7.0
    assert present_value([100.0], 0.21) == pytest.approx(100.0 / 1.1)  # in the middle of the year


@given(FLOWS, st.floats(-0.3, 0.5))
def test_the_even_flow_is_worth_as_much_and_is_itself_where_the_flow_is_even(flow, rate):
    even = annuity_value(flow, rate)
    assert present_value(np.full(len(flow), even), rate) == pytest.approx(present_value(flow, rate), abs=1e-8)
    assert annuity_value([even] * len(flow), rate) == pytest.approx(even, abs=1e-9)
    assert min(flow) - 1e-9 <= even <= max(flow) + 1e-9


@given(st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=6), st.floats(0.0, 1e3))
def test_the_change_named_closes_the_gap_and_no_other_part_closes_it_with_a_smaller_one(parts, gap):
    place, change = turning_change(parts, gap)
    sizes = np.abs(parts)
    if sizes.max() == 0.0:
        assert (place, change) == (-1, np.inf)
        return
    raised = np.array(parts, dtype=float)
    raised[place] += change * sizes[place]
    assert raised.sum() - np.sum(parts) == pytest.approx(gap, rel=1e-9, abs=1e-9)
    for other in np.flatnonzero(sizes):
        assert change * sizes[other] <= gap * (1.0 + 1e-12)


def test_the_largest_part_turns_a_choice_with_the_smallest_change():
    assert turning_change([40.0, -50.0, 3.0], 5.0) == (1, pytest.approx(0.1))  # a cost a tenth lower
    assert turning_change([40.0, -50.0, 3.0], 0.0) == (1, 0.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: present_value([1.0], -1.0), "rate=-1.0"),
        (lambda: annuity_value([1.0], np.nan), "rate=nan"),
        (lambda: turning_change([1.0], -0.1), "gap=-0.1"),
        (lambda: turning_change([1.0], np.nan), "gap=nan"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
