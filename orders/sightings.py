"""What an order hears from `geo`: visits and sightings, if they come from the vehicle that carried
it then."""

from __future__ import annotations

from msgspec.structs import replace

from geo.model import Id, Motion, Ms, Rejected, Sighting, StopRole, Visit
from orders.lifecycle import Reason
from orders.milestones import Taken, held_stay, visited
from orders.model import LastSeen
from orders.state import Order, ended_at


def called(order: Order, visit: Visit, now: Ms) -> Taken:
    """Takes a visit; one of a former vehicle counts if it began while that vehicle had the
    order."""
    if visit.role is StopRole.SITE:
        detail = f"visit {visit.visit_id} at {visit.stop_id}, a place of the fleet"
        return order, (Rejected(Reason.FLEET_SITE, detail),)
    # The present vehicle may have stood at the stop since before it was given the order.
    carried_by = _vehicle_on(order, visit.arrived_at)
    if visit.vehicle_id not in (order.vehicle_id, carried_by):
        what = f"visit {visit.visit_id} of {visit.vehicle_id}"
        refused = _foreign(what, visit.arrived_at, carried_by)
        # It may be instead of one that was taken.
        held = held_stay(order, visit)
        if held is None:
            return order, (refused,)
        return visited(order, replace(visit, retracted=True), now, None)[0], (refused,)
    return visited(order, visit, now, ended_at(order))


def sighted(order: Order, sighting: Sighting) -> Taken:
    """Takes a newer position of the order's present vehicle; everything else is refused with its
    reason."""
    ts, seen = sighting.ts, order.seen
    what = f"{sighting.vehicle_id} sighted at {ts}"
    ended = ended_at(order)
    if ended is not None and ts > ended:
        return order, (Rejected(Reason.ALREADY_ENDED, f"{what}, ended at {ended}"),)
    if sighting.vehicle_id != order.vehicle_id:
        carried_by = _vehicle_on(order, ts)
        if sighting.vehicle_id != carried_by:
            return order, (_foreign(what, ts, carried_by),)
        return order, (Rejected(Reason.STALE, f"{what}, since handed to {order.vehicle_id}"),)
    if seen is not None and ts < seen.ts:
        return order, (Rejected(Reason.STALE, f"{what}, seen at {seen.ts}"),)
    if seen is not None and ts == seen.ts:
        # Silence is told with the last fix over again; that it came tells nothing a deadline does
        # not.
        known = sighting.motion is Motion.SILENT
        return order, () if known else (Rejected(Reason.DUPLICATE, what),)
    motion = sighting.motion
    # A device that sleeps while parked falls silent too: what counts is how it stood when last
    # awake.
    standing = order.standing if motion is Motion.SILENT else motion is Motion.STANDING
    position = LastSeen(ts, sighting.lat, sighting.lon)
    return replace(order, seen=position, standing=standing), ()


def _vehicle_on(order: Order, ts: Ms) -> Id | None:
    """Who carried the order at `ts`; before the first assignment, whoever was to be the first."""
    held = None
    for given in order.assignments:
        if held is None or given.ts <= ts:
            held = given.vehicle_id
    return held


def _foreign(what: str, ts: Ms, carried_by: Id | None) -> Rejected:
    return Rejected(Reason.OTHER_VEHICLE, f"{what}: the order was with {carried_by} at {ts}")
