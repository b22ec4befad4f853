"""Records on a real broker: put them there, and read what is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord
from confluent_kafka import Producer

from stream.config import Settings


class Put(NamedTuple):
    """A record to be written; `topic` without the installation's prefix."""

    topic: str
    key: bytes | None
    value: bytes | None


def put(settings: Settings, records: Iterable[Put]) -> None:
    """Write all of them as Kafka's own partitioner would; one without a key goes anywhere."""
    producer = Producer(
        {
            "bootstrap.servers": settings.brokers,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 5,
            "log_level": 0,
        }
    )
    for record in records:
        while True:
            try:
                producer.produce(settings.topic(record.topic), record.value, record.key)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(30) == 0, "the broker did not take all records"


def read(settings: Settings, *names: str) -> dict[str, list[ConsumerRecord]]:
    """The committed records of these topics up to their present ends, by name without prefix.

    Waits for transactions that are open."""
    return asyncio.run(_read(settings, names))


def latest(settings: Settings, name: str) -> dict[bytes, bytes]:
    """What a compacted topic holds: the newest value of each key."""
    values = {record.key: record.value for record in read(settings, name)[name]}
    return {key: value for key, value in values.items() if value is not None}


async def _read(settings: Settings, names: tuple[str, ...]) -> dict[str, list[ConsumerRecord]]:
    partitions = [
        TopicPartition(settings.topic(name), number)
        for name in names
        for number in range(settings.partitions)
    ]
    # A commit is answered before the broker has marked the records as committed: so read up to all
    # there is, for which open transactions are waited for.
    async with _consumer(settings, "read_uncommitted") as consumer:
        ends = await consumer.end_offsets(partitions)
    records: dict[str, list[ConsumerRecord]] = {name: [] for name in names}
    async with _consumer(settings, "read_committed") as consumer:
        consumer.assign(partitions)
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for record in chain.from_iterable((await consumer.getmany(timeout_ms=100)).values()):
                records[record.topic.removeprefix(settings.topic_prefix)].append(record)
    return records


def _consumer(settings: Settings, isolation: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=settings.brokers,
        isolation_level=isolation,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        check_crcs=settings.check_crcs,
    )
