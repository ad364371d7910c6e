"""What discount wins an owner back, and who keeps the rent that lock-in leaves: the brand or the platform?

Design: the market at the end of 2028, once a quarter of the fleet has been bought in the model, in worlds that are alike but for
how strongly a platform holds its owners (κ) and a brand its own (ι); structure, so each is calibrated anew to the same table.
Of every owner in an ecosystem: the payment at which it leaves both stack and brand for the best of the rest, and what of it is
there because the car is owned (Shapley's split between stack and brand), beside what a further owner is worth to the maker and
to the platform firm. Brands follow the dated record, so that worlds differ in nothing else.
The worlds are the diagonal of the study `lock_in`; no sweep keeps discounts and rents, which are measured here.

    .venv/bin/python experiments/owner_discount.py [--seeds 5] [--workers 2] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves the figure. docs/lock_in.md explains the measures.
"""

import pandas as pd

import evsim
from evsim.report.experiment import experiment_parser, tell
from evsim.report.figures.intervals import bracketed
from evsim.report.figures.owner_discount import owner_discount
from evsim.study import read_study

SETTINGS = tuple(read_study("lock_in").fixed.values())
STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0)  # times the default κ and ι


def measured(overrides: list[str], seeds: int, workers: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers of each seed in columns, a row a world and seed; and how many owners leave for which payment, a row each."""
    baseline = evsim.load("baseline", *SETTINGS, *overrides).lock_in
    numbers, laws = [], []
    for strength in STRENGTHS:
        keys = {name: strength * getattr(baseline, name) for name in ("switching_cost", "brand_loyalty")}
        levers = [f"lock_in.{name}={value}" for name, value in keys.items()]
        kit = evsim.lock_in(evsim.load("baseline", *SETTINGS, *overrides, *levers), seeds, ("owners",), workers)
        draws = kit.draws[kit.draws["world"] == "own"].pivot(index="replication", columns="name", values="value")
        numbers.append(draws.assign(strength=strength, seed=draws.index, **keys))
        laws.append(kit.compensation.query("lock_in == 'with'").assign(strength=strength))
    return pd.concat(numbers, ignore_index=True), pd.concat(laws, ignore_index=True)


def finding(numbers: pd.DataFrame) -> list[str]:
    """The discount, its parts, and who has them, in sentences."""
    by = dict(iter(numbers.groupby("strength")))
    usual = by[1.0]
    held = usual["platform_part"] + usual["brand_part"]
    told = [
        f"A discount of {bracketed(usual['price'])} kCNY wins an owner in an ecosystem back on the mean: {bracketed(held)} for"
        " what holds it, the rest because the car suits it; half of those who would stay want"
        f" {bracketed(usual['median_stayer'])} or more."
    ]
    told.append(
        f"Of what lock-in adds, {bracketed(usual['platform_part'])} kCNY are the platform's and {bracketed(usual['brand_part'])}"
        f" the brand's; a further owner brings the maker of its car {bracketed(usual['worth_to_maker'])} kCNY of later margins"
        f" and the platform firm {bracketed(usual['worth_to_leader'])} of later fees."
    )
    if 0.0 in by and 2.0 in by:
        told.append(
            f"Where owning does nothing the discount is {bracketed(by[0.0]['price'])} kCNY; with lock-in twice as strong"
            f" {bracketed(by[2.0]['price'])}."
        )
    return told


def main(arguments: list[str] | None = None) -> list[str]:
    """Measure the worlds, print what they say, draw it; returns the sentences."""
    options = experiment_parser(__doc__, 5, "draws of every world", workers=2).parse_args(arguments)
    numbers, laws = measured(options.overrides, options.seeds, options.workers)
    told = finding(numbers)
    return tell(told, {"owner_discount": lambda: owner_discount(numbers, laws, told[0])}, options.folder)


if __name__ == "__main__":
    main()
