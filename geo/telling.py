"""What was told of visits and pings against what is known now: the difference is to be told."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from geo.cleaning import Limits, Reason
from geo.derive import Derived
from geo.model import Id, Ms, Revised, Visit
from geo.motion import Move, Roam
from geo.moves import moves_after
from geo.past import Gone
from geo.spots import Spot, ping_of

Told = tuple[Visit, ...]

GONE = 64
"""Visits of one vehicle that stand no longer, remembered for their versions."""


def told_after(
    told: Told, gone: Sequence[Gone], visits: Iterable[Visit]
) -> tuple[Told, list[Visit]]:
    """The visits told after these, punctual ones, and what to tell. `gone` were told before."""
    by_id = {v.visit_id: v for v in told}
    says: list[Visit] = []
    for visit in visits:
        held = by_id.get(visit.visit_id)
        says += _first(visit, gone) if held is None else [_again(visit, held)]
        by_id[visit.visit_id] = says[-1]
    return tuple(by_id.values()), says


def _first(visit: Visit, gone: Iterable[Gone]) -> list[Visit]:
    """A visit that is not told: its arrival, then, if it is over, its departure. One that was told
    and went goes on counting, or whoever keeps the highest version would miss its return."""
    n = 1 + max((g.version for g in gone if g.visit_id == visit.visit_id), default=0)
    if visit.departed_at is None:
        return [replace(visit, version=n)]
    return [replace(visit, version=n, departed_at=None), replace(visit, version=n + 1)]


def _again(visit: Visit, held: Visit) -> Visit:
    return replace(visit, version=held.version + 1, supersedes=held.supersedes)


def difference(made: Derived, now: Ms) -> tuple[Told, tuple[Gone, ...], list[Visit]]:
    """The visits told after all was worked out again, those told that stand no longer, and what to
    tell: new, changed and retracted ones."""
    went: list[Visit] = []
    told = {v.visit_id: v for v in made.past.told}
    standing = [v for v in told.values() if _stands(v, made)]
    known = {
        v.visit_id: v
        for v in (_as_told(v, told.values(), made) for v in made.visits.values())
        if _counterpart(v, standing) is None
    }
    gone = [
        v
        for v in told.values()
        if v.visit_id not in known
        and v not in standing
        and (v.departed_at is None or v.departed_at >= made.settled_at)
    ]
    says: list[Visit] = []
    for visit_id, visit in known.items():
        held = told.get(visit_id)
        if held is not None:
            if _says_other(visit, held):
                says.append(_again(visit, held))
                told[visit_id] = says[-1]
            else:
                told[visit_id] = replace(held, evidence=visit.evidence)
            continue
        instead = _counterpart(visit, gone)
        if instead is not None:
            gone.remove(instead)
            went.append(told.pop(instead.visit_id))
            visit = replace(visit, supersedes=instead.visit_id)
        says += _first(visit, made.past.gone)
        told[visit_id] = says[-1]
    for visit in gone:
        del told[visit.visit_id]
        says.append(replace(visit, version=visit.version + 1, reported_at=now, retracted=True))
        went.append(says[-1])
    return tuple(_unreplaced(told)), _gone_after(made.past.gone, went, told), says


def _unreplaced(told: Mapping[str, Visit]) -> Iterator[Visit]:
    """The visits; one told instead of another that stands again is no longer instead of it."""
    for visit in told.values():
        yield replace(visit, supersedes=None) if visit.supersedes in told else visit


def _gone_after(
    gone: Iterable[Gone], went: Iterable[Visit], told: Container[str]
) -> tuple[Gone, ...]:
    versions = {g.visit_id: g.version for g in gone if g.visit_id not in told}
    for visit in went:
        versions.pop(visit.visit_id, None)
        versions[visit.visit_id] = visit.version
    return tuple(Gone(*each) for each in list(versions.items())[-GONE:])


def moves_told(made: Derived, vehicle_id: Id) -> tuple[tuple[Move, ...], list[Move]]:
    """The halts, trips and speeding told after all was worked out again, and what to tell."""
    told, roaming = made.past.moves, made.roaming
    if roaming.begin is None:
        return told, []
    return moves_after(
        told,
        roaming.begin,
        roaming.end or Roam(),
        roaming.found,
        vehicle_id,
        made.thin_until,
        made.new,
    )


def revised(made: Derived, vehicle_id: Id, now: Ms, limits: Limits) -> list[Revised]:
    """The pings on which the new positions change the verdict, and new ones that are none."""
    if not made.new:
        return []
    kmh = f"{limits.max_mps * 3.6:.0f} km/h"
    detail = f"not to be reached from the positions around it at {kmh}"
    says = [
        _verdict(each, vehicle_id, reason, detail, now)
        for each, reason in made.refused.items()
        if each not in made.refused_before
    ]
    detail = "refused before, and a position: the ones that came later agree with it"
    says += (
        _verdict(each, vehicle_id, Reason.REINSTATED, detail, now)
        for each in sorted(made.refused_before.difference(made.refused))
    )
    return says


def _verdict(each: Spot, vehicle_id: Id, reason: Reason, detail: str, now: Ms) -> Revised:
    return Revised(vehicle_id, ping_of(each, vehicle_id), reason, detail, now)


CLOSE_MS = 600_000
"""A late position so near a visit in time may say something about it."""
BLUR_MS = 120_000
"""Twice the time between two positions that were left."""


def _stands(told: Visit, made: Derived) -> bool:
    """Whether a visit is not to be judged again: it was told from more positions than there are
    now, and none of it came late."""
    begin, end = told.arrived_at, told.departed_at
    if end is None or end >= made.thin_until:
        return False
    return not any(begin - CLOSE_MS <= ts <= end + CLOSE_MS for ts in made.new)


def _as_told(visit: Visit, told: Iterable[Visit], made: Derived) -> Visit:
    """The visit with the times that were told, where they can no longer be told as exactly."""
    if visit.arrived_at >= made.thin_until:
        return visit
    for held in told:
        same = (held.order_id, held.stop_id) == (visit.order_id, visit.stop_id)
        if same and abs(held.arrived_at - visit.arrived_at) <= BLUR_MS:
            departed_at = visit.departed_at
            if departed_at is not None and held.departed_at is not None:
                close = abs(held.departed_at - departed_at) <= BLUR_MS
                blurred = departed_at < made.thin_until
                departed_at = held.departed_at if close and blurred else departed_at
            return replace(
                visit,
                visit_id=held.visit_id,
                arrived_at=held.arrived_at,
                departed_at=departed_at,
            )
    return visit


def _says_other(visit: Visit, held: Visit) -> bool:
    return (visit.departed_at, visit.inferred, visit.role) != (
        held.departed_at,
        held.inferred,
        held.role,
    )


def _counterpart(visit: Visit, gone: Iterable[Visit]) -> Visit | None:
    """The visit no longer true that this one is instead of: at the same stop, at the same time."""
    same = [
        v
        for v in gone
        if (v.order_id, v.stop_id) == (visit.order_id, visit.stop_id) and _overlap(v, visit)
    ]
    return min(same, key=lambda v: abs(v.arrived_at - visit.arrived_at), default=None)


def _overlap(a: Visit, b: Visit) -> bool:
    return (a.departed_at is None or a.departed_at >= b.arrived_at) and (
        b.departed_at is None or b.departed_at >= a.arrived_at
    )
