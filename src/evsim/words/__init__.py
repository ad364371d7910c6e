"""Numbers, months, names and findings as a reader wants them: the only place where sentences are made.

Findings are one fact each and short enough for a figure's title. A `run` here is anything with the frames, shares and
yearly table of `evsim.results.Run`; this package knows no file and makes no table of its own.
"""

from .choices import (
    PARTS,
    WITH_LEADER,
    Flip,
    attempts,
    brand_name,
    choices_finding,
    flips,
    modes_finding,
    way_name,
)
from .facts import (
    FIRST_CAR,
    TIPPING,
    base_finding,
    concentration_finding,
    deliveries_finding,
    findings,
    losers_finding,
    money_finding,
    penetration_finding,
    price_finding,
    quality_finding,
    repeat_finding,
    shares_finding,
    summary,
    switching_finding,
    winners_finding,
)
from .language import (
    CAMPS,
    POOLED,
    POWERTRAINS,
    billions,
    cars,
    label,
    money,
    month,
    names,
    number,
    percent,
    period,
    platform_name,
    price,
    sentence,
    spans,
    wrap,
)
from .pairs import (
    check_pairs,
    compare,
    comparison_finding,
    paired_interval,
    share_change,
)
from .reviews import (
    other_reviews,
    why,
)

__all__ = [
    "CAMPS", "FIRST_CAR", "PARTS", "POOLED", "POWERTRAINS", "TIPPING", "WITH_LEADER", "Flip", "attempts",
    "base_finding", "billions", "brand_name", "cars", "check_pairs", "choices_finding", "compare",
    "comparison_finding", "concentration_finding", "deliveries_finding", "findings", "flips", "label",
    "losers_finding", "modes_finding", "money", "money_finding", "month", "names", "number", "other_reviews",
    "paired_interval", "penetration_finding", "percent", "period", "platform_name", "price", "price_finding",
    "quality_finding", "repeat_finding", "sentence", "share_change", "shares_finding", "spans", "summary",
    "switching_finding", "way_name", "why", "winners_finding", "wrap",
]  # fmt: skip
