"""Pólya's urns: every path enumerated, laws of scipy, and the limit."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from evsim.economics.urns import (
    feedback_chances,
    urn_law,
    urn_limit,
    urn_marginals,
    urn_moments,
    urn_probability,
)


def linear(reinforcement, start):
    """Chances of the linear urn, from counts that rise by one with every draw."""
    start = np.asarray(start, dtype=float)

    def chances(counts):
        held = start + reinforcement * (counts - start)
        return held / held.sum(axis=-1, keepdims=True)

    return chances


def paths_twin(draws, start, chances):
    """The law by walking every sequence of colours."""
    law = np.zeros((draws + 1,) * (len(start) - 1))
    for path in itertools.product(range(len(start)), repeat=draws):
        counts, chance = np.array(start, dtype=float), 1.0
        for colour in path:
            chance *= chances(counts[None])[0, colour]
            counts[colour] += 1.0
        law[tuple((counts - start).astype(int)[:-1])] += chance
    return law


@pytest.mark.parametrize(
    ("start", "chances"),
    [
        ([1, 2], linear(1.0, [1, 2])),
        ([2, 1, 3], linear(0.5, [2, 1, 3])),
        ([1, 2], lambda counts: feedback_chances(counts, 1.7)),
        ([1, 2, 1], lambda counts: feedback_chances(counts, 2.5)),
        ([0.5, 0.2, 3, 1], lambda counts: feedback_chances(counts, 0.5)),
    ],
)
def test_the_recursion_gives_the_law_of_all_paths(start, chances):
    draws = 5
    law = urn_law(draws, start, chances)
    assert law == pytest.approx(paths_twin(draws, start, chances), abs=1e-14)
    assert law.sum() == pytest.approx(1.0, abs=1e-14)


def test_the_linear_urn_is_exact_in_fractions():
    """Rational arithmetic: start ½, 2 and 3, reinforcement ⅔, seven draws."""
    start, gain, draws = [Fraction(1, 2), Fraction(2), Fraction(3)], Fraction(2, 3), (2, 1, 4)

    def rise(amount, times):
        return math.prod((amount + gain * k for k in range(times)), start=Fraction(1))

    ways = Fraction(math.factorial(7), math.prod(math.factorial(n) for n in draws))
    exact = ways * math.prod(rise(a, n) for a, n in zip(start, draws, strict=True)) / rise(sum(start), 7)
    found = urn_probability(draws, [float(a) for a in start], float(gain))
    assert found == pytest.approx(float(exact), rel=1e-14)


@given(
    start=st.lists(st.floats(0.1, 20.0), min_size=2, max_size=3), reinforcement=st.floats(0.05, 5.0),
    draws=st.integers(0, 12),
)  # fmt: skip
def test_the_linear_urn_is_dirichlet_multinomial(start, reinforcement, draws):
    counts = np.array([n for n in itertools.product(range(draws + 1), repeat=len(start)) if sum(n) == draws])
    found, shape = urn_probability(counts, start, reinforcement), np.array(start) / reinforcement
    assert found == pytest.approx([stats.dirichlet_multinomial.pmf(n, shape, draws) for n in counts], rel=1e-9)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    mean, covariance = urn_moments(draws, start, reinforcement)
    assert mean == pytest.approx(found @ counts, abs=1e-11)
    spread = (counts - mean).T @ (found[:, None] * (counts - mean))
    assert covariance == pytest.approx(spread, abs=1e-10)
    marginals = urn_marginals(draws, start, reinforcement)
    for colour in range(len(start)):
        expected = np.bincount(counts[:, colour], weights=found, minlength=draws + 1)
        assert marginals[colour] == pytest.approx(expected, abs=1e-12)


def test_one_ball_of_each_colour_makes_every_number_of_draws_alike():
    assert urn_marginals(60, [1, 1]) == pytest.approx(np.full((2, 61), 1 / 61), rel=1e-12)


def test_without_reinforcement_draws_are_independent():
    counts = np.array([[2, 3, 1], [0, 0, 6]])
    expected = stats.multinomial.pmf(counts, 6, [0.2, 0.3, 0.5])
    assert urn_probability(counts, [2, 3, 5], 0.0) == pytest.approx(expected, rel=1e-12)
    assert np.diag(urn_moments(6, [2, 3, 5], 0.0)[1]) == pytest.approx([0.96, 1.26, 1.5], rel=1e-14)


def test_a_colour_that_is_not_there_is_never_drawn():
    assert urn_probability([[1, 2], [0, 3]], [0.0, 1.0]) == pytest.approx([0.0, 1.0], abs=1e-15)


def test_shares_of_a_long_lived_urn_have_the_limit_law():
    start, reinforcement, draws = [1.5, 2.0, 0.7], 0.8, 4000
    limit = urn_limit(start, reinforcement)
    cumulated = np.cumsum(urn_marginals(draws, start, reinforcement), axis=1)
    share = np.array([0.1, 0.35, 0.7])
    found = cumulated[:, (share * draws).astype(int)].T
    assert found == pytest.approx(limit.marginal_cdf(share), abs=2e-3)
    mean, covariance = urn_moments(10**9, start, reinforcement)
    assert mean / 1e9 == pytest.approx(limit.mean, rel=1e-12)
    assert covariance / 1e18 == pytest.approx(limit.covariance, rel=1e-8)


def test_the_limit_law_is_dirichlet():
    limit = urn_limit([1.5, 2.0, 0.7], 0.5)
    other = stats.dirichlet([3.0, 4.0, 1.4])
    assert limit.mean == pytest.approx(other.mean(), rel=1e-14)
    assert limit.covariance == pytest.approx(other.cov(), rel=1e-12)
    shares = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    assert limit.density(shares) == pytest.approx([other.pdf(x) for x in shares], rel=1e-12)
    grid = np.array([0.05, 0.4, 0.9])
    for colour, (a, b) in enumerate([(3.0, 5.4), (4.0, 4.4), (1.4, 7.0)]):
        assert limit.marginal_density(grid)[:, colour] == pytest.approx(stats.beta.pdf(grid, a, b), rel=1e-11)
        assert limit.marginal_cdf(grid)[:, colour] == pytest.approx(stats.beta.cdf(grid, a, b), rel=1e-11)


def test_moments_of_the_limit_are_integrals_of_its_density():
    limit = urn_limit([2.0, 3.0], 1.0)
    found, _ = integrate.quad(lambda x: x**1.5 * (1 - x) ** 2 * limit.density([x, 1 - x]), 0, 1, epsabs=1e-13)
    assert limit.moment([1.5, 2.0]) == pytest.approx(found, rel=1e-10)
    assert limit.moment([1, 0]) == pytest.approx(0.4, rel=1e-14)
    assert limit.density([1.2, -0.2]) == 0.0


def test_feedback_of_one_is_the_linear_urn():
    law = urn_law(30, [2, 3], lambda counts: feedback_chances(counts, 1.0))
    assert law == pytest.approx(urn_marginals(30, [2, 3])[0], rel=1e-12)


def test_the_more_feedback_the_less_the_shares_agree():
    spread = []
    for exponent in (0.0, 0.5, 1.0, 1.5, 2.5):
        law = urn_law(100, [1, 1], lambda counts, g=exponent: feedback_chances(counts, g))
        spread.append(law @ (np.arange(101) - 50.0) ** 2)
    assert (np.diff(spread) > 10).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: urn_probability([1, 2], [1, -1]), "start must be"),
        (lambda: urn_probability([1, 2], [0, 0]), "not all 0"),
        (lambda: urn_probability([1, 2], [1, 1], -1.0), "reinforcement=-1.0"),
        (lambda: urn_probability([1.5, 2], [1, 1]), "whole numbers"),
        (lambda: urn_probability([1, 2, 3], [1, 1]), "each of 2 colours"),
        (lambda: urn_marginals(-1, [1, 1]), "draws=-1"),
        (lambda: urn_moments(1.5, [1, 1]), "draws=1.5"),
        (lambda: urn_limit([1, 1], 0.0), "and reinforcement"),
        (lambda: urn_limit([1, 0]), "all there at the start"),
        (lambda: urn_limit([1, 1]).moment([1]), "powers"),
        (lambda: urn_limit([1, 1]).density([0.5, 0.6]), "sum to 1"),
        (lambda: urn_law(3, [1], feedback_chances), "two colours"),
        (lambda: urn_law(3, [1, 1], lambda counts: counts), "must sum to 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
