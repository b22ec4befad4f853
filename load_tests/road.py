"""Vehicles that drive north and say so, for ever, at a steady rate."""

from __future__ import annotations

import random
import threading
import time
from typing import Self

from confluent_kafka import Producer
from msgspec import Struct

from geo.distance import METRES_PER_DEGREE
from geo.model import Fence, Ms, Ping, Stop, StopRole
from orders.model import Assigned, InTransit, OrderEvent, Outbound, Received
from stream.clock import wall_ms
from stream.config import Settings
from stream.topics import ORDER_EVENTS, PINGS
from stream.wire import encode

TICK_S = 0.005
SPEED_MPS = 15.0


class Traffic(Struct, frozen=True):
    rate: int = 30_000
    """Pings a second."""
    vehicles: int = 20_000


class Road:
    """Sends pings in a thread, within a `with` block."""

    def __init__(self, settings: Settings, traffic: Traffic) -> None:
        self.sent = 0
        self._settings = settings
        self._traffic = traffic
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._drive)
        self._producer = Producer(
            {
                "bootstrap.servers": settings.brokers,
                "compression.type": "lz4",
                "partitioner": "murmur2_random",
                "linger.ms": 2,
                "queue.buffering.max.messages": 1_000_000,
                "acks": 1,
            }
        )
        chance = random.Random(1)
        self._places = [
            (chance.uniform(24, 40), chance.uniform(100, 120)) for _ in range(traffic.vehicles)
        ]
        self._began = wall_ms()

    def give_orders(self, count: int) -> None:
        """So many of the vehicles carry one order each from now on: not neighbours, for those ping
        at the same moments."""
        now, topic = wall_ms(), self._settings.topic(ORDER_EVENTS)
        apart = max(1, self._traffic.vehicles // count)
        for number in range(count):
            for event in _on_its_way(order_of(number), vehicle_of(number * apart), now):
                self._producer.produce(topic, encode(event), event.order_id)
        self._producer.flush()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.flush()

    def _drive(self) -> None:
        began, topic = time.perf_counter(), self._settings.topic(PINGS)
        while not self._stop.wait(TICK_S):
            due = int((time.perf_counter() - began) * self._traffic.rate) - self.sent
            for number in range(self.sent, self.sent + due):
                vehicle = number % self._traffic.vehicles
                self._producer.produce(topic, self._ping(vehicle), vehicle_of(vehicle))
            self.sent += due
            self._producer.poll(0)

    def _ping(self, vehicle: int) -> bytes:
        now, (lat, lon) = wall_ms(), self._places[vehicle]
        lat += (now - self._began) / 1_000 * SPEED_MPS / METRES_PER_DEGREE
        return encode(
            Ping(
                vehicle_id=vehicle_of(vehicle),
                ts=now,
                lat=round(lat, 6),
                lon=lon,
                speed_mps=SPEED_MPS,
                heading_deg=0.0,
                accuracy_m=5.0,
            )  # fmt: skip
        )


def vehicle_of(number: int) -> str:
    return f"truck-{number:06d}"


def order_of(number: int) -> str:
    return f"order-{number:06d}"


def _on_its_way(order_id: str, vehicle_id: str, now: Ms) -> list[OrderEvent]:
    """An order that its vehicle carries to a far place."""
    stop = Stop("far", StopRole.DELIVERY, Fence(60.0, 110.0))
    return [
        Received(order_id=order_id, ts=now - 4),
        Assigned(order_id=order_id, ts=now - 3, vehicle_id=vehicle_id, stops=(stop,)),
        Outbound(order_id=order_id, ts=now - 2),
        InTransit(order_id=order_id, ts=now - 1),
    ]
