"""The embedded broker: librdkafka's mock cluster, in this process, in memory, gone when it ends.

It speaks enough of the protocol for the demo and for fast tests. It has no CreateTopics (a topic
appears when its metadata is asked for, always with four partitions), shows uncommitted records to
`read_committed` readers and drops the oldest records of a partition at about 5 MB.
"""

from __future__ import annotations

import threading
from typing import Self

from confluent_kafka import Producer

PARTITIONS = 4


class EmbeddedBroker:
    """Answers on `bootstrap` from construction until `close`."""

    def __init__(self) -> None:
        # The cluster lives as long as this producer, which must be served now and then.
        self._producer = Producer({"test.mock.num.brokers": 1, "log_level": 0})
        broker = next(iter(self._producer.list_topics(timeout=10).brokers.values()))
        self.bootstrap = f"{broker.host}:{broker.port}"
        self._closing = threading.Event()
        self._server = threading.Thread(target=self._serve, name="embedded-broker", daemon=True)
        self._server.start()

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(0.2)

    def close(self) -> None:
        """The broker and all it held are gone."""
        self._closing.set()
        self._server.join()
        del self._producer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
