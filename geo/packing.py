"""Claims as they are remembered: one string of bytes for all of a vehicle's.

How this works. Ten claims as objects are 4 KB, and a checkpoint walks through all of them; packed
they are 250 to 350 bytes, which it copies. They are unpacked only where a position is to be looked
at against them or a plan changes them; how far off the next stop is, is remembered beside them
(geo/plans.py).

Claims lie in runs with one order and one time. What several stops have in common (role, distances,
shape) is written once. A coordinate of at most seven decimals, a centimetre, is an integer of four
bytes; another one stays the float it is, so that what is unpacked equals what was packed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from itertools import count, groupby

from msgspec import Raw, Struct
from msgspec.msgpack import Decoder, Encoder

from geo.claims import ALWAYS, Claim
from geo.model import Fence, Id, Ms, Stop, StopRole
from geo.shapes import Shape

HELD_PLANS = 256
"""Plans kept unpacked: for a vehicle whose pings come many at once. Of ten stops each, 1 MB."""
HELD_SHAPES = 1_024
"""Shapes kept unpacked. The vehicles of a fleet share its yards, and to check one takes long."""

_SCALE = 1e7


class _Kind(Struct, frozen=True, gc=False, array_like=True):
    """What several stops have in common."""

    role: StopRole
    enter_m: float
    exit_m: float
    shape: bytes | None = None


class _Links(Struct, frozen=True, gc=False, array_like=True):
    """What few claims have."""

    rivals: tuple[int, ...]
    after: Id | None
    before: bool


class _Packed(Struct, frozen=True, gc=False, array_like=True):
    stop_id: Id
    kind: int
    """Place in the list of the kinds."""
    lat: int | float
    lon: int | float
    links: _Links | None = None


class _Run(Struct, frozen=True, gc=False, array_like=True):
    order_id: Id | None
    since: Ms
    until: Ms | None
    """None while it is asked for."""
    stops: tuple[_Packed, ...]


class _Claims(Struct, frozen=True, gc=False, array_like=True):
    kinds: tuple[_Kind, ...]
    runs: tuple[_Run, ...]


class _RunHead(Struct, frozen=True, array_like=True):
    order_id: Id | None
    since: Ms
    until: Ms | None
    stops: Raw


class _Heads(Struct, frozen=True, array_like=True):
    """Claims whose stops are left packed."""

    kinds: Raw
    runs: tuple[_RunHead, ...]


_encode = Encoder().encode
_claims = Decoder(_Claims).decode
_heads = Decoder(_Heads).decode
_decode_shape: Decoder[Shape] = Decoder(Shape)


def pack_claims(claims: tuple[Claim, ...]) -> bytes:
    """Empty if there are none."""
    if not claims:
        return b""
    kinds: dict[_Kind, int] = {}
    runs = tuple(
        _Run(*head[:2], None if head[2] == ALWAYS else head[2], tuple(_packed(run, kinds)))
        for head, run in groupby(claims, lambda c: (c.order_id, c.since, c.until))
    )
    return _encode(_Claims(tuple(kinds), runs))


@lru_cache(HELD_PLANS)
def unpack_claims(packed: bytes) -> tuple[Claim, ...]:
    """What `pack_claims` packed. 0.6 µs a stop."""
    return tuple(_unpacked(packed, None))


def unpack_some(packed: bytes, places: Collection[int]) -> tuple[Claim, ...]:
    """Those at these places. 0.15 µs a stop and 0.5 µs a place."""
    return tuple(_unpacked(packed, places)) if places else ()


def asking(packed: bytes) -> list[Id]:
    """The orders that ask for stops of these now, each once. Looks at no stop."""
    if not packed:
        return []
    open_ = (r.order_id for r in _heads(packed).runs if r.until is None and r.order_id is not None)
    return list(dict.fromkeys(open_))


def _packed(claims: Iterator[Claim], kinds: dict[_Kind, int]) -> Iterator[_Packed]:
    for claim in claims:
        stop, fence = claim.stop, claim.stop.fence
        shape = None if fence.shape is None else _encode(fence.shape)
        kind = _Kind(stop.role, _short(fence.enter_m), _short(fence.exit_m), shape)
        place = kinds.setdefault(kind, len(kinds))
        several = claim.rivals or claim.after is not None or claim.before
        links = _Links(claim.rivals, claim.after, claim.before) if several else None
        yield _Packed(stop.stop_id, place, _scaled(fence.lat), _scaled(fence.lon), links)


def _unpacked(packed: bytes, places: Collection[int] | None) -> Iterator[Claim]:
    if not packed:
        return
    several, place = _claims(packed), count()
    for run in several.runs:
        order_id, since = run.order_id, run.since
        until = ALWAYS if run.until is None else run.until
        for each in run.stops:
            if places is not None and next(place) not in places:
                continue
            stop, links = _stop(each, several.kinds[each.kind]), each.links
            if links is None:
                yield Claim(stop, order_id, since, until)
            else:
                yield Claim(stop, order_id, since, until, links.rivals, links.after, links.before)


def _stop(each: _Packed, kind: _Kind) -> Stop:
    lat, lon = each.lat, each.lon
    fence = Fence(
        lat / _SCALE if type(lat) is int else lat,
        lon / _SCALE if type(lon) is int else lon,
        kind.enter_m,
        kind.exit_m,
        None if kind.shape is None else _shape(kind.shape),
    )
    return Stop(each.stop_id, kind.role, fence)


@lru_cache(HELD_SHAPES)
def _shape(packed: bytes) -> Shape:
    return _decode_shape.decode(packed)


def _short(distance: float) -> float:
    """Whole metres are written as such: 3 bytes instead of 9."""
    return int(distance) if distance == int(distance) else distance


def _scaled(degrees: float) -> int | float:
    """An integer, where that says the same."""
    whole = round(degrees * _SCALE)
    return whole if whole / _SCALE == degrees else degrees
