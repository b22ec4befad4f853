"""Ways that a vehicle went without the positions it usually gives: what is missing of a device that
does not number its pings.

How this works. A device's usual interval is the upper quartile of those it left lately. Between
two neighbouring positions the vehicle drove at least for as long as the way takes on a motorway;
where that is many usual intervals, positions are missing, at least so many. So a parked vehicle
makes no lull however long its device keeps quiet, and neither does a device that reports on
change: what counts is the way, not the time. Price: a slow way, or one that led back, is not
noticed; and a tunnel of some kilometres is.

Positions are looked at when 64 have come together and when the vehicle falls silent. Only where an
interval is long are they judged (`geo/cleaning.py`), so that most cost the difference of two times.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from geo.cleaning import Limits, Trail, Verdict, judge
from geo.distance import metres
from geo.model import Count, Ms
from geo.past import Past
from geo.spots import Spot, at, spots, times

ENOUGH = 8
"""Intervals from which one can say what is usual."""
LEAST_MS = 1_000
"""A usual interval is not taken for shorter: times in whole seconds may repeat."""


class GapRule(Struct, frozen=True):
    """When pings are missing."""

    gap_wait_ms: int = 900_000
    """15 minutes, as long as a vehicle may be silent: what was stored in a blind area may come."""
    gap_times: float = 5.0
    """So many usual intervals on the way are no longer chance: two or three are a bad sky."""
    gap_least_ms: int = 120_000
    """At the pace below 3 km, longer than all but few tunnels of roads."""
    gap_mps: float = 90 / 3.6
    """What a lorry drives on a motorway, so that the way took at least as long."""


class Lull(Struct, frozen=True, gc=False, array_like=True):
    """A way without positions."""

    since: Ms
    until: Ms
    usual_ms: Ms
    missing: Count
    """So many at least."""
    due_at: Ms | None
    """When to tell of it; None while there is nothing new."""
    told: Count = 0
    """So many were missing when it was last told; 0: it was not told yet."""


def lulls(
    seen: Ms, usual_ms: Ms, past: Past, tail: bytes, now: Ms, limits: Limits, rule: GapRule
) -> tuple[Ms, Ms, list[Lull]]:
    """Up to where positions were looked at, what is usual, and the lulls among those after `seen`.
    Nothing changes while too few are known to say what is usual."""
    trail, records = _unseen(past, tail, seen)
    taken = times(records)
    before = [] if trail.last is None else [trail.last.ts]
    intervals = sorted(b - a for a, b in pairwise([*before, *taken]))
    if len(intervals) >= ENOUGH:
        usual_ms = max(intervals[3 * len(intervals) // 4], LEAST_MS)
    if not usual_ms or not taken:
        return seen, usual_ms, []
    new: list[Lull] = []
    if intervals and intervals[-1] >= _long_ms(usual_ms, rule):
        for a, b in pairwise(_good(trail, spots(records), limits)):
            count = _missing(a, b, usual_ms, rule)
            if count and b.ts > seen:
                new.append(Lull(a.ts, b.ts, usual_ms, count, now + rule.gap_wait_ms))
    return taken[-1], usual_ms, new


def again(lull: Lull, past: Past, tail: bytes, now: Ms, rule: GapRule) -> Lull | None:
    """The lull with the positions that are remembered now; None if none is missing and nobody was
    told of it."""
    within = _between(past, tail, lull.since, lull.until)
    usual_ms = lull.usual_ms
    missing = sum(_missing(a, b, usual_ms, rule) for a, b in pairwise(within))
    if missing >= lull.missing or len(within) <= 2:  # Nothing new, or it was thinned since.
        return lull
    if not lull.told:
        return replace(lull, missing=missing) if missing else None
    due_at = now if not missing else lull.due_at or now + rule.gap_wait_ms
    return replace(lull, missing=missing, due_at=due_at)


def _unseen(past: Past, tail: bytes, seen: Ms) -> tuple[Trail, bytes]:
    """Records from the first chunk that holds any position after `seen`, and the trail before
    them."""
    trail, records = past.trail, tail
    for chunk in reversed(past.chunks):
        if at(chunk.records, -1).ts <= seen:
            break
        trail, records = chunk.trail, chunk.records + records
    return trail, records


def _between(past: Past, tail: bytes, since: Ms, until: Ms) -> list[Spot]:
    records = [chunk.records for chunk in past.chunks]
    near = (r for r in (*records, tail) if r and at(r, 0).ts <= until and at(r, -1).ts >= since)
    return [spot for r in near for spot in spots(r) if since <= spot.ts <= until]


def _good(trail: Trail, several: Sequence[Spot], limits: Limits) -> list[Spot]:
    """Those that are positions, after the last one before them."""
    good = [trail.last] if trail.last is not None else []
    wrong: list[Verdict] = []
    for spot in several:
        trail = judge(trail, spot, good, wrong, limits)
    return good


def _long_ms(usual_ms: Ms, rule: GapRule) -> float:
    return max(rule.gap_times * usual_ms, rule.gap_least_ms)


def _missing(a: Spot, b: Spot, usual_ms: Ms, rule: GapRule) -> Count:
    """How many positions are missing between two, at least."""
    elapsed_ms = b.ts - a.ts
    if elapsed_ms < _long_ms(usual_ms, rule):
        return 0
    way_ms = min(metres(a.lat, a.lon, b.lat, b.lon) * 1000.0 / rule.gap_mps, elapsed_ms)
    return int(way_ms / usual_ms) - 1 if way_ms >= _long_ms(usual_ms, rule) else 0
