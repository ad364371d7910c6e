"""Elementary functions of rows, against numpy's."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evsim import vectors
from evsim.compiled import fused, njit, power_of_two

POSITIVE = arrays(float, st.integers(0, 40), elements=st.floats(1e-300, 1e300))


@njit
def fused_of(a, b, c):
    """`fused`, which only compiled code can call."""
    return fused(a, b, c)


@njit
def power_of(k):
    return power_of_two(k)


def ulps(found, exact):
    """How many units in the last place the found numbers are off by, at most."""
    return float((np.abs(found - exact) / np.spacing(np.abs(exact))).max(initial=0.0))


@given(arrays(float, st.integers(0, 40), elements=st.floats(-800.0, 0.0)), st.floats(0.0, 5.0))
def test_exponentials_are_exact_to_two_units_in_the_last_place(exponents, shift):
    out, exact = np.full(len(exponents), np.nan), np.exp(exponents - shift)
    vectors.exponentials(exponents, shift, out)
    faint = exponents - shift < -708.0
    assert (out[faint] == 0.0).all()
    assert ulps(out[~faint], exact[~faint]) <= 2.0
    vectors.exponentials(exponents, shift, exponents)
    assert np.array_equal(exponents, out)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_fused_product_is_rounded_once(a, b, c):
    assert fused_of(a, b, c) == float(Fraction(a) * Fraction(b) + Fraction(c))


@pytest.mark.parametrize("power", [-1022, -1, 0, 1, 52, 1023])
def test_a_power_of_two_is_its_bits(power):
    assert power_of(float(power)) == math.ldexp(1.0, power)


@given(arrays(float, st.integers(1, 40), elements=st.floats(-700.0, 700.0)))
def test_exponentials_of_positive_numbers_need_no_shift(exponents):
    out = np.empty(len(exponents))
    vectors.exponentials(exponents, 0.0, out)
    assert ulps(out, np.exp(exponents)) <= 2.0


def test_exponentials_at_the_edges():
    edges, out = np.array([0.0, -np.inf, np.nan, -708.0, -709.0]), np.empty(5)
    vectors.exponentials(edges, 0.0, out)
    assert out[[0, 1, 4]].tolist() == [1.0, 0.0, 0.0] and np.isnan(out[2]) and out[3] > 0.0
    vectors.exponentials(np.array([709.0, 709.1, 1e5, np.inf]), 0.0, out[:4])
    assert np.isfinite(out[0]) and (out[1:4] == np.inf).all()


@given(arrays(float, st.integers(0, 30), elements=st.floats(-1e3, 1e3)))
def test_a_product_of_rows_is_the_sum_of_its_entries(row):
    other = np.cos(np.arange(len(row)))
    assert vectors.dot_of(row, other) == pytest.approx(math.fsum(row * other), abs=1e-9 * (1.0 + np.abs(row).sum()))


def test_a_row_of_whole_vectors_holds_the_row():
    assert [vectors.whole_vectors(length) for length in (0, 1, 8, 9, 223)] == [0, 8, 8, 16, 224]


@given(POSITIVE)
def test_logarithms_are_exact_to_three_units_in_the_last_place(numbers):
    out = np.empty(len(numbers))
    vectors.logarithms(numbers, np.empty(len(numbers), dtype=np.int64), out)
    assert ulps(out, np.log(numbers)) <= 3.0


@pytest.mark.parametrize("distance", [0.0, 1e-16, 1e-12, 1e-5, 0.29, 0.3, 0.4])
def test_logarithms_near_one_keep_their_digits(distance):
    numbers, out = np.array([1.0 - distance, 1.0 + distance]), np.empty(2)
    vectors.logarithms(numbers, np.empty(2, dtype=np.int64), out)
    assert out == pytest.approx(np.log(numbers), rel=1e-15, abs=0.0)


@given(arrays(float, st.integers(0, 30), elements=st.floats(-1e6, 1e6)))
def test_sums_and_maxima_of_rows(row):
    assert vectors.highest_of(row) == max(row.tolist(), default=-np.inf)
    assert vectors.sum_of(row) == pytest.approx(sum(row.tolist()), abs=1e-9 * (1.0 + np.abs(row).sum()))
