"""What one vehicle does: a tour loads at its depot, perhaps calls at a hub, delivers, and drives
home.

A tour is decided whole when it is planned, as legs with a start and an end; where the vehicle is
at any moment is then looked up, not stepped. So order events and pings come from the same plan and
cannot disagree.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from geo.model import Stop, StopRole
from load_tests.places import CUSTOMER_SPREAD_M, Depot, Place, near, place_of

MIN_MS = 60_000
LOADING_MIN = (10.0, 25.0)
HUB_MIN = (8.0, 15.0)
DELIVERY_MIN = (5.0, 11.0)
"""Stays longer than the 3 minutes of dwell after which a visit counts (research/field.md §9)."""

BENDS = 0.04
"""How far a leg bows from the straight line, as a share of its length."""


class Fate(Enum):
    DELIVERED = auto()
    CANCELLED = auto()
    """Before loading; the vehicle does not call."""
    RETURNED = auto()
    """Refused at the door."""


@dataclass(frozen=True, slots=True)
class Consignment:
    order_id: str
    delivery: Stop
    fate: Fate


@dataclass(frozen=True, slots=True)
class Call:
    """A stay at a stop, in Unix ms."""

    stop: Stop
    arrive: int
    leave: int


@dataclass(frozen=True, slots=True)
class Leg:
    start: int
    end: int
    origin: Place
    goal: Place
    bow: float = 0.0


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a vehicle truly is. `heading_deg` clockwise from north; None while it stands."""

    place: Place
    speed_mps: float
    heading_deg: float | None


@dataclass(frozen=True, slots=True)
class Tour:
    legs: tuple[Leg, ...]
    starts: tuple[int, ...]
    pickup: Call
    hub: Call | None
    deliveries: dict[str, Call]
    """By order id; only the orders that were called at."""

    @property
    def start(self) -> int:
        return self.legs[0].start

    @property
    def end(self) -> int:
        return self.legs[-1].end

    def at(self, ts: int) -> Fix:
        leg = self.legs[max(0, bisect_right(self.starts, ts) - 1)]
        return _fix(leg, min(max(ts, leg.start), leg.end))


def _fix(leg: Leg, ts: int) -> Fix:
    east, north = leg.origin.towards(leg.goal)
    length = math.hypot(east, north)
    if length < 1.0 or ts >= leg.end:
        return Fix(leg.goal, 0.0, None)
    share = (ts - leg.start) / (leg.end - leg.start)
    aside = leg.bow * math.sin(math.pi * share)
    slope = leg.bow * math.pi * math.cos(math.pi * share)
    place = leg.origin.moved(east * share - north * aside, north * share + east * aside)
    speed = length * math.hypot(1.0, slope) / (leg.end - leg.start) * 1000
    heading = math.degrees(math.atan2(east - north * slope, north + east * slope)) % 360
    return Fix(place, speed, heading)


class _Draft:
    """A tour being planned: the clock and place to which the legs so far have led."""

    def __init__(self, rng: random.Random, start: int, place: Place) -> None:
        self.rng = rng
        self.now = start
        self.place = place
        self.legs: list[Leg] = []

    def drive(self, goal: Place) -> None:
        length = self.place.metres_to(goal)
        if length < 1.0:
            return
        took = max(1000, int(length / _cruise(self.rng, length) * 1000))
        bow = self.rng.uniform(-BENDS, BENDS)
        self.legs.append(Leg(self.now, self.now + took, self.place, goal, bow))
        self.now, self.place = self.now + took, goal

    def call(self, stop: Stop, minutes: tuple[float, float]) -> Call:
        self.drive(place_of(stop))
        arrive, stay = self.now, int(self.rng.uniform(*minutes) * MIN_MS)
        self.legs.append(Leg(arrive, arrive + stay, self.place, self.place))
        self.now = arrive + stay
        return Call(stop, arrive, self.now)


def _cruise(rng: random.Random, length_m: float) -> float:
    """Average speed of a leg in m/s: city streets, ring roads, motorway with lorries' 80 km/h
    limit.
    """
    if length_m < 5_000:
        return rng.uniform(5.5, 10.0)
    if length_m < 30_000:
        return rng.uniform(9.0, 15.0)
    return rng.uniform(15.0, 21.0)


def plan_tour(
    rng: random.Random, start: int, depot: Depot, hub: Depot | None, load: Iterable[Consignment]
) -> Tour:
    """From the beginning of loading to standing at the depot again."""
    draft = _Draft(rng, start, depot.place)
    pickup = draft.call(depot.stop(StopRole.PICKUP), LOADING_MIN)
    hub_call = draft.call(hub.stop(StopRole.HUB), HUB_MIN) if hub else None
    deliveries: dict[str, Call] = {}
    waiting = [c for c in load if c.fate is not Fate.CANCELLED]
    while waiting:
        here = draft.place
        nearest = min(waiting, key=lambda c: here.metres_to(place_of(c.delivery)))
        waiting.remove(nearest)
        deliveries[nearest.order_id] = draft.call(nearest.delivery, DELIVERY_MIN)
    draft.drive(depot.place)
    legs = tuple(draft.legs)
    return Tour(legs, tuple(leg.start for leg in legs), pickup, hub_call, deliveries)


def customer(rng: random.Random, centre: Place) -> Place:
    return near(rng, centre, CUSTOMER_SPREAD_M)
