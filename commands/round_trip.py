"""One record per compression codec to the broker and back, by the two clients Milepost uses."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import UnsupportedCodecError
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from msgspec import Struct

from commands.topics import ANSWER_S, is_embedded, metadata
from stream.clock import wall_ms
from stream.config import Settings

CODECS = ("gzip", "snappy", "lz4", "zstd")
# Long and dull enough that no client sends it uncompressed because that is shorter.
_VALUE = b"milepost " * 400


class RoundTrip(Struct, frozen=True):
    """`failed` is None when the record came back whole."""

    codec: str
    failed: str | None = None
    skew_ms: int = 0
    """How far the broker's stamp on the record lies outside our time from send to answer."""


def round_trips(admin: AdminClient, settings: Settings) -> list[RoundTrip]:
    """Through a topic of its own, removed afterwards. Raises BrokerAway."""
    with _own_topic(admin, settings) as topic:
        return [_round_trip(settings, topic, codec) for codec in CODECS]


@contextmanager
def _own_topic(admin: AdminClient, settings: Settings) -> Iterator[str]:
    cluster = metadata(admin, settings)
    if is_embedded(cluster):
        yield settings.topic("milepost.doctor")
        return
    name = settings.topic(f"milepost.doctor-{uuid.uuid4().hex[:8]}")
    replicas = min(3, len(cluster.brokers))  # some clusters refuse what min.insync.replicas forbids
    topic = NewTopic(name, 1, replicas, config={"message.timestamp.type": "LogAppendTime"})
    admin.create_topics([topic])[name].result(ANSWER_S)
    try:
        yield name
    finally:
        admin.delete_topics([name])[name].result(ANSWER_S)


def _round_trip(settings: Settings, topic: str, codec: str) -> RoundTrip:
    sent_ms = wall_ms()
    try:
        offset = _send(settings, topic, codec)
    except KafkaException as refused:
        return RoundTrip(codec, f"the broker did not take it: {refused.args[0].str()}")
    acked_ms = wall_ms()
    try:
        stamp_ms, value = asyncio.run(_fetch(settings, topic, offset))
    except UnsupportedCodecError:
        return RoundTrip(codec, "its library is missing")
    except TimeoutError:
        return RoundTrip(codec, "the record did not come back")
    if value != _VALUE:
        return RoundTrip(codec, "the record came back changed")
    return RoundTrip(codec, skew_ms=outside(stamp_ms, sent_ms, acked_ms))


def outside(at: int, start: int, end: int) -> int:
    """How far `at` lies after `end` (positive) or before `start` (negative)."""
    return max(at - end, 0) + min(at - start, 0)


def _send(settings: Settings, topic: str, codec: str) -> int:
    offsets: list[int] = []
    failures: list[KafkaException] = []

    def delivered(error: object, message: object) -> None:
        if error is not None:
            failures.append(KafkaException(error))
        else:
            offsets.append(message.offset())  # type: ignore[attr-defined]

    producer = Producer(
        {
            "bootstrap.servers": settings.brokers,
            "compression.type": codec,
            "message.timeout.ms": int(ANSWER_S * 1000),
            "log_level": 0,
        }
    )
    producer.produce(topic, _VALUE, partition=0, on_delivery=delivered)
    producer.flush()
    if failures:
        raise failures[0]
    return offsets[0]


async def _fetch(settings: Settings, topic: str, offset: int) -> tuple[int, bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), offset)
        record = await asyncio.wait_for(consumer.getone(), ANSWER_S)
        return record.timestamp, record.value
    finally:
        await consumer.stop()
