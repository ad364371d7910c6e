"""A search for policies in words: what was found, and what is left of it in fresh worlds.

Tables here are those of `evsim.study.policies.Policies`: `trials` and `front`.
"""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from .comparisons import level, manner
from .language import names, sentence

UNBEATEN = "no other is as good in all aims and better in one"


def bound(outcome: str, unit: str, value: float, is_upper: bool, part: float) -> str:
    """A constraint: `the concentration of platforms below 2,000 HHI points in 90 % of worlds`."""
    where = "all worlds" if part == 1.0 else f"{100.0 * part:g} % of worlds"
    return (
        f"{manner(outcome, unit).subject} {'below' if is_upper else 'above'} {level(outcome, unit, value)} in {where}"
    )


def search_words(
    trials: Any, front: Any, levers: Sequence[str], objectives: Mapping[str, str], bounds: Sequence[str]
) -> list[str]:
    """What a search has found: how many policies keep to the constraints, the best of each objective, what survived.

    Args:
        trials: a row a trial.
        front: a row a trial on the front.
        levers: columns of both.
        objectives: outcome -> maximise or minimise.
        bounds: constraints, by `bound`.
    """
    told = [_found(trials, front, bounds)]
    if not len(front) or "holds" not in front:
        return told
    told.append(_survived(front, bounds))
    told += [_promise(front, name, direction) for name, direction in objectives.items()]
    holding = front[front["holds"]]
    if len(holding):
        told += [_best(holding, levers, name, objectives) for name in objectives]
    return told


def front_finding(front: Any, tried: int, objectives: Mapping[str, str], bounds: Sequence[str]) -> str:
    """The front as a figure's title."""
    aims = names(f"{'most' if way == 'maximise' else 'least'} {_bare(name)}" for name, way in objectives.items())
    kept = f" with {names(bounds)}" if bounds else ""
    if not len(front):
        return (
            f"None of {tried} policies has {names(bounds)}"
            if bounds
            else f"None of {tried} policies could be simulated"
        )
    survived = f"; {front['holds'].sum()} hold up in fresh worlds" if "holds" in front else ""
    return f"{len(front)} of {tried} policies are not beaten in {aims}{kept}{survived}"


def front_table(front: Any, levers: Sequence[str], objectives: Mapping[str, str]) -> str:
    """The front as lines for a terminal: levers, each objective as promised and in fresh worlds, whether it holds."""
    rows = []
    ordered = front.sort_values(next(iter(objectives)))
    for row in ordered.to_dict("records"):
        cells = {lever: _value(row[lever]) for lever in levers}
        for name in objectives:
            cells[name] = level(name, "", row[name])
            if f"fresh.{name}" in row:
                cells[f"fresh {name}"] = _with_limits(row, name)
        if "holds" in row:
            cells["holds"] = "yes" if row["holds"] else "no"
        rows.append(cells)
    widths = {head: max(len(head), *(len(cells[head]) for cells in rows), 0) for head in rows[0]}
    lines = ["  ".join(f"{head:>{width}}" for head, width in widths.items())]
    lines += ["  ".join(f"{cells[head]:>{width}}" for head, width in widths.items()) for cells in rows]
    return "\n".join(lines)


def _found(trials: Any, front: Any, bounds: Sequence[str]) -> str:
    """How many were tried, keep to the constraints, and are on the front."""
    tried, feasible = len(trials), int(trials["feasible"].sum())
    if not bounds:
        return sentence(
            f"Of {tried} policies tried, {len(front)} are on the front: no other is as good in all aims and better in one"
        )
    kept = f"Of {tried} policies tried, {feasible} keep {names(bounds)}"
    if not feasible:
        return sentence(f"None of {tried} policies tried keeps {names(bounds)}")
    return sentence(
        f"{kept}; {len(front)} of these are on the front: no other is as good in all aims and better in one"
    )


def _survived(front: Any, bounds: Sequence[str]) -> str:
    """How many of the front hold up in fresh worlds."""
    holding, unbeaten, all_ = int(front["holds"].sum()), int(front["unbeaten"].sum()), len(front)
    if not bounds:
        return sentence(f"In fresh worlds, {unbeaten} of {all_} are still not beaten by another of them")
    if not holding:
        return sentence(
            f"In fresh worlds, none of the {all_} keeps what was asked any more: they were chosen in too few worlds, and more "
            "of them (--samples, --replications) would promise less"
        )
    return sentence(
        f"In fresh worlds, {holding} of {all_} still keep what was asked, and {unbeaten} of them are not beaten by another"
    )


def _promise(front: Any, name: str, direction: str) -> str:
    """What an objective was said to be, and is."""
    promised, found = float(front[name].mean()), float(front[f"fresh.{name}"].mean())
    worse = found < promised if direction == "maximise" else found > promised
    return sentence(
        f"On average over the front, {_subject(name)} {'were' if manner(name).plural else 'was'} promised as "
        f"{level(name, '', promised)} and came out {'worse' if worse else 'no worse'}, at {level(name, '', found)}"
    )


def _best(front: Any, levers: Sequence[str], name: str, objectives: Mapping[str, str]) -> str:
    """The policy that is best in one objective, of those that hold."""
    most = objectives[name] == "maximise"
    row = front.sort_values(f"fresh.{name}", ascending=not most).iloc[0].to_dict()
    others = names(f"{_subject(other)} {_with_limits(row, other)}" for other in objectives if other != name)
    beside = f", with {others}" if len(objectives) > 1 else ""
    setting = ", ".join(f"{lever}={_value(row[lever])}" for lever in levers)
    return sentence(f"Best in {_bare(name)} of those that hold up: {_with_limits(row, name)}{beside} ({setting})")


def _with_limits(row: Mapping[str, Any], name: str) -> str:
    """An objective in fresh worlds with its limits."""
    ends = [row[f"fresh.{name}.{side}"] for side in ("low", "high")]
    if any(isnan(end) for end in ends):
        return level(name, "", row[f"fresh.{name}"])
    low, high = (level(name, "", end).split(" ")[0] for end in ends)
    return f"{level(name, '', row[f'fresh.{name}'])} [{low}, {high}]"


def _subject(name: str) -> str:
    """An outcome with the months it is counted over, where they are not the last year."""
    how = manner(name)
    return f"{how.subject} {how.when}".rstrip()


def _bare(name: str) -> str:
    """The same without an article: `outlay over the whole run`."""
    return _subject(name).removeprefix("the state's ").removeprefix("the ")


def _value(value: Any) -> str:
    """A lever's value."""
    if value is None or value != value:
        return "null"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
