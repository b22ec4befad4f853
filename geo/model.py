"""The words of `geo`: what comes in (ping, plan) and what goes out (visit, sighting, silence).

These structs are also the wire: the field names here are the JSON keys on the topics.
Every time is an integer of Unix milliseconds, UTC. Distances are metres, speeds metres per second.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from geo.shapes import Area, Line

Ms = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]
"""Unix milliseconds, UTC, to the end of the year 9999: msgpack, datetime and JavaScript hold it."""

Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""A number that counts; bounded because msgpack ends at 64 bits and JavaScript's integers at 53."""

Id = Annotated[str, Meta(min_length=1, max_length=128)]
"""Opaque, compared as it is: spaces and control characters are the sender's; who shows it, escapes.
A pattern here would make decoding a ping 2.5 times as slow."""

Scope = Annotated[str, Meta(min_length=1, max_length=144)]
"""`order:ID` or `stage:STAGE`: longer than an `Id` by its prefix."""


class Ping(Struct, frozen=True, gc=False, omit_defaults=True):
    """What a device or vendor sent. Untrusted until cleaning has let it through; then it is a
    position."""

    vehicle_id: Id
    ts: Ms
    """When the device took the fix."""
    lat: float
    lon: float
    speed_mps: float | None = None
    heading_deg: float | None = None
    accuracy_m: float | None = None
    received_at: Ms | None = None
    """When the source (vendor, gateway, poller) received it; absent where the source does not
    say."""
    ignition: bool | None = None
    """Whether the engine was on; absent where the device does not say."""
    source: Id | None = None
    """Who sent it, a carrier, vendor or gateway: its rules are used where it has declared any."""
    seq: Count | None = None
    """A number that the sender raises by one with each ping of the vehicle, lost ones too."""


class Rejected(Struct, frozen=True):
    """A value, not an exception: why an input was not taken. `detail` names the field, the value
    and the fix."""

    reason: str
    detail: str = ""
    part: bytes = b""
    """The bytes that were not taken, where a record holds several messages; empty: all of it."""


class Revised(Struct, frozen=True):
    """A later verdict on a ping: other positions came that show that it was none after all, or that
    it was one."""

    vehicle_id: Id
    ping: Ping
    """As far as it is remembered."""
    reason: str
    detail: str
    reported_at: Ms


class StopRole(StrEnum):
    PICKUP = "pickup"
    HUB = "hub"
    DELIVERY = "delivery"
    SITE = "site"
    """A place of the fleet itself (a yard); belongs to no order."""


class Fence(Struct, frozen=True):
    """Two distances: entered within `enter_m`, left only beyond `exit_m`, so its edge cannot flap.

    They are measured from the place itself, or from the shape if there is one: from the middle of
    a corridor, from the edge of an area (0 is its edge).
    """

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    """With a shape, its middle."""
    enter_m: Annotated[float, Meta(ge=0, le=50_000)] = 150.0
    exit_m: Annotated[float, Meta(ge=0, le=50_000)] = 250.0
    shape: Area | Line | None = None

    def __post_init__(self) -> None:
        if self.shape is None and self.enter_m == 0.0:
            raise ValueError("enter_m is 0: a circle needs a radius above 0")


class Stop(Struct, frozen=True):
    """A planned place of an order, in the order in which the vehicle is to call."""

    stop_id: Id
    role: StopRole
    fence: Fence


class VehiclePlan(Struct, frozen=True):
    """The stops one order gives one vehicle; it replaces what the same order gave before.

    Empty `stops` ends the order's claim on the vehicle. `order_id` None means places of the fleet
    itself.
    """

    vehicle_id: Id
    ts: Ms
    stops: Annotated[tuple[Stop, ...], Meta(max_length=100)]
    order_id: Id | None = None


class Evidence(Struct, frozen=True):
    """Why we believe a visit: the rule that decided and the positions it used."""

    rule: str
    """standstill, dwell or inferred; of a visit that is over: left, silent or inferred."""
    positions: Count
    first_ts: Ms
    last_ts: Ms
    """Of a visit that is inferred these two are the interval it lies in: the positions before and
    after; while the vehicle is silent there, the first and the last inside."""
    nearest_m: float
    confidence: float = 0.5
    """Laplace's rule of succession: (n + 1) / (n + 2), none for a visit nobody saw."""


class Visit(Struct, frozen=True, tag="visit", tag_field="kind"):
    """A vehicle's stay at a stop: from crossing the fence's enter edge to crossing it again.

    Sent on arrival (`departed_at` None) and again, whole, on departure, and whenever late positions
    change it. Of several with one `visit_id` the highest `version` counts.
    """

    visit_id: str
    vehicle_id: Id
    stop_id: Id
    role: StopRole
    arrived_at: Ms
    reported_at: Ms
    evidence: Evidence
    departed_at: Ms | None = None
    order_id: Id | None = None
    inferred: bool = False
    """Nobody saw it stand there for long: it lies between two positions (`evidence`), or the
    vehicle fell silent there."""
    version: Count = 0
    supersedes: str | None = None
    """The visit told earlier that this one is instead of."""
    retracted: bool = False
    """It did not take place: later knowledge disproved it."""


class Motion(StrEnum):
    MOVING = "moving"
    STANDING = "standing"
    SILENT = "silent"


class Sighting(Struct, frozen=True, tag="sighting", tag_field="kind"):
    """Where an order's vehicle was last seen. Sent conflated, at most once a minute, and when
    `motion` becomes silent."""

    order_id: Id
    vehicle_id: Id
    ts: Ms
    lat: float
    lon: float
    motion: Motion
    reported_at: Ms


class Silence(Struct, frozen=True, tag="silence", tag_field="kind"):
    """A vehicle fell silent (`until` None) or was heard again. One pair per episode."""

    vehicle_id: Id
    since: Ms
    """Fix time of the last position before the silence."""
    reported_at: Ms
    until: Ms | None = None
    parked: bool = False
    """It stood when last heard, as devices do that report on change: no cause for worry. Said of a
    silence that begins."""


class GapBy(StrEnum):
    SEQUENCE = "sequence"
    RATE = "rate"


class Gap(Struct, frozen=True, tag="gap", tag_field="kind"):
    """Pings that were sent, or should have been, and did not come. Told again when some of them
    come late; of several with one vehicle, source, `by`, `since` and `until` the last counts."""

    vehicle_id: Id
    by: GapBy
    """Numbers are missing, or the vehicle went far without the positions it usually gives."""
    since: Ms
    """Fix time of the last ping before it."""
    until: Ms
    """Fix time of the first ping after it."""
    missing: Count
    """So many are missing still, by rate at least so many; 0: all have come."""
    reported_at: Ms
    came: Count = 0
    """So many of it came since it was last told; 0: it is told for the first time."""
    source: Id | None = None


class Halt(Struct, frozen=True, tag="halt", tag_field="kind"):
    """Where a vehicle stood, whether or not a stop is planned there. Of several with one `since`,
    the last counts; so for trips and speeding."""

    vehicle_id: Id
    since: Ms
    lat: float
    lon: float
    """The middle of its positions."""
    positions: Count
    until: Ms | None = None
    """When it moved on; None while it stands."""
    idling_ms: Count = 0
    """Of this time, with the engine known to run."""
    retracted: bool = False
    """It did not take place: later knowledge disproved it."""


class Trip(Struct, frozen=True, tag="trip", tag_field="kind"):
    """From one halt to the next."""

    vehicle_id: Id
    since: Ms
    until: Ms
    metres: float
    positions: Count
    """Those on the way, not those of the halts at its ends."""
    top_mps: float | None = None
    """The greatest speed reported; None where none was."""
    retracted: bool = False
    """It did not take place: later knowledge disproved it."""


class Speeding(Struct, frozen=True, tag="speeding", tag_field="kind"):
    """Faster than the limit, for longer than an overtaking takes."""

    vehicle_id: Id
    since: Ms
    until: Ms
    top_mps: float
    limit_mps: float
    positions: Count
    retracted: bool = False
    """It did not take place: later knowledge disproved it."""


VehicleFact = Visit | Sighting | Silence | Gap | Halt | Trip | Speeding | Rejected | Revised
