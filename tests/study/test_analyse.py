"""`evsim analyse`: what a store answers, in words, tables and figures that follow from it alone."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study.studies import QUIET, at_once, stub

from evsim.errors import BadRequest
from evsim.study import Plan, Store, analyse, design_of, design_of_points, drive, read, sobol_indices, tipping_line
from evsim.study.heat_map import Grid

WORLDS = (
    "lock_in.switching_cost=interval(0,2)",
    "subsidy.scale=interval(0,2)",
    "software.advantage_kcny=interval(0,60)",
)


def made(folder, *overrides, outcomes=("alliance_share",), **plan):
    """A store of the stand-in that tips."""
    design = design_of(*overrides, plan=Plan(**plan), outcomes=outcomes)
    return at_once(folder, design, "tipping")


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Two levers crossed, five seeds, months kept."""
    return made(
        tmp_path_factory.mktemp("grid"), "subsidy.scale=0,0.5,1,1.5", "software.advantage_kcny=range(0,70,10)",
        replications=5, keep="panel",
    )  # fmt: skip


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """One store a sampler."""
    folder = tmp_path_factory.mktemp("worlds")
    return {
        "sobol": made(folder, *WORLDS, sampler="sobol", samples=64),
        "morris": made(folder, *WORLDS, sampler="morris", samples=12),
        "lhs": made(folder, *WORLDS, sampler="lhs", samples=120),
    }


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    """Levers crossed with drawn worlds, with directions."""
    design = design_of(
        "scenario=baseline,price_war", "software.advantage_kcny=0,30,60", WORLDS[0],
        plan=Plan(sampler="lhs", samples=15), outcomes=["alliance_share"],
    )  # fmt: skip
    return at_once(tmp_path_factory.mktemp("policies"), design, "tipping")


@pytest.fixture
def copy(grid, here):
    """The grid's store, where it may be written to."""
    shutil.copytree(grid.path, "outputs/grid-1")
    return Store.open("outputs/grid-1")


def test_words_tables_and_figures_lie_beside_the_store_and_change_nothing_in_it(evsim, copy):
    digest = copy.digest
    answer = evsim("analyse")
    assert answer.code == 0, answer.err
    assert "Where it tips" in analyse(copy, only=["heat_map"])._repr_html_()
    assert (
        "Alliance's share (alliance_share)" in answer.out and "Tables and charts: outputs/grid-1/analysis" in answer.out
    )
    folder = Path("outputs/grid-1/analysis")
    written = {path.name for path in folder.iterdir()}
    assert {
        "analysis.txt",
        "analysis.json",
        "alliance_share-heat_map.png",
        "alliance_share-heat_map-line.csv",
    } <= written
    assert {"alliance_share-tornado.svg", "alliance_share-fan-quantiles.csv"} <= written
    assert (folder / "analysis.txt").read_text().strip() in answer.out
    again = Store.open(copy.path)
    assert again.digest == digest and drive(again, QUIET, stub("tipping")).digest == digest and folder.is_dir()


def test_an_analysis_made_again_is_the_same_to_the_byte(evsim, copy):
    def content():
        return {path.name: path.read_bytes() for path in Path("outputs/grid-1/analysis").iterdir()}

    evsim("analyse", "--quiet")
    first = content()
    assert evsim("analyse", "outputs/grid-1", "--quiet").out == "outputs/grid-1/analysis\n"
    assert content() == first
    assert not [name for name in os.listdir("outputs/grid-1") if name.endswith(".partial")]


def test_the_line_told_is_the_one_of_the_plain_function(grid):
    part = analyse(grid, {"alliance_share": ""}, 0.2)["heat_map"]
    line = tipping_line(grid.results(), Grid("software.advantage_kcny", "subsidy.scale", "alliance_share"), 0.2)
    pd.testing.assert_frame_equal(part.tables["line"], line)
    slant = np.diff(line["software.advantage_kcny"]) / np.diff(line["subsidy.scale"])
    assert slant == pytest.approx(np.full(3, -15.0), abs=2.5)  # as the stand-in has it, by linear interpolation
    assert (line["low"] < line["high"]).all()
    assert "passes 20.0 %" in part.finding
    assert "subsidy.scale are levers and act from month 1" in part.about["roles"]


def test_a_key_of_structure_is_told_as_such(tmp_path):
    store = made(tmp_path, "lock_in.switching_cost=0,1,2", "software.advantage_kcny=0,30,60", replications=2)
    roles = analyse(store, only=["heat_map"])["heat_map"].about["roles"]
    assert "lock_in.switching_cost is structure: each value is calibrated anew to the same table" in roles
    assert "software.advantage_kcny is a lever and acts from month 1" in roles


def test_each_analysis_says_what_design_would_answer_it(evsim, copy):
    out = evsim("analyse").out
    refused = " ".join(out[out.index("Not answered") :].split())
    assert "sobol: needs points drawn for it" in refused and "--sampler sobol" in refused
    assert "morris: needs" in refused and "boxes: 28 points" in refused and "--sampler lhs" in refused
    assert "regret: needs levers with listed values, and worlds" in refused


def test_indices_of_a_store_are_those_of_its_rows(worlds):
    analysis = analyse(worlds["sobol"], only=["sobol", "tornado"])
    table = analysis["sobol"].tables["indices"]
    rows = worlds["sobol"].results().sort_values("sample")["alliance_share"].to_numpy()
    keys = [axis.key for axis in worlds["sobol"].design.axes]
    pd.testing.assert_frame_equal(table, sobol_indices(rows, keys))
    assert table["key"].iloc[0] == "software.advantage_kcny" and table["total"].iloc[0] > 0.6
    assert [part.name for part in analysis.parts] == ["sobol", "tornado"]
    assert analysis["tornado"].tables["swings"]["key"].iloc[0] == "software.advantage_kcny"


def test_effects_of_a_store_are_in_the_unit_of_the_outcome(worlds):
    table = analyse(worlds["morris"])["morris"].tables["effects"].set_index("key")
    assert table.loc["lock_in.switching_cost", "mean"] == pytest.approx(0.04)  # 0.02 a util, from 0 to 2
    assert table.loc["lock_in.switching_cost", "spread"] == pytest.approx(0.0, abs=1e-12)
    assert table["size"].idxmax() == "software.advantage_kcny"


def test_trajectories_of_another_salib_are_refused(worlds, monkeypatch):
    from evsim.study import axes

    monkeypatch.setattr(axes, "MORRIS_LEVELS", 6)
    assert "another version of SALib" in analyse(worlds["morris"]).refusals["morris"]


def test_boxes_tell_where_the_alliance_is_large(worlds):
    part = analyse(worlds["lhs"], only=["boxes"])["boxes"]
    assert part.tables["points"]["case"].sum() == 30
    box = part.about["boxes"][0]
    assert box.limits["software.advantage_kcny"].low > 20.0 and box.density > 0.7 and box.coverage > 0.7
    assert "software.advantage_kcny from" in part.finding and "of worlds have the alliance's share at" in part.finding
    small = analyse(worlds["lhs"], {"alliance_share": "minimise"}, 0.05, ["boxes"])["boxes"]
    assert (
        "at 5.0 % or less" in small.sentences[0]
        and small.about["boxes"][0].limits["software.advantage_kcny"].low is None
    )


def test_regret_tells_the_choice_that_is_best_whatever_comes(policies):
    assert "say what is better" in analyse(policies).refusals["regret"]
    part = analyse(policies, {"alliance_share": "maximise"})["regret"]
    first = part.tables["choices"].iloc[0]
    assert (first["software.advantage_kcny"], first["max_regret"]) == (60.0, 0.0)
    assert part.tables["matrix"].shape == (6, 15) and "in 15 worlds" in part.sentences[0]
    worst = analyse(policies, {"alliance_share": "minimise"})["regret"].tables["choices"]
    assert worst["software.advantage_kcny"].iloc[0] == 0.0 and worst["max_regret"].iloc[-1] > 0.3


def test_scenarios_beside_a_lever_are_worlds(tmp_path):
    store = made(tmp_path, "scenario=baseline,price_war", "software.advantage_kcny=0,60", replications=2)
    part = analyse(store, {"alliance_share": "maximise"}, only=["regret"])["regret"]
    assert part.about["levers"] == ["software.advantage_kcny"] and part.about["worlds"] == ["scenario"]


def test_points_given_one_at_a_time_make_a_tornado_and_others_are_refused(tmp_path):
    points = pd.DataFrame([(1.0, 20.0), (0.0, 20.0), (2.0, 20.0), (1.0, 0.0), (1.0, 60.0)])
    points.columns = ["subsidy.scale", "software.advantage_kcny"]
    for frame, refused in ((points, False), (points.assign(**{"subsidy.scale": [0.0, 1.0, 2.0, 0.5, 1.5]}), True)):
        design = design_of_points(frame, plan=Plan(replications=3), outcomes=["alliance_share"])
        store = at_once(tmp_path, design, "tipping")
        if refused:
            with pytest.raises(BadRequest, match="change several keys at once"):
                analyse(store, only=["tornado"])
        else:
            assert analyse(store)["tornado"].tables["swings"]["key"].tolist() == [
                "software.advantage_kcny",
                "subsidy.scale",
            ]


def test_a_search_is_analysed_along_its_line_only(evsim, here, monkeypatch):
    from evsim.study import runner

    monkeypatch.setattr(runner, "SIMULATE", stub("tipping"))
    words = ["subsidy.scale=range(0,2.1,0.1)", "software.advantage_kcny=range(0,63,3)", "--outcomes", "alliance_share"]
    search = ["--boundary", "subsidy.scale,software.advantage_kcny", "--threshold", "0.2"]
    answer = evsim("sweep", *words, *search)
    assert answer.code == 0, answer.err
    points = read("outputs/sweep-1").counts().done
    assert points <= 147 and f"was followed with {points} of the grid's 441 points" in " ".join(answer.out.split())
    status = json.loads(evsim("status", "--json").out)
    assert (status["done"], status["missing"]) == (points, 0) and "Go on with" not in evsim("status").out
    assert evsim("sweep", "--resume", "--quiet").code == 0 and read("outputs/sweep-1").counts().done == points
    told = evsim("analyse", "--json")
    assert [part["analysis"] for part in json.loads(told.out)["parts"]] == ["heat_map"]
    assert json.loads(told.out)["parts"][0]["threshold"] == 0.2
    assert "beside its line only" in json.loads(told.out)["refusals"]["tornado"]


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["nowhere"], ["nowhere", "no store lies here"]),
        (["--outcome", "hhi_brnd"], ["hhi_brnd", "hhi_brand"]),
        (["--outcome", "hhi_brand"], ["hhi_brand", "no run"]),
        (["--outcome", "mean_price:up"], ["maximise or minimise"]),
        (["--parts", "heatmap"], ["heatmap", "heat_map"]),
        (["--parts", "sobol"], ["answers nothing", "--sampler sobol"]),
        (
            ["--outcome", "mean_price", "--outcome", "alliance_share", "--threshold", "1"],
            ["--threshold=1", "mean_price"],
        ),
        (["--out", "outputs"], ["--out=outputs", "replaced"]),
        (["--out", "no/where"], ["folder above"]),
        (["--threshold", "high"], ["--threshold"]),
    ],
)
def test_a_bad_request_is_one_line_with_code_2_and_nothing_is_written(evsim, copy, words, fragments):
    answer = evsim("analyse", *words)
    assert answer.code == 2 and len(answer.err.splitlines()) == 1 and answer.out == ""
    assert all(fragment in answer.err for fragment in fragments), answer.err
    assert not (copy.path / "analysis").exists() and os.listdir("outputs") == ["grid-1"]


def test_an_analysis_that_cannot_be_drawn_leaves_the_former_one(copy):
    from evsim.study.analysis import save_analysis

    analysis = analyse(copy, only=["tornado"])
    folder = save_analysis(analysis, lambda analysis, folder: None)
    before = sorted(os.listdir(folder))

    def fails(analysis, folder):
        raise RuntimeError("no ink")

    with pytest.raises(RuntimeError, match="no ink"):
        save_analysis(analysis, fails)
    assert sorted(os.listdir(folder)) == before and sorted(os.listdir(copy.path)).count("analysis") == 1
