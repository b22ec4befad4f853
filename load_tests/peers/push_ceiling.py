"""The ceiling: changes are read from Redis, and each is written to its socket as it came.

No tokens, no state, nothing left out or compared, no library between: what is left is what any
server in Python has to do for each change.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import os
import re

from redis.asyncio import Redis

from load_tests.peers.push_task import PushTask, changes, read_task

_KEY = re.compile(rb"Sec-WebSocket-Key: (\S+)", re.IGNORECASE)
_TOPIC = re.compile(rb'"topic":"order:([^"]+)"')
_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_ID, _REV = b'"order_id":"', b'"rev":'

sockets: dict[bytes, int] = {}
"""By order id: the file of its customer's socket."""


class Customer(asyncio.Protocol):
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """The request, or `hello` and `sub` in one piece: enough for the crowd."""
        if key := _KEY.search(data):
            accept = base64.b64encode(hashlib.sha1(key[1] + _SALT).digest())
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Protocol: gps.v1\r\n"
                b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
            )
        elif topic := _TOPIC.search(data):
            sockets[topic[1]] = self.transport.get_extra_info("socket").fileno()
            self.transport.write(frame(b'{"op":"snap","items":[],"part":0,"rev":-1}'))
            self.transport.write(frame(b'{"op":"synced"}'))


def frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), payload)


def pass_on(value: bytes) -> None:
    at = value.index(_ID) + len(_ID)
    name = value[at : value.index(b'"', at)]
    socket = sockets.get(name)
    if socket is not None:
        at = value.index(_REV) + len(_REV)
        rev = value[at : value.index(b",", at)]
        told = b'{"op":"delta","topic":"order:%b","id":"%b","rev":%b,"set":%b}'
        os.write(socket, frame(told % (name, name, rev, value)))


async def run(task: PushTask) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(Customer, "127.0.0.1", task.port, backlog=1_024)
    async for values in changes(task, Redis.from_url(task.redis)):
        for value in values:
            pass_on(value)


if __name__ == "__main__":
    gc.set_threshold(50_000, 20)
    asyncio.run(run(read_task()))
