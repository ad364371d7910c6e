"""Compare: worlds in pairs of runs, with as many pairs as were asked, or as the precision wanted needs.

The runs are a sweep's: a design of worlds × seeds, in a store that an interruption does not harm. With a precision the design
has as many seeds as are allowed at most, and replications are driven in batches from its first seed on; what is left over is
never run. So a comparison is one store with one digest, whatever it stopped at, and going on is nothing but driving more of
it. Refused (2026-11) was a second store with later seeds for each batch: a chain of stores that only together are an answer.

Stopping when the interval is narrow favours samples whose variance came out small, so intervals are a little too narrow for
their 90 %. Looks are kept few: after a look the next batch goes as far as the variance seen asks for, at most to twice as
many pairs. Measured over 1,500 comparisons for each of four precisions: from a first look at 20 pairs such intervals hold the
truth 89 to 90 % of the time with normal differences, 88 to 89 % with skewed ones (Gumbel); from a first look at 5, 87 to 90 and
85 to 90 %. A fixed number of replications has no such bias.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from evsim import words
from evsim.errors import BadRequest

from .comparison import Aim, Comparison, check_comparable, comparison_of, worlds_of
from .design import Design, check_outcomes_of, plan_design
from .engines import Execution, check
from .outcomes import SHARES
from .request import Plan, Request, request
from .runner import SIMULATE, drive
from .store import COMPARE, Store

REPLICATIONS, MOST = 20, 200  # pairs, where nothing is said
LEAST_BATCH = 5  # pairs


def compare(
    *overrides: str,
    replications: int | None = None,
    precision: float | None = None,
    most: int | None = None,
    headline: str | None = None,
    keep: str | None = None,
    config_dir: str | Path | None = None,
    out: str | os.PathLike[str] = "outputs",
    execution: Execution | None = None,
) -> Comparison:
    """Compare worlds, each against the first: `evsim compare` from Python.

    Args:
        overrides: scenario=a,b or any keys with several listed values, which make the worlds; key=value for all of them.
        replications: pairs of every world with the first (20); with a precision, those it begins with.
        precision: largest half width of the headline's interval, in points for a fraction, else in the outcome's unit.
        most: pairs, where a precision is asked (200).
        headline: the outcome that it is about; none: the first of the study.
        keep: `summary`, or `panel` for yearly and monthly tables too.
        config_dir: a folder of one's own with scenarios and studies.
        out: where to make the store's folder.
        execution: engine, workers, timeout.
    Returns:
        The comparison: `.words`, `.table`, `.years`, `.figure()`.
    Raises:
        BadRequest: the request cannot be met; nothing was written.
    """
    execution = check(execution or Execution())
    plan = Plan(replications, keep=keep)
    design, aim = comparison_design(*overrides, plan=plan, aim=(headline, precision, most), config_dir=config_dir)
    store = Store.create(out, design, SIMULATE, COMPARE)
    try:
        return pursue(store, aim, execution)
    except KeyboardInterrupt as interruption:
        interruption.add_note(f"go on with evsim.study.pursue(evsim.read({str(store.path)!r}), evsim.study.{aim!r})")
        raise


def comparison_design(
    *overrides: str,
    plan: Plan,
    aim: tuple[str | None, float | None, int | None],
    config_dir: str | Path | None = None,
) -> tuple[Design, Aim]:
    """The design of a comparison, and how far it goes.

    Args:
        overrides: as for `compare`.
        plan: replications and what is kept, where said.
        aim: headline, precision, and most pairs, where said.
        config_dir: a folder of one's own.
    Raises:
        BadRequest: one world, the same twice, one pair, an unknown outcome, a precision that is none.
    """
    headline, precision, most = aim
    if precision is not None and not 0.0 < precision < float("inf"):
        raise BadRequest(f"--precision {precision:g}: must be a number above 0")
    if most is not None and precision is None:
        raise BadRequest(f"--most {most}: goes with --precision; without it --replications says how many pairs")
    asked = request(overrides, plan, (), config_dir)
    name = "compare" if asked.name == Request.name else asked.name
    headline = headline or next(iter(asked.outcomes))
    outcomes = {headline: asked.outcomes.get(headline, ""), **asked.outcomes}
    first = _replications(asked, plan)
    whole = first if precision is None or _lists_seeds(asked) else MOST if most is None else most
    if whole is not None and first is not None and first > whole:
        raise BadRequest(f"--replications {first}: more than --most {whole}, at which it ends")
    kept = _kept(headline, plan, asked)
    design = plan_design(
        replace(asked, name=name, outcomes=outcomes, plan=replace(asked.plan, replications=whole, keep=kept))
    )
    check_comparable(design)
    _check_different(design)
    return design, Aim(
        headline, min(first or REPLICATIONS, len(design.seeds)) if precision else len(design.seeds), precision
    )


def aim_of(
    store: Store, headline: str | None = None, replications: int | None = None, precision: float | None = None
) -> Aim:
    """How far to go on with a store: all of its replications, or those wanted; with a precision, as for a new one.

    Raises:
        BadRequest: it cannot be compared, has fewer replications, or there is no such outcome.
    """
    design = store.design
    check_comparable(design)
    if replications is not None and not 2 <= replications <= len(design.seeds):
        raise BadRequest(f"--replications {replications}: {store.path} has room for 2 to {len(design.seeds)}")
    headline = headline or next(iter(design.request.outcomes))
    check_outcomes_of(design, [headline])
    begin = REPLICATIONS if precision is not None else len(design.seeds)
    return Aim(headline, replications or min(begin, len(design.seeds)), precision)


def pursue(
    store: Store,
    aim: Aim,
    execution: Execution | None = None,
    tell: Callable[[str], None] | None = None,
    simulate: str = SIMULATE,
) -> Comparison:
    """Drive a store as far as an aim wants, and compare its worlds; what is entered is not repeated.

    Args:
        store: of a comparison's design.
        aim: replications of all, or a precision with those it begins with; the design's seeds are the most there can be.
        execution: engine, workers, timeout.
        tell: called with a line between two batches.
        simulate: "module:function" that gives what is kept of a run; another than the model for tests.
    """
    most = len(store.design.seeds)
    while True:
        drive(store, execution, simulate, runs=_first_replications(store.design, aim.replications))
        found = comparison_of(store, aim=aim)
        needed = None if aim.precision is None else found.pairs_for(aim.precision)
        if aim.precision is None or needed is None or found.half_width <= aim.precision or aim.replications >= most:
            return found
        further = next_look(aim.replications, needed, most)
        if tell:
            tell(words.going_on(found.manner, found.half_width, aim.replications, further))
        aim = replace(aim, replications=further)


def runs_to_come(design: Design, aim: Aim, store: Store | None = None) -> tuple[int, int]:
    """How many runs are to come at least, and at most: the same without a precision.

    Args:
        design: of the comparison.
        aim: how far it goes.
        store: that has some of them; none: not one is there.
    """
    counts = (aim.replications, aim.replications if aim.precision is None else len(design.seeds))
    least, most = (_first_replications(design, count) for count in counts)
    return (len(least), len(most)) if store is None else (store.lacking(least), store.lacking(most))


def next_look(now: int, needed: int, most: int) -> int:
    """How many pairs there are at the next look: as many as the variance seen asks for, at most twice as many as now."""
    return min(most, max(now + LEAST_BATCH, min(needed, 2 * now)))


def _first_replications(design: Design, replications: int) -> list[int]:
    """The runs of the first replications of every world, replication by replication, so that pairs come together."""
    return [point * len(design.seeds) + number for number in range(replications) for point in range(design.n_points)]


def _check_different(design: Design) -> None:
    """Check that no world is the first one under another name, for a key that is the same in all may undo what it changes.

    Raises:
        BadRequest: one is.
    """
    first, *others = [words.world_name(changes) for changes in worlds_of(design)]
    scenarios = [design.scenario(point).model_copy(update={"name": ""}) for point in range(design.n_points)]
    for name, scenario in zip(others, scenarios[1:], strict=True):
        if scenario == scenarios[0]:
            same = " ".join(design.request.fixed.values())
            undone = f" with {same}, which sets back what it changes; leave that out" if same else ""
            raise BadRequest(f"{name}: the same world as {first}{undone}")


def _lists_seeds(asked: Request) -> bool:
    return "seed" in asked.levers or "seed" in asked.uncertainties


def _replications(asked: Request, said: Plan) -> int | None:
    """Pairs to begin with: those said, or of the study's file if it has several, or the usual; None: seeds are listed."""
    if said.replications is not None:
        if said.replications < 2:
            raise BadRequest(f"--replications {said.replications}: one pair has no interval; give 2 or more")
        return said.replications
    if _lists_seeds(asked):
        return None
    of_file = asked.plan.replications or 1
    return of_file if of_file > 1 else REPLICATIONS


def _kept(headline: str, said: Plan, asked: Request) -> str | None:
    """What is kept of a run: the yearly tables too where the headline is one seller's share, for its years are nowhere else."""
    if headline.partition(".")[0] in SHARES and "." in headline:
        if said.keep == "summary":
            raise BadRequest(
                f"--keep summary: the years of {headline} are in the yearly tables; leave --keep out, or panel"
            )
        return "panel"
    return asked.plan.keep
