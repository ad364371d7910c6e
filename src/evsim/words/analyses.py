"""Sentences of what analyses of a study find: tipping lines, indices, swings, boxes as rules, regret."""

from collections.abc import Mapping, Sequence
from math import isinf, isnan
from typing import Any

from .language import month, names, percent
from .outcomes import capital, change, key_value, limits, outcome_name, quantity, setting


def tipping_finding(subject: Any, line: Any, keys: tuple[str, str], threshold: float, where: str = "") -> str:
    """Where an outcome passes a threshold, over the whole grid, as a title.

    Args:
        subject: name and unit of the outcome.
        line: a row for each value of the second key: the first key's value, `low`, `high`.
        keys: first and second.
        threshold: of the outcome.
        where: which part of the design; empty: all.
    """
    x, y = keys
    at = line[line[x].notna()]
    what = f"{capital(outcome_name(subject.outcome))} passes {quantity(threshold, subject.unit)}"
    part = f" ({where})" if where else ""
    if not len(at):
        return f"{what} nowhere on the grid{part}".replace("passes", "crosses")
    if all(isinf(row["low"]) and isinf(row["high"]) for row in at.to_dict("records")):
        passes = f"{outcome_name(subject.outcome)} passes {quantity(threshold, subject.unit)}"
        return f"Where {passes} cannot be told from so few seeds: it may be anywhere on the grid{part}"
    first, last = at.iloc[0], at.iloc[-1]
    if len(at) == 1 or key_value(first[x]) == key_value(last[x]):
        return f"{what} at {setting(x, first[x])}{part}"
    other = f"{key_value(last[x])} where it is {key_value(last[y])}"
    return f"{what} at {setting(x, first[x])} where {setting(y, first[y])}, and at {other}{part}"


def tipping_sentences(line: Any, keys: tuple[str, str], most: int = 7) -> list[str]:
    """The tipping line, a sentence a row (of many rows: some from all over), with its intervals."""
    x, y = keys
    step = max(1, -(-len(line) // most))
    sentences = []
    for row in line.iloc[::step].to_dict("records"):
        place = f"At {setting(y, row[y])}"
        if isnan(row[x]):
            sentences.append(f"{place} it does not cross.")
            continue
        if isinf(row["low"]) and isinf(row["high"]):
            sentences.append(f"{place} it cannot be told where it crosses.")
            continue
        again = f", and crosses {row['crossings']} times in all" if row["crossings"] > 1 else ""
        sentences.append(
            f"{place} it crosses where {x} is {key_value(float(row[x]))}{limits(row['low'], row['high'])}{again}."
        )
    return sentences


def sobol_finding(subject: Any, table: Any) -> str:
    """The key with the largest total index, as a title."""
    top = table.iloc[0]
    return (
        f"{capital(top['key'])} explains {_part(top['first'])} of the variance of {outcome_name(subject.outcome)} alone, "
        f"{_part(top['total'])} with what it shares"
    )


def sobol_sentences(table: Any) -> list[str]:
    """Each key's indices with their intervals."""
    return [
        f"{row['key']}: {_part(row['first'])} of the variance alone{limits(100 * row['first_low'], 100 * row['first_high'])}, "
        f"{_part(row['total'])} with its interactions{limits(100 * row['total_low'], 100 * row['total_high'])}."
        for row in table.to_dict("records")
    ]


def morris_finding(subject: Any, table: Any) -> str:
    """The key with the largest effects, and how many have next to none, as a title."""
    top, small = table.iloc[0], int((table["size_high"] < 0.1 * table["size"].iloc[0]).sum())
    rest = f"; {small} of {len(table)} keys matter less than a tenth of it" if small else ""
    moved = change(top["size"], float("nan"), float("nan"), subject.unit)
    return f"{capital(top['key'])} moves {outcome_name(subject.outcome)} most, by {moved} over its range{rest}"


def morris_sentences(subject: Any, table: Any) -> list[str]:
    """Each key's mean size and spread of effects with their intervals."""
    return [
        f"{row['key']}: effects of "
        + ", ".join(
            f"{name} {change(row[name], row[f'{name}_low'], row[f'{name}_high'], subject.unit)}"
            for name in ("size", "mean", "spread")
        )
        + "."
        for row in table.to_dict("records")
    ]


def tornado_finding(subject: Any, table: Any) -> str:
    """The largest swing, as a title."""
    top = table.iloc[0]
    ends = [quantity(top[end], subject.unit) for end in ("at_from", "at_to")]
    return (
        f"{capital(top['key'])} moves {outcome_name(subject.outcome)} most: from {ends[0]} at {key_value(top['from'])} to "
        f"{ends[1]} at {key_value(top['to'])}"
    )


def tornado_sentences(subject: Any, table: Any) -> list[str]:
    """Each key's swing with its interval, and those that cannot be told from none."""
    sentences = [
        f"{row['key']} from {key_value(row['from'])} to {key_value(row['to'])}: "
        f"{change(row['swing'], row['low'], row['high'], subject.unit)}."
        for row in table.to_dict("records")
    ]
    if table["low"].isna().all():
        return [*sentences, "One world only: no intervals; --replications adds some."]
    vague = [row["key"] for row in table.to_dict("records") if not row["clear"]]
    return [*sentences, f"Not to be told from no effect: {names(vague)}."] if vague else sentences


def box_rule(limits: Mapping[str, Any]) -> str:
    """A box as a rule: `software.advantage_kcny above 31 and subsidy.scale below 0.4`."""
    parts = []
    for key, limit in limits.items():
        if limit.names:
            parts.append(f"{key} {' or '.join(limit.names)}")
        elif limit.low is not None and limit.low == limit.high:
            parts.append(f"{key} {key_value(limit.low)}")
        elif limit.low is not None and limit.high is not None:
            parts.append(f"{key} from {key_value(limit.low)} to {key_value(limit.high)}")
        elif limit.low is not None:
            parts.append(f"{key} from {key_value(limit.low)} up")
        else:
            parts.append(f"{key} up to {key_value(limit.high)}")
    return names(parts)


def cases_phrase(subject: Any, threshold: float) -> str:
    """What a case is: `the alliance's share at 15 % or more`."""
    side = "less" if subject.direction == "minimise" else "more"
    return f"{outcome_name(subject.outcome)} at {quantity(threshold, subject.unit)} or {side}"


def box_sentence(subject: Any, box: Any, threshold: float) -> str:
    """A rule with its density and coverage."""
    return (
        f"{capital(box_rule(box.limits))}: {percent(box.density)} of these worlds have {cases_phrase(subject, threshold)}, and "
        f"they are {percent(box.coverage)} of all such worlds."
    )


def boxes_finding(subject: Any, boxes: Sequence[Any], threshold: float) -> str:
    """The first box as a title."""
    if not boxes:
        return f"No limits on the keys tell where one finds {cases_phrase(subject, threshold)}"
    rule, density = capital(box_rule(boxes[0].limits)), percent(boxes[0].density)
    return f"{rule}: there {density} of worlds have {cases_phrase(subject, threshold)}"


def choice_name(levers: Sequence[str], row: Mapping[str, Any]) -> str:
    """A choice as it is typed: `scenario=baseline, software.advantage_kcny=20`."""
    return ", ".join(setting(lever, row[lever]) for lever in levers)


def regret_finding(subject: Any, table: Any, levers: Sequence[str]) -> str:
    """The choice with the least maximum regret, as a title."""
    row = table.iloc[0]
    if row["max_regret"] == 0.0:
        return f"{choice_name(levers, row)} is the best for {outcome_name(subject.outcome)} in every world"
    most = change(row["max_regret"], float("nan"), float("nan"), subject.unit)
    return f"{choice_name(levers, row)} is never more than {most} from the best in {outcome_name(subject.outcome)}"


def regret_sentences(subject: Any, table: Any, levers: Sequence[str], n_worlds: int) -> list[str]:
    """Least maximum regret, best on average, and the worst choice."""
    rows = table.to_dict("records")
    best = "least" if subject.direction == "minimise" else "most"
    means = table["mean"]
    average = rows[int(means.argmin() if subject.direction == "minimise" else means.argmax())]
    sentences = [
        f"Of {len(rows)} choices in {n_worlds} worlds, {choice_name(levers, rows[0])} has the least maximum regret in "
        f"{outcome_name(subject.outcome)}: {change(rows[0]['max_regret'], rows[0]['low'], rows[0]['high'], subject.unit)} "
        f"(the {best} is best); it is the best in {percent(rows[0]['best_in'])} of the worlds.",
        f"Best on average is {choice_name(levers, average)}: {quantity(average['mean'], subject.unit)}, with a maximum regret of "
        f"{change(average['max_regret'], average['low'], average['high'], subject.unit)}.",
    ]
    last = rows[-1]
    return [
        *sentences,
        f"The largest regret has {choice_name(levers, last)}: "
        f"{change(last['max_regret'], last['low'], last['high'], subject.unit)}.",
    ]


def fan_finding(subject: Any, last_month: str, low: float, high: float, n_runs: int) -> str:
    """Where most runs end, as a title."""
    return (
        f"In nine of ten of {n_runs:,} runs {outcome_name(subject.outcome)} is between {quantity(low, subject.unit)} and "
        f"{quantity(high, subject.unit)} in the year to {month(last_month)}"
    )


def search_sentence(subject: Any, points: int, of: int, threshold: float, left: int) -> str:
    """How many points a search of a tipping line took."""
    text = (
        f"The line where {outcome_name(subject.outcome)} is {quantity(threshold, subject.unit)} was followed with {points} of "
        f"the grid's {of} points"
    )
    if left:
        return f"{text}; these were all that a search may run: {left} points beside the line are left, which is coarse there."
    return f"{text}."


def _part(fraction: float) -> str:
    """A part of a variance; what noise puts below none or above all of it is none, or all."""
    return percent(min(max(round(fraction, 3), 0.0), 1.0))
