"""`evsim sweep [study=NAME] [key=values …]`: many runs, kept in a store that an interruption does not harm."""

import argparse
import json
import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evsim.errors import BadRequest

from .options import Parser, add_config_dir, add_execution, execution_of, near_path, own_command, positive

if TYPE_CHECKING:
    from evsim.study.boundary import Search
    from evsim.study.design import Design
    from evsim.study.engines import Execution
    from evsim.study.store import Store

DESCRIPTION = """Simulate many scenarios: key=value says what is simulated, key=several what is varied; options say how much
and how. Several values are a,b or range(START,END,STEP), which leaves END out, or interval(LOW,HIGH), to be drawn from.
Levers are crossed, every value with every other; replication k has seed k in every scenario, so that they are pairs."""
EXAMPLES = """examples:
  evsim sweep scenario=baseline,no_alliance 'software.advantage_kcny=range(0,70,10)' --replications 20
  evsim sweep 'subsidy.scale=interval(0,1)' --sampler lhs --samples 512
  evsim sweep study=subsidy_x_software --dry-run
  evsim sweep 'subsidy.scale=range(0,2.1,0.1)' 'software.advantage_kcny=range(0,63,3)' --outcomes alliance_share \
      --boundary subsidy.scale,software.advantage_kcny
  evsim sweep --resume outputs/subsidy_x_software-1

Exit code 1: some runs failed, and are rows with their error (`evsim status STORE` names them)."""
MOST_SHOWN = 20  # values of a key, or rows of a table
WIDTH = 98  # of a terminal
LATEST = ""  # --resume without the name of a store


def parser() -> Parser:
    """Its options."""
    parser = Parser("sweep", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=values", help="study=NAME, or keys with one or more values"
    )
    parser.add_argument("--replications", metavar="N", type=positive, help="seeds of every scenario (default: 1)")
    parser.add_argument("--sampler", metavar="NAME", help="how intervals are drawn: lhs (default), sobol or morris")
    parser.add_argument(
        "--samples", metavar="N", type=positive, help="points of lhs, base samples of sobol, trajectories of morris"
    )
    parser.add_argument("--outcomes", metavar="A,B", default="", help="what the study is about")
    parser.add_argument(
        "--boundary", metavar="KEY1,KEY2",
        help="of the grid of two keys run only what the line needs where the first outcome crosses a threshold",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", metavar="X", type=float, help="of --boundary (default: half way between extremes)"
    )
    parser.add_argument("--keep", metavar="WHAT", help="summary (default), or panel for yearly and monthly tables too")
    parser.add_argument(
        "--branch-at", metavar="YYYY-MM", help="month up to which runs share one past (default: as long as they can)"
    )
    add_execution(parser)
    parser.add_argument("--out", metavar="DIR", default="outputs", help="where to make the store (default: outputs)")
    parser.add_argument(
        "--resume", nargs="?", const=LATEST, metavar="STORE", help="finish what a store lacks (default: the latest)"
    )
    parser.add_argument("--retry-failed", action="store_true", help="with --resume: try failed runs again")
    parser.add_argument("--dry-run", action="store_true", help="tell runs, values, hours and disk, and stop")
    parser.add_argument("--yes", action="store_true", help="mean it, even with more than ten million runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the summary")
    parser.add_argument("--quiet", action="store_true", help="no progress; print nothing but the store's folder")
    add_config_dir(parser)
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Plan, tell what is planned, compute, tell what came of it."""
    _settle_resume(arguments)
    execution = execution_of(arguments)
    store = _store(arguments) if arguments.resume is not None else None
    design = store.design if store else _design(arguments)
    search = _search(arguments, design, store)
    if arguments.dry_run:
        missing = _missing(design, store, search)
        print(f"{_planned(design)}\n\n{_cost(design, execution, missing)}")
        return 0
    if not (arguments.quiet or arguments.json):
        print(_planned(design), flush=True)
        if search is not None:
            print(f"  --boundary: at most {_missing(design, store, search):,} of these runs", flush=True)
    if store is None:
        store = _made(arguments, design)
    return _sweep(arguments, store, search, execution)


def _made(arguments: argparse.Namespace, design: "Design") -> "Store":
    """A new store."""
    from evsim.study.runner import SIMULATE
    from evsim.study.store import Store

    if not arguments.out:
        raise BadRequest("--out: give the name of a folder")
    return Store.create(arguments.out, design, SIMULATE)


def _sweep(arguments: argparse.Namespace, store: "Store", search: "Search | None", execution: "Execution") -> int:
    """Compute what a store lacks, or what a search needs of it; 1 if a run failed."""
    from evsim.study.boundary import find
    from evsim.study.runner import SIMULATE, drive

    try:
        if search is None:
            drive(store, execution, SIMULATE, retry_failed=arguments.retry_failed)
        else:
            find(store, search, execution, SIMULATE, arguments.retry_failed)
    except (KeyboardInterrupt, SystemExit):
        again = f"{own_command()} sweep --resume {shlex.quote(near_path(store.path))}"
        print(f"{store.counts().entered:,} of {store.n_runs:,} runs are kept; go on with: {again}", file=sys.stderr)
        raise
    counts = store.counts()
    if arguments.json:
        print(json.dumps(_told(store), ensure_ascii=False, allow_nan=False))
    elif arguments.quiet:
        print(near_path(store.path))
    else:
        print(f"\n{_summary(store)}")
    return 1 if counts.failed else 0


def _search(arguments: argparse.Namespace, design: "Design", store: "Store | None") -> "Search | None":
    """The search of a tipping line that is asked for, or that a store was made for."""
    from evsim.study.boundary import Search, check, search_of

    if arguments.boundary is None:
        if arguments.threshold is not None:
            raise BadRequest(f"--threshold={arguments.threshold:g}: goes with --boundary KEY1,KEY2")
        return None if store is None else search_of(store)
    keys = [key.strip() for key in arguments.boundary.split(",")]
    if len(keys) != 2:
        raise BadRequest(f"--boundary={arguments.boundary}: give two keys with a comma between them")
    search = Search(keys[0], keys[1], next(iter(design.request.outcomes)), arguments.threshold)
    check(design, search)
    return search


def _missing(design: "Design", store: "Store | None", search: "Search | None") -> int:
    """How many runs are to come, or at most are."""
    from evsim.study.boundary import most_runs

    most = design.n_runs if search is None else most_runs(design, search)
    return most if store is None else max(most - store.counts().entered, 0)


def _settle_resume(arguments: argparse.Namespace) -> None:
    """Read `--resume study=x` as the latest store, and an override."""
    if arguments.resume and "=" in arguments.resume and not Path(arguments.resume).exists():
        arguments.overrides.append(arguments.resume)
        arguments.resume = LATEST
    if arguments.branch_at is not None and arguments.resume is not None:
        raise BadRequest(f"--branch-at={arguments.branch_at}: a store keeps the one it was made with; leave it out")
    if arguments.retry_failed and arguments.resume is None:
        raise BadRequest("--retry-failed: name the store with --resume STORE")


def _store(arguments: argparse.Namespace) -> "Store":
    """The store to be driven on: named, or the latest one; of the design that is asked for, if one is."""
    from evsim.study.runner import check_same_design
    from evsim.study.store import Store, latest_store

    asked = any((arguments.overrides, arguments.replications, arguments.sampler, arguments.samples, arguments.keep))
    design = _design(arguments) if asked else None
    store = Store.open(arguments.resume or latest_store(arguments.out, design))
    if store.is_compared:
        raise BadRequest(f"{store.path}: a comparison lies here; `evsim compare --resume {store.path}` goes on with it")
    if design is not None:
        check_same_design(store, design)
    return store


def _design(arguments: argparse.Namespace) -> "Design":
    """The design that is asked for."""
    from evsim.study.design import design_of
    from evsim.study.request import Plan

    if not arguments.overrides:
        raise BadRequest(
            "say what is varied: study=NAME, or a key with several values; `evsim sweep --help` has examples"
        )
    return design_of(
        *arguments.overrides,
        plan=Plan(arguments.replications, arguments.sampler, arguments.samples, arguments.keep, arguments.branch_at),
        outcomes=[name.strip() for name in arguments.outcomes.split(",") if name.strip()],
        config_dir=arguments.config_dir,
        many=arguments.yes,
    )


def _planned(design: "Design") -> str:
    """How many runs, and every value."""
    from evsim.words import sweep_plan

    lines = [sweep_plan(design.n_points, len(design.seeds))]
    for axis in design.axes:
        shown = ", ".join(_shown(value) for value in axis.values[:MOST_SHOWN])
        more = f", … ({len(axis.values):,} values)" if len(axis.values) > MOST_SHOWN else ""
        if axis.low is not None:
            shown = f"from {axis.low:g} to {axis.high:g}, drawn ({design.request.plan.sampler})"
        left_out = "   (a range leaves its end out)" if axis.text.startswith("range") else ""
        lines.append(f"  {axis.key}: {shown}{more}{left_out}")
    return "\n".join(lines)


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False).strip('"')


def _cost(design: "Design", execution: "Execution", missing: int) -> str:
    """What it will cost, in words."""
    from evsim.study.estimation import estimate
    from evsim.words import NOTHING_DONE, NOTHING_LEFT, cost

    told = NOTHING_LEFT
    if missing:
        said = estimate(design, execution, missing)
        told = cost(missing, said.run_seconds, said.workers, said.seconds, said.bytes)
    return f"{told} {NOTHING_DONE}"


def _told(store: "Store") -> dict:
    """What --json prints."""
    counts = store.counts()
    return {
        "store": str(store.path),
        "runs": store.n_runs,
        "done": counts.done,
        "failed": [
            {"run": int(run), "error": error, "command": command}
            for run, error, command in store.failures()[["run", "error", "command"]].itertuples(index=False)
        ],
        "digest": store.digest,
    }


def _summary(store: "Store") -> str:
    """What came of it: mean outcomes, what failed, where it lies."""
    counts, evsim = store.counts(), own_command()
    lines = [f"{counts.done:,} of {store.n_runs:,} runs done, {counts.failed:,} failed."]
    found = _line(store)
    lines += found
    if counts.done and not found:
        means = store.means()
        many = f" (the first {MOST_SHOWN} of {len(means):,} rows)" if len(means) > MOST_SHOWN else ""
        units = store.results().attrs["units"]
        names = {name: f"{name} ({units[name]})" for name in means.columns if name in units}
        table = means.head(MOST_SHOWN).rename(columns=names).to_string(float_format=_figure)
        lines += ["", f"Means over seeds and draws{many}:", "", table]
    failures = store.failures()
    lines += [""] if len(failures) else []
    for row in failures.head(3).itertuples():
        lines.append(f"run {row.run} failed: {row.error}")
    if len(failures) > 3:
        lines.append(f"… and {len(failures) - 3:,} more: {evsim} status {shlex.quote(near_path(store.path))}")
    folder = near_path(store.path)
    lines += [
        "",
        f"Store:  {folder}",
        f"digest  {store.digest}",
        "",
        "Next:",
        f"  {evsim} status {shlex.quote(folder)}",
        f"  {evsim} analyse {shlex.quote(folder)}",
    ]
    lines.append(f"  python -c 'import evsim; print(evsim.read(\"{folder}\").results())'")
    return "\n".join(lines)


def _line(store: "Store") -> list[str]:
    """What a search has found, in words; nothing of another store."""
    from evsim.study.analysis import analyse
    from evsim.study.boundary import search_of
    from evsim.words import wrap

    if search_of(store) is None or not store.counts().done:
        return []
    sentences = analyse(store, only=["heat_map"])["heat_map"].sentences
    return ["", *(wrap(sentence, WIDTH) for sentence in sentences)]


def _figure(value: float) -> str:
    """Three digits that matter, without an exponent."""
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{min(digits, 6)}f}"
