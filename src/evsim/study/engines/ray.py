"""Workers on a Ray cluster: one on this machine for the study, or one that runs, by its address.

Ray retries nothing here: a lost worker, a lost node and a run that takes too long are answers with an error, and whether a
task is tried again is the runner's business, as with the local engine. evsim must be installed on every node, and a market
table of one's own must lie under the same path.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import ray
from ray.exceptions import RayError

from evsim.errors import BadRequest

from . import Execution
from .local import ONE_THREAD, cores
from .work import Answer, Job, Task, answer, pack, resolve, told, unpack

OBJECT_STORE_BYTES = 100_000_000  # of a cluster made for a study: answers are small
START_SECONDS = 60.0  # that a worker may take to start, beside its run
LOOK_SECONDS = 5.0  # between two looks at how many cores the cluster has
MOST_AT_ONCE = 256  # answers fetched at a time


@dataclass
class _Flight:
    """A task at work, since when, and whether it has been given up."""

    task: Task
    submitted: float
    given_up: bool = False


class RayEngine:
    """The engine of a cluster."""

    def __init__(self, job: Job, execution: Execution) -> None:
        self.timeout = execution.timeout
        self._workers = execution.workers
        self._owned = not ray.is_initialized()
        if self._owned:
            with _own_signals():
                _connect(execution)
        self._job = ray.put((job.simulate, [dict(base) for base in job.bases], job.keep))
        self._flights: dict[Any, _Flight] = {}
        self._cores, self._looked = 0, float("-inf")

    def room(self) -> int:
        """How many more tasks it would take now: as many as there are cores for, so that none waits at Ray."""
        now = time.monotonic()
        if now - self._looked > LOOK_SECONDS:
            self._cores, self._looked = int(ray.cluster_resources().get("CPU", 0)), now
        return min(self._cores, self._workers or self._cores) - len(self._flights)

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._flights[_remote_answer().remote(self._job, vars(task), self.timeout)] = _Flight(task, time.monotonic())

    def poll(self, seconds: float) -> Sequence[Answer]:
        """The answers that have come, after waiting at most some seconds for the first; a lost task has one too."""
        if not self._flights:
            return []
        self._give_up_on_the_late()
        ready, _ = ray.wait(list(self._flights), num_returns=1, timeout=seconds)
        if ready:
            ready, _ = ray.wait(list(self._flights), num_returns=min(len(self._flights), MOST_AT_ONCE), timeout=0)
        return [self._fetch(reference) for reference in ready]

    def close(self) -> None:
        """Stop all work at once; leave the cluster as it was found."""
        for reference in self._flights:
            ray.cancel(reference, force=True)
        self._flights = {}
        if self._owned:
            ray.shutdown()

    def _fetch(self, reference: Any) -> Answer:
        """The answer behind a reference; a task that Ray lost has the reason as its error."""
        flight = self._flights.pop(reference)
        try:
            return unpack(ray.get(reference, timeout=START_SECONDS))
        except RayError as error:  # a GetTimeoutError among them: the node of the answer is gone
            seconds = time.monotonic() - flight.submitted
            late = flight.given_up or seconds > self.timeout
            reason = f"took longer than {self.timeout:g} s" if late else f"its worker was lost: {told(error)}"
            return Answer(flight.task.run, flight.task.attempt, seconds, error=reason)

    def _give_up_on_the_late(self) -> None:
        """Kill the workers of tasks that should have ended themselves long ago."""
        now = time.monotonic()
        for reference, flight in self._flights.items():
            if not flight.given_up and now - flight.submitted > self.timeout + START_SECONDS:
                flight.given_up = True
                ray.cancel(reference, force=True)


def _connect(execution: Execution) -> None:
    """Join the cluster, or make one on this machine.

    Raises:
        BadRequest: there is no cluster at the address.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    variables = dict(ONE_THREAD)
    if execution.address is None:
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    common: dict[str, Any] = {
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": "ERROR",
        "runtime_env": {"env_vars": variables},
    }
    if execution.address is not None:
        try:
            ray.init(
                address=execution.address, **{name: common[name] for name in common if name != "include_dashboard"}
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise BadRequest(f"--address={execution.address}: no Ray cluster answers there ({told(error)})") from error
    else:
        ray.init(
            address="local", num_cpus=execution.workers or cores(), object_store_memory=OBJECT_STORE_BYTES, **common
        )


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Leave SIGTERM to the program: Ray would end it in its own way, with another exit code."""
    former = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, former)


@cache
def _remote_answer() -> Any:
    """The remote function; made once Ray is there."""
    return ray.remote(max_retries=0, num_cpus=1)(_answer)


def _answer(job: tuple[str, list[dict[str, Any]], str], task: dict[str, Any], timeout: float) -> bytes:
    """What a worker of the cluster does with a task; it ends itself when the run takes too long.

    The clock starts with the run: how long Ray takes to find or start a worker is not the run's fault.
    """
    name, bases, keep = job
    simulate = resolve(name)
    clock = threading.Timer(timeout, os._exit, (1,))
    clock.daemon = True
    clock.start()
    try:
        return pack(answer(Job(name, bases, keep), simulate, Task(**task)))
    finally:
        clock.cancel()
