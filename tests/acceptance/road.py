"""The script of an order's whole road, in event time: what is said, and what must come out.

All orders are given ids of one partition, so their events reach the core in the order written here
and the event clock of that partition is the script's own. Every minute of the 50 hours some other
order is received, reviewed and signed: that traffic is what lets time pass. In the second hour each
of them fails its review once, which is the error rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from msgspec import Struct

from geo.model import Fence, Ms, Ping, Stop, StopRole
from orders.model import (
    Assigned,
    Failed,
    InTransit,
    OrderEvent,
    Outbound,
    Received,
    Reviewed,
    Signed,
)
from stream import topics
from stream.topics import partition_of

START: Ms = 1_767_571_200_000
"""2026-01-05 00:00 UTC."""
MINUTE = 60_000
HOUR = 60 * MINUTE
PARTITIONS = 4
VEHICLE = "truck-1"

PICKUP = Stop("pickup-1", StopRole.PICKUP, Fence(31.20, 121.40))
DELIVERY = Stop("delivery-1", StopRole.DELIVERY, Fence(31.60, 121.00))


class Record(Struct, frozen=True):
    topic: str
    key: str
    message: Struct


def _named(prefix: str) -> Iterator[str]:
    """Ids of one partition: the events of all of them are then in one order."""
    names = (f"{prefix}-{n}" for n in count())
    return (name for name in names if partition_of(name, PARTITIONS) == 0)


ORDER = next(_named("road"))
LATE = next(_named("late"))

ROAD_AT = START + 3 * HOUR
LATE_AT = START + 10 * MINUTE


def traffic(first_minute: int, last_minute: int) -> Iterator[Record]:
    """The other orders of these minutes, and the one order of which nothing is heard again."""
    names = _named(f"other-{first_minute}")
    for minute in range(first_minute, last_minute):
        at, order_id = START + minute * MINUTE, next(names)
        if at == LATE_AT:
            yield _event(Received(order_id=LATE, ts=at))
        yield _event(Received(order_id=order_id, ts=at))
        if 60 <= minute < 120:
            yield _event(Failed(order_id=order_id, ts=at + 10_000, error="address"))
        yield _event(Reviewed(order_id=order_id, ts=at + 20_000))
        yield _event(Signed(order_id=order_id, ts=at + 40_000))


def received() -> list[Record]:
    """The road begins; ends with the assignment that sends the plan to the vehicle."""
    return [
        _event(Received(order_id=ORDER, ts=ROAD_AT)),
        _event(Reviewed(order_id=ORDER, ts=ROAD_AT + 5 * MINUTE)),
        _event(
            Assigned(
                order_id=ORDER,
                ts=ROAD_AT + 10 * MINUTE,
                vehicle_id=VEHICLE,
                stops=(PICKUP, DELIVERY),
            )
        ),
    ]


def under_way() -> list[Record]:
    """The vehicle calls at both stops, a ping a minute; the order system says outbound, in
    transit."""
    return [
        *(_ping(minute, PICKUP) for minute in range(15, 25)),
        _event(Outbound(order_id=ORDER, ts=ROAD_AT + 20 * MINUTE)),
        *(_ping(minute, None, share=(minute - 24) / 46) for minute in range(25, 70)),
        _event(InTransit(order_id=ORDER, ts=ROAD_AT + 26 * MINUTE)),
        *(_ping(minute, DELIVERY) for minute in range(70, 80)),
    ]


def signed() -> list[Record]:
    return [_event(Signed(order_id=ORDER, ts=ROAD_AT + 79 * MINUTE))]


STAGES = ["received", "reviewed", "assigned", "outbound", "in_transit", "signed"]

# The edge of a fence is crossed between two pings a minute apart: 150 m of 1,276 m from the stop.
MILESTONES = [
    ("order_accepted", ROAD_AT),
    ("order_reviewed", ROAD_AT + 5 * MINUTE),
    ("vehicle_assigned", ROAD_AT + 10 * MINUTE),
    ("arrived_pickup", ROAD_AT + 15 * MINUTE),
    ("outbound", ROAD_AT + 20 * MINUTE),
    ("departed_pickup", ROAD_AT + 24 * MINUTE + 7_073),
    ("in_transit", ROAD_AT + 26 * MINUTE),
    ("arrived_delivery", ROAD_AT + 69 * MINUTE + 52_912),
    ("delivered", ROAD_AT + 79 * MINUTE),
]


def _event(event: OrderEvent) -> Record:
    return Record(topics.ORDER_EVENTS, event.order_id, event)


def _ping(minute: int, stop: Stop | None, *, share: float = 0.0) -> Record:
    """At a stop, or on the straight way from the pickup to the delivery."""
    if stop is not None:
        lat, lon = stop.fence.lat, stop.fence.lon
    else:
        lat = PICKUP.fence.lat + share * (DELIVERY.fence.lat - PICKUP.fence.lat)
        lon = PICKUP.fence.lon + share * (DELIVERY.fence.lon - PICKUP.fence.lon)
    at = ROAD_AT + minute * MINUTE
    return Record(topics.PINGS, VEHICLE, Ping(VEHICLE, at, lat, lon))
