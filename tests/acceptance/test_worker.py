"""A worker process as those who run it see it: its pages, its metrics, its end, its complaints."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from commands import topics as topics_command
from commands.process import LOOPBACK, free_port
from commands.processes import PROGRAM, environment
from orders.model import Age, Aged, Assigned, Failed, Outcome, Stage
from stream import topics
from stream.config import Settings
from stream.metrics import CATALOGUE
from stream.wire import encode
from tests.builders import T0, ping, stop
from tests.records import Put, put
from tests.waiting import until
from tests.worker import Metrics, Worker

OF_PUSH = ("feed_", "websocket_")
"""Metrics of the push server; a worker has no samples of them."""

CANARY = "canary"
"""In every id and free text that is sent; a label must not have it."""


@pytest.fixture(scope="module")
def worker(installation: Callable[[], Settings]) -> Iterator[Worker]:
    settings = installation()
    topics_command.create(settings)
    with Worker(settings) as running:
        yield running


@pytest.fixture(scope="module")
def fresh(worker: Worker) -> Metrics:
    """What it exports before anything has come in."""
    return worker.scrape()


@pytest.fixture(scope="module")
def used(worker: Worker, fresh: Metrics) -> Metrics:
    """What it exports once messages of all kinds have come in."""
    sent = list(canaries())
    put(worker._settings, sent)
    taken = ("pings", "plans", "order_events", "order_facts", "signals")
    until(lambda: sum(worker.scrape().total(f"{name}_total") for name in taken) >= len(sent))
    return worker.scrape()


def canaries() -> Iterator[Put]:
    order, vehicle, place = f"{CANARY}-order", f"{CANARY}-vehicle", stop(f"{CANARY}-stop")
    assigned = Assigned(order_id=order, ts=T0, vehicle_id=vehicle, stops=(place,), source=CANARY)
    failed = Failed(order_id=order, ts=T0 + 1, error=CANARY)
    aged = Aged(f"order:{order}", T0, T0, Age.PARKED)
    outcome = Outcome(f"stage:{CANARY}", T0, T0, order, Stage.OUTBOUND, 1, False, CANARY)
    yield Put(topics.ORDER_EVENTS, order.encode(), encode(assigned))
    yield Put(topics.ORDER_EVENTS, order.encode(), encode(failed))
    yield Put(topics.PINGS, vehicle.encode(), encode(ping(vehicle_id=vehicle)))
    yield Put(topics.SIGNALS, aged.scope.encode(), encode(aged))
    yield Put(topics.SIGNALS, outcome.scope.encode(), encode(outcome))
    for topic in (topics.PINGS, topics.PLANS, topics.ORDER_EVENTS, topics.ORDER_FACTS):
        yield Put(topic, CANARY.encode(), CANARY.encode())


def test_it_is_healthy_and_ready_once_started(worker: Worker) -> None:
    assert [worker.get(path) for path in ("/healthz", "/readyz")] == [(200, "ok\n")] * 2


def test_every_metric_of_the_catalogue_is_exported_with_its_help(fresh: Metrics) -> None:
    families = text_string_to_metric_families(fresh.exposition)
    exported = {f.name: (f.type, f.documentation) for f in families}
    for name, entry in CATALOGUE.items():
        assert exported[f"milepost_{name}"] == (entry.kind, entry.help)


OF_NAMED_SOURCES = {"source_pings"}
"""Counted only where MILEPOST_SOURCES names a source, so that nobody else pays for it;
tests/deploy has a worker that does."""


@pytest.mark.parametrize(
    "name", [n for n in CATALOGUE if not n.startswith(OF_PUSH) and n not in OF_NAMED_SOURCES]
)
def test_a_metric_has_samples_before_anything_has_come_in(fresh: Metrics, name: str) -> None:
    kind = CATALOGUE[name].kind
    suffix = {"counter": "_total", "histogram": "_count", "gauge": ""}[kind]
    assert fresh.samples(name + suffix)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        pytest.param("pings_total", {"result": "accepted"}, id="pings"),
        pytest.param("order_events_total", {"result": "not_json"}, id="order events"),
        pytest.param("rejected_total", {"role": "orders", "reason": "failed"}, id="rejections"),
        pytest.param(
            "order_outcomes_total", {"stage": "outbound", "outcome": "error"}, id="outcomes"
        ),
        pytest.param("alert_transitions_total", {"rule": "freshness", "to": "firing"}, id="alerts"),
        pytest.param("checkpoints_total", {"role": "alerts", "result": "failed"}, id="commits"),
    ],
)
def test_what_an_alert_watches_is_there_at_0(
    fresh: Metrics, name: str, labels: dict[str, str]
) -> None:
    assert list(fresh.samples(name, **labels).values()) == [0.0]


def test_counting_makes_no_new_series(fresh: Metrics, used: Metrics) -> None:
    def series(metrics: Metrics) -> set[tuple[str, object]]:
        return {
            (name, labels)
            for name in (*CATALOGUE, *(f"{name}_total" for name in CATALOGUE))
            for labels in metrics.samples(name)
        }

    assert series(used) == series(fresh)


def test_no_label_holds_what_was_sent(used: Metrics) -> None:
    assert used.total("pings_total", result="accepted") == 1
    assert CANARY not in used.exposition


def test_prometheus_finds_no_fault_with_the_metrics(used: Metrics) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("needs promtool on the PATH (Debian: apt-get install prometheus)")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=used.exposition,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_sigterm_ends_it_in_order(settings: Settings) -> None:
    topics_command.create(settings)
    with Worker(settings, "alerts") as worker:
        assert worker.terminate() == 0
        assert "Traceback" not in worker.said()
        assert "did not end in order" not in worker.said()


def complaint(settings: Settings, *options: str) -> str:
    """What a worker says that ends by itself with exit code 2."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "worker", *options],
        capture_output=True,
        text=True,
        check=False,
        env=environment(settings),
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


def test_topics_that_are_not_there_are_one_sentence(settings: Settings) -> None:
    missing = f"{settings.topic(topics.SIGNALS)}, {settings.topic(topics.ALERT_STATE)}"
    assert complaint(settings, "--role", "alerts") == (
        f"milepost: no topic {missing} on {settings.brokers}; run `milepost topics create`\n"
    )


def test_topics_of_different_sizes_are_one_sentence(settings: Settings) -> None:
    topics_command.create(settings)
    name = settings.topic(topics.SIGNALS)
    admin = AdminClient({"bootstrap.servers": settings.brokers, "log_level": 0})
    admin.create_partitions([NewPartitions(name, 5)])[name].result(10)
    said = complaint(settings, "--role", "alerts")
    assert said.startswith("milepost: topics must have the same number of partitions, but: ")
    assert f"{name}: 5" in said
    assert said.count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence(settings: Settings) -> None:
    topics_command.create(settings)
    with socket.create_server((LOOPBACK, 0)) as taken:
        address = f"{LOOPBACK}:{taken.getsockname()[1]}"
        said = complaint(replace(settings, http=address))
    assert said.startswith(f"milepost: cannot serve HTTP on {address} (")
    assert said.endswith("set MILEPOST_HTTP to a free host:port\n")
    assert said.count("\n") == 1


def test_a_broker_that_is_away_is_waited_for_and_said(settings: Settings) -> None:
    away = replace(settings, brokers=f"{LOOPBACK}:{free_port()}")
    with waiting(away) as (process, said):
        until(lambda: f"no broker at {away.brokers} yet" in said())
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        words = said()
    assert (code, "Traceback" in words) == (2, False)
    assert words.endswith(f"milepost: stopped while waiting for a broker at {away.brokers}\n")


@contextmanager
def waiting(
    settings: Settings,
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """A worker that does not get ready, and what it has said."""
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, str(PROGRAM), "worker"]
        with subprocess.Popen(command, stderr=log, env=environment(settings)) as process:

            def said() -> str:
                log.seek(0)
                return log.read().decode()

            try:
                yield process, said
            finally:
                process.kill()
