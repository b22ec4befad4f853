"""The words of `orders`: lifecycle events in; milestones, status, plans and signals out. Also the
wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from geo.model import Count, Id, Ms, Rejected, Scope, Sighting, Stop, VehiclePlan, Visit


class Stage(StrEnum):
    """接单 → 审核 → 分配 → 出库 → 运输 → 签收, or an early end."""

    RECEIVED = "received"
    REVIEWED = "reviewed"
    ASSIGNED = "assigned"
    OUTBOUND = "outbound"
    IN_TRANSIT = "in_transit"
    SIGNED = "signed"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class _Event(Struct, frozen=True, tag_field="kind", kw_only=True, omit_defaults=True):
    order_id: Id
    ts: Ms
    """When it happened, by the clock of the system that says so."""
    event_id: Id | None = None
    """The producer's identity of this event; without it (kind, ts) is the identity."""
    source: Annotated[str, Meta(max_length=128)] = ""


class Received(_Event, frozen=True, tag="received"):
    pass


class Reviewed(_Event, frozen=True, tag="reviewed"):
    pass


class Assigned(_Event, frozen=True, tag="assigned"):
    """Gives the order a vehicle and its stops; a later one moves it to another vehicle."""

    vehicle_id: Id
    stops: Annotated[tuple[Stop, ...], Meta(min_length=1, max_length=100)]


class Outbound(_Event, frozen=True, tag="outbound"):
    pass


class InTransit(_Event, frozen=True, tag="in_transit"):
    pass


class Signed(_Event, frozen=True, tag="signed"):
    pass


class Cancelled(_Event, frozen=True, tag="cancelled"):
    pass


class Returned(_Event, frozen=True, tag="returned"):
    pass


class Failed(_Event, frozen=True, tag="error"):
    """An attempt at the order's current stage went wrong; `error` says how (address, damage,
    refused, …)."""

    error: Id


OrderEvent = (
    Received | Reviewed | Assigned | Outbound | InTransit | Signed | Cancelled | Returned | Failed
)


class Code(StrEnum):
    """Milestone codes: the rows of the vocabulary table in research/field.md §6."""

    ORDER_ACCEPTED = "order_accepted"
    ORDER_REVIEWED = "order_reviewed"
    VEHICLE_ASSIGNED = "vehicle_assigned"
    OUTBOUND = "outbound"
    ARRIVED_PICKUP = "arrived_pickup"
    DEPARTED_PICKUP = "departed_pickup"
    IN_TRANSIT = "in_transit"
    ARRIVED_HUB = "arrived_hub"
    DEPARTED_HUB = "departed_hub"
    ARRIVED_DELIVERY = "arrived_delivery"
    DEPARTED_DELIVERY = "departed_delivery"
    DELIVERED = "delivered"
    ATTEMPT_FAILED = "attempt_failed"
    CANCELLED = "cancelled"
    RETURNED = "returned"


class Classifier(StrEnum):
    """DCSA's: planned, estimated, actual."""

    PLANNED = "PLN"
    ESTIMATED = "EST"
    ACTUAL = "ACT"


class Milestone(Struct, frozen=True, gc=False, omit_defaults=True):
    """A dated fact about an order. `sequence` counts up per order and never repeats."""

    sequence: Count
    code: Code
    occurred_at: Ms
    reported_at: Ms
    source: str
    """`event` (the order system said so) or `gps` (a visit proved it)."""
    classifier: Classifier = Classifier.ACTUAL
    confidence: float = 1.0
    stop_id: Id | None = None
    vehicle_id: Id | None = None
    evidence: str = ""
    supersedes: Count | None = None
    """The `sequence` this one replaces."""


class Age(StrEnum):
    """Why a status is as old as it is; `fresh` means it is not old. A closed list, shown to
    people."""

    FRESH = "fresh"
    NOT_DUE = "not_due"
    NO_VEHICLE = "no_vehicle"
    DEVICE_SILENT = "device_silent"
    PARKED = "parked"
    FEED_LAG = "feed_lag"
    OUR_LAG = "our_lag"
    ENDED = "ended"


class LastSeen(Struct, frozen=True, gc=False):
    ts: Ms
    lat: float
    lon: float


class OrderStatus(Struct, frozen=True):
    """The current answer for one order. Keep the one with the highest `rev`."""

    order_id: Id
    rev: Count
    stage: Stage
    stage_at: Ms
    """When the current stage was reached."""
    received_at: Ms | None
    reported_at: Ms
    """When this answer was made."""
    age: Age
    """`fresh`, or the reason why what we know is older than 15 minutes."""
    vehicle_id: Id | None
    seen: LastSeen | None
    """Last position of the order's vehicle; its age is now - seen.ts."""
    milestones: tuple[Milestone, ...]
    """By `occurred_at`, then `sequence`: a timeline. What another supersedes stays in it."""
    errors: Count = 0
    last_error: str = ""
    eta: Ms | None = None
    stops: tuple[Stop, ...] = ()
    """Of the newest assignment, in the order in which the vehicle is to call."""


class Opened(Struct, frozen=True, tag="opened", tag_field="kind"):
    """An order began at `ts`: its lead time runs."""

    scope: Scope
    """`order:ID` or `stage:STAGE`; the record key, so one owner sees all of a scope."""
    ts: Ms
    reported_at: Ms


class Closed(Struct, frozen=True, tag="closed", tag_field="kind"):
    """An order ended at `ts` as signed, cancelled or returned."""

    scope: Scope
    ts: Ms
    reported_at: Ms
    stage: Stage


class Aged(Struct, frozen=True, tag="aged", tag_field="kind"):
    """What we know of an order became older than 15 minutes (`age` says why), or fresh again."""

    scope: Scope
    ts: Ms
    """When the limit was passed, or the fix time that ended it."""
    reported_at: Ms
    age: Age


class Outcome(Struct, frozen=True, tag="outcome", tag_field="kind"):
    """One attempt at a stage ended, well or badly. (order, stage, attempt) is its identity."""

    scope: Scope
    ts: Ms
    reported_at: Ms
    order_id: Id
    stage: Stage
    attempt: Count
    ok: bool
    error: str = ""


Signal = Opened | Closed | Aged | Outcome

OrderInput = OrderEvent | Visit | Sighting
OrderFact = OrderStatus | VehiclePlan | Signal | Rejected
