"""The script of an order whose pings come hours late, in event time.

The truck loads, passes through the yard of a hub, where two positions make it look as if it stood
there, and is heard no more for three hours. Then its device empties its memory, a record at a time:
the way on from the hub, one position from behind the delivery stop, the call there. The other
orders of `road.traffic` let time pass.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from geo.distance import METRES_PER_DEGREE
from geo.model import Fence, Ms, Ping, Stop, StopRole
from orders.model import Assigned, Code, InTransit, OrderEvent, Outbound, Received, Reviewed, Signed
from stream import topics
from tests.acceptance import road
from tests.acceptance.road import DELIVERY, HOUR, MINUTE, ORDER, PICKUP, ROAD_AT, VEHICLE, Record

HUB = Stop("hub-1", StopRole.HUB, Fence(31.40, 121.20))

BACK_MIN = 230
"""When the device is heard again; the minutes are those since the order was received."""
OLD = Ping(VEHICLE, ROAD_AT - 25 * HOUR, 31.0, 121.4)
"""More than a day before anything else the vehicle does."""


CODES = [
    Code.ORDER_ACCEPTED,
    Code.ORDER_REVIEWED,
    Code.VEHICLE_ASSIGNED,
    Code.ARRIVED_PICKUP,
    Code.OUTBOUND,
    Code.DEPARTED_PICKUP,
    Code.IN_TRANSIT,
    Code.ARRIVED_DELIVERY,
    Code.DEPARTED_DELIVERY,
    Code.DELIVERED,
]
"""What there is to tell in the end."""


def event(made: OrderEvent) -> Record:
    return Record(topics.ORDER_EVENTS, made.order_id, made)


def planned() -> list[Record]:
    """The order up to its assignment."""
    stops = (PICKUP, HUB, DELIVERY)
    at = ROAD_AT + 10 * MINUTE
    return [
        event(Received(order_id=ORDER, ts=ROAD_AT)),
        event(Reviewed(order_id=ORDER, ts=ROAD_AT + 5 * MINUTE)),
        event(Assigned(order_id=ORDER, ts=at, vehicle_id=VEHICLE, stops=stops)),
    ]


def under_way() -> list[Record]:
    return [
        event(Outbound(order_id=ORDER, ts=ROAD_AT + 20 * MINUTE)),
        event(InTransit(order_id=ORDER, ts=ROAD_AT + 26 * MINUTE)),
    ]


def signed() -> list[Record]:
    return [event(Signed(order_id=ORDER, ts=at(BACK_MIN + 20)))]


def heard() -> list[Ping]:
    """In time: the loading, the way, and two positions at the hub."""
    loading = [_at_stop(PICKUP, minute) for minute in range(15, 25)]
    way = [_on_the_way(minute) for minute in range(25, 46)]
    return [*loading, *way, _off_hub(47.0, 8.0), _off_hub(48.2, 0.0)]


def way_on() -> list[Ping]:
    """The turn in the yard between those two positions, and the way on to the delivery."""
    way_in = _on_the_way(46)
    turn = [_off_hub(47 + n / 10, m) for n, m in ((2, 280.0), (4, 500.0), (6, 600.0), (8, 500.0))]
    through = [_off_hub(48.0, 250.0), _off_hub(48.4, -300.0)]
    return [way_in, *turn, *through, *map(_on_the_way, (*range(51, 70), 69.8))]


def behind() -> list[Ping]:
    """One position from behind the delivery: something happened between."""
    return [_leaving(79.4)]


def call() -> list[Ping]:
    """What did."""
    return [*(_at_stop(DELIVERY, minute) for minute in range(70, 80)), *map(_leaving, (80, 81, 82))]


def back() -> list[Ping]:
    """In time again."""
    return [_leaving(minute) for minute in range(BACK_MIN + 5, BACK_MIN + 10)]


def punctual() -> Iterator[Ping]:
    """All of it, each when it was taken."""
    pings = (*heard(), *way_on(), *behind(), *call(), *back())
    for ping in sorted(pings, key=lambda ping: ping.ts):
        yield replace(ping, received_at=ping.ts)


def at_once(pings: Sequence[Ping], minute: int) -> list[Ping]:
    """As a device sends them that was out of reach until `minute`: shuffled, every third twice."""
    sent = [replace(ping, received_at=at(minute)) for ping in (*pings, *pings[::3])]
    random.Random(minute).shuffle(sent)
    return sent


def traffic(first_min: int, last_min: int) -> Iterator[Record]:
    """Other orders, in minutes of this script."""
    begin = (ROAD_AT - road.START) // MINUTE
    return road.traffic(begin + first_min, begin + last_min)


def at(minute: float) -> Ms:
    return ROAD_AT + round(minute * MINUTE)


def _at_stop(stop: Stop, minute: float) -> Ping:
    return Ping(VEHICLE, at(minute), stop.fence.lat, stop.fence.lon, speed_mps=0.0)


def _on_the_way(minute: float) -> Ping:
    """On the straight way from the pickup to the delivery, past the hub in the middle of it."""
    return _on_the_line(minute, (minute - 24) / 46)


def _leaving(minute: float) -> Ping:
    """On along that line, half as fast, to where the truck stands in the end."""
    return _on_the_line(minute, 1 + min(minute - 79, 20) / 92)


def _on_the_line(minute: float, share: float) -> Ping:
    lat = PICKUP.fence.lat + share * (DELIVERY.fence.lat - PICKUP.fence.lat)
    lon = PICKUP.fence.lon + share * (DELIVERY.fence.lon - PICKUP.fence.lon)
    return Ping(VEHICLE, at(minute), lat, lon)


def _off_hub(minute: float, north_m: float) -> Ping:
    return Ping(VEHICLE, at(minute), HUB.fence.lat + north_m / METRES_PER_DEGREE, HUB.fence.lon)
