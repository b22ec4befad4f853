"""From the feed through the hub to the clients: what changes, and what new channels show first.

The two loops share the hub. Neither awaits between looking at it and changing it, so each call of
the hub is one step.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from geo.model import Ms
from stream import keys
from stream.clock import wall_ms
from stream.keys import Position
from stream.metrics import Cells
from ws_server.clients import Clients
from ws_server.feed import AWAY, GATHER_S, RETRY_S, Change, Feed
from ws_server.hub import Delivery, Hub, Session
from ws_server.protocol import Sub
from ws_server.views import alert_of, head_of

log = logging.getLogger(__name__)

CHANGES_AT_ONCE = 500
"""Then the event loop gets its turn."""


class Relay:
    def __init__(self, feed: Feed, clients: Clients, cells: Cells) -> None:
        self.turned_at = time.monotonic()
        """When the feed last answered, or said that it does not."""
        self._feed = feed
        self._clients = clients
        self._cells = cells
        self._hub = Hub()
        self._wanted = asyncio.Event()

    # What clients ask.

    async def subscribe(self, session: Session, asked: Sub) -> None:
        await self._clients.deliver_all(self._hub.subscribe(session, asked, wall_ms()))
        if self._hub.wanted:
            self._wanted.set()

    def unsubscribe(self, session: Session, topic: str) -> None:
        self._hub.unsubscribe(session, topic)

    def leave(self, session: Session) -> None:
        self._hub.leave(session)

    # What the feed brings.

    async def follow(self) -> None:
        """Pass on what changes, for ever; when the feed breaks, begin again with everything."""
        failures = 0
        while True:
            try:
                await self._feed.begin()
                self._hub.reset()
                self._wanted.set()
                self._is_live(True)
                failures = 0
                await self._follow()
                log.warning("the feed was trimmed before it was read; reading everything anew")
                self._cells.count("feed_gaps")
            except AWAY as away:
                if not failures:
                    log.warning("Redis is away (%s); clients see what they have as old", away)
                    self._cells.count("feed_gaps")
                self._is_live(False)
                self.turned_at = time.monotonic()
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1

    async def _follow(self) -> None:
        """Until something is lost."""
        while (changes := await self._feed.changes()) is not None:
            self.turned_at = time.monotonic()
            for start in range(0, len(changes), CHANGES_AT_ONCE):
                self._pass_on(changes[start : start + CHANGES_AT_ONCE])
                await asyncio.sleep(0)
            spent_s = time.monotonic() - self.turned_at
            await asyncio.sleep(max(0.0, GATHER_S - spent_s))

    def _pass_on(self, changes: list[Change]) -> None:
        for what, count in Counter(change.what for change in changes).items():
            self._cells.count("feed_entries", what, by=count)
        self._clients.deliver(self._told_of(changes, wall_ms()))

    def _told_of(self, changes: list[Change], now: Ms) -> Iterator[Delivery]:
        at: dict[str, Position] = {}
        for what, value in changes:
            match what:
                case keys.ORDERS:
                    head = head_of(value)
                    yield from self._hub.status(head, value)
                    self._aged(what, now - head.reported_at)
                case keys.ALERTS:
                    yield from self._hub.alert(value)
                    self._aged(what, now - alert_of(value).reported_at)
                case _:
                    at.update(keys.unpack_feed(value))
        if at:
            yield from self._hub.moved(at, now)

    def _aged(self, what: str, age_ms: int) -> None:
        self._cells.observe("websocket_push_age_seconds", max(0, age_ms) / 1000, what)

    async def load(self) -> None:
        """Read what channels are to show first, for ever."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if not self._clients.live:
                continue  # Once it is, everything is wanted.
            taken = list(self._hub.wanted)
            self._hub.wanted.clear()
            try:
                found = await self._feed.read([key.topic for key in taken])
            except AWAY:
                # `follow` may not have met it, if it was this connection or this command alone.
                self._hub.wanted.update(taken)
                self._wanted.set()
                await asyncio.sleep(RETRY_S[0])
                continue
            for key, (values, at) in zip(taken, found, strict=True):
                if key not in self._hub.wanted:  # Else it is to be read anew.
                    told = self._hub.loaded(key, values, at, wall_ms())
                    await self._clients.deliver_all(told)

    def _is_live(self, live: bool) -> None:
        self._cells.redis(up=live)
        self._clients.are_live(live)

    def gauges(self) -> Iterable[tuple[str, tuple[str, ...], float]]:
        yield "feed_up", (), float(self._clients.live)
        yield "feed_behind_seconds", (), self._feed.behind_s
        yield "websocket_topics", (), len(self._hub.channels)
