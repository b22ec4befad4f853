"""Traccar's dialect: the position its Kafka forwarder sends, read as our ping.

Where it differs from what one would expect:

- The device is `device.uniqueId` (IMEI or terminal id). `position.deviceId` and the record's key
  are row numbers of one Traccar database, and `position.id` is always 0.
- Speed is in knots. An accuracy of 0 means unknown. Dates are ISO 8601 with an offset. Nulls are
  written.
- A receiver without a fix sends `valid: false` with some older coordinates.
- `outdated` is not serialised: a fix sent again has an unchanged `fixTime` while `deviceTime`
  advances. The ping takes `fixTime`, so cleaning sees the duplicate that it is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from geo.model import Id, Ping, Rejected
from stream.letters import Reason

MPS_PER_KNOT = 1852 / 3600
"""A knot is a nautical mile (1,852 m exactly) an hour."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LAST_MS = 253_402_300_799_999
"""The bound of `geo.model.Ms`; an offset west of UTC can lead past it."""

Date = Annotated[datetime, Meta(tz=True)]
"""A date without an offset could be any zone's, so it is refused."""


class Attributes(Struct, frozen=True):
    ignition: bool | None = None


class Position(Struct, frozen=True, rename="camel"):
    """The fields of `position` that a ping is made of."""

    fix_time: Date
    latitude: float
    longitude: float
    valid: bool | None = None
    speed: float | None = None
    """Knots."""
    course: float | None = None
    accuracy: float | None = None
    """Metres; 0 is unknown."""
    server_time: Date | None = None
    attributes: Attributes | None = None
    protocol: Annotated[str, Meta(max_length=128)] | None = None
    """Traccar's name for the dialect of the device, so for its make."""


class Device(Struct, frozen=True, rename="camel"):
    unique_id: Id


class Forwarded(Struct, frozen=True):
    """A position as Traccar forwards it (`forward.type` kafka); its other fields are skipped."""

    position: Position
    device: Device


def is_forwarded(record: bytes) -> bool:
    """Whether a record that is no ping was meant as Traccar's: it decides which error is told."""
    return b'"position"' in record and b'"vehicle_id"' not in record


def ping_of(forwarded: Forwarded) -> Ping | Rejected:
    """The ping a forwarded position is, or why it is none."""
    position = forwarded.position
    if position.valid is False:
        return Rejected(Reason.INVALID_FIX, "position.valid is false: the receiver had no fix")
    ts = _unix_ms(position.fix_time)
    received_at = _unix_ms(position.server_time) if position.server_time else None
    for name, time in (("fixTime", ts), ("serverTime", received_at)):
        if time is not None and not 0 <= time <= LAST_MS:
            detail = f"position.{name} is outside the years 1970 to 9999: set the device's clock"
            return Rejected(Reason.WRONG_SHAPE, detail)
    return Ping(
        vehicle_id=forwarded.device.unique_id,
        ts=ts,
        lat=position.latitude,
        lon=position.longitude,
        speed_mps=None if position.speed is None else position.speed * MPS_PER_KNOT,
        heading_deg=position.course,
        accuracy_m=position.accuracy or None,
        received_at=received_at,
        ignition=position.attributes.ignition if position.attributes else None,
        source=position.protocol or None,
    )


def _unix_ms(date: datetime) -> int:
    return (date - EPOCH) // MILLISECOND
