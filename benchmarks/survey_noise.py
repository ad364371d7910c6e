"""Survey noise: how far prices move from month to month in a market where nothing else changes.

    .venv/bin/python benchmarks/survey_noise.py [--seeds 3] [--years 5]

No launches, no technical or policy change, Nash prices; whatever moves is the panel of households living its life (goal: no
price by more than 0.5 % in a month).
"""

import argparse

import evsim
from evsim.params import Scenario

FROZEN = {
    "consumers": {"count": 20_000},
    "products": {"launches": "none", "ageing": 0.0, "hardware_gap": 0.0},
    "software": {"success_gain": 0.0},
    "battery": {"learning_rate": 0.0},
    "chargers": {"value": 0.0},
    "lock_in": {"network_effect": 0.0},
    "capacity": {"headroom": 20.0, "minimum": 1e6},
    "subsidy": {"hold_from": "2023-12"},
}


def main() -> None:
    """Print the largest and the mean monthly move of each panel size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--years", type=int, default=5)
    options = parser.parse_args()
    for size in (500, 1_000, 2_000, 4_000):
        for seed in range(options.seeds):
            choices = {"end": f"{2023 + options.years}-12", "pricing": {"survey_size": size}}
            run = evsim.run(Scenario.model_validate(FROZEN | choices), seed=seed)
            prices = run.market.pivot(index="month", columns="product", values="price")
            moves = prices.pct_change().abs().iloc[1:].stack()
            month, product = moves.idxmax()
            print(
                f"{size:5} households, seed {seed}: largest {100 * moves.max():.2f} % ({product}, {month}), "
                f"mean {100 * moves.mean():.4f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
