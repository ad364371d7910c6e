"""The past that runs of a design share: simulated once, then each goes on from it.

Some parameters act from a month only (`acts_from` in their declaration: a phase-out, a hold, a price war, the end of an
advantage). Where points differ in nothing else, they have one past up to the month before the earliest of these, whatever they
hold later. A worker simulates it once a seed, with each of these parameters at its default, keeps the model, and lets a copy of
it go on for each run: the same bits as from the start, for nothing before that month reads them.

Refused: a saved state on the disk. It would have to hold the model's objects, which no file of evsim may, and a past takes
seconds where a study takes hours; each worker makes its own.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evsim.errors import BadRequest
from evsim.params import month_name, month_number
from evsim.scenarios.keys import parameters, shown

from .engines.work import merged

if TYPE_CHECKING:
    from evsim.model import EVMarket

    from .design import Design

LABEL = "name"  # of a scenario: differs and does nothing
_kept: dict[tuple[str, int, int], "EVMarket"] = {}  # the last past that this process has simulated


@dataclass(frozen=True)
class Past:
    """What runs have in common: so many months, simulated with some keys at values that do nothing."""

    months: int
    neutral: Mapping[str, Any]

    def of(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        """The scenario of the past of a run's."""
        return merged(mapping, self.neutral)


def shared_past(design: "Design", branch_at: str | None = None) -> Past | None:
    """The longest past that at least two points of a design share; none: there is none.

    Args:
        branch_at: month (YYYY-MM) from which runs go their own way; none: the latest possible.
    Raises:
        BadRequest: they part before that month, or it is none of theirs.
    """
    dated = _dated_keys(design)
    parts = _parting(design, dated) if dated else 0
    start = str(design.bases[0].mapping["start"])
    if branch_at is not None:
        asked = month_number(branch_at) - month_number(start)
        if not 0 < asked <= parts:
            when = f"runs part in {month_name(month_number(start) + parts)}" if parts else "runs part at the start"
            raise BadRequest(
                f"branch_at={shown(branch_at)}: {when}; name a month after {start}, up to that one, or none"
            )
        parts = asked
    if not parts:
        return None
    known = parameters()
    months = {known[key].acts_from for key in dated}
    family = [key for key, parameter in known.items() if parameter.acts_from in months]  # some go only together
    return Past(parts, {LABEL: "past"} | {key: known[key].default for key in family})


def kin_of(design: "Design", past: Past) -> np.ndarray:
    """A number for each run, `[n_runs]`: equal where runs have one past, seed by seed."""
    replications = len(design.seeds)
    numbers = _past_numbers(design, past.neutral)[:, None] * replications + np.arange(replications)
    return numbers.ravel()


def n_pasts(design: "Design", past: Past) -> int:
    """How many different pasts the points of a design have."""
    return len(np.unique(_past_numbers(design, past.neutral)))


def continued(mapping: Mapping[str, Any], seed: int, past: Past) -> "EVMarket":
    """The model of a run at the end of its past."""
    from evsim.model import EVMarket
    from evsim.scenarios import from_mapping

    before = past.of(mapping)
    key = (_canonical(before), seed, past.months)
    if key not in _kept:
        model = EVMarket(from_mapping(before), rng=seed)
        for _ in range(past.months):
            model.step()
        _kept.clear()
        _kept[key] = model
    model = copy.deepcopy(_kept[key])
    model.go_on(from_mapping(mapping))
    return model


def _dated_keys(design: "Design") -> list[str]:
    """Keys in which points differ and that act from a month; none: no two points have a past in common."""
    known, varied = parameters(), {axis.key for axis in design.axes if not axis.is_group}
    flat = [_flat(base.mapping) for base in design.bases]
    varied |= {key for key in flat[0] if any(other[key] != flat[0][key] for other in flat[1:])}
    dated = sorted(key for key in varied if known[key].acts_from)
    if not dated or "start" in varied:
        return []
    pasts = _past_numbers(design, {LABEL: "", **dict.fromkeys(dated)})
    return dated if len(np.unique(pasts)) < design.n_points else []


def _past_numbers(design: "Design", neutral: Mapping[str, Any]) -> np.ndarray:
    """A number for each point, `[n_points]`: equal where they differ in the neutral keys alone."""
    names: dict[str, int] = {}
    bases = [names.setdefault(_canonical(merged(base.mapping, neutral)), len(names)) for base in design.bases]
    numbers = np.array(bases)[design.points["base"]]
    for axis in design.axes:
        if not axis.is_group and axis.key not in neutral:
            cells = np.array([json.dumps(axis.value(cell)) for cell in design.points[axis.key]])
            codes = np.unique(cells, return_inverse=True)[1]
            numbers = np.unique(numbers * (codes.max() + 1) + codes, return_inverse=True)[1]
    return numbers


def _parting(design: "Design", dated: list[str]) -> int:
    """Months before the first in which one of the dated keys can matter, at any point; one month at least is left to each."""
    known, columns = parameters(), {axis.key: axis for axis in design.axes}
    flat = [_flat(base.mapping) for base in design.bases]
    start = month_number(str(flat[0]["start"]))

    def values(key: str) -> set[Any]:
        if key in columns:
            return {columns[key].value(cell) for cell in set(design.points[key].tolist())}
        return {each[key] for each in flat}

    dates = {month for key in dated for month in values(known[key].acts_from) if month} | values("end")
    return max(min(month_number(str(month)) for month in dates) - start, 0)


def _flat(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a scenario by dotted key."""
    found = {}
    for key in parameters():
        inside: Any = mapping
        for name in key.split("."):
            inside = inside[name]
        found[key] = inside
    return found


def _canonical(mapping: Mapping[str, Any]) -> str:
    return json.dumps(mapping, sort_keys=True)
