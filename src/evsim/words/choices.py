"""Choices of modes in words: what a way is called, what made the difference between two, who came and who left.

A row here is one of the table `decisions`: a way that a brand had at a review.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .language import POOLED, billions, month, names, percent, platform_name, sentence

MODES: Mapping[str, str] = {
    "alliance": "alliance",
    "inside": "inside",
    "components": "components",
    "hardware_only": "hardware only",
    "in_house": "in-house",
    "supplier": "supplier",
}
WITH_LEADER = ("alliance", "inside")  # modes in which a car has the leader's full stack
BOUGHT: Mapping[str, str] = {"supplier": "bought-in stack", "none": "no stack"}  # by suppliers that are no ecosystem
PARTS: Mapping[str, Callable[[str], str]] = {  # what speaks for a way, and how that is said of so much money
    "market_profit": "its market profit is {} higher".format,
    "royalty": "it pays {} less in royalties".format,
    "fixed": "its fixed costs are {} lower".format,
    "autonomy": "its autonomy counts {} more".format,
    "volume": "its volume counts {} more".format,
    "option": "what it can still do later counts {} more".format,
    "resistance": "what keeps it as it is counts {}".format,
    "unseen": "what is unseen counts {} more".format,
}
MOST_NAMES = 5  # in one finding


class Flip(NamedTuple):
    """A brand that chose the leader's full stack from without, or left it."""

    month: str  # of the review
    automaker: str
    brand: str
    before: str  # the way it left, in words
    after: str
    joined: bool  # else it left
    reason: str  # of `PARTS`: what speaks most for the new way against the old
    difference: float  # by how much, kCNY
    gained: str  # of `PARTS`: what moved most in favour of the new way since its last review; empty: it had none
    chance: float  # of this choice before the draw
    foreseen: bool  # chosen without the draw as well
    sentence: str


def way_name(mode: str, platform: str, build: bool = False) -> str:
    """A way of getting software: `alliance (Huawei)`, `in-house (attempt)`, `bought-in stack`, `not sold`."""
    if mode == "none":
        return "not sold"
    if build:
        return f"{MODES[mode]} (attempt)"
    if mode == "supplier" and platform in BOUGHT:
        return BOUGHT[platform]
    return f"{MODES[mode]} ({platform_name(platform)})"


def named(row: Any) -> str:
    """The way of a row."""
    return way_name(row["way"], row["platform"], bool(row["build"]))


def brand_name(automaker: str, brand: str) -> str:
    """A brand and whose it is: `Roewe (SAIC)`, `NIO`."""
    return brand if brand == automaker else f"{brand} ({automaker})"


def standing(rows: Any) -> Any:
    """What each row counts before the draw, kCNY: its value, and what keeps the brand as it is."""
    return rows["value"] + rows["resistance"]


def differences(row: Any, other: Any) -> dict[str, float]:
    """What speaks for one way against another, part by part, kCNY."""
    return {part: float(row[part] - other[part]) for part in PARTS}


def decisive(row: Any, other: Any) -> tuple[str, float]:
    """The part that speaks most for one way against another, and by how much, kCNY."""
    parts = differences(row, other)
    return max(parts.items(), key=lambda item: item[1])


def reason(part: str, difference: float) -> str:
    """`its market profit is 11.4 bn CNY higher`."""
    return PARTS[part](billions(difference))


def foreseen(rows: Any) -> Any:
    """Of the rows of one brand and review, the one that would have been chosen without the draw."""
    return rows.loc[standing(rows[rows["closed"] == ""]).idxmax()]


def flips(decisions: Any) -> list[Flip]:
    """Brands that came to the leader's full stack from without, or left it, in order of time.

    Args:
        decisions: the table of that name of a run.
    """
    found = []
    for (automaker, brand), reviews in decisions.groupby(["automaker", "brand"]):
        earlier = None
        for _, rows in reviews.groupby("month"):
            before, after = (rows.loc[rows[mark].idxmax()] for mark in ("present", "chosen"))
            if (after["way"] in WITH_LEADER) != (before["way"] in WITH_LEADER):
                found.append(_flip(brand_name(automaker, brand), rows, before, after, earlier))
            earlier = rows
    return sorted(found, key=lambda flip: flip.month)


def _flip(name: str, rows: Any, before: Any, after: Any, earlier: Any | None) -> Flip:
    """What happened at one review: its rows, those of the way left and of the way chosen, and those of the review before."""
    part, difference = decisive(after, before)
    plain = foreseen(rows)
    text = f"In {month(after['month'])} {name} goes from {named(before)} to {named(after)}"
    text += f": {reason(part, difference)}" if difference > 0 else ", though nothing in its value speaks for it"
    text += f"; its chance was {percent(after['chance'])}"
    text += "" if plain.name == after.name else f", without what is unseen it would have been {named(plain)}"
    return Flip(
        month=after["month"],
        automaker=after["automaker"],
        brand=after["brand"],
        before=named(before),
        after=named(after),
        joined=after["way"] in WITH_LEADER,
        reason=part,
        difference=difference,
        gained=_gained(before, after, earlier),
        chance=float(after["chance"]),
        foreseen=bool(plain.name == after.name),
        sentence=sentence(text),
    )


def _gained(before: Any, after: Any, earlier: Any | None) -> str:
    """The part that moved most in favour of the way chosen since the last review at which the brand had both ways."""
    if earlier is None:
        return ""
    then = [
        earlier[(earlier["way"] == row["way"]) & (earlier["platform"] == row["platform"])] for row in (after, before)
    ]
    if not all(len(rows) for rows in then):
        return ""
    past, now = differences(then[0].iloc[0], then[1].iloc[0]), differences(after, before)
    return max(PARTS, key=lambda part: now[part] - past[part])


def attempts(run: Any) -> dict[str, bool]:
    """Stacks that makers set out to build, and whether one came to the market in the run, in order of time."""
    decisions, market = run.decisions, run.market
    begun = decisions[decisions["chosen"] & decisions["build"]]
    stacks = set(market.loc[market["mode"] == "in_house", "platform"])
    return {stack: stack in stacks for stack in begun["platform"]}


def choices_finding(run: Any) -> str:
    """Who came to the leader's full stack and who left it, who built, who stopped; empty where nobody had a choice."""
    exits, moved, built = run.exits, flips(run.decisions), attempts(run)
    stack, last = f"{run.scenario.alliance.leader}'s full stack", month(run.scenario.end)
    stopped = exits[exits["event"] == "stopped"]
    facts: list[str] = []
    for verb, joined in (("choose", True), ("leave", False)):
        who = [(flip.brand, flip.month) for flip in moved if flip.joined is joined]
        facts += [f"{_dated(who)} {verb}{'' if len(who) > 1 else 's'} {'it' if facts else stack}"] if who else []
    done, not_yet = (
        [platform_name(name) for name, came in built.items() if came is wanted] for wanted in (True, False)
    )
    if done:
        facts.append(f"{names(done)} build{'s' if len(done) == 1 else ''} a stack")
    if not_yet:
        facts.append(
            f"{names(not_yet)} tr{'ies' if len(not_yet) == 1 else 'y'} to build a stack without result by {last}"
        )
    if len(run.decisions) and not facts:
        facts.append(f"nobody comes to {stack} or leaves it by {last}")
    if len(stopped):
        who = list(zip(stopped["name"], stopped["month"], strict=True))
        facts.append(f"{_dated(who)} stop{'' if len(who) > 1 else 's'} for want of cash")
    return sentence("; ".join(facts)) if facts else ""


def modes_finding(run: Any) -> str:
    """How many brands are sold with the leader's full stack, at the base date and at the end, and how often ways changed."""
    market, decisions, leader = run.market, run.decisions, run.scenario.alliance.leader
    last = market["month"].iloc[-1]
    with_leader = market[market["mode"].isin(WITH_LEADER) & ~market["brand"].str.startswith(POOLED)]
    brands = with_leader.groupby("month")[["automaker", "brand"]].apply(lambda rows: len(rows.drop_duplicates()))
    first, end = (int(brands.get(when, 0)) for when in (run.base_month, last))
    text = (
        f"{first} brand{'' if first == 1 else 's'} in {month(run.base_month)} and {end} in {month(last)} are sold with"
    )
    text += f" {leader}'s full stack"
    if len(decisions):
        changes, moved = int((decisions["chosen"] & ~decisions["present"]).sum()), flips(decisions)
        to_it = sum(flip.joined for flip in moved)
        text += f"; of {changes} changes of mode chosen at reviews, {to_it or 'none'} lead to it and"
        text += f" {len(moved) - to_it or 'none'} away"
    return sentence(text)


def _dated(events: list[tuple[str, str]]) -> str:
    """`Roewe (2025), Xiaomi (2026) and 3 others`: names with the years of their months, in order of time."""
    told = [f"{name} ({when[:4]})" for name, when in events[:MOST_NAMES]]
    more = len(events) - len(told)
    return names([*told, *([f"{more} other{'' if more == 1 else 's'}"] if more else [])])
