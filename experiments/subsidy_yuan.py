"""What does a subsidy yuan buy, and who has it?

Design: six ways to support the purchase of new-energy cars, each instead of the dated record and against a world without any
benefit, in runs that share every draw. All are in force from January 2024 to December 2026, which buyers know from the first;
effects are counted until 2030, so that purchases that were only brought forward count for nothing. The designs are files,
`experiments/designs/subsidy/NAME.yaml`, and `evsim run subsidy=NAME --config-dir experiments/designs` runs one alone; the study
`subsidy_yuan` of that folder sweeps them at listed scales, without incidence:

- per_car: the same sum for every new-energy car;
- tax_exemption: part of the purchase tax waived, with a cap;
- ad_valorem: a percentage of the price, with a cap;
- trade_in: for who has an old car scrapped, or trades one in;
- price_ceiling: for cars of at most 150 kCNY;
- income_tested: for households of less than the median income.

Equal outlay: each design is scaled (`subsidy.scale`) until its support (subsidies paid and tax waived) is that of `per_car` on
seed 0: a proportional step, then a secant step in logs. What is left of a difference is a few per cent, and what is told is per
yuan of the support that was really given. Not discounted, money of 2023. Cars of the alliance are those sold in mode
alliance; who is in it is the record's (`modes=timeline`, since the question is not about membership), prices are best responses.
CO2 is that of driving until 2030, cars bought used left out; what cars of 2024 to 2026 save later is not counted. Profits are
before tax.

    .venv/bin/python experiments/subsidy_yuan.py [--seeds 10] [--workers 2] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves two figures.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import evsim
from evsim import words
from evsim.data.firms import KINDS
from evsim.economics.welfare import Welfare, incidence
from evsim.report.experiment import experiment_parser, in_processes, tell
from evsim.report.figures.intervals import bracketed, pseudo_ratios
from evsim.report.figures.subsidy_yuan import PARTIES, subsidy_incidence, subsidy_yuan
from evsim.study import read_study

FILES = Path(__file__).parent / "designs"
SIZE = tuple(read_study("subsidy_yuan", str(FILES)).fixed.values())
NONE, FIRST = "none", "per_car"
DESIGNS = {
    FIRST: "per car",
    "tax_exemption": "tax exemption, capped",
    "ad_valorem": "per cent of the price, capped",
    "trade_in": "trade-in and scrappage",
    "price_ceiling": "per car up to 150 kCNY",
    "income_tested": "below median income",
}
LARGEST_SCALE = 10.0  # that the lever takes
BN = 1e6  # kCNY


def world(design: str, scale: float, overrides: Iterable[str]) -> evsim.Scenario:
    """A design of the given scale."""
    return evsim.load(
        "baseline", f"subsidy={design}", f"subsidy.scale={scale:.4g}", *SIZE, *overrides, config_dir=FILES
    )


def outcome(job: tuple[str, evsim.Scenario, int]) -> tuple[dict[str, Any], Welfare]:
    """What one run counts, and its accounts."""
    design, scenario, seed = job
    run = evsim.run(scenario, seed=seed, threads=1)
    market, headline = run.market[run.market["month"] > run.base_month], run.headline.iloc[1:]
    counts = {
        "seed": seed,
        "design": design,
        "nev": market.loc[market["powertrain"] != "ice", "units"].sum(),
        "allied": market.loc[market["camp"] == "alliance", "units"].sum(),
        "tons": -headline["co2"].sum(),
        "hhi": headline["hhi_platform"].mean(),
    }
    return counts, run.welfare()


def support(scenario: evsim.Scenario) -> float:
    """What a world gives away on seed 0, kCNY."""
    return outcome(("", scenario, 0))[1].support


def scale_for(job: tuple[str, float, list[str]]) -> float:
    """The scale at which a design gives as much as aimed at, on seed 0: a proportional step, then a secant step in logs.

    ln s₂ = ln s₁ + (ln S* − ln S(s₁)) (ln s₁ − ln s₀) / (ln S(s₁) − ln S(s₀)),   s₀ = 1, s₁ = S*/S(1)
    """
    design, aim, overrides = job
    first = support(world(design, 1.0, overrides))
    step = min(aim / first, LARGEST_SCALE)
    second = support(world(design, step, overrides))
    slope = np.log(second / first) / np.log(step) if abs(np.log(step)) > 0.01 else 1.0
    return float(min(step * (aim / second) ** (1.0 / max(slope, 0.2)), LARGEST_SCALE))


def designs(overrides: list[str], workers: int) -> dict[str, float]:
    """The scale of every design."""
    aim = support(world(FIRST, 1.0, overrides))
    others = [name for name in DESIGNS if name != FIRST]
    scales = in_processes(scale_for, [(name, aim, overrides) for name in others], workers)
    return {FIRST: 1.0} | dict(zip(others, scales, strict=True))


def against_none(results: list[tuple[dict[str, Any], Welfare]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What every run has more than the one without benefits of its seed, and who has what of its support, fen of a yuan."""
    without = {counts["seed"]: (counts, welfare) for counts, welfare in results if counts["design"] == NONE}
    gains, shares = [], []
    for counts, welfare in results:
        if counts["design"] == NONE:
            continue
        none, accounts = without[counts["seed"]]
        same = {name: counts[name] for name in ("seed", "design")}
        more = {name: counts[name] - none[name] for name in counts if name not in same}
        gains.append(same | more | {"support": welfare.minus(accounts).support})
        got = incidence(welfare, accounts)
        fifths = [party for party in PARTIES if party.startswith("buyers")]
        parts = dict(zip([*fifths, *KINDS], [*got.buyers, *got.makers], strict=True))
        parts |= {"leader": got.leader, "state": got.state, "lost": got.lost}
        shares.append(same | {party: 100.0 * parts[party] for party in PARTIES})
    return pd.DataFrame(gains), pd.DataFrame(shares)


def cost(rows: pd.DataFrame, column: str, unit: str, digits: int = 0) -> str:
    """`85 kCNY [80, 90]`, what one more cost; where it cannot be told from nothing, that."""
    bought = words.paired_interval(list(rows[column]))
    if len(rows) > 1 and bought[1] <= 0.0 <= bought[2]:
        return f"cannot be told from nothing ({bracketed(1e-3 * rows[column], 0)} thousand)"
    if bought[0] <= 0:
        return f"becomes rarer ({bracketed(1e-3 * rows[column], 0)} thousand)"
    return f"costs {bracketed(pseudo_ratios(rows['support'], rows[column]), digits, unit)}"


def finding(gains: pd.DataFrame, shares: pd.DataFrame, scales: dict[str, float]) -> list[str]:
    """What a yuan buys by design, and who has it, in sentences; the two ends first."""
    dear = {
        name: rows["support"].sum() / rows["nev"].sum()
        for name, rows in gains.groupby("design", sort=False)
        if rows["nev"].sum() > 0
    }
    told = ["No design sells more new-energy cars."]
    if dear:
        cheapest, dearest = (
            f"{cost(gains[gains['design'] == name], 'nev', ' kCNY')} of support by the design '{DESIGNS[name]}'"
            for name in (min(dear, key=dear.__getitem__), max(dear, key=dear.__getitem__))
        )
        told = [f"One new-energy car more {cheapest}, and {dearest.removeprefix('costs ')}."]
    for name, label in DESIGNS.items():
        rows, got = gains[gains["design"] == name], shares[shares["design"] == name]
        buyers = got[[party for party in PARTIES if party.startswith("buyers")]].sum(axis=1)
        makers = got[list(KINDS)].sum(axis=1)
        gives = f"{label[0].upper()}{label[1:]} (scale {scales[name]:.3g}) gives {bracketed(rows['support'] / BN, 0)} bn CNY."
        told.append(
            f"{gives} A new-energy car more {cost(rows, 'nev', ' kCNY')}, a car of the alliance more"
            f" {cost(rows, 'allied', ' kCNY')}, a ton of CO2 less {cost(rows, 'tons', ' kCNY', 1)}. Of a yuan buyers have"
            f" {bracketed(buyers, 0)} fen, makers {bracketed(makers, 0)}, the leader {bracketed(got['leader'], 0)};"
            f" {bracketed(got['state'], 0)} come back in tax, and {bracketed(got['lost'], 0)} are lost. Concentration of"
            f" platforms changes by {bracketed(rows['hhi'], 0)} HHI points."
        )
    return told


def main(arguments: list[str] | None = None) -> list[str]:
    """Scale the designs, run the worlds, print what they say, draw them; returns the sentences."""
    options = experiment_parser(__doc__, 10, "of each world", workers=2).parse_args(arguments)
    scales = designs(options.overrides, options.workers)
    jobs = [
        (name, world(name, scale, options.overrides), seed)
        for seed in range(options.seeds)
        for name, scale in ({NONE: 1.0} | scales).items()
    ]
    gains, shares = against_none(in_processes(outcome, jobs, options.workers))
    told = finding(gains, shares, scales)
    told_of = jobs[0][1]
    period = f"given until {words.month(told_of.subsidy.end)}, counted until {words.month(told_of.end)}"
    captured = shares.groupby("design")[[party for party in PARTIES if party.startswith("buyers")]].mean().sum(axis=1)
    incident = f"Buyers have {captured.min():.0f} to {captured.max():.0f} fen of a yuan of support, by design"
    figures = {
        "subsidy_yuan": lambda: subsidy_yuan(gains, DESIGNS, told[0], period),
        "subsidy_incidence": lambda: subsidy_incidence(shares, DESIGNS, incident, period),
    }
    return tell(told, figures, options.folder)


if __name__ == "__main__":
    main()
