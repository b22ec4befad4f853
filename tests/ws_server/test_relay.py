"""From Redis to clients, also when Redis fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from commands.redis import RedisServer
from orders.model import Stage
from stream import keys
from stream.topics import partition_of
from tests.ws_server.builders import Reader, alert, at, status
from tests.ws_server.serving import CUSTOMER, Push, serving
from tests.ws_server.writer import PARTITIONS, Writer
from ws_server.clients import FRAMES_AT_ONCE
from ws_server.feed import COUNT


@pytest.fixture
async def push(written: Writer) -> AsyncIterator[Push]:
    async with serving(written.url) as push:
        yield push


def held(*messages: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """What a client makes of them: of each order its rev and stage."""
    reader = Reader()
    for message in messages:
        reader.hear(message)
    assert not reader.lost
    return {name: (rev, data["stage"]) for name, (rev, data) in reader.items.items()}


async def test_a_client_is_told_what_is_and_then_what_changes(push: Push, written: Writer) -> None:
    written.orders(status("o1", 1, Stage.OUTBOUND))
    written.moved({"v1": at(1)})
    async with push.client(CUSTOMER) as peer:
        snap, pos, synced = await peer.subscribe("order:o1")
        assert held(snap) == {"o1": (1, "outbound")}
        assert (pos["v"][0][:2], synced["topic"]) == (["v1", at(1).ts], "order:o1")
        written.orders(status("o1", 2, Stage.IN_TRANSIT))
        delta = await peer.hear()
        assert (delta["prev"], held(snap, delta)) == (1, {"o1": (2, "in_transit")})
        written.moved({"v1": at(2), "v2": at(2)})
        assert [row[0] for row in (await peer.hear())["v"]] == ["v1"]


async def test_unsubscribing_ends_it_and_subscribing_again_tells_all_again(
    push: Push, written: Writer
) -> None:
    written.orders(status("o1", 1), status("o2", 1))
    async with push.client() as peer:
        await peer.subscribe("order:o1")
        await peer.subscribe("order:o2")
        await peer.say(op="unsub", topic="order:o1")
        await push.until(lambda m: m.total("websocket_topics") == 1)
        written.orders(status("o1", 2), status("o2", 2))
        assert (await peer.hear())["topic"] == "order:o2"
        snap, *_ = await peer.subscribe("order:o1")
        assert held(snap) == {"o1": (2, "in_transit")}


async def test_a_list_of_many_parts_comes_whole_while_it_changes(
    push: Push, written: Writer
) -> None:
    names = [f"o{n}" for n in range(200)]
    written.orders(*(status(name, 1, last_error="x" * 30_000) for name in names))
    async with push.client() as first, push.client() as second:
        await first.subscribe("orders")  # From memory, the second is told at once.
        await second.say(op="sub", topic="orders")
        written.orders(*(status(name, 2) for name in names))
        heard = await second.hear_until("synced")
        assert sum(m["op"] == "snap" for m in heard) > FRAMES_AT_ONCE
        while len(newest := held(*heard)) < len(names) or {r for r, _ in newest.values()} != {2}:
            heard.append(await second.hear())


async def test_a_read_that_redis_refuses_is_asked_again(push: Push, written: Writer) -> None:
    """While its stream goes on: then nothing else would ask again."""
    written.orders(status("o1", 1))
    allow = written.redis.execute_command
    allow("ACL SETUSER", "default", "-smembers")
    async with push.client() as peer:
        await peer.say(op="sub", topic="orders")
        await push.until(lambda _: "errorstat_NOPERM" in written.redis.info("errorstats"))
        allow("ACL SETUSER", "default", "+smembers")
        snap, _synced = await peer.hear_until("synced")
        assert held(snap) == {"o1": (1, "in_transit")}


async def test_who_was_overtaken_by_the_trimming_is_told_everything_anew(
    push: Push, written: Writer
) -> None:
    written.orders(status("o1", 1))
    async with push.client() as peer:
        (first, _) = await peer.subscribe("orders")
        assert held(first) == {"o1": (1, "in_transit")}
        last = 3 * COUNT
        # All in one go, so the server reads after the trimming.
        written.orders(*(status("o1", rev) for rev in range(2, last + 1)))
        stream = keys.feed(keys.ORDERS, partition_of("o1", PARTITIONS))
        written.redis.xtrim(stream, maxlen=COUNT, approximate=False)
        *_, snap, _ = await peer.hear_until("synced")
        assert held(snap) == {"o1": (last, "in_transit")}
    assert (await push.scrape()).total("feed_gaps_total") == 1


# A Redis that is killed.


@pytest.fixture
def mortal() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


async def test_a_redis_that_comes_back_empty_is_shown_when_it_is_filled_again(
    mortal: RedisServer,
) -> None:
    writer = Writer(mortal.url)
    writer.fill()
    writer.orders(status("o1", 5), status("o2", 5))
    async with serving(mortal.url) as push, push.client() as peer:
        await peer.subscribe("orders")
        mortal.kill9()
        assert (await peer.hear())["live"] is False
        assert ((await push.get("/readyz")).status, (await push.get("/healthz")).status) == (
            503,
            200,
        )
        mortal.start()
        writer.empty()
        writer.orders(status("o1", 7), status("o2", 8, Stage.SIGNED))
        writer.fill()
        assert (await peer.hear())["live"] is True
        snap, _ = await peer.hear_until("synced")
        assert held(snap) == {"o1": (7, "in_transit")}
        writer.alerts(alert())
        writer.orders(status("o1", 9))
        assert (await peer.hear_until("delta"))[-1]["rev"] == 9
        assert (await push.scrape()).total("feed_gaps_total") == 1
    writer.redis.close()


async def test_what_is_subscribed_to_while_redis_is_away_is_told_when_it_is_back(
    mortal: RedisServer,
) -> None:
    writer = Writer(mortal.url)
    writer.fill()
    async with serving(mortal.url) as push, push.client(CUSTOMER) as peer:
        mortal.kill9()
        assert (await peer.hear())["live"] is False
        await peer.say(op="sub", topic="order:o1")
        mortal.start()
        writer.empty()
        writer.orders(status("o1", 1))
        writer.fill()
        assert (await peer.hear())["live"] is True
        snap, *_ = await peer.hear_until("synced")
        assert held(snap) == {"o1": (1, "in_transit")}
    writer.redis.close()
