"""Outcomes of worlds held against a first one: sentences with intervals, the largest first, and a table for a terminal.

A table here is anything with the columns of `evsim.study.pairs.TABLE`: world, outcome, unit, first, other, difference,
low, high, pairs, pairing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, isnan
from typing import Any, NamedTuple

from .language import CAMPS, POOLED, bracket, digits, names, number, platform_name, world

MOST_MAKERS = 4  # automakers in sentences
MOST_ROWS = 12  # automakers in the table
Row = Mapping[str, Any]


class Manner(NamedTuple):
    """How an outcome is told: its subject, a number's scale and unit, and whether a share is gained or a level rises."""

    subject: str
    plural: bool = False
    scale: float = 1.0
    unit: str = ""
    is_share: bool = False
    when: str = ""  # empty: the last 12 months


def _share(subject: str, plural: bool = False) -> Manner:
    return Manner(subject, plural, 100.0, "points", True)


def _part(subject: str) -> Manner:
    return Manner(subject, False, 100.0, "points")


def _sum(subject: str, plural: bool = False) -> Manner:
    return Manner(subject, plural, 1e-6, "bn CNY")


MANNERS: Mapping[str, Manner] = {  # outcome without its year
    "units": Manner("cars delivered", True, 1e-3, "thousand"),
    "alliance_share": _share(CAMPS["alliance"]),
    "independent_share": _share(CAMPS["independent"], True),
    "incumbent_share": _share(CAMPS["incumbent"], True),
    "nev_penetration": _share("new-energy cars", True),
    "mean_price": Manner("the mean price", unit="kCNY"),
    "outside_share": _part("the part of shoppers who keep their car"),
    "repeat_rate": _part("the part of an ecosystem's owners who stay on it"),
    "hhi_brand": Manner("the concentration of brands", unit="HHI points"),
    "hhi_automaker": Manner("the concentration of automakers", unit="HHI points"),
    "hhi_platform": Manner("the concentration of platforms", unit="HHI points"),
    "alliance_cars": Manner("alliance cars so far", True, 1e-3, "thousand"),
    "alliance_members": Manner("the alliance's membership", unit="brands"),
    "software_advantage": Manner("the alliance's software advantage", unit="kCNY a car"),
    "outlay": _sum("the state's outlay"),
    "tax_receipts": _sum("tax receipts", True),
    "leader_profit": _sum("the platform firm's profit"),
    "royalties": _sum("royalties", True),
    "alliance_oem_profit": _sum("the profit of the alliance's makers"),
    "independent_profit": _sum("the profit of independents"),
    "incumbent_profit": _sum("the profit of incumbents"),
    "stopped": Manner("the number of makers that have stopped", unit="makers"),
}


def manner(outcome: str, unit: str = "") -> Manner:
    """How an outcome is told; one that nobody knows by its own name and unit."""
    share, dot, entity = outcome.partition(".")
    if dot:
        return _share(entity if share == "automaker_share" else f"{platform_name(entity)} as a stack")
    stem, when = outcome, ""
    found = re.fullmatch(r"(\w+?)_(\d{4}|total)", outcome)
    if found:
        stem, when = found[1], "over the whole run" if found[2] == "total" else f"in {found[2]}"
    plain = Manner(outcome.replace("_", " "), unit=unit)
    return MANNERS.get(stem, plain)._replace(when=when)


def world_name(changes: Mapping[str, Any]) -> str:
    """A world by what it sets: `no_alliance`, `subsidy.scale=0.5`, `scenario=baseline, pricing=fixed`."""
    if list(changes) == ["scenario"]:
        return str(changes["scenario"])
    return ", ".join(
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in changes.items()
    )


def world_label(name: str) -> str:
    """A world's name beside a line: a scenario spoken, keys as they are typed."""
    return name if "=" in name else name.replace("_", " ")


def world_phrase(changes: Mapping[str, Any]) -> str:
    """How a sentence about a world begins: `Without the alliance`, `With subsidy.scale=0.5`."""
    scenario = {key: value for key, value in changes.items() if key == "scenario"}
    others = world_name({key: value for key, value in changes.items() if key != "scenario"})
    if not scenario:
        return f"With {others}"
    return world(scenario["scenario"]) + (f" and with {others}" if others else "")


def comparison_words(
    table: Any, about: Sequence[str], worlds: Mapping[str, Mapping[str, Any]], ending: str
) -> list[str]:
    """What other worlds change: the headline, then outcomes and automakers by size; what cannot be told from zero, as such.

    Sizes are compared in points for shares and in per cent of the first world's level for everything else.

    Args:
        table: a row a world and outcome.
        about: outcomes that are told in any case, the headline first.
        worlds: name -> what it changes.
        ending: what the last 12 months are called.
    """
    told: list[str] = []
    for name, changes in worlds.items():
        rows = table[table["world"] == name].to_dict("records")
        phrase = world_phrase(changes)
        if not any(row["pairs"] for row in rows):
            told.append(f"{phrase}, nothing is known: there is no pair of runs.")
        clear = [row for row in _candidates(rows, about) if is_clear(row)]
        clear.sort(key=lambda row: (row["outcome"] != about[0], -_size(row)))
        told += [f"{phrase}, {change(row)} {_when(row, ending)}." for row in clear]
        told += _unclear(phrase, rows, about)
    return told


def headline_finding(rows: Sequence[Row], worlds: Mapping[str, Mapping[str, Any]], ending: str) -> str:
    """The headline of every other world as a figure's title."""
    told: list[str] = []
    for row in rows:
        how = manner(row["outcome"], row["unit"])
        blurred = f"{how.subject}: no change that can be told from zero ({amount(row, how)})"
        same = f"nothing changes for {how.subject}"
        text = f"{world_phrase(worlds[row['world']])}, {change(row) if is_clear(row) else same if _is_same(row) else blurred}"
        told.append(f"{text[0].lower()}{text[1:]}" if told else text)
    return f"{'; '.join(told)} {_when(rows[0], ending)}"


def change(row: Row) -> str:
    """`BYD gains 2.1 points [1.8, 2.4]`, `the mean price falls by 1.2 kCNY [0.9, 1.5]`: measured the verb's way."""
    how = manner(row["outcome"], row["unit"])
    up = row["difference"] >= 0
    verb = ("gain" if up else "lose") if how.is_share else ("rise" if up else "fall")
    by = "" if how.is_share else " by"
    return f"{how.subject} {verb}{'' if how.plural else 's'}{by} {amount(row, how, 1.0 if up else -1.0)}"


def amount(row: Row, how: Manner, sign: float = 1.0) -> str:
    """`2.1 points [1.8, 2.4]`; without limits the number alone; `not known`, from no pair."""
    if isnan(row["difference"]):
        return "not known"
    values = [sign * how.scale * row[name] for name in ("difference", "low", "high")]
    places = digits(max(abs(value) for value in values if not isnan(value)))
    size, *ends = (f"{round(value, places) + 0.0:,.{places}f}" for value in values)  # -0.0 + 0.0 is 0.0
    if isnan(values[1]):
        return f"{size} {how.unit}"
    return f"{size} {how.unit} {bracket(ends if sign > 0 else ends[::-1])}"


def level(outcome: str, unit: str, value: float) -> str:
    """A level as it is read: `61.2 %`, `320 bn CNY`."""
    how = manner(outcome, unit)
    size = abs(how.scale * value)
    return f"{_plain(how.scale * value, digits(size))} {'%' if how.unit == 'points' else how.unit}".rstrip()


def is_clear(row: Row) -> bool:
    """Whether a difference can be told from zero: its interval is known and does not hold it."""
    return row["low"] > 0.0 or row["high"] < 0.0


def pairs_note(first: str, pairs: int) -> str:
    """Against what, from how many pairs, and what the intervals are."""
    return (
        f"Against {first}: means of {pairs} pairs of runs with the same draws, 90 % intervals in brackets. Each holds for one "
        "outcome: of ten that do not change, one looks as if it did."
    )


def precision_reached(how: Manner, precision: float, half_width: float, pairs: int, needed: int | None) -> str:
    """Whether the headline's interval is as narrow as was asked, or what it would take."""
    wanted = f"± {number(precision)} {how.unit}"
    if needed is None:
        return f"Of {how.subject} no interval is known, so {wanted} cannot be held against anything."
    there = f"The interval of {how.subject} is ± {number(half_width)} {how.unit} wide after {pairs} pairs"
    if half_width <= precision:
        return f"{there}; {wanted} was asked."
    return f"{there}; {wanted}, as asked, would take about {number(needed)} pairs."


def going_on(how: Manner, half_width: float, pairs: int, further: int) -> str:
    """Between two batches of replications: how narrow the interval is, and how far it goes on."""
    return f"± {number(half_width)} {how.unit} after {pairs} pairs; going on to {further}"


def comparison_table(table: Any, about: Sequence[str], worlds: Mapping[str, Mapping[str, Any]]) -> str:
    """Levels, difference, interval and gain by pairing of the outcomes told, a block a world, in lines for a terminal."""
    blocks = []
    for name in worlds:
        rows = _candidates(table[table["world"] == name].to_dict("records"), about, MOST_ROWS)
        width = max([len("outcome"), *(len(row["outcome"]) for row in rows)])
        head = f"{'outcome':{width}}  {'unit':10} {'first':>9} {'other':>9} {'difference':>10}  {'interval':18} {'pairing':>7}"
        lines = [f"{name}:", f"  {head}"]
        lines += [f"  {row['outcome']:{width}}  {_cells(row)}" for row in rows]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _cells(row: Row) -> str:
    """The cells of a row after its name; levels of shares in per cent."""
    how = manner(row["outcome"], row["unit"])
    values = {name: how.scale * row[name] for name in ("first", "other", "difference", "low", "high")}
    known = [abs(value) for value in values.values() if isfinite(value)]
    level = digits(max(known, default=0.0))
    fine = digits(
        max((abs(values[name]) for name in ("difference", "low", "high") if isfinite(values[name])), default=0.0)
    )
    unit = "%" if how.unit == "points" else how.unit
    interval = "" if isnan(values["low"]) else f"[{_plain(values['low'], fine)}, {_plain(values['high'], fine)}]"
    gain = f"{row['pairing']:.1f}x" if isfinite(row["pairing"]) else ""
    return (
        f"{unit:10} {_plain(values['first'], level):>9} {_plain(values['other'], level):>9} "
        f"{_plain(values['difference'], fine):>10}  {interval:18} {gain:>7}"
    ).rstrip()


def _plain(value: float, places: int) -> str:
    """Without a sign on nothing; `-` for what is not known."""
    return f"{round(value, places) + 0.0:,.{places}f}" if isfinite(value) else "-"


def _candidates(rows: Sequence[Row], about: Sequence[str], most: int = MOST_MAKERS) -> list[Row]:
    """The rows that are told: those asked for, camps, and the automakers with the largest differences that are clear."""
    by_name = {row["outcome"]: row for row in rows}
    wanted = [*about, *(f"{camp}_share" for camp in CAMPS)]
    first = [by_name[name] for name in dict.fromkeys(wanted) if name in by_name and by_name[name]["pairs"]]
    makers = [row for row in _makers(rows) if is_clear(row) and row["outcome"] not in wanted]
    return first + sorted(makers, key=lambda row: -_size(row))[:most]


def _makers(rows: Iterable[Row]) -> list[Row]:
    """The rows of automakers' shares, pooled ones left out."""
    prefix = "automaker_share."
    return [
        row
        for row in rows
        if row["outcome"].startswith(prefix) and not row["outcome"][len(prefix) :].startswith(POOLED)
    ]


def _size(row: Row) -> float:
    """How large a difference is: in points, or in per cent of the first world's level."""
    if row["unit"] == "fraction":
        return 100.0 * abs(row["difference"])
    level = abs(row["first"]) or abs(row["other"])
    return 100.0 * abs(row["difference"]) / level if level else 0.0


def _unclear(phrase: str, rows: Sequence[Row], about: Sequence[str]) -> list[str]:
    """What cannot be told from zero, and what does not change at all."""
    found = [(row, manner(row["outcome"], row["unit"])) for row in _candidates(rows, about) if not is_clear(row)]
    same = [how.subject for row, how in found if _is_same(row)]
    blurred = [f"{how.subject} ({amount(row, how)})" for row, how in found if not _is_same(row)]
    makers = [row for row in _makers(rows) if row["pairs"]]
    unsure = sum(not is_clear(row) and not _is_same(row) for row in makers)
    if unsure:
        blurred.append(f"the shares of {unsure} of {len(makers)} automakers")
    if makers and all(map(_is_same, makers)):
        same.append("any automaker")
    told = []
    if blurred:
        told.append(f"{phrase}, these differences cannot be told from zero: {names(blurred)}.")
    if same:
        told.append(f"{phrase}, nothing changes for {names(same)}.")
    return told


def _is_same(row: Row) -> bool:
    """Whether every pair is alike."""
    return bool(row["low"] == row["high"] == 0.0)


def _when(row: Row, ending: str) -> str:
    """Over which months an outcome is counted."""
    return manner(row["outcome"]).when or f"in {ending}"
