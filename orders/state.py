"""What is remembered of one order between two inputs, and the thresholds it is judged by."""

from __future__ import annotations

from msgspec import Struct

from geo.model import Count, Id, Ms, Stop
from orders.lifecycle import ENDS
from orders.model import Age, LastSeen, Milestone, OrderStatus, Stage

LAST_MS = 253_402_300_799_999
"""The greatest `Ms`."""


class World(Struct, frozen=True):
    """Thresholds, and two readings the shell takes before each call."""

    limit_ms: int = 15 * 60_000
    """Promise 4 of design.md: never silently older than this. Also how far ahead an event's clock
    may be: a stamp further in the future would make an order look fresh for longer than the promise
    allows."""
    our_lag_ms: int = 60_000
    """Beyond this our own input lag explains an age; a caught-up worker checkpoints every 0.25
    s."""
    keep_ended_ms: int = 24 * 3_600_000
    """The late horizon of research/field.md §9: how long an ended order can still be corrected."""
    feed_at: Ms | None = None
    """Newest sighting time of the whole partition; None: not known, the feed is not blamed."""
    lag_ms: int = 0
    """How far our own consumption is behind."""


class Assignment(Struct, frozen=True, array_like=True, gc=False):
    """The order was given to a vehicle at `ts`; sorted by (ts, vehicle_id)."""

    ts: Ms
    vehicle_id: Id
    sequence: Count = 0
    """Its milestone; 0 where it only gave the vehicle it already had new stops."""
    stops: tuple[Stop, ...] = ()


class Stay(Struct, frozen=True, array_like=True, gc=False):
    """The newest version of a visit, and the sequences of its milestones (0: none)."""

    visit_id: str
    vehicle_id: Id
    arrived_at: Ms
    departed_at: Ms | None
    reported_at: Ms
    arrived: Count = 0
    departed: Count = 0
    version: Count = 0


class Order(Struct, frozen=True, omit_defaults=True, gc=False):
    """One order. `milestones` is the timeline customers see: by `occurred_at`, then by `sequence`.

    It is kept as it is published, so that making a status copies nothing; everything down to
    `due_at` follows from it and is kept so that a sighting, the most frequent input, need not work
    it out again.
    """

    order_id: Id
    milestones: tuple[Milestone, ...] = ()
    stage: Stage = Stage.RECEIVED
    stage_at: Ms = 0
    opened_at: Ms = 0
    received_at: Ms | None = None
    errors: Count = 0
    last_error: str = ""
    due_at: Ms | None = None
    """Since when positions are due: outbound or, failing that, in transit."""
    next_sequence: Count = 1
    assignments: tuple[Assignment, ...] = ()
    stays: tuple[Stay, ...] = ()
    """By arrival."""
    identities: tuple[str, ...] = ()
    """Of the assignments and errors taken, the events of which there may be many."""
    attempts: tuple[int, ...] = (0, 0, 0, 0, 0)
    """Outcomes told per stage of the road, from received to in transit."""
    passed: int = 0
    """Bit per stage of the road: its good end was told."""
    seen: LastSeen | None = None
    standing: bool = False
    """The vehicle stood still when it was last seen awake."""
    age: Age = Age.NOT_DUE
    """As last told."""
    wake_at: int | None = None

    @property
    def vehicle_id(self) -> Id | None:
        return self.assignments[-1].vehicle_id if self.assignments else None

    @property
    def stops(self) -> tuple[Stop, ...]:
        return self.assignments[-1].stops if self.assignments else ()

    @property
    def scope(self) -> str:
        """The name under which `alerts` follows this order."""
        return f"order:{self.order_id}"


def ended_at(order: Order) -> Ms | None:
    """When the order ended; None: it is open."""
    return order.stage_at if order.stage in ENDS else None


def status_of(order: Order, now: Ms) -> OrderStatus:
    """The answer as of `now`; the shell stamps `rev`."""
    return OrderStatus(
        order_id=order.order_id,
        rev=0,
        stage=order.stage,
        stage_at=order.stage_at,
        received_at=order.received_at,
        reported_at=now,
        age=order.age,
        vehicle_id=order.vehicle_id,
        seen=order.seen,
        milestones=order.milestones,
        errors=order.errors,
        last_error=order.last_error,
        stops=order.stops,
    )
