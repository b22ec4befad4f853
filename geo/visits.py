"""When is a vehicle at a stop? One `Stay` per stop it is inside of, moved along by each position.

How this works. A stay begins with the first position inside the enter radius. It is a visit (it
has *arrived*) once a later position, at least the dwell after the first, is still not beyond the
exit radius, with none beyond it in between; until then a position beyond it ends the stay and
nothing was said, so a vehicle that passes by gives nothing. A visit ends with the first of the
positions beyond the exit radius that prove it: two in a row, or enough time between the first
and a later one. One stray fix proves nothing. All times are of the positions; the clock never
begins or ends a visit, because a vehicle that is not heard has proven nothing.

The second proof of a departure matters where `leave_positions` is raised, as for a fleet that
sends every second: with the default of two, the second position always comes first.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from geo.fences import distance_m, is_beyond
from geo.model import Count, Evidence, Id, Ms, Ping, Stop, Visit


class VisitRule(Struct, frozen=True):
    """What proves a visit; the values are research/field.md §9."""

    dwell_ms: int = 60_000
    leave_ms: int = 60_000
    leave_positions: int = 2


class Stay(Struct, frozen=True, gc=False, array_like=True):
    """A stay that has begun; `arrived` says whether it is a visit yet."""

    stop: Stop
    order_id: Id | None
    ordinal: Count
    """Which visit of this vehicle to this stop it is, from 1."""
    first_ts: Ms
    positions: Count
    """All since the first, those beyond the exit radius too."""
    nearest_m: float
    arrived: bool = False
    beyond_ts: Ms = 0
    """Of the first position of the present run beyond the exit radius; 0 if there is none."""
    beyond: Count = 0
    """Length of that run."""

    @property
    def key(self) -> tuple[str | None, str]:
        return self.order_id, self.stop.stop_id


def advance(
    stay: Stay, position: Ping, now: Ms, rule: VisitRule
) -> tuple[Stay | None, Visit | None]:
    """The stay after one more position (None: over), and the visit if it arrived or departed."""
    fence = stay.stop.fence
    distance = distance_m(position, fence)
    nearest_m = min(stay.nearest_m, distance)
    if not is_beyond(fence, distance):
        return _inside(stay, position, nearest_m, now, rule)
    if not stay.arrived:
        return None, None
    return _outside(stay, position, now, rule)


def _inside(
    stay: Stay, position: Ping, nearest_m: float, now: Ms, rule: VisitRule
) -> tuple[Stay, Visit | None]:
    arrives = not stay.arrived and position.ts - stay.first_ts >= rule.dwell_ms
    after = Stay(
        stay.stop,
        stay.order_id,
        stay.ordinal,
        stay.first_ts,
        stay.positions + 1,
        nearest_m,
        arrives or stay.arrived,
    )
    return after, _visit(after, position, now, "dwell") if arrives else None


def _outside(
    stay: Stay, position: Ping, now: Ms, rule: VisitRule
) -> tuple[Stay | None, Visit | None]:
    beyond = stay.beyond + 1
    beyond_ts = position.ts if beyond == 1 else stay.beyond_ts
    after = replace(stay, positions=stay.positions + 1, beyond_ts=beyond_ts, beyond=beyond)
    if beyond < rule.leave_positions and position.ts - beyond_ts < rule.leave_ms:
        return after, None
    return None, _visit(after, position, now, "left", beyond_ts)


def _visit(stay: Stay, position: Ping, now: Ms, rule: str, departed_at: Ms | None = None) -> Visit:
    order_id, stop_id = stay.key
    place = stop_id if order_id is None else f"{stop_id}:{order_id}"
    return Visit(
        visit_id=f"{position.vehicle_id}:{place}:{stay.ordinal}",
        vehicle_id=position.vehicle_id,
        stop_id=stop_id,
        role=stay.stop.role,
        arrived_at=stay.first_ts,
        reported_at=now,
        evidence=Evidence(rule, stay.positions, stay.first_ts, position.ts, stay.nearest_m),
        departed_at=departed_at,
        order_id=order_id,
    )
