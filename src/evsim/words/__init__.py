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
from .comparisons import (
    Manner,
    comparison_table,
    comparison_words,
    going_on,
    headline_finding,
    level,
    manner,
    pairs_note,
    precision_reached,
    world_label,
    world_name,
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
    WIDTH,
    billions,
    cars,
    digits,
    duration,
    label,
    money,
    month,
    names,
    number,
    percent,
    period,
    period_of,
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
from .plans import (
    NOTHING_DONE,
    NOTHING_LEFT,
    comparison_plan,
    cost,
    cost_at_most,
    cost_of_front,
    precision_plan,
    search_plan,
    sweep_plan,
)
from .reviews import (
    other_reviews,
    why,
)
from .searches import (
    bound,
    front_finding,
    front_table,
    search_words,
)

__all__ = [
    "CAMPS", "FIRST_CAR", "NOTHING_DONE", "NOTHING_LEFT", "PARTS", "POOLED", "POWERTRAINS", "TIPPING", "WIDTH",
    "WITH_LEADER", "Flip", "Manner", "attempts", "base_finding", "billions", "bound", "brand_name", "cars",
    "check_pairs", "choices_finding", "compare", "comparison_finding", "comparison_plan", "comparison_table",
    "comparison_words", "concentration_finding", "cost", "cost_at_most", "cost_of_front", "deliveries_finding",
    "digits", "duration", "findings", "flips", "front_finding", "front_table", "going_on", "headline_finding",
    "label", "level", "losers_finding", "manner", "modes_finding", "money", "money_finding", "month", "names",
    "number", "other_reviews", "paired_interval", "pairs_note", "penetration_finding", "percent", "period",
    "period_of", "platform_name", "precision_plan", "precision_reached", "price", "price_finding",
    "quality_finding", "repeat_finding", "search_plan", "search_words", "sentence", "share_change",
    "shares_finding", "spans", "summary", "sweep_plan", "switching_finding", "way_name", "why",
    "winners_finding", "world_label", "world_name", "wrap",
]  # fmt: skip
