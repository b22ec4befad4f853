"""What follows from a timeline that took an event: stage, errors, and which stages' attempts ended.

How this works. `replayed` takes the whole timeline through the table again, whatever the event did
to it. Nearly every event is an ordinary one, though: newest of all, and onward in the table. What
follows from that one milestone is then known without the others, and `onward` says it in a fraction
of the time. It is a shortcut, not a second rule: a property in tests/orders/test_progress.py holds
both to the same answer.
"""

from __future__ import annotations

from itertools import pairwise

from msgspec.structs import replace

from geo.model import Ms
from orders.lifecycle import RANK, ROAD, TRANSITIONS, Progress, replay, stage_on
from orders.milestones import standing_events
from orders.model import Failed, OrderEvent, Outcome, Stage
from orders.state import Order

STAGE_SCOPES = {stage: f"stage:{stage}" for stage in ROAD}
"""The names under which `alerts` follows the stages."""

DUE = (Stage.OUTBOUND, Stage.IN_TRANSIT)
"""Stages from which on positions are due."""

Progressed = tuple[Order, list[Outcome]]


def progressed(before: Order, after: Order, event: OrderEvent, now: Ms) -> Progressed:
    """The order with all that follows from its timeline, which took `event` since `before`."""
    return onward(before, after, now) or replayed(before, after, event, now)


def onward(before: Order, after: Order, now: Ms) -> Progressed | None:
    """The answer for an ordinary event; None: the timeline took another kind of change."""
    milestones, held = after.milestones, before.milestones
    # Not one more: something was taken back, or dropped for room.
    if not held or len(milestones) != len(held) + 1:
        return None
    newest = milestones[-1]
    stage = TRANSITIONS[before.stage].get(newest.code, before.stage)
    # All that was held has moved the stage already: what moves it now is new, and corrects nothing.
    if stage is before.stage:
        return None
    at = newest.occurred_at
    due_at = at if before.due_at is None and stage in DUE else before.due_at
    after = _seen_by_its_vehicle(before, replace(after, stage=stage, stage_at=at, due_at=due_at))
    # RECEIVED may be assumed only; every other stage an order is in was reached.
    left = before.stage is not Stage.RECEIVED or before.received_at is not None
    if not left or stage not in RANK:
        return after, []
    after, outcome = _attempt_ended(after, before.stage, at, now, None)
    return after, [outcome]


def replayed(before: Order, after: Order, event: OrderEvent, now: Ms) -> Progressed:
    """The answer for any event."""
    progress = replay(standing_events(after.milestones))
    return _with_outcomes(_settled(before, after, progress), progress, event, now)


def _settled(before: Order, after: Order, progress: Progress) -> Order:
    reached = progress.reached
    settled = replace(
        after,
        stage=progress.stage,
        stage_at=progress.stage_at,
        opened_at=progress.opened_at,
        received_at=reached.get(Stage.RECEIVED),
        errors=progress.errors,
        last_error=progress.last_error,
        due_at=min([reached[stage] for stage in DUE if stage in reached], default=None),
    )
    return _seen_by_its_vehicle(before, settled)


def _seen_by_its_vehicle(before: Order, after: Order) -> Order:
    """A position of another vehicle is none of this order's."""
    if after.vehicle_id == before.vehicle_id:
        return after
    return replace(after, seen=None, standing=False)


def _with_outcomes(order: Order, progress: Progress, event: OrderEvent, now: Ms) -> Progressed:
    """Tells the attempt that failed, and once for each stage of the road that a later one was
    reached."""
    reached, told = progress.reached, []
    if isinstance(event, Failed):
        order, failure = _attempt_ended(
            order, stage_on(reached, event.ts), event.ts, now, event.error
        )
        told.append(failure)
    for stage, following in pairwise([stage for stage in ROAD if stage in reached]):
        if not order.passed >> RANK[stage] & 1:
            order, success = _attempt_ended(order, stage, reached[following], now, None)
            told.append(success)
    return order, told


def _attempt_ended(
    order: Order, stage: Stage, ts: Ms, now: Ms, error: str | None
) -> tuple[Order, Outcome]:
    """Counts an attempt at a stage of the road and tells its end; `error` None: a good one."""
    rank, ok = RANK[stage], error is None
    attempts = list(order.attempts)
    attempts[rank] += 1
    passed = order.passed | 1 << rank if ok else order.passed
    told = Outcome(
        STAGE_SCOPES[stage], ts, now, order.order_id, stage, attempts[rank], ok, error or ""
    )
    return replace(order, attempts=tuple(attempts), passed=passed), told
