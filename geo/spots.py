"""Positions as they are remembered: packed records in one string of bytes, sorted by time.

How this works. Every rule about the past reads *spots*, never the ping that has just arrived, so
that it finds the same whether a ping was punctual or came hours late. A record keeps latitude and
longitude whole. Speed and accuracy are kept to three digits (half precision), since they are only
compared with thresholds; a speed or accuracy that means "unknown" is found out here, once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import starmap
from struct import Struct as Layout

from msgspec import Struct
from msgspec.structs import astuple

from geo.model import Ms, Ping

TOP_MPS = 150.0
"""540 km/h: no vehicle reports more; 65,535 and the like mean that it does not know."""
TOP_M = 60_000.0
"""Largest error kept; half precision ends at 65,504."""

_DELAY_BIAS = 3_600_000
_DELAY_MAX = 2**32 - 1
"""Delays from an hour early to 49 days late, in milliseconds; 0 where the receiver is unknown."""

_LAYOUT = Layout("<qIddeeB")
RECORD = _LAYOUT.size
_pack = _LAYOUT.pack
_unpack = _LAYOUT.unpack_from


ON = 2
"""`Spot.engine` of a running engine."""


class Spot(Struct, frozen=True, order=True, gc=False, array_like=True):
    """One position. Compared field by field: spots of one time stand in the order of their
    reception, those of one reception anyhow but always alike."""

    ts: Ms
    delay: int
    """From the fix to its reception, biased; 0 if unknown. Only for spots of the same time."""
    lat: float
    lon: float
    speed: float
    """Metres per second; negative if unknown."""
    error: float
    """Metres; 0 if unknown."""
    engine: int = 0
    """1 off, 2 on, 0 unknown."""


def pack(ping: Ping) -> bytes:
    """The record of a position. Every position passes here: 0.3 µs, with `min` and `max` 1 µs."""
    ts, speed, error = ping.ts, ping.speed_mps, ping.accuracy_m
    received_at = ping.received_at
    delay = 0
    if received_at is not None:
        delay = received_at - ts + _DELAY_BIAS
        if not 0 < delay <= _DELAY_MAX:
            delay = 1 if delay < 1 else _DELAY_MAX
    if speed is None or not 0.0 <= speed <= TOP_MPS:
        speed = -1.0
    if error is None or not error > 0.0:
        error = 0.0
    elif error > TOP_M:
        error = TOP_M
    ignition = ping.ignition
    engine = 0 if ignition is None else 2 if ignition else 1
    return _pack(ts, delay, ping.lat, ping.lon, speed, error, engine)


def spot(ping: Ping) -> Spot:
    """The position as it will be remembered."""
    return Spot(*_unpack(pack(ping)))


def spots(records: bytes) -> list[Spot]:
    return list(starmap(Spot, _LAYOUT.iter_unpack(records)))


def times(records: bytes) -> list[Ms]:
    """The times alone, at half the cost of the spots."""
    return [fields[0] for fields in _LAYOUT.iter_unpack(records)]


def pack_spot(each: Spot) -> bytes:
    return _pack(*astuple(each))


def ping_of(each: Spot, vehicle_id: str) -> Ping:
    """The ping a remembered position was, as far as it is remembered."""
    return Ping(
        vehicle_id,
        each.ts,
        each.lat,
        each.lon,
        each.speed if each.speed >= 0.0 else None,
        None,
        each.error or None,
        each.ts + each.delay - _DELAY_BIAS if each.delay else None,
        None if not each.engine else each.engine == ON,
    )


def packed(several: Iterable[Spot]) -> bytes:
    return b"".join(_pack(*astuple(each)) for each in several)


def at(records: bytes, index: int) -> Spot:
    """The record at an index; a negative one counts from the end."""
    return Spot(*_unpack(records, index * RECORD + (len(records) if index < 0 else 0)))
