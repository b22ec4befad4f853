"""Records into Kafka at a pace: as fast as the broker takes them, or in step with a clock.

The producer's own queue is the buffer: when it is full, the feed waits for the broker. Nothing is
given up silently: a record the broker did not take is counted, and the first reason is kept.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, Message, Producer

from load_tests.simulator import Record
from stream.config import Settings

QUEUE_RECORDS = 50_000
LOOK_EVERY = 1_000
"""Records between two looks at the clock of the progress line when nothing has to be waited for."""

FLUSH_S = 30.0


@dataclass(frozen=True)
class Pace:
    """Record time `origin` (Unix ms) is sent at `began` (seconds of the monotonic clock)."""

    origin: int
    began: float
    speed: float

    def wait_s(self, at: int, now: float) -> float:
        """Seconds from `now` until a record of time `at` is due; negative when it is overdue."""
        return self.began + (at - self.origin) / 1000 / self.speed - now


@dataclass
class Fed:
    """What became of the records so far."""

    sent: int = 0
    refused: int = 0
    """Not taken by the broker, or given up when the feed was stopped."""
    first_refusal: str = ""
    at: int = 0
    """Time of the last record sent."""
    by_topic: dict[str, int] = field(default_factory=dict)


class Feed:
    """A producer with murmur2 partitioning, so that keys land where the engine expects them."""

    def __init__(self, settings: Settings) -> None:
        self.fed = Fed()
        self._settings = settings
        self._producer = Producer(
            {
                "bootstrap.servers": settings.brokers,
                "partitioner": "murmur2_random",
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 20,
                "compression.type": "lz4",
                "queue.buffering.max.messages": QUEUE_RECORDS,
                "delivery.report.only.error": True,
                "on_delivery": self._refused,
                "log_level": 0,
            }
        )

    def run(
        self,
        records: Iterable[Record],
        stop: threading.Event,
        *,
        pace: Pace | None = None,
        told: Callable[[Fed], None] | None = None,
    ) -> Fed:
        """Send until the records end or `stop` is set, then flush. Without `pace` as fast as
        possible.
        """
        for record in records:
            if stop.is_set() or not self._until_due(record, pace, stop, told):
                break
            self._send(record, stop)
            if told and self.fed.sent % LOOK_EVERY == 0:
                told(self.fed)
        self.flush()
        if told:
            told(self.fed)
        return self.fed

    def flush(self) -> None:
        """Wait for the broker; what it has not taken after 30 s counts as refused."""
        left = self._producer.flush(FLUSH_S)
        if left:
            self._producer.purge()
            self._producer.flush(1.0)

    def _until_due(
        self,
        record: Record,
        pace: Pace | None,
        stop: threading.Event,
        told: Callable[[Fed], None] | None,
    ) -> bool:
        """Wait for the record's time; False if `stop` came first."""
        while pace and (wait_s := pace.wait_s(record.at, time.monotonic())) > 0.002:
            self._producer.poll(0)
            if told:
                told(self.fed)
            if stop.wait(min(wait_s, 0.25)):
                return False
        return True

    def _send(self, record: Record, stop: threading.Event) -> None:
        topic, fed = self._settings.topic(record.topic), self.fed
        while True:
            try:
                self._producer.produce(topic, key=record.key.encode(), value=record.value)
                break
            except BufferError:
                # The queue is full: the broker is slower than we are, so wait for it.
                self._producer.poll(0.1)
                if stop.is_set():
                    return
        fed.sent += 1
        fed.at = record.at
        fed.by_topic[record.topic] = fed.by_topic.get(record.topic, 0) + 1
        if fed.sent % 100 == 0:
            self._producer.poll(0)

    def _refused(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self.fed.refused += 1
            self.fed.first_refusal = self.fed.first_refusal or error.str()


@contextmanager
def stopped_by_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, so that a feed ends with a flush. Main thread only."""
    stop = threading.Event()

    def ask(*_: object) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
