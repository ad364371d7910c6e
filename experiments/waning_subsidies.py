"""Subsidies wane faster or slower: who gains, the alliance or independents, mass or premium?

Design: eight points of the study `waning`: benefits fall linearly to zero within 6, 18 or 36 months from July 2024 or from
January 2026, starting from the policy of the month before; or stay for good as they are in December 2025; each against the
baseline's policy as dated, in runs that share every draw. A fall is known from the month it begins in
(`subsidy.phase_out_start`, `.phase_out_months`, `.hold_from`).
Told are shares of cars delivered, by camp and by segment (the price of a line in its first month: below 150, 150 to 300, 300
kCNY and more), while the worlds differ (2024 to 2027) and once all that was dated is over (2030, in which only the world that
holds its policy still has any): what is left then is what early sales have built, owners, fleets, experience.
Who is in the alliance is the record's (`modes=timeline`, since the question is not about membership), prices are best responses.
Segments and windows of years are counted here, from whole runs, for no sweep keeps them.

    .venv/bin/python experiments/waning_subsidies.py [--seeds 10] [--workers 2] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves the figure.
"""

import numpy as np
import pandas as pd

import evsim
from evsim import words
from evsim.report.experiment import experiment_parser, in_processes, tell
from evsim.report.figures.intervals import bracketed
from evsim.report.figures.waning_subsidies import COLUMNS, waning_subsidies
from evsim.study import read_study

STUDY = read_study("waning")
SIZE = tuple(STUDY.fixed.values())
DATED, HELD = "as dated", "held for good"
KEPT = STUDY.levers["subsidy.hold_from"].values[1:]  # the first is none: as dated
STARTS = dict(
    zip(STUDY.levers["subsidy.phase_out_start"].values[1:], KEPT, strict=True)
)  # of the fall: whose policy falls
SPEEDS = STUDY.levers["subsidy.phase_out_months"].values
SEGMENTS = {"mass": 0.0, "middle": 150.0, "premium": 300.0}  # from this price on, kCNY
WINDOWS = {"2024 to 2027": ("2024", "2027"), "2030": ("2030", "2030")}  # first and last year


def worlds(overrides: list[str]) -> dict[str, evsim.Scenario]:
    """Worlds by name, the dated one first."""
    changes = {DATED: ()}
    for start, held in STARTS.items():
        for speed in SPEEDS:
            changes[f"gone in {speed} months from {words.month(start)}"] = (
                f"subsidy.hold_from={held}",
                f"subsidy.phase_out_start={start}",
                f"subsidy.phase_out_months={speed}",
            )
    changes[HELD] = (f"subsidy.hold_from={KEPT[-1]}",)
    return {name: evsim.load("baseline", *SIZE, *change, *overrides) for name, change in changes.items()}


def outcome(job: tuple[str, evsim.Scenario, int]) -> pd.DataFrame:
    """Shares of cars in one run, fractions, with all cars and what the state gave: a row a window."""
    world, scenario, seed = job
    run = evsim.run(scenario, seed=seed, threads=1)
    market = run.market
    first = market.groupby("product")["price"].first()  # month by month, so the first is the earliest
    floors = np.array(list(SEGMENTS.values()))
    market["segment"] = np.array(list(SEGMENTS))[
        np.searchsorted(floors, market["product"].map(first), side="right") - 1
    ]
    market["year"] = market["month"].str[:4]
    market = market[market["month"] > run.base_month]
    state = run.government.assign(year=lambda table: table["month"].str[:4])
    rows = []
    for window, (start, end) in WINDOWS.items():
        cars = market[market["year"].between(start, end)]
        given = state[state["year"].between(start, end)][["subsidies", "tax_waived"]].to_numpy().sum()
        total = cars["units"].sum()
        shares = {"nev": cars.loc[cars["powertrain"] != "ice", "units"].sum() / total}
        for column in ("camp", "segment"):
            shares |= (cars.groupby(column)["units"].sum() / total).to_dict()
        rows.append({"seed": seed, "world": world, "window": window, "cars": total, "given": given, **shares})
    return pd.DataFrame(rows).reindex(columns=["seed", "world", "window", "cars", "given", *COLUMNS], fill_value=0.0)


def against_dated(table: pd.DataFrame) -> pd.DataFrame:
    """Points of share, per cent of cars and bn CNY given, less those with policy as dated, pair by pair."""
    wide = table.set_index(["world", "window", "seed"])
    dated = wide.xs(DATED, level="world")
    rows = []
    for world in [name for name in table["world"].unique() if name != DATED]:
        here = wide.xs(world, level="world")
        change = 100.0 * (here[list(COLUMNS)] - dated[list(COLUMNS)])
        change["cars"] = 100.0 * (here["cars"] / dated["cars"] - 1.0)
        change["given"] = (here["given"] - dated["given"]) / 1e6
        rows.append(change.reset_index().assign(world=world))
    return pd.concat(rows, ignore_index=True)


def gain(values: pd.Series, plural: bool = True) -> str:
    """`gain 0.3 points [0.1, 0.5]`."""
    return words.share_change(tuple(end / 100.0 for end in words.paired_interval(list(values))), plural)


def finding(changes: pd.DataFrame) -> list[str]:
    """Who gains, in sentences: the fastest fall and the policy that stays first."""
    order = list(changes["world"].unique())
    fastest = changes[(changes["world"] == order[0]) & (changes["window"] == next(iter(WINDOWS)))]
    told = [
        f"With subsidies {order[0]} independents {gain(fastest['independent'])} of sales in {next(iter(WINDOWS))}, the alliance"
        f" {gain(fastest['alliance'], False)} and cars of 300 kCNY and more {gain(fastest['premium'])}."
    ]
    for window in WINDOWS:
        for world in order:
            rows = changes[(changes["world"] == world) & (changes["window"] == window)]
            cars, given = bracketed(rows["cars"], 1, " %"), bracketed(rows["given"], 0)
            told.append(
                f"{window}, {world}: new-energy cars {gain(rows['nev'])}, the alliance {gain(rows['alliance'], False)},"
                f" independents {gain(rows['independent'])}, incumbents {gain(rows['incumbent'])}; cars below 150 kCNY"
                f" {gain(rows['mass'])}, from 150 to 300 {gain(rows['middle'])}, from 300 on {gain(rows['premium'])}; cars"
                f" sold in all change by {cars}, what the state gives by {given} bn CNY."
            )
    return told


def main(arguments: list[str] | None = None) -> list[str]:
    """Run the worlds, print what they say, draw them; returns the sentences."""
    options = experiment_parser(__doc__, 10, "of each world", workers=2).parse_args(arguments)
    jobs = [(*world, seed) for seed in range(options.seeds) for world in worlds(options.overrides).items()]
    table = pd.concat(in_processes(outcome, jobs, options.workers), ignore_index=True)
    changes = against_dated(table)
    told = finding(changes)
    figures = {"waning_subsidies": lambda: waning_subsidies(changes, list(WINDOWS), told[0])}
    return tell(told, figures, options.folder)


if __name__ == "__main__":
    main()
