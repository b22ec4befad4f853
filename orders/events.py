"""What an order event does to the timeline: its milestone, its correction, or the reason why
not."""

from __future__ import annotations

from itertools import pairwise

from msgspec.structs import replace

from geo.model import Ms, Rejected
from orders.lifecycle import CODES, END_CODES, TRANSITIONS, Reason
from orders.milestones import EVENT, Taken, latest, record, standing_events, take_back
from orders.model import Assigned, Cancelled, Failed, Milestone, OrderEvent, Returned, Signed
from orders.state import Assignment, Order, World

MAX_REPEATS = 32
"""Assignments and errors one order may have. Half of what a timeline holds, so that they never
crowd it out."""


def took_place(order: Order, event: OrderEvent, now: Ms, world: World) -> Taken:
    """Takes an event into the timeline, or returns the order as it was with a rejection."""
    if event.ts > now + world.limit_ms:
        return _refused(order, event, Reason.CLOCK_FUTURE, f"which is {event.ts - now} ms ahead")
    if CODES[type(event)] not in TRANSITIONS[order.stage] and event.ts > order.stage_at:
        return _refused(order, event, Reason.ALREADY_ENDED, f"{order.stage} at {order.stage_at}")
    match event:
        case Assigned():
            return _assigned(order, event, now)
        case Failed():
            return _failed(order, event, now)
        case Signed() | Cancelled() | Returned():
            return _ended(order, event, now)
        case _:
            return _reached(order, event, now)


def _reached(order: Order, event: OrderEvent, now: Ms) -> Taken:
    held = latest(order.milestones, CODES[type(event)])
    if held is not None and held.occurred_at <= event.ts:
        return _reached_before(order, event, held)
    return record(order, _milestone(order, event, now, held)), ()


def _ended(order: Order, event: OrderEvent, now: Ms) -> Taken:
    code = CODES[type(event)]
    held = latest(order.milestones, *END_CODES)
    if held is not None:
        if held.code is code and held.occurred_at <= event.ts:
            return _reached_before(order, event, held)
        if _precedence(held) < (event.ts, END_CODES.index(code)):
            return _refused(
                order, event, Reason.ALREADY_ENDED, f"{order.stage} at {order.stage_at}"
            )
    order = record(order, _milestone(order, event, now, held))
    return _taken_back_after(order, event.ts, spared=order.next_sequence - 1)


def _failed(order: Order, event: Failed, now: Ms) -> Taken:
    identity = f"e:{event.event_id or event.ts}"
    refused = _repeated(order, event, identity)
    if refused is not None:
        return refused
    new = replace(_milestone(order, event, now, None), evidence=event.error)
    return replace(record(order, new), identities=(*order.identities, identity)), ()


def _assigned(order: Order, event: Assigned, now: Ms) -> Taken:
    identity = f"a:{event.event_id or event.ts}"
    refused = _repeated(order, event, identity)
    if refused is not None:
        return refused
    given = (*order.assignments, Assignment(event.ts, event.vehicle_id, stops=event.stops))
    order = replace(
        order,
        assignments=tuple(sorted(given, key=lambda a: (a.ts, a.vehicle_id))),
        identities=(*order.identities, identity),
    )
    return _with_handovers(order, now), ()


def _with_handovers(order: Order, now: Ms) -> Order:
    """Gives each change of vehicle its milestone, and none to new stops for the same vehicle.

    One assignment put between two others moves at most one change, of its own vehicle, to an
    earlier time: the milestone of that change is superseded.
    """
    assignments = list(order.assignments)
    moved: int | None = None
    for place, (before, after) in enumerate(pairwise(order.assignments), start=1):
        if after.vehicle_id == before.vehicle_id and after.sequence:
            moved = after.sequence
            assignments[place] = replace(after, sequence=0)
    for place, given in enumerate(assignments):
        changed = place == 0 or assignments[place - 1].vehicle_id != given.vehicle_id
        if changed and not given.sequence:
            assignments[place] = replace(given, sequence=order.next_sequence)
            order = record(order, _handover(order, given, now, moved))
            moved = None
    return replace(order, assignments=tuple(assignments))


def _handover(order: Order, given: Assignment, now: Ms, supersedes: int | None) -> Milestone:
    return Milestone(
        sequence=order.next_sequence,
        code=CODES[Assigned],
        occurred_at=given.ts,
        reported_at=now,
        source=EVENT,
        vehicle_id=given.vehicle_id,
        supersedes=supersedes,
    )


def _taken_back_after(order: Order, end: Ms, spared: int) -> Taken:
    """Takes back what is dated after the end and came before it; each piece is told as refused.

    A departure may follow the end, where the visit it belongs to began before.
    """
    if _newest(order) <= end:
        return order, ()
    void_stays = [s for s in order.stays if s.arrived_at > end]
    void = {sequence for s in void_stays for sequence in (s.arrived, s.departed)}
    void |= {m.sequence for m in standing_events(order.milestones) if m.occurred_at > end}
    void -= {spared}
    late = [(m.code, m.occurred_at) for m in order.milestones if m.sequence in void]
    # Those that only gave new stops have no milestone, and would still give the order its vehicle.
    late += [(CODES[Assigned], a.ts) for a in order.assignments if a.ts > end and not a.sequence]
    kept = [replace(s, arrived=0, departed=0) if s in void_stays else s for s in order.stays]
    order = replace(
        take_back(order, void),
        assignments=tuple(a for a in order.assignments if a.ts <= end),
        stays=tuple(kept),
    )
    return order, tuple(
        Rejected(Reason.ALREADY_ENDED, f"{code} at {at}: taken back, ended at {end}")
        for code, at in late
    )


def _newest(order: Order) -> Ms:
    """The latest time of anything a timeline that is not empty holds."""
    visited = order.stays[-1].arrived_at if order.stays else 0
    given = order.assignments[-1].ts if order.assignments else 0
    return max(order.milestones[-1].occurred_at, visited, given)


def _precedence(end: Milestone) -> tuple[Ms, int]:
    return end.occurred_at, END_CODES.index(end.code)


def _milestone(order: Order, event: OrderEvent, now: Ms, held: Milestone | None) -> Milestone:
    return Milestone(
        sequence=order.next_sequence,
        code=CODES[type(event)],
        occurred_at=event.ts,
        reported_at=now,
        source=EVENT,
        supersedes=held.sequence if held else None,
    )


def _repeated(order: Order, event: Assigned | Failed, identity: str) -> Taken | None:
    if identity in order.identities:
        return _refused(order, event, Reason.DUPLICATE, f"we hold {identity}")
    if len(order.identities) >= MAX_REPEATS:
        detail = f"the order has {MAX_REPEATS} assignments and errors"
        return _refused(order, event, Reason.TOO_MANY, detail)
    return None


def _reached_before(order: Order, event: OrderEvent, held: Milestone) -> Taken:
    same = held.occurred_at == event.ts
    reason = Reason.DUPLICATE if same else Reason.ALREADY_REACHED
    return _refused(order, event, reason, f"{held.code} at {held.occurred_at}")


def _refused(order: Order, event: OrderEvent, reason: Reason, because: str) -> Taken:
    name = event.__struct_config__.tag
    return order, (Rejected(reason, f"order {order.order_id}: {name} at {event.ts}: {because}"),)
