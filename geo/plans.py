"""Everything asked of one vehicle, where it is with that, and what its orders were last told.

How this works. Most positions are far from every stop. So what a vehicle is asked for is packed
(geo/packing.py), and where it is with that, its `Calls`, is packed as well while all stops are far:
then it is *at rest*. What most positions want to know stands at fixed places of one string: when
and where the orders were last told, where the stops were last looked at, and how far the vehicle
may go from there. Checkpoints copy these bytes.
"""

from __future__ import annotations

from struct import Struct as Layout

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from geo.calls import Calls, Key
from geo.claims import Claim
from geo.distance import metres
from geo.model import Motion, Ms, Ping
from geo.packing import SCALE, asking, pack_claims, unpack_claims, unpack_some
from geo.visits import Stay

_TOLD = Layout("<qii")
"""When and where the orders were last told: ts, lat, lon scaled; ts is -1 if they never were."""
_AROUND = Layout("<iiff")
"""lat, lon scaled, clearance and room in metres, to 7 digits: 1 % of a clearance is kept back."""
_NEVER = _TOLD.pack(-1, 0, 0)
_REST = _TOLD.size + _AROUND.size
REST_M = 250.0
"""Who may go this far is at rest: two positions of 10 s at 45 km/h. Packing costs 1 µs."""


class Plans(Struct, frozen=True, gc=False, array_like=True):
    claims: bytes = b""
    """One per (order, stop), packed: of stops that a plan names twice, the first. Ended ones
    too."""
    at: bytes = _NEVER
    """What the orders were last told and, at rest, the calls, packed."""
    calls: Calls | None = None
    """None at rest, or if there is nothing yet."""
    motion: Motion = Motion.MOVING
    """What the orders were last told."""


class _Rest(Struct, frozen=True, gc=False, array_like=True):
    """Of calls without stays, what few have."""

    left: tuple[Stay, ...]
    seen: tuple[Key, ...]
    near: tuple[int, ...]


_encode = Encoder().encode
_decode_rest = Decoder(_Rest).decode


def claims_of(plans: Plans) -> tuple[Claim, ...]:
    return unpack_claims(plans.claims)


def with_claims_of(plans: Plans, claims: tuple[Claim, ...]) -> Plans:
    return Plans(pack_claims(claims), plans.at, plans.calls, plans.motion)


def calls_of(plans: Plans) -> Calls:
    at = plans.at
    if plans.calls is not None:
        return plans.calls
    if len(at) < _REST:
        return Calls()
    lat, lon, clearance_m, room_m = _AROUND.unpack_from(at, _TOLD.size)
    anchor = lat / SCALE, lon / SCALE
    if len(at) == _REST:
        return Calls((), (), (), anchor, clearance_m, (), room_m)
    rest = _decode_rest(memoryview(at)[_REST:])
    near = tuple(zip(rest.near, unpack_some(plans.claims, rest.near), strict=True))
    return Calls((), rest.left, rest.seen, anchor, clearance_m, near, room_m)


def with_calls_of(plans: Plans, calls: Calls) -> Plans:
    told, anchor = plans.at[: _TOLD.size], calls.anchor
    if calls.stays or anchor is None or calls.clearance_m < REST_M:
        return Plans(plans.claims, told, calls, plans.motion)
    lat, lon = round(anchor[0] * SCALE), round(anchor[1] * SCALE)
    at = told + _AROUND.pack(lat, lon, calls.clearance_m, calls.room_m)
    if calls.left or calls.seen or calls.near:
        at += _encode(_Rest(calls.left, calls.seen, tuple(n for n, _ in calls.near)))
    return Plans(plans.claims, at, None, plans.motion)


def is_clear(plans: Plans, lat: float, lon: float) -> bool:
    """True if no stay has begun and none can begin here. Nearly every position asks."""
    calls, at = plans.calls, plans.at
    if calls is not None:
        anchor = calls.anchor
        if calls.stays or anchor is None:
            return False
        return metres(*anchor, lat, lon) < calls.clearance_m
    if len(at) < _REST:
        return False
    at_lat, at_lon, clearance_m, _ = _AROUND.unpack_from(at, _TOLD.size)
    return bool(metres(at_lat / SCALE, at_lon / SCALE, lat, lon) < clearance_m)


def with_telling(plans: Plans, position: Ping, motion: Motion) -> Plans:
    lat, lon = round(position.lat * SCALE), round(position.lon * SCALE)
    told = _TOLD.pack(position.ts, lat, lon)
    return Plans(plans.claims, told + plans.at[_TOLD.size :], plans.calls, motion)


def last_told(plans: Plans) -> tuple[Ms, float, float] | None:
    """When and where the orders were last told of it."""
    ts, lat, lon = _TOLD.unpack_from(plans.at)
    return (ts, lat / SCALE, lon / SCALE) if ts >= 0 else None


def orders_of(plans: Plans) -> list[str]:
    """The orders that have stops on this vehicle now, each once."""
    return asking(plans.claims)


def is_asked(plans: Plans) -> bool:
    """Whether anything is left to look for or to end."""
    return bool(plans.claims) or (plans.calls is not None and bool(plans.calls.stays))
