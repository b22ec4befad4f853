"""A vehicle's positions of the last day, and what they come to.

How this works. Positions lie in time order in chunks of some 64. Each chunk knows the state
(trail and calls) that the positions before it had led to, so what has happened since any time is
worked out again from the nearest chunk before it. That is all that late positions need: put them
where they belong, work out again, and tell the difference. The oldest chunk goes when it is a day
old, or when there are too many; what is older than the first chunk is settled.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from geo.calls import Calls, unlooked
from geo.cleaning import Limits, Trail, Verdict, judge
from geo.distance import metres
from geo.model import Count, Id, Ms, Visit
from geo.motion import MotionRule, Move, Roam, roam_on
from geo.moves import moves_after
from geo.spots import RECORD, Spot, at, pack_spot, packed, spots

CHUNK = 64


class PastRule(Struct, frozen=True):
    """How much is remembered."""

    horizon_ms: int = 24 * 3_600_000
    """research/field.md §9: the late data horizon."""
    max_positions: int = 2_048
    """Of one vehicle, 33 bytes each. Where there are more, the oldest are thinned, and go where
    that is not enough."""
    thin_ms: int = 60_000
    thin_m: float = 25.0
    thin_still_ms: int = 120_000
    """What is left of the thinned: a position each minute on the way and each two minutes at a
    place. Twelve hours of driving and twelve in the yard are 1,080, so a device that reports every
    ten seconds has its last two hours and a half in full."""


class Chunk(Struct, frozen=True, gc=False, array_like=True):
    trail: Trail
    calls: Calls
    """What the positions before this chunk had led to."""
    records: bytes
    thin: bool = False
    """Some of its positions were left out."""
    roam: Roam | None = None
    """As `calls`; None where an order asked for the vehicle and nothing was worked out."""


class Gone(Struct, frozen=True, gc=False, array_like=True):
    """A visit that was told and retracted, or told anew as another."""

    visit_id: str
    version: Count
    """The last one told."""


class Past(Struct, frozen=True, gc=False, array_like=True):
    """All but the newest few positions, which are the track's own `tail`."""

    chunks: tuple[Chunk, ...] = ()
    trail: Trail = Trail()
    calls: Calls = Calls()
    """What the chunks have led to: the state before the tail."""
    told: tuple[Visit, ...] = ()
    """The visits told, as they now stand; those that are settled are forgotten."""
    roam: Roam | None = Roam()
    """As `calls`, of halts and trips; None where an order asks for the vehicle."""
    moves: tuple[Move, ...] = ()
    """Halts, trips and speeding told, as they now stand; those that are settled are forgotten."""
    gone: tuple[Gone, ...] = ()
    """Visits told that stand no longer, the newest last: one that comes back goes on counting."""


def begins_at(past: Past) -> Ms:
    """Positions up to this time are settled; 0 if nothing is."""
    first = past.chunks[0].trail if past.chunks else past.trail
    return 0 if first.last is None else first.last.ts


def is_known(past: Past, tail: bytes, spot: Spot) -> bool:
    """Whether we hold a position of this time and place."""
    return _holds(tail, spot) or _holds(_records_around(past, spot.ts), spot)


def _records_around(past: Past, ts: Ms) -> bytes:
    """The chunk that a position of this time would be in, with its neighbour: a time may repeat."""
    around = b""
    for chunk in reversed(past.chunks):
        around = chunk.records + around
        if at(chunk.records, 0).ts < ts:
            return around
        around = chunk.records
    return around


def _holds(records: bytes, spot: Spot) -> bool:
    return pack_spot(spot)[:8] in records and any(
        s.ts == spot.ts and s.lat == spot.lat and s.lon == spot.lon for s in spots(records)
    )


def last_two(past: Past, tail: bytes) -> Trail:
    """The two newest positions."""
    if len(tail) >= 2 * RECORD:
        return Trail(at(tail, -1), at(tail, -2))
    if past.chunks:
        tail = past.chunks[-1].records + tail
    count = len(tail) // RECORD
    return Trail(at(tail, -1) if count else None, at(tail, -2) if count > 1 else None)


def roamed(
    past: Past, tail: bytes, vehicle_id: Id, limits: Limits, rule: MotionRule
) -> tuple[Past, Roam, list[Move]]:
    """Halts and trips up to the end of the tail; where that leads, and what is to be told."""
    trail, good, wrong = past.trail, list[Spot](), list[Verdict]()
    for spot in spots(tail):
        trail = judge(trail, spot, good, wrong, limits)
    begin = past.roam or Roam()
    end, found = roam_on(begin, vehicle_id, good, rule)
    moves, says = moves_after(past.moves, begin, end, found, vehicle_id)
    return replace(past, roam=begin, moves=moves), end, says


def rolled(
    past: Past, tail: bytes, trail: Trail, calls: Calls, roam: Roam | None, rule: PastRule
) -> Past:
    """The tail becomes a chunk; `trail`, `calls` and `roam` are what it has led to."""
    begin = None if roam is None else past.roam
    chunks = (*past.chunks, Chunk(past.trail, past.calls, tail, False, begin))
    after = Past(chunks, trail, unlooked(calls), past.told, roam, past.moves, past.gone)
    return trimmed(after, rule)


def trimmed(past: Past, rule: PastRule) -> Past:
    """Without the chunks that are too old or too many."""
    newest = past.trail.last
    if newest is None or not past.chunks:
        return past
    chunks, told = list(past.chunks), past.told
    oldest = newest.ts - rule.horizon_ms
    while chunks and at(chunks[0].records, -1).ts < oldest:
        del chunks[0]
    count = sum(len(c.records) for c in chunks) // RECORD
    for n in range(len(chunks)):
        if count > rule.max_positions and not chunks[n].thin:
            whole, chunks[n] = chunks[n], thinned(chunks[n], rule)
            count -= (len(whole.records) - len(chunks[n].records)) // RECORD
    chunks = _merged(chunks)
    while chunks and count > rule.max_positions:
        count -= len(chunks.pop(0).records) // RECORD
    if len(chunks) == len(past.chunks):
        return past if chunks == list(past.chunks) else replace(past, chunks=tuple(chunks))
    past = replace(past, chunks=tuple(chunks))
    settled = begins_at(past)
    visits = (v for v in told if v.departed_at is None or v.departed_at >= settled)
    moves = (m for m in past.moves if m.until is None or m.until >= settled)
    return replace(past, told=tuple(visits), moves=tuple(moves))


def _merged(chunks: list[Chunk]) -> list[Chunk]:
    """Thinned ones together where they are small: each has a state to keep as well."""
    merged: list[Chunk] = []
    for chunk in chunks:
        last = merged[-1] if merged else None
        if last is not None and last.thin and chunk.thin:
            records = last.records + chunk.records
            if len(records) <= CHUNK * RECORD:
                merged[-1] = replace(last, records=records)
                continue
        merged.append(chunk)
    return merged


def thinned(chunk: Chunk, rule: PastRule) -> Chunk:
    """With fewer positions: none that says nearly the same as the one kept before it."""
    kept: list[Spot] = []
    several = spots(chunk.records)
    for spot in several:
        if kept:
            last = kept[-1]
            elapsed_ms = spot.ts - last.ts
            near = metres(last.lat, last.lon, spot.lat, spot.lon) <= rule.thin_m
            if elapsed_ms < (rule.thin_still_ms if near else rule.thin_ms):
                continue
        kept.append(spot)
    if kept[-1] != several[-1]:
        kept.append(several[-1])
    return replace(chunk, records=packed(kept), thin=True)
