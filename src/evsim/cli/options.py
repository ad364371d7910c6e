"""What the verbs share: a parser that complains in one line, common options, how the user calls evsim."""

import argparse
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from evsim.errors import BadRequest

if TYPE_CHECKING:
    from evsim.study.engines import Execution


class Parser(argparse.ArgumentParser):
    """argparse that raises BadRequest, so that every complaint is one line and ends with exit code 2."""

    def __init__(self, verb: str, description: str, examples: str = "") -> None:
        super().__init__(
            prog=f"evsim {verb}",
            description=description,
            epilog=examples or None,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.verb = verb

    def error(self, message: str) -> NoReturn:
        raise BadRequest(f"{message}; `evsim {self.verb} --help` lists what there is")


def add_config_dir(parser: argparse.ArgumentParser) -> None:
    """The option that adds a folder of one's own scenarios."""
    parser.add_argument("--config-dir", metavar="DIR", help="a folder of your own with scenario/NAME.yaml")


def add_execution(parser: argparse.ArgumentParser) -> None:
    """The options that say how runs of a study are computed; `execution_of` reads them."""
    parser.add_argument("--engine", metavar="NAME", default="local", help="local (default) or ray")
    parser.add_argument("--address", metavar="ADDRESS", help="of a Ray cluster (default: one on this machine)")
    parser.add_argument("--workers", metavar="N", type=positive, help="runs at a time (default: one a core)")
    parser.add_argument("--timeout", metavar="SECONDS", type=positive, default=3600, help="for one run (default: 3600)")


def execution_of(arguments: argparse.Namespace) -> "Execution":
    """How runs are computed, by the options of `add_execution`, and by --json and --quiet.

    Raises:
        BadRequest: there is no such engine here.
    """
    from evsim.study.engines import Execution, check

    quiet = arguments.quiet or arguments.json
    return check(Execution(arguments.engine, arguments.workers, float(arguments.timeout), arguments.address, quiet))


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 on")
    return int(text)


def above_zero(text: str) -> float:
    """A finite number above 0, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} must be a number above 0")
    return value


def own_command() -> str:
    """How to call evsim from where the user is: `evsim` when the shell finds this one, else its path."""
    script = Path(sys.argv[0])
    found = shutil.which("evsim")
    if script.stem != "evsim" or (found and script.exists() and os.path.samefile(found, script)):
        return "evsim"
    return shlex.quote(near_path(script))


def latest_run(outputs: str | os.PathLike[str] = "outputs") -> Path:
    """The folder of the run that was written last under `outputs`.

    Raises:
        BadRequest: there is none.
    """
    written = [path for path in Path(outputs).glob("*/run.json") if not path.parent.name.startswith(".")]
    if not written:
        raise BadRequest(f"no run lies under {outputs}; `{own_command()} run` makes one, or name the folder of a run")
    return max(written, key=lambda path: (path.stat().st_mtime_ns, path)).parent


def near_path(path: Path) -> str:
    """A path relative to the current folder when it lies inside, else absolute."""
    absolute = Path(os.path.abspath(path))
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
