"""Statuses, alerts, positions and sessions with defaults, and what a client makes of frames."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from alerts.model import Alert, Rule, Severity, State
from geo.model import Motion
from orders.model import Age, LastSeen, OrderStatus, Stage
from stream.keys import Position
from ws_server.hub import Delivery, Grant, Hub, Session
from ws_server.protocol import Role, Sub
from ws_server.views import head_of

NOW = 1_800_000_000_000
FAR = NOW + 3_600_000


def customer(*orders: str) -> Session:
    return Session(Grant("c", Role.CUSTOMER, FAR, orders or ("o1",)))


def dispatcher() -> Session:
    return Session(Grant("d", Role.DISPATCHER, FAR))


def status(
    order: str = "o1",
    rev: int = 1,
    stage: Stage = Stage.IN_TRANSIT,
    vehicle: str | None = "v1",
    **more: Any,
) -> bytes:
    made = OrderStatus(
        order_id=order,
        rev=rev,
        stage=stage,
        stage_at=NOW,
        received_at=NOW,
        reported_at=NOW,
        age=Age.FRESH,
        vehicle_id=vehicle,
        seen=LastSeen(NOW, 31.0, 121.0),
        milestones=(),
    )
    return msgspec.json.encode(msgspec.structs.replace(made, **more))


def alert(name: str = "a1", rev: int = 1, state: State = State.FIRING, **more: Any) -> bytes:
    made = Alert(
        name, rev, Rule.LEAD_TIME, "order:o1", state, Severity.WARNING, 1, 1, NOW, NOW, 50.0, 48.0,
        reason="delivered_late",
    )  # fmt: skip
    return msgspec.json.encode(msgspec.structs.replace(made, **more))


def at(ts: int = 0, lat: float = 31.0) -> Position:
    return Position(NOW + ts, lat, 121.0, None, None, Motion.MOVING)


def subscribe(hub: Hub, session: Session, topic: str) -> list[dict[str, Any]]:
    return told(hub.subscribe(session, Sub(topic, 7), NOW), session)


def change(hub: Hub, value: bytes) -> list[Delivery]:
    return list(hub.status(head_of(value), value))


def told(deliveries: Iterable[Delivery], to: Session) -> list[dict[str, Any]]:
    """The messages one session gets, as JSON objects."""
    return [payload(what.frame) for whom, what in deliveries if to in whom]


def payload(frame: bytes) -> dict[str, Any]:
    """The message in one unmasked text frame."""
    assert frame[0] == 0x81
    start = {126: 4, 127: 10}.get(frame[1], 2)
    if start > 2:
        assert int.from_bytes(frame[2:start], "big") == len(frame) - start
    else:
        assert frame[1] == len(frame) - 2
    message: dict[str, Any] = json.loads(frame[start:])
    return message


class Reader:
    """A client as the protocol asks it to be: what it shows of one topic."""

    def __init__(self) -> None:
        self.items: dict[str, tuple[int, dict[str, Any]]] = {}
        self.lost = False
        """A change did not apply to what is held."""

    def hear(self, message: dict[str, Any]) -> None:
        match message["op"]:
            case "snap":
                if message["part"] == 0:
                    self.items = {}
                for item in message["items"]:
                    self._take(item["id"], item["rev"], item["data"])
            case "delta":
                rev, held = self.items.get(message["id"], (-1, {}))
                if message["rev"] <= rev:
                    return
                if "prev" not in message:
                    held = {}
                elif message["prev"] != rev:
                    self.lost = True
                self.items[message["id"]] = message["rev"], held | message["set"]
            case "alert":
                self._take(message["id"], message["rev"], message["data"])

    def _take(self, name: str, rev: int, data: dict[str, Any]) -> None:
        if rev > self.items.get(name, (-1, {}))[0]:
            self.items[name] = rev, data
