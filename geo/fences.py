"""Circles with two radii, and how far a vehicle may go before it can be inside one of many."""

from __future__ import annotations

from collections.abc import Iterable

from geo.distance import metres
from geo.model import Fence, Ping

CLEARANCE_MAX_M = 20_000.0
"""Clearance ends here, so that it rests on distances short enough for `metres` to be right."""


def distance_m(position: Ping, fence: Fence) -> float:
    """From the position to the middle of the fence."""
    return metres(position.lat, position.lon, fence.lat, fence.lon)


def is_beyond(fence: Fence, distance: float) -> bool:
    """Outside for good. An exit radius below the enter radius counts as equal to it."""
    return distance > fence.exit_m and distance > fence.enter_m


def clearance_m(distances: Iterable[tuple[Fence, float]]) -> float:
    """A vehicle that has moved less than this is not inside the enter radius of any of these.

    1 % is kept back: `metres` is no exact metric, but its error is below 0.1 % at these lengths.
    """
    clearance = CLEARANCE_MAX_M
    for fence, distance in distances:
        clearance = min(clearance, 0.99 * distance - fence.enter_m)
    return clearance
