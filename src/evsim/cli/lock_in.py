"""`evsim lock-in [key=value …]`: the lock-in kit of a scenario, on screen and in a folder of its own."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from evsim.errors import BadRequest

from .options import Parser, add_config_dir, near_path, positive

if TYPE_CHECKING:
    from evsim.params import Scenario
    from evsim.study.lock_in import LockIn

DESCRIPTION = """How strong lock-in is in a scenario: repeat purchase beside true state dependence, the price at which owners
leave, who holds the rent, whether the market tips, hysteresis, the half-life of a lead, path dependence, the barrier to a
newcomer; each with its 90 % interval from draws in pairs, in one sentence. docs/lock_in.md explains every measure."""
EXAMPLES = """examples:
  evsim lock-in --replications 4 consumers.count=20000
  evsim lock-in scenario=open_platform modes=timeline pricing=best_response
  evsim lock-in --parts owners,tipping lock_in.switching_cost=2
  evsim lock-in --dry-run

parts (default: all but held):
  owners   repeat purchase, churn, tenure, compensating prices, rents, concentration    1 world a replication
  tipping  concentration against the world without lock-in, inverted to the same table  2
  held     the same with qualities, costs and motives held                              2
  paths    share of variance between draws of firms, at two numbers of rows             4
  loop     the advantage swept up and down in a frozen market                           2
  lead     what is left of a lead when the advantage is gone, in a frozen market        2
  entrant  a newcomer as good as the best, in a frozen market                           2

Time: with the usual settings about three minutes of one core a replication, most of it brands' choices of their modes;
with modes=timeline and pricing=best_response about one. `--dry-run` tells."""


def parser() -> Parser:
    """Its options."""
    parser = Parser("lock-in", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="scenario=NAME, an alternative (pricing=fixed), or any key"
    )
    parser.add_argument("--replications", metavar="N", type=positive, default=20, help="draws in pairs (default: 20)")
    parser.add_argument("--parts", metavar="A,B", help="parts of the kit, listed below")
    parser.add_argument("--workers", metavar="N", type=positive, help="worlds at a time (default: one a core)")
    parser.add_argument(
        "--out", metavar="DIR", default="outputs", help="where to make the kit's folder (default: outputs)"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell worlds and time, and stop")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the sentences")
    parser.add_argument("--quiet", action="store_true", help="no progress; print nothing but the kit's folder")
    add_config_dir(parser)
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Compose, tell what is planned, make the worlds, write, tell; 1 if a world failed."""
    from evsim.scenarios import load
    from evsim.study.engines.local import cores
    from evsim.study.lock_in import USUAL

    scenario = load("baseline", *arguments.overrides, config_dir=arguments.config_dir)
    parts = [part.strip() for part in arguments.parts.split(",")] if arguments.parts else list(USUAL)
    workers = arguments.workers or cores()
    if not (arguments.quiet or arguments.json) or arguments.dry_run:
        print(_planned(scenario, parts, arguments.replications, workers), flush=True)
    if arguments.dry_run:
        return 0
    if not arguments.out:
        raise BadRequest("--out: give the name of a folder")
    kit, folder = _measure(scenario, parts, workers, arguments)
    if arguments.json:
        print(json.dumps(kit.to_json_dict(folder), ensure_ascii=False, allow_nan=False))
    elif arguments.quiet:
        print(folder)
    else:
        print(f"\n{kit.summary()}\n\nTables and charts: {near_path(folder)}")
    return 1 if kit.failures else 0


def _measure(
    scenario: "Scenario", parts: list[str], workers: int, arguments: argparse.Namespace
) -> tuple["LockIn", Path]:
    """The kit, and the folder that holds it."""
    from evsim.files import new_run_folder
    from evsim.report.figures.lock_in_kit import draw_kit
    from evsim.study.lock_in import lock_in, worlds_of
    from evsim.study.progress import shown

    total = worlds_of(scenario, parts, arguments.replications)
    with new_run_folder(arguments.out, f"lock-in-{scenario.name}", scenario.seed) as folder:
        with shown(total, 0, arguments.quiet or arguments.json) as tell:
            kit = lock_in(
                scenario, arguments.replications, parts, workers, progress=lambda done, _, failed: tell(done, failed)
            )
        kit.save(folder.path)
        draw_kit(kit, folder.path)
    assert folder.final is not None  # set when the block has ended well
    return kit, folder.final


def _planned(scenario: "Scenario", parts: list[str], replications: int, workers: int) -> str:
    """How many worlds, and how long they will take."""
    from evsim.study.lock_in import expected_seconds, worlds_of
    from evsim.words import duration

    worlds = worlds_of(scenario, parts, replications)
    seconds = expected_seconds(scenario, parts, replications)
    alone = f"about {duration(seconds)} of one core"
    together = f", {duration(seconds / min(workers, worlds))} with {workers} workers" if workers > 1 else ""
    return f"{worlds} worlds, {replications} of each kind: {alone}{together}."
