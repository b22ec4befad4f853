"""What the demo stands on: a worker on the embedded broker, and a simulated fleet through it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from redis import Redis

from alerts.model import Alert, State
from commands import topics as topics_command
from commands.embedded import PARTITIONS, EmbeddedBroker
from commands.redis import RedisServer
from commands.simulate import Simulation, feed_simulation
from geo.model import Ping, Rejected
from load_tests.faults import Faults
from load_tests.simulator import Options, Record, simulate
from orders.model import OrderEvent, OrderStatus, Stage
from stream import keys, topics, wire
from stream.config import Clock, Settings
from tests.waiting import until
from tests.worker import Worker

LASTS_S = 5_400
SPEED = 270.0
"""An hour and a half in 20 s. As fast as possible would be too fast for a whole road: a vehicle has
its plan when the orders agent has committed it, and visits are seen by who has a plan."""


@dataclass(frozen=True)
class Shown:
    """What Redis had in the end, and what went in."""

    records: list[Record]
    statuses: dict[str, OrderStatus]
    alerts: list[Alert]
    """All that was said of them, from the feeds."""
    positions: set[str]


@pytest.fixture(scope="module")
def shown(embedded: EmbeddedBroker) -> Iterator[Shown]:
    """A small fleet's hour and a half, on the clock of its events."""
    start = time.time_ns() // 1_000_000 - 2 * LASTS_S * 1000
    options = Options(
        start=start,
        vehicles=20,
        orders=60,
        duration_s=LASTS_S,
        ping_s=30,
        faults=Faults(wave_rate=0.3, silent_share=0.2, late_order_share=0.1),
    )
    with RedisServer() as redis_server:
        settings = Settings(
            brokers=embedded.bootstrap,
            redis=redis_server.url,
            app="embedded",
            topic_prefix="embedded.",
            partitions=PARTITIONS,
            clock=Clock.EVENT,
            http="127.0.0.1:0",
            check_crcs=False,
        )
        topics_command.create(settings)
        with Worker(settings) as worker, Redis.from_url(settings.redis) as redis:
            fed = feed_simulation(settings, Simulation(options, SPEED), threading.Event())
            until(lambda: _through(worker, fed.by_topic), within_s=60, every_s=0.2)
            yield Shown(
                list(simulate(options)), _statuses(redis), _alerts(redis), _positions(redis)
            )


def _through(worker: Worker, sent: dict[str, int]) -> bool:
    """All is taken in, committed and shown. A ping record may hold several pings."""
    now = worker.scrape()
    waiting = ("consumer_lag_records", "checkpoint_held", "redis_waiting")
    return (
        now.total("pings_total") >= sent[topics.PINGS]
        and now.total("order_events_total") >= sent[topics.ORDER_EVENTS]
        and not any(now.total(name) for name in waiting)
    )


# redis-py's types depend on its version and on options of the client, so here they are Any.


def _answers(redis: Any, shows: str) -> dict[str, bytes]:
    prefix = keys.entity(shows, "")
    found = (key.decode() for key in redis.scan_iter(f"{prefix}*"))
    return {key.removeprefix(prefix): redis.hget(key, keys.ANSWER) for key in found}


def _statuses(redis: Any) -> dict[str, OrderStatus]:
    decode = msgspec.json.Decoder(OrderStatus).decode
    return {name: decode(value) for name, value in _answers(redis, keys.ORDERS).items()}


def _alerts(redis: Any) -> list[Alert]:
    feeds = [redis.xrange(keys.feed(keys.ALERTS, number)) for number in range(PARTITIONS)]
    told = [fields[keys.ANSWER] for feed in feeds for _, fields in feed]
    return [msgspec.json.decode(value, type=Alert) for value in told]


def _positions(redis: Any) -> set[str]:
    return {
        vehicle.decode()
        for number in range(PARTITIONS)
        for vehicle in redis.hkeys(keys.positions(number))
    }


def events(shown: Shown) -> Iterator[OrderEvent]:
    for record in shown.records:
        if record.topic == topics.ORDER_EVENTS:
            (event,) = wire.decode_orders(record.value)
            if not isinstance(event, Rejected):
                yield event


def pings(shown: Shown) -> Iterator[Ping]:
    for record in shown.records:
        if record.topic == topics.PINGS:
            for ping in wire.decode_pings(record.value):
                if not isinstance(ping, Rejected):
                    yield ping


def test_every_order_has_its_status_in_redis(shown: Shown) -> None:
    assert set(shown.statuses) == {event.order_id for event in events(shown)}
    assert all(name == status.order_id for name, status in shown.statuses.items())


def test_every_vehicle_has_its_position_in_redis(shown: Shown) -> None:
    assert shown.positions == {ping.vehicle_id for ping in pings(shown)}


def test_visits_became_milestones(shown: Shown) -> None:
    sources = {m.source for status in shown.statuses.values() for m in status.milestones}
    assert sources == {"event", "gps"}


def test_alerts_fired_and_are_about_what_was_sent(shown: Shown) -> None:
    assert State.FIRING in {alert.state for alert in shown.alerts}
    subjects = {f"order:{name}" for name in shown.statuses} | {f"stage:{stage}" for stage in Stage}
    assert {alert.subject for alert in shown.alerts} <= subjects
