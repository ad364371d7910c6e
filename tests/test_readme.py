"""What README and the experiments tell a reader to type works, at a small size."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

import evsim
from evsim.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TINY = [
    "consumers.count=600",
    "consumers.reference_size=500",
    "pricing.survey_size=100",
    "market.lines=60",
    "end=2024-03",
]


def experiment(name):
    """The module of an experiment's script."""
    path = ROOT / "experiments" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    names: dict = {}
    for block in blocks:
        small = block.replace('"consumers.count=20000"', ", ".join(f'"{setting}"' for setting in TINY))
        exec(compile(small, "README.md", "exec"), names)
    assert set(names["run"].final_shares()["kind"]) <= {"alliance", "independent", "incumbent"}
    assert list((tmp_path / "outputs" / "mine").glob("headline.*"))


def commands():
    """Every evsim command line of the README."""
    lines = re.findall(r"^ {4}\.venv/bin/evsim (.*?)(?:\s+#.*)?$", README, flags=re.MULTILINE)
    return [line for line in lines if "my_market" not in line and "gift" not in line]


@pytest.mark.parametrize("line", commands())
def test_every_command_of_the_readme_works(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)
    if words[0] == "why":  # it reads the latest run
        assert main(["run", *TINY, "market.lines=150"]) == 0
    if words[0] == "analyse":  # it reads the latest sweep
        assert main(["sweep", "software.advantage_kcny=0,40", "subsidy.scale=0,1", *TINY]) == 0
    for option in ("--replications", "--trials", "--samples"):
        if option in words:
            words[words.index(option) + 1] = "2"
    assert main([*words, *(TINY if words[0] in ("run", "sweep", "compare", "search") else [])]) == 0
    assert capsys.readouterr().out


def test_a_scenario_of_ones_own_is_written_and_run_as_the_readme_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "scenario").mkdir(parents=True)
    text = re.search(r"```yaml\n(.*?)```", README, flags=re.DOTALL).group(1)
    (tmp_path / "mine" / "scenario" / "gift.yaml").write_text(text, encoding="utf-8")
    assert main(["run", "scenario=gift", "--config-dir", "mine", *TINY]) == 0
    assert "gift" in capsys.readouterr().out


def test_a_market_of_ones_own_runs_as_the_readme_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    header = re.search(r"One row a product: `(.*?)`", README).group(1).replace(" ", "")
    rows = [
        "a,A,A Motors,A,bev,B,A,300000,180",
        "b,B,B Cars,B,ice,A,supplier,700000,120",
        "c,C,C Cars,C,phev,B,huawei,200000,220",
    ]
    (tmp_path / "my_market.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    assert main(["run", "market.table=my_market.csv", "start=2024-01", *TINY]) == 0
    assert capsys.readouterr().out


def test_the_experiment_without_the_alliance_finds_what_it_says(tmp_path):
    finding = experiment("no_alliance").main(["--seeds", "2", "--folder", str(tmp_path), *TINY])
    assert any("Without the alliance" in sentence and "[" in sentence for sentence in finding)
    assert (tmp_path / "no_alliance.png").stat().st_size > 10_000


def test_the_distance_to_the_record_compares_the_same_things(monkeypatch):
    record = experiment("record")
    table = record.compare("baseline", 1, [*TINY[:-1], "end=2024-12", "pricing=fixed"])
    assert set(table["year"]) == {2024}
    total = table.set_index("what").loc["retail, million"]
    assert total["observed"] == pytest.approx(22.9, abs=0.1)
    assert total["simulated"] == pytest.approx(21.7, rel=0.3)


def test_public_names_are_those_the_readme_uses():
    kinds = {"Automaker", "AllianceOEM", "Independent", "Incumbent"}
    assert {"load", "run", "read", "EVMarket", "Scenario", "Run"} | kinds <= set(evsim.__all__)
    with pytest.raises(AttributeError, match="no attribute 'simulate'"):
        _ = evsim.simulate
