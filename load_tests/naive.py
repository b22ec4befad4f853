"""Two naive engines, to stand beside ours: what most trackers do.

Both look at circles and at one ping after the other, and know nothing of cleaning, order or
plans.
"""

from __future__ import annotations

from collections.abc import Sequence

from geo.distance import metres
from geo.model import Ms, Ping, Stop
from load_tests.scoring import Found

GATE_MS = 60_000
"""ThingsBoard's `minInsideDuration` and `minOutsideDuration` (research/field.md §4)."""


def point_in_circle(stops: Sequence[Stop], pings: Sequence[Ping]) -> list[Found]:
    """Inside is a visit, outside ends it, ping by ping; what is older than the last is ignored, as
    Traccar does (research/field.md §1)."""
    found: list[Found] = []
    for stop in stops:
        since: Ms | None = None
        last = 0
        for ping in pings:
            if ping.ts < last:
                continue
            last = ping.ts
            inside = _inside(stop, ping)
            if inside and since is None:
                since = ping.ts
            elif not inside and since is not None:
                found.append(Found(stop.stop_id, since, ping.ts))
                since = None
        if since is not None:
            found.append(Found(stop.stop_id, since, None))
    return found


def wall_clock_gate(stops: Sequence[Stop], pings: Sequence[Ping]) -> list[Found]:
    """A visit begins after a minute inside and ends after a minute outside, by the clock on the
    wall, which is also what it is dated by."""
    found: list[Found] = []
    for stop in stops:
        inside = False
        since = turned = 0
        entered: Ms | None = None
        for ping in pings:
            now = ping.ts if ping.received_at is None else ping.received_at
            if _inside(stop, ping) == inside:
                turned = 0
                continue
            turned = turned or now
            if now - turned < GATE_MS:
                continue
            if inside and entered is not None:
                found.append(Found(stop.stop_id, entered, turned))
                entered = None
            elif not inside:
                entered = since = turned
            inside, turned = not inside, 0
        if entered is not None:
            found.append(Found(stop.stop_id, since, None))
    return found


def _inside(stop: Stop, ping: Ping) -> bool:
    fence = stop.fence
    return metres(ping.lat, ping.lon, fence.lat, fence.lon) <= fence.enter_m
