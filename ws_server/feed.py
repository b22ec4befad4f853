"""Redis, as the hub needs it: what changes (streams) and what is (hashes).

How this works. Workers append each change to a stream per partition. We read all of them from ids
that are resolved once at the start, for `$` would be evaluated at each read and lose what came in
between. Whoever reads too slowly is overtaken by the trimming of the streams, and Redis does not
say so; hence the check after a read that found more than it could take. After that, and after any
lost connection, nothing is known of what was missed, and the hub loads everything it shows again.

A Redis that came back empty is being refilled by the workers. It is not looked at until every
partition has its mark again, so that nobody is shown an empty list meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from stream import keys
from stream.config import Settings
from stream.keys import Position
from stream.topics import partition_of
from ws_server.protocol import ALERTS, FLEET, ORDER, ORDERS
from ws_server.views import head_of

log = logging.getLogger(__name__)

COUNT = 1_000
"""Entries of one stream in one read."""
BLOCK_MS = 500
GATHER_S = 0.005
"""From one read to the next, at least, what is done in between included: at 2,000 changes/s it
makes one read of ten (research/push.md C1), and a busy process does not wait on top of its work."""
RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)
REFILL_S = 10.0
"""So long an emptied Redis may take to be filled before we take it as it is."""
MARKED = ("orders", "alerts")
"""Roles whose answers are shown; vehicles have positions only, which come anyway."""
AT_ONCE = 500
"""Answers asked for in one round trip."""

_POSITIONS = b"b"


class Change(NamedTuple):
    """One entry of a stream: `what` is one of `keys.ORDERS`, `keys.ALERTS`, `keys.POSITIONS`."""

    what: str
    value: bytes


class Feed:
    """Reads one Redis. Raises RedisError or OSError wherever it is away."""

    def __init__(self, settings: Settings) -> None:
        self._redis: Any = Redis.from_url(
            settings.redis, socket_timeout=5.0, socket_connect_timeout=5.0, retry=None
        )
        self._partitions = range(settings.partitions)
        self._streams = {
            keys.feed(what, number).encode(): what
            for what in (keys.ORDERS, keys.ALERTS, keys.POSITIONS)
            for number in self._partitions
        }
        self._read: dict[bytes, bytes] = {}
        self.behind_s = 0.0
        """How old the newest entry was at the last read, in the stream where it is oldest; 0 when
        there was none."""

    async def begin(self) -> None:
        """Read on from now."""
        await self._refilled()
        pipeline = self._redis.pipeline(transaction=False)
        for stream in self._streams:
            pipeline.xrevrange(stream, count=1)
        newest = await pipeline.execute()
        self._read = {
            stream: last[0][0] if last else b"0-0"
            for stream, last in zip(self._streams, newest, strict=True)
        }

    async def changes(self) -> list[Change] | None:
        """What has changed since the last call, waiting a little for something; None: some of it
        is lost."""
        said = await self._redis.xread(self._read, count=COUNT, block=BLOCK_MS)
        entries: list[Change] = []
        for stream, found in said:
            what = self._streams[stream]
            if len(found) >= COUNT and await self._was_overtaken(stream):
                return None
            field = _POSITIONS if what == keys.POSITIONS else keys.ANSWER
            entries += [Change(what, fields[field]) for _, fields in found]
            self._read[stream] = found[-1][0]
        self.behind_s = max((_age_s(found[-1][0]) for _, found in said), default=0.0)
        return entries

    async def _was_overtaken(self, stream: bytes) -> bool:
        """Whether entries after the last one read may have been trimmed."""
        info = await self._redis.xinfo_stream(stream)
        first = info.get("first-entry")
        return first is not None and _id(first[0]) > _id(self._read[stream])

    async def _refilled(self) -> None:
        """Every partition has its mark; or it has none for so long that no worker is at it."""
        count = len(self._partitions)
        marks = [keys.mark(role, n) for role in MARKED for n in range(count + 1)]
        ends = time.monotonic() + REFILL_S
        while True:
            pipeline = self._redis.pipeline(transaction=False)
            for mark in marks:
                pipeline.hget(mark, "rev")
            have = {mark for mark, rev in zip(marks, await pipeline.execute(), strict=True) if rev}
            beyond = {keys.mark(role, count) for role in MARKED}
            if beyond & have:
                log.error("Redis has more partitions than MILEPOST_PARTITIONS=%d says", count)
            missing = sorted(set(marks) - beyond - have)
            if not missing:
                return
            if time.monotonic() > ends:
                log.warning(
                    "%s and %d more are not in Redis: do all workers run, and are there %d "
                    "partitions (MILEPOST_PARTITIONS)?", missing[0], len(missing) - 1, count,
                )  # fmt: skip
                return
            await asyncio.sleep(RETRY_S[0])

    # What is.

    async def read(self, topics: Iterable[str]) -> list[tuple[list[bytes], dict[str, Position]]]:
        """For each topic the answers it shows, and positions by vehicle."""
        wanted = list(topics)
        single = [t.removeprefix(ORDER) for t in wanted if t.startswith(ORDER)]
        found = dict(zip(single, await self._answers(keys.ORDERS, single), strict=True))
        carried = {o: v for o, value in found.items() if value and (v := head_of(value).carried_by)}
        places = await self._places(set(carried.values()))
        result: list[tuple[list[bytes], dict[str, Position]]] = []
        for topic in wanted:
            match topic:
                case t if t.startswith(ORDER):
                    order = topic.removeprefix(ORDER)
                    vehicle = carried.get(order)
                    at = {vehicle: places[vehicle]} if vehicle in places else {}
                    value = found[order]
                    result.append(([value] if value else [], at))
                case t if t == FLEET:
                    result.append(([], await self._everywhere()))
                case _:
                    what = {ORDERS: keys.ORDERS, ALERTS: keys.ALERTS}[topic]
                    result.append((await self._open(what), {}))
        return result

    async def _answers(self, what: str, names: list[str]) -> list[bytes | None]:
        values: list[bytes | None] = []
        for some in _chunks(names):
            pipeline = self._redis.pipeline(transaction=False)
            for name in some:
                pipeline.hget(keys.entity(what, name), keys.ANSWER)
            values += await pipeline.execute()
        return values

    async def _open(self, what: str) -> list[bytes]:
        names: list[str] = []
        for number in self._partitions:
            members = await self._redis.smembers(keys.open_index(what, number))
            names += [member.decode() for member in members]
        return [value for value in await self._answers(what, names) if value is not None]

    async def _places(self, vehicles: set[str]) -> dict[str, Position]:
        places: dict[str, Position] = {}
        for some in _chunks(sorted(vehicles)):
            pipeline = self._redis.pipeline(transaction=False)
            for vehicle in some:
                number = partition_of(vehicle, len(self._partitions))
                pipeline.hget(keys.positions(number), vehicle)
            for vehicle, packed in zip(some, await pipeline.execute(), strict=True):
                if packed:
                    places[vehicle] = keys.unpack_position(packed)
        return places

    async def _everywhere(self) -> dict[str, Position]:
        places: dict[str, Position] = {}
        for number in self._partitions:
            held = await self._redis.hgetall(keys.positions(number))
            places |= {name.decode(): keys.unpack_position(at) for name, at in held.items()}
        return places

    async def close(self) -> None:
        await self._redis.aclose()


AWAY = (RedisError, OSError)


def _age_s(entry: bytes) -> float:
    return max(0.0, time.time() - _id(entry)[0] / 1000)


def _id(entry: bytes) -> tuple[int, int]:
    ms, _, number = entry.partition(b"-")
    return int(ms), int(number)


def _chunks(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), AT_ONCE):
        yield names[start : start + AT_ONCE]
