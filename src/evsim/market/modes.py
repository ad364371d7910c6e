"""The dated timeline of who uses which stack in which mode, as changes of whole brands after the base date."""

from typing import NamedTuple

from ..data import read_membership
from ..params import Scenario, month_number


class ModeChange(NamedTuple):
    """From this month on a brand's lines on one stack move to another."""

    month: int  # from the base date, at least 1
    brand: str
    before: str  # stack its lines leave; lines on other stacks stay
    platform: str
    mode: str


def dated_changes(scenario: Scenario) -> list[ModeChange]:
    """Changes of stack or mode of whole brands in the record, from month 1 on, in order of time."""
    base = month_number(scenario.start) - 1
    records = read_membership()
    records = records[(records["scope"] == "brand") & (records["start"] != "")].sort_values(
        ["brand", "start"], kind="stable"
    )
    changes = []
    for brand, rows in records.groupby("brand", sort=True):
        entries = list(rows.itertuples())
        for earlier, later in zip(entries, entries[1:], strict=False):
            month = month_number(later.start) - base
            if month >= 1:
                changes.append(ModeChange(month, str(brand), earlier.stack, later.stack, later.mode))
    return sorted(changes)
