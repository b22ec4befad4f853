from __future__ import annotations

import threading
import time

from confluent_kafka import Consumer, TopicPartition

from commands.embedded import PARTITIONS, EmbeddedBroker
from commands.feed import Feed, Pace
from load_tests.simulator import Record
from stream.config import Settings
from stream.topics import PINGS, partition_of
from tests.builders import T0


def records(count: int, step_ms: int = 1_000) -> list[Record]:
    return [Record(T0 + n * step_ms, PINGS, f"v{n}", b"%d" % n) for n in range(count)]


def stored(settings: Settings, partition: int) -> list[tuple[str, bytes]]:
    """What stands in one partition of gps.pings."""
    reader = Consumer({"bootstrap.servers": settings.brokers, "group.id": "t"})
    here = TopicPartition(settings.topic(PINGS), partition, 0)
    _, end = reader.get_watermark_offsets(here, timeout=10)
    reader.assign([here])
    found = reader.consume(end, timeout=10) if end else []
    reader.close()
    return [(m.key().decode(), m.value()) for m in found]


def test_every_record_lands_in_the_partition_of_its_key(embedded: EmbeddedBroker) -> None:
    settings = Settings(brokers=embedded.bootstrap, topic_prefix="feed.")
    fed = Feed(settings).run(records(50), threading.Event())
    found = {key: p for p in range(PARTITIONS) for key, _ in stored(settings, p)}
    assert found == {f"v{n}": partition_of(f"v{n}", PARTITIONS) for n in range(50)}
    assert (fed.sent, fed.refused, fed.by_topic) == (50, 0, {PINGS: 50})


def test_a_stopped_feed_sends_no_more_and_flushes(embedded: EmbeddedBroker) -> None:
    settings = Settings(brokers=embedded.bootstrap, topic_prefix="stopped.")
    stop = threading.Event()
    stop.set()
    assert Feed(settings).run(records(5), stop).sent == 0


def test_stop_ends_a_wait_for_a_record_of_tomorrow(embedded: EmbeddedBroker) -> None:
    settings = Settings(brokers=embedded.bootstrap, topic_prefix="waiting.")
    stop = threading.Event()
    pace = Pace(T0, time.monotonic(), 1.0)
    tomorrow = records(2, step_ms=86_400_000)
    fed = Feed(settings).run(tomorrow, stop, pace=pace, told=lambda fed: stop.set())
    assert fed.sent == 1


def test_a_record_is_due_when_its_time_has_come_at_the_speed() -> None:
    pace = Pace(origin=T0, began=100.0, speed=60.0)
    assert pace.wait_s(T0 + 120_000, now=100.5) == 1.5


def test_a_record_before_the_origin_is_overdue() -> None:
    assert Pace(origin=T0, began=100.0, speed=1.0).wait_s(T0 - 5_000, now=100.0) == -5.0
