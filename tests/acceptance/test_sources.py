"""Two carriers on one topic, each with its own datum and rules, through a worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition
from msgspec.structs import replace
from redis import Redis

from commands import topics as topics_command
from commands.embedded import PARTITIONS, EmbeddedBroker
from commands.redis import RedisServer
from geo.crs import Datum, from_wgs84
from geo.model import Gap, GapBy, Ping, Silence, Visit
from stream import keys, topics
from stream.config import Clock, Settings
from stream.keys import unpack_position
from stream.topics import partition_of
from stream.wire import encode
from tests.builders import LAT, LON, at, ping
from tests.records import Put, put
from tests.waiting import until
from tests.worker import Metrics, Worker

FILE = """
[north]
datum = "gcj02"
silent_after_ms = 7200000

["south & co"]
future_ms = 600000
"""
OTHERS_KEY, NORTH, SOUTH, NAMELESS = (
    next(f"truck-{n}" for n in range(99) if partition_of(f"truck-{n}", PARTITIONS) == number)
    for number in range(PARTITIONS)
)
"""Each in a partition of its own, because the event clock is one of the partition."""
LOST = {3, 4, 7}
"""Numbers that never come, and one that comes an hour late."""
LATE = 7


def drive(source: str | None, vehicle_id: str) -> list[Ping]:
    """Half an hour, a ping each 30 s."""
    sent = [ping(30 * n, 300 * n, vehicle_id=vehicle_id) for n in range(60)]
    return [replace(each, source=source, seq=n) for n, each in enumerate(sent)]


def in_gcj02(each: Ping) -> Ping:
    lat, lon = from_wgs84(each.lat, each.lon, Datum.GCJ02)
    return replace(each, lat=lat, lon=lon)


def records() -> Iterator[Put]:
    """North's carry a key that is not the vehicle's and leads to another partition."""
    north = [in_gcj02(each) for each in drive("north", NORTH)]
    nowhere = replace(north[10], lat=0.0, lon=0.0)
    sent = [each for each in north if each.seq not in LOST]
    # An hour later: time passes, and the late one comes.
    sent += [nowhere, north[LATE], in_gcj02(ping(5_400, 18_000, vehicle_id=NORTH))]
    sent[-1] = replace(sent[-1], source="north", seq=60)
    yield from (Put(topics.PINGS, OTHERS_KEY.encode(), encode(each)) for each in sent)
    for source, vehicle_id in (("south & co", SOUTH), (None, NAMELESS)):
        for each in drive(source, vehicle_id):
            if each.seq not in LOST:
                yield Put(topics.PINGS, vehicle_id.encode(), encode(each))


@dataclass(frozen=True)
class Seen:
    facts: list[Visit | Silence | Gap]
    metrics: Metrics
    position: Any


@pytest.fixture(scope="module")
def seen(embedded: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    file = tmp_path_factory.mktemp("sources") / "sources.toml"
    file.write_text(FILE)
    with RedisServer() as redis_server:
        settings = Settings(
            brokers=embedded.bootstrap,
            redis=redis_server.url,
            app="sources",
            topic_prefix="sources.",
            partitions=PARTITIONS,
            clock=Clock.EVENT,
            http="127.0.0.1:0",
            sources=str(file),
            check_crcs=False,
        )
        topics_command.create(settings)
        sent = list(records())
        put(settings, sent)
        with Worker(settings, "vehicles") as worker, Redis.from_url(settings.redis) as redis:
            until(lambda: _through(worker, len(sent)), within_s=60, every_s=0.2)
            number = partition_of(NORTH, PARTITIONS)
            row: Any = redis.hget(keys.positions(number), NORTH)
            metrics = worker.scrape()
        yield Seen(list(_facts(settings)), metrics, unpack_position(row))


def _through(worker: Worker, count: int) -> bool:
    now = worker.scrape()
    judged = now.total("source_pings_total") - now.total("source_pings_total", result="forwarded")
    waiting = ("consumer_lag_records", "checkpoint_held", "redis_waiting")
    return judged == count and not any(now.total(name) for name in waiting)


def _facts(settings: Settings) -> Iterator[Visit | Silence | Gap]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.brokers,
            "group.id": "reader",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    name = settings.topic(topics.VEHICLE_FACTS)
    consumer.assign([TopicPartition(name, number, 0) for number in range(PARTITIONS)])
    left = PARTITIONS
    while left:
        record = consumer.poll(30)
        assert record is not None, "the broker does not answer"
        if record.error():
            left -= 1
            continue
        yield msgspec.json.decode(record.value(), type=Visit | Silence | Gap)
    consumer.close()


def gaps(seen: Seen, vehicle_id: str) -> list[tuple[str | None, int, int, int]]:
    """(source, first second, missing, came) of each gap told of a vehicle."""
    return [
        (fact.source, (fact.since - at(0)) // 1000, fact.missing, fact.came)
        for fact in seen.facts
        if isinstance(fact, Gap) and fact.vehicle_id == vehicle_id
    ]


def test_what_is_missing_is_told_once_and_what_comes_late_takes_it_back(seen: Seen) -> None:
    assert gaps(seen, NORTH) == [
        ("north", 60, 2, 0),
        ("north", 180, 1, 0),
        ("north", 180, 0, 1),
    ]
    assert gaps(seen, NAMELESS) == [(None, 60, 2, 0), (None, 180, 1, 0)]


def test_a_source_with_its_own_patience_is_not_silent_after_an_hour(seen: Seen) -> None:
    assert [f for f in seen.facts if isinstance(f, Silence) and f.vehicle_id == NORTH] == []


def test_pings_that_are_handed_on_are_brought_to_wgs84_once(seen: Seen) -> None:
    want = ping(5_400, 18_000)
    assert (seen.position.lat, seen.position.lon) == pytest.approx((want.lat, LON), abs=1e-5)
    assert want.lat != LAT


def test_pings_and_gaps_are_counted_by_declared_source(seen: Seen) -> None:
    now = seen.metrics
    for source in ("south & co", "none"):
        accepted = now.total("source_pings_total", source=source, result="accepted")
        assert accepted == 60 - len(LOST)
        assert now.total("pings_missing_total", source=source) == len(LOST)
    assert now.total("source_pings_total", source="north", result="accepted") == 60 - 3 + 2
    assert now.total("source_pings_total", source="north", result="refused") == 1
    assert now.total("ping_gaps_total", source="north", by=GapBy.SEQUENCE) == 2
    assert now.total("pings_missing_came_total", source="north") == 1


def test_a_worker_does_not_start_with_sources_it_cannot_read(
    embedded: EmbeddedBroker, tmp_path: Path
) -> None:
    file = tmp_path / "sources.toml"
    file.write_text("[north]\ndatum = 'mars'\n")
    settings = Settings(brokers=embedded.bootstrap, redis="", sources=str(file))
    worker = Worker(settings, "vehicles")
    with pytest.raises(Exception, match="worker"):
        worker.start()
    said = f"milepost: {file}: [north] datum = 'mars': write one of wgs84, gcj02, bd09"
    assert said in worker.said()
