"""The command line: what it prints, where it writes, how it ends."""

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

from evsim.params import Scenario
from evsim.scenarios import scenario_names, to_mapping


def files(folder: Path) -> list[str]:
    """Every path below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_help_names_every_command(evsim):
    answer = evsim("--help")
    assert answer.code == 0
    assert all(verb in answer.out for verb in ("run", "scenarios", "explain", "warmup"))
    assert evsim().out == answer.out


@pytest.mark.parametrize("verb", ["run", "scenarios", "explain", "warmup"])
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
