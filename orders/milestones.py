"""The timeline of an order: milestones recorded, corrected, taken back, bounded; and those that
visits prove.

A correction never edits: it records a new milestone whose `supersedes` names the old one, which
stays in the list so that whoever was told it can see what became of it. Only a thing that turns out
not to have happened (a departure withdrawn, an event after the end) leaves the list, with all it
superseded.
"""

from __future__ import annotations

from msgspec.structs import replace

from geo.model import Ms, Rejected, StopRole, Visit
from geo.visits import confidence
from orders.lifecycle import Reason
from orders.model import Code, Milestone
from orders.state import Order, Stay

MAX_MILESTONES = 64
"""A status is at most some 12 KB; an order of 30 stops still keeps every arrival and departure."""

EVENT, GPS = "event", "gps"

ARRIVED = {
    StopRole.PICKUP: Code.ARRIVED_PICKUP,
    StopRole.HUB: Code.ARRIVED_HUB,
    StopRole.DELIVERY: Code.ARRIVED_DELIVERY,
}
DEPARTED = {
    StopRole.PICKUP: Code.DEPARTED_PICKUP,
    StopRole.HUB: Code.DEPARTED_HUB,
    StopRole.DELIVERY: Code.DEPARTED_DELIVERY,
}

Taken = tuple[Order, tuple[Rejected, ...]]


def standing_events(milestones: tuple[Milestone, ...]) -> list[Milestone]:
    """The standing ones that order events left."""
    replaced = {m.supersedes for m in milestones}
    return [m for m in milestones if m.source == EVENT and m.sequence not in replaced]


def latest(milestones: tuple[Milestone, ...], *codes: Code) -> Milestone | None:
    """The standing milestone of codes of which one stands at a time: the last one recorded."""
    found = None
    for milestone in milestones:
        if milestone.code in codes and (found is None or milestone.sequence > found.sequence):
            found = milestone
    return found


def record(order: Order, new: Milestone) -> Order:
    """Adds a milestone that carries the order's next sequence."""
    held = order.milestones
    at = len(held)
    while at and held[at - 1].occurred_at > new.occurred_at:  # most are the newest
        at -= 1
    milestones = _bounded((*held[:at], new, *held[at:]))
    return replace(order, milestones=milestones, next_sequence=new.sequence + 1)


def take_back(order: Order, sequences: set[int]) -> Order:
    """Removes milestones and what they superseded: else an older claim would stand again."""
    by_sequence = {m.sequence: m for m in order.milestones}
    gone: set[int] = set()
    for sequence in sequences:
        milestone = by_sequence.get(sequence)
        while milestone is not None:
            gone.add(milestone.sequence)
            milestone = by_sequence.get(milestone.supersedes or 0)
    return replace(order, milestones=tuple(m for m in order.milestones if m.sequence not in gone))


def visited(order: Order, visit: Visit, now: Ms, ended_at: Ms | None) -> Taken:
    """Takes a visit, or a newer version of one, into the timeline.

    One that began after the order's end, or that did not take place after all, is remembered but
    proves nothing: its newest version decides that, whichever version came first.
    """
    held = held_stay(order, visit)
    same = held is not None and held.visit_id == visit.visit_id
    if held is not None and same and _version(visit) <= _version(held):
        known = _version(visit) == _version(held)
        return order, (_outdated(visit, Reason.DUPLICATE if known else Reason.STALE),)
    order = _without_replaced(order, visit, held)
    was = held or Stay(visit.visit_id, visit.vehicle_id, 0, None, 0)
    order = replace(order, stays=tuple(s for s in order.stays if s is not held))
    stay = replace(
        was,
        visit_id=visit.visit_id,
        arrived_at=visit.arrived_at,
        departed_at=visit.departed_at,
        reported_at=visit.reported_at,
        version=visit.version,
    )
    if visit.retracted:
        order = take_back(order, {was.arrived, was.departed})
        return _keep(order, replace(stay, arrived=0, departed=0)), ()
    if ended_at is not None and visit.arrived_at > ended_at:
        order = take_back(order, {was.arrived, was.departed})
        late = Rejected(Reason.ALREADY_ENDED, f"visit {visit.visit_id} began after {ended_at}")
        return _keep(order, replace(stay, arrived=0, departed=0)), (late,)
    if not was.arrived or was.arrived_at != visit.arrived_at:
        stay = replace(stay, arrived=order.next_sequence)
        order = record(order, _proven(order, visit, now, was.arrived))
    if visit.departed_at is None:
        order = take_back(order, {was.departed}) if was.departed else order
        stay = replace(stay, departed=0)
    elif not was.departed or was.departed_at != visit.departed_at:
        stay = replace(stay, departed=order.next_sequence)
        order = record(order, _departure(order, visit, now, was.departed))
    return _keep(order, stay), ()


def held_stay(order: Order, visit: Visit) -> Stay | None:
    """What is held of the visit, or of the one it is instead of."""
    found = None
    for stay in order.stays:
        if stay.visit_id == visit.visit_id:
            return stay
        if stay.visit_id == visit.supersedes:
            found = stay
    return found


def _without_replaced(order: Order, visit: Visit, held: Stay | None) -> Order:
    """A visit that comes back may be instead of another that is held beside it."""
    for stay in order.stays:
        if stay.visit_id == visit.supersedes and stay is not held:
            order = take_back(order, {stay.arrived, stay.departed})
            return replace(order, stays=tuple(s for s in order.stays if s is not stay))
    return order


def _proven(order: Order, visit: Visit, now: Ms, supersedes: int) -> Milestone:
    evidence = visit.evidence
    text = f"{evidence.rule}: {evidence.positions} positions, nearest {evidence.nearest_m:.0f} m"
    return Milestone(
        sequence=order.next_sequence,
        code=ARRIVED[visit.role],
        occurred_at=visit.arrived_at,
        reported_at=now,
        source=GPS,
        confidence=confidence(0 if visit.inferred else evidence.positions),
        stop_id=visit.stop_id,
        vehicle_id=visit.vehicle_id,
        evidence=text,
        supersedes=supersedes or None,
    )


def _departure(order: Order, visit: Visit, now: Ms, supersedes: int) -> Milestone:
    assert visit.departed_at is not None
    arrival = _proven(order, visit, now, supersedes)
    return replace(arrival, code=DEPARTED[visit.role], occurred_at=visit.departed_at)


def _keep(order: Order, stay: Stay) -> Order:
    others = [s for s in order.stays if s.visit_id != stay.visit_id]
    stays = sorted((*others, stay), key=lambda s: (s.arrived_at, s.visit_id))
    return replace(order, stays=tuple(stays[-MAX_MILESTONES:]))


def _version(seen: Visit | Stay) -> tuple[int, Ms, Ms, Ms]:
    """Orders the versions of one visit; of two without a number, reported in the same millisecond,
    the fuller one is newer."""
    return seen.version, seen.reported_at, seen.departed_at or 0, seen.arrived_at


def _outdated(visit: Visit, reason: Reason) -> Rejected:
    return Rejected(reason, f"visit {visit.visit_id} as reported at {visit.reported_at}")


def _bounded(milestones: tuple[Milestone, ...]) -> tuple[Milestone, ...]:
    """Drops the oldest superseded one, else the oldest visit's: events are few enough to stay for
    ever."""
    if len(milestones) <= MAX_MILESTONES:
        return milestones
    replaced = {m.supersedes for m in milestones}
    spent = [m.sequence for m in milestones if m.sequence in replaced]
    victim = min(spent or [m.sequence for m in milestones if m.source == GPS])
    return tuple(m for m in milestones if m.sequence != victim)
