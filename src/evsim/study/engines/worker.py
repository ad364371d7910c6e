"""A worker process of the local engine: `python -m evsim.study.engines.worker`, tasks in, answers out.

Frames of bytes come on standard input and go to standard output, each after its length; the first one in is the job. What
anyone prints goes to standard error. A worker ends when its input does: a driver that is killed leaves none behind, not
even one in the midst of a run.
"""

import json
import os
import queue
import signal
import struct
import sys
import threading
from typing import IO

LENGTH = struct.Struct("<Q")
READY = b"ready"


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame; None when the stream ends, be it in the midst of a frame."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Send a frame."""
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def main() -> None:
    """Answer tasks until there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver, which stops its workers
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(source, frames), daemon=True).start()
    hello = json.loads(frames.get())
    sys.path[:] = hello["path"]
    from .work import Job, Task, answer, pack, resolve

    job = Job(hello["simulate"], hello["bases"], hello["keep"])
    simulate = resolve(job.simulate)
    write_frame(sink, READY)
    while True:
        write_frame(sink, pack(answer(job, simulate, Task(**json.loads(frames.get())))))


def _listen(source: IO[bytes], frames: "queue.SimpleQueue[bytes]") -> None:
    """Pass frames on; end the process with the input."""
    while (frame := read_frame(source)) is not None:
        frames.put(frame)
    os._exit(0)


if __name__ == "__main__":
    main()
