"""The lifecycle of an order, as one table.

How this works. Order systems tell us of the same order from several places, so events come late,
doubled, reordered, or never. The stage is therefore not moved by arrivals. Every event the table
allows leaves a milestone dated by its own `ts`, and the stage is *replayed* from the milestones, in
event-time order, through `TRANSITIONS`. Whatever order the events arrived in, the same milestones
give the same stage: order independence is not a property we defend case by case, it is the shape of
the computation.

Rules the table and the replay together make:

- A cell that names the row's own stage keeps the stage and still dates the milestone: a late
  `reviewed` fills its place in the timeline of an order long in transit, and a hand-over to another
  vehicle interrupts no transit.
- A stage may be reached past missing ones (first event `assigned`, or `signed` without
  `in_transit`): refusing it would hide what happened for want of a message. Where even `received`
  is missing the row RECEIVED is assumed, since an order that anyone speaks of was received; the
  milestone stays absent until the event comes.
- Each stage is reached once, at the earliest time any event gives: a second `reviewed` is refused
  when later, and corrects (a new sequence that supersedes) when earlier.
- The rows of the ends are empty. An order ends once, at its earliest end by event time; what is
  dated after it is refused, or taken back if it had come first, as punctual input would have had
  it. What is dated before the end and arrives after it still fills its milestone. Alternative
  rejected: the end that *arrives* first wins. It spares a change of a shown end, and makes the
  answer a matter of network luck.

What cannot be independent of arrival: two different events under one identity (the first stands),
what exceeds a bound (`TOO_MANY`), visits against assignments not yet heard of, and signals already
sent (they are never unsent).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from geo.model import Ms
from orders.model import (
    Assigned,
    Cancelled,
    Code,
    Failed,
    InTransit,
    Milestone,
    OrderEvent,
    Outbound,
    Received,
    Returned,
    Reviewed,
    Signed,
    Stage,
)


class Reason(StrEnum):
    """Why an input about an order was not taken; also a metric label."""

    DUPLICATE = "duplicate"
    """We hold this very event, visit or sighting."""
    ALREADY_REACHED = "already_reached"
    """The stage was reached earlier than this event says."""
    ALREADY_ENDED = "already_ended"
    """It happened after the order's end."""
    STALE = "stale"
    """We hold a newer version of the same visit, or a newer position."""
    OTHER_VEHICLE = "other_vehicle"
    """That vehicle did not carry the order then."""
    UNKNOWN_ORDER = "unknown_order"
    """A visit or sighting of an order we hold nothing of."""
    FLEET_SITE = "fleet_site"
    """A visit to a place that belongs to no order."""
    CLOCK_FUTURE = "clock_future"
    """Dated further ahead of its arrival than any honest clock is wrong."""
    TOO_MANY = "too_many"
    """More assignments and errors than an order may have: a producer in a loop."""


ROAD = (
    Stage.RECEIVED,
    Stage.REVIEWED,
    Stage.ASSIGNED,
    Stage.OUTBOUND,
    Stage.IN_TRANSIT,
    Stage.SIGNED,
)
"""The good way, in order. An end off this road (cancelled, returned) completes no stage."""

CODES: dict[type[OrderEvent], Code] = {
    Received: Code.ORDER_ACCEPTED,
    Reviewed: Code.ORDER_REVIEWED,
    Assigned: Code.VEHICLE_ASSIGNED,
    Outbound: Code.OUTBOUND,
    InTransit: Code.IN_TRANSIT,
    Signed: Code.DELIVERED,
    Cancelled: Code.CANCELLED,
    Returned: Code.RETURNED,
    Failed: Code.ATTEMPT_FAILED,
}
"""The milestone each event leaves, and so its column in the table."""

TRANSITIONS: dict[Stage, dict[Code, Stage]] = {
    Stage.RECEIVED: {
        Code.ORDER_ACCEPTED: Stage.RECEIVED,
        Code.ORDER_REVIEWED: Stage.REVIEWED,
        Code.VEHICLE_ASSIGNED: Stage.ASSIGNED,
        Code.OUTBOUND: Stage.OUTBOUND,
        Code.IN_TRANSIT: Stage.IN_TRANSIT,
        Code.DELIVERED: Stage.SIGNED,
        Code.CANCELLED: Stage.CANCELLED,
        Code.RETURNED: Stage.RETURNED,
        Code.ATTEMPT_FAILED: Stage.RECEIVED,
    },
    Stage.REVIEWED: {
        Code.ORDER_ACCEPTED: Stage.REVIEWED,
        Code.ORDER_REVIEWED: Stage.REVIEWED,
        Code.VEHICLE_ASSIGNED: Stage.ASSIGNED,
        Code.OUTBOUND: Stage.OUTBOUND,
        Code.IN_TRANSIT: Stage.IN_TRANSIT,
        Code.DELIVERED: Stage.SIGNED,
        Code.CANCELLED: Stage.CANCELLED,
        Code.RETURNED: Stage.RETURNED,
        Code.ATTEMPT_FAILED: Stage.REVIEWED,
    },
    Stage.ASSIGNED: {
        Code.ORDER_ACCEPTED: Stage.ASSIGNED,
        Code.ORDER_REVIEWED: Stage.ASSIGNED,
        Code.VEHICLE_ASSIGNED: Stage.ASSIGNED,
        Code.OUTBOUND: Stage.OUTBOUND,
        Code.IN_TRANSIT: Stage.IN_TRANSIT,
        Code.DELIVERED: Stage.SIGNED,
        Code.CANCELLED: Stage.CANCELLED,
        Code.RETURNED: Stage.RETURNED,
        Code.ATTEMPT_FAILED: Stage.ASSIGNED,
    },
    Stage.OUTBOUND: {
        Code.ORDER_ACCEPTED: Stage.OUTBOUND,
        Code.ORDER_REVIEWED: Stage.OUTBOUND,
        Code.VEHICLE_ASSIGNED: Stage.OUTBOUND,
        Code.OUTBOUND: Stage.OUTBOUND,
        Code.IN_TRANSIT: Stage.IN_TRANSIT,
        Code.DELIVERED: Stage.SIGNED,
        Code.CANCELLED: Stage.CANCELLED,
        Code.RETURNED: Stage.RETURNED,
        Code.ATTEMPT_FAILED: Stage.OUTBOUND,
    },
    Stage.IN_TRANSIT: {
        Code.ORDER_ACCEPTED: Stage.IN_TRANSIT,
        Code.ORDER_REVIEWED: Stage.IN_TRANSIT,
        Code.VEHICLE_ASSIGNED: Stage.IN_TRANSIT,
        Code.OUTBOUND: Stage.IN_TRANSIT,
        Code.IN_TRANSIT: Stage.IN_TRANSIT,
        Code.DELIVERED: Stage.SIGNED,
        Code.CANCELLED: Stage.CANCELLED,
        Code.RETURNED: Stage.RETURNED,
        Code.ATTEMPT_FAILED: Stage.IN_TRANSIT,
    },
    Stage.SIGNED: {},
    Stage.CANCELLED: {},
    Stage.RETURNED: {},
}

ENDS = frozenset(stage for stage, row in TRANSITIONS.items() if not row)

END_CODES = (Code.DELIVERED, Code.RETURNED, Code.CANCELLED)
"""Of two ends at the same instant the first here stands: what was done to the goods beats what was
written."""

RANK = {stage: rank for rank, stage in enumerate(ROAD)}

STAGE_OF: dict[Code, Stage] = {
    code: TRANSITIONS[Stage.RECEIVED][code]
    for code in CODES.values()
    if code is not Code.ATTEMPT_FAILED
}
"""The stage a lifecycle milestone stands for; the other codes stand for none."""


class Progress(NamedTuple):
    """What the lifecycle milestones of one order say together."""

    stage: Stage
    stage_at: Ms
    opened_at: Ms
    """When the order was received; until we are told, the earliest thing we know of it."""
    reached: dict[Stage, Ms]
    """When each stage was reached; missing stages are missing."""
    errors: int
    last_error: str


def replay(lived: Sequence[Milestone]) -> Progress:
    """Takes an order's standing event milestones, at least one and by time, through the table."""
    stage, since, end = Stage.RECEIVED, None, None
    reached: dict[Stage, Ms] = {}
    errors: list[tuple[Ms, str]] = []
    for milestone in lived:
        code, at = milestone.code, milestone.occurred_at
        entered = STAGE_OF.get(code)
        if entered is None:
            errors.append((at, milestone.evidence))
        elif entered not in reached:
            reached[entered] = at
        if entered in ENDS:
            # Held back: at its own instant it may stand before a milestone that it follows.
            end = milestone
        elif (moved := TRANSITIONS[stage][code]) is not stage:
            stage, since = moved, at
    if end is not None:
        stage, since = TRANSITIONS[stage][end.code], end.occurred_at
    opened_at = reached.get(Stage.RECEIVED, lived[0].occurred_at)
    since = opened_at if since is None else since
    last_error = max(errors)[1] if errors else ""
    return Progress(stage, since, opened_at, reached, len(errors), last_error)


def stage_on(reached: dict[Stage, Ms], ts: Ms) -> Stage:
    """The stage an order was in at `ts`, as far as is known."""
    passed = [stage for stage, at in reached.items() if at <= ts and stage not in ENDS]
    return max(passed, key=RANK.__getitem__, default=Stage.RECEIVED)
