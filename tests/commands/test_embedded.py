from __future__ import annotations

import socket

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from commands.embedded import PARTITIONS, EmbeddedBroker


def test_a_topic_appears_when_asked_about(embedded: EmbeddedBroker) -> None:
    client = Producer({"bootstrap.servers": embedded.bootstrap})
    topic = client.list_topics("appears", timeout=10).topics["appears"]
    assert len(topic.partitions) == PARTITIONS


def test_what_is_produced_is_read(embedded: EmbeddedBroker) -> None:
    producer = Producer({"bootstrap.servers": embedded.bootstrap})
    producer.produce("echo", b"hello", partition=0)
    producer.flush()
    consumer = Consumer({"bootstrap.servers": embedded.bootstrap, "group.id": "echo"})
    consumer.assign([TopicPartition("echo", 0, 0)])
    record = consumer.poll(20)
    consumer.close()
    assert record is not None
    assert record.value() == b"hello"


def test_a_closed_broker_is_gone() -> None:
    with EmbeddedBroker() as broker:
        host, port = broker.bootstrap.split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
