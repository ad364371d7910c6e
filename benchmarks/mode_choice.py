"""Does the short cut by which modes are valued choose as the full price game would?

Brands that choose at reviews of the baseline are sampled; each table is worked out twice, by the maker's best reply with rivals'
prices held (as the model does, giants in the full game where a choice is close) and with every way at every point in the full
game. Draws and resistance are the same. Printed: how often both choose the same, and what the short cut's choice loses where
they differ, as a share of the brand's discounted gross profit.

    .venv/bin/python benchmarks/mode_choice.py [--reviews 200] [--seeds 2]
"""

import argparse
import time
from dataclasses import replace

import numpy as np

import evsim
from evsim.agents.chair import Chair, choosing
from evsim.economics.options import logit_choice
from evsim.market.forecast import Forecast
from evsim.market.values import solved_table
from evsim.model import EVMarket

YEARS = 8  # reviews of as many years are sampled


def sampled(model: EVMarket, count: int) -> list[tuple[bool, float, float, float]]:
    """(same choice, regret, seconds short, seconds full) of some brands at the review of this month."""
    market = model.market
    brands = choosing(market)
    chair = Chair(model, Forecast(market), brands)
    turn = np.random.default_rng(market.month).permutation(len(brands))
    found = []
    for place in turn[:count]:
        brand = brands[place]
        maker = model.automakers[brand.automaker]
        start = time.perf_counter()
        review = chair.review_of(brand, maker)
        middle = time.perf_counter()
        if len(review.table) < 2:
            continue
        table = solved_table(chair.forecast, brand, maker.stakes(market.scenario.modes), chair.means(maker))
        whole = replace(review, table=tuple(table))
        full_time = time.perf_counter() - middle
        seen = whole.values + whole.unseen
        short, full = (int(logit_choice(each.values, each.precision, each.shocks)[1]) for each in (review, whole))
        scale = max(row.brand_profit for row in table)
        found.append((short == full, (seen[full] - seen[short]) / max(scale, 1.0), middle - start, full_time))
    return found


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--reviews", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    each = -(-options.reviews // (options.seeds * YEARS))
    found = []
    for seed in range(options.seeds):
        model = EVMarket(evsim.load("baseline", "consumers.count=20000"), rng=seed, threads=2)
        while model.running and len(found) < options.reviews:
            if (model.market.month % 12) == 0 and model.market.month:
                found += sampled(model, each)
            model.step()
    same, regret, short, full = (
        np.array(column, dtype=float) for column in zip(*found[: options.reviews], strict=True)
    )
    print(f"{len(same)} reviews: the same choice in {100 * same.mean():.1f} %")
    where = regret[same == 0]
    if len(where):
        print(
            f"regret where they differ: mean {100 * where.mean():.2f} %, largest {100 * where.max():.2f} % of the brand's "
            "gross profit"
        )
    print(f"the full game takes {full.sum() / short.sum():.0f} times as long")


if __name__ == "__main__":
    main()
