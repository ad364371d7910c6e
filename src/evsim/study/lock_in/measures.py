"""The kit's measures: `measure` makes each of them, as value, 90 % interval, unit and one sentence, from draws in pairs.

What a measure is, where it comes from and what it cannot say is in docs/lock_in.md.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from evsim.economics.lock_in import entry_barrier, path_dependence
from evsim.words.lock_in import lock_in_sentence, measured
from evsim.words.pairs import paired_interval

Values = list[float]


@dataclass(frozen=True)
class Answers:
    """What the worlds said: world → replication → answer; a world that failed has none."""

    worlds: Mapping[str, Mapping[int, Mapping[str, Any]]]

    def of(self, world: str, name: str) -> Values:
        """A number of every replication of a world that has it."""
        return [answer[name] for answer in self.worlds.get(world, {}).values() if name in answer]

    def pairs(self, worlds: tuple[str, str], name: str) -> list[tuple[float, float]]:
        """The same number of two worlds, for replications in which both have it."""
        first, second = (self.worlds.get(world, {}) for world in worlds)
        both = [number for number in first if number in second]
        return [(first[k][name], second[k][name]) for k in both if name in first[k] and name in second[k]]


class Estimate(NamedTuple):
    """A measure's value with its limits, and how many replications it comes from."""

    value: float
    low: float
    high: float
    replications: int


class Kind(NamedTuple):
    """What a measure is."""

    name: str  # of the sentence
    chapter: str  # one run, or worlds compared
    unit: str
    estimate: Callable[[Answers], Estimate | None]  # None: not to be had in this scenario


class Measure(NamedTuple):
    """One measure, as a row of the table `measures`."""

    measure: str
    chapter: str
    value: float
    low: float
    high: float
    unit: str
    sentence: str
    replications: int


def measure(kind: Kind, answers: Answers, names: Mapping[str, str]) -> Measure | None:
    """A measure from the answers; None: this scenario has none.

    Args:
        names: what sentences mention (`words.lock_in.lock_in_sentence`).
    """
    estimate = kind.estimate(answers)
    if estimate is None or not math.isfinite(estimate.value):
        return None
    value, low, high, replications = estimate
    said = lock_in_sentence(kind.name, measured(value, low, high, kind.unit), names)
    return Measure(kind.name, kind.chapter, value, low, high, kind.unit, said, replications)


def mean_of(values: Values) -> Estimate | None:
    """Mean with Student's interval."""
    return Estimate(*paired_interval(values), len(values)) if values else None


def of(world: str, name: str) -> Callable[[Answers], Estimate | None]:
    """A number of one world."""
    return lambda answers: mean_of(answers.of(world, name))


def less(world: str, other: str, name: str) -> Callable[[Answers], Estimate | None]:
    """A number of one world less that of another, pair by pair."""
    return lambda answers: mean_of([first - second for first, second in answers.pairs((world, other), name)])


def added(world: str, *names: str) -> Callable[[Answers], Estimate | None]:
    """The sum of some numbers of one world."""

    def estimate(answers: Answers) -> Estimate | None:
        columns = [answers.of(world, name) for name in names]
        return mean_of([sum(each) for each in zip(*columns, strict=True)])

    return estimate


def points(estimate: Callable[[Answers], Estimate | None]) -> Callable[[Answers], Estimate | None]:
    """A difference or spread of shares in percentage points."""

    def scaled(answers: Answers) -> Estimate | None:
        found = estimate(answers)
        return found and Estimate(100.0 * found.value, 100.0 * found.low, 100.0 * found.high, found.replications)

    return scaled


def share_of_variance(world: str, twin: str) -> Callable[[Answers], Estimate | None]:
    """Share of variance between worlds that differ in firms' draws alone."""

    def estimate(answers: Answers) -> Estimate | None:
        pairs = answers.pairs((world, twin), "watched_share")
        if not pairs:
            return None
        found = path_dependence(*zip(*pairs, strict=True))
        return Estimate(found.share, found.low, found.high, len(pairs))

    return estimate


def spread(world: str, twin: str) -> Callable[[Answers], Estimate | None]:
    """Standard deviation between such worlds, with chi-square limits."""

    def estimate(answers: Answers) -> Estimate | None:
        from scipy.special import chdtri

        pairs = answers.pairs((world, twin), "watched_share")
        if not pairs:
            return None
        found, n = path_dependence(*zip(*pairs, strict=True)).spread, len(pairs)
        low, high = (found * math.sqrt(n / float(chdtri(n, tail))) for tail in (0.05, 0.95))
        return Estimate(found, low, high, n)

    return estimate


def barrier(answers: Answers) -> Estimate | None:
    """What lock-in keeps from a newcomer."""
    pairs = answers.pairs(("entry", "entry_without"), "share")
    return mean_of([float(entry_barrier(held, free)) for held, free in pairs])


def parity(entry: str) -> Callable[[Answers], Estimate | None]:
    """What the newcomer sells of what its twin sells."""
    return lambda answers: mean_of(
        [share / twin for share, twin in zip(answers.of(entry, "share"), answers.of(entry, "twin"), strict=True)]
    )


def remainder(answers: Answers) -> Estimate | None:
    """Half-life of what is left of the lead, where something is."""
    left = answers.of("lead", "left")
    return mean_of(answers.of("lead", "remainder_half_life")) if left and np.mean(left) > LEAST_LEFT else None


LEAST_LEFT = 0.01  # of a lead: below, there is nothing whose half-life could be told
ONE, TWO = "one run", "worlds compared"
KINDS: Sequence[Kind] = (
    Kind("counted_repeat", ONE, "fraction", of("own", "counted_repeat")),
    Kind("counted_excess", ONE, "points", points(of("own", "counted_excess"))),
    Kind("repeat_purchase", ONE, "fraction", of("own", "repeat")),
    Kind("naive_excess", ONE, "points", points(of("own", "naive_excess"))),
    Kind("state_dependence", ONE, "points", points(of("own", "state_dependence"))),
    Kind("taste", ONE, "points", points(of("own", "taste"))),
    Kind("naive_switching_cost", ONE, "utils", of("own", "naive_switching_cost")),
    Kind("switching_cost", ONE, "utils", of("own", "switching_cost")),
    Kind("brand_repeat_purchase", ONE, "fraction", of("own", "brand_repeat")),
    Kind("brand_naive_excess", ONE, "points", points(of("own", "brand_naive_excess"))),
    Kind("brand_state_dependence", ONE, "points", points(of("own", "brand_state_dependence"))),
    Kind("tenure", ONE, "months", of("own", "tenure")),
    Kind("free_tenure", ONE, "months", of("own", "free_tenure")),
    Kind("leaving_anyhow", ONE, "fraction", of("own", "leaving_anyhow")),
    Kind("compensating_price", ONE, "kCNY", of("own", "price")),
    Kind("median_stayer", ONE, "kCNY", of("own", "median_stayer")),
    Kind("tenth_stayer", ONE, "kCNY", of("own", "tenth_stayer")),
    Kind("lock_in_price", ONE, "kCNY", added("own", "platform_part", "brand_part")),
    Kind("platform_rent", ONE, "kCNY", of("own", "platform_part")),
    Kind("brand_rent", ONE, "kCNY", of("own", "brand_part")),
    Kind("worth_to_maker", ONE, "kCNY", of("own", "worth_to_maker")),
    Kind("worth_to_leader", ONE, "kCNY", of("own", "worth_to_leader")),
    Kind("hhi_brand", ONE, "HHI points", of("own", "hhi_brand")),
    Kind("hhi_automaker", ONE, "HHI points", of("own", "hhi_automaker")),
    Kind("hhi_platform", ONE, "HHI points", of("own", "hhi_platform")),
    Kind("tipping", TWO, "HHI points", less("own", "without", "hhi_platform")),
    Kind("tipping_brand", TWO, "HHI points", less("own", "without", "hhi_brand")),
    Kind("tipping_automaker", TWO, "HHI points", less("own", "without", "hhi_automaker")),
    Kind("tipping_held", TWO, "HHI points", less("own", "held", "hhi_platform")),
    Kind("share_gain", TWO, "points", points(less("own", "without", "watched_share"))),
    Kind("loop_width", TWO, "kCNY", less("loop", "loop_without", "width")),
    Kind("loop_width_held", TWO, "kCNY", of("loop", "width")),
    Kind("loop_width_free", TWO, "kCNY", of("loop_without", "width")),
    Kind("loop_gap", TWO, "points", points(of("loop", "gap"))),
    Kind("lead_left", TWO, "fraction", of("lead", "left")),
    Kind("lead_left_free", TWO, "fraction", of("lead_without", "left")),
    Kind("half_life", TWO, "months", of("lead", "half_life")),
    Kind("half_life_free", TWO, "months", of("lead_without", "half_life")),
    Kind("remainder_half_life", TWO, "months", remainder),
    Kind("membership_hysteresis", TWO, "brands", of("own", "membership_gap")),
    Kind("path_share", TWO, "fraction", share_of_variance("own", "twin")),
    Kind("path_spread", TWO, "points", points(spread("own", "twin"))),
    Kind("path_share_small", TWO, "fraction", share_of_variance("small", "small_twin")),
    Kind("path_spread_small", TWO, "points", points(spread("small", "small_twin"))),
    Kind("entrant_share", TWO, "fraction", of("entry", "share")),
    Kind("entrant_share_free", TWO, "fraction", of("entry_without", "share")),
    Kind("entrant_parity", TWO, "fraction", parity("entry")),
    Kind("entrant_parity_free", TWO, "fraction", parity("entry_without")),
    Kind("entry_barrier", TWO, "fraction", barrier),
)
