"""`evsim status [STORE]`: how far a sweep is, and which of its runs failed."""

import argparse
import json
import shlex
from typing import TYPE_CHECKING

from .options import Parser, near_path, own_command

if TYPE_CHECKING:
    from evsim.study.store import Store

DESCRIPTION = (
    "How far a sweep is, whether somebody is at work on it, and which runs failed, each with the command to repeat it."
)
MOST_FAILURES = 50


def parser() -> Parser:
    """Its options."""
    parser = Parser("status", DESCRIPTION)
    parser.add_argument(
        "store", nargs="?", metavar="STORE", help="the folder of a sweep (default: the latest in outputs)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Print the state of a store; 1 when a run has failed."""
    from evsim.study.store import Store, latest_store

    store = Store.open(arguments.store or latest_store())
    if arguments.json:
        print(json.dumps(_state(store), ensure_ascii=False, allow_nan=False))
    else:
        print(_told(store))
    return 1 if store.counts().failed else 0


def _state(store: "Store") -> dict:
    """The state as plain data."""
    from evsim.study.boundary import missing_runs

    counts = store.counts()
    failures = store.failures()
    return {
        "store": str(store.path),
        "study": store.design.request.name,
        "runs": store.n_runs,
        "done": counts.done,
        "missing": missing_runs(store),
        "at_work": store.is_driven(),
        "seconds_a_run": counts.seconds / counts.entered if counts.entered else None,
        "damaged_shards": store.damaged(),
        "failed": [
            {"run": int(run), "attempts": int(attempts), "error": error, "command": command}
            for run, attempts, error, command in failures[["run", "attempts", "error", "command"]].itertuples(
                index=False
            )
        ],
        "digest": store.digest,
    }


def _told(store: "Store") -> str:
    """The state in words."""
    from evsim.study.store import COMPARISON
    from evsim.words import duration

    state = _state(store)
    folder, evsim = shlex.quote(near_path(store.path)), own_command()
    lines = [
        f"{state['study']}: {state['done']:,} of {state['runs']:,} runs done, {len(state['failed']):,} failed, "
        f"{state['missing']:,} missing"
    ]
    if state["seconds_a_run"] is not None:
        lines.append(f"a run takes {duration(state['seconds_a_run'])} on one core")
    if state["damaged_shards"]:
        lines.append(
            f"damaged files: shards {', '.join(map(str, state['damaged_shards']))}; resuming repeats their runs"
        )
    for failure in state["failed"][:MOST_FAILURES]:
        lines += [f"run {failure['run']}: {failure['error']}", f"  {failure['command']}"]
    if len(state["failed"]) > MOST_FAILURES:
        lines.append(f"… and {len(state['failed']) - MOST_FAILURES:,} more; --json lists all")
    lines.append(f"digest {state['digest']}")
    if state["at_work"]:
        lines.append("A driver is at work on it.")
    elif state["missing"] and not state["damaged_shards"] and (store.path / COMPARISON).is_file():
        lines.append(f"Compared; it has room for more pairs: {evsim} compare --resume {folder} --replications N")
    elif state["missing"] or state["damaged_shards"]:
        lines.append(f"Go on with: {evsim} {'compare' if store.is_compared else 'sweep'} --resume {folder}")
    return "\n".join(lines)
