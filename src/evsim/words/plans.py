"""What a study is going to do, and what it will cost: the lines before its first run, and those of a dry run."""

from collections.abc import Sequence

from .comparisons import Manner
from .language import duration, number

MOST_SHOWN = 6  # worlds
NOTHING_DONE = "Nothing was run or written."
NOTHING_LEFT = "Every run of it is there."


def counted(count: int, thing: str) -> str:
    """`1 run`, `1,200 runs`; `1 policy`, `8 policies`."""
    if count == 1:
        return f"1 {thing}"
    return f"{count:,} {thing[:-1]}ies" if thing.endswith("cy") else f"{count:,} {thing}s"


def sweep_plan(n_points: int, n_seeds: int) -> str:
    """How many runs a sweep has: `3 scenarios × 40 seeds = 120 runs`."""
    seeds = f" × {counted(n_seeds, 'seed')}" if n_seeds > 1 else ""
    return f"{counted(n_points, 'scenario')}{seeds} = {counted(n_points * n_seeds, 'run')}"


def comparison_plan(worlds: Sequence[str], n_seeds: int) -> str:
    """How many runs a comparison has, and of what; the first world is the one that others are held against."""
    first, *others = worlds
    more = f", … ({len(others):,} worlds)" if len(others) > MOST_SHOWN else ""
    size = f"{counted(len(worlds), 'world')} × {counted(n_seeds, 'seed')} = {counted(len(worlds) * n_seeds, 'run')}"
    between = "; " if any(", " in name for name in worlds) else ", "
    return f"{size}\n  {between.join(others[:MOST_SHOWN])}{more} against {first}"


def precision_plan(headline: str, how: Manner, precision: float, most_seeds: int, most_runs: int) -> str:
    """Until when replications are added, and how many there can be."""
    wanted = f"± {number(precision)} {how.unit}".rstrip()
    return f"  more until {headline} is {wanted}, at most {counted(most_seeds, 'seed')} ({counted(most_runs, 'run')})"


def search_plan(n_policies: int, n_draws: int, n_seeds: int, n_fresh: int) -> str:
    """How many runs a search has; those of the front come after."""
    parts = [counted(n_draws, "draw")] if n_draws > 1 else []
    parts += [counted(n_seeds, "seed")] if n_seeds > 1 or not parts else []
    worlds = n_draws * n_seeds
    return (
        f"{counted(n_policies, 'policy')} × {counted(worlds, 'world')} ({' × '.join(parts)}) = "
        f"{counted(n_policies * worlds, 'run')}, then the front in {counted(n_fresh, 'fresh world')}"
    )


def cost(n_runs: int, run_seconds: float, workers: int, seconds: float, size: float) -> str:
    """`120 runs of 1.2 s on 2 workers: about 72 s (0.02 hours), 0.4 MB of disk.`"""
    return (
        f"{counted(n_runs, 'run')} of {duration(run_seconds)} on {counted(workers, 'worker')}: {_spent(seconds, size)}."
    )


def cost_at_most(n_runs: int, seconds: float, size: float) -> str:
    """After `cost`: that it is the least, and what the most would be."""
    return f"This is the least; as many as {counted(n_runs, 'run')} may come of --precision: {_spent(seconds, size)}."


def cost_of_front(n_runs: int, seconds: float) -> str:
    """After `cost`: what each policy on the front adds."""
    return f"The front comes on top: {counted(n_runs, 'run')}, about {duration(seconds)}, for each policy on it."


def _spent(seconds: float, size: float) -> str:
    """Time and disk."""
    disk = f"{number(size / 1e6)} MB" if size < 1e9 else f"{number(size / 1e9)} GB"
    return f"about {duration(seconds)} ({seconds / 3600.0:.2g} hours), {disk} of disk"
