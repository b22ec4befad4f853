"""How far a position is from a fence, and how far a vehicle may go before it can be inside one.

Every distance here is from the *edge*: negative inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, pi, sqrt

from geo import shapes
from geo.distance import METRES_PER_DEGREE, metres
from geo.model import Fence
from geo.spots import Spot

CLEARANCE_MAX_M = 20_000.0
"""Clearance ends here, so that it rests on distances short enough for `metres` to be right."""
GROWTH_MAX_M = 100.0
"""A fence grows by at most this much for a position that may be wrong by more than the fence is
wide; a worse one is a cell tower's and says nothing about a gate."""

_DEGREE_RAD = pi / 180


def edge_m(fence: Fence, lat: float, lon: float) -> float:
    """From the place to the enter edge."""
    if fence.shape is not None:
        return shapes.distance_m(fence.shape, lat, lon) - fence.enter_m
    return metres(lat, lon, fence.lat, fence.lon) - fence.enter_m


def band_m(fence: Fence) -> float:
    """Between the enter and the exit edge. An exit radius below the enter radius is equal to it."""
    return max(fence.exit_m - fence.enter_m, 0.0)


def width_m(fence: Fence) -> float:
    """The longest way through it; of a corridor, across it: along it one is on the way."""
    around = 0.0 if not isinstance(fence.shape, shapes.Area) else shapes.width_m(fence.shape)
    return 2.0 * fence.enter_m + around


def growth_m(fence: Fence, error: float) -> float:
    """By how much the fence grows for a position of this error: its radius is never below twice
    the error (research/field.md §9)."""
    return min(max(2.0 * error - width_m(fence) / 2.0, 0.0), GROWTH_MAX_M)


def passing_m(fence: Fence, a: Spot, b: Spot) -> float:
    """How near the straight way from `a` to `b` comes to the enter edge."""
    if fence.shape is not None:
        way = shapes.approach(fence.shape, (a.lat, a.lon), (b.lat, b.lon))
        return way.metres - fence.enter_m
    scale = METRES_PER_DEGREE * cos(fence.lat * _DEGREE_RAD)
    ax, ay = _east(a.lon - fence.lon) * scale, (a.lat - fence.lat) * METRES_PER_DEGREE
    bx, by = _east(b.lon - fence.lon) * scale, (b.lat - fence.lat) * METRES_PER_DEGREE
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    share = min(max(-(ax * dx + ay * dy) / length, 0.0), 1.0) if length else 0.0
    x, y = ax + share * dx, ay + share * dy
    return sqrt(x * x + y * y) - fence.enter_m


def _east(degrees: float) -> float:
    return degrees - 360.0 if degrees > 180.0 else degrees + 360.0 if degrees < -180.0 else degrees


def clearance_m(edges: Iterable[float]) -> float:
    """A vehicle that has moved less than this is not inside any of these fences.

    1 % is kept back because `metres` is no exact metric (its error is below 0.1 % at these
    lengths), and what the fence may grow by.
    """
    return min(0.99 * min(edges, default=2 * CLEARANCE_MAX_M) - GROWTH_MAX_M, CLEARANCE_MAX_M)
