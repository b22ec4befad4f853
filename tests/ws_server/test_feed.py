from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace
from redis.exceptions import RedisError

from alerts.model import State
from commands.process import LOOPBACK, free_port
from orders.model import Stage
from stream import keys
from stream.topics import partition_of
from tests.ws_server.builders import alert, at, status
from tests.ws_server.serving import SETTINGS
from tests.ws_server.writer import PARTITIONS, Writer
from ws_server import feed as feed_module
from ws_server.feed import AWAY, COUNT, Change, Feed


@pytest.fixture
async def feed(written: Writer) -> AsyncIterator[Feed]:
    feed = Feed(replace(SETTINGS, redis=written.url))
    yield feed
    await feed.close()


async def some(feed: Feed) -> list[Change]:
    """The next changes; a read that finds nothing ends by itself and is none."""
    changes: list[Change] | None = []
    while changes == []:
        changes = await feed.changes()
    assert changes is not None, "some of it is lost"
    return changes


async def test_what_was_written_before_the_beginning_is_not_news(
    feed: Feed, written: Writer
) -> None:
    written.orders(status("o1", 1))
    await feed.begin()
    written.orders(status("o1", 2))
    assert await some(feed) == [Change(keys.ORDERS, status("o1", 2))]


async def test_changes_of_all_kinds_come_in_the_order_of_each_partition(
    feed: Feed, written: Writer
) -> None:
    await feed.begin()
    written.orders(status("o1", 1), status("o1", 2))
    written.alerts(alert("a1", 1))
    written.moved({"v1": at(1)})
    changes = await some(feed)
    assert [c.value for c in changes if c.what == keys.ORDERS] == [
        status("o1", 1), status("o1", 2),
    ]  # fmt: skip
    assert [c.value for c in changes if c.what == keys.ALERTS] == [alert("a1", 1)]
    (moved,) = [c.value for c in changes if c.what == keys.POSITIONS]
    assert dict(keys.unpack_feed(moved)) == {"v1": at(1)}


async def test_what_is_written_between_two_reads_is_read(feed: Feed, written: Writer) -> None:
    await feed.begin()
    for rev in range(1, 4):
        written.orders(status("o1", rev))
        assert await some(feed) == [Change(keys.ORDERS, status("o1", rev))]


async def test_nothing_is_no_change(feed: Feed) -> None:
    await feed.begin()
    assert await feed.changes() == []


async def test_more_than_one_read_takes_is_read_in_two(feed: Feed, written: Writer) -> None:
    written.orders(status("o1", 1))
    await feed.begin()
    written.orders(*(status("o1", rev) for rev in range(2, COUNT + 4)))
    first, second = await some(feed), await some(feed)
    assert (len(first), len(second)) == (COUNT, 2)
    assert second[-1].value == status("o1", COUNT + 3)


async def test_who_is_overtaken_by_the_trimming_is_told_so(feed: Feed, written: Writer) -> None:
    stream = keys.feed(keys.ORDERS, partition_of("o1", PARTITIONS))
    written.orders(status("o1", 1))
    await feed.begin()
    written.orders(*(status("o1", rev) for rev in range(2, 2 * COUNT)))
    written.redis.xtrim(stream, maxlen=COUNT, approximate=False)
    assert await feed.changes() is None
    await feed.begin()
    assert await feed.changes() == []


async def test_an_emptied_redis_is_not_looked_at_before_it_is_filled(
    feed: Feed, written: Writer
) -> None:
    written.empty()
    before = _looks(written)
    beginning = asyncio.create_task(feed.begin())
    while _looks(written) < before + 20:
        await asyncio.sleep(0.02)
    assert not beginning.done()
    written.fill()
    await beginning


def _looks(written: Writer) -> int:
    """How often Redis was asked for a field of a hash, as a mark is."""
    stats = written.redis.info("commandstats")
    return int(stats.get("cmdstat_hget", {"calls": 0})["calls"])


async def test_a_redis_that_nobody_fills_is_taken_as_it_is(
    feed: Feed, written: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "REFILL_S", 0.2)
    written.empty()
    await feed.begin()
    assert await feed.read(["orders"]) == [([], {})]


async def test_an_order_is_read_with_the_place_of_its_vehicle(feed: Feed, written: Writer) -> None:
    written.orders(status("o1", 1), status("o2", 2, Stage.SIGNED, "v1"))
    written.moved({"v1": at(1), "v2": at(2)})
    assert await feed.read(["order:o1", "order:o2", "order:o3"]) == [
        ([status("o1", 1)], {"v1": at(1)}),
        ([status("o2", 2, Stage.SIGNED, "v1")], {}),
        ([], {}),
    ]


async def test_an_order_on_a_vehicle_that_was_never_heard_is_read_without_a_place(
    feed: Feed, written: Writer
) -> None:
    written.orders(status("o1", 1))
    assert await feed.read(["order:o1"]) == [([status("o1", 1)], {})]


async def test_lists_are_what_is_open_in_all_partitions(feed: Feed, written: Writer) -> None:
    orders = {status(f"o{n}", 1) for n in range(20)}
    written.orders(*orders, status("gone", 1))
    written.orders(status("gone", 2, Stage.SIGNED))
    written.alerts(alert("a1", 1), alert("a2", 1, State.RESOLVED))
    written.moved({f"v{n}": at(n) for n in range(20)})
    (listed, _), (alerts, _), (_, fleet) = await feed.read(["orders", "alerts", "fleet"])
    assert (len(listed), set(listed)) == (20, orders)
    assert alerts == [alert("a1", 1)]
    assert fleet == {f"v{n}": at(n) for n in range(20)}


async def test_a_redis_that_is_away_raises_what_the_relay_waits_for() -> None:
    feed = Feed(replace(SETTINGS, redis=f"redis://{LOOPBACK}:{free_port()}/0"))
    for asked in (feed.begin(), feed.changes(), feed.read(["orders"])):
        with pytest.raises(AWAY):
            await asked
    await feed.close()
    assert issubclass(RedisError, AWAY)
