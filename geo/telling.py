"""What was told of a vehicle's visits against what is known now: the difference is what to tell."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from geo.model import Ms, Visit
from geo.past import Derived

Told = tuple[Visit, ...]


def told_after(told: Told, visits: Iterable[Visit]) -> tuple[Told, list[Visit]]:
    """The visits told after these, punctual ones, and what to tell."""
    by_id = {v.visit_id: v for v in told}
    says: list[Visit] = []
    for visit in visits:
        held = by_id.get(visit.visit_id)
        says += _first(visit) if held is None else [_again(visit, held)]
        by_id[visit.visit_id] = says[-1]
    return tuple(by_id.values()), says


def _first(visit: Visit) -> list[Visit]:
    """A visit of which nothing was told: its arrival, then, if it is over already, its departure."""
    if visit.departed_at is None:
        return [replace(visit, version=1)]
    return [replace(visit, version=1, departed_at=None), replace(visit, version=2)]


def _again(visit: Visit, held: Visit) -> Visit:
    return replace(visit, version=held.version + 1, supersedes=held.supersedes)


def difference(made: Derived, now: Ms) -> tuple[Told, list[Visit]]:
    """The visits told after all was worked out again, and what to tell: new, changed and retracted
    ones."""
    told = {v.visit_id: v for v in made.past.told}
    known = dict(made.visits)
    gone = [
        v
        for v in told.values()
        if v.visit_id not in known and (v.departed_at is None or v.departed_at >= made.settled_at)
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
            del told[instead.visit_id]
            visit = replace(visit, supersedes=instead.visit_id)
        says += _first(visit)
        told[visit_id] = says[-1]
    for visit in gone:
        del told[visit.visit_id]
        says.append(replace(visit, version=visit.version + 1, reported_at=now, retracted=True))
    return tuple(told.values()), says


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
