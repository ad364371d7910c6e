"""Boxes: planted ones are found, by PRIM and by CART, with limits in the words of the keys."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from evsim.errors import BadRequest
from evsim.study.discover import Limit, box_table, cart_boxes, inside, measured, prim_boxes

FIND = (prim_boxes, cart_boxes)


@pytest.fixture(scope="module")
def points():
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "software.advantage_kcny": generator.uniform(0.0, 60.0, 600),
            "subsidy.scale": generator.uniform(0.0, 1.0, 600),
            "scenario": generator.choice(["baseline", "price_war", "rival_leap"], 600),
            "alliance.members": generator.choice([0, 10, 20, 30], 600),
            "open": generator.random(600) < 0.5,
        }
    )


def planted(points, noise=0.03):
    """Cases in a box of three keys, some of them told wrong."""
    case = (
        (points["software.advantage_kcny"] > 31.0)
        & (points["subsidy.scale"] < 0.4)
        & (points["scenario"] != "price_war")
    )
    return case.to_numpy() ^ (np.random.default_rng(1).random(len(points)) < noise)


def test_prim_finds_a_planted_box_and_no_limit_beside_it(points):
    box = prim_boxes(points, planted(points), 1)[0]
    assert set(box.limits) == {"software.advantage_kcny", "subsidy.scale", "scenario"}
    assert box.limits["software.advantage_kcny"].low == pytest.approx(31.0, abs=2.5)
    assert box.limits["software.advantage_kcny"].high is None
    assert box.limits["subsidy.scale"].high == pytest.approx(0.4, abs=0.04)
    assert box.limits["scenario"].names == ("baseline", "rival_leap")
    assert box.coverage > 0.8 and box.density > 0.8


def test_the_leaves_of_the_tree_make_up_the_planted_box(points):
    boxes = cart_boxes(points, planted(points))
    held = np.logical_or.reduce([inside(points, box.limits) for box in boxes])
    truth = planted(points, 0.0)
    assert (held & truth).sum() > 0.85 * truth.sum() and (held & ~truth).sum() < 0.15 * held.sum()
    for box in boxes:
        assert box == measured(points, planted(points), box.limits)


@pytest.mark.parametrize("find", FIND)
def test_whole_numbers_names_and_switches_are_limits_too(points, find):
    case = ((points["alliance.members"] >= 20) & points["open"]).to_numpy()
    box = find(points, case)[0]
    assert box.limits["alliance.members"] == Limit(low=20.0) and box.limits["open"].names == ("True",)
    assert box.coverage == box.density == 1.0


@pytest.mark.parametrize("find", [prim_boxes, cart_boxes])
@pytest.mark.parametrize("values", [[None, "2024-07", "2026-01"], [None, 1.0, 2.0]])
def test_a_key_left_open_is_a_name_among_the_others(find, values):
    start = np.repeat(np.array(values, dtype=object), 30)
    points = pd.DataFrame(
        {"subsidy.phase_out_start": pd.Series(start).infer_objects(), "x": np.tile(np.arange(30.0), 3)}
    )
    boxes = find(points, np.arange(90) < 30)
    assert boxes[0].limits["subsidy.phase_out_start"].names == ("none",)
    assert boxes[0].coverage == boxes[0].density == 1.0


def test_coverage_and_density_are_what_counting_says(points):
    case, limits = planted(points), {"subsidy.scale": Limit(0.1, 0.3), "scenario": Limit(names=("baseline",))}
    held = [0.1 <= row["subsidy.scale"] <= 0.3 and row["scenario"] == "baseline" for row in points.to_dict("records")]
    box = measured(points, case, limits)
    both = sum(a and b for a, b in zip(held, case, strict=True))
    assert (box.coverage, box.density, box.mass) == pytest.approx(
        (both / case.sum(), both / sum(held), sum(held) / 600)
    )


def test_where_there_is_nothing_to_find_no_box_is_told(points):
    case = np.random.default_rng(8).random(600) < 0.3
    assert all(box.density > 0.4 for box in prim_boxes(points, case))
    table = box_table(prim_boxes(points, planted(points)))
    assert list(table.columns) == ["box", "coverage", "density", "mass", "key", "low", "high", "names"]


@pytest.mark.parametrize("find", FIND)
def test_too_few_cases_are_a_refusal(points, find):
    with pytest.raises(BadRequest, match="600 points, 3 of them cases"):
        find(points, np.arange(600) < 3)


def test_boxes_are_the_same_in_every_process_and_global_draws_are_left_alone(points, tmp_path):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    here = [repr(find(points, planted(points))) for find in FIND]
    assert np.array_equal(before, np.random.get_state()[1])
    points.to_parquet(tmp_path / "points.parquet")
    np.save(tmp_path / "cases.npy", planted(points))
    code = (
        "import sys, numpy as np, pandas as pd; from evsim.study.discover import *; p = pd.read_parquet(sys.argv[1]);"
        "c = np.load(sys.argv[2]); print(repr(prim_boxes(p, c))); print(repr(cart_boxes(p, c)))"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "points.parquet"), str(tmp_path / "cases.npy")]
    told = subprocess.run(words, env=os.environ | {"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == here


def test_without_ema_workbench_one_line_says_how_to_have_it(points, monkeypatch):
    monkeypatch.setitem(sys.modules, "ema_workbench.analysis", None)
    with pytest.raises(BadRequest, match=r"pip install 'evsim\[analysis\]'"):
        prim_boxes(points, planted(points))
