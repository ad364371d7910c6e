"""`evsim why AUTOMAKER [YEAR] [RUN]`: the value tables behind a maker's choices, and what would have turned them."""

import argparse
import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from evsim.errors import BadRequest

from .options import Parser, latest_run, near_path

if TYPE_CHECKING:
    import pandas as pd

    from evsim.results import Run

DESCRIPTION = """Why a maker's brands chose their modes at a review: what each way was worth, part by part, what was chosen
and why, and the smallest change of one part that would have turned it."""
EXAMPLES = """examples:
  evsim why SAIC
  evsim why 'Li Auto' 2030
  evsim why SAIC outputs/baseline-seed0-1"""


def parser() -> Parser:
    """Its options."""
    parser = Parser("why", DESCRIPTION, EXAMPLES)
    parser.add_argument("automaker", metavar="AUTOMAKER", help="a maker, or one of its brands")
    parser.add_argument(
        "year", nargs="?", metavar="YEAR", help="year of the review (default: the first in which it changed something)"
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's folder (default: the latest under outputs)")
    return parser


def execute(arguments: argparse.Namespace) -> int:
    """Read the run, find the maker and the review, print its value tables."""
    from evsim import words
    from evsim.results import read

    wanted, named = year_and_run(arguments.year, arguments.run)
    folder = latest_run() if named is None else Path(named)
    run = read(folder)
    if not len(run.decisions):
        raise BadRequest(f"{folder}: {without_reviews(run)}")
    decisions = run.decisions
    own = decisions[decisions["automaker"] == maker_of(run, arguments.automaker)]
    when = review_month(own, wanted)
    automaker = own["automaker"].iloc[0]
    print(f"{words.why(run, automaker, when)}\n\n{words.other_reviews(own, when)}\nRun: {near_path(folder)}")
    return 0


def year_and_run(first: str | None, second: str | None) -> tuple[int | None, str | None]:
    """The year and the run's folder, of two words of which either may be left out."""
    if first is None or first.isdecimal():
        return (None if first is None else int(first)), second
    if second is not None:
        raise BadRequest(
            f"{first!r} is no year; `evsim why AUTOMAKER [YEAR] [RUN]` takes one such as 2027 before the run"
        )
    return None, first


def without_reviews(run: "Run") -> str:
    """Why a run has no value tables."""
    rule, scenario = run.scenario.modes.rule, run.scenario
    if rule != "chosen":
        return f"nobody chose in this run (modes.rule={rule}); a run with modes.rule=chosen has reviews"
    return f"no review lies in this run, {scenario.start} to {scenario.end}; reviews are held in January"


def maker_of(run: "Run", name: str) -> str:
    """The maker of that name, or of the brand of that name, however it is written.

    Raises:
        BadRequest: nobody of that name had a choice; the nearest name that did is given.
    """
    decisions = run.decisions
    pairs = decisions[["automaker", "brand"]].drop_duplicates()
    wanted = name.casefold()
    for column in ("automaker", "brand"):
        found = sorted(set(pairs.loc[pairs[column].str.casefold() == wanted, "automaker"]))
        if len(found) == 1:
            return str(found[0])
        if found:
            raise BadRequest(f"{name} is a brand of {' and '.join(found)}; name the maker")
    known = {text.casefold(): text for text in (*pairs["brand"], *pairs["automaker"])}
    near = known[difflib.get_close_matches(wanted, known, n=1, cutoff=0.0)[0]]
    sold = {text.casefold() for column in ("automaker", "brand") for text in run.market[column]}
    if wanted in sold:
        raise BadRequest(f"{name} had no choice at any review of this run; the nearest name that had is {near}")
    raise BadRequest(f"no automaker {name!r} in this run; the nearest name is {near}")


def review_month(own: "pd.DataFrame", year: int | None) -> str:
    """The month of the review in that year; of no year in particular, the first at which the maker changed something.

    Args:
        own: the maker's rows of `decisions`.
    Raises:
        BadRequest: it had no review in that year.
    """
    from evsim import words

    months = sorted(own["month"].unique())
    if year is None:
        changed = own.loc[own["chosen"] & ~own["present"], "month"]
        return str(changed.min() if len(changed) else months[0])
    found = [month for month in months if int(month[:4]) == year]
    if not found:
        years = words.spans(int(month[:4]) for month in months)
        raise BadRequest(f"{own['automaker'].iloc[0]} had no review in {year}; its reviews are those of {years}")
    return str(found[0])
