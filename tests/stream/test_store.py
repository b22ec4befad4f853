"""On a real Kafka: one writer at a time, and all of a checkpoint or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable

import pytest
from aiokafka.errors import ProducerFenced
from confluent_kafka.admin import AdminClient, NewTopic

from load_tests.tail import Tail
from stream import topics
from stream.config import Settings
from stream.partition import Checkpoint, Marker
from stream.role import Role
from stream.store import Store
from tests.stream.toy import TOY, A, B, Tally
from tests.waiting import until

ROLE: Role = dataclasses.replace(TOY, state_topic=topics.ORDER_STATE)
NOTES = topics.ORDER_STATUS

Open = Callable[[], Store]


@pytest.fixture
async def new_store(settings: Settings) -> AsyncIterator[Open]:
    """Stores of partition 1 on topics of their own."""
    admin = AdminClient({"bootstrap.servers": settings.brokers})
    wanted = [NewTopic(settings.topic(spec.name), settings.partitions, 1) for spec in topics.TOPICS]
    for made in admin.create_topics(wanted).values():
        made.result(20)
    opened: list[Store] = []

    def new() -> Store:
        opened.append(Store(ROLE, 1, settings))
        return opened[-1]

    yield new
    for store in opened:
        await store.close()


def checkpoint(offset: int, *states: tuple[str, int, Tally | None], note: str = "") -> Checkpoint:
    """A checkpoint of epoch 5 that covers so many records of the input."""
    outputs = {(NOTES, 0): [(b"reader", note.encode())]} if note else {}
    return Checkpoint(outputs, list(states), Marker(5, 50 + offset, {"toy.in": offset}, {}), {})


def outputs(settings: Settings, count: int) -> list[bytes | None]:
    """What committed readers see on the output topic, as soon as that is `count` records: a commit
    is answered before its marker is in every log."""
    tail, values = Tail(settings), list[bytes | None]()

    def complete() -> bool:
        values.extend(record.value for record in tail.read() if record.topic == NOTES)
        return len(values) >= count

    try:
        until(complete)
    finally:
        tail.close()
    return values


async def test_a_new_partition_has_nothing(new_store: Open) -> None:
    assert await new_store().open() == ([], None)


async def test_the_next_owner_loads_the_last_of_each_state_and_the_last_marker(
    new_store: Open,
) -> None:
    first = new_store()
    await first.open()
    await first.commit(checkpoint(1, (A, 51, Tally(A, 1)), (B, 52, Tally(B, 7))))
    await first.commit(checkpoint(2, (A, 53, Tally(A, 2)), (B, 0, None)))
    states, marker = await new_store().open()
    assert (states, marker) == ([(A, 53, Tally(A, 2))], Marker(5, 52, {"toy.in": 2}, {}))


async def test_the_next_owner_fences_the_last_one_which_then_writes_nothing(
    new_store: Open, settings: Settings
) -> None:
    paused, owner = new_store(), new_store()
    await paused.open()
    await paused.commit(checkpoint(1, (A, 51, Tally(A, 1)), note="one"))
    await owner.open()
    await owner.commit(checkpoint(2, (A, 52, Tally(A, 2)), note="two"))
    with pytest.raises(ProducerFenced):
        await paused.commit(checkpoint(2, (A, 99, Tally(A, 99)), note="too late"))
    assert outputs(settings, 2) == [b"one", b"two"]
    assert (await new_store().open())[0] == [(A, 52, Tally(A, 2))]


async def test_a_checkpoint_larger_than_a_batch_is_one_transaction(
    new_store: Open, settings: Settings
) -> None:
    first = new_store()
    await first.open()
    note = "x" * 300_000
    rows = [(b"reader", f"{note}{n}".encode()) for n in range(10)]
    whole = checkpoint(1, *((f"k{n}", n, Tally(f"k{n}", n)) for n in range(3_000)))
    await first.commit(Checkpoint({(NOTES, 0): rows}, whole.states, whole.marker, {}))
    assert outputs(settings, 10) == [value for _, value in rows]
    states, _ = await new_store().open()
    assert len(states) == 3_000
