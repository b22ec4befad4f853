"""A push server in this process, and clients of it."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from stream.config import Settings
from stream.metrics import Cells
from tests.worker import Metrics
from tests.ws_server.writer import PARTITIONS
from ws_server.auth import Tokens
from ws_server.clients import Waits
from ws_server.hub import Grant
from ws_server.pages import Pages
from ws_server.protocol import BEARER, SUBPROTOCOL, Role
from ws_server.server import PushServer

SECRET = "a secret of the tests, long enough"
SETTINGS = Settings(push="127.0.0.1:0", partitions=PARTITIONS, token_secret=SECRET)
WAIT_S = 20.0
"""For what must come; a test that waits so long has failed."""


def token(role: Role = Role.CUSTOMER, *orders: str, lives_s: float = 3_600) -> str:
    expires_at = round((time.time() + lives_s) * 1000)
    return Tokens(SECRET).mint(Grant("somebody", role, expires_at, orders))


DISPATCHER = token(Role.DISPATCHER)
CUSTOMER = token(Role.CUSTOMER, "o1")


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Push:
    """A server as its clients see it."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def get(self, path: str) -> Answer:
        return await asyncio.to_thread(self._get, path)

    def _get(self, path: str) -> Answer:
        connection = http.client.HTTPConnection(self.address, timeout=WAIT_S)
        try:
            connection.request("GET", path)
            said = connection.getresponse()
            headers = {name.lower(): value for name, value in said.getheaders()}
            return Answer(said.status, headers, said.read())
        finally:
            connection.close()

    async def scrape(self) -> Metrics:
        return Metrics((await self.get("/metrics")).body.decode())

    async def until(self, condition: Callable[[Metrics], object]) -> None:
        """Wait until it counts so."""
        async with asyncio.timeout(WAIT_S):
            while not condition(await self.scrape()):
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def open(
        self,
        bearer: str = "",
        *,
        subprotocol: str = "",
        origin: str | None = None,
        narrow: bool = False,
    ) -> AsyncIterator[Peer]:
        """A connection on which nothing has been said, `bearer` in its header or `subprotocol` in
        its subprotocols. A `narrow` one takes in next to nothing until it is heard."""
        offers = [SUBPROTOCOL, BEARER + subprotocol] if subprotocol else [SUBPROTOCOL]
        async with connect(
            f"ws://{self.address}/ws",
            additional_headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
            subprotocols=[Subprotocol(offer) for offer in offers],
            origin=None if origin is None else Origin(origin),
            compression=None,
            ping_interval=None,
            max_size=None,
            proxy=None,
            sock=self._narrow_socket() if narrow else None,
            max_queue=1 if narrow else None,
            close_timeout=0.2 if narrow else 10,
        ) as connection:
            yield Peer(connection)

    def _narrow_socket(self) -> socket.socket:
        host, _, port = self.address.rpartition(":")
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        sock.connect((host, int(port)))
        return sock

    @asynccontextmanager
    async def client(
        self, bearer: str = DISPATCHER, *, narrow: bool = False
    ) -> AsyncIterator[Peer]:
        """One that has been welcomed."""
        async with self.open(bearer, narrow=narrow) as peer:
            await peer.say(op="hello", v=1)
            assert (await peer.hear())["op"] == "hello"
            yield peer


class Peer:
    """A client that says and hears JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(WAIT_S):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def hear_until(self, op: str) -> list[dict[str, Any]]:
        """What is said up to the first `op`, and that."""
        heard = [await self.hear()]
        while heard[-1]["op"] != op:
            heard.append(await self.hear())
        return heard

    async def subscribe(self, topic: str) -> list[dict[str, Any]]:
        """The snapshot."""
        await self.say(op="sub", topic=topic)
        return await self.hear_until("synced")

    async def end(self) -> tuple[int, str]:
        """How the server closes, whatever it says before."""
        async with asyncio.timeout(WAIT_S):
            with suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        return self.connection.close_code or 0, self.connection.close_reason or ""


@asynccontextmanager
async def serving(
    redis: str, *, waits: Waits | None = None, pages: Pages | None = None, **more: Any
) -> AsyncIterator[Push]:
    """A server on a port of its own, ready; at the end clients are told to go."""
    settings = replace(SETTINGS, redis=redis, **more)
    server = PushServer(settings, Cells(), pages or Pages(), waits or Waits())
    async with server.listening() as address:
        work = asyncio.create_task(server.run())
        push = Push(address)
        try:
            while (await push.get("/readyz")).status != 200:
                assert not work.done(), "the server ended"
                await asyncio.sleep(0.02)
            yield push
        except BaseException:
            work.cancel()
            raise
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
