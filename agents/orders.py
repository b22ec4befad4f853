"""The orders agent: order events, visits and sightings in; status, plans and signals out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import get_args

from geo.model import Ms, Sighting, VehiclePlan, Visit
from orders import order
from orders.lifecycle import ENDS, ROAD, Reason
from orders.model import Age, OrderEvent, OrderFact, OrderStatus, Outcome, Signal, Stage
from orders.state import Order, World, status_of
from stream import topics
from stream.metrics import Cells
from stream.role import Input, Live, Role, Sender
from stream.wire import decode_facts, decode_orders

PROMISED = (Age.FRESH, Age.DEVICE_SILENT, Age.PARKED, Age.NO_VEHICLE, Age.FEED_LAG, Age.OUR_LAG)
"""Ages of orders that have a freshness promise; the others are not due or over."""


FEED_ORDERS = 20
"""Orders under way that a partition needs before their common silence is blamed on the feed: one
silent truck is no outage. The size from which research/alerting.md A.4 speaks of an incident."""

OVERTAKEN = frozenset({Reason.DUPLICATE, Reason.STALE, Reason.OTHER_VEHICLE, Reason.ALREADY_ENDED})
"""Our own facts that crossed with the end of the order, its hand-over or a newer fact: expected."""


def _event_time(event: OrderEvent) -> Ms:
    return event.ts


def _fact_time(fact: Visit | Sighting) -> Ms:
    return fact.ts if isinstance(fact, Sighting) else fact.reported_at


def _world(live: Live) -> World:
    several = _promised(live.census) >= FEED_ORDERS
    feed_at = live.newest.get(topics.ORDER_FACTS) if several else None
    return World(feed_at=feed_at, lag_ms=live.lag_ms)


def _promised(census: Mapping[tuple[str, ...], int]) -> int:
    return sum(census.get(("orders", age), 0) for age in PROMISED)


def _publish(fact: OrderFact, out: Sender) -> None:
    if isinstance(fact, OrderStatus):
        out.answer(topics.ORDER_STATUS, fact.order_id, fact, open=fact.stage not in ENDS)
    elif isinstance(fact, VehiclePlan):
        out.send(topics.PLANS, fact.vehicle_id, fact)
    else:
        out.send(topics.SIGNALS, fact.scope, fact)  # type: ignore[union-attr]


def _current(state: Order, now: Ms) -> Iterable[tuple[str, OrderStatus, bool]]:
    yield state.order_id, status_of(state, now), state.stage not in ENDS


def _census(state: Order) -> Iterable[tuple[str, ...]]:
    if state.stage not in ENDS:
        yield "orders", state.age


def _measure(fact: OrderFact, cells: Cells) -> None:
    if isinstance(fact, Outcome):
        cells.count("order_outcomes", fact.stage, "ok" if fact.ok else "error")
    elif (
        isinstance(fact, OrderStatus)
        and fact.stage is Stage.SIGNED
        and fact.received_at is not None
    ):
        cells.observe("order_lead_time_seconds", (fact.stage_at - fact.received_at) / 1000)


def _tick(census: Mapping[tuple[str, ...], int], seconds: float, cells: Cells) -> None:
    promised = _promised(census)
    stale = promised - census.get(("orders", Age.FRESH), 0)
    cells.count("freshness_active_order_seconds", by=promised * seconds)
    cells.count("freshness_stale_order_seconds", by=stale * seconds)


ORDERS: Role = Role(
    name="orders",
    core=order,
    state=Order,
    state_topic=topics.ORDER_STATE,
    inputs={
        topics.ORDER_EVENTS: Input(
            decode_orders, _event_time, "order_events", unkept=frozenset({Reason.DUPLICATE})
        ),
        topics.ORDER_FACTS: Input(decode_facts, _fact_time, "order_facts", unkept=OVERTAKEN),
    },
    key=attrgetter("order_id"),
    world=_world,
    publish=_publish,
    facts=(OrderStatus, VehiclePlan, *get_args(Signal)),
    reasons=Reason,
    counters=(
        *(("orders", age) for age in Age),
        *(("order_outcomes", stage, outcome) for stage in ROAD for outcome in ("ok", "error")),
        ("order_lead_time_seconds",),
        ("freshness_active_order_seconds",),
        ("freshness_stale_order_seconds",),
    ),
    interval_s=0.25,
    shows="order",
    current=_current,
    census=_census,
    measure=_measure,
    tick=_tick,
    wakes_when_late=True,
)
