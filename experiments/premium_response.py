"""What does a foreign premium maker lose to the software gap, and which response saves most?

Design: BMW Brilliance and Beijing Benz from 2024 to 2035, in worlds that share every draw. One maker at a time answers by a
rule written here, while the other keeps its stack and prices like everybody:

- hold prices and stack: the prices of the base table, of later lines those they opened at;
- best prices: those of the price game, with the present stack;
- the leader's stack inside: mode `inside` from the first review at which it is open (in all worlds the leader has places enough);
- three times the research on its own stack.

What the gap costs is told twice: against a world in which the maker's own stack is level with the leader's for nothing, and
against one without any gap, where every stack that is behind keeps level from the first month; at best prices all. Both leave
the leader's offer as it is; to take its lead away would change its partners' cars and not only those behind. Profit is the
maker's own, in China, before tax, money of 2023, not discounted. Rules of single makers are no values of keys, so no sweep has
them; the study `premium` varies prices, the gap and who may have the leader's stack for all.

    .venv/bin/python experiments/premium_response.py [--seeds 5] [--workers 2] [--folder experiments/figures] [key=value ...]

Prints the finding in sentences with 90 % intervals and saves the figure.
"""

import pandas as pd

import evsim
from evsim import words
from evsim.agents import Incumbent, Review
from evsim.market.brands import Way
from evsim.report.experiment import experiment_parser, in_processes, tell
from evsim.report.figures.intervals import bracketed
from evsim.report.figures.premium_response import HOLD, INSIDE, LEVEL, NO_GAP, PRICE, RESPONSES, premium_response

MAKERS = ("BMW Brilliance", "Beijing Benz")
RESEARCH = 3.0  # times, with the in-house response
BILLION = 1e6  # kCNY


class Price(Incumbent):
    """Keeps its stack; prices by the scenario's rule."""

    def choose_mode(self, review: Review) -> Way:
        """The present way."""
        return review.table[0].way


class Hold(Price):
    """Keeps its stack and its prices: those of the base table, of later lines those they opened at."""

    def price(self) -> dict[str, float]:
        """The base price of every line."""
        offers = self.model.market.offers
        return {offers.product[row]: float(offers.base_price[row]) for row in self.lines}


class Inside(Price):
    """Takes the leader's full stack under its own name as soon as that is open, and keeps it."""

    def choose_mode(self, review: Review) -> Way:
        """Mode `inside`, or the present way."""
        return next((way for way in review.ways if way.mode == "inside"), review.table[0].way)


class InHouse(Price):
    """Spends a multiple on the research of its own stack."""

    def invest(self, stack: int) -> None:
        """The usual budget, times `RESEARCH`."""
        super().invest(stack)
        self.model.market.platforms.research[stack] *= RESEARCH


class Level(Price):
    """Has a stack that is brought level with the leader's each January, for nothing."""

    def invest(self, stack: int) -> None:
        """The usual budget, and the leader's quality."""
        super().invest(stack)
        market = self.model.market
        quality, leader = market.platforms.quality, market.platform_code(market.scenario.alliance.platform)
        quality[stack] = max(quality[stack], quality[leader])


RULES = dict(zip((*RESPONSES, LEVEL), (Hold, Price, Inside, InHouse, Level), strict=True))


def worlds(overrides: list[str]) -> list[tuple[str, str, evsim.Scenario]]:
    """The maker that answers (none: both alike), its response, the world."""
    common = ("baseline", "alliance.onboardings=100", *overrides)
    world = evsim.load(*common)
    without = evsim.load(*common, f"software.advantage_until={world.start}")
    alone = [(maker, response, world) for maker in MAKERS for response in RULES if response != PRICE]
    return [("", NO_GAP, without), ("", PRICE, world), *alone]


def outcome(job: tuple[str, str, evsim.Scenario, int]) -> pd.DataFrame:
    """Share of the last 12 months and profit over all months of the makers that answer in one run: a row a maker."""
    answering, response, scenario, seed = job
    rules = dict.fromkeys(MAKERS, Price) | ({answering: RULES[response]} if answering else {})
    run = evsim.run(scenario, seed=seed, threads=1, agents=rules)
    earned = run.automakers.groupby("automaker")["profit"].sum() / BILLION
    shares, before, choices = run.shares("automaker"), run.base_shares("automaker"), run.decisions
    joined = choices[choices["chosen"] & (choices["way"] == "inside")].groupby("automaker")["month"].min()
    rows = [
        {
            "seed": seed,
            "maker": maker,
            "response": response,
            "share": shares.get(maker, 0.0),
            "base_share": before.get(maker, 0.0),
            "profit": earned[maker],
            "inside": joined.get(maker, ""),
        }
        for maker in ([answering] if answering else MAKERS)
    ]
    return pd.DataFrame(rows)


def against(table: pd.DataFrame, column: str, response: str) -> pd.DataFrame:
    """Differences to one response, pair by pair: makers and responses by seeds."""
    wide = table.pivot(index=["maker", "response"], columns="seed", values=column)
    return wide - wide.xs(response, level="response").reindex(wide.index.get_level_values("maker")).to_numpy()


def finding(table: pd.DataFrame) -> list[str]:
    """Which response saves most, and what the gap costs each maker, in sentences."""
    saved, earned = against(table, "profit", HOLD), against(table, "profit", PRICE)
    points = 100.0 * against(table, "share", PRICE)
    best = {maker: saved.loc[maker].loc[list(RESPONSES)].mean(axis=1).idxmax() for maker in MAKERS}
    gains = {maker: f"{maker} {bracketed(saved.loc[maker, best[maker]], 0, ' bn CNY')}" for maker in MAKERS}
    most = [
        f"{response} saves {words.names([gains[maker] for maker in MAKERS if best[maker] == response])}"
        for response in dict.fromkeys(best.values())
    ]
    told = [f"Against holding prices and stack, {words.names(most)} over the run: more than any other response."]
    for maker in MAKERS:
        own = table[table["maker"] == maker].set_index("response")
        others = [
            f"{name} {bracketed(saved.loc[maker, name], 0)}" for name in RESPONSES if name not in (best[maker], HOLD)
        ]
        told.append(f"Other responses of {maker}: {', '.join(others)} bn CNY.")
        told.append(
            f"At best prices {maker} goes from {100 * own['base_share'].mean():.1f} % of sales to"
            f" {bracketed(100 * own.loc[[PRICE], 'share'], 2, ' %')}; with a stack level with the leader's it would have"
            f" {bracketed(points.loc[maker, LEVEL], 2)} points and {bracketed(earned.loc[maker, LEVEL], 0)} bn CNY more, in a"
            f" world without any gap {bracketed(points.loc[maker, NO_GAP], 2)} points and"
            f" {bracketed(earned.loc[maker, NO_GAP], 0)} bn."
        )
        never = own.loc[[INSIDE], "inside"].eq("").sum()
        told += [f"Mode inside was never open to it in {never} of the seeds."] if never else []
    return told


def main(arguments: list[str] | None = None) -> list[str]:
    """Run the worlds, print what they say, draw them; returns the sentences."""
    options = experiment_parser(__doc__, 5, "of each world", workers=2).parse_args(arguments)
    jobs = [(*world, seed) for seed in range(options.seeds) for world in worlds(options.overrides)]
    table = pd.concat(in_processes(outcome, jobs, options.workers), ignore_index=True)
    told = finding(table)
    return tell(told, {"premium_response": lambda: premium_response(table, told[0])}, options.folder)


if __name__ == "__main__":
    main()
