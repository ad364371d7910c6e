"""What is done to frozen worlds: the advantage swept up and down, a lead won and lost, a newcomer as good as the best.

Each function makes one world and answers with plain numbers; without lock-in it is given the other scenario. Shares are those of
the panel's next purchases (`survey.expected_share`).
"""

import os
import tempfile

import numpy as np
import pandas as pd

from evsim.data import read_market_table
from evsim.economics.lock_in import half_life, mean_loop_width
from evsim.market.offers import MODE
from evsim.market.progress import set_advantage
from evsim.market.state import Market
from evsim.model import EVMarket
from evsim.params import Scenario, month_name, month_number
from evsim.study.lock_in.survey import expected_shares
from evsim.study.lock_in.worlds import Sizes, calibrated_advantage, changed, frozen, leader_of, open_frozen, step

NEWCOMER = "Newcomer (entrant test)"
TRACE = 0.01  # cars a year: what the newcomer sells in the market table, so that it has a line, a maker and a stack
QUARTER = 3  # months between two looks at a lead
LOOKS = 4  # at a block of months
Answer = dict[str, np.ndarray | float]


def leader_share(market: Market) -> float:
    """Share of the alliance's platform in what is bought next."""
    return float(expected_shares(market)[market.offers.platform == leader_of(market)].sum())


def sweep(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    """The leader's share at rest as its software advantage goes up level by level, and down again.

    A leader that has lost its share at the lowest level, and has not even that of the base date at the highest, draws a loop
    wider than the sweep: its width is then given as that of the sweep, and `open` is 1.
    """
    levels = np.array(sizes.levels)
    months = (2 * len(levels) - 1) * sizes.most_blocks * sizes.block
    model = open_frozen(frozen(scenario, sizes, months), seed)
    base, at_first = calibrated_advantage(model), leader_share(model.market)
    shares, blocks = [], []
    for level in [*levels, *levels[-2::-1]]:
        set_advantage(model.market, base + level)
        share, count = share_at_rest(model, sizes)
        shares.append(share)
        blocks.append(count)
    rising, falling = np.array(shares[: len(levels)]), np.array(shares[len(levels) - 1 :][::-1])
    is_open, middle = bool(rising[-1] < at_first), len(levels) // 2
    return {
        "levels": base + levels,
        "rising": rising,
        "falling": falling,
        "width": float(np.ptp(levels)) if is_open else mean_loop_width(levels, rising, falling),
        "gap": float(falling[middle] - rising[middle]),
        "open": float(is_open),
        "unsettled": float(sum(count >= sizes.most_blocks for count in blocks)),
    }


def share_at_rest(model: EVMarket, sizes: Sizes) -> tuple[float, int]:
    """The leader's share when it has stopped moving, and how many blocks of months that took.

    The market rests when the share changes by less than `sizes.still` from one block to the next. What would take a lifetime
    of cars, the change of what is on the road, is done at once after each block: from every platform as many cars as if it had
    always sold what it sells now. That leaves every state of rest what it is.
    """
    market, leader, last = model.market, leader_of(model.market), np.inf
    for count in range(1, sizes.most_blocks + 1):
        seen = []
        for _ in range(LOOKS):
            step(model, sizes.block // LOOKS)
            seen.append(np.bincount(market.offers.platform, expected_shares(market), len(market.platforms)))
        shares = np.mean(seen, axis=0)
        moved, last = abs(shares[leader] - last), float(shares[leader])
        if moved <= sizes.still * last or count == sizes.most_blocks:
            break
        history = market.platforms.sales[: market.month - market.platforms.first_month + 1]
        history[:] = shares * market.offers.base_units.sum()
    return last, count


def lost_lead(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    """The lead in sales that an advantage of software wins, and what is left of it once every stack is as good.

    Lead: the leader's share where it has `sizes.lead` kCNY more than independents' stacks for `sizes.held` months, and then no
    more than anybody, less its share where all stacks are alike from the first month on.
    """
    until = month_name(month_number(scenario.start) + sizes.held)
    (months, won), (_, even) = (_shares_over_time(scenario, month, seed, sizes) for month in (until, scenario.start))
    lead = won - even
    before, later = float(lead[months == 0.0][0]), months > 0.0
    left = float(lead[later & (months <= 12.0)].mean())
    return {
        "months": months,
        "lead": lead,
        "before": before,
        "left": left / before,
        "half_life": min(half_life(months[later], lead[later], before), float(sizes.after)),
        "remainder_half_life": min(half_life(months[later], lead[later], left), float(sizes.after))
        if left > 0
        else 0.0,
    }


def _shares_over_time(scenario: Scenario, until: str, seed: int, sizes: Sizes) -> tuple[np.ndarray, np.ndarray]:
    """Months since the last one of the advantage, and the leader's shares: each year before, the month after, each quarter."""
    lever = {"software": {"advantage_kcny": sizes.lead, "advantage_until": until}}
    model = open_frozen(changed(frozen(scenario, sizes, sizes.held + sizes.after), lever), seed)
    looks = [
        *range(sizes.held % 12 or 12, sizes.held + 1, 12),
        *range(sizes.held + 1, sizes.held + sizes.after + 1, QUARTER),
    ]
    shares = []
    for month in looks:
        step(model, month - model.market.month)
        shares.append(leader_share(model.market))
    return np.array(looks, dtype=float) - sizes.held, np.array(shares)


def entry(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    """The share of a newcomer as good as the leader's best seller, `sizes.entry` months after it came.

    The leader has had `sizes.lead` kCNY more than independents' stacks for `sizes.held` months. The newcomer's car is its best
    seller's twin in quality, price, class, powertrain and software, trust lent by the leader included; it has a brand and a
    stack of its own, which nobody owns yet, and no phone.
    """
    with tempfile.TemporaryDirectory() as folder:
        table = os.path.join(folder, "table.csv")
        with_newcomer(scenario).to_csv(table, index=False)
        world = {
            "market": {"table": table, "keep_brands": (*scenario.market.keep_brands, NEWCOMER)},
            "software": {"advantage_kcny": sizes.lead},
        }
        model = open_frozen(changed(frozen(scenario, sizes, sizes.held + sizes.entry), world), seed)
    offers = model.market.offers
    row = offers.product.index(next(name for name in offers.product if name.startswith(NEWCOMER)))
    offers.on_sale[row] = False
    step(model, sizes.held)
    twin = bring_in(model.market, row)
    step(model, sizes.entry)
    shares = expected_shares(model.market)
    return {"share": float(shares[row]), "twin": float(shares[twin])}


def with_newcomer(scenario: Scenario) -> pd.DataFrame:
    """The market table and, in its last row, a newcomer like the leader's best seller, of which hardly a car is sold."""
    table = read_market_table(scenario.market.table)
    best = table[table["platform"] == scenario.alliance.platform].nlargest(1, "units")
    names = dict.fromkeys(("product", "brand", "automaker", "group", "platform", "name"), NEWCOMER)
    share = TRACE / float(table["units"].sum())
    sold = {"units": TRACE, "window_units": share * float(table["window_units"].sum()), "nameplates": 1}
    table = pd.concat([table, best.assign(**names, **sold)], ignore_index=True)
    return table.assign(pooled=table["pooled"].astype(int))


def bring_in(market: Market, row: int) -> int:
    """Put the newcomer's line on sale as the twin of the leader's best seller; the row of that.

    ξ of the twin holds what the cars on the road with its stack were worth at the base date. The newcomer's stack is counted
    from the same number of cars, and has none, so that it goes without.
    """
    offers, platforms, leader = market.offers, market.platforms, leader_of(market)
    twin = int(np.where(offers.on_sale & (offers.platform == leader), offers.base_units, -1.0).argmax())
    for name in ("nameplates", "price", "electric", "size_class", "powertrain", "premium"):
        column = getattr(offers, name)
        column[row] = column[twin]
    lent = market.lent_trust() if offers.mode[twin] == MODE["alliance"] else 0.0
    offers.quality[row] = offers.quality[twin] + lent
    platforms.quality[offers.platform[row]] = platforms.quality[leader]
    platforms.initial_fleet[offers.platform[row]] = platforms.initial_fleet[leader]
    offers.on_sale[row] = True
    return twin
