"""All topics of an installation, read from their beginning to wherever they end now."""

from __future__ import annotations

import time
from collections.abc import Iterator

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from commands.process import CannotStart
from load_tests.reference import Kept
from stream.config import Settings
from stream.topics import TOPICS

WITHIN_S = 60.0


class Tail:
    """Reads committed records only, each once; survives a restart of the broker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._admin = AdminClient({"bootstrap.servers": settings.brokers, "log_level": 0})
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.brokers,
                "group.id": f"{settings.app}-tail",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "reconnect.backoff.max.ms": 500,
                "log_level": 0,
            }
        )
        self._parts = [
            TopicPartition(settings.topic(spec.name), number, 0)
            for spec in TOPICS
            for number in range(settings.partitions)
        ]
        self._reached = {(tp.topic, tp.partition): 0 for tp in self._parts}
        self._consumer.assign(self._parts)

    def close(self) -> None:
        self._consumer.close()

    def read(self) -> list[Kept]:
        """What has been committed since the last call, each partition in its order.

        Raises CannotStart if the broker does not give it within a minute.
        """
        records: list[Kept] = []
        ends = self._ends()
        deadline = time.monotonic() + WITHIN_S
        while any(self._reached[part] < end for part, end in ends.items()):
            records += self._kept(self._consumer.consume(5_000, timeout=0.2))
            if time.monotonic() > deadline:
                raise CannotStart(f"the topics could not be read to their ends in {WITHIN_S:.0f} s")
        return records

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """The offsets the consumer group has committed, by base topic and partition."""
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        found = asked[group].result(WITHIN_S).topic_partitions or []
        return {(self._base(tp.topic), tp.partition): tp.offset for tp in found}

    def _ends(self) -> dict[tuple[str, int], int]:
        """The last stable offsets. After a restart of the broker the client needs a second try."""
        deadline = time.monotonic() + WITHIN_S
        while True:
            asked = self._admin.list_offsets(
                {TopicPartition(tp.topic, tp.partition): OffsetSpec.latest() for tp in self._parts},
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=10.0,
            )
            try:
                return {(tp.topic, tp.partition): f.result().offset for tp, f in asked.items()}
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                self._admin.list_topics(timeout=10.0)

    def _kept(self, messages: list[Message]) -> Iterator[Kept]:
        for message in messages:
            part = (str(message.topic()), int(message.partition() or 0))
            error = message.error()
            if error is None:
                yield self._record(message, part)
            elif error.code() == KafkaError._PARTITION_EOF:
                # The end lies behind the transactions' control records, which nobody is shown.
                self._reached[part] = int(message.offset() or 0)

    def _record(self, message: Message, part: tuple[str, int]) -> Kept:
        topic, number = part
        offset = int(message.offset() or 0)
        self._reached[part] = max(self._reached[part], offset + 1)
        key, value = message.key(), message.value()
        assert not isinstance(key, str)
        assert not isinstance(value, str)
        return Kept(self._base(topic), number, offset, message.timestamp()[1], key, value, topic)

    def _base(self, topic: str) -> str:
        return topic.removeprefix(self._settings.topic_prefix)
