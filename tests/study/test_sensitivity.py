"""Indices and effects against SALib and closed forms; swings against what was put in."""

import numpy as np
import pandas as pd
import pytest
from SALib.analyze import morris as salib_morris
from SALib.analyze import sobol as salib_sobol

from evsim.errors import BadRequest
from evsim.study.axes import MORRIS_LEVELS, salib_problem, unit_points
from evsim.study.sensitivity import elementary_effects, morris_effects, sobol_indices, tornado

KEYS = ["first", "second", "third"]


def ishigami(unit, a=7.0, b=0.1):
    """Ishigami & Homma's function of three numbers from −π to π, here of the unit cube."""
    x = np.pi * (2.0 * unit - 1.0)
    return np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])


def closed_form(a=7.0, b=0.1):
    """Its first-order and total indices (Saltelli et al. 2008, section 4.6)."""
    v1, v2, v13 = 0.5 * (1.0 + b * np.pi**4 / 5.0) ** 2, a**2 / 8.0, b**2 * np.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)
    total = v1 + v2 + v13
    return np.array([v1, v2, 0.0]) / total, np.array([v1 + v13, v2, v13]) / total


def test_sobol_indices_of_ishigami_are_salibs_and_the_closed_form_within_their_intervals():
    values = ishigami(unit_points("sobol", 1024, 3))
    table = sobol_indices(values, KEYS).set_index("key").loc[KEYS]
    salib = salib_sobol.analyze(salib_problem(3), values, calc_second_order=False, seed=1)
    assert table["first"].to_numpy() == pytest.approx(salib["S1"], abs=1e-12)
    assert table["total"].to_numpy() == pytest.approx(salib["ST"], abs=1e-12)
    for name, truth in zip(("first", "total"), closed_form(), strict=True):
        assert (table[f"{name}_low"] <= truth + 0.02).all() and (truth - 0.02 <= table[f"{name}_high"]).all()
    assert list(sobol_indices(values, KEYS)["key"]) == ["first", "second", "third"]


def test_a_block_with_a_run_that_failed_is_left_out_whole():
    values = ishigami(unit_points("sobol", 64, 3))
    broken = values.copy()
    broken[7] = np.nan  # in the second block of five
    expected = sobol_indices(np.delete(values, np.arange(5, 10)), KEYS)
    pd.testing.assert_frame_equal(sobol_indices(broken, KEYS), expected)


def test_sobol_needs_variance_and_enough_whole_blocks():
    with pytest.raises(BadRequest, match="the same in every run"):
        sobol_indices(np.ones(5 * 16), KEYS)
    with pytest.raises(BadRequest, match="3 samples are whole"):
        sobol_indices(np.arange(15.0), KEYS)
    with pytest.raises(ValueError, match="blocks of 5"):
        sobol_indices(np.arange(16.0), KEYS)


def test_morris_effects_are_salibs():
    unit = unit_points("morris", 40, 3)
    values = ishigami(unit)
    table = morris_effects(unit, values, KEYS).set_index("key").loc[KEYS]
    salib = salib_morris.analyze(salib_problem(3), unit, values, num_levels=MORRIS_LEVELS, seed=1)
    for ours, theirs in (("mean", "mu"), ("size", "mu_star"), ("spread", "sigma")):
        assert table[ours].to_numpy() == pytest.approx(np.asarray(salib[theirs], dtype=float))
        assert (table[f"{ours}_low"] <= table[ours]).all() and (table[ours] <= table[f"{ours}_high"]).all()
    assert 0.5 * np.array(salib["mu_star_conf"], dtype=float) == pytest.approx(
        (table["size_high"] - table["size_low"]).to_numpy() / 4.0, rel=0.5, abs=1e-9
    )


def test_effects_of_a_plane_are_its_slopes_whatever_the_trajectory():
    unit = unit_points("morris", 10, 3)
    effects = elementary_effects(unit, unit @ np.array([3.0, -2.0, 0.0]))
    assert effects == pytest.approx(np.tile([3.0, -2.0, 0.0], (10, 1)))
    table = morris_effects(unit, unit @ np.array([3.0, -2.0, 0.0]), KEYS)
    assert table["size"].tolist() == pytest.approx([3.0, 2.0, 0.0]) and table["mean"].iloc[1] == pytest.approx(-2.0)
    with pytest.raises(ValueError, match="one coordinate"):
        elementary_effects(np.zeros((44, 3)), np.zeros(44))


def crossed(seeds=6, noise=1.0):
    """Runs of a crossed design: a moves the outcome by 10, b by −4, c by nothing; seeds have noise of their own."""
    shocks = np.random.default_rng(2).standard_normal((seeds, 3)) * noise
    rows = [
        (a, b, c, seed, 5.0 * a - 2.0 * b + {"u": 0.0, "v": 1.0, "w": 3.0}[c] + shocks[seed] @ [1.0, 0.3 * a, 0.3 * b])
        for a in (0.0, 1.0, 2.0)
        for b in (0, 1, 2)
        for c in "uvw"
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows, columns=["a", "b", "c", "seed", "value"])


def test_a_tornado_is_in_true_order_with_the_swings_that_were_put_in():
    table = tornado(crossed(noise=0.0), "value", ["c", "b", "a"])
    assert table["key"].tolist() == ["a", "b", "c"]
    assert table["swing"].tolist() == pytest.approx([10.0, -4.0, 3.0])
    assert table[["from", "to"]].to_numpy().tolist() == [[0.0, 2.0], [0, 2], ["u", "w"]]
    assert table["clear"].all()


def test_the_interval_of_a_swing_is_students_over_pairs():
    from evsim.words.pairs import paired_interval

    runs = crossed()
    by_seed = (
        runs[runs["a"] == 2.0].groupby("seed")["value"].mean() - runs[runs["a"] == 0.0].groupby("seed")["value"].mean()
    )
    row = tornado(runs, "value", ["a"]).iloc[0]
    assert (row["swing"], row["low"], row["high"]) == pytest.approx(paired_interval(list(by_seed)))
    assert tornado(runs[runs["seed"] == 0], "value", ["a"])[["low", "high"]].isna().all(axis=None)


def test_a_key_that_does_nothing_is_not_clear():
    generator = np.random.default_rng(5)
    runs = pd.DataFrame(generator.random((200, 2)), columns=["works", "idle"]).assign(draw=range(200))
    runs["value"] = 3.0 * runs["works"] + generator.standard_normal(200)
    table = tornado(runs, "value", ["idle", "works"], "draw").set_index("key")
    assert table.loc["works", "clear"] and not table.loc["idle", "clear"]
    assert table.loc["works", "swing"] == pytest.approx(2.0, abs=0.5)  # two thirds of the range, at the means of thirds
    assert "lowest third" in table.loc["works", "from"]


def test_one_at_a_time_a_key_is_compared_with_the_others_at_the_base():
    points = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (0.0, 1.0), (0.0, -1.0), (2.0, 1.0)]
    runs = pd.DataFrame(points, columns=["a", "b"]).assign(seed=0)
    runs["value"] = runs["a"] + 3.0 * runs["b"] + 100.0 * runs["a"] * runs["b"]
    table = tornado(runs, "value", ["a", "b"], base={"a": 0.0, "b": 0.0}).set_index("key")
    assert table["swing"].to_dict() == {"b": 6.0, "a": 2.0}
