"""The table of runs: what is asked for is what is run, no more, and nothing runs that cannot."""

import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evsim.errors import BadRequest
from evsim.params import Scenario
from evsim.scenarios import load, scenario_names
from evsim.scenarios.library import alternatives
from evsim.scenarios.sweeps import as_override, sweep
from evsim.study import Plan, describe, design_of, design_of_points, estimation
from evsim.study.saved import load_design, save_design

DESIGNS = Path(__file__).parents[2] / "experiments" / "designs"


def columns(design, *names):
    """Some columns of a design's table as tuples."""
    return list(design.table()[list(names)].itertuples(index=False, name=None))


def test_a_range_leaves_its_end_out_as_hydra_reads_it():
    design = design_of("software.advantage_kcny=range(0,70,10)")
    assert list(design.table()["software.advantage_kcny"]) == [0, 10, 20, 30, 40, 50, 60]


def test_every_lever_is_crossed_with_every_other_the_first_slowest():
    design = design_of("subsidy.scale=0,1", "pricing=nash,fixed", "pricing.steps=1,2")
    assert columns(design, "subsidy.scale", "pricing", "pricing.steps") == [
        (scale, pricing, steps) for scale in (0.0, 1.0) for pricing in ("nash", "fixed") for steps in (1, 2)
    ]


def test_replication_k_has_the_same_seed_in_every_scenario():
    design = design_of("scenario=baseline,no_alliance", "subsidy.scale=0,1", plan=Plan(replications=3))
    assert design.n_runs == 12
    assert (design.table().groupby("point")["seed"].apply(list).map(tuple) == (0, 1, 2)).all()


@pytest.mark.parametrize(
    ("words", "plan", "seeds"),
    [
        (["seed=7"], Plan(replications=2), [7, 8]),
        (["seed=3,1"], None, [3, 1]),
        (["seed=range(2,5)"], Plan(replications=1), [2, 3, 4]),
        (["scenario=baseline,price_war"], None, [0, 0]),
    ],
)
def test_seeds_are_counted_from_the_one_given_or_are_those_listed(words, plan, seeds):
    assert list(design_of(*words, plan=plan).table()["seed"]) == seeds


def test_what_runs_is_what_the_command_line_of_one_run_composes():
    design = design_of(
        "scenario=baseline,no_alliance",
        "pricing=nash,fixed",
        "market.keep_brands=[AITO],[Tesla,'Li Auto']",
        "software.advantage_kcny=null,30",
        "end=2025-12",
        "market.seasonality=false",
    )
    assert design.n_runs == 16
    for run in range(design.n_runs):
        _, verb, *words = shlex.split(design.command(run))
        assert verb == "run" and load("baseline", *words) == design.scenario(run)


def test_an_alternative_counts_after_its_scenario_and_a_varied_key_after_both():
    design = design_of("scenario=no_alliance", "modes=open,none", "subsidy.scale=0,2", "pricing.rule=fixed")
    assert [design.scenario(point).modes.rule for point in range(4)] == ["open", "open", "none", "none"]
    assert [design.scenario(point).subsidy.scale for point in range(4)] == [0.0, 2.0, 0.0, 2.0]
    assert {design.scenario(point).pricing.rule for point in range(4)} == {"fixed"}


def test_a_glob_runs_all_alternatives_that_fit():
    assert set(design_of("pricing=glob(*)").table()["pricing"]) == set(alternatives("pricing"))
    assert set(design_of("scenario=glob(*, exclude=base*)").table()["scenario"]) == {*scenario_names()} - {"baseline"}


def test_a_latin_hypercube_has_one_point_in_every_stratum_of_every_axis():
    design = design_of("subsidy.scale=interval(0,2)", "lock_in.switching_cost=interval(1,3)", plan=Plan(samples=40))
    table = design.table()
    for key, low in (("subsidy.scale", 0.0), ("lock_in.switching_cost", 1.0)):
        assert sorted(((table[key] - low) / 2.0 * 40).astype(int)) == list(range(40))
    assert abs(np.corrcoef(table["subsidy.scale"], table["lock_in.switching_cost"])[0, 1]) < 0.5
    again = design_of("subsidy.scale=interval(0,2)", "lock_in.switching_cost=interval(1,3)", plan=Plan(samples=40))
    assert again.digest == design.digest


def test_levers_are_tried_in_the_same_drawn_worlds():
    design = design_of("scenario=baseline,no_alliance", "subsidy.scale=interval(0,1)", plan=Plan(samples=5))
    worlds = design.table().groupby("scenario")["subsidy.scale"].apply(list)
    assert worlds["baseline"] == worlds["no_alliance"] and len(set(worlds["baseline"])) == 5


@pytest.mark.parametrize(("sampler", "rows"), [("sobol", 8 * (2 + 2)), ("morris", 8 * (2 + 1))])
def test_designs_of_sensitivity_have_the_rows_their_analysis_needs(sampler, rows):
    axes = ("subsidy.scale=interval(0,2)", "pricing.steps=interval(1,4)")
    table = design_of(*axes, plan=Plan(sampler=sampler, samples=8)).table()
    assert len(table) == rows and list(table["sample"]) == list(range(rows))
    assert set(table["pricing.steps"]) <= {1, 2, 3, 4} and table["pricing.steps"].dtype == "int64"


def test_one_saltelli_column_is_changed_at_a_time():
    axes = ("subsidy.scale=interval(0,1)", "lock_in.switching_cost=interval(0,1)")
    table = design_of(*axes, plan=Plan(sampler="sobol", samples=8)).table()
    values = table[["subsidy.scale", "lock_in.switching_cost"]].to_numpy().reshape(8, 4, 2)
    first, mixed_first, mixed_second, second = values.transpose(1, 0, 2)
    assert (mixed_first == np.column_stack([second[:, 0], first[:, 1]])).all()
    assert (mixed_second == np.column_stack([first[:, 0], second[:, 1]])).all()


def test_whole_numbers_of_an_interval_have_the_same_part_of_it():
    table = design_of("pricing.steps=interval(1,4)", plan=Plan(samples=400)).table()
    assert (table["pricing.steps"].value_counts() == 100).all()


def test_points_may_be_given_as_a_frame():
    points = pd.DataFrame(
        {"scenario": ["baseline", "no_alliance", "baseline"], "software.advantage_kcny": [1, 2, None]}
    )
    design = design_of_points(points, "pricing=fixed", plan=Plan(replications=2))
    assert design.n_runs == 6 and len(design.bases) == 2
    assert design.scenario(1) == load("no_alliance", "pricing=fixed", "software.advantage_kcny=2")
    assert design.scenario(2) == load("baseline", "pricing=fixed")


@pytest.mark.parametrize(
    ("words", "plan", "fragments"),
    [
        (["subsidy.scale=range(5,1)"], None, ["subsidy.scale=range(5,1)", "no value"]),
        (["subsidy.scale=range(0,1,0)"], None, ["step other than 0"]),
        (["subsidy.scale=range(0,inf)"], None, ["finite"]),
        (["subsidy.scale=interval(1,1)"], Plan(samples=2), ["higher"]),
        (["subsidy.scale=interval(0,1)"], None, ["--samples"]),
        (["subsidy.scale=0,1"], Plan(samples=5), ["--samples=5", "interval"]),
        (["subsidy.scale=0,1"], Plan(sampler="lhs"), ["--sampler=lhs", "interval"]),
        (["subsidy.scale=interval(0,1)"], Plan(sampler="mc", samples=2), ["--sampler=mc", "lhs, sobol, morris"]),
        (["subsidy.scale=interval(0,1)"], Plan(sampler="sobol", samples=100), ["power of two", "64 or 128"]),
        (["subsidy.scale=interval(0,1)"], Plan(sampler="morris", samples=6), ["--samples=6", "8 or more"]),
        (["subsidy.scale=interval(0,1)"], Plan(sampler="sobol", samples=4), ["--samples=4", "8 or more"]),
        (["pricing.steps=interval(1.2,1.8)"], Plan(samples=2), ["no whole number"]),
        (["pricing.rule=interval(0,1)"], Plan(samples=2), ["pricing.rule", "list the values"]),
        (["subsidy.scle=0,1"], None, ["subsidy.scle", "subsidy.scale"]),
        (["subsidy.scale=0,-5"], None, ["subsidy.scale=-5.0", "from 0.0"]),
        (["subsidy.scale=a,b"], None, ["subsidy.scale=a", "a number"]),
        (["subsidy.scale=0,0.0"], None, ["given twice"]),
        (["pricing=nash,fxed"], None, ["pricing=fxed", "fixed"]),
        (["pricing.war_start=2024-01,2024-02"], None, ["pricing.war_end", "together", "pricing.war_start=2024-01"]),
        (["subsidy.scale=glob(*)"], None, ["subsidy.scale", "alternatives"]),
        (["seed=0,1"], Plan(replications=2), ["seed=0,1", "--replications"]),
        (["seed=-1"], None, ["seed=-1", "whole number"]),
        ([f"seed={2**63 - 1}"], Plan(replications=2), ["whole number from 0"]),
        (["study=nowhere"], None, ["study=nowhere", "subsidy_x_software"]),
        (["market.table=nowhere.csv,2023"], None, ["nowhere.csv", "no such file"]),
        (["subsidy.scale=range(0,1,0.00001)"], Plan(replications=200), ["20,000,000 runs", "--yes"]),
        (["subsidy.scale=range(0,1,1e-12)"], None, ["at most 1,000,000"]),
    ],
    ids=str,
)
def test_what_cannot_be_met_is_refused_in_one_line(words, plan, fragments):
    with pytest.raises(BadRequest) as caught:
        design_of(*words, plan=plan)
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("outcome", "fragments"),
    [
        ("aliance_share", ["unknown outcome aliance_share", "alliance_share"]),
        ("alliance_share_2050", ["2024 to 2035"]),
        ("alliance_share_total", ["unknown outcome"]),
        ("automaker_share", ["automaker_share.NAME"]),
    ],
)
def test_an_unknown_outcome_is_refused_with_the_nearest(outcome, fragments):
    with pytest.raises(BadRequest) as caught:
        design_of("subsidy.scale=0,1", outcomes=[outcome])
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


def test_very_many_runs_are_made_when_they_are_meant():
    design = design_of("subsidy.scale=0,1", plan=Plan(replications=6_000_000), many=True)
    assert design.n_runs == 12_000_000 and design.task(11_999_999).seed == 5_999_999


VARIED = (
    "scenario=baseline,price_war",
    "software.advantage_kcny=null,0.1",
    "market.keep_brands=[AITO],[]",
    "modes=open,none",
    "pricing.steps=1,2",
    "market.seasonality=true,false",
    "market.table='2021','2023'",
    "subsidy.scale=interval(0,1)",
)


def test_a_design_read_again_from_its_files_is_the_same(tmp_path):
    design = design_of(*VARIED, plan=Plan(samples=2, replications=2), outcomes=["hhi_brand"])
    save_design(tmp_path, design)
    again = load_design(tmp_path)
    assert again.digest == design.digest
    assert [again.task(run) for run in range(0, 512, 37)] == [design.task(run) for run in range(0, 512, 37)]
    assert again.command(300) == design.command(300)
    written = pd.read_parquet(tmp_path / "design.parquet")
    assert len(written) == design.n_runs and list(written["run"]) == list(range(design.n_runs))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(min_size=1),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ).filter(lambda value: "\\" not in str(value) and str(value).isprintable())
)
def test_a_value_written_as_an_override_is_read_back_as_it_was(value):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    read = OverridesParser.create().parse_override(as_override("key", value))
    assert not read.is_sweep_override()
    assert read.value() == value or str(read.value()) == str(value)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=5, unique=True))
def test_listed_values_are_read_in_their_order(values):
    assert list(sweep("subsidy.scale", ",".join(map(str, values))).values) == values


def test_one_value_is_no_sweep_and_names_beyond_ascii_are():
    assert sweep("subsidy.scale", "1") is None
    assert sweep("market.table", "'a,b'") is None
    assert list(sweep("market.table", "我的.csv,2023").values) == ["我的.csv", 2023]


def study(folder, text):
    """A folder of one's own with a study `mine`."""
    (folder / "study").mkdir()
    (folder / "study" / "mine.yaml").write_text(text)
    return folder


MINE = """question: Whose?
settings: {pricing.rule: fixed, consumers.count: 500}
levers:
  subsidy.scale: range(0, 1.1, 0.5)
  scenario: [baseline, no_alliance]
uncertainties:
  lock_in.switching_cost: interval(0, 2)
outcomes: {outlay_total: minimise, alliance_share: }
runs: {replications: 2, samples: 3}
"""


def test_a_study_is_read_in_xlrm_words(tmp_path):
    design = design_of("study=mine", config_dir=study(tmp_path, MINE))
    assert design.n_runs == 3 * 2 * 3 * 2
    assert [(axis.key, axis.role) for axis in design.axes] == [
        ("subsidy.scale", "lever"), ("scenario", "lever"), ("lock_in.switching_cost", "uncertainty"),
    ]  # fmt: skip
    assert design.request.outcomes == {"outlay_total": "minimise", "alliance_share": ""}
    assert design.scenario(0).consumers.count == 500
    assert "--config-dir" in design.command(0)


def test_words_of_the_user_count_before_the_study(tmp_path):
    own = study(tmp_path, MINE)
    one = Plan(replications=1)
    pinned = design_of("study=mine", "subsidy.scale=0.3", "lock_in.switching_cost=1", plan=one, config_dir=own)
    assert [axis.key for axis in pinned.axes] == ["scenario"] and pinned.n_runs == 2
    assert {pinned.scenario(point).subsidy.scale for point in (0, 1)} == {0.3}
    listed = design_of("study=mine", "lock_in.switching_cost=1,2", "scenario=baseline", plan=one, config_dir=own)
    assert columns(listed, "subsidy.scale", "lock_in.switching_cost")[:3] == [(0.0, 1.0), (0.0, 2.0), (0.5, 1.0)]


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("lever: {subsidy.scale: '0,1'}", ["unknown heading lever", "levers"]),
        ("levers: {subsidy.scale: 1}", ["subsidy.scale: 1: one value", "settings"]),
        ("levers: {subsidy.scale: []}", ["no value"]),
        ("levers: {subsidy.scle: [0, 1]}", ["subsidy.scle", "subsidy.scale"]),
        ("levers: [subsidy.scale]", ["levers: must be keys with their values"]),
        ("runs: {replication: 3}", ["unknown key replication", "replications"]),
        ("runs: {replications: 0}", ["replications=0"]),
        ("runs: {keep: all}", ["keep=all", "summary or panel"]),
        ("outcomes: {units: largest}", ["units: largest", "maximise, minimise"]),
        ("settings: {subsidy.scale: 1}\nlevers: {subsidy.scale: [0, 1]}", ["both set and varied"]),
        (
            "uncertainties: {subsidy.scale: [0, 1]}\nlevers: {subsidy.scale: [0, 1]}",
            ["both a lever and an uncertainty"],
        ),
        ("question: ${oc.env:HOME}", ["interpolation"]),
        ("_target_: os.system", ["unknown heading _target_"]),
    ],
)
def test_a_faulty_study_is_refused_by_its_fault(tmp_path, text, fragments):
    with pytest.raises(BadRequest) as caught:
        design_of("study=mine", config_dir=study(tmp_path, text))
    assert all(fragment in str(caught.value) for fragment in fragments), str(caught.value)


@pytest.mark.parametrize("name", sorted({*alternatives("study"), *alternatives("study", DESIGNS)}))
def test_every_study_that_comes_with_evsim_can_be_planned(evsim, monkeypatch, name):
    own = [] if name in alternatives("study") else ["--config-dir", str(DESIGNS)]
    design = design_of(f"study={name}", config_dir=own[-1] if own else None)
    assert design.request.question.endswith("?") and design.n_runs < 5_000
    assert isinstance(design.scenario(design.n_points - 1), Scenario)
    monkeypatch.setattr(estimation, "estimate", lambda *_: estimation.Estimate(design.n_runs, 1, 60.0, 1.0, 1e6))
    answer = evsim("sweep", f"study={name}", "--dry-run", *own)
    assert answer.code == 0, answer.err
    assert f"= {design.n_runs:,} runs" in answer.out and all(axis.key in answer.out for axis in design.axes)
    for outcome in design.request.outcomes:
        assert describe(outcome).unit
