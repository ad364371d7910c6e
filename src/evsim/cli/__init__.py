"""The command line: one module a verb, imported when called, so that `evsim --help` answers at once.

A verb's module has `parser()`, its argparse parser, and `execute(arguments)`, which returns the exit code.
Exit codes: 0 done, 1 some runs failed, 2 bad request, 3 storage trouble, 130 interrupted, 143 terminated. Everything
that goes wrong on purpose is one line on standard error.
"""

import contextlib
import difflib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence

from evsim.errors import BadRequest, EvsimError

VERBS = {
    "run": "simulate one scenario: summary on screen, charts and tables in a folder",
    "why": "why a maker's brands chose their modes at a review of a run",
    "sweep": "simulate many scenarios: a design of runs in a store that an interruption does not harm",
    "analyse": "what a sweep answers: tipping lines, sensitivities, swings, boxes, regret",
    "compare": "what another world changes: differences of pairs of runs, with intervals, in words first",
    "search": "policies that are best in several outcomes under constraints, tried again in fresh worlds",
    "status": "how far a sweep is, and which of its runs failed",
    "lock-in": "how strong lock-in is in a scenario, measured in worlds that are compared",
    "scenarios": "list the scenarios, or tell about one",
    "explain": "what a parameter means: value, unit, range, source",
    "warmup": "compile the kernels ahead of the first run",
}
INTERRUPTED, TERMINATED = 130, 143


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with _terminated_politely():
            return _dispatch(words)
    except EvsimError as error:
        _complain(str(error))
        return error.exit_code
    except MemoryError:
        _complain("not enough memory; a smaller consumers.count needs less")
        return EvsimError.exit_code
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0
    verb, rest = words[0], words[1:]
    if verb == "--version":
        from importlib.metadata import version

        print(f"evsim {version('evsim')}")
        return 0
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, n=1, cutoff=0.0)[0]
        raise BadRequest(f"unknown command {verb!r}; the nearest is {near}, and `evsim --help` lists all")
    module = importlib.import_module(f"evsim.cli.{verb.replace('-', '_')}")
    if any(word in ("-m", "--multirun") for word in rest):
        raise BadRequest("-m: several simulations are the work of `evsim sweep`; `evsim run` does one")
    try:
        arguments = module.parser().parse_intermixed_args(rest)
    except SystemExit as done:  # argparse has answered --help
        return int(done.code or 0)
    code: int = module.execute(arguments)
    sys.stdout.flush()
    return code


def _overview() -> str:
    lines = ["usage: evsim COMMAND …", "", "China's car market, agent by agent.", "", "commands:"]
    lines += [f"  {verb:<11}{meaning}" for verb, meaning in VERBS.items()]
    lines += [
        "",
        "examples:",
        "  evsim run scenario=waning_subsidies software.advantage_kcny=30 seed=7",
        "  evsim compare scenario=baseline,no_alliance --replications 20",
        "  evsim scenarios no_alliance",
        "  evsim explain pricing.rule",
        "",
        "`evsim COMMAND --help` tells more; `evsim --version` names the version.",
    ]
    return "\n".join(lines)


def _complain(message: str) -> None:
    """One line on standard error, whatever the message holds."""
    line = " ".join(f"evsim: {message}".split())
    with contextlib.suppress(BrokenPipeError):
        print(line.encode("utf-8", "replace").decode("utf-8"), file=sys.stderr, flush=True)


@contextlib.contextmanager
def _terminated_politely() -> Iterator[None]:
    """SIGTERM ends the command by way of its `finally` clauses, with exit code 143."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set a handler
        yield
        return

    def leave(*_: object) -> None:
        raise SystemExit(TERMINATED)

    former = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
