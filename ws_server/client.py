"""One connected client: its session, its socket, and when either was last heard of."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from ws_server.hub import Session
from ws_server.outbox import Piece
from ws_server.protocol import Close

CLOSE_S = 5.0
"""So long a client may take to answer our close; then the connection is cut. The library's own
close waits for a full socket to drain, which a stalled client never lets it (push.md B4)."""
_OPEN = State.OPEN  # Not looked up for each frame: an Enum's member costs as much as a call.
RATE_PER_S, BURST = 20.0, 100.0
"""Requests of one client: a dispatcher who clicks through a list needs a few a second."""


class Client:
    """Times are of the event loop's clock, in seconds."""

    __slots__ = (
        "_allowance", "_counted_at", "_protocol", "_transport", "closing", "connection", "errors",
        "pinged_at", "said_at", "session",
    )  # fmt: skip

    def __init__(self, session: Session, connection: ServerConnection, now: float) -> None:
        self.session = session
        self.connection = connection
        self.said_at = self._counted_at = now
        self.pinged_at = 0.0
        """When it was asked for a sign of life; 0: it is not being asked."""
        self.errors = 0
        self.closing: asyncio.Task[None] | None = None
        self._allowance = BURST
        self._transport = connection.transport
        self._protocol = connection.protocol

    @property
    def buffered(self) -> int:
        """Bytes in the process that the socket has not taken."""
        return self._transport.get_write_buffer_size()

    def tell(self, what: Piece, now: float) -> bool:
        """Write it, or keep it in the outbox; False: it was kept."""
        if self.closing is not None:
            return True
        frame = self.session.outbox.offer(what, self.buffered, now)
        if frame is None:
            return False
        self.write(frame, now)
        return True

    def write(self, frame: bytes, now: float) -> None:
        if self._protocol.state is _OPEN:
            self._transport.write(frame)
            self.said_at = now

    def hears(self, now: float) -> bool:
        """It said something; False if it says too much."""
        self.pinged_at = 0.0
        earned = (now - self._counted_at) * RATE_PER_S
        self._allowance = min(BURST, self._allowance + earned) - 1
        self._counted_at = now
        return self._allowance >= 0

    def close(self, code: Close, reason: str) -> None:
        """Begin to close; it ends within CLOSE_S whatever the other side does."""
        if self.closing is None:
            self.closing = asyncio.create_task(self._close(code, reason))

    async def _close(self, code: Close, reason: str) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.connection.close(code, reason)
        self._transport.abort()
