"""Producers choose the codec; without its library a consumer would be stuck for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from commands.kafka import KafkaServer
from load_tests.audit import Audit
from load_tests.chaos import SETTLE_S
from load_tests.cluster import Cluster
from orders.model import Received
from stream.topics import ORDER_EVENTS
from stream.wire import encode

RECORDS = 200
"""Enough for a batch that is worth compressing."""


@pytest.fixture(scope="module")
def cluster(kafka: KafkaServer) -> Iterator[Cluster]:
    with Cluster(kafka) as cluster:
        cluster.add_worker()
        yield cluster


@pytest.fixture(scope="module")
def audit(cluster: Cluster) -> Iterator[Audit]:
    audit = Audit(cluster.settings)
    yield audit
    audit.close()


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_input_of_every_codec_is_taken_in(cluster: Cluster, audit: Audit, codec: str) -> None:
    producer = Producer(
        {
            "bootstrap.servers": cluster.settings.brokers,
            "partitioner": "murmur2_random",
            "compression.type": codec,
            "linger.ms": 50,
        }
    )
    for number in range(RECORDS):
        event = Received(order_id=f"{codec}-{number}", ts=time.time_ns() // 1_000_000)
        topic = cluster.settings.topic(ORDER_EVENTS)
        producer.produce(topic, key=event.order_id.encode(), value=encode(event))
    assert producer.flush(30) == 0
    before = audit.messages
    assert audit.settle(SETTLE_S).all() == []
    # Each is taken in, and so is the signal it leads to.
    assert audit.messages - before == 2 * RECORDS
