"""A vehicle's positions of the last day, and what they come to.

How this works. Positions lie in time order in chunks of some 64. Each chunk knows the state
(trail and calls) that the positions before it had led to, so what has happened since any time is
worked out again from the nearest chunk before it. That is all that late positions need: put them
where they belong, work out again, and tell the difference. The oldest chunk goes when it is a day
old, or when there are too many; what is older than the first chunk is settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from geo.calls import Calls, follow, unlooked
from geo.claims import Claim
from geo.cleaning import Limits, Trail, Verdict, judge
from geo.distance import metres
from geo.model import Id, Ms, Visit
from geo.motion import MotionRule, Move, Roam, roam_on
from geo.spots import RECORD, Spot, at, pack_spot, packed, spots
from geo.visits import VisitRule, visit_of

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


class Past(Struct, frozen=True, gc=False, array_like=True):
    """All but the newest few positions, which are the track's own `tail`."""

    chunks: tuple[Chunk, ...] = ()
    trail: Trail = Trail()
    calls: Calls = Calls()
    """What the chunks have led to: the state before the tail."""
    told: tuple[Visit, ...] = ()
    """The visits told, as they now stand; those that are settled are forgotten."""
    roam: Roam = Roam()
    """Halts and trips, as far as they have been worked out."""


class Derived(Struct, frozen=True):
    past: Past
    tail: bytes
    trail: Trail
    calls: Calls
    visits: dict[str, Visit]
    """Those of which anything was worked out again, by id."""
    settled_at: Ms
    """What ended before this was not looked at."""
    thin_until: Ms
    """Before this some positions were left out."""
    late: tuple[Ms, ...]
    """Times of the positions that came late."""
    wrong: list[Verdict]


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
) -> tuple[Past, list[Move]]:
    """Halts and trips up to the end of the tail, from the positions that came in time."""
    trail, good, wrong = past.trail, list[Spot](), list[Verdict]()
    for spot in spots(tail):
        trail = judge(trail, spot, good, wrong, limits)
    last = past.roam.last
    new = [s for s in good if last is None or s.ts > last.ts]
    roam, told = roam_on(past.roam, vehicle_id, new, rule)
    return replace(past, roam=roam), told


def rolled(past: Past, tail: bytes, trail: Trail, calls: Calls, rule: PastRule) -> Past:
    """The tail becomes a chunk; `trail` and `calls` are what it has led to."""
    chunks = (*past.chunks, Chunk(past.trail, past.calls, tail))
    return trimmed(Past(chunks, trail, unlooked(calls), past.told, past.roam), rule)


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
    past = Past(tuple(chunks), past.trail, past.calls, told, past.roam)
    settled = begins_at(past)
    kept = (v for v in told if v.departed_at is None or v.departed_at >= settled)
    return replace(past, told=tuple(kept))


def _merged(chunks: list[Chunk]) -> list[Chunk]:
    """Thinned ones together where they are small: each has a state to keep as well."""
    merged: list[Chunk] = []
    for chunk in chunks:
        last = merged[-1] if merged else None
        if last is not None and last.thin and chunk.thin:
            records = last.records + chunk.records
            if len(records) <= CHUNK * RECORD:
                merged[-1] = Chunk(last.trail, last.calls, records, thin=True)
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
    return Chunk(chunk.trail, chunk.calls, packed(kept), thin=True)


def derive(
    past: Past,
    tail: bytes,
    late: Sequence[Spot],
    claims: tuple[Claim, ...],
    since: Ms,
    vehicle_id: Id,
    now: Ms,
    limits: Limits,
    rule: VisitRule,
) -> Derived:
    """Work out again what has happened since `since`, with positions that came late."""
    whole = [*past.chunks, Chunk(past.trail, past.calls, tail)]
    first = _chunk_before(whole, since)
    start = whole[first]
    several = sorted({*late, *(s for c in whole[first:] for s in spots(c.records))})
    calls = with_claims(start.calls, claims)
    pieces, good, wrong, trail = _sifted(start.trail, several, limits)
    chunks: list[Chunk] = []
    thin = [c for c in whole[first:] if c.thin]
    thin_until = at(thin[-1].records, -1).ts if thin else 0
    visits: dict[str, Visit] = {}
    last, earlier = start.trail.last, start.trail.before
    taken = iter(good)
    spot = next(taken, None)
    for piece_trail, piece in pieces:
        thin_piece = piece[0].ts < thin_until
        chunks.append(Chunk(piece_trail, unlooked(calls), packed(piece), thin_piece))
        while spot is not None and spot <= piece[-1]:
            way = partial(Trail, last, earlier)
            elapsed_ms = 0 if last is None else spot.ts - last.ts
            calls, found = follow(
                calls, lambda: claims, way, spot, elapsed_ms, vehicle_id, now, rule
            )
            visits.update((v.visit_id, v) for v in found)
            last, earlier = spot, last
            spot = next(taken, None)
    _add_open(visits, calls, vehicle_id, now, rule)
    tail = b""
    after = Past((*whole[:first], *chunks), trail, unlooked(calls), past.told, past.roam)
    if chunks and not trail.strays and len(chunks[-1].records) < CHUNK * RECORD:
        open_ = chunks[-1]
        tail = open_.records
        before = (*whole[:first], *chunks[:-1])
        after = Past(before, open_.trail, open_.calls, past.told, past.roam)
    settled_at = 0 if start.trail.last is None else start.trail.last.ts
    times = tuple(s.ts for s in late)
    return Derived(after, tail, trail, calls, visits, settled_at, thin_until, times, wrong)


def _add_open(
    visits: dict[str, Visit], calls: Calls, vehicle_id: Id, now: Ms, rule: VisitRule
) -> None:
    """Visits that go on: those that began before all that was worked out are not among it."""
    for stay in calls.stays:
        if stay.proof:
            visit = visit_of(vehicle_id, replace(stay, beyond=0), now, rule)
            held = visits.get(visit.visit_id)
            if held is None or held.departed_at is not None:
                visits[visit.visit_id] = visit


def _chunk_before(chunks: Sequence[Chunk], since: Ms) -> int:
    """The chunk to begin with: one before that of `since`, because a later position can prove the
    last good one before it wrong."""
    place = 0
    for n, chunk in enumerate(chunks):
        if chunk.records and at(chunk.records, 0).ts <= since:
            place = n
    return max(place - 1, 0)


def _sifted(
    trail: Trail, several: list[Spot], limits: Limits
) -> tuple[list[tuple[Trail, list[Spot]]], list[Spot], list[Verdict], Trail]:
    """The positions in pieces, each with the trail before it and cut where no stray waits; the good
    ones; and the trail at the end."""
    pieces: list[tuple[Trail, list[Spot]]] = []
    good: list[Spot] = []
    wrong: list[Verdict] = []
    begin, place = 0, 0
    before = trail
    for place, spot in enumerate(several, start=1):
        trail = judge(trail, spot, good, wrong, limits)
        if place - begin >= CHUNK and not trail.strays:
            pieces.append((before, several[begin:place]))
            begin, before = place, trail
    if begin < len(several):
        pieces.append((before, several[begin:]))
    return pieces, good, wrong, trail


def with_claims(calls: Calls, claims: tuple[Claim, ...]) -> Calls:
    """The calls under new claims: a stay that is no visit yet goes with its claim, one that is
    lives to its departure."""
    by_key = {(c.key, c.stop.fence): c for c in claims}
    stays = []
    for stay in calls.stays:
        claim = by_key.get((stay.key, stay.claim.stop.fence))
        if claim is not None:
            stays.append(replace(stay, claim=claim))
        elif stay.proof:
            stays.append(replace(stay, claim=replace(stay.claim, rivals=())))
    return unlooked(replace(calls, stays=tuple(stays)))
