"""Everyone who is connected: what is to be told goes through here, to each at its own pace."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from stream.clock import wall_ms
from stream.metrics import Cells
from ws_server.client import Client
from ws_server.hub import Delivery, Session
from ws_server.outbox import piece
from ws_server.protocol import Close, Err, Ping, Told

DRAIN_S = 0.02
FRAMES_AT_ONCE = 50
"""Then the event loop gets its turn."""
MOST_ERRORS = 20
LEAVING = "the server goes away"


class Waits(NamedTuple):
    """In seconds."""

    hello_s: float = 5.0
    """For a new client's hello."""
    ping_s: int = 25
    """The longest a client hears nothing."""
    pong_s: float = 15.0
    """For the answer to a ping."""


class Clients:
    def __init__(self, cells: Cells, waits: Waits) -> None:
        self.live = False
        """Whether what they are told is current."""
        self._clients: dict[Session, Client] = {}
        self._full: set[Client] = set()
        self._filled = asyncio.Event()
        self._cells = cells
        self._waits = waits

    def __len__(self) -> int:
        return len(self._clients)

    def join(self, client: Client) -> None:
        self._clients[client.session] = client

    def leave(self, client: Client) -> None:
        del self._clients[client.session]
        self._full.discard(client)

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        """Write at once, or keep for those whose socket is full."""
        now, told, size = time.monotonic(), Counter[type[Told]](), 0
        for to, what in deliveries:
            count = 0
            for session in to:
                client = self._clients.get(session)
                if client is None:
                    continue
                count += 1
                if not client.tell(what, now):
                    self._full.add(client)
                    self._filled.set()
                if isinstance(what.told, Err):
                    self._erred(client, what.told)
            told[type(what.told)] += count
            size += count * len(what.frame)
        for kind, count in told.items():
            self._cells.count("websocket_frames", str(kind.__struct_config__.tag), by=count)
        self._cells.count("websocket_bytes", by=size)

    async def deliver_all(self, deliveries: Iterable[Delivery]) -> None:
        """The same for what may be long, some frames at a time."""
        some: list[Delivery] = []
        for delivery in deliveries:
            some.append(delivery)
            if len(some) == FRAMES_AT_ONCE:
                self.deliver(some)
                some = []
                await asyncio.sleep(0)
        self.deliver(some)

    def dismiss(self, client: Client, code: Close, reason: str) -> None:
        """Begin to close a connection."""
        if client.closing is None:
            self._cells.count("websocket_closed", str(code.value))
            client.close(code, reason)

    async def dismiss_all(self) -> None:
        """Tell everyone to connect elsewhere, and cut off who does not go."""
        clients = list(self._clients.values())
        for client in clients:
            self.dismiss(client, Close.GOING_AWAY, LEAVING)
        await asyncio.gather(*(c.closing for c in clients if c.closing is not None))

    def are_live(self, live: bool) -> None:
        """Tell everyone if that has changed."""
        if live is not self.live:
            self.live = live
            self.deliver([Delivery(list(self._clients), piece(Ping(wall_ms(), live)))])

    async def drain(self) -> None:
        """Give those whose socket was full what waits for them, or give them up; for ever."""
        while True:
            if not self._full:
                self._filled.clear()
                await self._filled.wait()
            await asyncio.sleep(DRAIN_S)
            now = time.monotonic()
            for client in list(self._full):
                self._drain(client, now)

    def _drain(self, client: Client, now: float) -> None:
        outbox = client.session.outbox
        for frame in outbox.take(client.buffered, now):
            client.write(frame, now)
        if outbox.is_slow(now):
            self.dismiss(client, Close.SLOW, "it does not read what it is sent")
        if not len(outbox) or client.closing is not None:
            self._full.discard(client)
            self._cells.count("websocket_conflated", by=outbox.conflated)
            outbox.conflated = 0

    async def beat(self) -> None:
        """Each second, for ever: who was told nothing for long is asked; who does not answer, or
        whose token has run out, is dismissed."""
        while True:
            await asyncio.sleep(1.0)
            now, now_ms = time.monotonic(), wall_ms()
            quiet = []
            for client in self._clients.values():
                if client.session.grant.expires_at <= now_ms:
                    self.dismiss(client, Close.TOKEN_EXPIRED, "the token has expired")
                elif client.pinged_at and now - client.pinged_at > self._waits.pong_s:
                    self.dismiss(client, Close.NO_PONG, "no pong")
                elif now - client.said_at >= self._waits.ping_s - 1:
                    client.pinged_at = client.pinged_at or now
                    quiet.append(client.session)
            self.deliver([Delivery(quiet, piece(Ping(now_ms, self.live)))])

    def gauges(self) -> Iterable[tuple[str, tuple[str, ...], float]]:
        for session in self._clients:
            yield "websocket_clients", (session.grant.role.value,), 1
        waiting = sum(c.session.outbox.bytes + c.buffered for c in self._full)
        yield "websocket_buffered_bytes", (), waiting

    def _erred(self, client: Client, err: Err) -> None:
        self._cells.count("websocket_refused", err.code)
        client.errors += 1
        if client.errors > MOST_ERRORS:
            self.dismiss(client, Close.TOO_MANY_ERRORS, "too many errors")
