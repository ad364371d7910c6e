"""Does a surge before, and a cliff after, the end of a benefit come out of the model?

Design: sales of January over those of December, and of January and February over November and December, new-energy and
combustion cars apart, at four year ends. 2022-23: the purchase subsidies and the halved tax on petrol cars end, both known
beforehand. 2023-24: the exemption from the purchase tax gets a cap, nothing else. 2024-25: a trade-in benefit starts in January
that nobody knew of in December. 2025-26: the exemption is halved, known since June 2023. Beside the published figures stand
three worlds that share every draw:

- announced: the dated record, buyers look `consumers.horizon_months` ahead;
- nobody looks ahead: the same benefits month by month, no visit is moved by what is to come;
- nothing changes: the policy of June 2022 (of August 2024) stays in force for good, so that the season and the trend are left;

and the season that the model is given, `seasonal_factors()`. The first less the second is what buying ahead does; the second
less the third is what the benefit itself does. Who is in the alliance is the record's (`modes=timeline`) and prices are best
responses. Nothing is fitted to these ratios; what decides how many come early, `consumers.shift_cost`, is an assumption.

What the comparison cannot say: the lunar new year fell on 2023-01-22, 2024-02-10 and 2025-01-29 and moves sales between January
and February, while the season has one January for all years (hence the ratios of two months); December 2022 had closures and a
wave of infections; makers push deliveries before year ends; and the record lets the scrappage benefit of 2024 run on into 2025,
where buyers of December 2024 did not know whether it would. Published figures of BYD, GAC Aion and SAIC-GM-Wuling may hold
exports.

    .venv/bin/python experiments/pull_forward.py [--seeds 10] [--workers 2] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves the figure.
"""

import numpy as np
import pandas as pd

import evsim
from evsim.data import read_monthly_totals, read_record, seasonal_factors
from evsim.report.experiment import experiment_parser, in_processes, tell
from evsim.report.figures.intervals import bracketed, pseudo_ratios
from evsim.report.figures.pull_forward import ANNOUNCED, NOTHING, UNSEEN, pull_forward

SIZE = ("consumers.count=100000", "pricing=best_response", "modes=timeline")
SPANS = {"history_2022": ("2022-06", "2024-02", (2022, 2023)), "baseline": ("2024-08", "2026-02", (2024, 2025))}
NEV, ICE = "new-energy cars", "combustion cars"
MAKERS = {  # name in the record: (level and measure there, column of the market table)
    "HIMA": ("alliance", "nev_retail", "camp"),
    "BYD": ("maker", "nev_sales", "group"),
    "GAC Aion": ("maker", "nev_sales", "automaker"),
    "SAIC-GM-Wuling": ("maker", "nev_sales", "automaker"),
    "Li Auto": ("brand", "deliveries", "brand"),
    "NIO": ("brand", "deliveries", "brand"),
    "XPeng": ("brand", "deliveries", "brand"),
}


def months_around(year: int) -> tuple[list[str], list[str]]:
    """The last two months of a year, the first two of the next."""
    return [f"{year}-11", f"{year}-12"], [f"{year + 1}-01", f"{year + 1}-02"]


def worlds(overrides: list[str]) -> list[tuple[str, tuple[int, ...], evsim.Scenario]]:
    """World, the years whose end is told of, scenario."""
    found = []
    for name, (hold, end, years) in SPANS.items():
        for world, change in (
            (ANNOUNCED, []),
            (UNSEEN, ["consumers.horizon_months=0"]),
            (NOTHING, [f"subsidy.hold_from={hold}"]),
        ):
            found.append((world, years, evsim.load(name, *SIZE, f"end={end}", *overrides, *change)))
    return found


def ratios(cars: pd.DataFrame, years: tuple[int, ...]) -> pd.DataFrame:
    """Cars before and after each year end: a row a column of `cars`, year and span of 1 or 2 months.

    Args:
        cars: months by names; a figure that is missing makes its row nan.
    """
    rows = []
    for year in years:
        before, after = months_around(year)
        for span in (1, 2):
            old, new = (cars.reindex(there).sum(skipna=False) for there in (before[-span:], after[:span]))
            rows.append(pd.DataFrame({"who": cars.columns, "year": year, "span": span, "before": old, "after": new}))
    return pd.concat(rows, ignore_index=True)


def outcome(job: tuple[str, tuple[int, ...], evsim.Scenario, int]) -> pd.DataFrame:
    """The year ends of one run."""
    world, years, scenario, seed = job
    run = evsim.run(scenario, seed=seed, threads=1)
    groups = run.automakers.drop_duplicates("automaker").set_index("automaker")["group"]
    market = run.market
    market["group"] = market["automaker"].map(groups)
    plug = market[market["powertrain"] != "ice"]
    total = market.groupby("month")["units"].sum()
    cars = {NEV: plug.groupby("month")["units"].sum(), ICE: total - plug.groupby("month")["units"].sum()}
    for name, (_, _, column) in MAKERS.items():
        entity = "alliance" if column == "camp" else name
        cars[name] = plug[plug[column] == entity].groupby("month")["units"].sum()
    table = ratios(pd.DataFrame(cars).reindex(total.index).fillna(0.0), years)
    return table.assign(world=world, seed=seed)


def observed() -> pd.DataFrame:
    """The same of the published figures: CPCA's retail sales, of 2023 the panel's; makers' own figures."""
    record = read_record()
    record = (
        record[record["period"].str.len() == 7]
        .set_index(["level", "entity", "measure", "period"])["value"]
        .sort_index()
    )
    market = record["market", "market"].unstack("measure")
    market = pd.DataFrame({NEV: market["nev_retail"], ICE: market["retail"] - market["nev_retail"]})
    totals = read_monthly_totals().set_index("month")
    panel = pd.DataFrame({NEV: totals["nev_units"], ICE: totals["units"] - totals["nev_units"]}).loc[
        "2023-11":"2023-12"
    ]
    cars = pd.concat([panel, market])
    for name, (level, measure, _) in MAKERS.items():
        cars[name] = record[level, name, measure].reindex(cars.index)
    return ratios(cars, tuple(year for _, _, years in SPANS.values() for year in years))


def season() -> dict[int, float]:
    """What the season alone does: the ratio by span, of one month and of two."""
    factors = seasonal_factors()
    return {1: factors[0] / factors[11], 2: factors[:2].sum() / factors[10:].sum()}


def told_of(table: pd.DataFrame, seen: pd.DataFrame, who: str, year: int, span: int) -> str:
    """`64.1 % [63, 65] (record 52 %; nobody looking ahead …, nothing changing …)`."""

    def at(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[(rows["who"] == who) & (rows["year"] == year) & (rows["span"] == span)]

    def simulated(world: str) -> str:
        rows = at(table[table["world"] == world])
        return bracketed(100.0 * pseudo_ratios(rows["after"], rows["before"]), 0, " %")

    fact = at(seen).iloc[0]
    recorded = "not known yet" if np.isnan(fact["after"]) else f"{100 * fact['after'] / fact['before']:.0f} %"
    return (
        f"{simulated(ANNOUNCED)} in the model (published: {recorded}; where nobody looks ahead {simulated(UNSEEN)}, where"
        f" nothing changes {simulated(NOTHING)}, by season {100 * season()[span]:.0f} %)"
    )


def moved(table: pd.DataFrame, who: str, year: int, column: str) -> str:
    """How many more cars buying ahead makes of the last or of the first month, per cent, with its interval."""
    rows = table[(table["who"] == who) & (table["year"] == year) & (table["span"] == 1)]
    wide = rows.pivot(index="seed", columns="world", values=column)
    return bracketed(100.0 * (pseudo_ratios(wide[ANNOUNCED], wide[UNSEEN]) - 1.0), 1, " %")


def distance(table: pd.DataFrame, seen: pd.DataFrame, year: int) -> tuple[float, float, int]:
    """How far off makers' ratios are on geometric average, by the model and by the season alone; how many makers."""
    facts = seen[(seen["year"] == year) & (seen["span"] == 1) & seen["who"].isin(list(MAKERS))].set_index("who")
    facts = (facts["after"] / facts["before"]).dropna()
    rows = table[(table["world"] == ANNOUNCED) & (table["year"] == year) & (table["span"] == 1)]
    sums = rows.groupby("who")[["before", "after"]].sum().loc[facts.index]
    sums = sums[(sums > 0).all(axis=1)]
    facts = facts[sums.index]
    model, by_season = sums["after"] / sums["before"], season()[1]
    off = [float(np.expm1(np.abs(np.log(guess / facts)).mean())) for guess in (model, by_season)]
    return off[0], off[1], len(facts)


def finding(table: pd.DataFrame, seen: pd.DataFrame) -> list[str]:
    """What the model says of each year end beside the record, in sentences."""
    first = table[(table["who"] == NEV) & (table["year"] == 2022) & (table["span"] == 1)]
    shown = {
        world: 100.0 * rows["after"].sum() / rows["before"].sum() for world, rows in first.groupby("world", sort=False)
    }
    fact = seen[(seen["who"] == NEV) & (seen["year"] == 2022) & (seen["span"] == 1)].iloc[0]
    told = [
        f"New-energy cars sold in January 2023 are {shown[ANNOUNCED]:.0f} % of December's in the model,"
        f" {100 * fact['after'] / fact['before']:.0f} % by the published figures and {shown[NOTHING]:.0f} % in a world in"
        " which nothing changes."
    ]
    for year in (2022, 2023, 2024, 2025):
        for span, text in ((1, "January {1} over December {0}"), (2, "the two months after over the two before")):
            told += [
                f"{who.capitalize()}, {text.format(year, year + 1)}: {told_of(table, seen, who, year, span)}."
                for who in (NEV, ICE)
            ]
        told.append(
            f"Buying ahead changes sales of new-energy cars by {moved(table, NEV, year, 'before')} in December {year} and"
            f" {moved(table, NEV, year, 'after')} in January, of combustion cars by {moved(table, ICE, year, 'before')} and"
            f" {moved(table, ICE, year, 'after')}."
        )
    for year in (2022, 2024):
        model, by_season, makers = distance(table, seen, year)
        told.append(
            f"The ratios of {makers} makers and brands at the end of {year} are off by {100 * model:.0f} % on geometric"
            f" average; the season alone is off by {100 * by_season:.0f} %."
        )
    return told


def main(arguments: list[str] | None = None) -> list[str]:
    """Run the worlds, print what they say, draw them; returns the sentences."""
    options = experiment_parser(__doc__, 10, "of each world", workers=2).parse_args(arguments)
    jobs = [(*world, seed) for seed in range(options.seeds) for world in worlds(options.overrides)]
    table = pd.concat(in_processes(outcome, jobs, options.workers), ignore_index=True)
    seen = observed()
    told = finding(table, seen)
    return tell(told, {"pull_forward": lambda: pull_forward(table, seen, season(), told[0])}, options.folder)


if __name__ == "__main__":
    main()
