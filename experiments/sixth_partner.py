"""Whom does a sixth partner hurt?

Design: a world in which the five partners of the record are in by the end of 2025 (AITO, Luxeed, Stelato, Maextro, Shangjie, as
dated; nobody else is let in before), as it stands then. One brand at a time joins in mode `alliance`, and its maker answers by
its best prices; others keep theirs. Told is what this does to the yearly profit of each brand on the leader's full stack, and
to the leader, in a market three years on. Two ways lead there: the newcomer takes customers, and the leader's support is spread
over one brand more. What a larger fleet teaches the stack, a gain to all, comes later and is not in. Candidates: the brands that
wait at the door (Qijing, Yijing), and of Chinese brands that sell 50,000 cars a year or more those nearest to joining, by what
their makers would gain. No sweep keeps these answers; the study `royalty` has runs with and without places for new partners.

    .venv/bin/python experiments/sixth_partner.py [--seeds 5] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves the figure.
"""

from math import expm1

import pandas as pd

import evsim
from evsim.economics.technology import diluted
from evsim.market.brands import Way
from evsim.market.changes import brand_name
from evsim.market.forecast import Forecast
from evsim.market.leadership import admission, might_move
from evsim.market.ways import WITH_LEADER, is_local
from evsim.report.experiment import experiment_parser, tell
from evsim.report.figures.intervals import bracketed
from evsim.report.figures.sixth_partner import sixth_partner

FIFTH, BEFORE = "Shangjie", "2023-12"  # contracted to start before anything is chosen, as the calendar has it
WORLD = ("end=2025-12", "alliance.admissions=0", "alliance.onboardings=0")
NEAREST = 4  # candidates beside those at the door
LEAST_CARS = 50_000  # a year, of a candidate on sale
FIRST = "AITO"  # the member told of
BILLION = 1e6  # kCNY


def with_five_partners(scenario: evsim.Scenario) -> evsim.Scenario:
    """The scenario with the fifth partner bound by contract before the first month."""
    listed = tuple(
        brand.model_copy(update={"agreed": BEFORE}) if brand.brand == FIFTH else brand
        for brand in scenario.modes.prospective
    )
    modes = scenario.modes.model_copy(update={"prospective": listed})
    return scenario.model_copy(update={"modes": modes})


def admissions(scenario: evsim.Scenario, seed: int) -> tuple[pd.DataFrame, float]:
    """What each candidate would do: a row a candidate and member; and what more partners alone take from each, a fraction."""
    model = evsim.EVMarket(scenario, rng=seed)
    model.run_model()
    market, forecast = model.market, Forecast(model.market)
    point, joined = forecast.middle, Way("alliance", scenario.alliance.platform)
    outside = [brand for brand in market.brands if brand.way.mode not in WITH_LEADER and is_local(market, brand)]
    cars = point.cars * point.shares()
    there = [
        brand
        for brand in outside
        if forecast.has(point, brand, joined) and cars[forecast.columns_of(point, brand)].sum() >= LEAST_CARS
    ]
    stakes = {brand.key: model.automakers[brand.automaker].stakes(scenario.modes) for brand in there}
    order = [brand.key for brand in might_move(forecast, there, stakes)]
    rows = []
    for brand in [*there, *(brand for brand in outside if brand.prospective)]:
        looked = admission(forecast, brand, joined, model.orchestrator.aims)
        fees = forecast.leader_profit(forecast.moved(point, brand, joined)) - forecast.leader_profit(point)
        for member, profit, change in zip(looked.brands, looked.profits, looked.changes, strict=True):
            if profit > 0:
                rows.append(
                    {
                        "seed": seed,
                        "candidate": brand_name(market, brand),
                        "rank": order.index(brand.key) if brand.key in order else len(there),
                        "waiting": brand.prospective,
                        "member": member,
                        "profit": profit / BILLION,
                        "change": change / profit,
                        "fees": fees / BILLION,
                        "liked": looked.gain / BILLION,
                    }
                )
    alliance, members = scenario.alliance, market.members()
    support = [
        diluted(alliance.lent_trust, number, market.base_members, alliance.dilution)
        for number in (members, members + 1)
    ]
    return pd.DataFrame(rows), expm1(support[1] - support[0])


def chosen(table: pd.DataFrame) -> list[str]:
    """Candidates in every seed: those at the door, then the nearest of the others."""
    seeds = table["seed"].nunique()
    each = table.drop_duplicates(["seed", "candidate"]).groupby("candidate")
    known = each.agg(seeds=("seed", "size"), rank=("rank", "mean"), waiting=("waiting", "first"))
    known = known[known["seeds"] == seeds].sort_values("rank", kind="stable")
    return [*known.index[known["waiting"]], *known.index[~known["waiting"]][:NEAREST]]


def finding(table: pd.DataFrame, spread: float, leader: str) -> list[str]:
    """Whom the candidates hurt, and what the leader gains, in sentences; the two ends first."""
    member = FIRST if FIRST in set(table["member"]) else table["member"].iloc[0]
    lost = table[table["member"] == member].set_index("candidate")["change"] * -100.0
    gains = table.drop_duplicates(["seed", "candidate"]).set_index("candidate")
    harm = lost.groupby("candidate").mean()
    told = [
        f"A sixth partner costs {member} from {bracketed(lost[[harm.idxmin()]], unit=' %')} of its profit"
        f" ({harm.idxmin()}) to {bracketed(lost[[harm.idxmax()]], unit=' %')} ({harm.idxmax()});"
        f" {-100 * spread:.1f} % of a partner's sales go in any case, for the leader's support is spread over one brand more."
    ]
    for candidate in table["candidate"].drop_duplicates():
        means = table[table["candidate"] == candidate].groupby("member")["change"].mean()
        told.append(
            f"{candidate} hurts {means.idxmin()} most ({-100 * means.min():.1f} %); {leader} gains"
            f" {bracketed(gains['fees'][[candidate]], unit=' bn CNY')} a year in fees,"
            f" {bracketed(gains['liked'][[candidate]])} with what it counts for cars."
        )
    return told


def main(arguments: list[str] | None = None) -> list[str]:
    """Run the worlds, let candidates in, print and draw what it does; returns the sentences."""
    options = experiment_parser(__doc__, 5, "worlds").parse_args(arguments)
    scenario = with_five_partners(evsim.load("baseline", *WORLD, *options.overrides))
    tables, spreads = zip(*(admissions(scenario, seed) for seed in range(options.seeds)), strict=True)
    table = pd.concat(tables, ignore_index=True)
    order = chosen(table)
    table = table[table["candidate"].isin(order)].sort_values(
        "candidate", key=lambda names: names.map(order.index), kind="stable"
    )
    told = finding(table, spreads[0], scenario.alliance.leader)
    leader = scenario.alliance.leader
    return tell(told, {"sixth_partner": lambda: sixth_partner(table, told[0], leader)}, options.folder)


if __name__ == "__main__":
    main()
