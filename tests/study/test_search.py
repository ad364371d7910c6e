"""A search finds what is best where that is known, goes on where it was stopped, and tells what of its promise is left."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study.studies import QUIET, TINY, stub

import evsim as package
from evsim import words
from evsim.errors import BadRequest
from evsim.report.figures.searches import draw_front
from evsim.scenarios.sweeps import sweep
from evsim.study import Plan, Store, drive, pursue_search, read
from evsim.study import problem as problem_module
from evsim.study import runner as runner_module
from evsim.study import search as search_module
from evsim.study.axes import axis_of
from evsim.study.problem import Problem, n_trials
from evsim.study.request import Constraint, request
from evsim.study.search import front_to_come, trials_to_come
from evsim.study.trials import Trial, not_beaten, propose, violation

STUDY = """
question: Which subsidies?
levers:
  subsidy.scale: interval(0, 2)
  pricing: [nash, fixed]
uncertainties:
  consumers.price_sensitivity: interval(0.02, 0.05)
outcomes: {outlay_total: minimise, nev_penetration: maximise, mean_price: null}
constraints: {hhi_platform: {below: 1200, in: 0.9}}
runs: {trials: 16, samples: 5, sampler: lhs, replications: 2}
"""


@pytest.fixture
def own(here):
    """A folder of one's own with a study, beside which searches are made."""
    (here / "own" / "study").mkdir(parents=True)
    (here / "own" / "study" / "mix.yaml").write_text(STUDY, encoding="utf-8")
    return here / "own"


@pytest.fixture
def on_stub(evsim, monkeypatch):
    """The command line on a stand-in for the model."""

    def call(function, *words):
        monkeypatch.setattr(runner_module, "SIMULATE", stub(function))
        return evsim(*words)

    return call


def searched(own, *overrides, plan=None, function="policy"):
    """A search on a stand-in."""
    problem = Problem.of(("study=mix", *overrides), plan or Plan(), own)
    return pursue_search(problem.create(own.parent / "outputs"), QUIET, stub(function))


# What is best


def test_a_constraint_is_met_when_that_part_of_the_worlds_keeps_to_it():
    values = np.arange(1.0, 11.0)
    assert violation(values, Constraint(9.5, True, 0.9)) < 0 < violation(values, Constraint(9.0, True, 0.9))
    assert violation(values, Constraint(1.5, False, 0.9)) < 0 < violation(values, Constraint(2.5, False, 0.9))
    assert violation(values, Constraint(10.5, True, 1.0)) < 0 < violation(values, Constraint(10.0, True, 1.0))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12), st.integers(0, 20), st.floats(0.05, 1.0), st.booleans())
def test_a_violation_is_positive_exactly_when_too_few_worlds_keep_to_the_bound(values, bound, part, is_upper):
    values = np.array(values, dtype=float)
    keeping = int(np.sum(values < bound if is_upper else values > bound))
    met = keeping >= part * len(values) - 1e-9
    assert (violation(values, Constraint(float(bound), is_upper, part)) <= 0) == met


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), min_size=1, max_size=12))
def test_the_front_is_what_no_feasible_trial_beats(points):
    aims = {"cost": "minimise", "gain": "maximise"}
    trials = [
        Trial((at,), {"cost": float(cost), "gain": float(gain)}, {"h": -1.0 if fits else 1.0}, {})
        for at, (cost, gain, fits) in enumerate(points)
    ]
    for own, best in zip(points, not_beaten(trials, aims), strict=True):
        better = [o for o in points if o[2] and o[0] <= own[0] and o[1] >= own[1] and o[:2] != own[:2]]
        assert best == (own[2] and not better)


def test_proposals_come_near_the_best_and_are_the_same_every_time():
    """Least (x − 0.7)² with x above 0.8: the constraint binds at 0.8."""
    (axis,) = (axis_of(sweep("subsidy.scale", "interval(0,2)"), "lever"),)
    aims, runs = {"cost": "minimise"}, []
    for _ in range(2):
        tried: list[Trial] = []
        for batch in range(1, 7):
            for position in propose([axis], tried, aims, batch, 8):
                cost = {"cost": (position[0] - 0.7) ** 2}
                tried.append(Trial(position, cost, {"x": 0.8 - position[0]}, {}))
        runs.append(tried)
    assert runs[0] == runs[1]
    best = min((trial for trial in runs[0] if trial.is_feasible), key=lambda trial: trial.objectives["cost"])
    assert 0.8 <= best.position[0] <= 0.85


def test_nothing_is_proposed_twice_and_a_small_space_is_used_up():
    axes = [axis_of(sweep("subsidy.scale", "0,1,2"), "lever"), axis_of(sweep("pricing", "nash,fixed"), "lever")]
    found = propose(axes, [], {"cost": "minimise"}, 1, 20)
    assert sorted(found) == [(place, other) for place in range(3) for other in range(2)]
    assert propose(axes, [Trial(position, {}, {}, {}) for position in found], {"cost": "minimise"}, 2, 4) == []


def test_the_front_of_a_known_market_is_found(own):
    """Fixed prices gain a tenth for nothing, so they make the front; concentration forbids more than about 1.3."""
    found = searched(own)
    assert set(found.front["pricing"]) == {"fixed"} and len(found.front) >= 4
    assert found.front["subsidy.scale"].max() < 1.42
    refused = found.trials[~found.trials["feasible"]]
    assert (refused["subsidy.scale"] > 1.3).all() and (refused["missed.hhi_platform"] > 0).all()
    assert len(found.trials) == 16 and found.failures == 0


def test_every_trial_has_the_same_worlds_and_the_front_has_fresh_ones(own):
    found = searched(own)
    *batches, again = found.stores
    draws = [store.results().groupby("point")[["consumers.price_sensitivity"]].first() for store in found.stores]
    worlds = [set(draw["consumers.price_sensitivity"]) for draw in draws]
    assert len(batches) == 2 and worlds[0] == worlds[1] and len(worlds[0]) == 5
    assert not worlds[2] & worlds[0] and len(worlds[2]) == 5
    assert {seed for store in batches for seed in store.results()["seed"]} == {0, 1}
    assert set(again.results()["seed"]) == {2, 3}


def test_a_promise_is_held_against_fresh_worlds(own):
    found = searched(own)
    again = found.stores[-1].results()
    row = found.front.iloc[0]
    own_runs = again[np.isclose(again["subsidy.scale"], row["subsidy.scale"]) & (again["pricing"] == row["pricing"])]
    assert row["fresh.nev_penetration"] == pytest.approx(own_runs["nev_penetration"].mean(), rel=1e-12)
    assert row["fresh.nev_penetration.low"] < row["fresh.nev_penetration"] < row["fresh.nev_penetration.high"]
    assert row["fresh.met.hhi_platform"] == pytest.approx((own_runs["hhi_platform"] < 1200.0).mean())
    told = " ".join(found.words)
    assert (
        f"{len(found.front)} of these are on the front" in told and "below 1,200 HHI points in 90 % of worlds" in told
    )
    assert f"In fresh worlds, {found.front['holds'].sum()} of {len(found.front)} still keep what was asked" in told
    assert "came out" in told and "Best in outlay over the whole run of those that hold up: " in told


def test_a_promise_of_which_nothing_is_left_is_told(own):
    found = searched(own)
    front = found.front.assign(holds=False, unbeaten=False)
    told = words.search_words(found.trials, front, ["subsidy.scale"], {"outlay_total": "minimise"}, ["a bound"])
    assert any(f"none of the {len(front)} keeps what was asked any more" in text for text in told)
    assert not any("of those that hold up" in text for text in told)


def test_bounds_that_nothing_keeps_to_are_told(own):
    text = STUDY.replace("below: 1200", "below: 500")
    (own / "study" / "mix.yaml").write_text(text, encoding="utf-8")
    found = searched(own, plan=Plan(trials=4))
    assert not len(found.front)
    assert found.words == [
        "None of 4 policies tried keeps the concentration of platforms below 500 HHI points in 90 % of worlds."
    ]
    assert draw_front(found, own)[0].is_file() and len(found.stores) == 1


# Going on


def test_a_search_that_was_interrupted_ends_as_the_undisturbed_one(own, monkeypatch):
    whole = searched(own)
    folder = Problem.of(("study=mix",), Plan(), own).create(own.parent / "outputs")
    (folder / "batch-1").mkdir()  # begun, and never whole
    count = 0

    def interrupted(*arguments, **named):
        nonlocal count
        count += 1
        if count == 2:
            drive(*arguments, runs=range(7), **named)
            raise KeyboardInterrupt
        return drive(*arguments, **named)

    monkeypatch.setattr(search_module, "drive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pursue_search(folder, QUIET, stub("policy"))
    partly = read(folder)
    assert len(partly.trials) == 8 and "fresh.outlay_total" not in partly.front
    monkeypatch.setattr(search_module, "drive", drive)
    again = pursue_search(folder, QUIET, stub("policy"))
    assert again.digest == whole.digest and again.trials.equals(whole.trials) and again.front.equals(whole.front)
    monkeypatch.setattr(problem_module, "propose", None)  # what is done is read, not proposed again
    assert read(folder).front.equals(whole.front)
    assert pursue_search(folder, QUIET, stub("policy")).digest == whole.digest


def test_a_study_that_has_changed_is_not_gone_on_with(own):
    folder = searched(own, plan=Plan(trials=4)).folder
    (own / "study" / "mix.yaml").write_text(STUDY.replace("1200", "1300"), encoding="utf-8")
    with pytest.raises(BadRequest, match="has changed since this search began"):
        pursue_search(folder, QUIET, stub("policy"))


def test_trials_whose_runs_fail_are_no_candidates_and_end_with_code_1(on_stub, own):
    answer = on_stub("policy_raising", "search", "study=mix", "--config-dir", "own")
    assert answer.code == 1 and "runs failed" in answer.out
    table = read("outputs/mix-1").trials
    failed = table["subsidy.scale"] > 1.5
    assert failed.any() and not table.loc[failed, "feasible"].any() and table.loc[failed, "outlay_total"].isna().all()


# The command line, the model


def test_the_command_tells_what_was_found_and_writes_it_whole(on_stub, own, here):
    answer = on_stub("policy", "search", "study=mix", "--config-dir", "own", "--trials", "8", "--samples", "3")
    assert answer.code == 0, answer.err
    assert "8 policies × 6 worlds (3 draws × 2 seeds) = 48 runs, then the front in 6 fresh worlds" in answer.out
    assert "  pricing: nash, fixed" in answer.out and "Chart and tables: outputs/mix-1" in answer.out
    assert set(os.listdir("outputs/mix-1")) >= {"front.csv", "front.png", "front.svg", "trials.csv", "policies.json"}
    again = on_stub("policy", "search", "--resume", "--json")
    status = on_stub("policy", "status", "outputs/mix-1")
    assert status.code == 2 and "`evsim search --resume outputs/mix-1`" in status.err and "mix-1/batch-1" in status.err
    assert json.loads(again.out)["digest"] == json.loads((here / "outputs/mix-1/policies.json").read_text())["digest"]
    assert on_stub("policy", "search", "--resume", "outputs/mix-1", "--quiet").out == "outputs/mix-1\n"


def test_a_dry_run_tells_runs_levers_hours_and_disk_and_writes_nothing(evsim, own, here):
    words = ("search", "study=mix", *TINY[:3], *TINY[4:], "modes=timeline", "--config-dir", "own", "--workers", "1")
    answer = evsim(*words, "--trials", "8", "--samples", "3", "--dry-run")
    assert answer.code == 0, answer.err
    assert "8 policies × 6 worlds (3 draws × 2 seeds) = 48 runs, then the front in 6 fresh worlds" in answer.out
    assert "  subsidy.scale: from 0 to 2\n  pricing: nash, fixed\n" in answer.out
    assert "48 runs of " in answer.out and "on 1 worker: about" in answer.out and "MB of disk" in answer.out
    assert "The front comes on top: 6 runs, about " in answer.out
    assert answer.out.endswith("Nothing was run or written.\n") and os.listdir(here) == ["own"]


def test_a_dry_run_of_a_search_tells_what_is_left(on_stub, own):
    on_stub("policy", "search", "study=mix", "--config-dir", "own", "--trials", "4", "--samples", "2", "--quiet")
    answer = on_stub("policy", "search", "--resume", "--dry-run")
    assert answer.code == 0 and answer.out.endswith("Every run of it is there. Nothing was run or written.\n")
    asked = on_stub("policy", "search", "study=mix", "--resume", "--dry-run", "--config-dir", "own")
    assert asked.code == 2 and "leave out" in asked.err


def test_trials_to_come_are_those_that_no_batch_has(own):
    problem = Problem.of(("study=mix",), Plan(trials=11, samples=2, replications=1), own)
    folder = problem.create(own.parent / "outputs")
    assert trials_to_come(problem, folder) == (22, 2) and front_to_come(folder) is None
    design = problem.design(problem.proposals([], 1), problem.worlds, "batch")
    drive(Store.create(folder, design, stub("policy")), QUIET, stub("policy"), runs=range(10))
    assert trials_to_come(problem, folder) == (12, 2)
    few = Problem.of(("study=mix", "subsidy.scale=0,0.5,1", "pricing=fixed"), Plan(), own)
    assert n_trials(few) == 3 and n_trials(problem) == 11


def test_the_model_is_searched_and_shows_what_was_found(own):
    words = ("study=mix", *TINY[:3], *TINY[4:], "modes=timeline", "subsidy.scale=0,1", "pricing=fixed")
    found = package.search(*words, trials=2, samples=2, replications=1, config_dir=own, execution=QUIET)
    assert sorted(found.trials["subsidy.scale"]) == [0.0, 1.0] and found.folder.name == "mix-1"
    assert found.trials.set_index("subsidy.scale")["outlay_total"].diff().iloc[-1] != 0.0
    assert "<table" in found._repr_html_() and found.figure().axes


def test_the_shipped_study_can_be_searched():
    problem = Problem.of(("study=least_outlay",), Plan(), None)
    assert problem.n_worlds == 20 and set(problem.asked.constraints) == {"hhi_platform"}
    assert [axis.key for axis in problem.axes][0] == "subsidy.scale"


@pytest.mark.parametrize(
    ("words", "change", "fragments"),
    [
        ([], None, ["say what is searched"]),
        (["study=mxi"], None, ["mxi", "mix"]),
        (["study=what_matters"], None, ["no lever"]),
        (["study=subsidy_x_software"], None, ["maximised or minimised"]),
        (["study=mix", "pricing=fixed", "subsidy.scale=1"], None, ["no lever"]),
        (["study=mix", "seed=0,1"], None, ["seed=0,1", "no lever"]),
        (["study=mix"], ("below: 1200", "bellow: 1200"), ["constraints: hhi_platform", "below: BOUND"]),
        (["study=mix"], ("in: 0.9", "in: 90"), ["hhi_platform", "a part of the worlds"]),
        (["study=mix"], ("hhi_platform", "hhi_platfrm"), ["hhi_platfrm", "hhi_platform"]),
        (["study=mix"], ("constraints", "constraint"), ["unknown heading constraint", "constraints"]),
        (["study=mix"], ("trials: 16", "trials: 0"), ["trials=0"]),
        (["study=mix"], ("interval(0, 2)", "interval(0, 20)"), ["subsidy.scale", "20"]),
        (["study=mix", "--samples", "700000"], None, ["11,200,000 runs", "evsim sweep … --yes"]),
        (["study=mix", "--trials", "0"], None, ["--trials"]),
        (["study=mix", "--engine", "cloud"], None, ["--engine=cloud"]),
        (["study=mix", "--out", ""], None, ["--out"]),
        (["--resume", "nowhere"], None, ["no search lies here"]),
        (["--resume", "--trials", "3"], None, ["--resume", "--trials"]),
    ],
)
def test_a_bad_request_is_one_line_with_code_2_and_writes_nothing(on_stub, own, here, words, change, fragments):
    if change:
        (own / "study" / "mix.yaml").write_text(STUDY.replace(*change), encoding="utf-8")
    extra = () if "--resume" in words else ("--replications", "1")
    answer = on_stub("policy", "search", *words, *extra, "--config-dir", "own", "--quiet")
    assert answer.code == 2 and len(answer.err.splitlines()) == 1 and answer.out == ""
    assert all(fragment in answer.err for fragment in fragments), answer.err
    assert os.listdir(here) == ["own"]


def test_a_space_that_is_used_up_ends_the_search(own):
    found = searched(own, "subsidy.scale=0,0.5,1", "pricing=fixed", plan=Plan(trials=16, samples=2))
    assert len(found.trials) == 3 and len(found.front) == 3
    assert read(found.folder).front.equals(found.front)


def test_two_cannot_search_in_one_folder(own):
    folder = Problem.of(("study=mix",), Plan(trials=2), own).create(own.parent / "outputs")
    with search_module._alone(folder), pytest.raises(BadRequest, match="somebody else is at work"):
        pursue_search(folder, QUIET, stub("policy"))


def test_a_sweep_reads_a_study_with_constraints_and_leaves_them_out(own):
    asked = request(["study=mix"], config_dir=own)
    assert asked.constraints == {"hhi_platform": Constraint(1200.0, True, 0.9)} and asked.plan.trials == 16
    assert replace(asked, constraints={}).outcomes["mean_price"] == ""
