"""Statuses of many orders, written to Redis as the owners of partitions write them, but faster.

The script, the keys and the answers are those of `stream.sink`. Only redis-py's waiting for each
reply is left out: a batch is one packet, and its replies are read when the next one is sent.
"""

from __future__ import annotations

import time
from array import array
from collections import defaultdict
from typing import Any

import msgspec
from msgspec.structs import replace
from redis import Redis

from geo.distance import METRES_PER_DEGREE
from geo.model import Fence, Ms, Stop, StopRole
from orders.model import Age, Code, LastSeen, Milestone, OrderStatus, Stage
from stream import keys
from stream.clock import wall_ms
from stream.config import Settings
from stream.sink import ANSWERS, FEED_LENGTH, KEEP_S
from stream.topics import partition_of
from stream.wire import encode

STEP_M = 15.0
"""Driven between two statuses of an order."""
SECOND_MS, MINUTE_MS = 1_000, 60_000
PAST = (
    (Code.ORDER_ACCEPTED, 300),
    (Code.ORDER_REVIEWED, 290),
    (Code.VEHICLE_ASSIGNED, 200),
    (Code.OUTBOUND, 60),
    (Code.DEPARTED_PICKUP, 41),
    (Code.IN_TRANSIT, 40),
)
"""What has happened, so many minutes ago."""

_pack = msgspec.msgpack.Encoder().encode


def order_of(number: int) -> str:
    return f"order-{number:07d}"


class Statuses:
    """Each of `orders` orders in turn gets a new answer: where its vehicle is now."""

    def __init__(self, settings: Settings, orders: int) -> None:
        self.written = array("d")
        """When each answer was sent to Redis (perf_counter), the oldest first."""
        self.first_rev = int(time.time()) << 20
        """`rev` of that one; each further answer has the next."""
        self._partitions = settings.partitions
        self._epoch = self.first_rev >> 20
        self._connection: Any = Redis.from_url(settings.redis).connection_pool.get_connection()
        self._script = self._ask("SCRIPT", "LOAD", ANSWERS)
        self._replies = 0
        """Still to come."""
        self._marks = dict.fromkeys(range(settings.partitions), "")
        self._answers = [_status(n, wall_ms()) for n in range(orders)]
        for number in self._marks:  # Who reads waits until all that write have been here.
            self._ask("HSET", keys.mark("alerts", number), "epoch", "1", "rev", "0")

    def close(self) -> None:
        self._connection.disconnect()

    def write(self, count: int) -> None:
        """The next `count` orders have moved. Raises RuntimeError if Redis refused those before."""
        self._check()
        now, first = wall_ms(), len(self.written)
        rows: dict[int, list[tuple[str, str, str, bool]]] = defaultdict(list)
        for n in range(first, first + count):
            status = self._moved(n % len(self._answers), self.first_rev + n, now)
            partition = partition_of(status.order_id, self._partitions)
            answer = (status.order_id, str(status.rev), encode(status).decode(), True)
            rows[partition].append(answer)
        packet = [self._command(number, some) for number, some in rows.items()]
        self.written.extend([time.perf_counter()] * count)
        self._connection.send_packed_command(self._connection.pack_commands(packet))
        self._replies = len(packet)

    def flush(self) -> None:
        """Everything is in Redis."""
        self._check()

    def newest(self, order: int) -> int:
        """The `rev` of the last answer about an order."""
        turns = (len(self.written) - 1 - order) // len(self._answers)
        return self.first_rev + order + turns * len(self._answers)

    def _check(self) -> None:
        for _ in range(self._replies):
            if (said := self._connection.read_response()) != b"ok":
                raise RuntimeError(f"Redis refused a batch of answers: {said!r}")
        self._replies = 0

    def _moved(self, order: int, rev: int, now: Ms) -> OrderStatus:
        before = self._answers[order]
        assert before.seen is not None
        lat = round(before.seen.lat + STEP_M / METRES_PER_DEGREE, 6)
        seen = LastSeen(now - SECOND_MS, lat, before.seen.lon)
        after = self._answers[order] = replace(before, rev=rev, reported_at=now, seen=seen)
        return after

    def _command(self, number: int, rows: list[tuple[str, str, str, bool]]) -> tuple[Any, ...]:
        before, self._marks[number] = self._marks[number], rows[-1][1]
        names = (
            keys.mark("orders", number),
            keys.open_index(keys.ORDERS, number),
            keys.feed(keys.ORDERS, number),
        )
        args = (self._epoch, before, rows[-1][1], FEED_LENGTH, KEEP_S, keys.entity(keys.ORDERS, ""))
        return ("EVALSHA", self._script, len(names), *names, *args, _pack(rows))

    def _ask(self, *command: str) -> Any:
        self._connection.send_command(*command)
        return self._connection.read_response()


def _status(number: int, now: Ms) -> OrderStatus:
    """An order on its way, with what happened before and the stops it has."""
    lat, lon = 25.0 + number % 997 / 100, 112.0 + number % 1009 / 100
    vehicle = f"truck-{number:06d}"
    milestones = tuple(
        Milestone(n, code, now - ago * MINUTE_MS, now - ago * MINUTE_MS + 400, "event")
        for n, (code, ago) in enumerate(PAST, 1)
    )
    stops = tuple(
        Stop(f"{role}-{number % 50}", role, Fence(lat + n / 2, lon))
        for n, role in enumerate((StopRole.PICKUP, StopRole.DELIVERY))
    )
    return OrderStatus(
        order_id=order_of(number),
        rev=0,
        stage=Stage.IN_TRANSIT,
        stage_at=milestones[-1].occurred_at,
        received_at=milestones[0].occurred_at,
        reported_at=now,
        age=Age.FRESH,
        vehicle_id=vehicle,
        seen=LastSeen(now, lat, lon),
        milestones=milestones,
        eta=now + 90 * MINUTE_MS,
        stops=stops,
    )
