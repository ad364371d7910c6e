"""How long a run takes, warm, and against the plain Mesa way of the same model.

    .venv/bin/python benchmarks/speed.py [--threads 2] [--repeats 3]

Prints medians of wall-clock seconds on this machine and their ratios; the ratios are what to quote. The plain Mesa way is one
Python object a household, stepped every month, each shopper choosing with numpy: what a Mesa tutorial would write.
"""

import argparse
import statistics
import time

import mesa
import numpy as np

from evsim.market import kernels
from evsim.market.owners import tastes_of
from evsim.model import EVMarket
from evsim.params import Scenario


class PlainHousehold(mesa.Agent):
    """One household as an object: scans its calendar each month, and shops with numpy when it is due."""

    def __init__(self, model, tastes, visit):
        super().__init__(model)
        self.tastes, self.visit, self.line = tastes, visit, -1

    def step(self):
        """One month."""
        if self.visit != self.model.month:
            return
        shelf, habits = self.model.shelf, self.model.habits
        sensitivity = habits.median_sensitivity / self.tastes[0]
        utility = (
            shelf.quality
            + habits.median_sensitivity * self.tastes[1] * shelf.software
            + self.tastes[2] * shelf.electric
            + self.tastes[3] * shelf.premium
            + self.tastes[5 + shelf.size_class]
            + habits.phone_effect * self.tastes[4] * shelf.leader
            + habits.brand_loyalty * (shelf.brand == self.line)
            - sensitivity * shelf.outlay
            + self.model.generator.gumbel(size=len(shelf.quality))
        )
        keep = -sensitivity * habits.outside_outlay + self.model.generator.gumbel()
        bought = utility.max() > keep
        self.line = int(shelf.brand[utility.argmax()]) if bought else self.line
        self.visit = self.model.month + (80 if bought else 6)


class PlainMarket(mesa.Model):
    """The consumers' part of a month, the plain way."""

    def __init__(self, market):
        super().__init__(rng=0)
        rows = market.on_sale()
        self.shelf, self.habits, self.month = market.shelf(rows, market.offers.price[rows]), market.habits, 0
        self.generator = np.random.Generator(np.random.Philox(0))
        tastes = tastes_of(0, market.population.household, market.habits)
        for i in range(len(market.population)):
            PlainHousehold(self, tastes[i], int(market.population.visit[i]))

    def step(self):
        """One month."""
        self.month += 1
        self.agents.do("step")


def median_seconds(task, repeats: int) -> float:
    """Median wall-clock time of a task."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def run_of(threads: int, count: int, rule: str, modes: str = "chosen"):
    """A task: the baseline from its table to 2035."""
    settings = {"consumers": {"count": count}, "pricing": {"rule": rule}, "modes": {"rule": modes}}
    scenario = Scenario.model_validate(settings)
    return lambda: EVMarket(scenario, threads=threads).run_model()


def consumers_only(count: int, months: int, threads: int) -> tuple[float, float]:
    """Seconds per month of the consumers' part: columns and kernels, and one object a household."""
    scenario = Scenario.model_validate({"consumers": {"count": count}, "pricing": {"rule": "fixed"}})
    model = EVMarket(scenario, threads=threads)
    market, rows = model.market, model.market.on_sale()
    shelf, world = market.shelf(rows, market.offers.price[rows][None]), market.world()._replace(month=0)
    columns = tuple(
        getattr(market.population, name) for name in ("household", "line", "platform", "bought", "joined", "due")
    )

    def columnar():
        for month in range(1, months + 1):
            shoppers = np.flatnonzero(market.population.visit == month)
            class_of, choice, worth = (
                np.zeros(len(shoppers), np.int64),
                np.empty(len(shoppers), np.int64),
                np.empty(len(shoppers)),
            )
            kernels.shop(0, shoppers, columns, market.habits, shelf, class_of, world, (choice, worth))

    plain = PlainMarket(market)
    seconds = median_seconds(columnar, 1) / months
    return seconds, median_seconds(lambda: [plain.step() for _ in range(months)], 1) / months


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for rule in ("nash", "fixed", "best_response"):
        run_of(options.threads, 1_000, rule)()  # compiled and read in before the clock starts
    times = {}
    for rule, count in (
        ("nash", 100_000),
        ("best_response", 100_000),
        ("fixed", 100_000),
        ("fixed", 400_000),
        ("nash", 20_000),
    ):
        times[rule, count] = median_seconds(run_of(options.threads, count, rule), options.repeats)
        print(f"baseline to 2035, {count:>7,} rows, pricing {rule:13}: {times[rule, count]:6.2f} s", flush=True)
    given = median_seconds(run_of(options.threads, 100_000, "nash", "timeline"), options.repeats)
    print(f"modes chosen over modes of record:      {times['nash', 100_000] / given:5.1f} times ({given:.2f} s)")
    print(f"nash over fixed prices:                 {times['nash', 100_000] / times['fixed', 100_000]:5.1f} times")
    print(f"four times the rows, fixed prices:      {times['fixed', 400_000] / times['fixed', 100_000]:5.1f} times")
    columnar, plain = consumers_only(20_000, 12, options.threads)
    print(f"a month of 20,000 consumers: columns {1e3 * columnar:.1f} ms, one object each {1e3 * plain:.1f} ms")
    print(f"columns over plain Mesa:                {plain / columnar:5.1f} times faster")


if __name__ == "__main__":
    main()
