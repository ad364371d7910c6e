"""One scenario and one seed give one answer."""

import os
import subprocess
import sys

from market.worlds import run_small, small

from evsim.simulation import run

ROWS = {"consumers": {"count": 30_000}, "end": "2024-03"}  # more shoppers a month than one thread's block
FRESH = """
from market.worlds import small
from evsim.simulation import run
print(run(small(), threads=2).digest)
"""


def test_the_same_scenario_and_seed_give_the_same_digest_twice():
    assert run(small(), threads=1).digest == run_small().digest


def test_the_number_of_threads_changes_no_bit():
    one, two, many = (run(small(ROWS, {"market": {"lines": 25}}), threads=threads) for threads in (1, 2, 7))
    assert one.digest == two.digest == many.digest
    assert one.diagnostics == two.diagnostics


def test_a_fresh_process_gives_the_same_digest():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", FRESH], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == run_small().digest


def test_another_seed_gives_another_answer_and_seed_0_is_a_seed():
    digests = {run_small(seed=seed).digest for seed in (0, 1, 2**63 - 1)}
    assert len(digests) == 3
    assert run(small({"seed": 5}), seed=0, threads=1).digest == run_small(seed=0).digest


def test_what_is_run_afterwards_does_not_depend_on_what_was_run_before():
    run(small({"seed": 9, "modes": {"rule": "open"}}), threads=1)
    assert run(small(), threads=1).digest == run_small().digest


def test_progress_is_told_after_every_month():
    told = []
    run(small({"end": "2024-04"}), threads=1, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_run_says_where_it_came_from():
    answer = run_small(seed=3)
    assert answer.seed == answer.scenario.seed == answer.provenance["scenario"]["seed"] == 3
    assert {"weight", "mean_visits", "mean_margin", "quality_r2"} <= set(answer.diagnostics)
