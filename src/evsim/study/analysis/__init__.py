"""What a store answers: each analysis that its design allows, and for the others what design would.

An analysis follows from the store alone, whenever it is made again. Failed and missing runs are left out; how many is said.
Its folder, `analysis` inside the store's, is no part of the store.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from evsim.errors import BadRequest
from evsim.scenarios.keys import shown
from evsim.study import boundary
from evsim.study.outcomes import describe
from evsim.study.store import Store

from .makers import IN_A_SEARCH, MAKERS
from .material import Material, Part, Subject
from .result import FOLDER, Analysis, save_analysis

__all__ = ["FOLDER", "Analysis", "Part", "Subject", "analyse", "save_analysis"]


def analyse(
    store: Store, outcomes: Mapping[str, str] | None = None, threshold: float | None = None, only: Sequence[str] = ()
) -> Analysis:
    """Make every analysis that a store's design allows.

    Args:
        store: with at least some of its runs.
        outcomes: names with their direction (`maximise`, `minimise` or empty); none: those that the study is about.
        threshold: that tips, or makes a world a case; none: each analysis's own. Goes with one outcome.
        only: names of `MAKERS`; none: all.
    Raises:
        BadRequest: an outcome or analysis is unknown, there are no runs, or the design can answer nothing.
    """
    for name in only:
        if name not in MAKERS:
            raise BadRequest(f"--parts={shown(name)}: must be of {', '.join(MAKERS)}")
    runs = store.results()
    if runs.empty:
        raise BadRequest(f"{store.path}: no run is done yet; `evsim sweep --resume {store.path}` goes on")
    searched = boundary.search_of(store)
    subjects = [_subject(store, runs, *each) for each in (outcomes or _usual(store, searched)).items()]
    if threshold is not None and len(subjects) > 1:
        raise BadRequest(f"--threshold={threshold:g}: say of which outcome, with --outcome {subjects[0].outcome}")
    runs = runs.assign(world=_worlds(store, runs))
    parts: list[Part] = []
    refusals: dict[str, str] = {}
    for subject in subjects:
        material = Material(store, runs, subject, threshold)
        for name in only or MAKERS:
            try:
                if searched is not None and name not in IN_A_SEARCH:
                    raise BadRequest("a search runs points beside its line only; sweep the grid without --boundary")
                parts += list(MAKERS[name](material))
            except BadRequest as refusal:
                refusals[name if len(subjects) == 1 else f"{name} of {subject.outcome}"] = str(refusal)
    refusals = _gathered(refusals, [subject.outcome for subject in subjects])
    if not parts:
        first, reason = next(iter(refusals.items()))
        raise BadRequest(f"{store.path}: its design answers nothing that is asked: {first}: {reason}")
    return Analysis(store, parts, refusals, _notes(store, runs))


def _worlds(store: Store, runs: pd.DataFrame) -> pd.Series:
    """What runs share and chance resamples: the seed, or the draw, of Sobol's and Morris's the block that belongs together."""
    if "sample" not in runs:
        return runs["seed"]
    plan = store.design.request.plan
    blocks = int(plan.samples or 1) if plan.sampler in ("sobol", "morris") else 0
    n_samples = int(store.design.points["sample"].max()) + 1
    return runs["sample"] // (n_samples // blocks) if blocks else runs["sample"]


def _usual(store: Store, searched: boundary.Search | None) -> Mapping[str, str]:
    """The outcomes that a study is about; of a search the one that it follows."""
    asked = store.design.request.outcomes
    return asked if searched is None else {searched.outcome: asked.get(searched.outcome, "")}


def _subject(store: Store, runs: pd.DataFrame, outcome: str, direction: str) -> Subject:
    """The outcome, if the runs have it."""
    if outcome not in runs:
        describe(outcome)
        raise BadRequest(f"outcome {outcome}: no run of {store.path} has it")
    units, meanings = runs.attrs["units"], runs.attrs["descriptions"]
    direction = direction or store.design.request.outcomes.get(outcome, "")
    return Subject(outcome, units.get(outcome, ""), meanings.get(outcome, ""), direction)


def _notes(store: Store, runs: pd.DataFrame) -> list[str]:
    """Which runs are behind it."""
    design, counts = store.design, store.counts()
    seeds = f"{len(design.seeds):,} seed{'s' if len(design.seeds) > 1 else ''}"
    lines = [f"{design.request.name}: {len(runs):,} of {store.n_runs:,} runs, {design.n_points:,} points, {seeds}"]
    if design.request.question:
        lines.append(design.request.question)
    if counts.failed:
        lines.append(f"{counts.failed:,} runs failed and are left out.")
    searched = boundary.search_of(store)
    if searched is None and counts.entered < store.n_runs:
        lines.append(f"{store.n_runs - counts.entered:,} runs are missing yet.")
    return lines


def _gathered(refusals: Mapping[str, str], outcomes: Sequence[str]) -> dict[str, str]:
    """Refusals that are the same for all outcomes, once."""
    gathered: dict[str, str] = {}
    for name, reason in refusals.items():
        stem = name.partition(" of ")[0]
        same = [f"{stem} of {outcome}" for outcome in outcomes]
        alike = all(refusals.get(each) == reason for each in same)
        gathered[stem if alike else name] = reason
    return gathered
