"""Survey noise: what the number of households asked about prices does to prices and to outcomes.

    .venv/bin/python benchmarks/survey_noise.py [--seeds 3] [--years 5] [--pairs 6]

First, how far prices move from month to month in a market where nothing else changes: the frozen world of the lock-in kit (no
launches, no technical or policy change, members on record) without credits, Nash prices. Whatever moves is the panel of
households living its life (goal: no price by more than 0.5 % in a month).

Then, what that means for a sweep (`pricing=best_response`, on record, to 2032): by how much outcomes of its last year differ from
those with 8,000 households, beside how much they differ between seeds; and how much the effect of an advantage of 30 kCNY in
software differs between seeds, which is what an interval of a comparison is made of.
"""

import argparse

import pandas as pd

import evsim
from evsim.simulation import finish, run
from evsim.study.lock_in.worlds import Sizes, changed, frozen, open_frozen

OUTCOMES = ("alliance_share", "nev_penetration", "mean_price", "hhi_brand", "hhi_platform")
BEST = 8_000  # households that the others are held against


def print_moves(size: int, seeds: int, years: int) -> None:
    """The largest and the mean monthly move of prices with so many households asked."""
    baseline = evsim.load("baseline", "consumers.count=20000")
    quiet = {
        "pricing": {"rule": "nash"},
        "credits": {"rule": "off"},  # a maker's balance of credits follows its sampled sales
        "lock_in": {"network_effect": 0.0},
    }
    still = changed(frozen(baseline, Sizes(rows=20_000, survey=size), 12 * years), quiet)
    for seed in range(seeds):
        prices = finish(open_frozen(still, seed)).market.pivot(index="month", columns="product", values="price")
        moves = prices.pct_change().abs().iloc[2:].stack()  # in the first month credits go
        month, product = moves.idxmax()
        print(
            f"{size:5} households, seed {seed}: largest {100 * moves.max():.2f} % ({product}, {month}), "
            f"mean {100 * moves.mean():.4f} %",
            flush=True,
        )


def outcomes(size: int, seeds: int, *words: str) -> pd.DataFrame:
    """Means of the last year, a row a seed."""
    sized = (
        "consumers.count=20000",
        "pricing=best_response",
        "modes=timeline",
        "end=2032-12",
        f"pricing.survey_size={size}",
    )
    scenario = evsim.load("baseline", *sized, *words)
    return pd.DataFrame([run(scenario, seed=seed).headline[list(OUTCOMES)].iloc[-12:].mean() for seed in range(seeds)])


def print_outcomes(seeds: int) -> None:
    """How outcomes, and effects, differ by the number of households asked."""
    plain = {size: outcomes(size, seeds) for size in (500, 1_000, 2_000, BEST)}
    ahead = {size: outcomes(size, seeds, "software.advantage_kcny=30") for size in plain}
    for name in OUTCOMES:
        level, effect = plain[BEST][name], {size: (ahead[size] - plain[size])[name] for size in plain}
        apart = {size: ((plain[size][name] - level) ** 2).mean() ** 0.5 for size in plain if size != BEST}
        print(f"{name}: {level.mean():.4g}, between seeds ± {level.std():.2g}")
        print("    apart from that with 8,000: " + ", ".join(f"{size}: {value:.2g}" for size, value in apart.items()))
        print(
            "    effect of the advantage: "
            + ", ".join(f"{s}: {e.mean():.3g} ± {e.std():.2g}" for s, e in effect.items())
        )


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--years", type=int, default=5)
    parser.add_argument("--pairs", type=int, default=6)
    options = parser.parse_args()
    for size in (500, 1_000, 2_000, 4_000):
        print_moves(size, options.seeds, options.years)
    print_outcomes(options.pairs)


if __name__ == "__main__":
    main()
