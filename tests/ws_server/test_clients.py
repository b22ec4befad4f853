"""What becomes of clients: asked for a sign of life, conflated, dismissed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.ws_server.builders import Reader, alert, at, status
from tests.ws_server.serving import DISPATCHER, Peer, Push, serving, token
from tests.ws_server.writer import Writer
from ws_server.client import BURST
from ws_server.clients import MOST_ERRORS, Waits
from ws_server.protocol import Close, Role

IMPATIENT = Waits(hello_s=1.0, ping_s=1, pong_s=0.5)
MAX_CLIENTS = 2


Ended = tuple[int, str]


async def without_hello(push: Push, _: Writer) -> Ended:
    async with push.open(DISPATCHER) as peer:
        return await peer.end()


async def without_token(push: Push, _: Writer) -> Ended:
    async with push.open() as peer:
        await peer.say(op="hello", v=1)
        return await peer.end()


async def of_another_version(push: Push, _: Writer) -> Ended:
    async with push.open(DISPATCHER) as peer:
        await peer.say(op="hello", v=99)
        return await peer.end()


async def always_wrong(push: Push, _: Writer) -> Ended:
    async with push.client() as peer:
        for _n in range(MOST_ERRORS + 1):
            await peer.say(op="sub", topic="nonsense")
        return await peer.end()


async def one_too_many(push: Push, _: Writer) -> Ended:
    """Those who have not said hello count."""
    async with push.client(), push.open(DISPATCHER) as waiting, push.open(DISPATCHER) as peer:
        ended = await peer.end()
        await waiting.say(op="hello", v=1)
        assert (await waiting.hear())["op"] == "hello"
        return ended


async def in_a_hurry(push: Push, _: Writer) -> Ended:
    async with push.client() as peer:
        with suppress(ConnectionClosed):
            for _n in range(3 * round(BURST)):
                await peer.say(op="unsub", topic="orders")
        return await peer.end()


async def asleep(push: Push, written: Writer) -> Ended:
    """More waits for it than is kept for one client; it wakes up in time to hear why."""
    async with push.client(narrow=True) as peer:
        await peer.subscribe("alerts")
        rev = 0
        while not (await push.scrape()).total("websocket_closed_total"):
            written.alerts(*(alert("a1", rev + n, orders=("o" * 100_000,)) for n in range(1, 21)))
            rev += 20
        return await peer.end()


async def deaf(push: Push, _: Writer) -> Ended:
    async with push.client() as peer:
        return await peer.end()


async def _ended(push: Push, lives_s: float) -> Ended:
    async with push.client(token(Role.DISPATCHER, lives_s=lives_s)) as peer:
        with suppress(ConnectionClosed):
            while True:
                assert (await peer.hear())["op"] == "ping"
                await peer.say(op="pong")
        return await peer.end()


async def expired(push: Push, _: Writer) -> Ended:
    return await _ended(push, lives_s=2)


ENDS: dict[Close, tuple[Callable[[Push, Writer], Coroutine[None, None, Ended]], str]] = {
    Close.BAD_MESSAGE: (without_hello, "no hello within 1 s"),
    Close.UNAUTHORIZED: (without_token, "there is no token"),
    Close.NO_SUCH_VERSION: (of_another_version, "this server speaks version 1"),
    Close.TOO_MANY_ERRORS: (always_wrong, "too many errors"),
    Close.OVER_CAPACITY: (one_too_many, "too many clients"),
    Close.RATE_LIMITED: (in_a_hurry, "too many requests"),
    Close.SLOW: (asleep, "it does not read what it is sent"),
    Close.NO_PONG: (deaf, "no pong"),
    Close.TOKEN_EXPIRED: (expired, "the token has expired"),
}


@pytest.mark.parametrize("code", [code for code in Close if code is not Close.GOING_AWAY])
async def test_a_connection_is_closed_with_its_code_and_counted(
    written: Writer, code: Close
) -> None:
    behaves, reason = ENDS[code]
    # Who is too slow may not be able to answer a ping either.
    waits = Waits() if code is Close.SLOW else IMPATIENT
    async with serving(written.url, waits=waits, max_clients=MAX_CLIENTS) as push:
        assert await behaves(push, written) == (code, reason)
        await push.until(lambda m: m.total("websocket_clients") == 0)
        counted = (await push.scrape()).by("code", "websocket_closed_total")
        assert counted == {str(code.value): 1}


async def test_who_answers_is_asked_again_and_stays(written: Writer) -> None:
    async with serving(written.url, waits=IMPATIENT) as push, push.client() as peer:
        for _ in range(3):
            said = await peer.hear()
            assert (said["op"], said["live"]) == ("ping", True)
            await peer.say(op="pong")


async def test_a_token_that_expires_ends_one_connection_and_not_the_other(
    written: Writer,
) -> None:
    async with serving(written.url) as push, push.client() as other:
        assert (await _ended(push, lives_s=1.5))[0] == Close.TOKEN_EXPIRED
        await other.say(op="sub", topic="orders")
        assert (await other.hear_until("synced"))[-1]["topic"] == "orders"


async def test_a_slow_client_gets_the_newest_of_everything_and_every_alert(
    written: Writer,
) -> None:
    written.orders(status("o1", 1))
    async with (
        serving(written.url) as push,
        push.client() as good,
        push.client(narrow=True) as slow,
    ):
        for topic in ("orders", "alerts", "fleet"):
            await good.subscribe(topic)
            await slow.subscribe(topic)
        rounds = await fill(push, written)
        for rev in range(1, CHANGES + 1):
            written.orders(status("o1", 1 + rev, errors=rev))
            written.alerts(alert("a1", rev))
        theirs = await Heard.until_the_end(good, rounds)
        ours = await Heard.until_the_end(slow, rounds)
        assert ours.alerts == theirs.alerts == list(range(1, CHANGES + 1))
        assert (theirs.changes, ours.changes) == (list(range(2, CHANGES + 2)), [CHANGES + 1])
        assert ours.reader.items == theirs.reader.items
        assert len(ours.places) == len(theirs.places) == len(VEHICLES)
        assert (await push.scrape()).total("websocket_conflated_total") >= CHANGES - 1


CHANGES = 20
VEHICLES = [f"vehicle-{n}" for n in range(1_000)]


async def fill(push: Push, written: Writer) -> int:
    """Move the fleet until some client's socket is full; how often it moved."""
    rounds = 0
    while not (await push.scrape()).total("websocket_buffered_bytes"):
        rounds += 1
        written.moved(dict.fromkeys(VEHICLES, at(rounds)))
    return rounds


class Heard:
    """What a dispatcher was told."""

    def __init__(self) -> None:
        self.alerts: list[int] = []
        self.changes: list[int] = []
        self.places: dict[str, int] = {}
        self.reader = Reader()

    @classmethod
    async def until_the_end(cls, peer: Peer, rounds: int) -> Heard:
        heard, last = cls(), at(rounds).ts
        while not (
            heard.alerts[-1:] == [CHANGES]
            and heard.changes[-1:] == [CHANGES + 1]
            and set(heard.places.values()) == {last}
        ):
            heard.take(await peer.hear())
        return heard

    def take(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case "alert":
                self.alerts.append(message["rev"])
            case "delta":
                self.changes.append(message["rev"])
                self.reader.hear(message)
            case "pos":
                for vehicle, ts, *_ in message["v"]:
                    assert ts >= self.places.get(vehicle, 0), "it went back"
                    self.places[vehicle] = ts
