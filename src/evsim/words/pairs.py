"""Two worlds side by side: mean paired differences in words, with their intervals."""

from collections.abc import Sequence
from math import isnan
from statistics import fmean, stdev
from typing import Any

from .language import CAMPS, POOLED, names, period, world


def compare(baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> list[str]:
    """What another world changes over the last 12 months: mean paired differences with 90 % intervals.

    Args:
        baseline_runs: runs of one scenario, one a seed.
        other_runs: runs of the other, with the same seeds in the same order.
    Returns:
        Sentences: camps, the automakers that gain and lose most, combustion cars, the mean price.
    Raises:
        ValueError: the two lists are not pairs.
    """
    check_pairs(baseline_runs, other_runs)
    phrase, when = world(other_runs[0].scenario.name), f"in {period(other_runs[0])}"
    camps, firms, drives = (share_changes(baseline_runs, other_runs, by) for by in ("camp", "automaker", "powertrain"))
    sold = {camp for run in other_runs for camp in run.shares("camp")}
    moved = [name for name in firms if not name.startswith(POOLED)]
    facts = [(CAMPS[camp], camps[camp], camp != "alliance") for camp in CAMPS if camp in sold]
    facts += [(name, firms[name], False) for name in dict.fromkeys((*moved[:-4:-1], moved[0]))]
    if "ice" in drives:
        facts.append(("combustion cars", drives["ice"], True))
    sentences = [f"{phrase}, {who} {share_change(interval, plural)} {when}." for who, interval, plural in facts]
    price_moves = paired_interval(
        [
            float(other.yearly()["mean_price"].iloc[-1] - base.yearly()["mean_price"].iloc[-1])
            for base, other in zip(baseline_runs, other_runs, strict=True)
        ]
    )
    sentences.append(f"{phrase}, the mean price {_price_change(price_moves)} {when}.")
    pairs = len(baseline_runs)
    spread = "Mean of {} paired seeds, 90 % interval in brackets." if pairs > 1 else "One pair of runs: no interval."
    return [*sentences, spread.format(pairs)]


def comparison_finding(baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> str:
    """The automakers that clearly gain and lose most in another world: intervals without zero."""
    check_pairs(baseline_runs, other_runs)
    changes = share_changes(baseline_runs, other_runs, "automaker")
    phrase, when = world(other_runs[0].scenario.name), f"in {period(other_runs[0])}"
    clear = [name for name, (_, low, high) in changes.items() if not low <= 0.0 <= high and not name.startswith(POOLED)]
    if not clear:
        return f"{phrase}, no automaker's share changes by more than chance {when}."
    both = names(f"{name} {share_change(changes[name])}" for name in dict.fromkeys((clear[-1], clear[0])))
    return f"{phrase}, {both} {when}."


def share_changes(
    baseline_runs: Sequence[Any], other_runs: Sequence[Any], by: str
) -> dict[str, tuple[float, float, float]]:
    """Mean paired difference of final shares and its interval, by a text column of `market`; losers first."""
    pairs = [(base.shares(by), other.shares(by)) for base, other in zip(baseline_runs, other_runs, strict=True)]
    everyone = sorted({name for pair in pairs for shares in pair for name in shares})
    changes = {
        name: paired_interval([other.get(name, 0.0) - base.get(name, 0.0) for base, other in pairs])
        for name in everyone
    }
    return dict(sorted(changes.items(), key=lambda item: item[1][0]))


def share_change(interval: tuple[float, float, float], plural: bool = False) -> str:
    """`gains 2.1 points [1.8, 2.4]`: a mean difference of shares with its interval, measured the verb's way."""
    verb = ("gain" if interval[0] >= 0 else "lose") + ("" if plural else "s")
    return f"{verb} {_size(interval, 100.0)[0]} points{_size(interval, 100.0)[1]}"


def _price_change(interval: tuple[float, float, float]) -> str:
    """`falls by 1.2 kCNY [0.9, 1.5]`."""
    size, ends = _size(interval, 1.0)
    return f"{'rises' if interval[0] >= 0 else 'falls'} by {size} kCNY{ends}"


def _size(interval: tuple[float, float, float], scale: float) -> tuple[str, str]:
    """The size of a change and its interval in brackets, both counted in the direction of the mean."""
    sign = scale if interval[0] >= 0 else -scale
    mean, *ends = (round(sign * value, 1) + 0.0 for value in interval)  # -0.0 + 0.0 is 0.0
    low, high = sorted(ends)
    return f"{mean:.1f}", "" if isnan(low) else f" [{low:.1f}, {high:.1f}]"


def paired_interval(differences: Sequence[float], coverage: float = 0.90) -> tuple[float, float, float]:
    """Mean of paired differences with its Student interval.

        d̄ ± t_{n−1} s_d / √n

    Args:
        differences: other less baseline, one a pair.
        coverage: of the interval.
    Returns:
        Mean, low and high end; the ends are nan for a single pair.
    """
    from scipy.special import stdtrit

    n, mean = len(differences), fmean(differences)
    if n == 1:
        return mean, float("nan"), float("nan")
    half = float(stdtrit(n - 1, 0.5 + coverage / 2.0)) * stdev(differences) / n**0.5
    return mean, mean - half, mean + half


def check_pairs(baseline_runs: Sequence[Any], other_runs: Sequence[Any]) -> None:
    """Two lists of runs must hold the same seeds in the same order over the same months.

    Raises:
        ValueError: saying what differs.
    """
    seeds = [[run.seed for run in runs] for runs in (baseline_runs, other_runs)]
    if not seeds[0] or seeds[0] != seeds[1]:
        raise ValueError(f"runs are compared in pairs: seeds {seeds[0]} and {seeds[1]} must be the same, at least one")
    spans = {(run.scenario.start, run.scenario.end) for run in (*baseline_runs, *other_runs)}
    if len(spans) > 1:
        raise ValueError(f"runs are compared over the same months, not {sorted(spans)}")
