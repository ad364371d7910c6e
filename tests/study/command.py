"""`python -m study.command FUNCTION ARGUMENTS`: the command line with a function of `stubs` in place of the model.

Prints `ready` once everything is imported, and notes every run that it is told to be acknowledged in the file `acknowledged`.
"""

import sys
from pathlib import Path

from evsim.cli import main
from evsim.study import driver, runner


def run(function, arguments):
    """The exit code of the command."""
    runner.SIMULATE = f"study.stubs:{function}"
    acknowledge = driver.Driver.acknowledge

    def noting(own, answers):
        acknowledge(own, answers)
        with Path("acknowledged").open("a") as file:
            file.write("".join(f"{answer.run}\n" for answer in answers))

    driver.Driver.acknowledge = noting
    print("ready", flush=True)
    return main(arguments)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
