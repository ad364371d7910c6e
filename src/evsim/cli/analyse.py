"""`evsim analyse [STORE]`: what a sweep answers, in words, tables and figures."""

import argparse
import json
from pathlib import Path

from evsim.errors import BadRequest

from .options import Parser, near_path

DESCRIPTION = """What a sweep answers: every analysis that its design allows, and for the others what design would. Words on
screen; words, tables and figures in the folder `analysis` inside the store's. It follows from the store alone."""
EXAMPLES = """examples:
  evsim analyse
  evsim analyse outputs/subsidy_x_software-1 --outcome alliance_share --threshold 0.2
  evsim analyse outputs/policies-1 --outcome nev_penetration:maximise --parts regret,tornado

parts                                                              needs
  heat_map  outcome over two keys, the line where it tips, a band  two keys with listed numbers, crossed
  sobol     parts of the variance, alone and with interactions     interval()s, --sampler sobol
  morris    size and spread of each key's effects                  interval()s, --sampler morris
  tornado   swing of the mean over each key, the largest first     a key with several values
  boxes     where cases lie, as rules (PRIM and CART)              40 points, best drawn with --sampler lhs
  regret    what each choice of levers loses at most               levers crossed with uncertainties or scenarios
  fan       quantiles by month                                     --keep panel

Threshold: where the outcome tips (default: half way between the lowest and the highest mean of the grid; of a search with
--boundary its own), and from where on a world is a case (default: the best quarter of points)."""


def parser() -> Parser:
    """Its options."""
    parser = Parser("analyse", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "store", nargs="?", metavar="STORE", help="the folder of a sweep (default: the latest in outputs)"
    )
    parser.add_argument(
        "--outcome", action="append", default=[], metavar="NAME[:maximise|:minimise]",
        help="what is analysed (default: what the study is about)",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", metavar="X", type=float, help="of the outcome, in its unit (a share as a fraction)"
    )
    parser.add_argument("--parts", metavar="A,B", default="", help="the analyses, listed below (default: all)")
    parser.add_argument("--out", metavar="DIR", help="where to write (default: the folder `analysis` in the store's)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the sentences")
    parser.add_argument("--quiet", action="store_true", help="print nothing but the folder")
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Analyse, write, tell."""
    from evsim.report.figures.analyses import draw_analysis
    from evsim.study.analysis import analyse, save_analysis
    from evsim.study.store import Store, latest_store

    store = Store.open(arguments.store or latest_store())
    parts = [part.strip() for part in arguments.parts.split(",") if part.strip()]
    analysis = analyse(store, _outcomes(arguments.outcome), arguments.threshold, parts)
    folder = save_analysis(analysis, draw_analysis, None if arguments.out is None else _out(arguments.out))
    if arguments.json:
        print(json.dumps(analysis.to_json_dict() | {"folder": str(folder)}, ensure_ascii=False, allow_nan=False))
    elif arguments.quiet:
        print(near_path(folder))
    else:
        print(f"{analysis.summary()}\n\nTables and charts: {near_path(folder)}")
    return 0


def _outcomes(words: list[str]) -> dict[str, str]:
    """Outcomes with their direction."""
    found: dict[str, str] = {}
    for word in words:
        name, _, direction = word.strip().partition(":")
        if direction not in ("", "maximise", "minimise"):
            raise BadRequest(f"--outcome {word}: after the colon maximise or minimise")
        found[name] = direction
    return found


def _out(name: str) -> Path:
    """The folder to write, which is made anew: an analysis's own, or none yet."""
    path = Path(name)
    if not name or (path.exists() and not (path / "analysis.json").is_file()):
        raise BadRequest(
            f"--out={name}: give a folder that is not there yet, or that holds an analysis; it is replaced"
        )
    if not path.absolute().parent.is_dir():
        raise BadRequest(f"--out={name}: the folder above it is not there")
    return path
