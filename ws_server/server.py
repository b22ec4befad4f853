"""The push server: websockets and pages on one port."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from stream import keys
from stream.clock import wall_ms
from stream.config import ConfigError, Settings
from stream.metrics import Cells
from stream.tasks import end_all
from ws_server.auth import Tokens, offered
from ws_server.client import Client
from ws_server.clients import LEAVING, Clients, Waits
from ws_server.feed import Feed
from ws_server.hub import Delivery, Grant, Session
from ws_server.outbox import FULL_BYTES, piece
from ws_server.pages import Pages, answer
from ws_server.protocol import (
    HELLO_BYTES,
    MESSAGE_BYTES,
    SUBPROTOCOL,
    VERSION,
    Close,
    Code,
    Err,
    Hello,
    Pong,
    Role,
    Sub,
    Told,
    Unsub,
    Welcome,
    decode,
)
from ws_server.relay import Relay

log = logging.getLogger(__name__)

STUCK_S = 30.0
USUAL = Waits()
SEND_BUFFER = 65_536
"""Of the kernel, which else hides megabytes that a stalled client has not taken (push.md B4)."""

_FORGOTTEN = Request("/ws", Headers())
_TOO_LONG = Err(Code.BAD_MESSAGE, f"a message has {MESSAGE_BYTES} bytes at most")


class PushServer:
    """`run` it as a task within `listening`."""

    def __init__(
        self, settings: Settings, cells: Cells, pages: Pages, waits: Waits = USUAL
    ) -> None:
        """Raises ConfigError for a secret that is none."""
        self._tokens = Tokens(settings.token_secret)
        self._settings = settings
        self._origins = {o.strip().rstrip("/") for o in settings.origins.split(",") if o.strip()}
        self._pages = pages
        self._cells = cells
        self._feed = Feed(settings)
        self._waits = waits
        self._clients = Clients(cells, waits)
        self._greeting = 0
        self._leaving = False
        self._relay = Relay(self._feed, self._clients, cells)
        cells.gauge("clients", self._clients.gauges)
        cells.gauge("relay", self._relay.gauges)
        _declare(cells)
        self._registry = CollectorRegistry()
        self._registry.register(cells)
        ProcessCollector(registry=self._registry)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Serve until the block ends; gives the real address (port 0 picks one). Raises
        ConfigError."""
        sock = _listen(self._settings.push)
        async with serve(
            self._connected,
            sock=sock,
            process_request=self._requested,
            select_subprotocol=_subprotocol,
            compression=None,  # 2.2 times the CPU and 3.3 times the memory (push.md 0.2).
            ping_interval=None,
            max_size=HELLO_BYTES,
            write_limit=FULL_BYTES,
            server_header=None,
        ) as server:
            yield "{}:{}".format(*sock.getsockname()[:2])
            server.close(close_connections=False)
            self._leaving = True
            await self._clients.dismiss_all()

    async def run(self) -> None:
        """Work until cancelled."""
        loops = (self._relay.follow, self._relay.load, self._clients.drain, self._clients.beat)
        tasks = [asyncio.create_task(loop()) for loop in loops]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # Raises: none of them ends in order.
        finally:
            await end_all(tasks)
            await self._feed.close()

    # Pages.

    def _requested(self, connection: ServerConnection, request: Request) -> Response | None:
        """A page, or None for a websocket."""
        match request.path.partition("?")[0]:
            case "/ws":
                return self._origin_refused(request)
            case "/metrics":
                exposed = generate_latest(self._registry)
                return answer(HTTPStatus.OK, exposed, CONTENT_TYPE_PLAIN_0_0_4)
            case "/healthz":
                turns = time.monotonic() - self._relay.turned_at < STUCK_S
                return _health(turns, "the feed is stuck")
            case "/readyz":
                return _health(self._clients.live, "Redis is away or being filled")
            case _:
                return self._pages.answer(request)

    def _origin_refused(self, request: Request) -> Response | None:
        """A browser says whose page asks; other programs say nothing, and bring a token."""
        origin = request.headers.get("Origin")
        own = request.headers.get("Host", "")
        if origin is None or origin in self._origins or origin.partition("://")[2] == own:
            return None
        said = f"pages of {origin} may not connect; MILEPOST_ORIGINS names those that may\n"
        return answer(HTTPStatus.FORBIDDEN, said.encode(), "text/plain; charset=utf-8")

    # Clients.

    async def _connected(self, connection: ServerConnection) -> None:
        try:
            grant = await self._admitted(connection)
            if isinstance(grant, Grant):
                await self._attend(connection, grant)
            else:
                self._cells.count("websocket_closed", str(grant[0].value))
                await connection.close(*grant)
        except ConnectionClosed:
            pass  # How else should it end.
        except Exception:
            # A bug. The library would tell nobody: its log is turned down (commands/push.py).
            log.exception("a connection ended by our own fault")
            raise

    async def _admitted(self, connection: ServerConnection) -> Grant | tuple[Close, str]:
        """What the client may see, or why it is sent away. Raises ConnectionClosed."""
        if len(self._clients) + self._greeting >= self._settings.max_clients:
            return Close.OVER_CAPACITY, "too many clients"
        self._greeting += 1
        try:
            grant = await self._greeted(connection)
        finally:
            self._greeting -= 1
        # Who said hello while we told the others to go would stay, and we with it.
        return (Close.GOING_AWAY, LEAVING) if self._leaving else grant

    async def _greeted(self, connection: ServerConnection) -> Grant | tuple[Close, str]:
        try:
            async with asyncio.timeout(self._waits.hello_s):
                hello = decode(await connection.recv())
        except TimeoutError:
            return Close.BAD_MESSAGE, f"no hello within {self._waits.hello_s:g} s"
        if not isinstance(hello, Hello):
            return Close.BAD_MESSAGE, 'say {"op":"hello","v":1} first'
        if hello.v != VERSION:
            return Close.NO_SUCH_VERSION, f"this server speaks version {VERSION}"
        assert connection.request is not None, "there was a handshake"
        token = offered(connection.request.headers) or hello.token
        if not token:
            return Close.UNAUTHORIZED, "there is no token"
        grant = self._tokens.read(token)
        return grant if isinstance(grant, Grant) else (Close.UNAUTHORIZED, grant[:120])

    async def _attend(self, connection: ServerConnection, grant: Grant) -> None:
        # 4 KB of headers, the token among them; nobody asks for them again. Without any request
        # the library would take the next message for one.
        connection.request, connection.response = _FORGOTTEN, None
        client = Client(Session(grant), connection, time.monotonic())
        self._clients.join(client)
        try:
            self._tell(client, self._welcome(grant))
            async for message in connection:
                if client.closing is None:
                    await self._heard(client, message)
        finally:
            self._clients.leave(client)
            self._relay.leave(client.session)

    async def _heard(self, client: Client, message: str | bytes) -> None:
        if not client.hears(time.monotonic()):
            self._clients.dismiss(client, Close.RATE_LIMITED, "too many requests")
            return
        asked = decode(message) if len(message) <= MESSAGE_BYTES else _TOO_LONG
        match asked:
            case Sub():
                await self._relay.subscribe(client.session, asked)
            case Unsub():
                self._relay.unsubscribe(client.session, asked.topic)
            case Pong():
                pass
            case Hello():
                self._tell(client, Err(Code.BAD_MESSAGE, "hello was said before"))
            case Err():
                self._tell(client, asked)

    def _welcome(self, grant: Grant) -> Welcome:
        now = wall_ms()
        live = self._clients.live
        return Welcome(
            VERSION, now, self._waits.ping_s, grant.role, grant.expires_at, live, grant.orders
        )

    def _tell(self, client: Client, told: Welcome | Err) -> None:
        self._clients.deliver([Delivery((client.session,), piece(told))])


def _subprotocol(connection: ServerConnection, offers: Iterable[str]) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offers else None


def _health(well: bool, otherwise: str) -> Response:
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    said = "ok\n" if well else otherwise + "\n"
    return answer(status, said.encode(), "text/plain; charset=utf-8")


def _listen(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    try:
        sock = socket.create_server((host, int(port)), backlog=1_024)
    except (OSError, ValueError, OverflowError) as wrong:
        raise ConfigError(
            f"cannot serve pages on {address} ({wrong}); set MILEPOST_PUSH to a free host:port"
        ) from wrong
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    # Connections inherit it. asyncio sets it only on sockets that name their protocol, as this one
    # does not; without, a frame after another waits 40 ms for an ACK that is delayed.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _declare(cells: Cells) -> None:
    """Labels are closed lists, there at 0 from the start."""
    for role in Role:
        cells.declare("websocket_clients", role)
    for code in Code:
        cells.declare("websocket_refused", code)
    for close in Close:
        cells.declare("websocket_closed", str(close.value))
    for what in (keys.ORDERS, keys.ALERTS, keys.POSITIONS):
        cells.declare("feed_entries", what)
    for what in (keys.ORDERS, keys.ALERTS):
        cells.declare("websocket_push_age_seconds", what)
    for told in get_args(Told):
        cells.declare("websocket_frames", told.__struct_config__.tag)
    for name in ("feed_gaps", "websocket_bytes", "websocket_conflated"):
        cells.declare(name)
