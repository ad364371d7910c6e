"""An edit of a row function reaches every cached kernel that calls it."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evsim.compiled import PACKAGE, compiled_sources, sources_digest

ODDS = """
import numpy as np
from evsim.economics.price_kernels import fill_odds, stateless
odds, rest = np.empty((1, 2)), np.empty((3, 1))
known = np.array([[1.0, 2.0]]), np.array([0.1]), np.zeros(1), stateless(1), np.array([3.0, 4.0])
fill_odds(*known, (odds, *rest))
print(odds.tolist(), rest.tolist())
"""
OUTSIDE = """
import numpy as np
from evsim.economics.utility import N_TASTES
from evsim.market.kernels import Habits, Owner, World, row_outside
habits = Habits(*np.linspace(0.1, 2.0, len(Habits._fields)))
world = World(np.ones(1, dtype=bool), np.zeros(1, dtype=np.int64), np.zeros((2, 1)), np.zeros((1, 1)), 50, 1)
print(row_outside(Owner(-1, -1, 0, 0, 2.0), np.ones(N_TASTES), habits, world))
"""
FOLDER = "from evsim.compiled import cache_folder; print(cache_folder().name)"


@pytest.fixture
def package(tmp_path):
    """A copy of the package, with a cache of its own."""
    shutil.copytree(PACKAGE, tmp_path / "src" / "evsim", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def answer(package, code):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA")}
    environment |= {
        "PYTHONPATH": str(package / "src"),
        "EVSIM_CACHE_DIR": str(package / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def edit(package, name, before, after):
    """Change one line, and give the file its old time stamp back: no clock may be what notices."""
    path = package / "src" / "evsim" / name
    text, times = path.read_text(encoding="utf-8"), path.stat()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), encoding="utf-8")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize(
    ("code", "name", "before", "after"),
    [
        (ODDS, "vectors.py", "np.inf if v > 709.0 else within", "np.inf if v > 709.0 else 2.0 * within"),
        (OUTSIDE, "economics/utility.py", "- overdue_cost * overdue +", "- 2.0 * overdue_cost * overdue +"),
    ],
    ids=["the exponentials in the price game", "the outside good in the consumers' kernel"],
)
def test_an_edit_of_a_row_function_reaches_its_kernel(package, code, name, before, after):
    first = answer(package, code)
    files = sorted((package / "cache").rglob("*.nbc"))
    assert files
    assert answer(package, code) == first
    assert sorted((package / "cache").rglob("*.nbc")) == files  # nothing was compiled again
    edit(package, name, before, after)
    assert answer(package, code) != first


def test_the_cache_folder_follows_compiled_sources_and_nothing_else(package):
    before = answer(package, FOLDER)
    assert before.strip() == sources_digest()
    edit(package, "errors.py", "class EvsimError(Exception):", "class EvsimError(Exception):  # compiles nothing")
    assert answer(package, FOLDER) == before
    edit(package, "economics/utility.py", "return median_sensitivity / tastes[INCOME]", "return tastes[INCOME]")
    assert answer(package, FOLDER) != before


def imported_modules(path):
    """Files of the package from which a file takes names."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level + 1] if node.level else ()
            module = (*base, *(node.module or "").split(".")) if node.module else base
            if module and module[0] == "evsim":
                names = [(*module, alias.name) for alias in node.names]
                for name in (module, *names):
                    file = PACKAGE.parent.joinpath(*name).with_suffix(".py")
                    if file.is_file():
                        yield file


@pytest.mark.parametrize("path", compiled_sources(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_what_is_compiled_takes_values_from_compiled_sources_only(path):
    assert set(imported_modules(path)) <= set(compiled_sources())


def test_every_module_that_compiles_is_a_compiled_source():
    users = {
        path
        for path in Path(PACKAGE).rglob("*.py")
        if re.search(r"compiled import .*\b(njit|inlined)\b", path.read_text(encoding="utf-8"))
    }
    assert users
    assert users <= set(compiled_sources())


WARMED = """
from evsim.cli.warmup import TINY
from evsim.economics import owner_kernels, price_kernels
from evsim.market import trial_kernels
from evsim.scenarios import load
from evsim.simulation import run
run(load("baseline", *TINY))
for kernel in (owner_kernels.purchase_sums, price_kernels.demand_sums, trial_kernels.answered):
    print(len(kernel.signatures))
"""


def test_warming_up_compiles_the_kernels_of_prices_of_replies_and_of_owners():
    done = subprocess.run([sys.executable, "-c", WARMED], capture_output=True, text=True, check=True)
    assert all(int(count) > 0 for count in done.stdout.split())


FORKED = """
import os, signal
from evsim.compiled import BLOCK_ROWS, over_blocks
def starts():
    return over_blocks(lambda block: block.start, 3 * BLOCK_ROWS, threads=2)
before = starts()
child = os.fork()
if child == 0:
    signal.alarm(20)  # a pool without threads would wait for good
    os._exit(0 if starts() == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_can_use_threads_after_its_parent_did():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "0\n"
