"""The alerts core: signals of one scope in, alerts out.

A step first does whatever was due up to its `now`, one deadline after the other, and then takes its
signal; a wake does only the former. So states and alerts do not depend on when, or whether, anybody
woke us in between: only `reported_at` does, and of the repetitions missed in one go the last alone
is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from alerts.model import Alert, Reason
from alerts.notice import Moment, without_missed_repeats
from alerts.order_watch import (
    OrderWatch,
    order_current,
    order_due,
    order_elapse,
    order_is_blank,
    order_take,
)
from alerts.rules import WORLD, World
from alerts.stage_watch import (
    StageWatch,
    new_stage,
    stage_current,
    stage_due,
    stage_elapse,
    stage_is_blank,
    stage_take,
)
from geo.model import Ms, Rejected
from orders.model import Outcome, Signal

Watch = OrderWatch | StageWatch
Fact = Alert | Rejected

ORDER_SCOPE = "order:"
STAGE_SCOPE = "stage:"


def step(
    state: Watch | None, event: Signal, now: Ms, world: World
) -> tuple[Watch | None, Sequence[Fact]]:
    """Takes one signal; `state` None means that the scope is unknown."""
    wanted = STAGE_SCOPE if isinstance(event, Outcome) else ORDER_SCOPE
    if not event.scope.startswith(wanted) or (state is not None and state.scope != event.scope):
        owner = "" if state is None else f" and came to {state.scope}"
        detail = f"{event.scope} is no {wanted} scope{owner}"
        return state, (Rejected(Reason.WRONG_SCOPE, detail),)
    passed: Sequence[Fact] = ()
    if state is not None:
        state, passed = wake(state, now, world)
    state, facts = _taken(state, event, now, world)
    return state, (*passed, *facts) if passed else facts


def next_wake(state: Watch) -> Ms | None:
    """When the next deadline is; never in the past of the last step or wake."""
    return order_due(state) if isinstance(state, OrderWatch) else stage_due(state)


def wake(state: Watch, now: Ms, world: World) -> tuple[Watch | None, Sequence[Fact]]:
    """Does all that was due up to `now`."""
    left: Watch | None = state
    facts: list[Alert] = []
    while left is not None and (at := next_wake(left)) is not None and at <= now:
        left, made = _elapsed(left, Moment(at, now), world)
        facts.extend(made)
    return left, without_missed_repeats(facts) if facts else ()


def current(state: Watch, now: Ms, world: World = WORLD) -> tuple[Alert, ...]:
    """The alerts of a scope that are up or just over, to show again what a sink has lost."""
    if isinstance(state, OrderWatch):
        return order_current(state, now, world)
    return stage_current(state, now, world)


def _elapsed(state: Watch, moment: Moment, world: World) -> tuple[Watch | None, tuple[Alert, ...]]:
    if isinstance(state, OrderWatch):
        return order_elapse(state, moment, world)
    return stage_elapse(state, moment, world)


def _taken(
    state: Watch | None, event: Signal, now: int, world: World
) -> tuple[Watch | None, Sequence[Fact]]:
    if isinstance(event, Outcome):
        stage = state if isinstance(state, StageWatch) else new_stage(event.scope, now)
        stage, facts = stage_take(stage, event, now, world)
        return (None if stage_is_blank(stage) else stage), facts
    order = state if isinstance(state, OrderWatch) else OrderWatch(event.scope)
    order, facts = order_take(order, event, now, world)
    return (None if order_is_blank(order) else order), facts
