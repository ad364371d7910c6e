"""`evsim sweep` and `evsim status`: what they print, where they write, how they end."""

import json
import os
from pathlib import Path

import pytest
from study.studies import TINY, driven, stub

import evsim as package
from evsim.scenarios import load
from evsim.simulation import run
from evsim.study import Execution, read, resume
from evsim.study import runner as runner_module
from evsim.study.outcomes import kept_of


@pytest.fixture
def on_stub(evsim, monkeypatch):
    """The command line on a stand-in for the model."""

    def call(function, *words):
        monkeypatch.setattr(runner_module, "SIMULATE", stub(function))
        return evsim(*words)

    return call


def test_a_sweep_tells_its_values_its_means_its_store_and_its_digest(on_stub):
    answer = on_stub(
        "null", "sweep", "subsidy.scale=range(0,1.5,0.5)", "scenario=baseline,price_war", "--replications", "2"
    )
    assert answer.code == 0
    assert "6 scenarios × 2 seeds = 12 runs" in answer.out
    assert "subsidy.scale: 0, 0.5, 1   (a range leaves its end out)" in answer.out
    assert "12 of 12 runs done, 0 failed." in answer.out
    assert "mean_price (kCNY)" in answer.out
    store = read(Path("outputs") / "sweep-1")
    assert f"digest  {store.digest}" in answer.out and "Store:  outputs/sweep-1" in answer.out


def test_a_sweep_of_which_7_of_100_runs_raise_ends_with_code_1_keeps_93_and_names_the_others(on_stub):
    answer = on_stub("raising", "sweep", "subsidy.scale=1", "--replications", "100")
    assert answer.code == 1 and "93 of 100 runs done, 7 failed." in answer.out
    assert "run 93 failed: ZeroDivisionError: seed 93 is too large" in answer.out
    status = on_stub("raising", "status")
    assert status.code == 1 and status.out.count("ZeroDivisionError") == 7
    assert all(f"  evsim run subsidy.scale=1 seed={seed}" in status.out for seed in range(93, 100))
    told = json.loads(on_stub("raising", "status", "--json").out)
    assert (told["done"], told["missing"], len(told["failed"]), told["at_work"]) == (93, 0, 7, False)


def test_json_and_quiet_print_one_line(on_stub):
    words = ("sweep", "subsidy.scale=0,1", "--out", "mine")
    told = json.loads(on_stub("null", *words, "--json").out)
    assert (told["runs"], told["done"], told["failed"]) == (2, 2, [])
    answer = on_stub("null", *words, "--quiet")
    assert answer.out == "mine/sweep-2\n" and answer.err == ""


def test_resume_takes_the_latest_store_of_the_design(on_stub):
    on_stub("null", "sweep", "subsidy.scale=0,1", "--quiet")
    on_stub("null", "sweep", "subsidy.scale=0,2", "--quiet")
    assert on_stub("null", "sweep", "--resume", "--quiet").out == "outputs/sweep-2\n"
    assert on_stub("null", "sweep", "subsidy.scale=0,1", "--resume", "--quiet").out == "outputs/sweep-1\n"
    assert on_stub("null", "sweep", "--resume", "subsidy.scale=0,1", "--quiet").out == "outputs/sweep-1\n"


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["subsidy.scale=0,2", "--resume", "outputs/sweep-1"], ["outputs/sweep-1", "another design"]),
        (["--replications", "3", "--resume", "outputs/sweep-1"], ["say what is varied"]),
        (["subsidy.scale=0,1", "--keep", "panel", "--resume", "outputs/sweep-1"], ["another design"]),
        (["subsidy.scale=0,5", "--resume"], ["no store of this design"]),
        (["--resume", "nowhere"], ["nowhere", "no store lies here"]),
        ([], ["say what is varied"]),
        (["subsidy.scale=range(3,1)"], ["range(3,1)", "no value"]),
        (["subsidy.scale=0,1", "--outcomes", "hhi_brnd"], ["hhi_brnd", "hhi_brand"]),
        (["seed=range(0,1000000)", "subsidy.scale=range(0,10,0.5)"], ["20,000,000 runs", "--yes"]),
        (["subsidy.scale=0,1", "--engine", "cloud"], ["--engine=cloud", "local or ray"]),
        (["subsidy.scale=0,1", "--workers", "0"], ["--workers"]),
        (["subsidy.scale=0,1", "--retry-failed"], ["--resume"]),
        (["subsidy.scale=0,1", "--keep", "all"], ["keep=all"]),
        (["subsidy.scale=0,1", "--branch-at", "soon"], ["branch_at=soon", "YYYY-MM"]),
        (["subsidy.scale=0,1", "--branch-at", "2025-01"], ["branch_at=2025-01", "part at the start"]),
        (["--resume", "outputs/sweep-1", "--branch-at", "2025-01"], ["--branch-at=2025-01", "leave it out"]),
        (["subsidy.scale=0,1", "--out", ""], ["--out"]),
    ],
)
def test_a_bad_request_is_one_line_with_code_2_and_harms_nothing(on_stub, here, words, fragments):
    on_stub("null", "sweep", "subsidy.scale=0,1", "--quiet")
    digest = read("outputs/sweep-1").digest
    answer = on_stub("null", "sweep", *words, "--quiet")
    assert answer.code == 2 and len(answer.err.splitlines()) == 1 and answer.out == ""
    assert all(fragment in answer.err for fragment in fragments), answer.err
    assert os.listdir(here / "outputs") == ["sweep-1"] and read("outputs/sweep-1").digest == digest


def test_status_names_the_command_that_goes_on(on_stub, here):
    from evsim.study import drive

    half = driven(here / "outputs", replications=4)
    assert "Go on with" not in on_stub("null", "status").out
    torn = next((half.path / "shards").iterdir())
    torn.write_bytes(torn.read_bytes()[:100])
    assert "Go on with: evsim sweep --resume outputs/sweep-1" in on_stub("null", "status").out
    assert drive(half, Execution(quiet=True), stub("null")).damaged() == []


def test_progress_is_a_line_every_half_minute_where_nobody_watches(on_stub, monkeypatch):
    from evsim.study import progress

    monkeypatch.setattr(progress, "EVERY_SECONDS", 0.0)
    answer = on_stub("slow", "sweep", "subsidy.scale=0,1", "name=.", "--replications", "30")
    assert answer.code == 0
    assert "of 60 runs, about" in answer.err and answer.err.strip().endswith("left")


def test_a_sweep_of_the_model_gives_what_single_runs_give(evsim, here):
    answer = evsim("sweep", "scenario=baseline,waning_subsidies", *TINY, "--replications", "2", "--keep", "panel")
    assert answer.code == 0, answer.err
    store = read("outputs/sweep-1")
    results = store.results()
    for row in results.itertuples():
        alone = kept_of(run(load(row.scenario, *TINY), seed=row.seed, threads=2))
        for name, value in alone.row.items():
            assert results[name][row.Index] == value or (value is None and results[name].isna()[row.Index]), name
    months = store.panel("months", ["month", "alliance_share"])
    assert len(months) == 4 * 3 and sorted(set(months["run"])) == [0, 1, 2, 3]
    assert list(store.panel("automaker_years").columns)[:3] == ["run", "year", "automaker"]


def test_python_gives_the_store_that_the_command_line_gives(evsim, here):
    assert evsim("sweep", "subsidy.scale=0,1", *TINY, "--quiet").code == 0
    store = package.sweep("subsidy.scale=0,1", *TINY, out="mine", execution=Execution(workers=1, quiet=True))
    assert store.path == Path("mine/sweep-1")
    assert store.digest == read("outputs/sweep-1").digest
    assert resume(store, Execution(quiet=True)).counts().done == 2


def test_a_dry_run_tells_runs_values_hours_and_disk_and_writes_nothing(evsim, here):
    answer = evsim("sweep", "subsidy.scale=0,0.5,1", *TINY, "--replications", "40", "--workers", "1", "--dry-run")
    assert answer.code == 0, answer.err
    assert "3 scenarios × 40 seeds = 120 runs" in answer.out and "subsidy.scale: 0, 0.5, 1" in answer.out
    assert "on 1 worker: about" in answer.out and "hours" in answer.out and "MB of disk" in answer.out
    assert os.listdir(here) == []
