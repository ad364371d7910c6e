"""Whatever happens to workers and runs, every run ends as a result or as a row that says why."""

import json
import os
from collections import defaultdict

import pytest
from study.studies import QUIET, driven, made, stub

from evsim.errors import BadRequest, EvsimError
from evsim.study import Execution, drive


def test_the_digest_does_not_depend_on_how_many_workers_there_were(tmp_path):
    one, two = (driven(tmp_path, execution=Execution(workers=workers, quiet=True)) for workers in (1, 2))
    assert one.digest == two.digest
    assert one.results().equals(two.results())
    assert one.counts().done == 20


def test_another_design_gives_another_digest(tmp_path):
    assert driven(tmp_path, scales="0,1").digest != driven(tmp_path, scales="0,2", name=tmp_path).digest


def test_runs_that_raise_are_named_with_their_error_and_all_others_are_kept(tmp_path):
    store = driven(tmp_path, "raising", scales="1", replications=100)
    failures = store.failures()
    assert list(failures["seed"]) == list(range(93, 100))
    assert (failures["attempts"] == 2).all()
    assert failures["error"][0].startswith("ZeroDivisionError: seed 93 is too large (stubs.py:")
    assert failures["command"][0].endswith(" seed=93")
    assert list(store.results()["seed"]) == list(range(93))


def test_failed_runs_are_tried_again_only_when_that_is_asked_for(tmp_path):
    store = made(tmp_path, "raising", scales="1", replications=94)
    for retry in (False, False, True):
        drive(store, QUIET, stub("raising"), retry_failed=retry)
        assert (store.counts().done, store.counts().failed) == (93, 1)


def test_the_death_of_a_worker_costs_nothing_but_time(tmp_path):
    store = driven(tmp_path, "killed_once", scales="1", replications=20)
    assert store.counts().done == 20
    assert store.digest == driven(tmp_path, scales="1", replications=20).digest


def test_a_run_that_kills_every_worker_is_named_and_all_others_are_kept(tmp_path):
    store = driven(tmp_path, "killed_always", scales="1", replications=8)
    (error,), (attempts,) = store.failures()["error"], store.failures()["attempts"]
    assert "SIGKILL" in error and attempts == 2
    assert list(store.results()["seed"]) == [0, 1, 2, 4, 5, 6, 7]


def test_a_run_that_takes_too_long_is_named_and_all_others_are_kept(tmp_path):
    store = driven(tmp_path, "hanging", Execution(workers=2, timeout=0.5, quiet=True), scales="1", replications=6)
    assert list(store.failures()["error"]) == ["took longer than 0.5 s"]
    assert list(store.results()["seed"]) == [0, 1, 3, 4, 5]


def test_an_outcome_that_is_no_number_fails_its_run(tmp_path):
    store = driven(tmp_path, "infinite", scales="1", replications=1)
    assert "not JSON compliant" in store.failures()["error"][0]


def test_workers_that_cannot_start_end_the_sweep_with_the_reason(tmp_path):
    store = made(tmp_path, "nothing_of_that_name")
    with pytest.raises(EvsimError, match="worker processes do not start.*nothing_of_that_name"):
        drive(store, QUIET, stub("nothing_of_that_name"))
    assert store.counts().entered == 0


def test_some_runs_of_a_design_may_be_computed_and_the_rest_later(tmp_path):
    store = made(tmp_path)
    drive(store, QUIET, stub("null"), runs=[3, 17])
    assert list(store.results()["run"]) == [3, 17]
    assert drive(store, QUIET, stub("null")).digest == driven(tmp_path).digest


def test_nothing_that_is_entered_is_computed_again(tmp_path):
    store = made(tmp_path, "slow")
    drive(store, QUIET, stub("slow"), runs=range(7))
    drive(store, QUIET, stub("slow"))
    seen = [tuple(line.split()[1:]) for line in (tmp_path / "notes").read_text().splitlines()]
    assert len(seen) == len(set(seen)) == 20


def test_runs_of_one_seed_go_to_one_worker(tmp_path):
    driven(tmp_path, "slow", scales="0,1,2", replications=20)
    workers = defaultdict(set)
    for line in (tmp_path / "notes").read_text().splitlines():
        process, _, seed = line.split()
        workers[seed].add(process)
    split = sum(len(processes) > 1 for processes in workers.values())
    assert len(workers) == 20 and len(set.union(*workers.values())) == 2 and split <= 2  # at the end nobody waits


def test_points_are_seen_with_the_same_seeds_while_a_study_is_not_finished(tmp_path):
    store = driven(tmp_path, "slow", Execution(workers=1, quiet=True), replications=4)
    seeds = [line.split()[2] for line in (tmp_path / "notes").read_text().splitlines()]
    assert seeds == ["0", "0", "1", "1", "2", "2", "3", "3"]
    assert store.digest == driven(tmp_path, "slow", replications=4).digest


def test_a_finished_store_needs_no_worker(tmp_path):
    store = driven(tmp_path)
    assert drive(store, Execution(workers=0, engine="none of that name"), stub("null")).counts().done == 20


def test_an_engine_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(BadRequest, match="local or ray"):
        driven(tmp_path, execution=Execution(engine="cloud"))


def test_workers_have_one_thread_each(tmp_path):
    from evsim.study.engines import Job, Task, start

    engine = start(Job("study.test_runner:environment", [{}], "summary"), Execution(workers=1))
    try:
        engine.submit(Task(0, 0, {}, 0))
        answers = []
        while not answers:
            answers = engine.poll(1.0)
    finally:
        engine.close()
    assert json.loads(answers[0].row) == {"NUMBA_NUM_THREADS": 1.0, "OMP_NUM_THREADS": 1.0, "OPENBLAS_NUM_THREADS": 1.0}


def environment(mapping, seed, keep):
    """How many threads a worker may use."""
    from evsim.study.engines.work import Kept

    names = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return Kept({name: float(os.environ[name]) for name in names})
