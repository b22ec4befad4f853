"""How vehicles truly move: streets with corners, lights and queues, driven with real accelerations.

How this works. A way is a list of nodes. A node says how fast it may be passed and how long it is
stood at; the edge that leads to it says how fast it may be driven and how open the sky is there.
`drive` integrates that in steps of a second (a standstill is one step), so a vehicle brakes for a
corner, waits at a light and rolls into a yard at walking pace, and every moment of it is known.

Plane metres, east and north. Nothing here knows of fences, receivers or the engine.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum

XY = tuple[float, float]

SPEED_UP, BRAKE = 1.2, 1.8
"""Metres per second squared of a loaded van or truck in ordinary driving."""
CORNER_MPS = 5.0
YARD_MPS = 3.0
CITY_MPS = (8.0, 14.0)
ROAD_MPS = (16.0, 24.0)
WALK_MPS = (1.1, 1.6)
BLOCK_M = (120.0, 400.0)
LIGHT_SHARE = 0.35
LIGHT_S = (5.0, 60.0)
"""Longer than this a light is seldom red; queues are several of them."""


class Sky(StrEnum):
    """How much of the sky a receiver sees."""

    OPEN = "open"
    STREET = "street"
    CANYON = "canyon"
    YARD = "yard"
    TUNNEL = "tunnel"


@dataclass(frozen=True, slots=True)
class Node:
    place: XY
    limit_mps: float
    """On the edge that leads here."""
    pass_mps: float = CORNER_MPS
    hold_s: float = 0.0
    sky: Sky = Sky.STREET
    """Of the edge that leads here, and of the place."""
    call: str = ""
    """The stop for which it is stood at; empty: a light."""


@dataclass(slots=True)
class Ride:
    """Where the vehicle was: moments in rising order, in seconds, between which it went straight
    and evenly."""

    seconds: list[float] = field(default_factory=list)
    places: list[XY] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)
    skies: list[Sky] = field(default_factory=list)
    holds: list[tuple[str, float, float]] = field(default_factory=list)
    """Each standstill for a call, from and to."""

    @property
    def end(self) -> float:
        return self.seconds[-1]

    def at(self, second: float) -> tuple[XY, float, Sky]:
        """Place, speed and sky."""
        after = min(max(bisect_right(self.seconds, second), 1), len(self.seconds) - 1)
        a, b = self.seconds[after - 1], self.seconds[after]
        share = min(max((second - a) / (b - a), 0.0), 1.0) if b > a else 0.0
        (ax, ay), (bx, by) = self.places[after - 1], self.places[after]
        speed = self.speeds[after - 1] + share * (self.speeds[after] - self.speeds[after - 1])
        return (ax + share * (bx - ax), ay + share * (by - ay)), speed, self.skies[after]

    def crossing(self, centre: XY, radius_m: float, second: float, step: int) -> float:
        """When, going back (-1) or on (+1) from this moment, it crosses the circle; the end of
        the ride if it never does."""
        index = bisect_right(self.seconds, second) - (1 if step < 0 else 0)
        index = min(max(index, 0), len(self.seconds) - 1)
        inner_s, inner_m = second, _away(self.at(second)[0], centre)
        while 0 <= index < len(self.seconds):
            away = _away(self.places[index], centre)
            if away > radius_m:
                share = (radius_m - inner_m) / (away - inner_m) if away > inner_m else 1.0
                return inner_s + share * (self.seconds[index] - inner_s)
            inner_s, inner_m = self.seconds[index], away
            index += step
        return inner_s


def _away(a: XY, b: XY) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])


def drive(start: XY, nodes: list[Node], second: float = 0.0) -> Ride:
    """The ride through all nodes, from a standstill."""
    ride = Ride([second], [start], [0.0], [nodes[0].sky])
    caps = _caps(start, nodes)
    here, speed = start, 0.0
    for node, cap in zip(nodes, caps, strict=True):
        second, speed = _edge(ride, here, node, cap, second, speed)
        here = node.place
        if node.hold_s:
            _note(ride, second, here, 0.0, node.sky)
            if node.call:
                ride.holds.append((node.call, second, second + node.hold_s))
            second, speed = second + node.hold_s, 0.0
            _note(ride, second, here, speed, node.sky)
    return ride


def _caps(start: XY, nodes: list[Node]) -> list[float]:
    """How fast each node may be passed, so that braking for the following ones is possible."""
    caps = [0.0 if node.hold_s else node.pass_mps for node in nodes]
    caps[-1] = 0.0
    places = [start, *(node.place for node in nodes)]
    for n in range(len(nodes) - 2, -1, -1):
        length = _away(places[n + 1], places[n + 2])
        caps[n] = min(caps[n], math.sqrt(caps[n + 1] ** 2 + 2 * BRAKE * length))
    return caps


def _edge(
    ride: Ride, here: XY, node: Node, cap: float, second: float, speed: float
) -> tuple[float, float]:
    """Drive to the node in steps of a second; gives the time and speed of passing it."""
    length = _away(here, node.place)
    done = 0.0
    while length - done > 0.5:
        left = length - done
        wanted = min(node.limit_mps, math.sqrt(cap * cap + 2 * BRAKE * left))
        after = max(min(speed + SPEED_UP, wanted), 0.4)
        step_m = (speed + after) / 2
        took = 1.0 if step_m < left else left / max(step_m, 0.2)
        done, speed, second = min(done + step_m, length), after, second + took
        share = done / length
        place = (
            here[0] + share * (node.place[0] - here[0]),
            here[1] + share * (node.place[1] - here[1]),
        )
        _note(ride, second, place, speed, node.sky)
    return second, min(speed, cap) if cap else 0.0


def _note(ride: Ride, second: float, place: XY, speed: float, sky: Sky) -> None:
    ride.seconds.append(second)
    ride.places.append(place)
    ride.speeds.append(speed)
    ride.skies.append(sky)


@dataclass(frozen=True, slots=True)
class Streets:
    """What the ways between two calls are like."""

    skies: tuple[tuple[Sky, float], ...] = ((Sky.OPEN, 0.4), (Sky.STREET, 0.6))
    """With the share of the edges they cover."""
    on_foot: bool = False

    def way(self, rng: random.Random, start: XY, goal: XY) -> list[Node]:
        """Block by block, east-west and north-south in turn, not counting the goal."""
        nodes: list[Node] = []
        x, y = start
        while _away((x, y), goal) > BLOCK_M[0]:
            dx, dy = goal[0] - x, goal[1] - y
            block = rng.uniform(*BLOCK_M) * (1.0 if _away((x, y), goal) < 3_000 else 4.0)
            if abs(dx) > abs(dy):
                x += math.copysign(min(block, abs(dx)), dx)
                y += rng.gauss(0, 8)
            else:
                y += math.copysign(min(block, abs(dy)), dy)
                x += rng.gauss(0, 8)
            nodes.append(self._corner(rng, (x, y), fast=_away((x, y), goal) > 3_000))
        return nodes

    def _corner(self, rng: random.Random, place: XY, *, fast: bool) -> Node:
        limit = rng.uniform(*(WALK_MPS if self.on_foot else ROAD_MPS if fast else CITY_MPS))
        red = not fast and rng.random() < LIGHT_SHARE
        hold = rng.uniform(*LIGHT_S) if red else 0.0
        slow = rng.random() < 0.4
        return Node(place, limit, CORNER_MPS if slow else limit, hold, self._sky(rng))

    def _sky(self, rng: random.Random) -> Sky:
        kinds = [sky for sky, _ in self.skies]
        return rng.choices(kinds, [share for _, share in self.skies])[0]
