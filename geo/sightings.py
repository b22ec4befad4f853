"""When do a vehicle's orders hear of it, and does it move?

How this works. What the vehicle was last seen doing is told about once a minute. Where positions
carry a speed, a change between moving and standing is told sooner. Where they do not, motion is
judged from one telling to the next: less than 50 m in a minute or more is standing. A vehicle of
which nothing is known yet moves: standing excuses silence later on ("parked"), and an excuse
needs a reason.
"""

from __future__ import annotations

from msgspec import Struct

from geo.distance import metres
from geo.model import Motion, Ms, Ping, Sighting
from geo.plans import Plans, last_told


class SightingRule(Struct, frozen=True):
    """How often orders hear of their vehicle."""

    every_ms: int = 60_000
    """A fifteenth of the 15 minutes that a status may be old."""
    change_ms: int = 10_000
    """A change of motion is told no sooner after the last sighting: stop-and-go is no news."""
    standing_mps: float = 5 / 3.6
    """research/field.md §9."""
    standing_m: float = 50.0
    """research/field.md §9."""


def motion_due(plans: Plans, position: Ping, rule: SightingRule) -> Motion | None:
    """What to tell the orders at this position, or None if there is nothing to tell yet."""
    speed = position.speed_mps
    motion = None
    if speed is not None and speed >= 0.0:  # negative and nan: devices that mean "unknown"
        motion = Motion.STANDING if speed <= rule.standing_mps else Motion.MOVING
    told = last_told(plans)
    if told is None:
        return motion or Motion.MOVING
    ts, lat, lon = told
    elapsed_ms = position.ts - ts
    if elapsed_ms >= rule.every_ms:
        return motion or _motion_since(lat, lon, position, rule)
    if elapsed_ms >= rule.change_ms and motion is not plans.motion:
        return motion
    return None


def _motion_since(lat: float, lon: float, position: Ping, rule: SightingRule) -> Motion:
    moved_m = metres(lat, lon, position.lat, position.lon)
    return Motion.STANDING if moved_m < rule.standing_m else Motion.MOVING


def sightings(orders: list[str], position: Ping, motion: Motion, now: Ms) -> list[Sighting]:
    """The same sighting for each of these orders."""
    return [
        Sighting(
            order_id=order_id,
            vehicle_id=position.vehicle_id,
            ts=position.ts,
            lat=position.lat,
            lon=position.lon,
            motion=motion,
            reported_at=now,
        )
        for order_id in orders
    ]
