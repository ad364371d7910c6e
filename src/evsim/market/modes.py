"""The dated timeline of who uses which stack in which mode, as changes of whole brands after the base date."""

from functools import lru_cache
from typing import NamedTuple

from ..data import read_membership
from ..params import Scenario, month_number


class ModeChange(NamedTuple):
    """From this month on a brand's lines on one stack move to another, or are withdrawn."""

    month: int  # from the base date, at least 1
    brand: str
    before: str  # stack its lines leave; lines on other stacks stay
    platform: str  # empty: the brand's record ends, its lines are withdrawn
    mode: str


def dated_changes(scenario: Scenario) -> list[ModeChange]:
    """Changes of stack or mode of whole brands in the record, from month 1 on, in order of time; none where brands choose."""
    if scenario.modes.rule == "chosen":
        return []
    return list(_changes_after(month_number(scenario.start) - 1))


@lru_cache(maxsize=16)
def _changes_after(base: int) -> tuple[ModeChange, ...]:
    """Changes of the record after a base date, in months since year 0."""
    records = read_membership()
    records = records[(records["scope"] == "brand") & (records["start"] != "")]
    changes = []
    for brand, rows in records.sort_values(["brand", "start"], kind="stable").groupby("brand", sort=True):
        entries = list(rows.itertuples())
        for earlier, later in zip(entries, entries[1:], strict=False):
            changes.append(
                ModeChange(month_number(later.start) - base, str(brand), earlier.stack, later.stack, later.mode)
            )
        last = entries[-1]
        if last.end:
            changes.append(ModeChange(month_number(last.end) + 1 - base, str(brand), last.stack, "", ""))
    return tuple(sorted(change for change in changes if change.month >= 1))
