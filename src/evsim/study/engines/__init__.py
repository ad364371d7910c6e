"""Where runs are computed: an engine takes tasks and gives answers, in whatever order they come.

`local` has worker processes on this machine, `ray` a cluster. An engine decides nothing: what is to be run again, and what is
kept, is the runner's business, so that the same tasks give the same store by any engine.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evsim.errors import BadRequest

from .work import Answer, Job, Task

LONGEST_RUN = 3_600.0  # seconds


@dataclass(frozen=True)
class Execution:
    """How runs are computed; nothing here changes a result.

    Attributes:
        engine: `local` or `ray`.
        workers: processes at a time; none: one for each core.
        timeout: seconds after which a run is given up.
        address: of the Ray cluster; none: one on this machine, for this study.
        quiet: show no progress.
    """

    engine: str = "local"
    workers: int | None = None
    timeout: float = LONGEST_RUN
    address: str | None = None
    quiet: bool = False


class Engine(Protocol):
    """What the runner asks of an engine."""

    def room(self) -> int:
        """How many more tasks it would take now."""

    def submit(self, task: Task) -> None:
        """Take a task."""

    def poll(self, seconds: float) -> Sequence[Answer]:
        """The answers that have come, after waiting at most some seconds for the first; a lost task has one too."""

    def close(self) -> None:
        """Stop all work at once."""


def check(execution: Execution) -> Execution:
    """The execution, if there is such an engine here.

    Raises:
        BadRequest: there is none of that name, or its library is not installed.
    """
    if execution.engine not in ("local", "ray"):
        raise BadRequest(f"--engine={execution.engine}: must be local or ray")
    if execution.engine == "ray" and importlib.util.find_spec("ray") is None:
        raise BadRequest("--engine=ray: Ray is not installed; pip install 'evsim[ray]' brings it")
    if execution.address is not None and execution.engine != "ray":
        raise BadRequest(f"--address={execution.address}: goes with --engine=ray")
    return execution


def start(job: Job, execution: Execution) -> Engine:
    """An engine at work on a job.

    Raises:
        BadRequest: there is no such engine here.
    """
    if check(execution).engine == "local":
        from .local import LocalEngine

        return LocalEngine(job, execution)
    from .ray import RayEngine

    return RayEngine(job, execution)


__all__ = ["Answer", "Engine", "Execution", "Job", "Task", "check", "start"]
