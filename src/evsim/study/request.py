"""What a study asks for, in the words of a user: a file of `conf/study`, overrides with several values, a plan of runs.

A study is YAML in the XLRM words (Lempert, Popper & Bankes 2003): uncertainties (X) and levers (L), each key with values in
Hydra's grammar or a list; outcomes (M); `settings` of the model that are the same in every run (R); and `runs`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evsim.errors import BadRequest
from evsim.params.market import MONTH
from evsim.scenarios.keys import nearest, shown
from evsim.scenarios.library import chosen, read_plain
from evsim.scenarios.sweeps import Swept, as_override, listed, split_sweeps, sweep

from .outcomes import KEPT, SUMMARY

HEADINGS = ("question", "settings", "uncertainties", "levers", "outcomes", "runs")
DIRECTIONS = ("", "maximise", "minimise")
HEADLINE = ("alliance_share", "nev_penetration", "mean_price", "hhi_platform")


@dataclass(frozen=True)
class Plan:
    """How many runs, and what is kept of each; none: not said.

    Attributes:
        replications: seeds of every scenario, the same ones.
        sampler: of intervals: `lhs`, `sobol` or `morris`.
        samples: points of `lhs`, base samples of `sobol`, trajectories of `morris`.
        keep: `summary` or `panel`.
        branch_at: month (YYYY-MM) up to which runs share their past; none: as long as they can.
    """

    replications: int | None = None
    sampler: str | None = None
    samples: int | None = None
    keep: str | None = None
    branch_at: str | None = None

    def __post_init__(self) -> None:
        for name in ("replications", "samples"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise BadRequest(f"{name}={shown(value)}: must be a whole number from 1 on")
        if self.keep is not None and self.keep not in KEPT:
            raise BadRequest(f"keep={shown(self.keep)}: must be {' or '.join(KEPT)}")
        if self.branch_at is not None and not re.fullmatch(MONTH, str(self.branch_at)):
            raise BadRequest(f"branch_at={shown(self.branch_at)}: must be a month written YYYY-MM")

    def over(self, other: "Plan") -> "Plan":
        """This plan, with what it does not say from another."""
        said = {name: value for name, value in vars(self).items() if value is not None}
        return replace(other, **said)


DEFAULT = Plan(replications=1, keep=SUMMARY)


@dataclass(frozen=True)
class Request:
    """A study as it was asked for.

    Attributes:
        name: of the study.
        question: what it is to answer.
        fixed: overrides that are the same in every run, by key.
        levers, uncertainties: what is varied.
        outcomes: those it is about, each with its direction (`maximise`, `minimise` or neither).
        plan: how many runs.
        config_dir: a folder of one's own with scenarios and studies.
    """

    name: str = "sweep"
    question: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)
    levers: Mapping[str, Swept] = field(default_factory=dict)
    uncertainties: Mapping[str, Swept] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    plan: Plan = DEFAULT
    config_dir: str | None = None


def request(
    overrides: Iterable[str],
    plan: Plan | None = None,
    outcomes: Iterable[str] = (),
    config_dir: str | Path | None = None,
) -> Request:
    """What overrides ask for, those of `study=NAME` included.

    A key that is given with one value is the same in every run, be it varied in the study's file; one that is given with
    several values is varied, as an uncertainty where the file has it as one or its values are an interval.

    Args:
        overrides: key=value, key=a,b, key=range(…), key=interval(…), study=NAME.
        plan: counts before the file's.
        outcomes: what the study is about, in place of the file's.
        config_dir: a folder of one's own with `scenario/*.yaml` and `study/*.yaml`.
    Raises:
        BadRequest: there is no such study, or something in it or in the overrides cannot be met.
    """
    words = list(overrides)
    names = [word.partition("=")[2].strip() for word in words if word.partition("=")[0].strip() == "study"]
    own = None if config_dir is None else str(config_dir)
    base = read_study(names[-1], own) if names else Request(config_dir=own)
    fixed, swept = split_sweeps([word for word in words if word.partition("=")[0].strip() != "study"], own)
    levers, uncertainties = dict(base.levers), dict(base.uncertainties)
    settings = {key: word for key, word in base.fixed.items() if key not in swept} | fixed
    for key in fixed:
        levers.pop(key, None)
        uncertainties.pop(key, None)
    for key, values in swept.items():
        unsure = key in uncertainties or (values.is_interval and key not in levers)
        (uncertainties if unsure else levers)[key] = values
    said, merged = plan or Plan(), (plan or Plan()).over(base.plan)
    drawn = any(values.is_interval for values in (*levers.values(), *uncertainties.values()))
    if not drawn and not (merged.sampler and uncertainties):
        merged = replace(merged, sampler=said.sampler, samples=said.samples)  # the file's, but all it drew is pinned
    return replace(
        base,
        fixed=settings,
        levers=levers,
        uncertainties=uncertainties,
        outcomes=dict.fromkeys(outcomes, "") or base.outcomes or dict.fromkeys(HEADLINE, ""),
        plan=merged,
    )


def read_study(name: str, config_dir: str | None = None) -> Request:
    """The study of a file of `conf/study`, or of the user's folder.

    Raises:
        BadRequest: there is no such file, or something in it is not what a study says.
    """
    path = chosen("study", name, config_dir)
    content = read_plain(path)
    for heading in content:
        if heading not in HEADINGS:
            raise BadRequest(
                f"{path}: unknown heading {shown(heading)}; the nearest is {nearest(heading, HEADINGS, 0.0)}"
            )
    settings = _mapping(path, content, "settings")
    levers = {key: _several(path, key, values, config_dir) for key, values in _mapping(path, content, "levers").items()}
    unsure = _mapping(path, content, "uncertainties")
    uncertainties = {key: _several(path, key, values, config_dir) for key, values in unsure.items()}
    for key in uncertainties:
        if key in levers:
            raise BadRequest(f"{path}: {key} is both a lever and an uncertainty; keep one")
    fixed = {key: as_override(key, value) for key, value in settings.items()}
    for key in fixed:
        if key in levers or key in uncertainties:
            raise BadRequest(f"{path}: {key} is both set and varied; keep one")
    question = str(content.get("question", ""))
    plan = _plan(path, _mapping(path, content, "runs")).over(DEFAULT)
    return Request(name, question, fixed, levers, uncertainties, _outcomes(path, content), plan, config_dir)


def _mapping(path: Path, content: Mapping[str, Any], heading: str) -> dict[str, Any]:
    """What stands under a heading."""
    found = content.get(heading) or {}
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise BadRequest(f"{path}: {heading}: must be keys with their values")
    return found


def _several(path: Path, key: str, values: Any, config_dir: str | None) -> Swept:
    """The values of a key in a study's file."""
    found = listed(key, values) if isinstance(values, list) else sweep(key, str(values), config_dir)
    if found is None:
        raise BadRequest(f"{path}: {key}: {shown(values)}: one value; give several, or put it under settings")
    return found


def _plan(path: Path, runs: Mapping[str, Any]) -> Plan:
    """The plan of a study's file."""
    known = tuple(vars(DEFAULT))
    for name in runs:
        if name not in known:
            raise BadRequest(f"{path}: runs: unknown key {shown(name)}; the nearest is {nearest(name, known, 0.0)}")
    try:
        return Plan(**{name: runs[name] for name in runs})
    except BadRequest as error:
        raise BadRequest(f"{path}: runs: {error}") from error


def _outcomes(path: Path, content: Mapping[str, Any]) -> dict[str, str]:
    """Outcomes of a study's file: a list of names, or names with their direction."""
    found = content.get("outcomes") or {}
    if isinstance(found, list):
        return {str(name): "" for name in found}
    for name, direction in _mapping(path, content, "outcomes").items():
        if (direction or "") not in DIRECTIONS:
            raise BadRequest(f"{path}: outcomes: {name}: {shown(direction)}: must be maximise, minimise or nothing")
    return {name: direction or "" for name, direction in found.items()}
