"""Many runs: designs, the runner and its engines, the store of what came of them.

    answers = evsim.sweep("scenario=baseline,no_alliance", "subsidy.scale=range(0,1.1,0.5)", plan=Plan(replications=20))
    answers.results()

`request` reads what is asked, `axes` and `design` make the table of runs, `runner` has an engine compute it, `store` keeps
it, `analysis` says what it answers (`heat_map`, `sensitivity`, `discover`, `regret`: plain functions on any table); `boundary`
runs only what a tipping line needs; `compare` holds worlds against each other in pairs, `search` tries levers for the best
policies. The public names are loaded on first use: a worker process needs few of them. `evsim.compare` and `evsim.search` are
not among them, for the names of their modules would hide them here.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Aim": "comparison",
    "Analysis": "analysis.result",
    "Choice": "regret",
    "Comparison": "comparison",
    "Design": "design",
    "Execution": "engines",
    "Grid": "heat_map",
    "Kept": "engines.work",
    "OUTCOMES": "outcomes",
    "Plan": "request",
    "Policies": "policies",
    "Search": "boundary",
    "Store": "store",
    "analyse": "analysis",
    "cart_boxes": "discover",
    "chance_above": "heat_map",
    "comparison_of": "comparison",
    "describe": "outcomes",
    "design_of": "design",
    "design_of_points": "design",
    "drive": "runner",
    "estimate": "estimation",
    "find": "boundary",
    "grid_means": "heat_map",
    "kept_of": "outcomes",
    "latest_store": "store",
    "morris_effects": "sensitivity",
    "prim_boxes": "discover",
    "pursue": "compare",
    "pursue_search": "search",
    "read": "store",
    "read_study": "request",
    "regret_matrix": "regret",
    "regrets": "regret",
    "resume": "runner",
    "sobol_indices": "sensitivity",
    "sweep": "runner",
    "tipping_line": "heat_map",
    "tornado": "sensitivity",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evsim.study' has no attribute '{name}'")
    return getattr(import_module(f"evsim.study.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
