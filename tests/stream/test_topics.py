from __future__ import annotations

from aiokafka import partitioner
from hypothesis import example, given
from hypothesis import strategies as st

from stream.topics import murmur2, partition_of


@given(st.binary(max_size=64))
@example(b"")
def test_our_murmur2_is_the_one_of_kafka_clients(data: bytes) -> None:
    assert murmur2(data) == partitioner.murmur2(data)


@given(st.text(max_size=128), st.integers(1, 50))
def test_a_key_of_any_script_gets_the_partition_that_a_producer_gives_it(
    key: str, partitions: int
) -> None:
    numbers = list(range(partitions))
    theirs = partitioner.DefaultPartitioner()(key.encode(), numbers, numbers)
    assert partition_of(key, partitions) == theirs
