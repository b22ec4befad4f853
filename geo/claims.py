"""What orders and the fleet ask of one vehicle: its planned stops, each with the time it is asked
for.

A stop that a plan no longer names is not forgotten but *ended*: a position of before may still
come. Stops whose fences overlap are rivals, and know each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import cos, radians

from msgspec import Struct
from msgspec.structs import replace

from geo.distance import METRES_PER_DEGREE, metres
from geo.fences import edge_m, width_m
from geo.model import Fence, Id, Ms, Stop, VehiclePlan

ALWAYS: Ms = 253_402_300_799_999
"""The last `Ms`: an end that is not known yet."""
SAME_PLACE_M = 30.0
"""Fences with middles closer than this are one place: two records of one address differ by as much
as a position does."""
ALIKE = 2.0
"""Of two overlapping fences, one more than so many times as wide is not beside the other but around
it, and both are visited."""


class Claim(Struct, frozen=True, gc=False, array_like=True):
    """A stop to look for, while it is asked for."""

    stop: Stop
    order_id: Id | None = None
    since: Ms = 0
    """Time of the plan that first named it."""
    until: Ms = ALWAYS
    """Time of the plan that no longer did."""
    rivals: tuple[int, ...] = ()
    """Places in the list of the claims whose fences overlap this one's, beside it."""
    after: Id | None = None
    """The order's stop before this one at the same place, which is to be visited first."""
    before: bool = False
    """A later stop of the order is at the same place."""

    @property
    def key(self) -> tuple[str | None, str]:
        return self.order_id, self.stop.stop_id


def replan(claims: tuple[Claim, ...], plan: VehiclePlan, forget: Ms) -> tuple[Claim, ...]:
    """The claims after a plan, which replaces what the same order asked for before; the same
    object if nothing changes. Those ended before `forget` go.

    A plan older than what is known of the order changes nothing.
    """
    wanted: dict[str, Stop] = {}
    for stop in plan.stops:
        wanted.setdefault(stop.stop_id, stop)
    own = [c for c in claims if c.order_id == plan.order_id]
    open_ = [c for c in own if c.until == ALWAYS]
    if [c.stop for c in open_] == list(wanted.values()):
        return claims
    if own and plan.ts < max(c.since if c.until == ALWAYS else c.until for c in own):
        return claims
    held = {c.stop.stop_id: c for c in own}
    kept = [c for c in claims if c.order_id != plan.order_id and c.until > forget]
    ended = [
        replace(c, until=min(c.until, max(plan.ts, c.since)))
        for c in own
        if c.until > forget and _is_other(c, wanted.get(c.stop.stop_id))
    ]
    # A place of the fleet was one before anybody told us.
    ts = 0 if plan.order_id is None else plan.ts
    new = [Claim(s, plan.order_id, _since(held.get(s.stop_id), s, ts)) for s in wanted.values()]
    return linked([*kept, *ended, *new])


def fitting(claims: tuple[Claim, ...], most: int) -> tuple[Claim, ...]:
    """The claims without those that ended first, where there are too many: a vehicle that is not
    heard of goes on being planned for, and by its positions nothing would ever be forgotten."""
    over = len(claims) - most
    if over <= 0:
        return claims
    ended = sorted((c.until, n) for n, c in enumerate(claims) if c.until != ALWAYS)
    gone = {n for _, n in ended[:over]}
    return linked(c for n, c in enumerate(claims) if n not in gone)


def _is_other(claim: Claim, stop: Stop | None) -> bool:
    return stop is None or stop.fence != claim.stop.fence


def _since(held: Claim | None, stop: Stop, ts: Ms) -> Ms:
    """A stop given up and given again was asked for all the time."""
    return ts if held is None or held.stop.fence != stop.fence else held.since


def linked(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims with what each must know of the others."""
    several = [replace(c, rivals=(), after=None, before=False) for c in claims]
    rivals: dict[int, list[int]] = {}
    for i, j in _near(several):
        a, b = several[i], several[j]
        if _same_place(a.stop.fence, b.stop.fence):
            if a.order_id == b.order_id is not None and a.stop.stop_id != b.stop.stop_id:
                first, second = min(i, j), max(i, j)
                several[first] = replace(several[first], before=True)
                several[second] = replace(several[second], after=several[first].stop.stop_id)
        elif _is_beside(a.stop.fence, b.stop.fence):
            rivals.setdefault(i, []).append(j)
            rivals.setdefault(j, []).append(i)
    return tuple(
        replace(c, rivals=tuple(sorted(rivals[n]))) if n in rivals else c
        for n, c in enumerate(several)
    )


def _near(claims: list[Claim]) -> Iterator[tuple[int, int]]:
    """Pairs whose fences may touch, found by sweeping from south to north."""
    order = sorted(range(len(claims)), key=lambda n: claims[n].stop.fence.lat)
    widest = max((width_m(c.stop.fence) for c in claims), default=0.0) / METRES_PER_DEGREE
    places = [(fence.lat, fence.lon) for fence in (claims[n].stop.fence for n in order)]
    for place, (i, (lat, lon)) in enumerate(zip(order, places, strict=True)):
        for later in range(place + 1, len(order)):
            north, east = places[later][0] - lat, abs(places[later][1] - lon)
            if north > widest:
                break
            shrunk = cos(radians(min(max(abs(lat), abs(places[later][0])), 89.9)))
            if min(east, 360.0 - east) * shrunk <= widest:
                j = order[later]
                yield min(i, j), max(i, j)


def _same_place(a: Fence, b: Fence) -> bool:
    return metres(a.lat, a.lon, b.lat, b.lon) <= SAME_PLACE_M


def _is_beside(a: Fence, b: Fence) -> bool:
    wide, narrow = max(width_m(a), width_m(b)), min(width_m(a), width_m(b))
    return wide <= ALIKE * narrow and edge_m(a, b.lat, b.lon) < width_m(b) / 2
