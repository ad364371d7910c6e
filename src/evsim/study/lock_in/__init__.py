"""The lock-in kit: how strong lock-in is in a scenario, and in worlds that are compared with it.

    kit = evsim.lock_in(evsim.load("baseline"), replications=20)
    kit.measures

    worlds    what is compared: the scenario's own world, those without lock-in, frozen ones
    survey    what the pricing panel would buy next, as chances
    owners    what one world says of its owners
    frozen    the sweep, the lost lead, the newcomer
    tasks     which worlds a measure needs, and making them
    measures  value, interval, unit and sentence of each
    result    what is found, as frames

docs/lock_in.md explains every measure: formula, source, what it cannot say.
"""

from collections.abc import Callable, Sequence

from evsim.params import Scenario
from evsim.study.lock_in.measures import Answers
from evsim.study.lock_in.result import LockIn, result_of
from evsim.study.lock_in.tasks import PARTS, USUAL, expected_seconds, parts_of, perform_all, tasks_of
from evsim.study.lock_in.worlds import Sizes

__all__ = ["PARTS", "USUAL", "LockIn", "Sizes", "expected_seconds", "lock_in", "worlds_of"]


def lock_in(
    scenario: Scenario | None = None,
    replications: int = 20,
    parts: Sequence[str] = USUAL,
    workers: int = 1,
    sizes: Sizes | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> LockIn:
    """Measure lock-in in a scenario.

    Args:
        scenario: what is simulated; none: the baseline.
        replications: draws in pairs; replication k has the scenario's seed plus k in every world.
        parts: of the kit, of `PARTS`; those about the alliance's platform are left out where no car has it.
        workers: processes; they are spawned, so a script needs `if __name__ == "__main__":` for more than one. No number
            changes the answer.
        sizes: of the frozen worlds, and what is done to them.
        progress: called after each world with (worlds done, worlds in all, of them failed).
    Returns:
        Measures with 90 % intervals and the tables behind them. A world that fails is named in `failures`, and its
        replication is left out of the measures that need it.
    Raises:
        BadRequest: the scenario cannot be simulated, or a part does not exist.
    """
    scenario, sizes = Scenario() if scenario is None else scenario, Sizes() if sizes is None else sizes
    parts = parts_of(scenario, parts)
    tasks = tasks_of(parts, replications)
    worlds: dict[str, dict] = {task.world: {} for task in tasks}
    failures = []
    for done, (task, answer) in enumerate(perform_all(tasks, scenario, sizes, workers), start=1):
        if isinstance(answer, str):
            failures.append(f"World '{task.world}' of seed {scenario.seed + task.replication} failed: {answer}")
        else:
            worlds[task.world][task.replication] = answer
        if progress:
            progress(done, len(tasks), len(failures))
    answers = Answers({world: dict(sorted(given.items())) for world, given in worlds.items()})
    return result_of(scenario, replications, parts, sizes, answers, sorted(failures))


def worlds_of(scenario: Scenario, parts: Sequence[str], replications: int) -> int:
    """How many worlds `lock_in` makes."""
    return len(tasks_of(parts_of(scenario, parts), replications))
