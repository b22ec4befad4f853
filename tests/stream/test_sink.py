"""On a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from msgspec import json

from commands.redis import RedisServer
from stream import keys
from stream.metrics import Cells
from stream.partition import EPOCH_SHIFT, Partition
from stream.sink import RedisSink
from tests.stream.toy import INPUT, TOY, A, B, Rec, Sum, add, partition, row_of

REV = 5_000 << EPOCH_SHIFT
MARK = keys.mark("toy", 0)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One that may be killed."""
    with RedisServer() as own:
        yield own


class Shown:
    """What Redis has, asked directly."""

    def __init__(self, url: str) -> None:
        self.redis = redis.Redis.from_url(url, decode_responses=False)

    def answer(self, key: str) -> tuple[int, Sum] | None:
        rev, value = self.redis.hmget(keys.entity("toy", key), [keys.REV, keys.ANSWER])
        return None if rev is None else (int(rev), json.decode(value or b"", type=Sum))

    def feed(self) -> list[Sum]:
        entries: Any = self.redis.xrange(keys.feed("toy", 0))
        return [json.decode(fields[keys.ANSWER], type=Sum) for _, fields in entries]

    def open(self) -> set[str]:
        members: Any = self.redis.smembers(keys.open_index("toy", 0))
        return {name.decode() for name in members}

    def positions(self) -> dict[str, bytes]:
        held: Any = self.redis.hgetall(keys.positions(0))
        return {name.decode(): row for name, row in held.items()}


@pytest.fixture
def shown(server: RedisServer) -> Iterator[Shown]:
    shown = Shown(server.url)
    yield shown
    shown.redis.close()


@asynccontextmanager
async def sink(server: RedisServer) -> AsyncIterator[RedisSink]:
    """One that runs."""
    running = RedisSink(server.url, "toy", "toy", Cells())
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        # More than once: until Python 3.12 `wait_for`, which redis-py uses, may swallow it.
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=0.5)
        await running.close()


def save(running: RedisSink, owned: Partition, *records: Rec) -> None:
    """Take these in, and let a checkpoint be committed."""
    owned.take_in(INPUT, records)
    checkpoint = owned.take()
    assert checkpoint is not None
    running.committed(owned.number, checkpoint.shown, checkpoint.marker.rev)
    running.moved()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_committed_answer_is_shown_with_its_rev(server: RedisServer, shown: Shown) -> None:
    owned = partition()
    async with sink(server) as running:
        running.own(owned)
        save(running, owned, add(0, A), add(1, B, 100))
        await until(lambda: shown.answer(B))
    assert shown.answer(A) == (REV + 1, Sum(A, REV + 1, 1))
    assert (shown.open(), shown.feed()) == ({A}, [Sum(A, REV + 1, 1), Sum(B, REV + 2, 100)])
    assert shown.redis.hgetall(MARK) == {b"epoch": b"5000", b"rev": b"%d" % (REV + 2)}


async def test_an_answer_that_is_not_committed_is_not_shown(
    server: RedisServer, shown: Shown
) -> None:
    owned = partition()
    async with sink(server) as running:
        running.own(owned)
        save(running, owned, add(0, A))
        owned.take_in(INPUT, [add(1, B)])
        await until(lambda: shown.answer(A))
    assert shown.answer(B) is None


async def test_a_position_is_shown_at_once(server: RedisServer, shown: Shown) -> None:
    owned = partition()
    async with sink(server) as running:
        running.own(owned)
        owned.take_in(INPUT, [add(0, A), add(1, A)])
        running.moved()
        await until(shown.positions)
    assert shown.positions() == {A: row_of(2)}


async def test_an_outage_is_waited_out_and_costs_one_entry_a_key(
    server: RedisServer, shown: Shown
) -> None:
    owned = partition()
    async with sink(server) as running:
        running.own(owned)
        save(running, owned, add(0, A))
        await until(lambda: shown.answer(A))
        server.kill9()
        for offset in range(1, 50):
            save(running, owned, add(offset, A))
            await asyncio.sleep(0)
        waiting = running.waiting
        server.start()
        await until(lambda: shown.answer(A) and shown.positions())
    assert waiting == 2  # Its answer and its position.
    assert shown.answer(A) == (REV + 50, Sum(A, REV + 50, 50))
    assert (shown.feed(), shown.positions()) == ([Sum(A, REV + 50, 50)], {A: row_of(50)})


async def test_a_redis_that_comes_back_empty_is_filled_from_memory(
    server: RedisServer, shown: Shown
) -> None:
    owned = partition()
    async with sink(server) as running:
        running.own(owned)
        save(running, owned, add(0, A), add(1, B))
        await until(lambda: shown.answer(B))
        server.restart()
        save(running, owned, add(2, B))
        await until(lambda: shown.answer(A) and shown.positions())
    assert (shown.answer(A), shown.answer(B)) == (
        (REV + 1, Sum(A, REV + 1, 1)),
        (REV + 3, Sum(B, REV + 3, 2)),
    )
    assert (shown.open(), shown.positions()) == ({A, B}, {A: row_of(1), B: row_of(2)})


async def test_a_redis_that_comes_back_empty_is_filled_though_nothing_happens(
    server: RedisServer, shown: Shown
) -> None:
    owned = partition()
    async with sink(server) as running:
        running.own(owned)
        save(running, owned, add(0, A))
        await until(shown.positions)
        server.restart()
        await until(shown.positions)
    assert (shown.answer(A), shown.positions()) == ((REV + 1, Sum(A, REV + 1, 1)), {A: row_of(1)})


async def test_an_older_copy_of_redis_gets_what_it_misses(
    server: RedisServer, shown: Shown
) -> None:
    owned = partition()
    async with sink(server) as running:
        running.own(owned)
        save(running, owned, add(0, A))
        await until(lambda: shown.answer(A))
        copy = shown.redis.dump(MARK)
        save(running, owned, add(1, B))
        await until(lambda: shown.answer(B))
        shown.redis.delete(keys.entity("toy", B))
        shown.redis.restore(MARK, 0, copy or b"", replace=True)
        save(running, owned, add(2, A))
        await until(lambda: shown.answer(B))
    assert shown.answer(B) == (REV + 2, Sum(B, REV + 2, 1))


async def test_a_new_owner_writes_what_the_last_one_had_no_time_for(
    server: RedisServer, shown: Shown
) -> None:
    first = partition()
    async with sink(server) as running:
        running.own(first)
        save(running, first, add(0, A))
        await until(lambda: shown.answer(A))
    first.take_in(INPUT, [add(1, B)])
    checkpoint = first.take()
    assert checkpoint is not None
    second = Partition(TOY, 0, 4, Cells())
    second.begin([(A, REV + 1, first.states[A]), *checkpoint.states], checkpoint.marker, 6_000_000)
    async with sink(server) as running:
        running.own(second)
        await until(lambda: shown.answer(B))
    assert (shown.answer(A), shown.answer(B)) == (
        (REV + 1, Sum(A, REV + 1, 1)),
        (REV + 2, Sum(B, REV + 2, 1)),
    )


async def test_an_owner_of_an_older_epoch_writes_nothing(server: RedisServer, shown: Shown) -> None:
    old, new = partition(wall=5_000_000), partition(wall=6_000_000)
    async with sink(server) as paused, sink(server) as running:
        paused.own(old)
        save(paused, old, add(0, A))
        await until(lambda: shown.answer(A))
        running.own(new)
        save(running, new, add(0, A), add(1, A))
        await until(lambda: shown.positions() == {A: row_of(2)})
        save(paused, old, add(1, A, 7), add(2, B, 7))
        await until(lambda: not paused.waiting)
    rev = (6_000 << EPOCH_SHIFT) + 2
    assert (shown.answer(A), shown.answer(B)) == ((rev, Sum(A, rev, 2)), None)
    assert shown.positions() == {A: row_of(2)}


async def test_before_its_end_a_worker_writes_what_is_left(
    server: RedisServer, shown: Shown
) -> None:
    owned, ending = partition(), RedisSink(server.url, "toy", "toy", Cells())
    ending.own(owned)
    save(ending, owned, *(add(offset, f"k{offset}") for offset in (0, 3, 8, 15, 18)), add(19, A))
    await ending.drain(10)
    await ending.close()
    assert shown.answer(A)
    assert ending.waiting == 0


async def test_many_answers_are_all_written(server: RedisServer, shown: Shown) -> None:
    owned = partition()
    owned.begin([(f"k{n}", REV - n, toy_state(n)) for n in range(1_700)], None, wall=5_000_000)
    ending = RedisSink(server.url, "toy", "toy", Cells())
    ending.own(owned)
    await ending.drain(10)
    await ending.close()
    assert (len(shown.feed()), len(shown.positions())) == (1_700, 1_700)


def toy_state(number: int) -> Any:
    return TOY.state(f"k{number}", number + 1)
