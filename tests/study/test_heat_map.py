"""The tipping line of a grid: exact where the outcome is linear, its band as wide as chance makes it."""

import numpy as np
import pandas as pd
import pytest

from evsim.study.bootstrap import multiplicities
from evsim.study.heat_map import Grid, chance_above, crossings, grid_means, halfway, tipping_line

X, Y = np.arange(0.0, 11.0), np.array([0.0, 1.0, 2.0, 4.0])
GRID = Grid("x", "y", "value")


def table(value, seeds=1, noise=0.0, key=0):
    """Runs of a grid: `value` of x and y, and a noise of each seed that all points share."""
    shocks = noise * np.random.default_rng(key).standard_normal(seeds)
    rows = [(x, y, seed, value(x, y) + shocks[seed]) for y in Y for x in X for seed in range(seeds)]
    return pd.DataFrame(rows, columns=["x", "y", "seed", "value"]).sample(frac=1.0, random_state=1)


def test_the_line_of_a_plane_is_found_exactly():
    line = tipping_line(table(lambda x, y: 2.0 * x - 3.0 * y), GRID, 2.5)
    assert line["x"].to_numpy() == pytest.approx((2.5 + 3.0 * Y) / 2.0)
    assert line["crossings"].tolist() == [1, 1, 1, 1]
    assert line["low"].isna().all()  # one seed: nothing to tell chance by
    points = crossings(grid_means(table(lambda x, y: 2.0 * x - 3.0 * y), GRID), 2.5)
    assert (2.0 * points["x"] - 3.0 * points["y"]).tolist() == pytest.approx([2.5] * len(points))


def test_a_row_on_one_side_has_no_crossing_and_one_that_comes_back_has_two():
    line = tipping_line(table(lambda x, y: 4.0 - abs(x - 5.0) - y), GRID, 0.5)
    assert line["crossings"].tolist() == [2, 2, 2, 0]
    assert line["x"].to_numpy()[:3] == pytest.approx([1.5, 2.5, 3.5]) and np.isnan(line["x"].iloc[3])


def test_the_line_stops_at_holes_of_the_grid_and_goes_on_behind_them():
    runs = table(lambda x, y: x - y)
    runs = runs[~((runs["y"] == 1.0) & runs["x"].between(3.0, 4.0))]
    line = tipping_line(runs, GRID, 2.5)
    assert line["x"].to_numpy() == pytest.approx([2.5, np.nan, 4.5, 6.5], nan_ok=True)
    whole = Grid("x", "y", "value", x_values=tuple(X), y_values=(*Y, 5.0))
    assert grid_means(runs, whole).shape == (5, 11) and grid_means(runs, whole).loc[5.0].isna().all()


def test_the_band_holds_the_true_line_as_often_as_it_says():
    truth, held = 5.25, []
    for key in range(250):
        runs = table(lambda x, y: x, seeds=6, noise=1.0, key=key)
        line = tipping_line(runs[runs["y"] == 0.0], GRID, truth, resamples=200)
        held.append(line["low"].iloc[0] <= truth <= line["high"].iloc[0])
    assert 0.84 <= np.mean(held) <= 0.96


def test_a_limit_beyond_the_grid_is_infinite():
    line = tipping_line(table(lambda x, y: x, seeds=5, noise=30.0), GRID, 5.0)
    assert np.isinf(line[["low", "high"]].to_numpy()).any()


def test_what_seeds_share_moves_the_whole_line_and_not_its_rows_apart():
    runs = table(lambda x, y: x - y, seeds=8, noise=0.5)
    line = tipping_line(runs, GRID, 3.0)
    width = (line["high"] - line["low"]).to_numpy()
    assert width == pytest.approx(np.full(4, width[0])) and width[0] > 0.2


def test_the_chance_to_be_above_is_one_half_on_the_line_and_sure_far_from_it():
    chance = chance_above(table(lambda x, y: x, seeds=10, noise=1.0, key=3), GRID, 5.0)
    assert chance.loc[0.0, 0.0] == 0.0 and chance.loc[0.0, 10.0] == 1.0
    runs = table(lambda x, y: x, seeds=10, noise=1.0, key=3)
    at = float(tipping_line(runs, GRID, 5.0)["x"].iloc[0])
    nearest = chance.columns[np.abs(chance.columns.to_numpy() - at).argmin()]
    assert 0.25 < chance.loc[0.0, nearest] < 0.75
    assert (np.diff(chance.to_numpy(), axis=1) >= 0.0).all()
    assert chance_above(table(lambda x, y: x), GRID, 5.0) is None


def test_the_usual_threshold_is_half_way():
    assert halfway(grid_means(table(lambda x, y: x + y), GRID)) == 7.0


def test_resamples_belong_to_their_address():
    assert np.array_equal(multiplicities(7, "a"), multiplicities(7, "a"))
    assert not np.array_equal(multiplicities(7, "a"), multiplicities(7, "b"))
    assert (multiplicities(7, "a").sum(axis=1) == 7).all()
