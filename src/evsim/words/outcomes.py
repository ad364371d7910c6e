"""Outcomes and keys as a reader wants them: what an outcome is called, a quantity, a difference with its interval."""

import re
from collections.abc import Mapping
from math import isfinite, isnan
from typing import Any

from .language import billions, bracket, label, names, number, percent, platform_name, wrap

# of keys whose values are names, or counted
NO_UNIT = ("", "1", "choice", "integer", "list", "month", "name", "name or path", "names", "yes or no")
OUTCOMES: Mapping[str, str] = {
    "units": "the number of cars sold",
    "alliance_share": "the alliance's share",
    "independent_share": "independents' share",
    "incumbent_share": "incumbents' share",
    "nev_penetration": "the share of new-energy cars",
    "mean_price": "the mean price",
    "outside_share": "the share of shoppers who keep their car",
    "repeat_rate": "the repeat rate",
    "brand_repeat_rate": "the repeat rate of brands",
    "hhi_brand": "the concentration of brands",
    "hhi_automaker": "the concentration of automakers",
    "hhi_platform": "the concentration of platforms",
    "alliance_cars": "the number of alliance cars so far",
    "alliance_members": "the number of alliance brands",
    "software_advantage": "the software advantage",
    "outlay": "the state's outlay",
    "tax_receipts": "tax receipts",
    "leader_profit": "the platform firm's profit",
    "royalties": "the sum of royalties",
    "alliance_oem_profit": "the profit of alliance makers",
    "independent_profit": "independents' profit",
    "incumbent_profit": "incumbents' profit",
    "stopped": "the number of makers that stop",
    "co2": "the CO2 of driving",
    "surplus": "consumer surplus",
}
ROLES: Mapping[str, str] = {
    "lever": "{} {} and act{} from month 1 on the market as it was calibrated without {}",
    "structure": "{} {}: each value is calibrated anew to the same table",
    "setting": "{} {} of the simulation",
    "alternative": "{} {} between alternatives",
}
ARE: Mapping[str, tuple[str, str]] = {
    "lever": ("is a lever", "are levers"),
    "structure": ("is structure", "are structure"),
    "setting": ("is a setting", "are settings"),
    "alternative": ("is a choice", "are choices"),
}
MOST_NAMED = 4  # keys of a role
LARGE = 1e6  # kCNY from which a sum is told in billions


def outcome_name(outcome: str) -> str:
    """What a column of outcomes is: `alliance_share_2030` -> `the alliance's share in 2030`."""
    if outcome in OUTCOMES:
        return OUTCOMES[outcome]
    kind, dot, entity = outcome.partition(".")
    if dot:
        return f"{platform_name(entity)}'s share of platforms" if kind == "platform_share" else f"{entity}'s share"
    stem, _, when = outcome.rpartition("_")
    if stem in OUTCOMES and when.isdecimal():
        return f"{OUTCOMES[stem]} in {when}"
    return f"{OUTCOMES[stem]} over the whole run" if stem in OUTCOMES and when == "total" else outcome


def quantity(value: float, unit: str) -> str:
    """An outcome with its unit: `12.4 %`, `183 kCNY`, `1,240 points`."""
    if unit == "fraction":
        return percent(value)
    if unit == "kCNY" and abs(value) >= LARGE:
        return billions(value)
    return f"{plain_number(value)} {unit}".rstrip()


def difference_unit(unit: str, largest: float) -> tuple[float, str]:
    """By what differences of an outcome are multiplied before they are told or drawn, and their unit then.

    Args:
        unit: of the outcome.
        largest: of the differences, in size.
    """
    if unit == "fraction":
        return 100.0, "points"
    if unit == "kCNY" and largest >= LARGE / 10.0:
        return 1e-6, "bn CNY"
    return (1e-6, f"million {unit}") if largest >= LARGE else (1.0, unit)


def change(value: float, low: float, high: float, unit: str) -> str:
    """A difference of outcomes with its interval: `5.2 points [4.9, 5.5]`; without limits the number alone."""
    scale, name = difference_unit(unit, max(abs(each) for each in (value, low, high) if not isnan(each)))
    return f"{plain_number(scale * value)} {name}".rstrip() + limits(scale * low, scale * high)


def setting(key: str, value: Any) -> str:
    """`subsidy.scale=0.5`, as it is typed."""
    return f"{key}={key_value(value)}"


def key_value(value: Any) -> str:
    """A value of a key in three digits that matter, or a name."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def key_label(key: str, meaning: str, unit: str, width: int) -> str:
    """A key beside an axis: what it means, without what its description adds, and its unit, if its values have one; the key where
    it means nothing.

    Args:
        key: a parameter, or a group of alternatives.
        meaning: its description; empty: none.
        unit: empty: none.
        width: letters of a line.
    """
    plain = re.sub(r" \((?:[^()]|\([^()]*\))*\)", "", meaning.partition(";")[0]).rstrip(" :")
    return wrap(", ".join(part for part in (label(plain) if plain else key, unit) if part not in NO_UNIT), width)


def axes_note(across: str, up: str) -> str:
    """Which keys the axes of a figure are."""
    return f"Across: {across}; up: {up}."


def roles_note(roles: Mapping[str, str]) -> str:
    """Which keys are levers and which structure, and what that means for a change of them."""
    sentences = []
    for role, pattern in ROLES.items():
        keys = [key for key, own in roles.items() if own == role]
        if keys:
            one = len(keys) == 1
            who = names(keys) if len(keys) <= MOST_NAMED else f"{len(keys)} keys"
            said = pattern.format(who, ARE[role][not one], "s" if one else "", "it" if one else "them")
            sentences.append(f"{said[0]}{said[1:]}.")
    return " ".join(sentences)


def limits(low: float, high: float) -> str:
    """` [28, 35]`; a limit beyond the grid is told as such, none without limits."""
    if isnan(low) or isnan(high):
        return ""
    ends = [plain_number(end) if isfinite(end) else "off the grid" for end in (low, high)]
    return f" {bracket(ends)}"


def plain_number(value: float) -> str:
    """Three digits that matter, nothing without a sign."""
    if value == 0.0 or abs(value) < 5e-7:
        return "0"
    return number(value)


def capital(text: str) -> str:
    """With a capital, unless it begins with a key."""
    first = text.split()[0]
    return text if "." in first or "_" in first or "=" in first else f"{text[0].upper()}{text[1:]}"
