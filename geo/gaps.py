"""Pings that did not come: what a vehicle's gaps are, and when to tell of them.

How this works. `geo/sequence.py` finds holes in the numbers of a sender that counts its pings,
`geo/lulls.py` ways without the positions a device usually gives, for those that do not count.
Either is told once it has lasted for `gap_wait_ms`, because a vehicle that comes out of a blind
area sends what it has stored; and told again when its pings come after that. Both are found by the
times and numbers of the pings, never by the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from geo.cleaning import Limits, Reason
from geo.lulls import GapRule, Lull, again, lulls
from geo.model import Count, Gap, GapBy, Id, Ms, Ping, Rejected, VehicleFact
from geo.past import Past
from geo.sequence import Hole, Run, Runs, bounded, newest, numbered, without_old

TIMED = frozenset({Reason.DUPLICATE, Reason.IMPLIED_SPEED, Reason.SECOND_DEVICE})
"""Reasons for which a ping is refused though its time is right."""
LULLS = 16
"""Of one vehicle, remembered at once."""


class Gaps(Struct, frozen=True, gc=False, array_like=True):
    """What is missing of one vehicle."""

    runs: Runs = ()
    lulls: tuple[Lull, ...] = ()
    due_at: Ms | None = None
    """When there is something to tell."""
    seen: Ms = 0
    """Up to here positions were looked at for lulls."""
    usual_ms: Ms = 0
    """What the device usually leaves between two positions; 0: not known yet."""


def counted(
    gaps: Gaps | None, ping: Ping, facts: Sequence[VehicleFact], now: Ms, rule: GapRule
) -> tuple[Gaps, Sequence[VehicleFact]]:
    """After a ping with a number, of which `facts` were said. A refused one has come as well; where
    its time may be wrong, it counts as of the last one's."""
    assert ping.seq is not None
    gaps = gaps or Gaps()
    ts = ping.ts
    if any(isinstance(fact, Rejected) and fact.reason not in TIMED for fact in facts):
        last = newest(gaps.runs, ping.source)
        if last is None:
            return gaps, ()
        ts = last.until
    runs = numbered(gaps.runs, ping.source, ping.seq, ts, now + rule.gap_wait_ms)
    if runs is gaps.runs:
        return gaps, ()
    if len(runs) == len(gaps.runs) and runs[-1].holes is gaps.runs[-1].holes:
        return Gaps(runs, gaps.lulls, gaps.due_at, gaps.seen, gaps.usual_ms), ()
    runs, lost = bounded(runs)
    told = [_gap_of(ping.vehicle_id, source, hole, now) for source, hole in lost]
    return _due(replace(gaps, runs=runs)), told


def overdue(gaps: Gaps, vehicle_id: Id, source: Id | None, now: Ms) -> tuple[Gaps, list[Gap]]:
    """After telling what is due; `source` is that of the vehicle's last position."""
    said: list[Gap] = []
    runs = tuple(_run_told(run, vehicle_id, now, said) for run in gaps.runs)
    kept = tuple(_lulls_told(gaps.lulls, vehicle_id, source, now, said))
    return _due(replace(gaps, runs=without_old(runs), lulls=kept)), said


def looked(
    gaps: Gaps | None,
    past: Past,
    tail: bytes,
    last: Ping,
    now: Ms,
    limits: Limits,
    rule: GapRule,
) -> tuple[Gaps | None, Sequence[Gap]]:
    """After looking at the positions, up to `last`, that nobody had looked at. Who counts its pings
    is not judged by their rate."""
    held = gaps or Gaps()
    if held.runs:
        return gaps, ()
    seen, usual_ms, new = lulls(held.seen, held.usual_ms, past, tail, now, limits, rule)
    if seen == held.seen:
        return gaps, ()
    both = (*held.lulls, *new)
    over = [replace(lull, due_at=now) for lull in both[:-LULLS] if not lull.told]
    said: list[Gap] = []
    for _ in _lulls_told(over, last.vehicle_id, last.source, now, said):
        pass  # Too many to wait for what may still come.
    return _due(Gaps((), both[-LULLS:], None, seen, usual_ms)), said


def refilled(gaps: Gaps | None, past: Past, tail: bytes, now: Ms, rule: GapRule) -> Gaps | None:
    """After positions came late: some may lie where positions were missing."""
    if gaps is None or not gaps.lulls:
        return gaps
    now_known = (again(lull, past, tail, now, rule) for lull in gaps.lulls)
    return _due(replace(gaps, lulls=tuple(lull for lull in now_known if lull is not None)))


def _due(gaps: Gaps) -> Gaps:
    holes = (hole.due_at for run in gaps.runs for hole in run.holes)
    times = [ts for ts in (*holes, *(lull.due_at for lull in gaps.lulls)) if ts is not None]
    return replace(gaps, due_at=min(times, default=None))


def _run_told(run: Run, vehicle_id: Id, now: Ms, said: list[Gap]) -> Run:
    if not any(_is_due(hole.due_at, now) for hole in run.holes):
        return run
    kept: list[Hole] = []
    for hole in run.holes:
        if _is_due(hole.due_at, now):
            said.append(_gap_of(vehicle_id, run.source, hole, now))
            hole = replace(hole, due_at=None, told=hole.missing)
        if hole.numbers:
            kept.append(hole)
    return replace(run, holes=tuple(kept))


def _lulls_told(
    several: Iterable[Lull], vehicle_id: Id, source: Id | None, now: Ms, said: list[Gap]
) -> Iterator[Lull]:
    for lull in several:
        if not _is_due(lull.due_at, now):
            yield lull
            continue
        by, told, missing = GapBy.RATE, lull.told, lull.missing
        said.append(_gap(vehicle_id, by, source, lull.since, lull.until, missing, told, now))
        if missing:
            yield replace(lull, due_at=None, told=missing)


def _is_due(due_at: Ms | None, now: Ms) -> bool:
    return due_at is not None and due_at <= now


def _gap_of(vehicle_id: Id, source: Id | None, hole: Hole, now: Ms) -> Gap:
    by, told, missing = GapBy.SEQUENCE, hole.told, hole.missing
    return _gap(vehicle_id, by, source, hole.since, hole.until, missing, told, now)


def _gap(
    vehicle_id: Id,
    by: GapBy,
    source: Id | None,
    since: Ms,
    until: Ms,
    missing: Count,
    told: Count,
    now: Ms,
) -> Gap:
    came = told - missing if told else 0
    return Gap(vehicle_id, by, since, until, missing, now, came, source)
