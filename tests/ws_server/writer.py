"""What workers write to Redis, written by the scripts that they use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec
from redis import Redis

from orders.lifecycle import ENDS
from stream import keys
from stream.keys import Position
from stream.sink import ANSWERS, FEED_LENGTH, KEEP_S, POSITION_FEED_LENGTH, POSITIONS
from stream.topics import partition_of
from ws_server.views import OPEN_ALERTS, alert_of, head_of

PARTITIONS = 2

_Answer = tuple[str, str, str, bool]


class Writer:
    """The owner of all partitions, of an empty Redis at first."""

    def __init__(self, url: str) -> None:
        self.url = url
        # redis-py's types depend on its version and on options of the client.
        self.redis: Any = Redis.from_url(url)
        self._answers = self.redis.register_script(ANSWERS)
        self._positions = self.redis.register_script(POSITIONS)
        self._marks: dict[str, str] = {}
        self._rev = 0

    def fill(self) -> None:
        """Every partition has its mark, as of workers that have nothing to show."""
        for number in range(PARTITIONS):
            self._write("vehicles", keys.ORDERS, number, [])
            self._write("orders", keys.ORDERS, number, [])
            self._write("alerts", keys.ALERTS, number, [])

    def empty(self) -> None:
        """What a restart does to a Redis that keeps nothing."""
        self.redis.flushall()
        self._marks = {}

    def orders(self, *values: bytes) -> None:
        rows: dict[int, list[_Answer]] = defaultdict(list)
        for value in values:
            head = head_of(value)
            row = head.order_id, str(head.rev), value.decode(), head.stage not in ENDS
            rows[partition_of(head.order_id, PARTITIONS)].append(row)
        for number, some in rows.items():
            self._write("orders", keys.ORDERS, number, some)

    def alerts(self, *values: bytes) -> None:
        rows: dict[int, list[_Answer]] = defaultdict(list)
        for value in values:
            alert = alert_of(value)
            row = alert.alert_id, str(alert.rev), value.decode(), alert.state in OPEN_ALERTS
            rows[partition_of(alert.alert_id, PARTITIONS)].append(row)
        for number, some in rows.items():
            self._write("alerts", keys.ALERTS, number, some)

    def moved(self, at: Mapping[str, Position]) -> None:
        rows: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
        for vehicle, where in at.items():
            packed = keys.pack_position(where, where.motion)
            rows[partition_of(vehicle, PARTITIONS)].append((vehicle, packed))
        for number, some in rows.items():
            for start in range(0, len(some), keys.ROWS_PER_WRITE):
                chunk = keys.pack_feed(some[start : start + keys.ROWS_PER_WRITE])
                names = [keys.mark("vehicles", number), keys.positions(number)]
                said = self._positions(
                    keys=[*names, keys.feed(keys.POSITIONS, number)],
                    args=[1, POSITION_FEED_LENGTH, keys.POSITION_BYTES, chunk],
                )
                assert said == b"ok"

    def _write(self, role: str, shows: str, number: int, rows: list[_Answer]) -> None:
        mark = keys.mark(role, number)
        self._rev += 1
        said = self._answers(
            keys=[mark, keys.open_index(shows, number), keys.feed(shows, number)],
            args=[
                *(1, self._marks.get(mark, ""), self._rev, FEED_LENGTH, KEEP_S),
                *(keys.entity(shows, ""), msgspec.msgpack.encode(rows)),
            ],
        )
        assert said == b"ok"
        self._marks[mark] = str(self._rev)
