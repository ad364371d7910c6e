"""`evsim run [key=value …]`: one scenario simulated, summarised, and written into a folder of its own."""

import argparse
import contextlib
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evsim.errors import BadRequest

from .options import Parser, add_config_dir, near_path, own_command, positive

if TYPE_CHECKING:
    from evsim.params import Scenario
    from evsim.results import Run

Progress = Callable[[int, int], None]  # months done, months in all

DESCRIPTION = """Simulate one scenario: a summary on screen, charts (PNG, SVG) and tables (Parquet, CSV) in a folder.
key=value says what is simulated; options say how."""
EXAMPLES = """examples:
  evsim run
  evsim run scenario=waning_subsidies software.advantage_kcny=30 seed=7
  evsim run pricing=fixed consumers.count=20000 --json
  evsim run market.table='my table.csv' --out results

`evsim scenarios` lists the scenarios, `evsim explain` the keys."""


def parser() -> Parser:
    """Its options."""
    parser = Parser("run", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="scenario=NAME, an alternative (pricing=fixed), or any key"
    )
    parser.add_argument(
        "--out", metavar="DIR", default="outputs", help="where to make the run's folder (default: outputs)"
    )
    parser.add_argument("--threads", metavar="N", type=positive, help="threads (default: one a core, at most 8)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the summary")
    parser.add_argument("--cfg", action="store_true", help="print the composed scenario and stop")
    parser.add_argument("--quiet", action="store_true", help="no progress; print nothing but the run's folder")
    add_config_dir(parser)
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Compose, check that the folder can be written, simulate, write, tell."""
    from evsim.scenarios import as_yaml, load

    scenario = load("baseline", *arguments.overrides, config_dir=arguments.config_dir)
    if arguments.cfg:
        print(as_yaml(scenario), end="")
        return 0
    if not arguments.out:
        raise BadRequest("--out: give the name of a folder")
    answer, folder = _simulate(scenario, arguments)
    if arguments.json:
        print(json.dumps(answer.to_json_dict(folder), ensure_ascii=False, allow_nan=False))
    elif arguments.quiet:
        print(folder)
    else:
        print(f"{answer.summary()}\n\n{_next_steps(scenario, folder)}")
    return 0


def _simulate(scenario: "Scenario", arguments: argparse.Namespace) -> tuple["Run", Path]:
    """The run, and the folder that holds it."""
    from evsim.files import new_run_folder, storage_trouble

    with new_run_folder(arguments.out, scenario.name, scenario.seed) as folder:
        from evsim.report.figures import draw_all
        from evsim.simulation import run

        with _progress(arguments.quiet) as progress:
            answer = run(scenario, threads=arguments.threads or _cores(), progress=progress)
        with storage_trouble(f"cannot write the run in {arguments.out}"):
            answer.save(folder.path)
            draw_all(answer, folder.path)
    assert folder.final is not None  # set when the block has ended well
    return answer, folder.final


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """A bar on a terminal's standard error; None where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(unit="month", leave=False, dynamic_ncols=True) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def _cores() -> int:
    """Cores this process may use, at most 8."""
    allowed: Any = getattr(os, "sched_getaffinity", None)
    return min(8, len(allowed(0)) if allowed else os.cpu_count() or 1)


def _next_steps(scenario: "Scenario", folder: Path) -> str:
    """Where everything is, and commands that work from here."""
    evsim = own_command()
    other = "no_alliance" if scenario.name == "baseline" else "baseline"
    return "\n".join(
        [
            f"Charts and tables: {near_path(folder)}",
            "",
            "Next:",
            f"  ls {shlex.quote(near_path(folder))}",
            f"  {evsim} scenarios",
            f"  {evsim} run scenario={other} seed={scenario.seed}",
            f"  {evsim} explain software",
        ]
    )
