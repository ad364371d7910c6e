"""The long forms of what tests/study tries small. Not collected with the other tests: it takes a quarter of an hour.

.venv/bin/python -m pytest tests/torture/studies.py [-k kill]       EVSIM_KILLS=200 for more kills of the driver
"""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest
from study.studies import QUIET, driven, made, started, stub
from study.test_resilience import kill_and_resume

from evsim.study import Execution, Store, drive

KILLS = int(os.environ.get("EVSIM_KILLS", "40"))


def test_a_driver_killed_at_many_moments_loses_no_acknowledged_run(tmp_path):
    rounds = 8
    for number in range(KILLS // rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        kill_and_resume(folder, kills=rounds, seed=number)


def test_fifty_killed_workers_cost_nothing_but_time(tmp_path):
    store = driven(tmp_path, "killed_once", scales="1", replications=250)
    assert len(list(tmp_path.glob("killed-*"))) == 50
    assert store.counts().done == 250
    assert store.digest == driven(tmp_path, scales="1", replications=250).digest


def test_every_run_of_workers_that_are_killed_at_random_finishes_or_is_named(tmp_path):
    store = made(tmp_path, "slow", scales="0,1", replications=500)
    stop = threading.Event()

    def kill():
        moments = random.Random(3)
        while not stop.wait(moments.uniform(0.05, 0.3)):
            notes = (tmp_path / "notes").read_text().splitlines() if (tmp_path / "notes").exists() else []
            if notes:
                subprocess.run(["kill", "-9", notes[-1].split()[0]], check=False, capture_output=True)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        drive(store, QUIET, stub("slow"))
    finally:
        stop.set()
        killer.join()
    counts = store.counts()
    assert counts.entered == 1_000 and counts.failed == len(store.failures())
    drive(store, QUIET, stub("slow"), retry_failed=True)
    assert store.digest == driven(tmp_path, scales="0,1", replications=500).digest


def test_seven_of_a_hundred_runs_that_raise_are_named(tmp_path):
    store = driven(tmp_path, "raising", scales="1", replications=100)
    assert (store.counts().done, store.counts().failed) == (93, 7)
    assert list(store.failures()["seed"]) == list(range(93, 100))


@pytest.mark.parametrize("blocks", range(40, 1_000, 120))
def test_a_disk_that_fills_up_anywhere_is_resumed_to_the_reference(tmp_path, blocks):
    study = ("subsidy.scale=0,1", "--replications", 1_000, "--workers", 2, "--quiet")
    assert started(tmp_path, "wide", "sweep", *study, "--out", "reference").wait() == 0
    full = started(tmp_path, "wide", "sweep", *study, limit=blocks)
    assert full.wait() in (0, 3)
    assert started(tmp_path, "wide", "sweep", *study, "--resume", "--quiet").wait() == 0
    assert Store.open(tmp_path / "outputs" / "sweep-1").digest == Store.open(tmp_path / "reference" / "sweep-1").digest


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may mount a small disk")
def test_a_small_disk_that_is_full_is_resumed_to_the_reference(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no small disk may be mounted here: {mounted.stderr.decode().strip()}")
    try:
        study = ("subsidy.scale=0,1", "--replications", 1_000, "--workers", 2, "--quiet")
        full = started(tmp_path, "wide", "sweep", *study, "--out", disk)
        assert full.wait() == 3
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        assert started(tmp_path, "wide", "sweep", *study, "--resume", "--out", disk, "--quiet").wait() == 0
        assert started(tmp_path, "wide", "sweep", *study, "--out", "reference").wait() == 0
        assert Store.open(disk / "sweep-1").digest == Store.open(tmp_path / "reference" / "sweep-1").digest
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_sweep_interrupted_again_and_again_is_finished(tmp_path):
    moments = random.Random(7)
    store = made(tmp_path, "slow", scales="0,1", replications=300)
    for _ in range(10):
        child = started(tmp_path, "slow", "sweep", "--resume", store.path, "--quiet")
        time.sleep(moments.uniform(0.3, 1.5))
        child.send_signal(moments.choice([signal.SIGINT, signal.SIGTERM]))
        assert child.wait() in (0, 130, 143)
    drive(store, QUIET, stub("slow"))
    assert store.digest == driven(tmp_path, scales="0,1", replications=300).digest


def test_the_driver_keeps_its_size_over_a_hundred_thousand_runs(tmp_path):
    small, large = (made(tmp_path, scales="0,1", replications=replications) for replications in (5_000, 50_000))
    drive(small, QUIET, stub("null"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    drive(large, QUIET, stub("null"))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert large.counts().done == 100_000
    assert grown < 20_000  # kilobytes: the list of runs entered and the ledger's pages, no result


def test_nodes_of_a_cluster_that_die_one_by_one_cost_nothing_but_time(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster
    from study.test_ray import NOTICED_SOON, SMALL_NODE

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    cluster = Cluster(initialize_head=True, head_node_args=SMALL_NODE | {"_system_config": NOTICED_SOON})
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    try:
        store = made(tmp_path, "slow", scales="0,1", replications=1_000)
        stop = threading.Event()

        nodes = [cluster.add_node(**SMALL_NODE) for _ in range(3)]

        def churn():
            while nodes and not stop.wait(4.0):
                cluster.remove_node(nodes.pop(), allow_graceful=False)

        churning = threading.Thread(target=churn)
        churning.start()
        drive(store, Execution(engine="ray", quiet=True), stub("slow"))
        drive(store, Execution(engine="ray", quiet=True), stub("slow"), retry_failed=True)
        stop.set()
        churning.join()
        assert store.digest == driven(tmp_path, scales="0,1", replications=1_000).digest
    finally:
        ray.shutdown()
        cluster.shutdown()
