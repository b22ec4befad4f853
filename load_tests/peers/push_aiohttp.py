"""An aiohttp server that does what `milepost push` does for customers of one order each: the same
tokens, the same fields, the same frames; a client that does not read is cut off, not conflated."""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from typing import Any

from aiohttp import WSMsgType, web
from jwt import InvalidTokenError
from msgspec import Raw, Struct
from msgspec.json import Decoder, Encoder
from redis.asyncio import Redis

from load_tests.peers.push_task import PushTask, changes, orders_of, read_task, said
from stream import keys

UNDER_WAY = (b'"outbound"', b'"in_transit"')
YOUNG_OBJECTS = 50_000
FULL_BYTES = 65_536
_fields = Decoder(dict[str, Raw]).decode
_number = Decoder(int).decode
_encode = Encoder().encode


class Delta(Struct, tag_field="op", tag="delta"):
    topic: str
    id: str
    rev: int
    set: dict[str, Raw]
    prev: int


class Order:
    __slots__ = ("clients", "fields", "rev")

    def __init__(self) -> None:
        self.rev = -1
        self.fields: dict[str, Raw] = {}
        """What its customer may see."""
        self.clients: dict[web.WebSocketResponse, asyncio.Transport] = {}
        """Those that have the snapshot."""

    def take(self, fields: dict[str, Raw]) -> dict[str, Raw]:
        """Keep a newer answer; gives what has changed for a customer."""
        rev = _number(fields.pop("rev"))
        if rev <= self.rev:
            return {}
        fields.pop("errors", None)
        fields.pop("last_error", None)
        if bytes(fields["stage"]) not in UNDER_WAY:
            fields["seen"] = fields["vehicle_id"] = Raw(b"null")
        before, self.rev, self.fields = self.fields, rev, fields
        return {name: value for name, value in fields.items() if before.get(name) != value}


class Push:
    def __init__(self, task: PushTask) -> None:
        self._task = task
        self._redis: Any = Redis.from_url(task.redis)
        self._orders: dict[str, Order] = defaultdict(Order)
        """Those somebody follows."""

    async def run(self) -> None:
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._task.port, backlog=1_024).start()
        async for values in changes(self._task, self._redis):
            for value in values:
                await self._changed(value)

    async def _changed(self, value: bytes) -> None:
        fields = _fields(value)
        order_id = bytes(fields["order_id"])[1:-1].decode()
        order = self._orders.get(order_id)
        if order is None:
            return
        before, changed = order.rev, order.take(fields)
        if changed and order.clients:
            frame = _encode(Delta(f"order:{order_id}", order_id, order.rev, changed, before))
            for client, transport in order.clients.items():
                if transport.get_write_buffer_size() > FULL_BYTES:
                    transport.abort()  # Else one who does not read would hold up everyone.
                else:
                    await client.send_frame(frame, WSMsgType.TEXT)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        client = web.WebSocketResponse(protocols=("gps.v1",), compress=False)
        await client.prepare(request)
        assert request.transport is not None, "it is connected"
        mine = set[str]()
        try:
            offered = request.headers.get("Sec-WebSocket-Protocol", "")
            allowed = orders_of(offered, self._task.secret)
            async for message in client:
                asked = said(message.data)
                if asked.op == "hello":
                    hello = {"op": "hello", "v": 1, "orders": allowed, "live": True}
                    await client.send_frame(_encode(hello), WSMsgType.TEXT)
                elif asked.topic.removeprefix("order:") in allowed:
                    mine.add(asked.topic)
                    await self._subscribe(client, request.transport, asked.topic)
        except InvalidTokenError:
            await client.close(code=4001)
        for topic in mine:
            self._orders[topic.removeprefix("order:")].clients.pop(client, None)
        return client

    async def _subscribe(
        self, client: web.WebSocketResponse, transport: asyncio.Transport, topic: str
    ) -> None:
        order_id = topic.removeprefix("order:")
        order = self._orders[order_id]  # From now on it takes changes.
        held = await self._redis.hget(keys.entity(keys.ORDERS, order_id), "s")
        if held:
            order.take(_fields(held))
        item = {"id": order_id, "rev": order.rev, "data": order.fields}
        items = [item] if order.rev >= 0 else []
        snap = _encode({"op": "snap", "topic": topic, "items": items, "part": 0})
        order.clients[client] = transport
        await client.send_frame(snap, WSMsgType.TEXT)
        await client.send_frame(_encode({"op": "synced", "topic": topic}), WSMsgType.TEXT)


if __name__ == "__main__":
    gc.set_threshold(YOUNG_OBJECTS, 20)
    asyncio.run(Push(read_task()).run())
