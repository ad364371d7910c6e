"""The minutes of a review: what was on the table, what was decided, and whether it will last, as plain columns."""

import numpy as np

from ..economics.valuation import turning_change
from ..market.changes import bound
from ..market.forecast import Forecast
from ..market.leadership import Admission, sizes_at_rest
from ..market.offers import MODE
from ..market.values import PARTS_OF_VALUE
from .review import Decision, Meeting

Columns = dict[str, list]


def decision_rows(month: str, decisions: list[Decision], makers: list[str]) -> Columns:
    """One row a way of each brand that chose: its parts, its chance, and what would have turned the choice."""
    rows: list[dict] = []
    for decision in decisions:
        review = decision.review
        seen, unseen, chances = review.values + review.unseen, review.unseen, review.chances
        taken = next(place for place, row in enumerate(review.table) if row.way == decision.way)
        for place, row in enumerate(review.table):
            parts = [getattr(row, part) for part in PARTS_OF_VALUE]
            gap = 0.0 if row.closed else float(seen[taken] - seen[place])
            term, change = turning_change(parts, max(gap, 0.0))
            turned = place != taken and term >= 0 and not row.closed
            rows.append(
                {
                    "month": month,
                    "automaker": makers[decision.brand.automaker],
                    "brand": review.brand,
                    "way": row.way.mode,
                    "platform": row.way.platform,
                    **dict(zip(PARTS_OF_VALUE, parts, strict=True)),
                    "value": row.value,
                    "resistance": review.resistance / review.precision if place == 0 else 0.0,
                    "unseen": float(unseen[place]),
                    "chance": float(chances[place]),
                    "months": float(row.months),
                    "build": row.build,
                    "closed": row.closed,
                    "present": place == 0,
                    "chosen": place == taken,
                    "turning_term": PARTS_OF_VALUE[term] if turned else "",
                    "turning_change": change if turned else np.nan,
                }
            )
    return columns(rows)


def review_row(month: str, meeting: Meeting, forecast: Forecast, stakes: dict, leader_research: float) -> Columns:
    """One row: who is in the alliance, whether anybody would go or come, and where the same firms end from both sides."""
    market, decisions = forecast.market, meeting.decisions
    rates, alliance = market.rates, MODE["alliance"]
    leaving = joining = 0
    for decision in decisions:
        best = decision.review.table[int(decision.review.values.argmax())].way
        member = decision.way.mode == "alliance"
        leaving += member and best.mode != "alliance"
        joining += not member and best.mode == "alliance"
    brands = [decision.brand for decision in decisions]
    from_nobody, from_everybody = sizes_at_rest(forecast, brands, stakes)
    chosen = sum(forecast.ways[brand.key].mode == "alliance" for brand in market.brands)
    return columns(
        [
            {
                "month": month,
                "choosing": len(decisions),
                "bound": sum(bound(market, brand) for brand in market.brands),
                "moves": len(meeting.settlement.movers),
                "rounds": meeting.settlement.rounds,
                "settled": meeting.settlement.settled,
                "members": chosen,
                "would_leave": leaving,
                "would_join": joining,
                "members_from_nobody": from_nobody,
                "members_from_everybody": from_everybody,
                "revenue_share": float(rates.revenue_share[alliance]),
                "unit_fee": float(rates.unit_fee[alliance]),
                "research": leader_research,
            }
        ]
    )


def admission_rows(month: str, admissions: list[Admission]) -> Columns:
    """One row a member for each brand that asked to come in; one without member where there is none."""
    rows = []
    for each in admissions:
        members = list(zip(each.brands, each.profits, each.changes, strict=True)) or [("", 0.0, 0.0)]
        rows += [
            {
                "month": month,
                "applicant": each.applicant,
                "way": each.way.mode,
                "welcome": each.welcome,
                "leader_gain": each.gain,
                "member": name,
                "profit": float(profit),
                "change": float(change),
            }
            for name, profit, change in members
        ]
    return columns(rows)


def columns(rows: list[dict]) -> Columns:
    """Rows as columns; nothing for no rows."""
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
