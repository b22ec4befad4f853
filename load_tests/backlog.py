"""A backlog on Kafka for benchmarks: many vehicles' pings or orders' lives, interleaved in time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import count

import msgspec
from confluent_kafka import Producer
from msgspec import Struct

from geo.distance import METRES_PER_DEGREE
from geo.model import Fence, Ms, Ping, Stop, StopRole, VehiclePlan
from orders.model import Assigned, InTransit, OrderEvent, Outbound, Received, Reviewed, Signed
from stream.config import Settings
from stream.topics import ORDER_EVENTS, PINGS, PLANS
from stream.wire import encode

FLUSH_S = 60.0
EVERY_MS = 10_000
"""Between two pings of a vehicle."""
STEP_M = 120.0
"""Driven in that time: 43 km/h."""
APART_M = 10_000.0
"""Between two stops."""
STOPS_OF_ORDER = 100
"""As many as a plan may have."""
EVENTS = (2, 3, 4, 5, 6)
"""How far the life of an order has come, in turns: four events each on average."""

Row = tuple[str, str, bytes]
"""Topic, key, value."""


class Fleet(Struct, frozen=True):
    pings: int = 1_000_000
    vehicles: int = 100_000
    stops: int = 0
    """Planned for each vehicle: the first one it passes, the others far away."""
    batch: int = 1
    """Pings of one vehicle in a record; more than one: an array (JT/T 808 0x0704)."""

    @property
    def turns(self) -> int:
        """Pings of each vehicle."""
        return -(-self.pings // self.vehicles)

    @property
    def total(self) -> int:
        """Pings, all vehicles having as many."""
        return self.turns * self.vehicles


def fleet_rows(fleet: Fleet, now: Ms) -> Iterator[Row]:
    """The plans, then the pings."""
    yield from plan_rows(fleet, now)
    yield from ping_rows(fleet, now)


def plan_rows(fleet: Fleet, now: Ms) -> Iterator[Row]:
    """The plans of a fleet whose last ping is at about `now`."""
    begin = _begin(fleet, now)
    for vehicle in range(fleet.vehicles if fleet.stops else 0):
        for first in range(0, fleet.stops, STOPS_OF_ORDER):
            numbers = range(first, min(first + STOPS_OF_ORDER, fleet.stops))
            plan = _plan(_name(vehicle), _place(vehicle), begin, numbers)
            yield PLANS, plan.vehicle_id, encode(plan)


def ping_rows(fleet: Fleet, now: Ms) -> Iterator[Row]:
    """The records of pings: each vehicle once, each again, the last at about `now`."""
    begin, chance = _begin(fleet, now), random.Random(1).random
    for first in range(0, fleet.turns, fleet.batch):
        batch = range(first, min(first + fleet.batch, fleet.turns))
        for vehicle in range(fleet.vehicles):
            name = _name(vehicle)
            pings = [_ping(name, vehicle, turn, begin, chance) for turn in batch]
            yield PINGS, name, encode(pings[0]) if fleet.batch == 1 else msgspec.json.encode(pings)


def _begin(fleet: Fleet, now: Ms) -> Ms:
    return now - fleet.turns * EVERY_MS


def _name(vehicle: int) -> str:
    return f"truck-{vehicle:06d}"


def _place(vehicle: int) -> tuple[float, float]:
    return 25.0 + vehicle % 997 / 100, 112.0 + vehicle % 1009 / 100


def _ping(name: str, vehicle: int, turn: int, begin: Ms, chance: Callable[[], float]) -> Ping:
    lat, lon = _place(vehicle)
    lat += (turn + 0.1 * chance()) * STEP_M / METRES_PER_DEGREE
    return Ping(
        vehicle_id=name,
        ts=begin + turn * EVERY_MS + vehicle % EVERY_MS,
        lat=round(lat, 6),
        lon=round(lon + 1e-4 * chance(), 6),
        speed_mps=round(8 + 10 * chance(), 1),
        heading_deg=round(360 * chance(), 1),
        accuracy_m=round(3 + 10 * chance(), 1),
    )


def _plan(name: str, place: tuple[float, float], ts: Ms, numbers: range) -> VehiclePlan:
    """The first stop lies four pings ahead, the others 10 km from each other: ten on the way, then
    as many to the east of them, and so on. Seven decimals, a centimetre, as geocoders give."""
    lat, lon = place
    planned = (
        Stop(
            f"stop-{n}",
            StopRole.DELIVERY if n else StopRole.PICKUP,
            Fence(
                round(lat + (4 * STEP_M + n % 10 * APART_M) / METRES_PER_DEGREE, 7),
                round(lon + n // 10 * APART_M / METRES_PER_DEGREE, 7),
                200.0,
                300.0,
            ),
        )
        for n in numbers
    )
    return VehiclePlan(name, ts, tuple(planned), order_id=f"order-{numbers[0]}-of-{name}")


def order_rows(events: int, now: Ms) -> Iterator[Row]:
    """`events` events, a fourth as many orders: first events first, each order's in order."""
    orders = [f"order-{n:07d}" for n in range(events // 4)]
    left = events
    for turn in range(max(EVENTS)):
        for n, order_id in enumerate(orders):
            if turn < EVENTS[n % len(EVENTS)] and left:
                left -= 1
                at = now - 60_000 + turn * 8_000 + n % 8_000
                yield ORDER_EVENTS, order_id, encode(_event(turn, order_id, at, n))


def _event(turn: int, order_id: str, ts: Ms, n: int) -> OrderEvent:
    if turn == 2:
        stops = _plan("", (31.0, 121.0), ts, range(2)).stops
        return Assigned(order_id=order_id, ts=ts, vehicle_id=f"truck-{n % 9973:06d}", stops=stops)
    kinds = (Received, Reviewed, Assigned, Outbound, InTransit, Signed)
    kind: Callable[..., OrderEvent] = kinds[turn]
    return kind(order_id=order_id, ts=ts, source="oms")


def fill(settings: Settings, rows: Iterable[Row], told: Callable[[int], None]) -> int:
    """Put the rows on Kafka, lz4, partitioned as Milepost does; returns how many."""
    producer = Producer(
        {
            "bootstrap.servers": settings.brokers,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "queue.buffering.max.messages": 1_000_000,
            "batch.size": 262_144,
            "acks": 1,
        }
    )
    written = 0
    names = {name: settings.topic(name) for name in (PINGS, PLANS, ORDER_EVENTS)}
    for written, (topic, key, value) in zip(count(1), rows, strict=False):
        while True:
            try:
                producer.produce(names[topic], value, key)
                break
            except BufferError:
                producer.poll(0.1)
        if written % 20_000 == 0:
            producer.poll(0)
            told(written)
    if producer.flush(FLUSH_S):
        raise TimeoutError(f"the broker did not take {written:,} records within {FLUSH_S:.0f} s")
    return written
