"""Small studies on stand-ins, shared by the tests of this folder."""

import os
import subprocess
import sys

from evsim.study import Execution, Plan, Store, design_of, drive
from evsim.study.engines.work import Job, answer, resolve

QUIET = Execution(workers=2, quiet=True)
TINY = (
    "consumers.count=500", "consumers.reference_size=500", "pricing.survey_size=100", "pricing=fixed", "market.lines=20",
    "lock_in.community_size=50", "end=2024-03",
)  # fmt: skip


def stub(name):
    """The name by which a function of `stubs` is run."""
    return f"study.stubs:{name}"


def made(folder, function="null", scales="0,1", replications=10, keep=None, name=None):
    """A new store of a small study that runs a stand-in; its scenarios bear the name of the folder."""
    design = design_of(
        f"subsidy.scale={scales}", f"name='{name or folder}'", plan=Plan(replications=replications, keep=keep)
    )
    return Store.create(folder, design, stub(function))


def driven(folder, function="null", execution=QUIET, **study):
    """Such a study, run."""
    return drive(made(folder, function, **study), execution, stub(function))


def at_once(folder, design, function):
    """A new store of a design whose stand-ins are run here, one after the other, without an engine."""
    store = Store.create(folder, design, stub(function))
    job = Job(stub(function), [base.mapping for base in design.bases], design.keep)
    with store.driving(stub(function)) as driver:
        simulate = resolve(stub(function))
        driver.acknowledge([answer(job, simulate, design.task(run)) for run in range(design.n_runs)])
        driver.finish()
    return store


def started(folder, function, *arguments, limit=None):
    """The command line as a process of its own, on a stand-in; returns when it is about to begin."""
    words = [sys.executable, "-m", "study.command", function, *map(str, arguments)]
    if limit is not None:
        words = ["bash", "-c", f'ulimit -f {limit}; exec "$@"', "bash", *words]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    child = subprocess.Popen(
        words, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    return child
