"""Made-up value tables, and runs with tables of one's own, to test what is said and drawn of choices."""

from dataclasses import replace

import numpy as np

from evsim.tables import COLUMNS, frame

PARTS = ("market_profit", "royalty", "fixed", "autonomy", "volume", "option")


def way(mode, platform, market_profit, *, chosen=False, **more):
    """A way of a made-up review: parts and what is unseen in bn CNY; `closed` in words, `build` if an attempt."""
    return {"way": mode, "platform": platform, "market_profit": market_profit, "own_rule": chosen} | more


def review(month, automaker, brand, *ways, resistance=0.0):
    """Rows of the table `decisions`: one brand's ways, the present one first; chosen is the best in sight, or by own rule."""
    rows = []
    for place, entry in enumerate(ways):
        parts = {part: 1e6 * entry.get(part, 0.0) for part in PARTS}
        rows.append(
            {"month": month, "automaker": automaker, "brand": brand, "way": entry["way"], "platform": entry["platform"]}
            | parts
            | {
                "value": sum(parts.values()),
                "resistance": 1e6 * resistance if place == 0 else 0.0,
                "unseen": 1e6 * entry.get("unseen", 0.0),
                "months": 0.0 if place == 0 else 13.0,
                "build": entry.get("build", False),
                "closed": entry.get("closed", ""),
                "present": place == 0,
            }
        )
    standing = np.array([-np.inf if row["closed"] else row["value"] + row["resistance"] for row in rows])
    sight = standing + [row["unseen"] for row in rows]
    own = [place for place, entry in enumerate(ways) if entry["own_rule"]]
    taken = own[0] if own else int(sight.argmax())
    odds = np.exp((standing - standing.max()) / 1e6)
    for place, row in enumerate(rows):
        term = max(PARTS, key=lambda part: abs(row[part]))
        turned = place != taken and not row["closed"] and row[term] != 0
        change = max(sight[taken] - sight[place], 0.0) / abs(row[term]) if turned else np.nan
        row |= {"chance": odds[place] / odds.sum(), "chosen": place == taken}
        row |= {"turning_term": term if turned else "", "turning_change": change}
    return rows


def table(name, rows):
    """A table of a run from its rows."""
    return frame(name, {column: [row[column] for row in rows] for column in COLUMNS[name]})


def with_tables(run, **tables):
    """The run with other tables, each given as rows."""
    return replace(run, tables=dict(run.tables) | {name: table(name, rows) for name, rows in tables.items()})


def refused_then_joined():
    """Rows of `decisions`: Roewe refuses the alliance and a year later joins it for what is unseen; BMW joins for its value."""
    stays, joins = way("supplier", "supplier", 17.0), {"royalty": -9.0, "fixed": -2.0}
    closed = "the leader would earn less with it"
    return [
        *review("2024-01", "SAIC", "Roewe", stays, way("alliance", "huawei", 28.0, **joins), resistance=2.0),
        *review("2024-01", "SAIC", "IM", way("supplier", "momenta", 17.0), way("components", "huawei", 17.5, fixed=-0.4)),
        *review(
            "2025-01", "SAIC", "Roewe", stays, way("alliance", "huawei", 28.0, unseen=3.0, **joins),
            way("inside", "huawei", 24.0, royalty=-5.0, closed=closed), resistance=2.0,
        ),
        *review("2026-01", "BMW Brilliance", "BMW", way("in_house", "BMW", 40.0, fixed=-9.0), way("inside", "huawei", 38.0)),
    ]  # fmt: skip
