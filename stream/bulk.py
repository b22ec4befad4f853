"""Faust hands an agent one record at a time, at 60 microseconds each; here it hands over lists.

A `ConsumerScheduler` (a public Faust setting) decides what the consumer yields from one fetch. Ours
yields one `Bulk` for each topic partition in it: a pseudo-record whose value is the list of Kafka
records. The topics of such an agent are declared `acks=False`: Faust's own acks would treat the
offsets inside a list as gaps and commit one list per commit interval, or never (research/faust.md
§4). The engine owns the offsets instead.

`Transport` changes three things Faust has no setting for: consumers read committed records only, a
fetch waits at most 100 ms for data instead of 1.5 s, and what a rebalance throws away is read
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.transport.utils import DefaultSchedulingStrategy

from geo.model import Ms

FETCH_WAIT_MS = 100
MAX_RECORDS = 5_000
"""Longest list handed to an agent, so that one busy partition holds the event loop for some 50 ms
at most."""


class Record(Protocol):
    """What we use of aiokafka's ConsumerRecord."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Bulk:
    """Consecutive records of one partition, in the shape Faust expects of a single one."""

    __slots__ = ("offset", "partition", "timestamp", "timestamp_type", "topic", "value")
    key = None
    headers: Sequence[tuple[str, bytes]] = ()
    checksum = None
    serialized_key_size = 0
    serialized_value_size = 0

    def __init__(self, records: Sequence[Any]) -> None:
        last = records[-1]
        self.topic = last.topic
        self.partition = last.partition
        self.offset = last.offset
        self.timestamp = last.timestamp
        self.timestamp_type = last.timestamp_type
        self.value = records


class BulkScheduler(DefaultSchedulingStrategy):
    """Yields lists, taking turns between the partitions of a fetch."""

    def __init__(self) -> None:
        self.handed: dict[tuple[str, int], int] = {}
        """(topic, partition) to the offset after the last record that left the client."""

    def iterate(self, records: Mapping[Any, Sequence[Any]]) -> Iterator[tuple[Any, Bulk]]:
        for tp, whole in records.items():
            self.handed[tp.topic, tp.partition] = whole[-1].offset + 1
        longest = max(map(len, records.values()), default=0)
        for start in range(0, longest, MAX_RECORDS):
            for tp, whole in records.items():
                if part := whole[start : start + MAX_RECORDS]:
                    yield tp, Bulk(part)


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # aiokafka builds its fetcher from these two when the consumer starts, which is after this.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def seek_to_committed(self) -> Mapping[Any, int]:
        return await self.call_thread(self._seek_to_committed)  # type: ignore[no-any-return]

    async def _seek_to_committed(self) -> Mapping[Any, int]:
        """Faust calls this after it has thrown away what it fetched during a rebalance. aiokafka
        leaves a partition of which nothing is committed where it is: behind what was thrown
        away."""
        consumer = self._ensure_consumer()
        committed: dict[Any, int] = await consumer.seek_to_committed()
        if fresh := [tp for tp, offset in committed.items() if not offset]:
            await consumer.seek_to_beginning(*fresh)
        return committed


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class Transport(driver.Transport):
    Consumer = _Consumer


class BulkApp(faust.App):
    """A Faust app whose agents receive lists of committed records.

    The methods below take topics as `stream.topics` names them, without the prefix.
    """

    topic_prefix = ""

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Faust's data directory is for tables, of which there are none: leave nothing behind."""

    # What follows reaches into Faust's consumer; tests/engine holds it to that.

    def position(self, topic: str, partition: int) -> tuple[int, int | None]:
        """Next offset the client will hand out, and the end of what was committed when the broker
        was last asked; None while not known."""
        state = self._state(topic, partition)
        if state is None or not state.has_valid_position:
            return 0, None
        # A broker without transactions (the embedded one) reports -1 for the last stable offset.
        stable = state.lso is not None and state.lso >= 0
        return state.position, state.lso if stable else state.highwater

    def asked_at(self, topic: str, partition: int) -> Ms:
        """When the broker last answered a fetch of this partition; 0 while it has not."""
        state = self._state(topic, partition)
        return 0 if state is None or state.timestamp is None else int(state.timestamp)

    def handed(self, topic: str, partition: int) -> int:
        """The offset after the last record that is on its way to the agent, or was."""
        return int(self.consumer.scheduler.handed.get((self.topic_prefix + topic, partition), 0))

    def forget_handed(self) -> None:
        """A new assignment begins at committed offsets again."""
        self.consumer.scheduler.handed.clear()

    def _state(self, topic: str, partition: int) -> Any:
        subscription = self._client()._subscription.subscription
        tp = TopicPartition(self.topic_prefix + topic, partition)
        if subscription is None or subscription.assignment is None:
            return None
        assignment = subscription.assignment
        return assignment.state_value(tp) if tp in assignment.tps else None

    async def commit_offsets(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit as the group's offsets. Faust's own way would end the worker on a broker's
        hiccup."""
        await self.consumer._thread.call_thread(self._client().commit, offsets)

    def rejoin(self) -> None:
        """Ask the group for a new assignment."""
        thread = self.consumer._thread
        thread.thread_loop.call_soon_threadsafe(self._client()._coordinator.request_rejoin)

    def _client(self) -> AIOKafkaConsumer:
        return self.consumer._thread._ensure_consumer()
