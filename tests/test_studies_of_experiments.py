"""The eight questions have a study each; where a script's worlds are points of one, they are the same."""

import re
import shlex

import pandas as pd
import pytest
from study.studies import QUIET
from test_readme import ROOT, experiment

import evsim as package
from evsim.study import design_of, read_study

TABLE = (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d)\. [^|]*\| ([^|]*) \| `(\w+)` \| `evsim ([^`]*)` \|$", TABLE, flags=re.MULTILINE)
DESIGNS = ROOT / "experiments" / "designs"
SMALL = (
    "consumers.count=500", "consumers.reference_size=500", "pricing.survey_size=100", "market.lines=20",
    "lock_in.community_size=50", "pricing=fixed", "end=2024-12",
)  # fmt: skip


def test_each_of_the_eight_questions_has_a_script_and_a_study():
    assert [number for number, *_ in ROWS] == list("12345678")


@pytest.mark.parametrize(("number", "scripts", "study", "command"), ROWS)
def test_the_table_of_studies_names_scripts_that_are_there_and_commands_that_work(
    number, scripts, study, command, evsim, monkeypatch
):
    told = [(ROOT / "experiments" / name).read_text(encoding="utf-8") for name in re.findall(r"`([\w.]+)`", scripts)]
    assert told and all(f"`{study}`" in text.split('"""')[1] for text in told)
    monkeypatch.chdir(ROOT)  # the folder of --config-dir
    words = [*shlex.split(command), "--replications", "1", "--dry-run"]
    monkeypatch.setattr("evsim.cli.sweep._cost", lambda *_: "")
    answer = evsim(*words)
    assert answer.code == 0 and f"study={study}" in words, answer.err


def test_the_worlds_of_waning_subsidies_are_points_of_their_study():
    script, design = experiment("waning_subsidies"), design_of("study=waning")
    points = [design.scenario(point) for point in range(design.n_points)]
    worlds = script.worlds([])
    assert len(worlds) == 2 + len(script.STARTS) * len(script.SPEEDS) == 8
    for name, world in worlds.items():
        if name in (script.DATED, script.HELD):  # nothing falls, so the months are without effect
            months = {"phase_out_months": script.SPEEDS[0]}
            world = world.model_copy(update={"subsidy": world.subsidy.model_copy(update=months)})
        assert world in points, name


def test_owners_are_asked_in_worlds_on_the_diagonal_of_the_study_of_lock_in():
    script, usual = experiment("owner_discount"), package.load("baseline").lock_in
    for key, values in read_study("lock_in").uncertainties.items():
        default = getattr(usual, key.partition(".")[2])
        assert list(values.values) == pytest.approx([strength * default for strength in script.STRENGTHS])


def test_the_study_of_subsidies_has_every_design_and_the_settings_of_the_script():
    script, design = experiment("subsidy_yuan"), design_of("study=subsidy_yuan", config_dir=DESIGNS)
    points = [design.scenario(point) for point in range(design.n_points)]
    for name in (script.NONE, *script.DESIGNS):
        assert script.world(name, 1.0, []) in points


def test_a_study_of_a_question_is_swept_and_analysed_on_a_small_market(here):
    store = package.sweep("study=waning", "subsidy.phase_out_months=6", *SMALL, replications=2, execution=QUIET)
    levers = ["subsidy.hold_from", "subsidy.phase_out_start"]
    means = store.results().fillna(dict.fromkeys(levers, "never")).groupby(levers)["outlay_total"].mean()
    dated, fallen = means["never", "never"], means["2024-06", "2024-07"]
    assert len(means) == 9 and 0.0 < fallen < dated
    assert means["never", "2026-01"] == dated  # not begun by the end
    swings = package.analyse(store, {"nev_penetration": ""}, only=["tornado"])["tornado"].tables["swings"]
    assert isinstance(swings, pd.DataFrame) and swings["key"].iloc[0] == "subsidy.phase_out_start"
