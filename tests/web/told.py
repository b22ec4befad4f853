"""Redis as workers leave it, written with their own scripts: what the pages are to show."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import redis

from alerts.labels import Language, sentence
from alerts.model import Alert, Rule, Severity, State
from geo.model import Fence, Motion, Ms, Stop, StopRole
from orders.model import Age, Code, LastSeen, Milestone, OrderStatus, Stage
from stream import keys
from stream.sink import ANSWERS, POSITIONS

EPOCH = 5_000
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
    """One partition of each kind. Each answer told is newer than the ones before."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(url)
        self._redis.flushall()
        self._answers = self._redis.register_script(ANSWERS)
        self._positions = self._redis.register_script(POSITIONS)
        self._rev = {"orders": "", "alerts": "", "vehicles": ""}
        self._last = EPOCH << 20
        for role, shows in (("orders", keys.ORDERS), ("alerts", keys.ALERTS), ("vehicles", "none")):
            self._write(role, shows, [])

    def orders(self, *told: OrderStatus) -> None:
        ended = (Stage.SIGNED, Stage.CANCELLED, Stage.RETURNED)
        rows = [(one.order_id, one, one.stage not in ended) for one in told]
        self._write("orders", keys.ORDERS, rows)

    def alerts(self, *told: Alert) -> None:
        rows = [(one.alert_id, one, one.state is not State.RESOLVED) for one in told]
        self._write("alerts", keys.ALERTS, rows)

    def positions(self, *vehicles: str, lat: float = 31.21, motion: Motion = Motion.MOVING) -> None:
        rows = keys.pack_feed(
            (
                name,
                keys.pack_position(
                    keys.Position(now(), lat, 121.42 + n / 50, 12.0, 90.0, motion), motion
                ),
            )
            for n, name in enumerate(vehicles)
        )
        held = [keys.mark("vehicles", 0), keys.positions(0), keys.feed(keys.POSITIONS, 0)]
        said = self._positions(keys=held, args=[EPOCH, 1_000, keys.POSITION_BYTES, rows])
        assert said == b"ok"

    def close(self) -> None:
        self._redis.close()

    def _write(self, role: str, shows: str, rows: list[tuple[str, Any, bool]]) -> None:
        answers = []
        for name, value, is_open in rows:
            self._last += 1
            value = msgspec.structs.replace(value, rev=self._last)
            answers.append((name, str(self._last), msgspec.json.encode(value).decode(), is_open))
        held = [keys.mark(role, 0), keys.open_index(shows, 0), keys.feed(shows, 0)]
        packed = msgspec.msgpack.encode(answers)
        args: list[Any] = [
            EPOCH,
            self._rev[role],
            self._last,
            10_000,
            3_600,
            keys.entity(shows, ""),
            packed,
        ]
        said = self._answers(keys=held, args=args)
        assert said == b"ok"
        self._rev[role] = str(self._last)


def says(told: Alert, language: Language) -> str:
    return sentence(told, language)
