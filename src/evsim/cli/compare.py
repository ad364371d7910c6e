"""`evsim compare key=a,b …`: worlds in pairs of runs, what changes in words, with intervals, in a table and a chart."""

import argparse
import json
import shlex
import sys
from typing import TYPE_CHECKING

from evsim.errors import BadRequest

from .options import (
    Parser,
    above_zero,
    add_config_dir,
    add_execution,
    execution_of,
    near_path,
    own_command,
    positive,
)

if TYPE_CHECKING:
    from evsim.study.comparison import Aim, Comparison
    from evsim.study.design import Design
    from evsim.study.engines import Execution
    from evsim.study.store import Store

DESCRIPTION = """What other worlds change: every scenario, or every combination of other keys with several values, against the
first. Replication k has seed k in all of them and they share every draw, so a comparison is a mean of paired differences.
Findings with 90 % intervals come in words first, then as a table and a chart of the headline by year, in the store's folder."""
EXAMPLES = """examples:
  evsim compare scenario=baseline,no_alliance --replications 20
  evsim compare subsidy.scale=0,1 --headline nev_penetration_2030 --precision 0.2
  evsim compare study=subsidy_x_software software.advantage_kcny=0,40 subsidy.scale=1
  evsim compare scenario=baseline,no_alliance --precision 0.2 --dry-run
  evsim compare --resume outputs/compare-1

--precision is the largest half width of the headline's interval, in points for a share, else in the outcome's own unit.
Replications are added until it is reached or there are as many as --most; then it is said how many it would take.
Exit code 1: some runs failed, and their pairs are left out (`evsim status STORE` names them)."""
LATEST = ""  # --resume without the name of a store


def parser() -> Parser:
    """Its options."""
    parser = Parser("compare", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=values", help="keys with two or more values, and what is the same in all"
    )
    parser.add_argument("--replications", metavar="N", type=positive, help="pairs of runs, or those to begin with (20)")
    parser.add_argument(
        "--precision", metavar="WIDTH", type=above_zero, help="add replications until the headline is ± WIDTH"
    )
    parser.add_argument("--most", metavar="N", type=positive, help="replications with --precision (default: 200)")
    parser.add_argument("--headline", metavar="NAME", help="the outcome it is about (default: the study's first)")
    parser.add_argument("--keep", metavar="WHAT", help="summary (default), or panel for yearly and monthly tables too")
    add_execution(parser)
    parser.add_argument("--out", metavar="DIR", default="outputs", help="where to make the store (default: outputs)")
    parser.add_argument(
        "--resume", nargs="?", const=LATEST, metavar="STORE", help="go on with a store (default: the latest)"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="tell worlds, replications, runs, hours and disk, and stop"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the sentences")
    parser.add_argument("--quiet", action="store_true", help="no progress; print nothing but the store's folder")
    add_config_dir(parser)
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Plan, compute, write, tell; 1 if a run failed."""
    execution = execution_of(arguments)
    if arguments.resume and "=" in arguments.resume:
        arguments.overrides.append(arguments.resume)
        arguments.resume = LATEST
    if not arguments.out:
        raise BadRequest("--out: give the name of a folder")
    store, design, aim = _resumed(arguments) if arguments.resume is not None else (None, *_asked(arguments))
    if arguments.dry_run:
        print(f"{_planned(design, aim)}\n\n{_cost(design, aim, store, execution)}")
        return 0
    if not execution.quiet:
        print(_planned(design, aim), flush=True)
    from evsim.study.compare import pursue
    from evsim.study.runner import SIMULATE
    from evsim.study.store import COMPARE, Store

    store = store or Store.create(arguments.out, design, SIMULATE, COMPARE)
    try:
        found = pursue(store, aim, execution, None if execution.quiet else _say, SIMULATE)
    except (KeyboardInterrupt, SystemExit):
        print(f"{store.counts().entered:,} runs are kept; go on with: {_again(store, aim)}", file=sys.stderr)
        raise
    _write(found)
    if arguments.json:
        print(json.dumps(found.to_json_dict(), ensure_ascii=False, allow_nan=False))
    elif arguments.quiet:
        print(near_path(store.path))
    else:
        print(f"\n{_told(found)}")
    return 1 if store.counts().failed else 0


def _resumed(arguments: argparse.Namespace) -> tuple["Store", "Design", "Aim"]:
    """The store to go on with, of the design that is asked for if one is; and how far it goes now."""
    from evsim.study.compare import aim_of
    from evsim.study.runner import check_same_design
    from evsim.study.store import Store, latest_store

    if arguments.overrides:
        design, aim = _asked(arguments)
        store = Store.open(arguments.resume or latest_store(arguments.out, design))
        check_same_design(store, design)
        return store, design, aim
    store = Store.open(arguments.resume or latest_store(arguments.out))
    return store, store.design, aim_of(store, arguments.headline, arguments.replications, arguments.precision)


def _asked(arguments: argparse.Namespace) -> tuple["Design", "Aim"]:
    """The design that is asked for, and how far it goes."""
    from evsim.study.compare import comparison_design
    from evsim.study.request import Plan

    if not arguments.overrides:
        raise BadRequest(
            "say what is compared, such as scenario=baseline,no_alliance; `evsim compare --help` has examples"
        )
    return comparison_design(
        *arguments.overrides,
        plan=Plan(arguments.replications, keep=arguments.keep),
        aim=(arguments.headline, arguments.precision, arguments.most),
        config_dir=arguments.config_dir,
    )


def _planned(design: "Design", aim: "Aim") -> str:
    """How many runs of what."""
    from evsim.study.comparison import worlds_of
    from evsim.study.outcomes import describe
    from evsim.words import comparison_plan, manner, precision_plan, world_name

    lines = [comparison_plan([world_name(changes) for changes in worlds_of(design)], aim.replications)]
    if aim.precision is not None:
        how = manner(aim.headline, describe(aim.headline).unit)
        lines.append(precision_plan(aim.headline, how, aim.precision, len(design.seeds), design.n_runs))
    return "\n".join(lines)


def _cost(design: "Design", aim: "Aim", store: "Store | None", execution: "Execution") -> str:
    """What it will cost, in words; with a precision at least and at most."""
    from evsim.study.compare import runs_to_come
    from evsim.study.estimation import rates
    from evsim.words import NOTHING_DONE, NOTHING_LEFT, cost, cost_at_most

    n_runs, most = runs_to_come(design, aim, store)
    if not most:
        return f"{NOTHING_LEFT} {NOTHING_DONE}"
    each = rates(design, execution)
    least, whole = (each.of(runs, n_reports=1) for runs in (n_runs, most))
    told = [cost(n_runs, least.run_seconds, least.workers, least.seconds, least.bytes)]
    if aim.precision is not None:
        told.append(cost_at_most(most, whole.seconds, whole.bytes))
    return "\n".join([*told, NOTHING_DONE]) if len(told) > 1 else f"{told[0]} {NOTHING_DONE}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _write(found: "Comparison") -> None:
    """Tables, sentences and the chart, into the store's folder."""
    from evsim.report.figures.paired_years import draw_paired_years

    found.save()
    draw_paired_years(found, found.store.path)


def _again(store: "Store", aim: "Aim") -> str:
    """The command that goes on."""
    words = [own_command(), "compare", "--resume", shlex.quote(near_path(store.path)), "--headline", aim.headline]
    if aim.precision is not None:
        words += ["--replications", str(aim.replications), "--precision", f"{aim.precision:g}"]
    return " ".join(words)


def _told(found: "Comparison") -> str:
    """Sentences, table, where everything lies."""
    folder, evsim = near_path(found.store.path), own_command()
    failures = found.store.failures()
    lines = [found.summary(), ""]
    for row in failures.head(3).itertuples():
        lines.append(f"run {row.run} failed, and its pair is left out: {row.error}")
    if len(failures) > 3:
        lines.append(f"… and {len(failures) - 3:,} more")
    lines += [
        f"Chart and tables: {folder}",
        f"digest  {found.store.digest}",
        "",
        "Next:",
        f"  {evsim} status {shlex.quote(folder)}",
        f"  {evsim} compare --resume {shlex.quote(folder)} --replications {found.aim.replications} --headline mean_price",
    ]
    return "\n".join(lines)
