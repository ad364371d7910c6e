"""The command line: what it prints, where it writes, how it ends."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from conftest import install
from synthetic_reviews import refused_then_joined, with_tables
from synthetic_run import synthetic_run

from evsim.cli.options import latest_run
from evsim.params import Scenario
from evsim.scenarios import scenario_names, to_mapping


def files(folder: Path) -> list[str]:
    """Every path below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_help_names_every_command(evsim):
    answer = evsim("--help")
    assert answer.code == 0
    assert all(verb in answer.out for verb in ("run", "why", "compare", "search", "scenarios", "explain", "warmup"))
    assert evsim().out == answer.out


@pytest.mark.parametrize("verb", ["run", "why", "compare", "search", "scenarios", "explain", "warmup"])
def test_every_command_has_a_help_of_its_own(evsim, verb):
    answer = evsim(verb, "--help")
    assert answer.code == 0 and answer.out.startswith(f"usage: evsim {verb}")


def test_help_loads_no_heavy_library():
    heavy = "{'numpy', 'pandas', 'pydantic', 'hydra', 'numba', 'mesa', 'matplotlib', 'scipy'}"
    program = f"import sys; from evsim.cli import main; main(['--help']); print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_version_is_that_of_the_package(evsim):
    from importlib.metadata import version

    assert evsim("--version").out == f"evsim {version('evsim')}\n"


def test_an_unknown_command_names_the_nearest(evsim):
    answer = evsim("rum")
    assert answer.code == 2 and "'rum'" in answer.err and "run" in answer.err


def test_scenarios_are_listed_with_their_questions(evsim):
    lines = evsim("scenarios").out.splitlines()
    assert [line.split()[0] for line in lines] == scenario_names()
    assert all(line.endswith("?") for line in lines)


def test_a_scenario_tells_its_question_source_and_differences(evsim):
    out = evsim("scenarios", "history_2022").out
    assert all(part in out for part in ("Question:", "Source:", 'start = "2022-01"', 'market.table = "2021"'))


def test_explain_tells_one_key(evsim):
    out = evsim("explain", "software.advantage_kcny").out
    assert all(part in out for part in ("unit     kCNY", "from -200.0 to 200.0", "lever"))


def test_cfg_prints_the_composed_scenario_and_runs_nothing(evsim, here):
    answer = evsim("run", "--cfg", "scenario=price_war", "seed=7")
    assert answer.code == 0 and files(here) == []
    assert yaml.safe_load(answer.out)["seed"] == 7
    assert yaml.safe_load(answer.out)["pricing"]["war_end"] == "2026-12"
    assert yaml.safe_load(evsim("run", "--cfg").out) == to_mapping(Scenario())


def test_a_run_ends_with_its_summary_its_folder_and_commands_that_work(evsim, here, made_up_simulation):
    answer = evsim("run", "scenario=no_alliance", "seed=0", "--threads", "2")
    assert answer.code == 0 and answer.err == ""
    folder = Path("outputs") / "no_alliance-seed0-1"
    assert {"headline.parquet", "headline.csv", "run.json", "shares.png"} <= set(os.listdir(folder))
    assert os.listdir("outputs") == [folder.name]
    assert f"Charts and tables: {folder}" in answer.out
    assert "run scenario=baseline" in answer.out
    (call,) = made_up_simulation
    assert (call["scenario"].name, call["scenario"].seed, call["threads"]) == ("no_alliance", 0, 2)


def test_json_is_one_object_and_nothing_else(evsim, here, made_up_simulation):
    answer = evsim("run", "--json", "--out", "my results", "seed=3")
    told = json.loads(answer.out)
    assert {"final_shares", "nev_penetration", "alliance_cumulative_deliveries", "repeat_rate", "digest"} <= set(told)
    assert told["folder"] == str(Path("my results") / "baseline-seed3-1") and Path(told["folder"]).is_dir()
    assert len(answer.out.splitlines()) == 1 and answer.err == ""


def test_quiet_prints_the_folder_alone(evsim, here, made_up_simulation):
    assert evsim("run", "--quiet").out == f"{Path('outputs') / 'baseline-seed0-1'}\n"


def test_options_may_stand_between_overrides(evsim, here, made_up_simulation):
    assert evsim("run", "seed=4", "--quiet", "pricing=fixed").code == 0
    assert made_up_simulation[0]["scenario"].pricing.rule == "fixed"


def test_a_folder_of_ones_own_scenarios_counts_everywhere(evsim, here, made_up_simulation):
    (here / "mine" / "scenario").mkdir(parents=True)
    (here / "mine" / "scenario" / "late.yaml").write_text("# @package _global_\n# Question: Late?\nstart: 2025-01\n")
    assert evsim("run", "scenario=late", "--config-dir", "mine", "--quiet").out.startswith("outputs")
    assert "Late?" in evsim("scenarios", "--config-dir=mine").out
    assert 'start = "2025-01"' in evsim("scenarios", "late", "--config-dir=mine").out
    assert evsim("run", "scenario=late").code == 2


def test_a_scenario_name_never_leaves_the_output_folder(evsim, here, made_up_simulation):
    assert evsim("run", "name=../../我的 world", "--quiet").out == f"{Path('outputs') / '我的_world-seed0-1'}\n"
    assert files(here.parent)[0] == "here" and os.listdir(here) == ["outputs"]


@pytest.fixture
def reviewed(here):
    """A run with made-up reviews, saved where `evsim run` would put it."""
    run = with_tables(synthetic_run(0, "2024-01", "2024-06"), decisions=refused_then_joined())
    run.save(here / "outputs" / "baseline-seed0-1")
    return run


def test_why_tells_of_the_latest_run_and_the_year_in_which_the_maker_changed_something(evsim, reviewed):
    answer = evsim("why", "SAIC")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("SAIC, review of January 2024 (baseline, seed 0)\n")
    assert "IM goes from supplier (Momenta) to components (Huawei)" in answer.out
    assert "Other reviews: 2025; it changed something in 2025 too." in answer.out
    assert answer.out.endswith(f"Run: {Path('outputs') / 'baseline-seed0-1'}\n")
    assert max(map(len, answer.out.splitlines())) <= 100


def test_why_passes_over_reviews_at_which_the_maker_changed_nothing(evsim, reviewed, here):
    with_tables(reviewed, decisions=[row for row in refused_then_joined() if row["brand"] == "Roewe"]).save(
        here / "mine"
    )
    out = evsim("why", "SAIC", "mine").out
    assert out.startswith("SAIC, review of January 2025") and "Other reviews: 2024.\n" in out


def test_why_shows_the_first_review_of_a_maker_that_changed_nothing(evsim, reviewed, here):
    rows = [row for row in refused_then_joined() if row["brand"] == "Roewe" and row["month"] == "2024-01"]
    later = [row | {"month": "2025-01"} for row in rows]
    with_tables(reviewed, decisions=later + rows).save(here / "mine")
    assert evsim("why", "SAIC", "mine").out.startswith("SAIC, review of January 2024")


def test_why_takes_a_year_a_run_and_a_brand_however_written(evsim, reviewed, here):
    (here / "outputs").rename(here / "elsewhere")
    folder = "elsewhere/baseline-seed0-1"
    told = evsim("why", "SAIC", "2025", folder).out
    assert told.startswith("SAIC, review of January 2025") and "Roewe goes from bought-in stack" in told
    assert evsim("why", "rOEWE", "2025", folder).out == told
    assert evsim("why", "bmw", folder).out.startswith("BMW Brilliance, review of January 2026")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Saik"], "no automaker 'Saik' in this run; the nearest name is SAIC"),
        (["Tesla"], "Tesla had no choice at any review of this run"),
        (["SAIC", "2031"], "SAIC had no review in 2031; its reviews are those of 2024 and 2025"),
        (["SAIC", "soon", "outputs/baseline-seed0-1"], "'soon' is no year"),
    ],
    ids=["unknown", "without choices", "without review", "no year"],
)
def test_why_says_in_one_line_what_would_be_right(evsim, reviewed, words, said):
    answer = evsim("why", *words)
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert said in answer.err


def test_a_brand_of_two_makers_leads_to_neither(evsim, reviewed, here):
    rows = [
        row | {"automaker": maker} for maker in ("BMW Brilliance", "BMW Import") for row in refused_then_joined()[-2:]
    ]
    with_tables(reviewed, decisions=rows).save(here / "mine")
    answer = evsim("why", "BMW", "mine")
    assert answer.code == 2 and "BMW is a brand of BMW Brilliance and BMW Import; name the maker" in answer.err


def test_why_of_a_run_in_which_nobody_chose_names_the_rule(evsim, here):
    run = synthetic_run(0, "2024-01", "2024-06")
    run.save(here / "outputs" / "chosen-seed0-1")
    assert "reviews are held in January" in evsim("why", "SAIC").err
    dated = run.scenario.modes.model_copy(update={"rule": "timeline"})
    scenario = run.scenario.model_copy(update={"modes": dated})
    provenance = run.provenance | {"scenario": scenario.model_dump(mode="json")}
    dataclasses.replace(run, scenario=scenario, provenance=provenance).save(here / "dated")
    answer = evsim("why", "SAIC", "dated")
    assert (answer.code, len(answer.err.splitlines())) == (2, 1) and "modes.rule=timeline" in answer.err


def test_the_latest_run_is_the_one_written_last_and_never_one_half_written(here):
    for place, name in enumerate(("late-seed0-1", "early-seed0-2", ".late-seed0.77.partial")):
        (here / "outputs" / name).mkdir(parents=True)
        (here / "outputs" / name / "run.json").write_text("{}")
        when = (2000.0, 1000.0, 3000.0)[place]
        os.utime(here / "outputs" / name / "run.json", (when, when))
    (here / "outputs" / "empty-seed0-1").mkdir()
    assert latest_run() == Path("outputs/late-seed0-1")


def test_why_without_any_run_says_how_to_make_one(evsim, here):
    answer = evsim("why", "SAIC")
    assert (answer.code, len(answer.err.splitlines())) == (2, 1) and "no run lies under outputs" in answer.err


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 3), (MemoryError(), 1)],
    ids=["interrupted", "disk full", "memory"],
)
def test_trouble_while_drawing_ends_in_one_line_its_code_and_no_folder(
    evsim, here, made_up_simulation, monkeypatch, trouble, code
):
    def draw_all(run, folder):
        raise trouble

    install(monkeypatch, "evsim.report.figures", draw_all=draw_all)
    answer = evsim("run")
    assert (answer.code, len(answer.err.splitlines()), answer.out) == (code, 1, "")
    assert files(here) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_with_its_code_and_leaves_nothing(here, number, code):
    program = textwrap.dedent("""
        import sys, time, types
        def run(scenario, seed=None, threads=1, progress=None):
            print("simulating", flush=True)
            time.sleep(60)
        simulation, figures = types.ModuleType("evsim.simulation"), types.ModuleType("evsim.report.figures")
        simulation.run, figures.draw_all = run, None
        sys.modules.update({"evsim.simulation": simulation, "evsim.report.figures": figures})
        from evsim.cli import main
        sys.exit(main(["run"]))
    """)
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "simulating\n"
    child.send_signal(number)
    _, told = child.communicate(timeout=30)
    assert child.returncode == code
    assert "Traceback" not in told and len(told.splitlines()) <= 1
    assert files(here) == []


def test_a_reader_that_stops_early_is_no_error():
    program = "import sys; from evsim.cli import main; sys.exit(main(['explain']))"
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None and child.stderr is not None
    child.stdout.close()
    assert child.wait(timeout=30) == 0 and child.stderr.read() == b""
    child.stderr.close()


QUICK = ("consumers.count=1000", "consumers.reference_size=500", "pricing.survey_size=100", "end=2024-01")
TABLE = """product,brand,automaker,group,powertrain,size_class,platform,units,price
a,Alpha,Alpha Motors,Alpha,ice,A,supplier,400000,120
b,Beta,Beta Motors,Beta,bev,B,Beta,300000,200
z,Zeekr,Zeekr,Geely,bev,B,supplier,200000,250
"""


@pytest.mark.parametrize(
    "words",
    [
        ["consumers.price_sensitivity=1.0", *QUICK],
        ["market.lines=1", "market.keep_brands=[]", *QUICK],
        ["market.table=table.csv", *QUICK],
        ["market.table=table.csv", "products.launches=none", *QUICK],
        ["market.table=table.csv", *QUICK, "start=2016-05", "end=2016-06"],
        ["market.granularity=full", *QUICK, "pricing=fixed"],
    ],
    ids=" ".join,
)
def test_a_request_at_the_edge_of_what_is_allowed_runs(evsim, here, monkeypatch, words):
    install(monkeypatch, "evsim.report.figures", draw_all=lambda run, folder: [])
    (here / "table.csv").write_text(TABLE, encoding="utf-8")
    answer = evsim("run", "--json", *words)
    assert (answer.code, answer.err) == (0, "")
    for shares in json.loads(answer.out)["final_shares"].values():
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-9)


def test_a_month_in_which_nobody_buys_is_told_and_drawn_without_a_table_of_switches(evsim, here):
    answer = evsim("run", "--json", "consumers.count=100", "end=2024-01")
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(answer.out)
    assert all(shares == {} for shares in told["final_shares"].values())  # shares of nothing
    made = {name for name in os.listdir(told["folder"]) if name.endswith(".png")}
    assert {"prices.png", "camps.png", "money.png"} <= made
    assert "switching.png" not in made


def test_one_scenario_and_seed_give_one_digest_again_and_with_two_threads(evsim, monkeypatch):
    install(monkeypatch, "evsim.report.figures", draw_all=lambda run, folder: [])
    tiny = ["consumers.count=1000", "consumers.reference_size=500", "pricing=fixed", "end=2024-02", "--json"]
    told = [
        json.loads(evsim("run", *tiny, "--threads", threads, *more).out)
        for threads, *more in (["1"], ["1"], ["2"], ["1", "seed=1"])
    ]
    first, again, two_threads, another_seed = (answer["digest"] for answer in told)
    assert first == again == two_threads != another_seed


def test_python_runs_the_package_as_the_command(here):
    told = subprocess.run([sys.executable, "-m", "evsim", "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("evsim ")
    refused = subprocess.run([sys.executable, "-m", "evsim", "nothing"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
