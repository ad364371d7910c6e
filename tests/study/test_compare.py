"""A comparison says what its pairs say: differences, intervals, when to stop, what cannot be told."""

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from study.studies import QUIET, TINY, stub

import evsim as package
from evsim.errors import BadRequest
from evsim.report.figures.paired_years import draw_paired_years
from evsim.scenarios import load
from evsim.simulation import run
from evsim.study import Aim, Plan, Store, comparison_of, drive, pursue, read
from evsim.study import runner as runner_module
from evsim.study.compare import comparison_design, next_look, runs_to_come
from evsim.study.pairs import pair_estimate, pairs_needed
from evsim.words import world_label
from evsim.words.pairs import paired_interval, share_changes

FILES = {f"comparison{suffix}" for suffix in (".csv", ".json", ".png", ".svg", "_years.csv")}


@pytest.fixture
def on_stub(evsim, monkeypatch):
    """The command line on a stand-in for the model."""

    def call(function, *words):
        monkeypatch.setattr(runner_module, "SIMULATE", stub(function))
        return evsim(*words)

    return call


def made(folder, *words, plan=None, aim=(None, None, None)):
    """A new store for a comparison, and its aim."""
    design, wanted = comparison_design(*words, plan=plan or Plan(), aim=aim)
    return Store.create(folder, design, stub("paired")), wanted


def compared(folder, *words, plan=None, aim=(None, None, None), function="paired"):
    """A comparison on a stand-in."""
    design, wanted = comparison_design(*words, plan=plan or Plan(), aim=aim)
    store = Store.create(folder, design, stub(function))
    return pursue(store, wanted, QUIET, simulate=stub(function))


def row(comparison, outcome, world=None):
    """One row of a comparison's table."""
    table = comparison.table[comparison.table["outcome"] == outcome]
    (found,) = (table if world is None else table[table["world"] == world]).to_dict("records")
    return found


# What pairs say


def test_differences_and_intervals_are_those_of_pairs_by_seed(tmp_path):
    found = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(12))
    results = found.store.results().set_index(["subsidy.scale", "seed"])["hhi_platform"]
    differences = [results[1.0, seed] - results[0.0, seed] for seed in range(12)]
    mean, low, high = paired_interval(differences)
    told = row(found, "hhi_platform")
    assert (told["difference"], told["low"], told["high"]) == pytest.approx((mean, low, high), rel=1e-12)
    assert (told["first"], told["other"]) == pytest.approx((results[0.0].mean(), results[1.0].mean()), rel=1e-12)
    assert told["pairs"] == 12 and told["unit"] == "HHI points"


def test_pairing_gains_what_common_draws_take_out_of_the_variance(tmp_path):
    """Var(a) + Var(b) over Var(b − a), a = c, b = c + d: (2 σ_c² + σ_d²) / σ_d²."""
    found = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(400))
    expected = (2 * 0.05**2 + 0.01**2) / 0.01**2
    assert row(found, "nev_penetration")["pairing"] == pytest.approx(expected, rel=0.25)
    assert np.isinf(row(found, "mean_price")["pairing"])


def test_every_world_is_held_against_the_first(tmp_path):
    found = compared(tmp_path, "subsidy.scale=1,0,0.5", "pricing=fixed,nash", plan=Plan(3))
    assert found.worlds[0] == "subsidy.scale=1, pricing=fixed" and len(found.worlds) == 6
    half = row(found, "nev_penetration", "subsidy.scale=0.5, pricing=fixed")
    none = row(found, "nev_penetration", "subsidy.scale=0, pricing=nash")
    assert none["difference"] == pytest.approx(2.0 * half["difference"]) and none["difference"] < 0
    assert row(found, "nev_penetration", "subsidy.scale=1, pricing=nash")["difference"] == 0.0


def test_years_are_the_outcomes_by_year(tmp_path):
    found = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(5))
    years = found.years.set_index(["outcome", "year"])
    assert years.loc[("nev_penetration", 2024), "difference"] == 0.0
    assert years.loc[("nev_penetration", 2025), "low"] == row(found, "nev_penetration")["low"]


def test_a_pair_of_which_a_run_failed_is_left_out(tmp_path):
    found = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(6), function="paired_raising")
    assert row(found, "nev_penetration")["pairs"] == 5
    whole = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(6)).store.results()
    kept = whole[whole["seed"] != 3].groupby("subsidy.scale")["nev_penetration"].mean()
    assert row(found, "nev_penetration")["other"] == pytest.approx(kept[1.0])


def test_intervals_of_skewed_differences_hold_the_truth_84_to_96_times_in_100():
    generator = np.random.default_rng(2026)
    common = generator.lognormal(size=(1000, 10))
    effect = generator.gumbel(size=(1000, 10))  # skewness 1.14
    held = [
        estimate.low <= np.euler_gamma <= estimate.high
        for estimate in (pair_estimate(base, base + gain) for base, gain in zip(common, effect, strict=True))
    ]
    assert 0.84 <= np.mean(held) <= 0.96


# When to stop


@pytest.mark.parametrize(("spread", "precision"), [(1.0, 0.3), (0.2, 0.5), (5.0, 0.4), (1e-9, 1.0)])
def test_the_pairs_needed_are_the_fewest_that_do(spread, precision):
    from scipy.stats import t

    counts = np.arange(2, 2000)
    narrow = t.ppf(0.95, counts - 1) * spread / np.sqrt(counts) <= precision
    assert pairs_needed(spread, precision) == counts[narrow][0]


def test_replications_are_added_until_the_interval_is_as_narrow_as_asked(tmp_path):
    aim = ("nev_penetration", 0.35, 100)
    found = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(5), aim=aim)
    assert found.half_width <= 0.35 and 5 < found.aim.replications < 100
    assert found.store.counts().done == 2 * found.aim.replications
    seen = Aim("nev_penetration", found.aim.replications - 5, 0.35)
    assert comparison_of(found.store, aim=seen).half_width > 0.35 * 0.9
    assert "was asked" in found.reached


def test_a_cap_that_is_not_enough_is_told_with_what_it_would_take(tmp_path):
    found = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(10), aim=("nev_penetration", 0.1, 40))
    assert found.aim.replications == 40 and found.half_width > 0.1
    needed = found.pairs_for(0.1)
    assert f"would take about {needed}" in found.reached
    enough = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(needed), aim=("nev_penetration", None, None))
    assert enough.half_width == pytest.approx(0.1, rel=0.2)


def test_a_comparison_that_was_interrupted_ends_as_the_undisturbed_one(tmp_path):
    aim = ("nev_penetration", 0.3, 60)
    whole = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(5), aim=aim)
    store, wanted = made(tmp_path, "subsidy.scale=0,1", plan=Plan(5), aim=aim)
    drive(store, QUIET, stub("paired"), runs=[0, 60, 61, 7, 59])
    again = pursue(store, wanted, QUIET, simulate=stub("paired"))
    assert again.aim == whole.aim and again.table.equals(whole.table)
    beyond = pursue(store, wanted, QUIET, simulate=stub("paired"))
    assert beyond.store.digest == again.store.digest


@pytest.mark.parametrize(("begin", "low", "high"), [(20, 0.87, 0.91), (5, 0.82, 0.90)])
def test_stopping_when_narrow_costs_little_coverage(begin, low, high):
    """The rule of `pursue` on normal differences, precisions from lax to strict."""
    generator = np.random.default_rng(7)
    held = []
    for precision in (0.2, 0.3, 0.4):
        for _ in range(700):
            sample = generator.normal(size=200)
            n = begin
            while True:
                mean, below, above = paired_interval(sample[:n].tolist())
                if (above - below) / 2.0 <= precision or n == len(sample):
                    break
                n = next_look(n, pairs_needed(float(sample[:n].std(ddof=1)), precision), len(sample))
            held.append(below <= 0.0 <= above)
    assert low <= np.mean(held) <= high


# In words, and drawn


def test_words_begin_with_the_headline_then_the_largest_and_name_what_cannot_be_told(tmp_path):
    aim = ("hhi_platform", None, None)
    found = compared(tmp_path, "subsidy.scale=0,1", "end=2025-12", plan=Plan(20), aim=aim)
    told = found.words
    assert told[0].startswith("With subsidy.scale=1, new-energy cars gain ") and told[0].endswith("] in 2025.")
    assert told[1].startswith("With subsidy.scale=1, BYD gains ")
    assert told[2].startswith("With subsidy.scale=1, the alliance gains ")
    assert told[3].startswith("With subsidy.scale=1, these differences cannot be told from zero: the concentration of ")
    assert "the shares of" not in told[3]  # Geely's share does not change at all
    assert told[4] == "With subsidy.scale=1, nothing changes for the mean price."
    clear = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(20), aim=("automaker_share.BYD", None, None))
    assert clear.words[0].startswith("With subsidy.scale=1, BYD gains ")


def test_the_years_of_a_makers_share_come_from_the_yearly_tables(tmp_path):
    found = compared(tmp_path, "subsidy.scale=0,1", plan=Plan(6), aim=("automaker_share.BYD", None, None))
    years = found.years[found.years["outcome"] == "automaker_share.BYD"].set_index("year")
    results = found.store.results().pivot(index="seed", columns="subsidy.scale", values="nev_penetration")
    assert years.loc[2024, "difference"] == 0.0
    assert years.loc[2025, "difference"] == pytest.approx((results[1.0] - results[0.0]).mean())


def test_a_comparison_shows_itself_and_is_drawn(tmp_path):
    found = compared(tmp_path, "subsidy.scale=0,1,2", plan=Plan(5), aim=("nev_penetration_2025", None, None))
    html = found._repr_html_()
    assert "<li>With subsidy.scale=1, new-energy cars gain" in html and "<table" in html
    left, right = found.figure().axes
    bands = [patch.get_paths()[0].get_extents() for patch in right.collections]
    years = found.years[(found.years["outcome"] == "nev_penetration") & (found.years["year"] == 2025)]
    assert [band.ymax for band in bands] == pytest.approx(list(100.0 * years["high"]))
    assert len(left.lines) == 3
    assert "subsidy.scale=0" in {text.get_text().lstrip("– ") for text in left.texts}
    assert {path.suffix for path in draw_paired_years(found, tmp_path)} == {".png", ".svg"}


def test_a_label_speaks_scenarios_and_keeps_keys_as_they_are_typed():
    assert world_label("no_alliance") == "no alliance"
    assert world_label("software.advantage_kcny=40") == "software.advantage_kcny=40"


# The model


def test_the_models_worlds_differ_as_their_single_runs_do(tmp_path):
    words = (*TINY, "market.lines=40", "modes=timeline")
    found = package.compare("subsidy.scale=1,0", *words, replications=2, out=tmp_path, execution=QUIET)
    pairs = [
        [run(load("baseline", *words, f"subsidy.scale={scale}"), seed=seed) for seed in (0, 1)] for scale in (1, 0)
    ]
    for name, (mean, low, high) in share_changes(*pairs, "automaker").items():
        told = row(found, f"automaker_share.{name}")
        assert (told["difference"], told["low"], told["high"]) == pytest.approx((mean, low, high), abs=1e-12)
    assert found.aim.headline == "alliance_share" and found.store.path.parent == tmp_path
    assert comparison_of(read(found.store.path), "mean_price").aim == Aim("mean_price", 2)


# The command line


def test_a_dry_run_tells_worlds_replications_hours_and_disk_and_writes_nothing(evsim, here):
    words = ("compare", "scenario=baseline,no_alliance", *TINY, "--replications", "4", "--workers", "1", "--dry-run")
    answer = evsim(*words)
    assert answer.code == 0, answer.err
    assert "2 worlds × 4 seeds = 8 runs\n  no_alliance against baseline" in answer.out
    assert "8 runs of " in answer.out and "on 1 worker: about" in answer.out and "MB of disk" in answer.out
    assert "hours" in answer.out and "This is the least" not in answer.out
    least = evsim(*words, "--precision", "0.2", "--most", "30")
    assert "more until alliance_share is ± 0.2 points, at most 30 seeds (60 runs)" in least.out
    assert "8 runs of " in least.out and "This is the least; as many as 60 runs may come of --precision" in least.out
    assert answer.out.endswith("Nothing was run or written.\n") and os.listdir(here) == []


def test_a_dry_run_of_a_store_tells_what_is_left(on_stub, here):
    words = ("compare", "subsidy.scale=0,1", *TINY, "--replications", "3")
    on_stub("paired", *words, "--quiet")
    whole = on_stub("paired", "compare", "--resume", "--dry-run")
    assert whole.out.endswith("Every run of it is there. Nothing was run or written.\n")
    asked = on_stub("paired", *words, "--resume", "--dry-run", "--replications", "5")
    assert asked.code == 2 and "no store of this design" in asked.err and os.listdir(here / "outputs") == ["compare-1"]


def test_runs_to_come_are_those_a_store_lacks(tmp_path):
    store, aim = made(tmp_path, "subsidy.scale=0,1", plan=Plan(5), aim=("nev_penetration", 0.1, 40))
    assert runs_to_come(store.design, aim) == (10, 80) == runs_to_come(store.design, aim, store)
    drive(store, QUIET, stub("paired"), runs=[0, 40, 79])
    assert runs_to_come(store.design, aim, store) == (8, 77)


def test_the_command_tells_words_first_then_a_table_and_writes_both_whole(on_stub, here):
    answer = on_stub("paired", "compare", "subsidy.scale=0,1", "--replications", "8")
    assert answer.code == 0, answer.err
    words, table, folder = (
        answer.out.index(text) for text in ("new-energy cars gain", "outcome  ", "Chart and tables:")
    )
    assert words < table < folder
    assert "2 worlds × 8 seeds = 16 runs\n  subsidy.scale=1 against subsidy.scale=0" in answer.out
    assert set(os.listdir("outputs/compare-1")) >= FILES
    about = json.loads((here / "outputs/compare-1/comparison.json").read_text())
    assert about["digest"] == read("outputs/compare-1").digest and about["pairs"] == 8
    frame = pd.read_csv("outputs/compare-1/comparison.csv")
    assert list(frame)[:3] == ["world", "outcome", "unit"] and "nev_penetration" in set(frame["outcome"])


def test_json_quiet_and_resume(on_stub):
    words = ("compare", "subsidy.scale=0,1", "--replications", "4")
    told = json.loads(on_stub("paired", *words, "--headline", "nev_penetration", "--json").out)
    assert told["worlds"] == ["subsidy.scale=0", "subsidy.scale=1"] and len(told["words"]) >= 2
    assert on_stub("paired", *words, "--resume", "--quiet").out == "outputs/compare-1\n"
    again = on_stub("paired", "compare", "--resume", "outputs/compare-1", "--headline", "hhi_platform", "--json")
    assert json.loads(again.out)["headline"] == "hhi_platform" and json.loads(again.out)["digest"] == told["digest"]


def test_a_sweep_does_not_go_on_with_a_comparison_but_says_what_does(on_stub, here):
    assert on_stub("paired", "compare", "subsidy.scale=0,1", "--replications", "4", "--quiet").code == 0
    (here / "outputs/compare-1/comparison.json").unlink()  # as if it had been interrupted
    digest = read("outputs/compare-1").digest
    for words in (["--resume", "outputs/compare-1"], ["--resume"]):
        answer = on_stub("paired", "sweep", *words)
        assert answer.code == 2 and answer.err.count("\n") == 1
        assert "`evsim compare --resume outputs/compare-1` goes on with it" in answer.err
    with pytest.raises(BadRequest, match=r"compare-1: a comparison lies here; `evsim.study.pursue` goes on with it"):
        runner_module.resume("outputs/compare-1")
    assert read("outputs/compare-1").digest == digest
    assert on_stub("paired", "compare", "--resume", "outputs/compare-1", "--quiet").code == 0
    assert on_stub("null", "sweep", "subsidy.scale=0,1", "--replications", "2", "--quiet").code == 0
    assert on_stub("null", "sweep", "--resume", "outputs/sweep-1", "--quiet").code == 0


def test_a_precision_is_told_batch_by_batch(on_stub):
    words = ("--precision", "0.3", "--headline", "nev_penetration", "--replications", "5", "--most", "60")
    answer = on_stub("paired", "compare", "subsidy.scale=0,1", *words)
    assert answer.code == 0 and "points after 5 pairs; going on to 10" in answer.err
    assert "more until nev_penetration is ± 0.3 points, at most 60 seeds (120 runs)" in answer.out
    further = on_stub(
        "paired", "compare", "--resume", "outputs/compare-1", *words[2:4], "--precision", "0.25", "--json"
    )
    assert json.loads(further.out)["half_width"] <= 0.25
    status = on_stub("paired", "status").out
    assert "compare --resume outputs/compare-1 --replications N" in status and "sweep --resume" not in status


def test_failed_runs_are_named_and_end_with_code_1(on_stub):
    answer = on_stub("paired_raising", "compare", "subsidy.scale=0,1", "--replications", "5")
    assert answer.code == 1 and "failed, and its pair is left out: ZeroDivisionError" in answer.out
    assert "means of 4 pairs" in answer.out


def test_worlds_without_a_run_are_told_as_unknown(on_stub):
    answer = on_stub("paired_raising", "compare", "subsidy.scale=0,1", "seed=3,13", "--headline", "automaker_share.BYD")
    assert answer.code == 1 and "nothing is known: there is no pair of runs" in answer.out
    assert on_stub("raising", "compare", "subsidy.scale=0,1", "seed=93,94").err.count("\n") == 1


def test_a_study_may_say_what_is_compared(on_stub):
    words = ("study=subsidy_x_software", "software.advantage_kcny=20", "subsidy.scale=0,1", "--json")
    told = json.loads(on_stub("paired", "compare", *words, "--headline", "nev_penetration").out)
    assert told["pairs"] == 5 and told["store"].endswith("subsidy_x_software-1")


def test_seeds_may_be_listed_or_begin_elsewhere(on_stub):
    told = [
        json.loads(on_stub("paired", "compare", "subsidy.scale=0,1", seeds, "--json").out)
        for seeds in ("seed=3,5,8", "seed=40")
    ]
    assert [each["pairs"] for each in told] == [3, 20]
    assert list(read(told[1]["store"]).results()["seed"].unique()) == list(range(40, 60))


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        ([], ["say what is compared"]),
        (["scenario=baseline"], ["one world only", "scenario=baseline,no_alliance"]),
        (["scenario=baseline,no_aliance"], ["no_aliance", "no_alliance"]),
        (
            ["scenario=baseline,no_alliance", "modes=timeline"],
            ["no_alliance: the same world as baseline", "modes=timeline", "leave that out"],
        ),
        (["subsidy.scale=0,1", "--replications", "9000000"], ["18,000,000 runs", "evsim sweep … --yes"]),
        (["subsidy.scale=0,1", "--replications", "1"], ["--replications 1", "no interval"]),
        (["subsidy.scale=0,1", "seed=4,4"], ["given twice"]),
        (["subsidy.scale=0,1", "--headline", "hhi_platfrm"], ["hhi_platfrm", "hhi_platform"]),
        (["subsidy.scale=0,1", "--headline", "hhi_platform_2050"], ["hhi_platform_2050", "2024 to 2035"]),
        (["subsidy.scale=0,1", "--headline", "automaker_share.BID"], ["no automaker BID", "BYD"]),
        (["subsidy.scale=0,1", "--headline", "automaker_share.BYD", "--keep", "summary"], ["--keep summary"]),
        (["subsidy.scale=0,1", "--precision", "0"], ["--precision", "'0'", "above 0"]),
        (["subsidy.scale=0,1", "--precision", "-1"], ["--precision"]),
        (["subsidy.scale=0,1", "--precision", "nan"], ["--precision", "above 0"]),
        (["subsidy.scale=0,1", "--precision", "0.1", "--replications", "30", "--most", "20"], ["30", "--most 20"]),
        (["subsidy.scale=0,1", "--most", "20"], ["--most 20", "--precision"]),
        (["subsidy.scale=interval(0,1)"], ["say how many"]),
        (["study=what_matters"], ["compared one by one"]),
        (["end=2025-12,2026-12"], ["same months"]),
        (["subsidy.scale=0,1", "--engine", "cloud"], ["--engine=cloud"]),
        (["subsidy.scale=0,1", "--out", ""], ["--out"]),
        (["--resume", "nowhere"], ["no store lies here"]),
    ],
)
def test_a_bad_request_is_one_line_with_code_2_and_writes_nothing(on_stub, here, words, fragments):
    answer = on_stub("paired", "compare", *words, "--quiet")
    assert answer.code == 2 and len(answer.err.splitlines()) == 1 and answer.out == ""
    assert all(fragment in answer.err for fragment in fragments), answer.err
    assert os.listdir(here) == []


def test_python_refuses_what_the_command_line_refuses(here):
    for arguments in ({"precision": 0.0}, {"replications": 1}, {"headline": "nothing"}, {"most": 5}):
        with pytest.raises(BadRequest):
            package.compare("subsidy.scale=0,1", **arguments)
    store, aim = made(here, "subsidy.scale=0,1", plan=Plan(4))
    with pytest.raises(BadRequest, match="no run has an outcome"):
        pursue(store, replace(aim, headline="units"), QUIET, simulate=stub("paired"))
