"""Communities, and what is heard in them."""

import numpy as np
import pytest

from evsim.market.population import NEVER, NO_CAR, Population, community_counts, word_of_mouth


def test_neighbours_are_rows_beside_each_other_and_every_car_counts_once():
    platform = np.array([0, 1, NO_CAR, 1, 1, 0, 2])
    counts = community_counts(platform, 3, 4)
    assert counts.tolist() == [[1, 1, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0]]


def test_the_mean_over_the_market_carries_nothing():
    draws = np.random.default_rng(0)
    counts = draws.integers(0, 30, (40, 6))
    heard = word_of_mouth(counts)
    cars = counts.sum(axis=1)
    assert cars @ heard == pytest.approx(np.zeros(6), abs=1e-9)
    assert heard.sum(axis=1) == pytest.approx(np.zeros(40), abs=1e-12)


def test_one_community_of_everybody_hears_nothing():
    assert word_of_mouth(np.array([[3, 9, 1]])) == pytest.approx(np.zeros((1, 3)), abs=1e-15)


def test_a_community_without_a_car_hears_nothing():
    assert word_of_mouth(np.array([[0, 0], [3, 1]]))[0].tolist() == [0.0, 0.0]


def test_an_empty_population_owns_nothing_and_never_shops():
    population = Population.empty(5, 2.0)
    assert len(population) == 5
    assert set(population.columns()) == {"household", "line", "platform", "bought", "joined", "due", "visit"}
    assert (population.line == NO_CAR).all()
    assert (population.visit == NEVER).all()
    assert len({id(column) for column in population.columns().values()}) == 7
