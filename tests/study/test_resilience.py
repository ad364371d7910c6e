"""A sweep may be killed, interrupted or run out of disk at any moment: what it acknowledged is kept, and the rest is finished.

The long forms are in tests/torture.
"""

import os
import random
import signal
import time

import pytest
from study.studies import driven, made, started

from evsim.study import Store

MANY = {"scales": "0,0.5,1", "replications": 100}


def lines(path):
    """The lines of a file, none if it is not there."""
    return path.read_text().splitlines() if path.exists() else []


def kill_and_resume(folder, kills, seed):
    """Kill the driver of a study at random moments until it is done; checks what must hold after each kill."""
    reference = driven(folder, **MANY)
    store = made(folder, "slow", **MANY)
    moments = random.Random(seed)
    entered = 0
    for _ in range(kills):
        child = started(folder, "slow", "sweep", "--resume", store.path, "--workers", 2, "--quiet")
        time.sleep(moments.uniform(0.0, 1.2))
        child.kill()
        child.communicate()
        results = Store.open(store.path).results()
        kept = set(results["run"])
        assert {int(run) for run in lines(folder / "acknowledged")} <= kept
        expected = reference.results().loc[sorted(kept)].reset_index(drop=True)
        assert results.empty or results.reindex(columns=expected.columns, fill_value=0.0).equals(expected)
        assert len(kept) >= entered
        entered = len(kept)
    child = started(folder, "slow", "sweep", "--resume", store.path, "--workers", 2, "--quiet")
    child.communicate()
    assert child.returncode == 0
    assert store.digest == reference.digest and store.results().equals(reference.results())
    acknowledged = lines(folder / "acknowledged")
    assert len(acknowledged) == len(set(acknowledged))


def test_a_driver_killed_at_random_moments_loses_no_acknowledged_run(tmp_path):
    kill_and_resume(tmp_path, kills=4, seed=1)


def test_a_killed_driver_leaves_no_worker_behind(tmp_path):
    store = made(tmp_path, "slow", **MANY)
    child = started(tmp_path, "slow", "sweep", "--resume", store.path, "--workers", 2, "--quiet")
    while not lines(tmp_path / "notes"):
        time.sleep(0.01)
    child.kill()
    child.communicate()
    workers = {int(line.split()[0]) for line in lines(tmp_path / "notes")}
    deadline = time.monotonic() + 10.0
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers and not any(map(is_alive, workers))


def is_alive(process):
    """Whether a process exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_sweep_with_its_code_and_the_command_that_goes_on(tmp_path, number, code):
    store = made(tmp_path, "slow", **MANY)
    child = started(tmp_path, "slow", "sweep", "--resume", store.path, "--workers", 2)
    while not lines(tmp_path / "acknowledged"):
        time.sleep(0.01)
    child.send_signal(number)
    _, told = child.communicate(timeout=30)
    assert child.returncode == code and "Traceback" not in told
    assert f"runs are kept; go on with: evsim sweep --resume {store.path.name}" in told
    kept = set(store.results()["run"])
    assert {int(run) for run in lines(tmp_path / "acknowledged")} <= kept and len(kept) < 300
    again = started(tmp_path, "slow", "sweep", "--resume", store.path, "--quiet")
    assert again.wait() == 0
    assert store.digest == driven(tmp_path, **MANY).digest


@pytest.mark.parametrize("blocks", [4, 300])
def test_a_full_disk_ends_with_code_3_and_resuming_gives_the_undisturbed_digest(tmp_path, blocks):
    study = ("subsidy.scale=0,1", "--replications", 200, "--workers", 2, "--quiet")
    full = started(tmp_path, "wide", "sweep", *study, limit=blocks)
    told = full.communicate(timeout=60)[1]
    assert full.returncode == 3 and len(told.splitlines()) == 1 and told.startswith("evsim: cannot")
    if blocks == 4:  # not even the design had room
        assert os.listdir(tmp_path / "outputs") == []
        return
    (left,) = (tmp_path / "outputs").iterdir()
    assert Store.open(left).counts().done < 400
    assert started(tmp_path, "wide", "sweep", "--resume", "--quiet").wait() == 0
    assert started(tmp_path, "wide", "sweep", *study).wait() == 0
    assert Store.open(left).digest == Store.open(left.with_name("sweep-2")).digest


def test_a_second_driver_is_refused_while_the_first_is_at_work(tmp_path):
    store = made(tmp_path, "slow", scales="0,1", replications=2_000)
    first = started(tmp_path, "slow", "sweep", "--resume", store.path, "--quiet")
    while not lines(tmp_path / "acknowledged"):
        time.sleep(0.01)
    second = started(tmp_path, "slow", "sweep", "--resume", store.path, "--quiet")
    told = second.communicate()[1]
    assert first.poll() is None and second.returncode == 2 and "another driver is at work" in told
    first.kill()
    first.communicate()
