"""`evsim search study=NAME`: levers that are best in several outcomes under constraints, tried again in fresh worlds."""

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evsim.errors import BadRequest

from .options import Parser, add_config_dir, add_execution, execution_of, near_path, own_command, positive

if TYPE_CHECKING:
    from evsim.study.engines import Execution
    from evsim.study.policies import Policies
    from evsim.study.problem import Problem

DESCRIPTION = """Search the levers of a study for the policies that are best in its objectives (outcomes with `maximise` or
`minimise`) and keep to its constraints (such as `hhi_platform: {below: 2000, in: 0.9}`, in 90 % of worlds). Every trial is run in
the same worlds: draws of the uncertainties × seeds. Trials that no other beats are the front; they are tried again in fresh
worlds, and what is left of the promise is told."""
EXAMPLES = """examples:
  evsim search study=least_outlay
  evsim search study=least_outlay --trials 80 --samples 20
  evsim search study=least_outlay --dry-run
  evsim search --resume outputs/least_outlay-1

The folder has a store for each batch of trials (`evsim status FOLDER/batch-1`). Interrupted, it is gone on with by --resume;
nothing that is done is repeated. Exit code 1: some runs failed, and worlds without them count."""
LATEST = ""  # --resume without the name of a folder


def parser() -> Parser:
    """Its options."""
    parser = Parser("search", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=values", help="study=NAME, and what is to be otherwise in it"
    )
    parser.add_argument("--trials", metavar="N", type=positive, help="combinations of levers (the study's, or 40)")
    parser.add_argument("--replications", metavar="N", type=positive, help="seeds of every draw (the study's, or 1)")
    parser.add_argument("--samples", metavar="N", type=positive, help="draws of the uncertainties (the study's)")
    add_execution(parser)
    parser.add_argument("--out", metavar="DIR", default="outputs", help="where to make the folder (default: outputs)")
    parser.add_argument(
        "--resume", nargs="?", const=LATEST, metavar="FOLDER", help="go on with a search (default: the latest)"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell runs, levers, hours and disk, and stop")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the sentences")
    parser.add_argument("--quiet", action="store_true", help="no progress; print nothing but the search's folder")
    add_config_dir(parser)
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Plan, compute, write, tell; 1 if a run failed."""
    from evsim.study.runner import SIMULATE
    from evsim.study.search import pursue_search

    execution = execution_of(arguments)
    folder, problem = _resumed(arguments) if arguments.resume is not None else (None, _asked(arguments))
    if arguments.dry_run:
        print(f"{_planned(problem)}\n\n{_cost(problem, folder, execution)}")
        return 0
    if not execution.quiet:
        print(_planned(problem), flush=True)
    folder = folder or problem.create(arguments.out)
    try:
        found = pursue_search(folder, execution, SIMULATE)
    except (KeyboardInterrupt, SystemExit):
        again = f"{own_command()} search --resume {shlex.quote(near_path(folder))}"
        print(f"what is done is kept; go on with: {again}", file=sys.stderr)
        raise
    _write(found)
    if arguments.json:
        print(json.dumps(found.to_json_dict(), ensure_ascii=False, allow_nan=False))
    elif arguments.quiet:
        print(near_path(folder))
    else:
        print(f"\n{_told(found)}")
    return 1 if found.failures else 0


def _asked(arguments: argparse.Namespace) -> "Problem":
    """What is asked."""
    from evsim.study.problem import Problem
    from evsim.study.request import Plan

    if not arguments.overrides:
        raise BadRequest("say what is searched: study=NAME; `evsim search --help` has examples")
    if not arguments.out:
        raise BadRequest("--out: give the name of a folder")
    plan = Plan(arguments.replications, samples=arguments.samples, trials=arguments.trials)
    return Problem.of(arguments.overrides, plan, arguments.config_dir)


def _resumed(arguments: argparse.Namespace) -> tuple[Path, "Problem"]:
    """The folder to go on with."""
    from evsim.study.problem import Problem
    from evsim.study.search import latest_search

    said = any((arguments.overrides, arguments.trials, arguments.replications, arguments.samples))
    if said:
        raise BadRequest(
            "--resume: goes on with what was asked; leave out keys, --trials, --replications and --samples"
        )
    folder = Path(arguments.resume or latest_search(arguments.out))
    return folder, Problem.read(folder)


def _planned(problem: "Problem") -> str:
    """How many runs of what."""
    from evsim.study.problem import lever_words, n_trials
    from evsim.words import search_plan

    worlds = problem.worlds
    plan = search_plan(n_trials(problem), worlds.n_points, len(worlds.seeds), problem.fresh.n_runs)
    return "\n".join([plan, *(f"  {line}" for line in lever_words(problem.axes))])


def _cost(problem: "Problem", folder: Path | None, execution: "Execution") -> str:
    """What it will cost, in words: the trials, and the front in fresh worlds."""
    from evsim.study.estimation import rates
    from evsim.study.problem import first_batch
    from evsim.study.search import front_to_come, trials_to_come
    from evsim.words import NOTHING_DONE, NOTHING_LEFT, cost, cost_of_front

    (n_runs, n_batches), front = trials_to_come(problem, folder), front_to_come(folder)
    if front is not None:
        n_runs, n_batches = n_runs + front, n_batches + bool(front)
        if not n_runs:
            return f"{NOTHING_LEFT} {NOTHING_DONE}"
    each = rates(first_batch(problem), execution)
    told = []
    if n_runs:
        said = each.of(n_runs, n_batches, n_reports=1)
        told.append(cost(n_runs, said.run_seconds, said.workers, said.seconds, said.bytes))
    if front is None:
        again = problem.fresh.n_runs
        told.append(cost_of_front(again, each.of(again).seconds - each.start_up))
    return "\n".join([*told, NOTHING_DONE])


def _write(found: "Policies") -> None:
    """Tables, sentences and the chart, into the search's folder."""
    from evsim.report.figures.searches import draw_front

    found.save()
    draw_front(found, found.folder)


def _told(found: "Policies") -> str:
    """Sentences, the front, where everything lies."""
    folder, evsim = near_path(found.folder), own_command()
    lines = [found.summary(), ""]
    if found.failures:
        lines.append(f"{found.failures} runs failed, and worlds without them count.")
    lines += [f"Chart and tables: {folder}", f"digest  {found.digest}", "", "Next:"]
    lines += [f"  {evsim} status {shlex.quote(near_path(store.path))}" for store in found.stores[-1:]]
    lines.append(f"  python -c 'import evsim; print(evsim.read(\"{folder}\").front)'")
    return "\n".join(lines)
