"""Chains that go up or down by one, against linear algebra and closed forms."""

import math

import numpy as np
import pytest
from scipy import linalg, stats

from evsim.economics.birth_death import birth_death_law, first_passage_time

RANDOM = np.random.default_rng(5)


def random_rates(top):
    births, deaths = RANDOM.uniform(0.1, 3.0, top + 1), RANDOM.uniform(0.1, 3.0, top + 1)
    births[-1] = deaths[0] = 0.0
    return births, deaths


def generator(births, deaths):
    matrix = np.diag(births[:-1], 1) + np.diag(deaths[1:], -1)
    return matrix - np.diag(matrix.sum(axis=1))


@pytest.mark.parametrize("top", [1, 2, 7, 40])
def test_the_law_is_the_one_that_the_generator_leaves_as_it_is(top):
    births, deaths = random_rates(top)
    law = birth_death_law(births, deaths)
    assert law == pytest.approx(np.abs(linalg.null_space(generator(births, deaths).T)[:, 0]) / abs(
        linalg.null_space(generator(births, deaths).T)[:, 0].sum()), rel=1e-9)  # fmt: skip
    assert law.sum() == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize(("start", "target"), [(0, 7), (7, 0), (3, 5), (6, 1), (0, 1), (4, 4)])
def test_passage_times_solve_the_linear_system(start, target):
    births, deaths = random_rates(7)
    others = np.arange(8) != target
    times = np.zeros(8)
    times[others] = np.linalg.solve(generator(births, deaths)[np.ix_(others, others)], -np.ones(7))
    assert first_passage_time(births, deaths, start, target) == pytest.approx(times[start], rel=1e-11)


def test_ehrenfests_urn_is_binomial_and_takes_long_to_empty():
    """Each of N balls changes sides at rate 1; the mean return time to 0 is 2^N / N, and N + 1/N of it is spent nearby."""
    count = np.arange(31)
    births, deaths = 30.0 - count, count.astype(float)
    assert birth_death_law(births, deaths) == pytest.approx(stats.binom.pmf(count, 30, 0.5), rel=1e-12)
    returning = 1.0 / 30 + first_passage_time(births, deaths, 1, 0)
    assert returning == pytest.approx(2.0**30 / 30, rel=1e-12)


def test_a_queue_that_is_served_faster_than_it_grows_is_geometric():
    births, deaths = np.full(400, 1.0), np.full(400, 2.0)
    births[-1] = deaths[0] = 0.0
    assert birth_death_law(births, deaths)[:50] == pytest.approx(0.5 ** np.arange(1, 51), rel=1e-12)
    assert first_passage_time(births, deaths, 1, 0) == pytest.approx(1.0, rel=1e-12)


def test_a_very_long_time_is_still_a_number_and_one_beyond_all_numbers_is_infinite():
    births, deaths = np.full(1500, 1e-3), np.full(1500, 1.0)
    births[-1] = deaths[0] = 0.0
    assert first_passage_time(births, deaths, 0, 90) == pytest.approx(1e3**90 * 1.001001, rel=1e-2)
    assert first_passage_time(births, deaths, 0, 1400) == math.inf
    assert np.isfinite(birth_death_law(births, deaths)).all()


def test_a_barrier_matters_only_where_the_chain_can_come():
    births, deaths = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0, 1.0])
    assert first_passage_time(births, deaths, 1, 3) == math.inf  # it may fall to 0, and stay there
    assert first_passage_time(births, deaths * [1, 0, 1, 1], 1, 3) == pytest.approx(3.0, rel=1e-15)  # it cannot
    assert first_passage_time(births, deaths, 0, 2) == math.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: birth_death_law([1.0, 0.0], [0.0]), "one rate for every state"),
        (lambda: birth_death_law([0.0], [0.0]), "two states"),
        (lambda: birth_death_law([-1.0, 0.0], [0.0, 1.0]), "not negative"),
        (lambda: birth_death_law([1.0, 1.0], [0.0, 1.0]), "the highest no births"),
        (lambda: birth_death_law([1.0, 0.0], [1.0, 1.0]), "no deaths"),
        (lambda: birth_death_law([0.0, 0.0], [0.0, 1.0]), "gets stuck"),
        (lambda: first_passage_time([1.0, 0.0], [0.0, 1.0], 0, 2), "must be states"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)
