"""A design: the table of runs, made and checked before the first of them.

A run is a point (a scenario with some keys set) and a seed; replication k has the same seed at every point, so that runs of
different points are pairs. Points are every combination of the levers with every draw of the uncertainties, levers slowest.
Hydra composes once for each combination of alternatives; varied keys are set in what it composed, where they count last.
"""

import hashlib
import itertools
import json
import math
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evsim.data import read_launches, read_market_table
from evsim.errors import BadRequest
from evsim.params import Scenario
from evsim.scenarios import compose, from_mapping
from evsim.scenarios.keys import shown
from evsim.scenarios.sweeps import Swept, as_override, listed

from .axes import IN_BLOCKS, LEAST_BLOCKS, SAMPLERS, Axis, Column, Role, axis_of, draw, sample_size
from .engines.work import Task, merged
from .outcomes import check_outcomes
from .past import shared_past
from .request import Plan, Request, request

MOST_RUNS = 10_000_000  # without being told twice
MOST_CHECKED = 5_000  # points whose scenario is checked before the first run, or up to twice as many
LARGEST_SEED = 2**63 - 1
POOLED_MAKERS = "Other makers"  # small ones, sold as one


@dataclass(frozen=True)
class Base:
    """One composition: the alternatives it was made for, and the whole scenario as plain data (its seed is 0)."""

    groups: Mapping[str, str]
    mapping: Mapping[str, Any]


Composed = dict[tuple, Base]  # alternatives in the order of their groups -> their composition


@dataclass(frozen=True, eq=False)
class Design:
    """The table of runs, with what each needs.

    Attributes:
        request: what was asked for.
        axes: what is varied: levers, then uncertainties.
        bases: the compositions.
        points: column -> values, `[n_points]`: `base`, a column for each axis, and `sample` where points were drawn.
        seeds: of the replications, `[R]`; run = point · R + replication.
    """

    request: Request
    axes: tuple[Axis, ...]
    bases: tuple[Base, ...]
    points: Mapping[str, Column]
    seeds: tuple[int, ...] | range

    @property
    def n_points(self) -> int:
        """Number of distinct scenarios."""
        return len(self.points["base"])

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        return self.n_points * len(self.seeds)

    @property
    def keep(self) -> str:
        """What is kept of a run."""
        return str(self.request.plan.keep)

    def task(self, run: int) -> Task:
        """What a worker needs to know of a run."""
        point, replication = divmod(run, len(self.seeds))
        return Task(run, int(self.points["base"][point]), self.changes(point), self.seeds[replication])

    def changes(self, point: int) -> dict[str, Any]:
        """Keys that a point sets in its base."""
        return {axis.key: axis.value(self.points[axis.key][point]) for axis in self.axes if not axis.is_group}

    def scenario(self, point: int) -> Scenario:
        """The checked scenario of a point.

        Raises:
            BadRequest: its values do not go together.
        """
        base = self.bases[int(self.points["base"][point])]
        try:
            return from_mapping(merged(base.mapping, self.changes(point)))
        except BadRequest as error:
            raise BadRequest(f"{error} (where {self._where(point)})" if self.axes else str(error)) from error

    def command(self, run: int, evsim: str = "evsim") -> str:
        """The command line that repeats a run by itself."""
        point, replication = divmod(run, len(self.seeds))
        base = self.bases[int(self.points["base"][point])]
        words = [as_override(group, name) for group, name in base.groups.items()]
        words += [word for key, word in self.request.fixed.items() if key not in base.groups and key != "seed"]
        words += [as_override(key, value) for key, value in self.changes(point).items()]
        words.append(f"seed={self.seeds[replication]}")
        if self.request.config_dir is not None:
            words += ["--config-dir", self.request.config_dir]
        return " ".join([evsim, "run", *map(shlex.quote, words)])

    def table(self, runs: np.ndarray | None = None) -> pd.DataFrame:
        """A row a run (all of them, or some): run, point, seed, `sample` where drawn, and the varied keys."""
        runs = np.arange(self.n_runs) if runs is None else np.asarray(runs, dtype="int64")
        point, replication = np.divmod(runs, len(self.seeds))
        columns = {"run": runs, "point": point, "seed": np.array(self.seeds, dtype="int64")[replication]}
        return pd.DataFrame(columns | {name: values[point] for name, values in self.points.items() if name != "base"})

    @property
    def digest(self) -> str:
        """SHA-256 over what decides the runs' results: bases, points, seeds, what is kept."""
        bases = json.dumps([base.mapping for base in self.bases], sort_keys=True)
        digest = hashlib.sha256(json.dumps([bases, list(self.seeds), self.keep]).encode())
        for name, values in self.points.items():
            cells = values.astype("<f8").tobytes() if values.dtype.kind == "f" else json.dumps(values.tolist()).encode()
            digest.update(f"\n{name}:{len(values)}\n".encode())
            digest.update(cells)
        return digest.hexdigest()

    def _where(self, point: int) -> str:
        """A point's values, in words."""
        return ", ".join(f"{axis.key}={shown(axis.value(self.points[axis.key][point]))}" for axis in self.axes)


def design_of(
    *overrides: str,
    plan: Plan | None = None,
    outcomes: Iterable[str] = (),
    config_dir: str | Path | None = None,
    many: bool = False,
) -> Design:
    """The design that overrides ask for, as on the command line of `evsim sweep`.

    Args:
        overrides: study=NAME, key=value, and key=a,b, key=range(…) or key=interval(…) for what is varied.
        plan: replications, sampler and samples, what is kept; counts before the study's own.
        outcomes: what the study is about; none: the study's own, or the headline.
        config_dir: a folder of one's own with scenarios and studies.
        many: whether more than ten million runs are meant.
    Raises:
        BadRequest: the request cannot be met; one line says what would be right.
    """
    asked = request(overrides, plan, outcomes, config_dir)
    _check_samples(asked.plan)
    return plan_design(asked, many)


def design_of_points(
    points: pd.DataFrame,
    *overrides: str,
    plan: Plan | None = None,
    outcomes: Iterable[str] = (),
    config_dir: str | Path | None = None,
) -> Design:
    """A design of given points: one a row of a frame, whose columns are keys; overrides are the same in all.

    Raises:
        BadRequest: as `design_of`; or an override has several values, which the frame should hold.
    """
    asked = request(overrides, plan, outcomes, config_dir)
    varied = [*asked.levers, *asked.uncertainties]
    if varied:
        raise BadRequest(f"{varied[0]}: several values beside a table of points; make it a column of the table")
    if not len(points):
        raise BadRequest("the table of points has no row; give at least one")
    return plan_points(asked, points)


def plan_points(asked: Request, points: pd.DataFrame, composed: Composed | None = None) -> Design:
    """The design of given points, one a row of a frame whose columns are keys; what the request varies does not count.

    Args:
        asked: what is the same in all of them.
        points: keys and values.
        composed: what was composed for the same request before, by its alternatives; it is added to.
    Raises:
        BadRequest: values that do not go together.
    """
    axes = []
    columns: dict[str, Column] = {}
    for key in points.columns:
        cells = [None if cell is None or cell != cell else cell for cell in points[key].tolist()]
        distinct = list({json.dumps(cell): cell for cell in cells}.values())
        axis = axis_of(listed(str(key), distinct), "lever")
        place = {json.dumps(cell): index for index, cell in enumerate(distinct)}
        axes.append(axis)
        columns[axis.key] = axis.column(axis.values)[[place[json.dumps(cell)] for cell in cells]]
    return _finished(asked, tuple(axes), columns, composed)


def plan_design(asked: Request, many: bool = False, draw_seed: int = 0) -> Design:
    """The design of a request; nothing large is made before its size is known to be meant.

    Args:
        asked: what is wanted.
        many: whether more than ten million runs are meant.
        draw_seed: of the sampler; another draws other points.
    Raises:
        BadRequest: too many runs, a sampler without interval or the reverse, values that do not go together.
    """
    roles: dict[str, Role] = dict.fromkeys(asked.levers, "lever")
    roles |= dict.fromkeys(asked.uncertainties, "uncertainty")
    varied = {key: values for key, values in {**asked.levers, **asked.uncertainties}.items() if key != "seed"}
    drawn = _drawn(asked.plan, varied, roles)
    crossed = {key: values for key, values in varied.items() if key not in drawn}
    sampler, number = asked.plan.sampler or SAMPLERS[0], asked.plan.samples or 0
    samples = sample_size(sampler, number, len(drawn)) if drawn else 1
    n_runs = samples * math.prod(len(values.values) for values in crossed.values()) * len(_seeds(asked))
    if n_runs > MOST_RUNS and not many:
        raise too_many(n_runs)
    axes = {key: axis_of(values, roles[key]) for key, values in varied.items()}
    columns: dict[str, Column] = {}
    n_crossed = math.prod(len(axes[key].values) for key in crossed)
    repeated = n_crossed * samples
    for key in crossed:
        values = axes[key].column(axes[key].values)
        repeated //= len(values)
        columns[key] = np.tile(np.repeat(values, repeated), n_crossed * samples // (repeated * len(values)))
    if drawn:
        cells = draw(sampler, number, [axes[key] for key in drawn], draw_seed)
        columns |= {key: np.tile(column, n_crossed) for key, column in zip(drawn, cells, strict=True)}
        columns["sample"] = np.tile(np.arange(samples), n_crossed)
        asked = replace(asked, plan=replace(asked.plan, sampler=sampler))
    return _finished(asked, tuple(axes.values()), columns)


def _check_samples(plan: Plan) -> None:
    """Refuse a sampler with fewer blocks than its analysis takes; what is drawn for other ends (a search) may have fewer."""
    if plan.sampler in IN_BLOCKS and plan.samples is not None and plan.samples < LEAST_BLOCKS:
        raise BadRequest(
            f"--samples={plan.samples}: `evsim analyse` needs {LEAST_BLOCKS} or more of --sampler={plan.sampler}; give them, or "
            "--sampler=lhs"
        )


def too_many(n_runs: int) -> BadRequest:
    """The refusal of more runs than anybody means by mistake."""
    return BadRequest(f"{n_runs:,} runs; more than {MOST_RUNS:,} are made by `evsim sweep … --yes` only")


def _drawn(plan: Plan, varied: Mapping[str, Swept], roles: Mapping[str, Role]) -> list[str]:
    """Keys whose values a sampler draws: those with an interval, and then all uncertainties.

    Raises:
        BadRequest: a sampler with nothing to draw, or the reverse.
    """
    unsure = [key for key in varied if roles[key] == "uncertainty"]
    intervals = [key for key, values in varied.items() if values.is_interval]
    if intervals or (plan.sampler and unsure):
        if plan.samples is None:
            key = (intervals or unsure)[0]
            raise BadRequest(f"{key}={varied[key].text}: values are drawn; say how many with --samples N")
        return [key for key in varied if key in intervals or key in unsure]
    said = f"--sampler={plan.sampler}" if plan.sampler else f"--samples={plan.samples}" if plan.samples else ""
    if said:
        raise BadRequest(f"{said}: nothing is to be drawn; give an interval, such as 'subsidy.scale=interval(0,1)'")
    return []


def _seeds(asked: Request) -> tuple[int, ...] | range:
    """Seeds of the replications: those listed, else as many as there are replications from `seed` on, or from 0.

    Raises:
        BadRequest: seeds are drawn, or listed beside replications; or one does not fit.
    """
    given = asked.levers.get("seed") or asked.uncertainties.get("seed")
    replications = asked.plan.replications or 1
    if given is not None:
        if given.is_interval or replications > 1:
            raise BadRequest(f"seed={given.text}: give the seeds, or --replications, or seed=FIRST with it")
        return tuple(axis_of(given, "lever").values)
    word = asked.fixed.get("seed", "seed=0").partition("=")[2].strip()
    if not word.isdecimal() or int(word) + replications - 1 > LARGEST_SEED:
        raise BadRequest(f"seed={shown(word)}: must be a whole number from 0 to {LARGEST_SEED - replications + 1}")
    return range(int(word), int(word) + replications)


def _finished(
    asked: Request, axes: tuple[Axis, ...], columns: Mapping[str, Column], composed: Composed | None = None
) -> Design:
    """The design of columns, once its scenarios are composed and checked."""
    n_points = len(next(iter(columns.values()))) if columns else 1
    groups = {axis.key: columns[axis.key] for axis in axes if axis.is_group}
    chosen = list(zip(*groups.values(), strict=True)) if groups else [()] * n_points
    distinct = list(dict.fromkeys(chosen))
    place = {names: number for number, names in enumerate(distinct)}
    composed = {} if composed is None else composed
    for names in distinct:
        if names not in composed:
            composed[names] = _composed(asked, dict(zip(groups, names, strict=True)))
    bases = tuple(composed[names] for names in distinct)
    points = {"base": np.array([place[names] for names in chosen], dtype="int64"), **columns}
    design = Design(asked, axes, bases, points, _seeds(asked))
    _check(design)
    return design


def _composed(asked: Request, groups: Mapping[str, str]) -> Base:
    """One composition: the fixed overrides, and the alternatives of a point."""
    words = [word for key, word in asked.fixed.items() if key not in groups]
    mapping = compose([*words, *(as_override(group, name) for group, name in groups.items())], asked.config_dir)
    return Base(groups, mapping | {"seed": 0})


def _check(design: Design) -> None:
    """Check scenarios and outcomes before anything runs: every point, or of very many a spread of them."""
    check_outcomes_of(design, [*design.request.outcomes, *design.request.constraints])
    if design.request.plan.branch_at is not None:
        shared_past(design, design.request.plan.branch_at)


def check_outcomes_of(design: Design, names: Iterable[str]) -> None:
    """Check that runs of a design will have these outcomes; its scenarios are checked on the way.

    Raises:
        BadRequest: an outcome is unknown, of a year that is not simulated, or the share of a maker that nobody knows.
    """
    step = max(1, design.n_points // MOST_CHECKED)
    first, last, tables, makers = "9999", "0000", set(), set(read_launches()["automaker"])
    for point in itertools.chain(range(0, design.n_points, step), (design.n_points - 1,)):
        scenario = design.scenario(point)
        first, last = min(first, scenario.start), max(last, scenario.end)
        tables.add(scenario.market.table)
        makers |= {brand.automaker for brand in scenario.modes.prospective}
    for table in tables:
        makers |= set(read_market_table(table)["automaker"])
    check_outcomes(names, range(int(first[:4]), int(last[:4]) + 1), makers | {POOLED_MAKERS})
