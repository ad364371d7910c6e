"""What the tests share."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from evsim.cli import main

# The same examples every time, without a clock: a test fails for what the code does, not for the day or the machine.
settings.register_profile("evsim", derandomize=True, deadline=None, max_examples=60)
settings.load_profile("evsim")


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder that is the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def evsim(here, capsys) -> Callable[..., Answer]:
    """The command line, called in an empty folder."""

    def call(*words: str) -> Answer:
        capsys.readouterr()
        code = main(words)
        told = capsys.readouterr()
        return Answer(code, told.out, told.err)

    return call


@pytest.fixture
def made_up_simulation(monkeypatch) -> list[dict]:
    """In place of the simulation: a made-up run at once. The list holds the arguments of every call."""
    from synthetic_run import synthetic_run

    calls: list[dict] = []

    def run(scenario, seed=None, threads=1, progress=None):
        calls.append({"scenario": scenario, "seed": seed, "threads": threads})
        return synthetic_run(seed=scenario.seed, end="2024-06")

    def draw_all(run, folder):
        (Path(folder) / "shares.png").write_bytes(b"drawn")

    install(monkeypatch, "evsim.simulation", run=run)
    install(monkeypatch, "evsim.report.figures", draw_all=draw_all)
    return calls


def install(monkeypatch, name: str, **contents) -> None:
    """A module made of the given names, in place of the real one."""
    module = ModuleType(name)
    module.__dict__.update(contents)
    monkeypatch.setitem(sys.modules, name, module)
