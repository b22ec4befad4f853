"""One client that does not read, and a thousand that do, on a push process of its own.

Rounds go in lock-step: the next one begins when all thousand have heard the one before. So they
depend on the stalled client in no way if rounds go on for as long as it is kept, and each of the
thousand hears every change by itself: whatever had waited behind another would have been conflated.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import psutil
import pytest
from msgspec.structs import replace

from commands.processes import PushProcess
from commands.redis import RedisServer
from tests.ws_server.builders import alert, at, status
from tests.ws_server.serving import DISPATCHER, SETTINGS, Peer, Push, token
from tests.ws_server.writer import Writer
from ws_server.protocol import Close, Role

GOOD = 1_000
ORDERS = [f"o{n}" for n in range(10)]
VEHICLES = [f"vehicle-{n}" for n in range(5_000)]
ROUNDS_ALONE = 30
MOST_GROWN = 8 * 2**20
"""Bytes. What waits for the stalled one is one position of each vehicle, some 400 KB, and its
socket's buffer; kept as they came, the positions would be as much in each round."""
TIMES_SLOWER = 10.0
"""So much the worst hundredth of the waits may grow on a busy machine; a server that waits for the
stalled client makes it thousands."""


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@dataclass
class Crowd:
    """The good clients: each follows one order, and hears every rev."""

    revs: list[list[int]] = field(default_factory=lambda: [[] for _ in range(GOOD)])
    waits: list[float] = field(default_factory=list)
    """Seconds from a round's writing to each client's hearing it."""
    wrote_at: float = 0.0
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    left: int = 0

    async def listen(self, number: int, peer: Peer) -> None:
        async for frame in peer.connection:
            said = json.loads(frame)
            if said["op"] != "delta":
                continue
            revs = self.revs[number]
            assert said["prev"] == (revs[-1] if revs else 1), "it missed a change"
            revs.append(said["rev"])
            self.waits.append(time.perf_counter() - self.wrote_at)
            self.left -= 1
            if not self.left:
                self.heard.set()

    async def round(self, writer: Writer, rev: int) -> None:
        """Change every order, move every vehicle; until all have heard."""
        self.left, self.wrote_at = GOOD, time.perf_counter()
        self.heard.clear()
        writer.moved(dict.fromkeys(VEHICLES, at(rev)))
        writer.alerts(alert("a1", rev))
        writer.orders(*(status(name, rev, errors=rev) for name in ORDERS))
        await self.heard.wait()

    def p99(self) -> float:
        waits, self.waits = self.waits, []
        return statistics.quantiles(waits, n=100)[-1]


@pytest.fixture
def files() -> Iterator[None]:
    """Room for the sockets of a thousand clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = GOOD + 500
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("files")
def test_a_stalled_client_costs_the_others_nothing_and_is_let_go(redis: RedisServer) -> None:
    writer = Writer(redis.url)
    writer.fill()
    writer.orders(*(status(name, 1) for name in ORDERS))
    with PushProcess(replace(SETTINGS, redis=redis.url)) as process:
        asyncio.run(_crowded(process, writer))
        assert "Traceback" not in process.log.read_text()
    writer.redis.close()


async def _crowded(process: PushProcess, writer: Writer) -> None:
    push, crowd = Push(f"{process.host}:{process.port}"), Crowd()
    memory = psutil.Process(process.pid).memory_info
    async with AsyncExitStack() as clients, asyncio.TaskGroup() as listening:
        tasks = []
        for number in range(GOOD):
            name = ORDERS[number % len(ORDERS)]
            peer = await clients.enter_async_context(push.client(token(Role.CUSTOMER, name)))
            await peer.subscribe(f"order:{name}")
            tasks.append(listening.create_task(crowd.listen(number, peer)))
        # As busy as with the stalled one: this dispatcher reads.
        good = await clients.enter_async_context(push.client(DISPATCHER))
        await good.subscribe("fleet")
        reading = listening.create_task(_read(good))

        rev = 1
        for _ in range(ROUNDS_ALONE):
            rev += 1
            await crowd.round(writer, rev)
        alone, before = crowd.p99(), memory().rss

        stalled = await clients.enter_async_context(push.client(DISPATCHER, narrow=True))
        drowsy = await clients.enter_async_context(push.client(DISPATCHER, narrow=True))
        for topic in ("fleet", "alerts", "orders"):
            await stalled.say(op="sub", topic=topic)
            await drowsy.say(op="sub", topic=topic)
        grown, rounds = 0, 0
        while (scraped := await push.scrape()).total("websocket_closed_total") < 2:
            rounds, rev = rounds + 1, rev + 1
            await crowd.round(writer, rev)
            grown = max(grown, memory().rss - before)
        together = crowd.p99()

        # One wakes up in time to hear why, the other never does and is cut off.
        assert await drowsy.end() == (Close.SLOW, "it does not read what it is sent")
        await push.until(lambda m: m.total("websocket_clients", client="dispatcher") == 1)
        assert scraped.by("code", "websocket_closed_total") == {"4108": 2}
        for task in (*tasks, reading):
            task.cancel()

    print(
        f"{GOOD} clients, p99 alone {alone * 1e3:.1f} ms, beside stalled ones "
        f"{together * 1e3:.1f} ms in {rounds} rounds; memory {grown / 2**20:+.1f} MiB"
    )
    assert all(revs == list(range(2, rev + 1)) for revs in crowd.revs)
    assert scraped.total("websocket_conflated_total") > 0
    assert grown < MOST_GROWN
    assert together < TIMES_SLOWER * alone


async def _read(peer: Peer) -> None:
    async for _ in peer.connection:
        pass
