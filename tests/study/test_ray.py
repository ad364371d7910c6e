"""A Ray cluster gives the store that one machine gives, whatever it loses meanwhile."""

import os
import sys
import threading
import time

import pytest
from study.studies import QUIET, driven, made, stub

from evsim.errors import BadRequest
from evsim.study import Execution, drive

ray = pytest.importorskip("ray", reason="Ray has no build for this Python")

ON_RAY = Execution(engine="ray", quiet=True)
NOTICED_SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
SMALL_NODE = {"num_cpus": 1, "object_store_memory": 100_000_000}


@pytest.fixture(scope="module")
def cluster():
    """A cluster of one node with one core."""
    from ray.cluster_utils import Cluster

    former = dict(os.environ)
    os.environ |= {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "RAY_USAGE_STATS_ENABLED": "0"}
    head = SMALL_NODE | {"_system_config": NOTICED_SOON}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    yield cluster
    ray.shutdown()
    cluster.shutdown()
    os.environ.clear()
    os.environ |= former


def test_the_digest_is_that_of_the_local_engine(cluster, tmp_path):
    assert driven(tmp_path, execution=ON_RAY, keep="panel").digest == driven(tmp_path, keep="panel").digest


def test_a_killed_worker_costs_nothing_but_time(cluster, tmp_path):
    store = driven(tmp_path, "killed_once", ON_RAY, scales="1", replications=6)
    assert store.counts().done == 6 and store.digest == driven(tmp_path, scales="1", replications=6).digest


def test_a_run_that_takes_too_long_is_named_and_all_others_are_kept(cluster, tmp_path):
    store = driven(tmp_path, "hanging", Execution(engine="ray", timeout=1.0, quiet=True), scales="1", replications=4)
    assert list(store.failures()["error"]) == ["took longer than 1 s"] and store.counts().done == 3


def test_a_store_begun_on_one_machine_is_finished_on_a_cluster(cluster, tmp_path):
    store = made(tmp_path)
    drive(store, QUIET, stub("null"), runs=range(9))
    assert drive(store, ON_RAY, stub("null")).digest == driven(tmp_path).digest


def test_a_cluster_that_is_not_there_is_refused(tmp_path, monkeypatch):
    from evsim.study.engines import ray as engine

    monkeypatch.setattr(engine.ray, "is_initialized", lambda: False)
    monkeypatch.setattr(engine.ray, "init", _nobody_there)
    with pytest.raises(BadRequest, match=r"--address=10.0.0.9:6379: no Ray cluster answers there"):
        driven(tmp_path, execution=Execution(engine="ray", address="10.0.0.9:6379", quiet=True))


def _nobody_there(**settings):
    raise ConnectionError("Could not find any running Ray instance")


def test_a_killed_node_costs_nothing_but_time(cluster, tmp_path):
    doomed = cluster.add_node(**SMALL_NODE)
    store = made(tmp_path, "slow", scales="0,0.5,1", replications=100)
    notes = tmp_path / "notes"

    def kill_the_node():
        while not notes.exists() or notes.read_text().count("\n") < 20:
            time.sleep(0.02)
        cluster.remove_node(doomed, allow_graceful=False)

    killer = threading.Thread(target=kill_the_node)
    killer.start()
    drive(store, ON_RAY, stub("slow"))
    killer.join()
    assert store.counts().done == 300
    assert store.digest == driven(tmp_path, scales="0,0.5,1", replications=100).digest
