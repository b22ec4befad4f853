"""Messages with defaults, so that a test says only what it is about. Add yours; keep them small."""

from __future__ import annotations

from math import cos, radians

from geo.distance import METRES_PER_DEGREE
from geo.model import Fence, Ms, Ping, Stop, StopRole, VehiclePlan
from orders.model import Age, Aged, Closed, Opened, Outcome, Stage

T0: Ms = 1_767_225_600_000
"""2026-01-01T00:00:00Z: second 0 of every test's time."""

LAT, LON = 31.2, 121.4
"""Metre 0 of every test's ground."""


def at(seconds: float) -> Ms:
    return T0 + round(seconds * 1000)


def lat_of(north_m: float) -> float:
    return LAT + north_m / METRES_PER_DEGREE


def lon_of(east_m: float) -> float:
    return LON + east_m / METRES_PER_DEGREE / cos(radians(LAT))


def ping(
    seconds: float = 0,
    north_m: float = 0,
    *,
    vehicle_id: str = "v1",
    speed_mps: float | None = None,
    received_s: float | None = None,
) -> Ping:
    """A ping of `vehicle_id`, so many seconds after T0 and metres north of metre 0."""
    return Ping(
        vehicle_id=vehicle_id,
        ts=at(seconds),
        lat=lat_of(north_m),
        lon=LON,
        speed_mps=speed_mps,
        received_at=None if received_s is None else at(received_s),
    )


def fence(north_m: float = 0, *, enter_m: float = 150, exit_m: float = 250) -> Fence:
    return Fence(lat_of(north_m), LON, enter_m, exit_m)


def stop(
    stop_id: str = "depot",
    north_m: float = 0,
    *,
    role: StopRole = StopRole.PICKUP,
    exit_m: float = 250,
) -> Stop:
    return Stop(stop_id, role, fence(north_m, exit_m=exit_m))


def plan(
    *stops: Stop, order_id: str | None = "o1", vehicle_id: str = "v1", seconds: float = 0
) -> VehiclePlan:
    return VehiclePlan(vehicle_id, at(seconds), stops, order_id)


def opened(hours: float = 0, *, order_id: str = "o1", reported_h: float | None = None) -> Opened:
    """An order's lead time runs, so many hours after T0; told at once if not said otherwise."""
    told = at(3600 * (hours if reported_h is None else reported_h))
    return Opened(f"order:{order_id}", at(3600 * hours), told)


def closed(
    hours: float,
    stage: Stage = Stage.SIGNED,
    *,
    order_id: str = "o1",
    reported_h: float | None = None,
) -> Closed:
    told = at(3600 * (hours if reported_h is None else reported_h))
    return Closed(f"order:{order_id}", at(3600 * hours), told, stage)


def aged(
    minutes: float, age: Age, *, order_id: str = "o1", reported_min: float | None = None
) -> Aged:
    """For an age the minute in which the limit was passed, for `fresh` that of the position."""
    told = at(60 * (minutes if reported_min is None else reported_min))
    return Aged(f"order:{order_id}", at(60 * minutes), told, age)


def outcome(
    minutes: float = 0,
    ok: bool = True,
    *,
    order_id: str = "o1",
    attempt: int = 1,
    reported_min: float | None = None,
) -> Outcome:
    """An attempt at the outbound stage."""
    told = at(60 * (minutes if reported_min is None else reported_min))
    stage = Stage.OUTBOUND
    return Outcome(f"stage:{stage}", at(60 * minutes), told, order_id, stage, attempt, ok)
