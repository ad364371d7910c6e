"""What royalty does the leader choose, and where do its partners leave?

Design: the market at the base date, three years ahead, as the leader looks at it before it sets its terms. Its share of the
price is tried on a grid at an unchanged fee a car, then its fee at an unchanged share. Each time members answer one after
another, by the price game: in the long run, for no contract binds them, nothing else keeps them as they are, and leaving is
free. Once only the partners of the base date may go; once the outsiders nearest to joining may come as well, as the leader
reckons at its reviews. Brands not sold yet are left out: what a launch costs is no part of a yearly profit. Seeds differ by how
good cars turn out that are launched within the year. This grid of price games is no sweep; the study `royalty` simulates terms.

    .venv/bin/python experiments/royalty.py [--seeds 10] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves the figure. That the leader likes its present share best,
from its partners and cars counted, is no finding: what it counts for a car was recovered from that share.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

import evsim
from evsim import words
from evsim.market.forecast import Forecast
from evsim.market.leadership import might_move, terms_played
from evsim.report.experiment import experiment_parser, tell
from evsim.report.figures.intervals import bracketed
from evsim.report.figures.royalty import PARTNERS, WITH_NEAREST, leaves, peaks, royalty

SHARES = np.linspace(0.0, 0.30, 31)
FEE_SCALES = np.linspace(0.0, 2.5, 21)
BILLION = 1e6  # kCNY


def curves(scenario: evsim.Scenario, seed: int) -> pd.DataFrame:
    """What each point of both grids brings the leader once brands have answered: a row a point and set of answering brands."""
    model = evsim.EVMarket(scenario, rng=seed)
    forecast = Forecast(model.market)
    point, long_ago = forecast.middle, -1200
    brands = [
        replace(brand, since=long_ago)
        for brand in model.market.brands
        if not brand.prospective and forecast.has(point, brand, brand.way)
    ]
    stakes = {brand.key: model.automakers[brand.automaker].stakes(scenario.modes) for brand in brands}
    nearest = might_move(forecast, brands, stakes)
    partners = [brand for brand in nearest if brand.way.mode == "alliance"]
    contract = scenario.contracts.alliance
    grid = [("revenue share", share, share, 1.0) for share in SHARES]
    grid += [("fee", scale * contract.unit_fee, contract.revenue_share, scale) for scale in FEE_SCALES]
    rows = []
    for answering, responding in ((PARTNERS, partners), (WITH_NEAREST, nearest)):
        names = {model.market.names.brands[brand.brand] for brand in responding}
        for lever, value, share, scale in grid:
            terms = terms_played(forecast, responding, stakes, float(share), float(scale))
            rows.append(
                {
                    "seed": seed,
                    "lever": lever,
                    "value": value,
                    "answering": answering,
                    "profit": terms.leader_profit / BILLION,
                    "liked": terms.worth(model.orchestrator.aims) / BILLION,
                    "members": tuple(name for name in terms.members if name in names),
                }
            )
    return pd.DataFrame(rows)


def finding(curves: pd.DataFrame, scenario: evsim.Scenario) -> list[str]:
    """Where the leader's profit peaks and where partners leave, in sentences."""
    contract, leader = scenario.contracts.alliance, scenario.alliance.leader
    share, fee = f"{100 * contract.revenue_share:g} %", f"{contract.unit_fee:g} kCNY"
    levers = {  # scale, unit, of what, what it asks now, what stays as it is
        "revenue share": (100.0, " %", "of the price", f"{share}, at an unchanged fee of {fee}"),
        "fee": (1.0, " kCNY", "a car", f"{fee}, at an unchanged {share} of the price"),
    }
    told = []
    for lever, (scale, unit, of_what, now) in levers.items():
        for answering in (PARTNERS, WITH_NEAREST):
            curve = curves[(curves["lever"] == lever) & (curves["answering"] == answering)]
            best, liked = (scale * np.array(peaks(curve, column)) for column in ("profit", "liked"))
            text = f"{leader} would earn most by asking {bracketed(best, unit=unit)} {of_what}"
            earned = bracketed(curve.groupby("seed")["profit"].max(), unit=" bn CNY")
            if answering == PARTNERS:
                told.append(f"From its partners {text} (it asks {now}), {earned} a year.")
                gone = [f"{name} at {bracketed(scale * np.array(at), unit=unit)}" for name, at in leaves(curve).items()]
                told += [f"They leave one by one: {words.names(gone)}."] if gone else []
            else:
                told.append(
                    f"Were the nearest outsiders free to come, {text}: {earned}; counting cars as it did at the base date, it"
                    f" would like {bracketed(liked, unit=unit)} best."
                )
    return told


def main(arguments: list[str] | None = None) -> list[str]:
    """Work out the curves, print what they say, draw them; returns the sentences."""
    options = experiment_parser(__doc__, 10, "markets").parse_args(arguments)
    scenario = evsim.load("baseline", *options.overrides)
    table = pd.concat([curves(scenario, seed) for seed in range(options.seeds)], ignore_index=True)
    told = finding(table, scenario)
    contract = scenario.contracts.alliance
    present = {"revenue share": contract.revenue_share, "fee": contract.unit_fee}
    return tell(told, {"royalty": lambda: royalty(table, present, told[0])}, options.folder)


if __name__ == "__main__":
    main()
