"""Cars on the road by vintage."""

import numpy as np
import pytest

from evsim.market.platforms import LIFE_MONTHS, LIFE_SHAPE, Platforms


def two_platforms(first_month=-24, months=60):
    zeros = np.zeros((months, 2))
    return Platforms(
        names=["a", "b"],
        ecosystem=np.array([True, False]),
        quality=np.zeros(2),
        research=np.ones(2),
        base_research=np.ones(2),
        dormant=np.zeros(2, dtype=bool),
        in_house=np.array([True, False]),
        sales=zeros.copy(),
        electric_sales=np.zeros(months),
        first_month=first_month,
        quality_path=np.zeros((months, 2)),
        initial_fleet=np.zeros(2),
    )


def test_a_fleet_is_every_vintage_times_what_survives_of_it():
    platforms = two_platforms()
    for month in range(-24, 13):
        platforms.add_sales(month, np.array([100.0, month + 24.0]), 10.0)
    survivors = [np.exp(-(((12 - month) / LIFE_MONTHS) ** LIFE_SHAPE)) for month in range(-24, 13)]
    assert platforms.fleet(12)[0] == pytest.approx(100.0 * sum(survivors))
    assert platforms.fleet(12)[1] == pytest.approx(
        sum(left * age for left, age in zip(survivors, range(37), strict=True))
    )
    assert platforms.electric_fleet(12) == pytest.approx(10.0 * sum(survivors))


def test_cars_sold_later_are_not_on_the_road_yet():
    platforms = two_platforms()
    platforms.add_sales(5, np.array([7.0, 0.0]), 0.0)
    assert platforms.fleet(4).tolist() == [0.0, 0.0]
    assert platforms.fleet(5).tolist() == [7.0, 0.0]


def test_half_the_cars_are_gone_at_the_median_life():
    platforms = two_platforms(first_month=0, months=400)
    platforms.add_sales(0, np.array([1_000.0, 0.0]), 0.0)
    median = LIFE_MONTHS * np.log(2.0) ** (1.0 / LIFE_SHAPE)
    assert platforms.fleet(int(median))[0] > 500.0 > platforms.fleet(int(median) + 2)[0]
