"""What one world says of its owners at the end: repeat purchase, churn, compensation, rents; and of its concentration.

Answers are plain numbers and columns, so that they travel between processes.
"""

from typing import Any

import numpy as np

from evsim.economics.lock_in import (
    compensating_price,
    compensation_cdf,
    compensation_quantile,
    naive_switching_cost,
    owners_churn,
    owners_repeat,
    spell_months,
    two_way_split,
)
from evsim.economics.metrics import hhi
from evsim.market.owner_value import extra_purchases_now, values_now
from evsim.market.state import Market
from evsim.model import EVMarket
from evsim.results import Run
from evsim.study.lock_in.survey import Survey, survey
from evsim.study.lock_in.worlds import leader_of

PRICES = np.arange(0.0, 201.0, 5.0)  # kCNY, of the distribution of compensating prices
STAYERS = {"median_stayer": 0.5, "tenth_stayer": 0.9}  # part of those who would stay that a payment moves
Answer = dict[str, Any]


def finished(model: EVMarket) -> Run:
    """The model's run to its end."""
    model.run_model()
    return Run.from_record(model.market.scenario, model.market.scenario.seed, model.record, model.market.diagnostics)


def concentration(run: Run) -> Answer:
    """HHI of the last 12 months by brand, automaker and platform, points; a brand on no ecosystem is a platform of its own."""
    market = run.market
    market = market[market["month"].isin(run.last_months())]
    platforms = run.platforms
    ecosystems = set(platforms.loc[platforms["ecosystem"], "platform"])
    alone = ~market["platform"].isin(ecosystems)
    market = market.assign(platform=market["platform"].where(~alone, "brand " + market["brand"]))
    return {f"hhi_{by}": hhi(market.groupby(by)["units"].sum()) for by in ("brand", "automaker", "platform")}


def owners(model: EVMarket, run: Run) -> Answer:
    """Everything that is measured in one world."""
    market = model.market
    everybody = survey(market)
    bound = everybody.of(everybody.ecosystem[everybody.own_platform])
    answer = counted(run) | membership(run) | worth(market)
    if len(everybody.own_brand):
        answer |= by_brand(everybody)
    if len(bound.own_brand):
        cycle = market.diagnostics["mean_cycle_months"], market.scenario.consumers.first_time_share
        names = np.array(market.names.platforms, dtype=object)
        answer |= by_platform(bound, cycle) | churn(bound, names) | compensation(bound, names)
    return answer


def counted(run: Run) -> Answer:
    """Repeat purchase as it is counted in the sales of the last full year, and its excess over shares: what an observer has."""
    year = run.repeat_year()
    rates, shares = run.platform_repeat(year), run.bought_shares(year)
    bought = run.switching[run.switching["year"] == year].groupby("from_platform")["buyers"].sum()
    if not rates:
        return {}
    weights = np.array([bought[name] for name in rates])
    gaps = np.array([[rate, rate - shares.get(name, 0.0)] for name, rate in rates.items()])
    repeat, excess = weights @ gaps / weights.sum()
    return {"counted_repeat": float(repeat), "counted_excess": float(excess)}


def membership(run: Run) -> Answer:
    """How many more brands the alliance keeps from everybody than it wins from nobody, mean of the reviews."""
    reviews = run.reviews
    if not len(reviews):
        return {}
    gap = reviews["members_from_everybody"] - reviews["members_from_nobody"]
    return {"membership_gap": float(gap.mean())}


def worth(market: Market) -> Answer:
    """What an owner on the leader's platform is worth to the maker of its car and to the leader, kCNY: `market.owner_value`."""
    rows, leader = market.on_sale(), leader_of(market)
    theirs = np.flatnonzero(market.offers.platform[rows] == leader)
    if leader < 0:
        return {}
    extra = extra_purchases_now(market, rows)
    values = values_now(market, rows, extra, market.costs()[rows])
    weights = survey(market).bought[theirs]
    weights = weights / weights.sum()
    to_maker = values[market.offers.automaker[rows[theirs]], theirs]
    return {"worth_to_maker": float(weights @ to_maker), "worth_to_leader": float(weights @ values[-1, theirs])}


def _grouped(chances: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """Chances of lines added up by group, `[M, G]`."""
    member = np.zeros((len(codes), n_groups))
    member[np.arange(len(codes)), codes] = 1.0
    return chances @ member


def by_brand(seen: Survey) -> Answer:
    """Repeat purchase of brands, and what it is made of."""
    n_brands = int(max(seen.brand.max(), seen.own_brand.max())) + 1
    held, free = (_grouped(seen.chances(on, on), seen.brand, n_brands) for on in (True, False))
    sold = np.bincount(seen.brand, seen.bought, n_brands)
    repeat = owners_repeat(held, free, sold, seen.own_brand)
    return {
        "brand_repeat": repeat.repeat,
        "brand_naive_excess": repeat.naive_excess,
        "brand_state_dependence": repeat.state_dependence,
    }


def by_platform(bound: Survey, cycle: tuple[float, float]) -> Answer:
    """Repeat purchase of ecosystems, what it is made of, and how long owners stay.

    Args:
        bound: owners of cars in an ecosystem.
        cycle: mean months between purchases; chance that a household leaves the market after one.
    """
    n_platforms, own = len(bound.ecosystem), bound.own_platform
    held, free = (_grouped(bound.chances(on, on), bound.platform, n_platforms) for on in (True, False))
    sold = np.bincount(bound.platform, bound.bought, n_platforms)
    whole = owners_repeat(held, free, sold, own)
    months, turnover = cycle
    counts = np.bincount(own, minlength=n_platforms)
    stay, would = (
        np.bincount(own, chances[np.arange(len(own)), own], n_platforms)[own] / counts[own] for chances in (held, free)
    )
    return {
        "repeat": whole.repeat,
        "naive_excess": whole.naive_excess,
        "state_dependence": whole.state_dependence,
        "taste": whole.taste,
        "naive_switching_cost": float(naive_switching_cost(whole.repeat, whole.share)),
        "switching_cost": float(bound.platform_gain.mean()),
        "tenure": float(spell_months(stay, turnover, months).mean()),
        "free_tenure": float(spell_months(would, turnover, months).mean()),
    }


def churn(bound: Survey, names: np.ndarray) -> Answer:
    """Where owners of each platform go when they buy, and what each platform's owners are like, as columns."""
    own, n_platforms = bound.own_platform, len(names)
    held, free = (_grouped(bound.chances(on, on), bound.platform, n_platforms) for on in (True, False))
    sold = np.bincount(bound.platform, bound.bought, n_platforms)
    matrix, counts = owners_churn(held, own), np.bincount(own, minlength=n_platforms)
    seen = np.flatnonzero(counts)
    pairs = [(a, b) for a in seen for b in range(n_platforms)]
    would = np.bincount(own, free[np.arange(len(own)), own], n_platforms)[seen] / counts[seen]
    return {
        "churn": {
            "from_platform": names[[a for a, _ in pairs]],
            "to_platform": names[[b for _, b in pairs]],
            "chance": np.array([matrix[pair] for pair in pairs]),
        },
        "platforms": {
            "platform": names[seen],
            "owners": counts[seen] / counts.sum(),
            "share": sold[seen],
            "repeat": np.diagonal(matrix)[seen],
            "unattached": would,
        },
    }


def compensation(bound: Survey, names: np.ndarray) -> Answer:
    """The payment that makes owners leave both their brand and their platform: its law, and what lock-in adds to it.

    Owners whose brand and platform sell nothing any more are left out, as nothing keeps them.
    """
    leads = {key: bound.lead(*key) for key in ((True, True), (True, False), (False, True), (False, False))}
    there = np.isfinite(leads[True, True])
    bound, leads = bound.of(there), {key: lead[there] for key, lead in leads.items()}
    if not there.any():
        return {}
    alpha = bound.price_sensitivity
    prices = {key: compensating_price(lead, 0.0, alpha) for key, lead in leads.items()}
    platform, brand = two_way_split(prices[False, False], prices[True, False], prices[False, True], prices[True, True])
    answer: Answer = {"price": float(prices[True, True].mean()), "free_price": float(prices[False, False].mean())}
    answer |= {"platform_part": float(platform.mean()), "brand_part": float(brand.mean())}
    anyhow = float(compensation_cdf(0.0, leads[True, True], 0.0, alpha))
    answer["leaving_anyhow"] = anyhow
    for name, part in STAYERS.items():
        chance = anyhow + part * (1.0 - anyhow)
        answer[name] = float(compensation_quantile(chance, leads[True, True], 0.0, alpha))
    laws = {name: compensation_cdf(PRICES, leads[on, on], 0.0, alpha) for name, on in (("held", True), ("free", False))}
    codes = np.unique(bound.own_platform)
    mine = [bound.own_platform == code for code in codes]
    return answer | {
        "compensation": {"price": PRICES, **laws},
        "compensation_by_platform": {
            "platform": names[codes],
            "price": np.array([prices[True, True][rows].mean() for rows in mine]),
            "platform_part": np.array([platform[rows].mean() for rows in mine]),
            "brand_part": np.array([brand[rows].mean() for rows in mine]),
        },
    }
