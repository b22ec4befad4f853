"""What the compose file starts, started by hand: the real broker with its settings, Redis with its
options, our commands with their variables, watched by Prometheus with the shipped rules."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
from msgspec.structs import replace
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from commands.process import Missing
from orders.model import Assigned, Failed, Outbound, Received
from stream import topics
from stream.config import load_settings
from stream.wire import encode
from tests.builders import ping, stop
from tests.deploy.compose import SERVICES, Kafka, Redis, Service
from tests.deploy.programs import run
from tests.deploy.stack import Alertmanager, Hooks, Prometheus
from tests.deploy.test_grafana import PANELS
from tests.records import Put, put
from tests.waiting import until
from ws_server.protocol import ALERTS, BEARER, FLEET, ORDERS, SUBPROTOCOL

WORKERS = ("vehicles", "orders", "alerts")
LONG_RUNNING = (*WORKERS, "push")


@dataclass
class Stack:
    kafka: Kafka
    redis: Redis
    created: tuple[int, str] = (1, "")
    services: dict[str, Service] = field(default_factory=dict)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with ExitStack() as running:
        try:
            kafka = running.enter_context(Kafka())
        except Missing as missing:
            pytest.skip(f"needs a real Kafka: {missing}")
        redis_server = running.enter_context(Redis())
        made = Stack(kafka, redis_server)
        with closing(Service("topics", kafka, redis_server)) as one_shot:
            made.created = one_shot.run(*SERVICES["topics"]["command"])
        for name in LONG_RUNNING:
            made.services[name] = running.enter_context(Service(name, kafka, redis_server))
        yield made


@pytest.fixture(scope="module")
def hooks() -> Iterator[Hooks]:
    with Hooks().serving() as hooks:
        yield hooks


@pytest.fixture(scope="module")
def prometheus(stack: Stack, hooks: Hooks) -> Iterator[Prometheus]:
    targets = {
        "milepost-worker": [stack.services[name].address for name in WORKERS],
        "milepost-push": [stack.services["push"].address],
    }
    with Alertmanager(hooks.url) as manager, Prometheus(targets, manager) as running:
        until(lambda: len(running.ask("up == 1")) == len(LONG_RUNNING))
        yield running


def test_the_one_shot_makes_the_topics_the_workers_want(stack: Stack) -> None:
    code, said = stack.created
    assert code == 0, said
    assert said.count("created ") == len(topics.TOPICS)
    assert stack.services["orders"].run("topics", "check") == (0, "")


def test_redis_keeps_its_file_and_throws_nothing_away(stack: Stack) -> None:
    assert stack.redis.config("appendonly") == "yes"
    assert stack.redis.config("maxmemory-policy") == "noeviction"


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_is_healthy_and_writes_no_file(stack: Stack, name: str) -> None:
    assert stack.services[name].healthy()
    assert stack.services[name].leftovers() == []


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_promtool_has_nothing_to_say_of_its_metrics(stack: Stack, name: str) -> None:
    code, said = run("promtool", "check", "metrics", stdin=stack.services[name].metrics())
    assert code == 0, said


def test_a_well_platform_raises_nothing_but_the_watchdog(prometheus: Prometheus) -> None:
    until(lambda: prometheus.firing() == {"Watchdog"})
    until(lambda: not prometheus.ask('ALERTS{alertname!="Watchdog"}'))


def test_every_panel_shows_something(stack: Stack, prometheus: Prometheus) -> None:
    """With a dispatcher looking on, and orders under way."""
    with dispatcher(stack):
        put(load_settings(stack.services["orders"].settings()), traffic())
        for panel in PANELS:
            if panel["title"] != "Platform alerts":  # There are none.
                for target in panel["targets"]:
                    expression = target["expr"].replace("$__rate_interval", "30s")
                    until(partial(prometheus.ask, expression))


@contextmanager
def dispatcher(stack: Stack) -> Iterator[None]:
    """One who looks at everything, and answers as a browser does."""
    push = stack.services["push"]
    code, token = push.run("token", "--dispatcher")
    assert code == 0, token
    protocols = [Subprotocol(SUBPROTOCOL), Subprotocol(BEARER + token.strip())]
    with connect(f"ws://{push.address}/ws", subprotocols=protocols) as socket:
        socket.send('{"op":"hello","v":1}')
        for topic in (ORDERS, FLEET, ALERTS):
            socket.send(f'{{"op":"sub","topic":"{topic}"}}')
        said = ""
        while '"synced"' not in said:
            said = str(socket.recv(timeout=10))
        yield


def traffic() -> Iterator[Put]:
    """An order that gets under way, one whose attempt fails, and a vehicle."""
    now = time.time_ns() // 1_000_000
    for order in ("o1", "o2"):
        for event in (
            Received(order_id=order, ts=now - 5_000),
            Assigned(order_id=order, ts=now - 4_000, vehicle_id="v1", stops=(stop(),)),
            Outbound(order_id=order, ts=now - 3_000),
            Failed(order_id=order, ts=now - 2_000, error="nobody there"),
        ):
            yield Put(topics.ORDER_EVENTS, order.encode(), encode(event))
    for second in range(3):
        seen = replace(ping(), ts=now + second)
        yield Put(topics.PINGS, seen.vehicle_id.encode(), encode(seen))


def test_a_killed_worker_pages_the_platform_and_its_return_clears_it(
    stack: Stack, prometheus: Prometheus, hooks: Hooks
) -> None:
    until(lambda: prometheus.firing() == {"Watchdog"})
    until(lambda: hooks.settled("Watchdog"))
    orders = stack.services["orders"]
    orders.kill9()
    assert not orders.healthy()
    until(lambda: hooks.heard("RoleAbsent", "firing"))
    [told] = hooks.heard("RoleAbsent", "firing")
    assert (told.receiver, told.labels["role"]) == ("platform-page", "orders")
    orders.start()
    until(lambda: hooks.heard("RoleAbsent", "resolved"), 60)
    until(lambda: prometheus.firing() == {"Watchdog"}, 60)
