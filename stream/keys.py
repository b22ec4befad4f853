"""Where things stand in Redis, and how a position is packed there.

| key | type | holds |
|---|---|---|
| `mp:order:{order_id}`, `mp:alert:{alert_id}` | hash | `rev` (decimal), `s`: the answer as JSON |
| `mp:open:{order or alert}:{partition}` | set | ids whose answer is not yet an end |
| `mp:feed:{order or alert}:{partition}` | stream | `s`: the answer as JSON, one entry a change |
| `mp:pos:{partition}` | hash | vehicle id → packed position |
| `mp:feed:pos:{partition}` | stream | `b`: packed rows (vehicle and position), one entry a write |
| `mp:mark:{role}:{partition}` | hash | `epoch` and `rev` of its owner, how far it has written |

A partition is that of the record key: order, alert, vehicle. A packed position is 29 bytes, little
endian; a row is the length of the vehicle id in bytes (2), the id, and the packed position.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from geo.model import Motion, Ping

ORDERS = "order"
ALERTS = "alert"
POSITIONS = "pos"

REV = b"rev"
ANSWER = b"s"

ROWS_PER_WRITE = 1_000
"""Positions in one write: Lua's unpack takes fewer than 8,000 values."""

_POSITION = struct.Struct("<qddHHB")
POSITION_BYTES = _POSITION.size
_LENGTH = struct.Struct("<H")
_UNKNOWN = 0xFFFF
_MOTIONS = (Motion.MOVING, Motion.STANDING, Motion.SILENT)
"""By code. Only ever append: packed positions outlive a release."""


class Position(NamedTuple):
    """Where a vehicle last was. Packing rounds speed to 1 cm/s and heading to 1 degree."""

    ts: int
    """Fix time, Unix ms."""
    lat: float
    lon: float
    speed_mps: float | None
    heading_deg: float | None
    motion: Motion


def entity(shows: str, identity: str) -> str:
    """The answer about one order or alert; `shows` is `ORDERS` or `ALERTS`."""
    return f"mp:{shows}:{identity}"


def open_index(shows: str, partition: int) -> str:
    return f"mp:open:{shows}:{partition}"


def feed(what: str, partition: int) -> str:
    """The changes of `ORDERS`, `ALERTS` or `POSITIONS` in one partition."""
    return f"mp:feed:{what}:{partition}"


def positions(partition: int) -> str:
    return f"mp:pos:{partition}"


def mark(role: str, partition: int) -> str:
    return f"mp:mark:{role}:{partition}"


def pack_position(at: Ping | Position, motion: Motion) -> bytes:
    """29 bytes. A speed or heading that is no finite, sensible number is packed as unknown."""
    speed_mps, heading_deg = at.speed_mps, at.heading_deg
    speed = heading = _UNKNOWN
    if speed_mps is not None and 0 <= speed_mps < _UNKNOWN / 100:
        speed = min(round(speed_mps * 100), _UNKNOWN - 1)
    if heading_deg is not None and -360 <= heading_deg <= 720:
        heading = round(heading_deg) % 360
    # Not a dict: Python hashes a member of an Enum in Python.
    code = _MOTIONS.index(motion)
    return _POSITION.pack(at.ts, at.lat, at.lon, speed, heading, code)


def unpack_position(packed: bytes) -> Position:
    """What `pack_position` made. Raises struct.error for other bytes' length."""
    return _position(_POSITION.unpack(packed))


def pack_feed(rows: Iterable[tuple[str, bytes]]) -> bytes:
    """Vehicles and their packed positions as one feed entry."""
    parts: list[bytes] = []
    for vehicle_id, packed in rows:
        name = vehicle_id.encode()
        parts += (_LENGTH.pack(len(name)), name, packed)
    return b"".join(parts)


def unpack_feed(rows: bytes) -> Iterator[tuple[str, Position]]:
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
