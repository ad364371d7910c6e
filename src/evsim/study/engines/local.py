"""Worker processes on this machine, one kernel thread each, replaced when they die.

Refused: `concurrent.futures` and `multiprocessing`. A pool that loses a worker loses every run it had been given, and a
child of `multiprocessing` runs the user's script again. Here a worker is a fresh interpreter that knows its tasks only, and
the death of one costs the run it was at.
"""

import contextlib
import itertools
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence

from evsim.errors import EvsimError

from . import Execution
from .work import Answer, Job, Task, unpack
from .worker import READY, read_frame, write_frame

ONE_THREAD = dict.fromkeys(
    ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
AHEAD_SECONDS = 0.1  # of work that waits at a worker, so that short runs do not wait for the driver
MOST_AHEAD = 64  # tasks
MOST_WAITING = 64  # tasks, among which a worker finds kin of its last one
MOST_FALSE_STARTS = 3  # workers in a row that die before they are ready


class _Worker:
    """A process, a thread that reads its answers, and the tasks it has: the first is the one it is at."""

    def __init__(self, hello: bytes, answers: "queue.SimpleQueue[tuple[_Worker, bytes | None]]") -> None:
        self.ready = False
        self.tasks: deque[Task] = deque()
        self.kin: int | None = None  # of the task it was given last
        self.began = time.monotonic()  # when it came to its present task
        self.given_up: Task | None = None  # what it was killed for, as it took too long
        self.complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self.process = subprocess.Popen(
            [sys.executable, "-m", "evsim.study.engines.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self.reader = threading.Thread(target=self._read, args=(answers,), daemon=True)
        self.reader.start()
        self.send(hello)

    def _read(self, answers: "queue.SimpleQueue[tuple[_Worker, bytes | None]]") -> None:
        """Put every answer into the queue, and None after the last."""
        assert self.process.stdout is not None
        while (frame := read_frame(self.process.stdout)) is not None:
            answers.put((self, frame))
        answers.put((self, None))

    def send(self, data: bytes) -> None:
        """Send a frame; a worker that is dead is noticed by its reader."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            write_frame(self.process.stdin, data)

    def take(self, task: Task) -> None:
        """Send a task."""
        if not self.tasks:
            self.began = time.monotonic()
        self.tasks.append(task)
        self.kin = task.kin
        self.send(json.dumps(vars(task)).encode())

    def last_words(self) -> str:
        """How the process ended, and the last line it wrote."""
        code = self.process.wait()
        self.complaints.seek(0)
        lines = self.complaints.read().decode("utf-8", "replace").strip().splitlines()
        ended = f"was killed by signal {-code} ({_signal_name(-code)})" if code < 0 else f"ended with code {code}"
        return f"{ended}{f': {lines[-1]}' if lines else ''}"

    def stop(self) -> None:
        """Kill the process and wait for its end."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.complaints):
            with contextlib.suppress(BrokenPipeError):  # what a dead worker was still to be sent
                stream.close()  # type: ignore[union-attr]


class LocalEngine:
    """The engine of one machine."""

    def __init__(self, job: Job, execution: Execution) -> None:
        self.timeout = execution.timeout
        about = {"path": sys.path, "simulate": job.simulate, "bases": list(job.bases), "keep": job.keep}
        self._hello = json.dumps(about).encode()
        self._frames: queue.SimpleQueue[tuple[_Worker, bytes | None]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._waiting: deque[Task] = deque()  # for a worker
        self._false_starts = 0
        self._mean_seconds = float("inf")
        for _ in range(execution.workers or cores()):
            self._workers.append(_Worker(self._hello, self._frames))

    def room(self) -> int:
        """How many more tasks it would take now."""
        places = sum(max(0, self._ahead() - len(worker.tasks)) for worker in self._workers)
        return places + MOST_WAITING - len(self._waiting)

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._waiting.append(task)
        if len(self._waiting) >= MOST_WAITING:
            self._hand_out()

    def poll(self, seconds: float) -> Sequence[Answer]:
        """The answers that have come, after waiting at most some seconds for the first; a lost task has one too."""
        self._hand_out()
        self._give_up_on_the_late()
        answers: list[Answer] = []
        with contextlib.suppress(queue.Empty):
            answers += self._receive(*self._frames.get(timeout=seconds))
            while True:
                answers += self._receive(*self._frames.get_nowait())
        return answers

    def close(self) -> None:
        """Stop all work at once."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.stop()
        self._workers = []

    def _hand_out(self) -> None:
        """Give tasks that wait to the workers with the fewest."""
        while self._waiting:
            worker = min(self._workers, key=lambda worker: len(worker.tasks))
            if len(worker.tasks) >= self._ahead():
                return
            task = self._next_for(worker)
            self._waiting.remove(task)
            worker.take(task)

    def _next_for(self, worker: _Worker) -> Task:
        """Of the tasks that wait, the first that is kin to the worker's last, else to no worker's last, else the first."""
        others = {other.kin for other in self._workers}
        kin = (task for task in self._waiting if task.kin == worker.kin)
        strangers = (task for task in self._waiting if task.kin not in others)
        return next(itertools.chain(kin, strangers, self._waiting))

    def _ahead(self) -> int:
        """How many tasks a worker has at a time."""
        return max(1, min(MOST_AHEAD, int(AHEAD_SECONDS / max(self._mean_seconds, 1e-9))))

    def _receive(self, worker: _Worker, frame: bytes | None) -> list[Answer]:
        """What a frame says; None: the worker is dead."""
        if frame is None:
            return self._bury(worker)
        if frame == READY:
            worker.ready = True
            worker.began = time.monotonic()
            self._false_starts = 0
            return []
        answer = unpack(frame)
        worker.tasks.popleft()
        worker.began = time.monotonic()
        seen = self._mean_seconds < float("inf")
        self._mean_seconds = 0.95 * self._mean_seconds + 0.05 * answer.seconds if seen else answer.seconds
        return [answer]

    def _bury(self, worker: _Worker) -> list[Answer]:
        """Replace a dead worker; the task it was at is lost, those that waited go to others."""
        words = worker.last_words()
        worker.stop()
        self._workers.remove(worker)
        lost = self._lost(worker, words)
        self._waiting.extendleft(reversed(worker.tasks))
        self._workers.append(_Worker(self._hello, self._frames))
        return lost

    def _lost(self, worker: _Worker, words: str) -> list[Answer]:
        """The answer, an error, of the task that a dead worker was at.

        Raises:
            EvsimError: workers die before they are ready, so that none will ever work.
        """
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= MOST_FALSE_STARTS:
                raise EvsimError(f"worker processes do not start: the last one {words}")
            return []
        late = worker.given_up
        if not worker.tasks or (late is not None and worker.tasks[0] != late):
            return []  # it had finished what it was killed for
        task = worker.tasks.popleft()
        reason = f"its worker {words}" if late is None else f"took longer than {self.timeout:g} s"
        return [Answer(task.run, task.attempt, time.monotonic() - worker.began, error=reason)]

    def _give_up_on_the_late(self) -> None:
        """Kill workers that have been at one task for too long."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.ready and worker.tasks and now - worker.began > self.timeout:
                worker.given_up = worker.tasks[0]
                worker.process.kill()


def cores() -> int:
    """Cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _signal_name(number: int) -> str:
    """`SIGKILL, as when memory runs out`."""
    name = signal.Signals(number).name if number in list(signal.Signals) else "unknown"
    return f"{name}, as when memory runs out" if name == "SIGKILL" else name
