"""What the pages are to show, told to Redis as workers tell it."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import msgspec

from alerts.labels import Language, sentence
from alerts.model import Alert, Rule, Severity, State
from geo.model import Fence, Motion, Ms, Stop, StopRole
from orders.model import Age, Code, LastSeen, Milestone, OrderStatus, Stage
from stream.keys import Position
from tests.ws_server.writer import Writer

PICKUP = Stop("yard", StopRole.PICKUP, Fence(31.20, 121.40, 200.0, 320.0))
DOOR = Stop("door-7", StopRole.DELIVERY, Fence(31.23, 121.47))
MIN_MS = 60_000


def now() -> Ms:
    return time.time_ns() // 1_000_000


def status(order_id: str, stage: Stage = Stage.IN_TRANSIT, **more: Any) -> OrderStatus:
    """An order on its way, with a timeline; `more` says what is different."""
    made = OrderStatus(
        order_id=order_id,
        rev=0,
        stage=stage,
        stage_at=now() - 5 * MIN_MS,
        received_at=now() - 180 * MIN_MS,
        reported_at=now(),
        age=Age.FRESH,
        vehicle_id="truck-1",
        seen=LastSeen(now() - 10_000, 31.21, 121.42),
        milestones=(
            milestone(1, Code.ORDER_ACCEPTED, 180),
            milestone(2, Code.ARRIVED_PICKUP, 40, source="gps", evidence="dwell: 9 positions"),
            milestone(3, Code.ARRIVED_PICKUP, 44, source="gps", supersedes=2),
            milestone(4, Code.OUTBOUND, 5),
        ),
        stops=(PICKUP, DOOR),
    )
    return msgspec.structs.replace(made, **more)


def milestone(
    sequence: int, code: Code, minutes_ago: float, source: str = "event", **more: Any
) -> Milestone:
    at = now() - round(minutes_ago * MIN_MS)
    return Milestone(sequence, code, at, at, source, **more)


def alert(order_id: str, state: State = State.FIRING) -> Alert:
    reason = Age.DEVICE_SILENT.value if state is State.FIRING else "cleared"
    return Alert(
        f"a-{order_id}", 0, Rule.FRESHNESS, f"order:{order_id}", state, Severity.CRITICAL, 1, 1,
        now() - 4 * MIN_MS, now(), 19.0, 15.0, reason=reason,
    )  # fmt: skip


class Told:
    """An empty Redis at first. Each answer told is newer than the ones before."""

    def __init__(self, url: str) -> None:
        self._writer = Writer(url)
        self._writer.empty()
        self._writer.fill()
        self._rev = count(1)

    def orders(self, *told: OrderStatus) -> None:
        self._writer.orders(*map(self._newer, told))

    def alerts(self, *told: Alert) -> None:
        self._writer.alerts(*map(self._newer, told))

    def positions(self, *vehicles: str, lat: float = 31.21, motion: Motion = Motion.MOVING) -> None:
        """They stand in a row from west to east, seen just now, at 12 m/s where they move."""
        places = (Position(now(), lat, 121.42 + n / 50, 12.0, 90.0, motion) for n in count())
        self._writer.moved(dict(zip(vehicles, places, strict=False)))

    def close(self) -> None:
        self._writer.redis.close()

    def _newer(self, told: OrderStatus | Alert) -> bytes:
        return msgspec.json.encode(msgspec.structs.replace(told, rev=next(self._rev)))


def says(told: Alert, language: Language) -> str:
    return sentence(told, language)
