"""Regret against brute force."""

import itertools

import numpy as np
import pandas as pd
import pytest

from evsim.study.regret import Choice, outcome_matrix, regret_matrix, regrets


def runs(seeds=3):
    """Runs of two levers in worlds of two uncertainties, with random outcomes."""
    generator = np.random.default_rng(4)
    rows = itertools.product(["none", "all"], [0, 10, 20], [0.1, 0.2], ["x", "y", "z"], range(seeds))
    table = pd.DataFrame(list(rows), columns=["policy", "advantage", "taste", "rival", "seed"])
    return table.assign(value=generator.random(len(table))).sample(frac=1.0, random_state=0)


@pytest.mark.parametrize(("direction", "best"), [("maximise", max), ("minimise", min)])
def test_regret_is_what_brute_force_says(direction, best):
    table = runs()
    choice = Choice(["policy", "advantage"], ["taste", "rival"], "value", direction)
    matrix = regret_matrix(outcome_matrix(table, choice), direction)
    choices = list(itertools.product(["none", "all"], [0, 10, 20]))
    largest = {}
    for world in itertools.product([0.1, 0.2], ["x", "y", "z"]):
        in_world = table[(table["taste"] == world[0]) & (table["rival"] == world[1])]
        means = {
            own: in_world[(in_world["policy"] == own[0]) & (in_world["advantage"] == own[1])]["value"].mean()
            for own in choices
        }
        for own in choices:
            lost = abs(best(means.values()) - means[own])
            assert matrix.loc[own, world] == pytest.approx(lost)
            largest[own] = max(lost, largest.get(own, 0.0))
    told = regrets(table, choice)
    assert told["max_regret"].is_monotonic_increasing and len(told) == 6
    for row in told.to_dict("records"):
        assert row["max_regret"] == pytest.approx(largest[row["policy"], row["advantage"]])
    assert (told["low"] <= told["high"]).all()


def test_a_choice_that_is_best_everywhere_has_no_regret():
    table = runs()
    table.loc[(table["policy"] == "all") & (table["advantage"] == 20), "value"] += 5.0
    first = regrets(table, Choice(["policy", "advantage"], ["taste", "rival"], "value")).iloc[0]
    assert (first["policy"], first["advantage"], first["max_regret"], first["best_in"]) == ("all", 20, 0.0, 1.0)
    assert first["low"] == first["high"] == 0.0


def test_a_world_without_all_choices_is_left_out():
    table = runs()
    table = table[~((table["rival"] == "z") & (table["policy"] == "none") & (table["taste"] == 0.1))]
    matrix = outcome_matrix(table, Choice(["policy", "advantage"], ["taste", "rival"], "value"))
    assert matrix.shape == (6, 5) and (0.1, "z") not in matrix.columns


def test_one_seed_gives_no_interval_and_another_direction_is_refused():
    assert regrets(runs(1), Choice(["policy"], ["rival"], "value"))[["low", "high"]].isna().all(axis=None)
    with pytest.raises(ValueError, match="maximise or minimise"):
        Choice(["policy"], ["rival"], "value", "up")
