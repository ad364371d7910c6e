"""How good each software stack is at the base dates, or when it enters later: a judgement, in money."""

from functools import cache

import pandas as pd

from evsim.data.columns import Column, check_unique
from evsim.data.market import CONFIDENCES
from evsim.data.shipped import read_shipped

SOFTWARE_COLUMNS = (
    Column("platform", "text", "the stack, as `platform` in the market tables"),
    Column("month", "month", "the date the judgement is for"),
    Column("quality", "number", "willingness to pay of the median buyer, against no stack", unit="kCNY", at_least=0.0),
    Column("reason", "text", "the evidence it rests on, none of it younger than the date"),
    Column("source", "text", "where the evidence was read"),
    Column("confidence", "choice", "always assumption", allowed=CONFIDENCES),
)


def read_software() -> pd.DataFrame:
    """Every judgement, one row a stack and date."""
    return read_shipped("software.csv", SOFTWARE_COLUMNS, check_unique("platform", "month"))


def software_quality(month: str) -> dict[str, float]:
    """Quality in kCNY of every stack known at a month: the youngest judgement not after it."""
    return dict(_software_quality(month))


@cache
def _software_quality(month: str) -> tuple[tuple[str, float], ...]:
    known = read_software()
    known = known[known["month"] <= month].sort_values("month", kind="stable")
    return tuple({row["platform"]: row["quality"] for row in known.to_dict("records")}.items())
