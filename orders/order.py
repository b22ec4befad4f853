"""One order: events, visits and sightings in; status, plans, signals and rejections out.

`step` takes the input into the timeline, lets `progressed` work out what follows from the timeline,
and tells the difference to before. What takes an input tells only refusals: a late event that
changes little and an end that takes back much go the same way, and a status is made when, and only
when, the status itself differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from geo.model import Ms, Rejected, Sighting, VehiclePlan, Visit
from orders.events import took_place
from orders.freshness import OLD, age_at_step, age_at_wake, deadline, known_at
from orders.lifecycle import ENDS, Reason
from orders.model import (
    Age,
    Aged,
    Assigned,
    Closed,
    Opened,
    OrderEvent,
    OrderFact,
    OrderInput,
    Signal,
)
from orders.progress import progressed
from orders.sightings import called, sighted
from orders.state import Order, World, ended_at, status_of


def step(
    state: Order | None, event: OrderInput, now: Ms, world: World
) -> tuple[Order | None, Sequence[OrderFact]]:
    """Takes one input; `state` None means the order is unknown."""
    match event:
        case Sighting() | Visit():
            if state is None:
                detail = f"{event.vehicle_id} has a plan of an order we hold nothing of"
                return None, (Rejected(Reason.UNKNOWN_ORDER, detail),)
            return _reported(state, event, now, world)
        case _:
            return _happened(state, event, now, world)


def next_wake(state: Order) -> Ms | None:
    """When the order turns old, its age is to be looked at again, or, ended, it is to be
    forgotten."""
    return state.wake_at


def wake(state: Order, now: Ms, world: World) -> tuple[Order | None, Sequence[OrderFact]]:
    """Tells an order old at its deadline, or why it still is; forgets an ended one."""
    if state.wake_at is None or now < state.wake_at:
        return state, ()
    if state.stage in ENDS:
        return None, ()
    age = age_at_wake(state, now, world)
    after = replace(state, age=age, wake_at=now + world.limit_ms)
    if age is state.age:
        return after, ()
    aged = Aged(state.scope, deadline(state, world), now, age)
    return after, (aged, status_of(after, now))


def _reported(
    before: Order, event: Visit | Sighting, now: Ms, world: World
) -> tuple[Order, Sequence[OrderFact]]:
    if isinstance(event, Visit):
        after, refused = called(before, event, now)
    else:
        after, refused = sighted(before, event)
    if after is before:
        return before, refused
    after = _timed(before, after, now, world)
    return after, (*refused, *_aged(before, after, now, world), *_shown(before, after, now))


def _happened(
    state: Order | None, event: OrderEvent, now: Ms, world: World
) -> tuple[Order | None, Sequence[OrderFact]]:
    before = state or Order(event.order_id)
    after, refused = took_place(before, event, now, world)
    if after is before:
        return state, refused
    after, outcomes = progressed(before, after, event, now)
    after = _timed(before, after, now, world)
    return after, (
        *refused,
        *_plans(before, after, event),
        *_lead_time(before, after, now),
        *outcomes,
        *_aged(before, after, now, world),
        *_shown(before, after, now),
    )


def _timed(before: Order, after: Order, now: Ms, world: World) -> Order:
    age, wake_at = age_at_step(before, after, now, world)
    return replace(after, age=age, wake_at=wake_at)


def _lead_time(before: Order, after: Order, now: Ms) -> Iterator[Signal]:
    """Opens with the first event of any kind, so that the loss of `received` hides no order.

    A beginning or an end that proves to be another is told again; once an order has ended, both
    together, since whoever watched it may have forgotten it.
    """
    begins = not before.milestones or after.opened_at != before.opened_at
    if not begins and after.stage not in ENDS:
        return
    was, ended = ended_at(before), ended_at(after)
    ends = ended is not None and (before.stage, was) != (after.stage, ended)
    if begins or (ends and was is not None):
        yield Opened(after.scope, after.opened_at, now)
    if ended is not None and (begins or ends):
        yield Closed(after.scope, ended, now, after.stage)


def _plans(before: Order, after: Order, event: OrderEvent) -> Iterator[VehiclePlan]:
    """Gives the newest assignment's stops to its vehicle; takes the claim from a vehicle that lost
    the order."""
    held = before.assignments[-1] if before.assignments else None
    ended = ended_at(after)
    if ended is not None:
        if held is not None and ended_at(before) is None:
            # Dated not before the assignment it ends, even where the end itself is.
            yield VehiclePlan(held.vehicle_id, max(ended, held.ts), (), after.order_id)
        return
    if not isinstance(event, Assigned):
        return
    newest = after.assignments[-1]
    if (newest.ts, newest.vehicle_id) != (event.ts, event.vehicle_id):
        return
    if held is not None and held.vehicle_id != event.vehicle_id:
        yield VehiclePlan(held.vehicle_id, event.ts, (), after.order_id)
    yield VehiclePlan(event.vehicle_id, event.ts, event.stops, after.order_id)


def _aged(before: Order, after: Order, now: Ms, world: World) -> Iterator[Aged]:
    """Told when an order turns old or fresh, and when the reason why it is old becomes another."""
    if after.age is before.age:
        return
    if after.age in OLD:
        yield Aged(after.scope, deadline(after, world), now, after.age)
    elif after.age is Age.FRESH and before.age in OLD:
        yield Aged(after.scope, known_at(after), now, Age.FRESH)


def _shown(before: Order, after: Order, now: Ms) -> Iterator[OrderFact]:
    status = status_of(after, now)
    # Most that is shown anew has a new milestone, which is cheaper to see than a whole status.
    if after.milestones != before.milestones or status != status_of(before, now):
        yield status
