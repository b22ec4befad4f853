"""What every contestant that is not Milepost gets told and tells: one JSON in, one JSON out.

A contestant runs in a process of its own as `python -m load_tests.peers.NAME TASK`. It counts what
it has done in a `Tally`, which ends the process when everything is done or the time is up.
"""

from __future__ import annotations

import os
import sys
import time

import msgspec
import redis
from msgspec import Struct

from geo.model import Motion, Ping
from stream import keys
from stream.keys import pack_position


class Task(Struct, frozen=True):
    brokers: str
    redis: str
    prefix: str
    """Before every topic's name."""
    group: str
    """Consumer group nobody has used before."""
    partitions: int
    total: int
    """How many records there are."""
    limit_s: float
    """A contestant that needs longer is stopped and judged by what it did."""


class Done(Struct, frozen=True):
    """From the first record to the last. `cpu_s` is of the whole process, all its threads."""

    records: int
    seconds: float
    cpu_s: float


def read_task() -> Task:
    return msgspec.json.decode(sys.argv[1], type=Task)


class Tally:
    """Counts records, and the time since the first of them were done, which are left out: what was
    fetched and unpacked for them cannot be told from the start of the process. Only where they are
    all there is, the start is counted too."""

    def __init__(self, task: Task) -> None:
        self._total = task.total
        self._limit_s = task.limit_s
        self._first = 0
        self._began, self._cpu = time.perf_counter(), time.process_time()
        self.count = 0

    def add(self, records: int) -> None:
        """So many more are done. Does not return once all are, or the time is up."""
        self.count += records
        if self.count == records < self._total:
            self._first = records
            self._began, self._cpu = time.perf_counter(), time.process_time()
        elif self.count >= self._total or time.perf_counter() - self._began > self._limit_s:
            self._end()

    def _end(self) -> None:
        seconds, cpu_s = time.perf_counter() - self._began, time.process_time() - self._cpu
        done = Done(self.count - self._first, seconds, cpu_s)
        print(msgspec.json.encode(done).decode(), flush=True)
        os._exit(0)  # Some peers have no other way out of their loop.


class Positions:
    """Shows positions in Redis as Milepost does: conflated, packed, one write for many."""

    EVERY_S = 0.1

    def __init__(self, task: Task) -> None:
        self._redis = redis.Redis.from_url(task.redis)
        self.rows: dict[str, Ping] = {}
        """Last position by vehicle, to be set; what has been shown is taken out."""
        self._shown_at = 0.0

    def show_sometimes(self) -> None:
        if time.monotonic() - self._shown_at > self.EVERY_S:
            self.show()

    def show(self) -> None:
        taken, self.rows = self.rows, {}
        packed = [(name, _packed(ping)) for name, ping in taken.items()]
        for start in range(0, len(packed), keys.ROWS_PER_WRITE):
            part = packed[start : start + keys.ROWS_PER_WRITE]
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.hset(keys.positions(0), mapping=dict(part))
            pipeline.xadd(
                keys.feed("pos", 0), {"b": keys.pack_feed(part)}, maxlen=10_000, approximate=True
            )
            pipeline.execute()
        self._shown_at = time.monotonic()


def _packed(last: Ping) -> bytes:
    return pack_position(last, Motion.MOVING)
