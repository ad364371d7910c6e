"""One scenario and one seed give one Run."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from .agents import Automaker
from .model import EVMarket
from .params import Scenario
from .results import Run


def run(
    scenario: Scenario | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    agents: Mapping[str, type[Automaker]] | None = None,
) -> Run:
    """Simulate a scenario from its base date to its end.

    Args:
        scenario: what is simulated; none: the baseline.
        seed: replaces the scenario's seed; 0 is a seed.
        threads: of the consumer kernels; none: as many as the machine has cores. No number changes the answer.
        progress: called after each month with (months done, months in all).
        agents: rules of one's own for single automakers, such as {"XPeng": MyRule}, MyRule a subclass of `Independent` with its
            own `choose_mode` or `price`; they are named in the run's diagnostics, for no scenario file can hold them.
    Returns:
        The run's tables, diagnostics and provenance.
    Raises:
        BadRequest: the market table or the scenario cannot be simulated as it stands.
    """
    scenario = Scenario() if scenario is None else scenario
    return finish(EVMarket(scenario, rng=seed, threads=threads or os.cpu_count() or 1, agents=agents), progress, agents)


def finish(
    model: EVMarket,
    progress: Callable[[int, int], None] | None = None,
    agents: Mapping[str, type[Automaker]] | None = None,
) -> Run:
    """Simulate on to the end of a model's scenario; arguments as of `run`."""
    market = model.market
    while model.running:
        model.step()
        if progress:
            progress(market.month, market.scenario.n_months)
    diagnostics: dict[str, Any] = dict(market.diagnostics)
    if agents:
        diagnostics["agents"] = {name: f"{rule.__module__}.{rule.__qualname__}" for name, rule in agents.items()}
    return Run.from_record(market.scenario, market.scenario.seed, model.record, diagnostics)
