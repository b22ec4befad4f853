"""What has happened since some time, worked out again from the positions that are remembered."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from geo.calls import Calls, follow, unlooked
from geo.claims import Claim
from geo.cleaning import Limits, Reason, Trail, Verdict, judge, name
from geo.model import Id, Ms, Visit
from geo.motion import MotionRule, Move, Roam, roam_on
from geo.past import CHUNK, Chunk, Past
from geo.proof import VisitRule
from geo.spots import RECORD, Spot, at, packed, spots
from geo.visits import visit_of


class Roaming(Struct, frozen=True):
    """Halts and trips worked out again: from `begin` to `end`, both None if they were not."""

    chunks: tuple[Chunk, ...]
    begin: Roam | None = None
    end: Roam | None = None
    found: list[Move] = []


class Sifted(Struct, frozen=True):
    pieces: list[tuple[Trail, list[Spot]]]
    """Each with the trail before it, cut where no stray waits."""
    good: list[Spot]
    wrong: list[Verdict]
    trail: Trail
    """At the end."""


class Derived(Struct, frozen=True):
    past: Past
    tail: bytes
    trail: Trail
    calls: Calls
    visits: dict[str, Visit]
    """Those of which anything was worked out again, by id."""
    roaming: Roaming
    settled_at: Ms
    """What ended before this was not looked at."""
    thin_until: Ms
    """Before this some positions were left out."""
    new: tuple[Ms, ...]
    """Times of the positions that were not among them before."""
    refused: dict[Spot, Reason]
    """The positions that are none, of those looked at."""
    refused_before: frozenset[Spot]
    """The same without the new ones."""


def derive(
    past: Past,
    tail: bytes,
    new: Sequence[Spot],
    claims: tuple[Claim, ...],
    since: Ms,
    vehicle_id: Id,
    now: Ms,
    limits: Limits,
    rule: VisitRule,
    motion: MotionRule | None,
) -> Derived:
    """Work out again what has happened since `since`, with the `new` positions among the others.
    `motion` is None where an order asks for the vehicle: its halts and trips are not looked at."""
    whole = [*past.chunks, Chunk(past.trail, past.calls, tail, False, past.roam)]
    first = _chunk_before(whole, since)
    start, again = whole[first], whole[first:]
    known = {s for c in again for s in spots(c.records)}
    sifted = _sifted(start.trail, sorted(known.union(new)), limits)
    thin = [c for c in again if c.thin]
    thin_until = at(thin[-1].records, -1).ts if thin else 0
    calls = with_claims(start.calls, claims)
    chunks, calls, visits = _followed(
        sifted, start.trail, calls, claims, thin_until, vehicle_id, now, rule
    )
    roaming = _roaming(again, chunks, sifted.good, vehicle_id, motion)
    trail = sifted.trail
    after = Past(
        (*whole[:first], *roaming.chunks),
        trail,
        calls,
        past.told,
        roaming.end,
        past.moves,
        past.gone,
    )
    after, tail = _opened(after)
    return Derived(
        after,
        tail,
        trail,
        calls,
        visits,
        roaming,
        0 if start.trail.last is None else start.trail.last.ts,
        thin_until,
        tuple(s.ts for s in new),
        _refused(sifted, limits),
        _refused_before(start.trail, sorted(known.difference(new)), limits) if new else frozenset(),
    )


def _followed(
    sifted: Sifted,
    way: Trail,
    calls: Calls,
    claims: tuple[Claim, ...],
    thin_until: Ms,
    vehicle_id: Id,
    now: Ms,
    rule: VisitRule,
) -> tuple[list[Chunk], Calls, dict[str, Visit]]:
    """The chunks, each with the calls before it, the calls at the end, and the visits by id."""
    chunks: list[Chunk] = []
    visits: dict[str, Visit] = {}
    last, earlier = way.last, way.before
    taken = iter(sifted.good)
    spot = next(taken, None)

    def asked() -> tuple[Claim, ...]:
        return claims

    for trail, piece in sifted.pieces:
        chunks.append(Chunk(trail, unlooked(calls), packed(piece), piece[0].ts < thin_until))
        while spot is not None and spot <= piece[-1]:
            before = partial(Trail, last, earlier)
            elapsed_ms = 0 if last is None else spot.ts - last.ts
            calls, found = follow(calls, asked, before, spot, elapsed_ms, vehicle_id, now, rule)
            visits.update((v.visit_id, v) for v in found)
            last, earlier = spot, last
            spot = next(taken, None)
    _add_open(visits, calls, vehicle_id, now, rule)
    return chunks, calls, visits


def _opened(past: Past) -> tuple[Past, bytes]:
    """The last chunk is the tail, if there is room in it and nothing waits."""
    last = past.chunks[-1] if past.chunks else None
    if last is None or past.trail.strays or len(last.records) >= CHUNK * RECORD:
        return past, b""
    before = past.chunks[:-1]
    opened = Past(before, last.trail, last.calls, past.told, last.roam, past.moves, past.gone)
    return opened, last.records


def _roaming(
    before: Sequence[Chunk],
    chunks: list[Chunk],
    good: list[Spot],
    vehicle_id: Id,
    rule: MotionRule | None,
) -> Roaming:
    """Halts and trips again, from where no order had asked for the vehicle any more."""
    busy = [n for n, chunk in enumerate(before) if chunk.roam is None]
    place = busy[-1] + 1 if busy else 0
    if rule is None or place == len(before):
        return Roaming(tuple(chunks))
    begin = before[place].roam
    last = before[place].trail.last
    since = last.ts if last is not None and place else 0
    roam, made, found, taken = None, list[Chunk](), list[Move](), 0
    for chunk in chunks:
        if roam is None and at(chunk.records, 0).ts >= since:
            roam = begin
        made.append(replace(chunk, roam=roam))
        end = bisect_right(good, at(chunk.records, -1))
        if roam is not None:
            roam, more = roam_on(roam, vehicle_id, good[taken:end], rule)
            found += more
        taken = end
    return Roaming(tuple(made), begin, roam, found)


def _refused_before(trail: Trail, several: list[Spot], limits: Limits) -> frozenset[Spot]:
    return frozenset(_refused(_sifted(trail, several, limits), limits))


def _refused(sifted: Sifted, limits: Limits) -> dict[Spot, Reason]:
    """Those proven wrong, and those that wait: these count as refused so far."""
    waiting = dict.fromkeys(sifted.trail.strays, name(sifted.trail, limits))
    return {v.spot: v.reason for v in sifted.wrong} | waiting


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


def _sifted(trail: Trail, several: list[Spot], limits: Limits) -> Sifted:
    pieces: list[tuple[Trail, list[Spot]]] = []
    good: list[Spot] = []
    wrong: list[Verdict] = []
    begin, before = 0, trail
    for place, spot in enumerate(several, start=1):
        trail = judge(trail, spot, good, wrong, limits)
        if place - begin >= CHUNK and not trail.strays:
            pieces.append((before, several[begin:place]))
            begin, before = place, trail
    if begin < len(several):
        pieces.append((before, several[begin:]))
    return Sifted(pieces, good, wrong, trail)


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
    keys = {claim.key for claim in claims}
    seen = tuple(key for key in calls.seen if key in keys)
    return unlooked(replace(calls, stays=tuple(stays), seen=seen))
