"""Vehicles that move in Redis, each once a second, as the owners of partitions write them."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Self

from redis import Redis

from geo.distance import METRES_PER_DEGREE
from geo.model import Motion
from stream import keys
from stream.clock import wall_ms
from stream.config import Settings
from stream.keys import Position
from stream.sink import POSITION_FEED_LENGTH, POSITIONS
from stream.topics import partition_of

CITY = (31.2, 121.4)
SPREAD_M = 15_000.0
SPEED_MPS = 12.0
PARTS = 10
"""A tenth of them each tenth of a second: workers write as pings come."""
EPOCH = 1


class Moving:
    """All stand somewhere in one city from construction on; within a `with` block they drive."""

    def __init__(self, settings: Settings, vehicles: int) -> None:
        chance = random.Random(1)
        self.written = 0
        self._settings = settings
        self._redis: Any = Redis.from_url(settings.redis)
        self._script = self._redis.register_script(POSITIONS)
        self._places = [_place(chance) for _ in range(vehicles)]
        self._headings = [chance.uniform(0, 360) for _ in range(vehicles)]
        self._began = wall_ms()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drive)
        for number in range(settings.partitions):  # Who reads waits until all that write came.
            for role in ("vehicles", "orders", "alerts"):
                self._redis.hset(keys.mark(role, number), mapping={"epoch": EPOCH, "rev": 0})
        self._write(range(vehicles))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._redis.close()

    def _drive(self) -> None:
        began, part = time.monotonic(), 0
        while not self._stop.wait(max(0.0, began + part / PARTS - time.monotonic())):
            self._write(range(part % PARTS, len(self._places), PARTS))
            part += 1

    def _write(self, vehicles: Iterable[int]) -> None:
        """Raises RuntimeError if Redis refuses them."""
        now = wall_ms()
        rows: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
        for vehicle in vehicles:
            name = f"truck-{vehicle:06d}"
            packed = keys.pack_position(self._position(vehicle, now), Motion.MOVING)
            rows[partition_of(name, self._settings.partitions)].append((name, packed))
        for number, some in rows.items():
            for start in range(0, len(some), keys.ROWS_PER_WRITE):
                self._show(number, some[start : start + keys.ROWS_PER_WRITE])

    def _show(self, number: int, rows: list[tuple[str, bytes]]) -> None:
        names = [keys.mark("vehicles", number), keys.positions(number)]
        said = self._script(
            keys=[*names, keys.feed(keys.POSITIONS, number)],
            args=[EPOCH, POSITION_FEED_LENGTH, keys.POSITION_BYTES, keys.pack_feed(rows)],
        )
        if said != b"ok":
            raise RuntimeError(f"Redis refused positions: {said!r}")
        self.written += len(rows)

    def _position(self, vehicle: int, now: int) -> Position:
        lat, lon = self._places[vehicle]
        heading = self._headings[vehicle]
        way = SPEED_MPS * (now - self._began) / 1_000 / METRES_PER_DEGREE
        lat += way * math.cos(math.radians(heading))
        lon += way * math.sin(math.radians(heading)) / math.cos(math.radians(lat))
        return Position(now, lat, lon, SPEED_MPS, heading, Motion.MOVING)


def _place(chance: random.Random) -> tuple[float, float]:
    north, east = (chance.gauss(0, SPREAD_M) / METRES_PER_DEGREE for _ in range(2))
    return CITY[0] + north, CITY[1] + east / math.cos(math.radians(CITY[0]))
