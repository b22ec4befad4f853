"""Inputs of an order with defaults. Times are minutes after T0: an order's day is long."""

from __future__ import annotations

from geo.model import (
    Evidence,
    Motion,
    Ms,
    Sighting,
    Stop,
    StopRole,
    Visit,
)
from orders.model import (
    Assigned,
    Cancelled,
    Failed,
    InTransit,
    Outbound,
    Received,
    Returned,
    Reviewed,
    Signed,
)
from tests.builders import T0, stop


def ms(minutes: float) -> Ms:
    """A time, `minutes` after T0."""
    return T0 + round(minutes * 60_000)


Plain = Received | Reviewed | Outbound | InTransit | Signed | Cancelled | Returned

PLAIN_EVENTS: dict[str, type[Plain]] = {
    "received": Received,
    "reviewed": Reviewed,
    "outbound": Outbound,
    "in_transit": InTransit,
    "signed": Signed,
    "cancelled": Cancelled,
    "returned": Returned,
}


def happened(kind: str, at: float, *, order: str = "o1", event_id: str | None = None) -> Plain:
    """An order event that carries nothing but its time."""
    return PLAIN_EVENTS[kind](order_id=order, ts=ms(at), event_id=event_id)


def assigned(
    at: float,
    vehicle: str = "v1",
    *,
    stops: tuple[Stop, ...] = (stop(),),
    event_id: str | None = None,
) -> Assigned:
    return Assigned(order_id="o1", ts=ms(at), vehicle_id=vehicle, stops=stops, event_id=event_id)


def failed(at: float, error: str = "address", *, event_id: str | None = None) -> Failed:
    return Failed(order_id="o1", ts=ms(at), error=error, event_id=event_id)


def visit(
    arrived: float,
    departed: float | None = None,
    *,
    vehicle: str = "v1",
    role: StopRole = StopRole.HUB,
    visit_id: str = "visit-1",
    reported: float | None = None,
    version: int = 0,
    supersedes: str | None = None,
    retracted: bool = False,
    inferred: bool = False,
) -> Visit:
    """A stay at stop "hub", by default reported one minute after it was last known to go on."""
    told = (departed if departed is not None else arrived) + 1 if reported is None else reported
    return Visit(
        visit_id=visit_id,
        vehicle_id=vehicle,
        stop_id="hub",
        role=role,
        arrived_at=ms(arrived),
        departed_at=None if departed is None else ms(departed),
        reported_at=ms(told),
        evidence=Evidence("dwell", 3, ms(arrived), ms(arrived) + 60_000, 23.4),
        order_id="o1",
        version=version,
        supersedes=supersedes,
        retracted=retracted,
        inferred=inferred,
    )


def sighting(at: float, motion: Motion = Motion.MOVING, *, vehicle: str = "v1") -> Sighting:
    return Sighting("o1", vehicle, ms(at), 31.23, 121.47, motion, ms(at))
