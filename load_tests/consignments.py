"""What the order system says about a tour's orders: every event of every order, in time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from geo.model import Stop
from load_tests.faults import Faults
from load_tests.fleet import MIN_MS, Call, Consignment, Fate, Tour
from orders.model import (
    Assigned,
    Cancelled,
    Failed,
    InTransit,
    OrderEvent,
    Outbound,
    Received,
    Returned,
    Reviewed,
    Signed,
    Stage,
)

SOURCE = "simulator"
ERRORS = {
    Stage.RECEIVED: ("address", "duplicate_order", "credit"),
    Stage.REVIEWED: ("no_vehicle", "no_slot"),
    Stage.ASSIGNED: ("short_stock", "damaged"),
    Stage.OUTBOUND: ("paperwork",),
    Stage.IN_TRANSIT: ("refused", "nobody_home", "address"),
}
"""What goes wrong while an order is in a stage, on its way to the next."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One vehicle's tour; since when its orders could come in, and since when they can be given to
    the vehicle.

    Orders are assigned when the tour before has nothing left to call at: a vehicle that loads for
    one tour must not seem to arrive at the pickup of the next.
    """

    vehicle_id: str
    tour: Tour
    open_from: int
    assign_from: int


def order_events(
    rng: random.Random, shift: Shift, order: Consignment, received: int | None, faults: Faults
) -> Iterator[OrderEvent]:
    """The order's events in time; `received` None draws when it came in."""
    start = shift.tour.start
    if received is None:
        received = int(shift.open_from + rng.uniform(0.0, 0.75) * (start - shift.open_from))
    reviewed = received + int(min(rng.uniform(2, 12) * MIN_MS, (start - received) * 0.4))
    planned = max(reviewed, shift.assign_from)
    assigned = planned + int(rng.uniform(0.1, 0.8) * min(start - planned, 60 * MIN_MS))
    ended = int(rng.uniform(reviewed, start))
    road: list[OrderEvent] = [
        Received(order_id=order.order_id, ts=received, source=SOURCE),
        Reviewed(order_id=order.order_id, ts=reviewed, source=SOURCE),
        Assigned(
            order_id=order.order_id,
            ts=assigned,
            source=SOURCE,
            vehicle_id=shift.vehicle_id,
            stops=_stops(shift.tour, order),
        ),
        *_on_the_road(rng, shift.tour, order),
    ]
    if order.fate is Fate.CANCELLED:
        road = [event for event in road if event.ts < ended]
        road.append(Cancelled(order_id=order.order_id, ts=ended, source=SOURCE))
    yield from _with_errors(rng, road, faults)


def _stops(tour: Tour, order: Consignment) -> tuple[Stop, ...]:
    hub = (tour.hub.stop,) if tour.hub else ()
    return (tour.pickup.stop, *hub, order.delivery)


def _on_the_road(rng: random.Random, tour: Tour, order: Consignment) -> Iterator[OrderEvent]:
    delivery = tour.deliveries.get(order.order_id)
    if delivery is None:
        return
    order_id, left = order.order_id, tour.pickup.leave
    yield Outbound(order_id=order_id, ts=_during(rng, tour.pickup), source=SOURCE)
    yield InTransit(order_id=order_id, ts=left + int(rng.uniform(1, 20) * 1000), source=SOURCE)
    end = Returned if order.fate is Fate.RETURNED else Signed
    yield end(order_id=order_id, ts=_during(rng, delivery), source=SOURCE)


def _during(rng: random.Random, call: Call) -> int:
    return call.arrive + int(rng.uniform(0.5, 0.9) * (call.leave - call.arrive))


def _with_errors(
    rng: random.Random, road: list[OrderEvent], faults: Faults
) -> Iterator[OrderEvent]:
    """Before a stage is left, an attempt may fail. Draws are made either way: rates do not move
    the fleet.
    """
    for event, following in zip(road, [*road[1:], None], strict=True):
        yield event
        chance, share, choice = rng.random(), rng.uniform(0.3, 0.9), rng.random()
        stage = _STAGE_OF.get(type(event))
        if following is None or stage is None or isinstance(following, Cancelled):
            continue
        ts = int(event.ts + share * (following.ts - event.ts))
        if chance < faults.error_rate_at(stage, ts) or isinstance(following, Returned):
            kinds = ERRORS[stage]
            error = kinds[int(choice * len(kinds))]
            yield Failed(order_id=event.order_id, ts=ts, source=SOURCE, error=error)


_STAGE_OF: dict[type, Stage] = {
    Received: Stage.RECEIVED,
    Reviewed: Stage.REVIEWED,
    Assigned: Stage.ASSIGNED,
    Outbound: Stage.OUTBOUND,
    InTransit: Stage.IN_TRANSIT,
}
