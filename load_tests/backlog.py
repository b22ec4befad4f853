"""A backlog on Kafka for benchmarks: many vehicles' pings or orders' lives, interleaved in time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import count

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
EVENTS = (2, 3, 4, 5, 6)
"""How far the life of an order has come, in turns: four events each on average."""

Row = tuple[str, str, bytes]
"""Topic, key, value."""


class Fleet(Struct, frozen=True):
    pings: int = 1_000_000
    vehicles: int = 100_000
    stops: int = 0
    """Planned for each vehicle: the first ones it passes, the others far away."""


def fleet_rows(fleet: Fleet, now: Ms) -> Iterator[Row]:
    """The plans, then the pings: each vehicle once, each again, the last at about `now`."""
    places = [(25.0 + n % 997 / 100, 112.0 + n % 1009 / 100) for n in range(fleet.vehicles)]
    names = [f"truck-{n:06d}" for n in range(fleet.vehicles)]
    rounds = -(-fleet.pings // fleet.vehicles)
    begin = now - rounds * EVERY_MS
    chance = random.Random(1).random
    if fleet.stops:
        for name, (lat, lon) in zip(names, places, strict=True):
            yield PLANS, name, encode(_plan(name, lat, lon, begin, fleet.stops))
    for n in range(fleet.pings):
        turn, vehicle = divmod(n, fleet.vehicles)
        lat, lon = places[vehicle]
        lat += (turn + 0.1 * chance()) * STEP_M / METRES_PER_DEGREE
        ping = Ping(
            vehicle_id=names[vehicle],
            ts=begin + turn * EVERY_MS + vehicle % EVERY_MS,
            lat=round(lat, 6),
            lon=round(lon + 1e-4 * chance(), 6),
            speed_mps=round(8 + 10 * chance(), 1),
            heading_deg=round(360 * chance(), 1),
            accuracy_m=round(3 + 10 * chance(), 1),
        )
        yield PINGS, names[vehicle], encode(ping)


def _plan(name: str, lat: float, lon: float, ts: Ms, stops: int) -> VehiclePlan:
    """The first stop lies four pings ahead, each further one 10 km beyond. Seven decimals, a
    centimetre, as a geocoder gives them."""
    lon = round(lon, 7)
    planned = (
        Stop(
            f"stop-{n}",
            StopRole.DELIVERY if n else StopRole.PICKUP,
            Fence(
                round(lat + (4 * STEP_M + n * 10_000.0) / METRES_PER_DEGREE, 7),
                lon,
                200.0,
                300.0,
            ),
        )
        for n in range(stops)
    )
    return VehiclePlan(name, ts, tuple(planned), order_id=f"order-of-{name}")


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
        stops = _plan("", 31.0, 121.0, ts, 2).stops
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
