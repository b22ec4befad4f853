"""Where things stand in Redis, and how a position is packed there.

| key | type | holds |
|---|---|---|
| `mp:order:{order_id}` | hash | `rev` (decimal) and `s` (OrderStatus as JSON) |
| `mp:pos:{partition}` | hash | vehicle id → packed position |
| `mp:alerts:{partition}` | hash | alert id → Alert as JSON; only those not inactive or resolved |
| `mp:feed:orders:{partition}` | stream | `s`: OrderStatus as JSON, one entry a change |
| `mp:feed:alerts:{partition}` | stream | `s`: Alert as JSON, one entry a change |
| `mp:feed:pos:{partition}` | stream | `b`: packed rows (vehicle and position), one entry a batch |

A partition is that of the record key: vehicle, order, or the alert's id. A packed position is 29
bytes, little endian; a row is the length of the vehicle id in bytes (2), the id, and the position.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from geo.model import Motion

REV = b"rev"
STATUS = b"s"
ROWS = b"b"

_POSITION = struct.Struct("<qddHHB")
_LENGTH = struct.Struct("<H")
_UNKNOWN = 0xFFFF
_MOTIONS = (Motion.MOVING, Motion.STANDING, Motion.SILENT)
"""By code. Only ever append: packed positions outlive a release."""

_CODES = {motion: code for code, motion in enumerate(_MOTIONS)}


class Position(NamedTuple):
    """Where a vehicle last was. Packing rounds speed to 1 cm/s and heading to 1 degree."""

    ts: int
    """Fix time, Unix ms."""
    lat: float
    lon: float
    speed_mps: float | None
    heading_deg: float | None
    motion: Motion


def order_key(order_id: str) -> str:
    return f"mp:order:{order_id}"


def positions_key(partition: int) -> str:
    return f"mp:pos:{partition}"


def alerts_key(partition: int) -> str:
    return f"mp:alerts:{partition}"


def order_feed(partition: int) -> str:
    return f"mp:feed:orders:{partition}"


def alert_feed(partition: int) -> str:
    return f"mp:feed:alerts:{partition}"


def position_feed(partition: int) -> str:
    return f"mp:feed:pos:{partition}"


def pack_position(position: Position) -> bytes:
    """29 bytes. A speed or heading that is no finite, sensible number is packed as unknown."""
    ts, lat, lon, speed_mps, heading_deg, motion = position
    speed = heading = _UNKNOWN
    if speed_mps is not None and 0 <= speed_mps < _UNKNOWN / 100:
        speed = min(round(speed_mps * 100), _UNKNOWN - 1)
    if heading_deg is not None and -360 <= heading_deg <= 720:
        heading = round(heading_deg) % 360
    return _POSITION.pack(ts, lat, lon, speed, heading, _CODES[motion])


def unpack_position(packed: bytes) -> Position:
    """What `pack_position` made. Raises struct.error for other bytes' length."""
    return _position(_POSITION.unpack(packed))


def pack_row(vehicle_id: str, packed: bytes) -> bytes:
    """A vehicle and its packed position, for the feed."""
    name = vehicle_id.encode()
    return _LENGTH.pack(len(name)) + name + packed


def unpack_rows(rows: bytes) -> Iterator[tuple[str, Position]]:
    """The vehicles and positions of one feed entry, in order."""
    at = 0
    while at < len(rows):
        (length,) = _LENGTH.unpack_from(rows, at)
        at += _LENGTH.size
        vehicle_id = rows[at : at + length].decode()
        at += length
        yield vehicle_id, _position(_POSITION.unpack_from(rows, at))
        at += _POSITION.size


def _position(fields: tuple[int, float, float, int, int, int]) -> Position:
    ts, lat, lon, speed, heading, motion = fields
    return Position(
        ts,
        lat,
        lon,
        None if speed == _UNKNOWN else speed / 100,
        None if heading == _UNKNOWN else float(heading),
        _MOTIONS[motion],
    )
