"""Which worlds a measure needs, and making them: in this process, or in several that are spawned.

A task is one world of one replication. Replication k has the seed of the scenario plus k in every world, so that worlds are
pairs. The answer of a task depends on nothing but scenario, sizes and k.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple

from evsim.errors import BadRequest, EvsimError
from evsim.model import EVMarket
from evsim.params import Scenario
from evsim.study.lock_in.frozen import entry, lost_lead, sweep
from evsim.study.lock_in.owners import concentration, finished, owners
from evsim.study.lock_in.worlds import (
    Sizes,
    has_leader,
    smaller,
    watched_platform,
    with_other_firms,
    with_primitives_held,
    without_lock_in,
)

Answer = dict[str, Any]
Work = Callable[[Scenario, int, Sizes], Answer]


class Task(NamedTuple):
    """One world of one replication."""

    world: str
    replication: int


def _own(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    """The scenario as it is."""
    model = EVMarket(scenario, rng=seed)
    run = finished(model)
    return owners(model, run) | _outcome(run)


def _outcome(run) -> Answer:
    """What worlds are compared by."""
    return concentration(run) | {"watched_share": run.shares("platform").get(watched_platform(run.scenario), 0.0)}


def _without(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    return _outcome(finished(EVMarket(without_lock_in(scenario), rng=seed)))


def _held(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    return _outcome(finished(with_primitives_held(scenario, seed)))


def _twin(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    return _outcome(finished(EVMarket(with_other_firms(scenario, seed), rng=seed)))


def _small(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    return _outcome(finished(EVMarket(smaller(scenario), rng=seed)))


def _small_twin(scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    return _twin(smaller(scenario), seed, sizes)


def _free(work: Work, scenario: Scenario, seed: int, sizes: Sizes) -> Answer:
    """The same in the world without lock-in."""
    return work(without_lock_in(scenario), seed, sizes)


WORLDS: Mapping[str, Work] = {
    "own": _own,
    "without": _without,
    "held": _held,
    "twin": _twin,
    "small": _small,
    "small_twin": _small_twin,
    "loop": sweep,
    "loop_without": partial(_free, sweep),
    "lead": lost_lead,
    "lead_without": partial(_free, lost_lead),
    "entry": entry,
    "entry_without": partial(_free, entry),
}
PARTS: Mapping[str, tuple[str, ...]] = {  # of the kit: the worlds it needs
    "owners": ("own",),
    "tipping": ("own", "without"),
    "held": ("own", "held"),
    "paths": ("own", "twin", "small", "small_twin"),
    "loop": ("loop", "loop_without"),
    "lead": ("lead", "lead_without"),
    "entrant": ("entry", "entry_without"),
}
USUAL = ("owners", "tipping", "paths", "loop", "lead", "entrant")
MONTH_SECONDS = {"nash": 0.04, "best_response": 0.025, "cost_plus": 0.0, "fixed": 0.0}
REVIEW_SECONDS = 2.5
FROZEN_SECONDS = {
    "loop": 15.0,
    "loop_without": 8.0,
    "lead": 4.0,
    "lead_without": 4.0,
    "entry": 2.0,
    "entry_without": 2.0,
}
NEED_LEADER = ("loop", "lead", "entrant")  # parts about the alliance's platform


def parts_of(scenario: Scenario, parts: Sequence[str]) -> list[str]:
    """Parts of the kit that this scenario has: without a car on the alliance's platform nothing is swept.

    Raises:
        BadRequest: a part of another name, or none that this market has.
    """
    for part in parts:
        if part not in PARTS:
            raise BadRequest(f"'{part}' is no part of the lock-in kit; use some of {', '.join(PARTS)}")
    kept = [part for part in PARTS if part in parts and (part not in NEED_LEADER or has_leader(scenario))]
    if not kept:
        raise BadRequest(
            f"no car of market.table={scenario.market.table} has alliance.platform={scenario.alliance.platform}: "
            f"{', '.join(parts)} cannot be measured; name a platform of the table"
        )
    return kept


def tasks_of(parts: Sequence[str], replications: int) -> list[Task]:
    """The worlds to make, replication by replication.

    Raises:
        BadRequest: not a whole number of replications.
    """
    if isinstance(replications, bool) or not isinstance(replications, int) or replications < 1:
        raise BadRequest(f"replications={replications!r} must be a whole number from 1 on")
    needed = [world for world in WORLDS if any(world in PARTS[part] for part in parts)]
    return [Task(world, number) for number in range(replications) for world in needed]


def expected_seconds(scenario: Scenario, parts: Sequence[str], replications: int) -> float:
    """Roughly how long the worlds take on one core: opening, months by the pricing rule and the rows, yearly reviews.

    Measured on a core of 2024, with 150 lines.
    """
    chosen = scenario.modes.rule == "chosen"
    month = 0.005 + MONTH_SECONDS[scenario.pricing.rule] + 4e-8 * scenario.consumers.count
    whole = 1.0 + scenario.n_months * (month + (REVIEW_SECONDS / 12.0 if chosen else 0.0))
    worlds = {task.world for task in tasks_of(parts_of(scenario, parts), 1)}
    return replications * sum(FROZEN_SECONDS.get(world, whole) for world in worlds)


def perform(task: Task, scenario: Scenario, sizes: Sizes) -> Answer | str:
    """The answer of a task; text: why there is none."""
    try:
        return WORLDS[task.world](scenario, scenario.seed + task.replication, sizes)
    except BadRequest:
        raise
    except EvsimError as error:
        return str(error)


def perform_all(
    tasks: Sequence[Task], scenario: Scenario, sizes: Sizes, workers: int = 1
) -> Iterator[tuple[Task, Answer | str]]:
    """Every task with its answer, as they come.

    Raises:
        BadRequest: the scenario cannot be simulated.
        EvsimError: a worker was killed.
    """
    if workers <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield task, perform(task, scenario, sizes)
        return
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(perform, task, scenario, sizes): task for task in tasks}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BrokenProcessPool as error:
            raise EvsimError("a worker was killed, perhaps for want of memory; use fewer --workers") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
