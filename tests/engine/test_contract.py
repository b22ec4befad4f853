"""The engine keeps its promises on a real Kafka, whatever happens to its processes.

`findings` compares every state, every committed output and every answer in Redis with a plain run
of the cores over the same input (load_tests/audit.py), so an empty list says all of that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from commands.kafka import KafkaServer
from load_tests.audit import Audit
from load_tests.chaos import SETTLE_S, Trial, trial
from load_tests.cluster import PARTITIONS, ROLES, Cluster, Worker
from load_tests.mishaps import Mishap, paused, redis_down, stopped
from load_tests.traffic import Load
from orders.model import Received
from stream.topics import ORDER_EVENTS, partition_of
from stream.wire import encode
from tests.waiting import until


@pytest.fixture(scope="module")
def under(kafka: KafkaServer) -> Iterator[Trial]:
    """Two workers and a load to put on them. They go on from test to test."""
    with trial(kafka, seed=0) as running:
        yield running


def findings(under: Trial, *kinds: str) -> list[str]:
    """What is wrong after these mishaps under load."""
    return under.suffer(Mishap(kinds, load_s=1.0, hold_s=1.0)).all()


def test_a_worker_killed_in_mid_stream_loses_and_doubles_nothing(under: Trial) -> None:
    assert findings(under, "worker killed") == []


def test_a_worker_that_joins_and_one_that_leaves_change_nothing(under: Trial) -> None:
    assert findings(under, "worker joins, one leaves") == []


def test_a_killed_broker_is_waited_for(under: Trial) -> None:
    assert findings(under, "broker restarted") == []


def test_redis_killed_under_load_is_filled_again(under: Trial) -> None:
    assert findings(under, "Redis restarted empty") == []


def test_redis_is_filled_again_although_nothing_happens(under: Trial) -> None:
    with redis_down(under.cluster):
        pass
    assert under.audit.settle(SETTLE_S).all() == []


def flowing(worker: Worker) -> None:
    """Return once the load reaches the worker."""
    taken = worker.taken()
    until(lambda: worker.taken() > taken)


def test_a_worker_paused_for_longer_than_its_session_is_fenced_and_goes_on(under: Trial) -> None:
    worker = under.cluster.workers[0]
    with under.load:
        flowing(worker)  # So that there is something it has not saved.
        before = len(worker.logged())
        with paused(under.cluster, worker):
            pass
        under.cluster.wait_for(under.cluster.owned, "both workers own partitions again")
        taken = worker.taken()
        until(lambda: worker.taken() > taken)
    assert under.audit.settle(SETTLE_S).all() == []
    assert "ProducerFenced" in worker.logged()[before:]


@contextmanager
def all_stopped(cluster: Cluster) -> Iterator[None]:
    """One after the other: a group whose members are leaving takes no offsets from those who stay,
    and an engine does not wait for it to, for nothing but lag tools depends on them."""
    first, last = cluster.workers

    def has_all() -> bool:
        return all(last.owned(role) == PARTITIONS for role in ROLES)

    with stopped(cluster, first):
        cluster.wait_for(has_all, "the last worker owns every partition")
        with stopped(cluster, last):
            yield


def test_after_a_clean_stop_under_load_everything_is_committed(under: Trial) -> None:
    with under.load:
        flowing(under.cluster.workers[0])
        with all_stopped(under.cluster):
            under.audit.look()
            assert under.audit.uncommitted() == []
    assert under.audit.settle(SETTLE_S).all() == []


def test_after_a_clean_stop_in_silence_the_group_is_at_the_end_of_the_log(under: Trial) -> None:
    assert under.audit.settle(SETTLE_S).all() == []
    with all_stopped(under.cluster):
        assert (under.audit.look().behind, under.audit.uncommitted()) == ([], [])


def test_a_pause_before_the_group_has_committed_anything_loses_nothing(kafka: KafkaServer) -> None:
    """Faust then throws away what it fetched, and has no offset to go back to."""
    with trial(kafka, seed=4) as fresh:
        at_once = Mishap(("worker stopped", "worker paused"), load_s=0.4, hold_s=2.0)
        assert fresh.suffer(at_once).all() == []


def test_a_lone_first_record_is_taken_in_and_committed(kafka: KafkaServer) -> None:
    with Cluster(kafka) as cluster:
        audit = Audit(cluster.settings)
        load = Load(cluster.settings, seed=0, rate=0)
        cluster.add_worker()
        load.send(ORDER_EVENTS, "o1", encode(Received(order_id="o1", ts=time.time_ns() // 10**6)))
        load.flush()
        assert audit.settle(SETTLE_S).all() == []
        where = ORDER_EVENTS, partition_of("o1", cluster.settings.partitions)
        until(lambda: audit.tail.committed(f"{cluster.settings.app}-orders").get(where) == 1)
        audit.close()


def test_no_process_is_left_behind(kafka: KafkaServer) -> None:
    with Cluster(kafka) as cluster:
        cluster.add_worker().freeze()
        cluster.add_worker()
        started = {worker.pid for worker in cluster.workers}
        assert started <= set(psutil.pids())
    assert not started & set(psutil.pids())
