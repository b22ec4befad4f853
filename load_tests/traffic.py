"""Order events and pings whose outcome does not depend on the order in which two topics are read.

Two kinds of orders:

- *Fleet orders* get all their events before the load begins. Under load their vehicles ping, call
  at stops, stand and drive, so they hear of visits and sightings only.
- *Desk orders* hear of events only, from received to signed: shuffled, doubled, failed. Their
  vehicles never ping. Some were received 49 hours ago and are late when they are signed; some pass
  48 hours during the run, and no event tells of it.

Records that nobody can decode are put between both.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from itertools import islice
from math import cos, radians
from typing import Self

from confluent_kafka import Producer

from commands.process import CannotStart
from geo.distance import METRES_PER_DEGREE
from geo.model import Fence, Ms, Ping, Stop, StopRole
from orders.model import (
    Assigned,
    Cancelled,
    Failed,
    InTransit,
    OrderEvent,
    Outbound,
    Received,
    Returned,
    Reviewed,
    Signed,
)
from stream.clock import wall_ms
from stream.config import Settings
from stream.topics import ORDER_EVENTS, PINGS
from stream.wire import encode

FLEET = 200
DESK = 400
"""Desk orders on their way at any time."""

SECOND_MS, HOUR_MS = 1_000, 3_600_000
DEADLINES_MS = 20 * SECOND_MS
PAST_MS = 300 * SECOND_MS
"""Vehicles begin so far in the past, and each ping is later than the last by:"""
STEP_MS = 3 * SECOND_MS
DRIVE_M = 60.0
"""Between two pings: 72 km/h."""
STAND = 25
"""Pings at a stop: 75 s, more than the dwell of a visit."""
STOPS_M = (600.0, 2_400.0, 4_200.0)

LATE, DUE, SHUFFLED, FAILING = 0.15, 0.03, 0.2, 0.05
"""Shares of desk orders."""
PINGS_SHARE, DOUBLED, SPOILED = 0.4, 0.05, 0.01
"""Shares of records."""
FLUSH_S = 90.0

TICK_S = 0.02


def fleet_orders(now: Ms) -> Iterator[OrderEvent]:
    """What is said of the fleet's orders before its vehicles ping."""
    for number in range(FLEET):
        order_id, ts = f"fleet-{number}", now - PAST_MS
        yield Received(order_id=order_id, ts=ts - 3)
        yield Assigned(
            order_id=order_id, ts=ts - 2, vehicle_id=vehicle_of(number), stops=_stops(number)
        )
        yield Outbound(order_id=order_id, ts=ts - 1)
        yield InTransit(order_id=order_id, ts=ts)


def vehicle_of(number: int) -> str:
    return f"truck-{number}"


def _stops(number: int) -> tuple[Stop, ...]:
    roles = (StopRole.PICKUP, StopRole.HUB, StopRole.DELIVERY)
    return tuple(
        Stop(f"{role}-{number}", role, Fence(*_place(number, north_m)))
        for role, north_m in zip(roles, STOPS_M, strict=True)
    )


def _place(number: int, north_m: float) -> tuple[float, float]:
    lat = 31.0 + north_m / METRES_PER_DEGREE
    return lat, 121.0 + number * 2_000 / METRES_PER_DEGREE / cos(radians(31.0))


def _route() -> Iterator[tuple[float, float]]:
    """Metres north and speed in m/s at each ping: from stop to stop, and on."""
    for step in range(100):
        north_m = step * DRIVE_M
        if north_m in STOPS_M:
            yield from ((north_m, 0.0) for _ in range(STAND))
        yield north_m, DRIVE_M * 1_000 / STEP_MS


ROUTE = tuple(_route())


def pings(rng: random.Random, start: Ms) -> Iterator[Ping | None]:
    """Of one vehicle after the other, for ever; None where all have come to the present."""
    steps = [0] * FLEET
    while True:
        number = rng.randrange(FLEET)
        step = min(steps[number], len(ROUTE) - 1)
        ts = start + steps[number] * STEP_MS
        if ts > wall_ms():
            yield None
            continue
        steps[number] += 1
        north_m, speed_mps = ROUTE[step]
        lat, lon = _place(number, north_m)
        yield Ping(vehicle_of(number), ts, lat, lon, speed_mps)


def desk_events(rng: random.Random) -> Iterator[OrderEvent]:
    """Of some hundred orders in turn, for ever; a new one begins where one has ended."""
    orders = [_desk_order(rng, f"desk-{n}") for n in range(DESK)]
    count = DESK
    while True:
        number = rng.randrange(DESK)
        event = next(orders[number], None)
        if event is not None:
            yield event
            continue
        orders[number] = _desk_order(rng, f"desk-{count}")
        count += 1


def _desk_order(rng: random.Random, order_id: str) -> Iterator[OrderEvent]:
    """One order's events as they come: each dated when it is sent, but for the first two."""
    chance, received = rng.random(), wall_ms()
    if chance < LATE:
        received -= 49 * HOUR_MS
    elif chance < LATE + DUE:
        received = _next_deadline(received) - 48 * HOUR_MS
    early: list[OrderEvent] = [
        Received(order_id=order_id, ts=received),
        Reviewed(order_id=order_id, ts=received + SECOND_MS),
    ]
    if LATE <= chance < LATE + DUE:
        # In order: were the beginning corrected while its deadline passes, either might come first.
        yield from early
        return
    if rng.random() < SHUFFLED:
        early.reverse()
    yield from early
    stops = (Stop("door", StopRole.DELIVERY, Fence(31.0, 121.0)),)
    yield Assigned(order_id=order_id, ts=wall_ms(), vehicle_id=f"of-{order_id}", stops=stops)
    if rng.random() < FAILING:
        yield Failed(order_id=order_id, ts=wall_ms(), error="address")
    yield Outbound(order_id=order_id, ts=wall_ms())
    late = InTransit(order_id=order_id, ts=wall_ms())
    end = rng.choice((Signed, Signed, Signed, Returned, Cancelled))
    yield end(order_id=order_id, ts=wall_ms())
    yield late


def _next_deadline(now: Ms) -> Ms:
    """All at once every 20 s, so that there are times at which none is near."""
    return (now // DEADLINES_MS + 1) * DEADLINES_MS


def records(seed: int, start: Ms) -> Iterator[tuple[str, str, bytes] | None]:
    """(topic, key, value) of everything under load, for ever; None: nothing to send just now."""
    rng = random.Random(seed)
    driving, told = pings(rng, start), desk_events(rng)
    while True:
        is_ping = rng.random() < PINGS_SHARE
        message = next(driving) if is_ping else next(told)
        if message is None:
            yield None
            continue
        topic = PINGS if is_ping else ORDER_EVENTS
        key = message.vehicle_id if isinstance(message, Ping) else message.order_id
        value = encode(message)
        if rng.random() < SPOILED:
            yield topic, key, value[: rng.randrange(len(value))]
        yield topic, key, value
        if rng.random() < DOUBLED:
            yield topic, key, value


class Load:
    """Sends traffic in the background while it is on."""

    def __init__(self, settings: Settings, seed: int, rate: float) -> None:
        """`rate` in records a second."""
        self._settings = settings
        self._rate = rate
        self._began = wall_ms()
        self._records = records(seed, self._began - PAST_MS)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed: list[str] = []
        self.sent = 0
        self._producer = Producer(
            {
                "bootstrap.servers": settings.brokers,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": "lz4",
                # A restarted broker is waited for.
                "message.timeout.ms": int(FLUSH_S * 1000),
                "reconnect.backoff.max.ms": 500,
                "delivery.report.only.error": True,
                "on_delivery": lambda error, message: self._failed.append(str(error)),
                "log_level": 0,
            }
        )

    def settle(self) -> None:
        """Send what must be known before the rest."""
        for event in fleet_orders(self._began):
            self.send(ORDER_EVENTS, event.order_id, encode(event))
        self.flush()

    def send(self, topic: str, key: str, value: bytes) -> None:
        self._producer.produce(self._settings.topic(topic), key=key.encode(), value=value)
        self.sent += 1

    def flush(self) -> None:
        """Wait until the broker has all. Raises CannotStart if it does not take it."""
        left = self._producer.flush(FLUSH_S)
        if left or self._failed:
            raise CannotStart(f"the broker did not take {left} records; {self._failed[:1]}")

    def __enter__(self) -> Self:
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Off again, and all that was sent is in the broker."""
        self._stop.set()
        assert self._thread is not None, "it was on"
        self._thread.join()
        self.flush()

    def _run(self) -> None:
        began, due = time.monotonic(), 0
        while not self._stop.wait(TICK_S):
            upto = round((time.monotonic() - began) * self._rate)
            for record in islice(self._records, upto - due):
                if record is not None:
                    self.send(*record)
            self._producer.poll(0)
            due = upto
