"""Survey noise: how far prices move from month to month in a market where nothing else changes.

    .venv/bin/python benchmarks/survey_noise.py [--seeds 3] [--years 5]

The frozen world of the lock-in kit (no launches, no technical or policy change, members on record) without credits, Nash prices;
whatever moves is the panel of households living its life (goal: no price by more than 0.5 % in a month).
"""

import argparse

import evsim
from evsim.simulation import finish
from evsim.study.lock_in.worlds import Sizes, changed, frozen, open_frozen


def main() -> None:
    """Print the largest and the mean monthly move of each panel size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--years", type=int, default=5)
    options = parser.parse_args()
    baseline, quiet = (
        evsim.load("baseline", "consumers.count=20000"),
        {
            "pricing": {"rule": "nash"},
            "credits": {"rule": "off"},  # a maker's balance of credits follows its sampled sales
            "lock_in": {"network_effect": 0.0},
        },
    )
    for size in (500, 1_000, 2_000, 4_000):
        still = changed(frozen(baseline, Sizes(rows=20_000, survey=size), 12 * options.years), quiet)
        for seed in range(options.seeds):
            run = finish(open_frozen(still, seed))
            prices = run.market.pivot(index="month", columns="product", values="price")
            moves = prices.pct_change().abs().iloc[2:].stack()  # in the first month credits go
            month, product = moves.idxmax()
            print(
                f"{size:5} households, seed {seed}: largest {100 * moves.max():.2f} % ({product}, {month}), "
                f"mean {100 * moves.mean():.4f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
