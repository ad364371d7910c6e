"""evsim: China's car market, agent by agent.

    scenario = evsim.load("baseline", "software.advantage_kcny=30")
    run = evsim.run(scenario, seed=7)
    run.headline

The public names are loaded on first use, so that `import evsim` costs nothing.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "AllianceOEM": "agents",
    "Automaker": "agents",
    "EVMarket": "model",
    "Incumbent": "agents",
    "Independent": "agents",
    "Run": "results",
    "Scenario": "params",
    "analyse": "study.analysis",
    "compare": "study.compare",
    "load": "scenarios",
    "lock_in": "study.lock_in",
    "read": "study.store",
    "run": "simulation",
    "search": "study.search",
    "sweep": "study.runner",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evsim' has no attribute '{name}'")
    return getattr(import_module(f"evsim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
