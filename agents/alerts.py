"""The alerts agent: signals in, alerts out."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from alerts import watch
from alerts.model import Alert, Reason, Rule, State
from alerts.order_watch import OrderWatch
from alerts.rules import World
from alerts.watch import Watch, current
from geo.model import Ms
from orders.model import Signal
from stream import topics
from stream.metrics import Cells
from stream.role import Input, Live, Role, Sender
from stream.wire import decode_signals

WORLD = World()
OPEN = (State.PENDING, State.FIRING, State.RECOVERING)


def _signal_time(signal: Signal) -> Ms:
    return signal.reported_at


def _world(live: Live) -> World:
    return WORLD


def _publish(fact: Alert, out: Sender) -> None:
    out.answer(topics.ALERT_EVENTS, fact.alert_id, fact, open=fact.state in OPEN)


def _current(state: Watch, now: Ms) -> Iterable[tuple[str, Alert, bool]]:
    for alert in current(state, now):
        yield alert.alert_id, alert, alert.state in OPEN


def _census(state: Watch) -> Iterable[tuple[str, ...]]:
    if isinstance(state, OrderWatch):
        yield "alerts", Rule.LEAD_TIME, state.lead.state
        yield "alerts", Rule.FRESHNESS, state.fresh.state
    else:
        yield "alerts", Rule.ERROR_RATE, state.life.state


def _measure(fact: Alert, cells: Cells) -> None:
    cells.count("alert_transitions", fact.rule, fact.state)


ALERTS = Role(
    name="alerts",
    core=watch,
    state=Watch,
    state_topic=topics.ALERT_STATE,
    # Outcomes older than the longest window come with every backfill; the order topics have them.
    inputs={
        topics.SIGNALS: Input(
            decode_signals, _signal_time, "signals", unkept=frozenset({Reason.LATE_OUTCOME})
        )
    },
    key=attrgetter("scope"),
    world=_world,
    publish=_publish,
    facts=(Alert,),
    reasons=Reason,
    counters=(
        *(("alert_transitions", rule, state) for rule in Rule for state in State),
        *(("alerts", rule, state) for rule in Rule for state in State),
    ),
    interval_s=0.25,
    shows="alert",
    current=_current,
    census=_census,
    measure=_measure,
)
