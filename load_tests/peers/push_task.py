"""What the push peers have in common: their task, the changes in Redis, tokens."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import msgspec
from msgspec import Struct

from stream import keys

COUNT = 1_000
BLOCK_MS = 500
GATHER_S = 0.005
"""From one read to the next, as Milepost does: many changes in one read cost a fraction of many
reads."""
BEARER = "gps.bearer."


class PushTask(Struct, frozen=True):
    redis: str
    partitions: int
    port: int
    secret: str
    """Of the customers' tokens."""


class Said(Struct):
    """What a customer may say."""

    op: str
    topic: str = ""


said = msgspec.json.Decoder(Said).decode


def read_task() -> PushTask:
    return msgspec.json.decode(sys.argv[1], type=PushTask)


async def changes(task: PushTask, redis: Any) -> AsyncIterator[list[bytes]]:
    """The statuses that are written from now on, as JSON. `redis` is redis-py's, whose types are
    of no help."""
    at = {keys.feed(keys.ORDERS, n).encode(): b"0-0" for n in range(task.partitions)}
    for stream in at:
        for newest, _ in await redis.xrevrange(stream, count=1):
            at[stream] = newest
    while True:
        values: list[bytes] = []
        for stream, entries in await redis.xread(at, count=COUNT, block=BLOCK_MS):
            values += [fields[keys.ANSWER] for _, fields in entries]
            at[stream] = entries[-1][0]
        began = time.monotonic()
        yield values
        await asyncio.sleep(max(0.0, GATHER_S - (time.monotonic() - began)))


def orders_of(protocols: str, secret: str) -> list[str]:
    """The orders that the token among a request's subprotocols is for. Raises InvalidTokenError."""
    offers = (name.strip() for name in protocols.split(","))
    token = next((name for name in offers if name.startswith(BEARER)), BEARER)
    claims = jwt.decode(
        token.removeprefix(BEARER), secret, algorithms=["HS256"], audience="milepost",
        options={"require": ["exp", "sub"]},
    )  # fmt: skip
    return list(claims["orders"])
