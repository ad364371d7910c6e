"""The analyses: each gives its parts, or says in a BadRequest why the design cannot answer it and which could."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from evsim.errors import BadRequest
from evsim.study import boundary, discover, regret
from evsim.study.axes import MORRIS_LEVELS, Axis, draw, unit_points
from evsim.study.fan import fan_quantiles
from evsim.study.heat_map import Grid, chance_above, crossings, grid_means, halfway, tipping_line
from evsim.study.sensitivity import morris_effects, sobol_indices, tornado
from evsim.words import analyses as said
from evsim.words.outcomes import roles_note, setting

from .material import Material, Part, is_numeric, meanings, roles, units

MOST_MAPS = 4
MOST_BOXES = 3  # told in words; tables have all
NEEDED_QUARTER = 0.25  # of the worlds that are cases where no threshold is given


def _heat_maps(material: Material) -> Iterator[Part]:
    """One for each combination of the other crossed axes."""
    numeric = [axis for axis in material.crossed if is_numeric(axis)]
    if len(numeric) < 2 or not material.is_full_cross:
        raise BadRequest(
            "needs two keys with listed numbers, crossed, such as 'subsidy.scale=0,0.5,1' 'software.advantage_kcny=0,20,40'"
        )
    first, second = numeric[:2]
    others = [axis for axis in material.crossed if axis not in (first, second)]
    combinations = list(product(*([(axis.key, value) for value in axis.values] for axis in others)))
    if len(combinations) > MOST_MAPS:
        raise BadRequest(
            f"{len(combinations)} maps, for {others[0].key} is crossed too; at most {MOST_MAPS} are drawn: give it one value"
        )
    for number, combination in enumerate(combinations, 1):
        runs = material.runs
        for key, value in combination:
            runs = runs[runs[key] == value]
        where = ", ".join(setting(key, value) for key, value in combination)
        yield _heat_map(material, runs, (first, second), where, f"-{number}" if where else "")


def _heat_map(material: Material, runs: pd.DataFrame, axes: tuple[Axis, Axis], where: str, suffix: str) -> Part:
    """The mean outcome over two axes, with its tipping line and band."""
    subject, store = material.subject, material.store
    values = {axis.key: tuple(float(value) for value in axis.values) for axis in axes}
    searched = boundary.search_of(store)
    found = boundary.found_of(store) if searched is not None and searched.outcome == subject.outcome else None
    grids = [Grid(x.key, y.key, subject.outcome, "world", values[x.key], values[y.key]) for x, y in (axes, axes[::-1])]
    threshold = material.threshold
    if threshold is None:
        threshold = found.threshold if found is not None else halfway(grid_means(runs, grids[0]))
    lines = [tipping_line(runs, grid, threshold) for grid in grids]
    grid, line = max(
        zip(grids, lines, strict=True), key=lambda pair: int(pair[1][pair[0].x].notna().sum()) / len(pair[1])
    )
    means, keys = grid_means(runs, grid), (grid.x, grid.y)
    chance = chance_above(runs, grid, threshold)
    note = roles_note(roles(keys))
    sentences = [f"{said.tipping_finding(subject, line, keys, threshold, where)}."]
    if found is not None:
        sentences.append(said.search_sentence(subject, found.points, found.values.size, threshold, found.left))
    tables = {"means": means, "line": line, "crossings": crossings(means, threshold)}
    n_worlds = runs["world"].nunique()
    return Part(
        "heat_map", subject, sentences[0].removesuffix("."), [*sentences, *said.tipping_sentences(line, keys), note],
        tables if chance is None else tables | {"chance_above": chance},
        {"threshold": threshold, "keys": keys, "units": units(keys), "meanings": meanings(keys), "roles": note,
         "suffix": suffix, "n_worlds": n_worlds},
    )  # fmt: skip


def _sobol(material: Material) -> Iterator[Part]:
    _check_sampler(material, "sobol")
    keys = [axis.key for axis in material.drawn]
    table = sobol_indices(material.by_sample(), keys)
    yield Part(
        "sobol", material.subject, said.sobol_finding(material.subject, table), said.sobol_sentences(table),
        {"indices": table},
        {"roles": roles_note(roles(keys)), "n_samples": material.store.design.request.plan.samples, "units": units(keys),
         "meanings": meanings(keys)},
    )  # fmt: skip


def _morris(material: Material) -> Iterator[Part]:
    _check_sampler(material, "morris")
    drawn, samples = material.drawn, int(material.store.design.request.plan.samples or 0)
    for axis, column in zip(drawn, draw("morris", samples, drawn), strict=True):
        if not np.array_equal(column, _sampled(material, axis)):
            raise BadRequest("another version of SALib drew these trajectories: analyse with that one, or sweep anew")
    keys = [axis.key for axis in drawn]
    table = morris_effects(unit_points("morris", samples, len(keys)), material.by_sample(), keys)
    yield Part(
        "morris", material.subject, said.morris_finding(material.subject, table), said.morris_sentences(material.subject, table),
        {"effects": table}, {"roles": roles_note(roles(keys)), "n_samples": samples, "levels": MORRIS_LEVELS},
    )  # fmt: skip


def _sampled(material: Material, axis: Axis) -> np.ndarray:
    """The values of a drawn axis, in the sampler's order."""
    points = material.store.design.points
    n_samples = int(points["sample"].max()) + 1
    return points[axis.key][:n_samples]


def _check_sampler(material: Material, sampler: str) -> None:
    if material.sampler != sampler:
        raise BadRequest(f"needs points drawn for it: keys with interval(LOW,HIGH), --sampler {sampler} --samples 64")


def _tornado(material: Material) -> Iterator[Part]:
    keys = [axis.key for axis in material.axes if axis in material.drawn or len(axis.values) > 1]
    if not keys:
        raise BadRequest("needs a key with several values, such as 'software.advantage_kcny=0,20,40'")
    base = None if material.is_full_cross else _base_point(material, keys)
    table = tornado(material.runs, material.subject.outcome, keys, "world", base)
    if not len(table):
        raise BadRequest("needs runs at two values of a key at least")
    yield Part(
        "tornado", material.subject, said.tornado_finding(material.subject, table),
        said.tornado_sentences(material.subject, table), {"swings": table},
        {"roles": roles_note(roles(keys)), "units": units(keys), "meanings": meanings(keys), "base": base},
    )  # fmt: skip


def _base_point(material: Material, keys: Sequence[str]) -> dict[str, Any]:
    """The point from which a table of given points departs one key at a time: the most frequent value of each.

    Raises:
        BadRequest: the points depart in several keys at once.
    """
    points = pd.DataFrame({key: material.store.design.points[key] for key in keys})
    base = {key: points[key].mode(dropna=False).iloc[0] for key in keys}
    departed = np.array([points[key] != base[key] for key in keys]).sum(axis=0)
    if departed.max() > 1 or departed.min() > 0:
        raise BadRequest(
            "the given points change several keys at once; cross the keys, draw them, or change one at a time"
        )
    return base


def _boxes(material: Material) -> Iterator[Part]:
    points, subject = material.points(), material.subject
    keys = [axis.key for axis in material.axes if points[axis.key].nunique(dropna=False) > 1]
    values = points[subject.outcome].to_numpy(dtype="float64")
    minimise = subject.direction == regret.MINIMISE
    threshold = material.threshold
    if threshold is None:
        threshold = float(np.quantile(values, NEEDED_QUARTER if minimise else 1.0 - NEEDED_QUARTER))
    cases = values <= threshold if minimise else values >= threshold
    try:
        found = {"prim": discover.prim_boxes(points[keys], cases, 1), "cart": discover.cart_boxes(points[keys], cases)}
    except BadRequest as refusal:
        raise BadRequest(
            f"{refusal}, such as 'lock_in.switching_cost=interval(0,2)' --sampler lhs --samples 200"
        ) from refusal
    given = "" if material.threshold is not None else f", the {'lowest' if minimise else 'highest'} quarter"
    sentences = [f"A case: {said.cases_phrase(subject, threshold)}{given}; {int(cases.sum())} of {len(cases)} points."]
    for name, boxes in found.items():
        told = [said.box_sentence(subject, box, threshold) for box in boxes[:MOST_BOXES]] or ["no box."]
        sentences += [f"{name.upper()}: {sentence}" for sentence in told]
    tables = {name: discover.box_table(boxes) for name, boxes in found.items()}
    tables["points"] = points[[*keys, subject.outcome]].assign(case=cases).reset_index(drop=True)
    yield Part(
        "boxes", subject, said.boxes_finding(subject, found["prim"], threshold), sentences, tables,
        {"threshold": threshold, "boxes": found["prim"], "keys": keys, "units": units(keys),
         "meanings": meanings(keys), "roles": roles_note(roles(keys))},
    )  # fmt: skip


def _regret(material: Material) -> Iterator[Part]:
    subject = material.subject
    levers = [axis.key for axis in material.crossed if axis.role == "lever"]
    worlds = [axis.key for axis in material.crossed if axis.role == "uncertainty"] + (
        ["sample"] if material.drawn else []
    )
    if not worlds and "scenario" in levers:
        levers.remove("scenario")
        worlds = ["scenario"]
    if not levers or not worlds:
        raise BadRequest(
            "needs levers with listed values, and worlds: uncertainties, or scenario=a,b beside another lever (as study=policies)"
        )
    if not subject.direction:
        raise BadRequest(f"say what is better: --outcome {subject.outcome}:maximise, or :minimise")
    choice = regret.Choice(levers, worlds, subject.outcome, subject.direction)
    outcomes = regret.outcome_matrix(material.runs, choice)
    if outcomes.empty or len(outcomes) < 2:
        raise BadRequest("no world has been simulated with two choices at least; finish the sweep")
    table = regret.regrets(material.runs, choice)
    matrix = regret.regret_matrix(outcomes, subject.direction)
    named = [key for key in (*levers, *worlds) if key != "sample"]
    names = [said.choice_name(levers, row) for row in matrix.index.to_frame(index=False).to_dict("records")]
    yield Part(
        "regret", subject, said.regret_finding(subject, table, levers),
        said.regret_sentences(subject, table, levers, matrix.shape[1]),
        {"choices": table, "matrix": matrix.set_axis(pd.Index(names, name="choice"), axis=0)},
        {"levers": levers, "worlds": worlds, "roles": roles_note(roles(named))},
    )  # fmt: skip


def _fan(material: Material) -> Iterator[Part]:
    subject = material.subject
    if material.store.design.keep != "panel":
        raise BadRequest("needs months; sweep with --keep panel")
    months, paths = material.store.paths(subject.outcome)
    quantiles = fan_quantiles(months, paths)
    low, high = quantiles.iloc[-1].iloc[[0, -1]]
    finding = said.fan_finding(subject, months[-1], low, high, paths.shape[1])
    yield Part("fan", subject, finding, [f"{finding}."], {"quantiles": quantiles}, {"n_runs": paths.shape[1]})


MAKERS: Mapping[str, Callable[[Material], Iterator[Part]]] = {
    "heat_map": _heat_maps,
    "sobol": _sobol,
    "morris": _morris,
    "tornado": _tornado,
    "boxes": _boxes,
    "regret": _regret,
    "fan": _fan,
}
IN_A_SEARCH = ("heat_map", "fan")
