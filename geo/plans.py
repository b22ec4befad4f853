"""Everything asked of one vehicle, where it is with that, and what its orders were last told.

How this works. Most positions are far from every stop. So what a vehicle is asked for is packed
(geo/packing.py), and where it is with that, its `Calls`, is packed as well while no stay has begun:
in front where the stops were last looked at and how far it may go from there, which is all that
most positions want to know, then what few calls have. Checkpoints copy these bytes.
"""

from __future__ import annotations

from struct import Struct as Layout

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from geo.calls import Calls, Key
from geo.claims import Claim
from geo.distance import metres
from geo.model import Motion, Ms, Ping
from geo.packing import asking, pack_claims, unpack_claims, unpack_some
from geo.visits import Stay

_PLACE = Layout("<qdd")
"""ts, lat, lon."""
_AROUND = Layout("<ddff")
"""lat, lon, clearance and room in metres, to seven digits: 1 % of a clearance is kept back."""
REST_M = 250.0
"""Who may go this far is at rest: two positions of 10 s at 45 km/h. Packing costs 1 µs."""


class Plans(Struct, frozen=True, gc=False, array_like=True):
    claims: bytes = b""
    """One per (order, stop), packed: of stops that a plan names twice, the first. Ended ones
    too."""
    calls: Calls | bytes = b""
    """Packed while all stops are far; empty if there is nothing yet."""
    sighted: bytes = b""
    """What the orders were last told, packed: time and place; empty if nothing."""
    motion: Motion = Motion.MOVING


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
    return Plans(pack_claims(claims), plans.calls, plans.sighted, plans.motion)


def calls_of(plans: Plans) -> Calls:
    calls = plans.calls
    if not isinstance(calls, bytes):
        return calls
    if not calls:
        return Calls()
    lat, lon, clearance_m, room_m = _AROUND.unpack_from(calls)
    if len(calls) == _AROUND.size:
        return Calls((), (), (), (lat, lon), clearance_m, (), room_m)
    rest = _decode_rest(memoryview(calls)[_AROUND.size :])
    near = tuple(zip(rest.near, unpack_some(plans.claims, rest.near), strict=True))
    return Calls((), rest.left, rest.seen, (lat, lon), clearance_m, near, room_m)


def with_calls_of(plans: Plans, calls: Calls) -> Plans:
    return Plans(plans.claims, _at_rest(calls), plans.sighted, plans.motion)


def _at_rest(calls: Calls) -> Calls | bytes:
    anchor, left, seen, near = calls.anchor, calls.left, calls.seen, calls.near
    if calls.stays or anchor is None or calls.clearance_m < REST_M:
        return calls
    around = _AROUND.pack(anchor[0], anchor[1], calls.clearance_m, calls.room_m)
    if not (left or seen or near):
        return around
    return around + _encode(_Rest(left, seen, tuple(n for n, _ in near)))


def is_clear(plans: Plans, lat: float, lon: float) -> bool:
    """True if no stay has begun and none can begin here. Nearly every position asks."""
    calls = plans.calls
    if isinstance(calls, bytes):
        if not calls:
            return False
        at_lat, at_lon, clearance_m, _ = _AROUND.unpack_from(calls)
    elif calls.stays or calls.anchor is None:
        return False
    else:
        (at_lat, at_lon), clearance_m = calls.anchor, calls.clearance_m
    return bool(metres(at_lat, at_lon, lat, lon) < clearance_m)


def place_of(position: Ping) -> bytes:
    return _PLACE.pack(position.ts, position.lat, position.lon)


def sighted_at(plans: Plans) -> tuple[Ms, float, float] | None:
    """When and where the orders were last told of it."""
    return _PLACE.unpack(plans.sighted) if plans.sighted else None


def orders_of(plans: Plans) -> list[str]:
    """The orders that have stops on this vehicle now, each once."""
    return asking(plans.claims)


def is_asked(plans: Plans) -> bool:
    """Whether anything is left to look for or to end."""
    return bool(plans.claims) or (isinstance(plans.calls, Calls) and bool(plans.calls.stays))
