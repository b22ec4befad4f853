"""Redis as a cache: answers (order status, alerts) once they are committed, positions at once.

Each partition has a mark in Redis: its owner's epoch, and the `rev` up to which every answer has
been written. The script that writes refuses a lower epoch (a paused owner that woke up) and reports
a mark that is not the expected one (Redis came back empty, or from an older copy). Then, and at
every take-over, the owner writes again whatever is newer than the mark it found, from memory. So
one comparison covers a crash between commit and write, an outage and a loss.

Nothing here holds up processing: what is to be written waits in dicts keyed by order, alert or
vehicle, so an outage costs one entry per key, the newest.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from stream import keys
from stream.clock import wall_ms
from stream.metrics import Cells
from stream.partition import Partition, Shown

log = logging.getLogger(__name__)
_pack = msgspec.msgpack.Encoder().encode

CHUNK = 500
FEED_LENGTH = 10_000
POSITION_FEED_LENGTH = 1_000
"""Of up to 1,000 positions each; who is behind by more reads the positions themselves."""
KEEP_S = 30 * 86_400
RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)
LOOK_S = 2.0
"""How soon a Redis that came back empty is noticed by partitions with nothing to write."""
DRAIN_S = 2.0
BEHIND_MS, REST_S = 5_000, 1.0
"""While input lags by so much nobody sees the present anyway: rounds of writing rest, so that a
backlog costs one write a second for each key and not one for each record."""
LOST, FENCED = "lost", "fenced"

# KEYS: mark, index of open ones, feed. ARGV: epoch, expected rev, new rev, feed length, seconds to
# keep, key prefix, then a msgpack list of (id, rev, value, open): one argument, because redis-py
# takes 0.7 us for each. All are strings: Redis knows no bytes of msgpack, and Lua would print a rev
# with 14 digits.
ANSWERS = """
local held = redis.call('HMGET', KEYS[1], 'epoch', 'rev')
if held[1] and tonumber(held[1]) > tonumber(ARGV[1]) then return 'fenced' end
if (held[2] or '') ~= ARGV[2] then return 'lost' end
for _, answer in ipairs(cmsgpack.unpack(ARGV[7])) do
  local id, rev, value, open = unpack(answer)
  local key = ARGV[6] .. id
  local old = redis.call('HGET', key, 'rev')
  if not old or tonumber(old) < tonumber(rev) then
    redis.call('HSET', key, 'rev', rev, 's', value)
    redis.call('EXPIRE', key, ARGV[5])
    redis.call(open and 'SADD' or 'SREM', KEYS[2], id)
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', 's', value)
  end
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'rev', ARGV[3])
return 'ok'
"""

# KEYS: mark, positions, feed. ARGV: epoch, feed length, bytes of a position, rows as
# `keys.pack_feed` makes them. Taken apart here, because redis-py takes 1.5 us for two arguments.
POSITIONS = """
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then return 'lost' end
if tonumber(epoch) > tonumber(ARGV[1]) then return 'fenced' end
local rows, bytes, at, fields = ARGV[4], tonumber(ARGV[3]), 1, {}
while at <= #rows do
  local length, name = struct.unpack('<H', rows, at)
  local packed = name + length
  fields[#fields + 1] = string.sub(rows, name, packed - 1)
  fields[#fields + 1] = string.sub(rows, packed, packed + bytes - 1)
  at = packed + bytes
end
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'b', rows)
return 'ok'
"""


class _Slot:
    """What one owned partition still has to write."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.answers: dict[str, Shown] = {}
        self.committed = partition.rev
        """Answers up to this `rev` are committed in Kafka."""
        self.mark: str | None = None
        """The `rev` Redis has, as Redis spells it; None: not known, ask and write again what is
        missing."""

    @property
    def idle(self) -> bool:
        return self.mark is not None and not self.answers and not self.partition.rows


class RedisSink:
    """Writes what the partitions of one role show. `run` it as a task."""

    def __init__(self, url: str, role: str, shows: str, cells: Cells) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=5.0, socket_connect_timeout=5.0, retry=None
        )
        self._answers = self._redis.register_script(ANSWERS)
        self._positions = self._redis.register_script(POSITIONS)
        self._role = role
        self._shows = shows
        self._cells = cells
        self._slots: dict[int, _Slot] = {}
        self._work = asyncio.Event()
        self._writing = asyncio.Lock()
        cells.redis(up=False)

    def own(self, partition: Partition) -> None:
        """Start to write for a partition that has just been loaded."""
        self._slots[partition.number] = _Slot(partition)
        self._work.set()

    def disown(self, number: int) -> None:
        self._slots.pop(number, None)

    def committed(self, number: int, shown: Mapping[str, Shown], rev: int) -> None:
        """A checkpoint with these answers is committed; `rev` is the last one it holds."""
        if (slot := self._slots.get(number)) is not None:
            slot.answers.update(shown)
            slot.committed = rev
            if shown:
                self._work.set()

    def moved(self) -> None:
        """Some partition has new rows."""
        self._work.set()

    @property
    def waiting(self) -> int:
        """Keys that are not yet in Redis."""
        return sum(len(s.answers) + len(s.partition.rows) for s in self._slots.values())

    async def drain(self, limit_s: float) -> None:
        """Before the end: give what is left `limit_s`; the next owner does what remains."""
        with contextlib.suppress(TimeoutError, RedisError, OSError):
            async with asyncio.timeout(limit_s):
                await self._flush_all()

    async def run(self) -> None:
        """Write whatever there is, for ever; an outage is waited out."""
        failures, looked = 0, time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                # Not wait_for: until Python 3.12 that may swallow the cancellation that ends us.
                async with asyncio.timeout(LOOK_S):
                    await self._work.wait()
            self._work.clear()
            try:
                if time.monotonic() - looked >= LOOK_S:
                    looked = time.monotonic()
                    await self._look()
                await self._flush_all()
                failures = 0
                self._cells.redis(up=True)
                if any(s.partition.live.lag_ms > BEHIND_MS for s in self._slots.values()):
                    await asyncio.sleep(REST_S)
            except (RedisError, OSError) as away:
                if not failures:
                    log.warning("Redis is away (%s); processing goes on, answers wait", away)
                self._cells.redis(up=False)
                for slot in self._slots.values():
                    slot.mark = None
                await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
                failures += 1
                self._work.set()

    async def close(self) -> None:
        await self._redis.aclose()

    async def _look(self) -> None:
        """Has Redis still what we wrote? A partition with nothing to write would not find out."""
        for slot in list(self._slots.values()):
            if slot.mark is not None and await self._held(slot) != slot.mark:
                slot.mark = None

    async def _flush_all(self) -> None:
        async with self._writing:
            for slot in list(self._slots.values()):
                await self._flush(slot)

    async def _flush(self, slot: _Slot) -> None:
        while not slot.idle and self._slots.get(slot.partition.number) is slot:
            if slot.mark is None:
                await self._compare(slot)
            said = await self._write_answers(slot)
            if said == "ok" and slot.partition.rows:
                said = await self._write_positions(slot)
            if said == FENCED:
                # Another worker owns this partition; Kafka will tell the engine, too.
                number = slot.partition.number
                log.warning("%s-%d: Redis knows a newer owner", self._role, number)
                self._cells.count("redis_fenced", self._role)
                self._slots.pop(number, None)
            elif said == LOST:
                slot.mark = None

    async def _compare(self, slot: _Slot) -> None:
        """Ask what Redis has, and put whatever it misses in front of what waits."""
        mark = await self._held(slot)
        partition = slot.partition
        now = wall_ms() if partition.clock is None else partition.clock.now
        again = partition.missing(int(mark or 0), slot.committed, now)
        slot.answers = {**again, **slot.answers}
        if partition.role.row is not None:
            partition.rows = {**partition.states, **partition.rows}
        slot.mark = mark
        self._cells.count("redis_refills", self._role)

    async def _held(self, slot: _Slot) -> str:
        """The mark in Redis, as it stands there; empty if there is none."""
        held = await self._redis.hget(self._mark(slot), "rev")
        return "" if held is None else str(int(held))

    async def _write_answers(self, slot: _Slot) -> str:
        """Write the waiting answers; the last chunk moves the mark. Also claims the partition's
        epoch."""
        taken, slot.answers = slot.answers, {}
        mark, target = slot.mark, str(slot.committed)
        if not taken and mark == target:
            return "ok"
        rows = iter(taken.items())
        try:
            while True:
                chunk = list(islice(rows, CHUNK))
                last = len(chunk) < CHUNK
                said = await self._write_chunk(slot, chunk, target if last else str(mark))
                if said != "ok":
                    slot.answers = {**taken, **slot.answers}
                    return said
                if last:
                    slot.mark = target
                    return said
        except BaseException:
            slot.answers = {**taken, **slot.answers}
            raise

    async def _write_chunk(self, slot: _Slot, chunk: list[tuple[str, Shown]], mark: str) -> str:
        number, epoch = slot.partition.number, slot.partition.epoch
        args: list[Any] = [
            epoch,
            slot.mark,
            mark,
            FEED_LENGTH,
            KEEP_S,
            keys.entity(self._shows, ""),
            _pack([(name, str(a.rev), a.value.decode(), a.open) for name, a in chunk]),
        ]
        names = [
            self._mark(slot),
            keys.open_index(self._shows, number),
            keys.feed(self._shows, number),
        ]
        return str(await self._answers(keys=names, args=args), "ascii")

    async def _write_positions(self, slot: _Slot) -> str:
        """One write for all vehicles that moved since the last one, the newest position of each."""
        partition = slot.partition
        taken, partition.rows = partition.rows, {}
        row = partition.role.row
        assert row is not None, "only a role with rows collects them"
        states = iter(taken.items())
        try:
            while chunk := list(islice(states, keys.ROWS_PER_WRITE)):
                packed = [(key, b) for key, state in chunk if (b := row(state)) is not None]
                said = await self._write_rows(slot, packed)
                if said != "ok":
                    partition.rows = {**taken, **partition.rows}
                    return said
        except BaseException:
            partition.rows = {**taken, **partition.rows}
            raise
        return "ok"

    async def _write_rows(self, slot: _Slot, packed: list[tuple[str, bytes]]) -> str:
        if not packed:
            return "ok"
        number = slot.partition.number
        names = [self._mark(slot), keys.positions(number), keys.feed("pos", number)]
        rows = keys.pack_feed(packed)
        args: list[int | bytes] = [
            slot.partition.epoch,
            POSITION_FEED_LENGTH,
            keys.POSITION_BYTES,
            rows,
        ]
        return str(await self._positions(keys=names, args=args), "ascii")

    def _mark(self, slot: _Slot) -> str:
        return keys.mark(self._role, slot.partition.number)
