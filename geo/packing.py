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

from collections.abc import Collection, Iterable, Iterator
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

SCALE = 1e7
"""Units of a degree that are written: a centimetre."""


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


class _Linked(_Packed, frozen=True, gc=False, array_like=True):
    """Read for every stop, written for those that have links."""

    links: _Links | None = None


class _Run(Struct, frozen=True, array_like=True):
    order_id: Id | None
    since: Ms
    until: Ms | None
    """None while it is asked for."""
    stops: Raw


class _Claims(Struct, frozen=True, array_like=True):
    kinds: Raw
    runs: tuple[_Run, ...]


_encode = Encoder().encode
_claims = Decoder(_Claims).decode
_kinds = Decoder(tuple[_Kind, ...]).decode
_stops = Decoder(tuple[_Linked, ...]).decode
_decode_shape: Decoder[Shape] = Decoder(Shape)


def pack_claims(claims: tuple[Claim, ...]) -> bytes:
    """Empty if there are none."""
    if not claims:
        return b""
    kinds: dict[_Kind, int] = {}
    runs = tuple(
        _Run(order_id, since, None if until == ALWAYS else until, _raw(_packed(run, kinds)))
        for (order_id, since, until), run in groupby(claims, _times)
    )
    # Copied, because msgspec leaves up to half as much behind the end of what it encodes.
    return bytes(memoryview(_encode(_Claims(_raw(kinds), runs))))


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
    open_ = (r.order_id for r in _claims(packed).runs if r.until is None and r.order_id is not None)
    return list(dict.fromkeys(open_))


def _times(claim: Claim) -> tuple[Id | None, Ms, Ms]:
    return claim.order_id, claim.since, claim.until


def _raw(several: Iterable[Struct]) -> Raw:
    return Raw(_encode(tuple(several)))


def _packed(claims: Iterable[Claim], kinds: dict[_Kind, int]) -> Iterator[_Packed]:
    for claim in claims:
        stop, fence = claim.stop, claim.stop.fence
        shape = None if fence.shape is None else _encode(fence.shape)
        kind = _Kind(stop.role, _short(fence.enter_m), _short(fence.exit_m), shape)
        place = kinds.setdefault(kind, len(kinds))
        lat, lon = _scaled(fence.lat), _scaled(fence.lon)
        if claim.rivals or claim.after is not None or claim.before:
            links = _Links(claim.rivals, claim.after, claim.before)
            yield _Linked(stop.stop_id, place, lat, lon, links)
        else:
            yield _Packed(stop.stop_id, place, lat, lon)


def _unpacked(packed: bytes, places: Collection[int] | None) -> Iterator[Claim]:
    if not packed:
        return
    several, place = _claims(packed), count()
    kinds = _kinds(several.kinds)
    for run in several.runs:
        order_id, since = run.order_id, run.since
        until = ALWAYS if run.until is None else run.until
        for each in _stops(run.stops):
            if places is not None and next(place) not in places:
                continue
            stop, links = _stop(each, kinds[each.kind]), each.links
            if links is None:
                yield Claim(stop, order_id, since, until)
            else:
                yield Claim(stop, order_id, since, until, links.rivals, links.after, links.before)


def _stop(each: _Packed, kind: _Kind) -> Stop:
    lat, lon = each.lat, each.lon
    fence = Fence(
        lat / SCALE if type(lat) is int else lat,
        lon / SCALE if type(lon) is int else lon,
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
    whole = round(degrees * SCALE)
    return whole if whole / SCALE == degrees else degrees
