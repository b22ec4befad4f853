"""What orders and the fleet ask of one vehicle: planned stops, and the stays it has begun there.

How this works. Planned stops are looked at only when the vehicle may have come near one: after
each look `clearance_m` says how far it may go from `anchor` without being inside any, and until
then a position costs one distance, however many stops there are. Begun stays are looked at with
every position.

A stay that has arrived is a visit somebody was told of, so it lives until its departure: neither
an empty plan nor a fence that changed takes it away. A stay that has not arrived goes with its
stop.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from geo.distance import metres
from geo.fences import clearance_m, distance_m
from geo.model import Count, Id, Motion, Ms, Ping, Stop, VehiclePlan, Visit
from geo.visits import Stay, VisitRule, advance


class Place(Struct, frozen=True, gc=False, array_like=True):
    ts: Ms
    lat: float
    lon: float


class Planned(Struct, frozen=True, gc=False, array_like=True):
    """A stop to look for. `visits` counts those that have arrived."""

    stop: Stop
    order_id: Id | None = None
    visits: Count = 0

    @property
    def key(self) -> tuple[str | None, str]:
        return self.order_id, self.stop.stop_id


class Plans(Struct, frozen=True, gc=False, array_like=True):
    """Everything asked of one vehicle, and what was last said to the orders that ask."""

    planned: tuple[Planned, ...] = ()
    """One per (order, stop): of stops that a plan names twice, the first."""
    stays: tuple[Stay, ...] = ()
    anchor: Place | None = None
    """Where the planned stops were last looked at; None asks for a look."""
    clearance_m: float = 0.0
    sighted: Place | None = None
    """What the orders were last told."""
    motion: Motion = Motion.MOVING


def place_of(position: Ping) -> Place:
    return Place(position.ts, position.lat, position.lon)


def orders_of(plans: Plans) -> list[str]:
    """The orders that have stops on this vehicle now, each once."""
    return list(dict.fromkeys(p.order_id for p in plans.planned if p.order_id is not None))


def is_clear(plans: Plans, position: Ping) -> bool:
    """True if no stay has begun and none can begin here."""
    anchor = plans.anchor
    if plans.stays or anchor is None:
        return False
    return metres(anchor.lat, anchor.lon, position.lat, position.lon) < plans.clearance_m


def visit_stops(
    plans: Plans, position: Ping, now: Ms, rule: VisitRule
) -> tuple[Plans, list[Visit]]:
    """The plans after one more position, and the visits that arrived or departed by it."""
    if is_clear(plans, position):
        return plans, []
    visits: list[Visit] = []
    stays: list[Stay] = []
    for stay in plans.stays:
        after, visit = advance(stay, position, now, rule)
        if after is not None:
            stays.append(after)
        if visit is not None:
            visits.append(visit)
    planned = _count_arrivals(plans.planned, visits) if visits else plans.planned
    anchor = plans.anchor if len(stays) == len(plans.stays) else None
    plans = Plans(
        planned, tuple(stays), anchor, plans.clearance_m, plans.sighted, plans.motion
    )  # positional: a quarter of the time of `replace`
    return look_for_stops(plans, position), visits


def _count_arrivals(planned: tuple[Planned, ...], visits: list[Visit]) -> tuple[Planned, ...]:
    arrived = {(v.order_id, v.stop_id) for v in visits if v.departed_at is None}
    return tuple(replace(p, visits=p.visits + 1) if p.key in arrived else p for p in planned)


def look_for_stops(plans: Plans, position: Ping) -> Plans:
    """Begin a stay at each planned stop the position is inside of."""
    anchor = plans.anchor
    if anchor is not None:
        moved_m = metres(anchor.lat, anchor.lon, position.lat, position.lon)
        if moved_m < plans.clearance_m:
            return plans
    here = {stay.key for stay in plans.stays}
    begun: list[Stay] = []
    away = []
    for p in plans.planned:
        if p.key in here:
            continue
        fence = p.stop.fence
        distance = distance_m(position, fence)
        if distance <= fence.enter_m:
            begun.append(Stay(p.stop, p.order_id, p.visits + 1, position.ts, 1, distance))
        else:
            away.append((fence, distance))
    return replace(
        plans,
        stays=(*plans.stays, *begun),
        anchor=place_of(position),
        clearance_m=clearance_m(away),
    )


def replan(plans: Plans, plan: VehiclePlan) -> Plans:
    """Replace the stops of the plan's order; the same object comes back if nothing changes."""
    wanted: dict[str, Stop] = {}
    for stop in plan.stops:
        wanted.setdefault(stop.stop_id, stop)
    held = [p for p in plans.planned if p.order_id == plan.order_id]
    if [p.stop for p in held] == list(wanted.values()):
        return plans
    visits = {s.key: s.ordinal for s in plans.stays if s.arrived} | {p.key: p.visits for p in held}
    planned = tuple(
        Planned(stop, plan.order_id, visits.get((plan.order_id, stop_id), 0))
        for stop_id, stop in wanted.items()
    )
    others = tuple(p for p in plans.planned if p.order_id != plan.order_id)
    stays = (_kept(stay, plan.order_id, wanted) for stay in plans.stays)
    return replace(
        plans,
        planned=others + planned,
        stays=tuple(stay for stay in stays if stay is not None),
        anchor=None,
    )


def _kept(stay: Stay, order_id: str | None, wanted: dict[str, Stop]) -> Stay | None:
    if stay.arrived or stay.order_id != order_id:
        return stay
    stop = wanted.get(stay.stop.stop_id)
    if stop is None or stop.fence != stay.stop.fence:
        return None
    return replace(stay, stop=stop)
