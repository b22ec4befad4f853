"""Visits that nobody saw: what lies between positions far apart in time.

How this works. Between two positions the vehicle took some way at some pace; the time this does
not explain it stood somewhere. Where that is long, and most of the time there is, and one planned
fence lies on the way, it is taken to have stood there; the share is greater where no position lies
inside. Where one inside reported standing, the share alone is enough, if it is an ordinary dwell:
at a red light a vehicle stands, too, but then the way and the light explain the time. Where it was
seen in one place for long, an ordinary dwell is enough.

While it is silent only the beginning is known: then it is presumed to be where it was last seen to
stand.
"""

from __future__ import annotations

from collections.abc import Iterable

from geo.claims import Claim
from geo.distance import metres
from geo.fences import edge_m
from geo.model import Evidence, Id, Ms, Visit
from geo.proof import VisitRule, hidden, way_ms
from geo.spots import Spot
from geo.visits import INFERRED, Stay, confidence, evidence_of, last_stand_ms, nearest_of, visit_at


def inferred_from(
    vehicle_id: Id, stay: Stay, spot: Spot, edge: float, now: Ms, rule: VisitRule
) -> Visit | None:
    """What an unproven stay was after all, now that `spot` lies beyond the exit edge."""
    if stay.came_from is None and stay.first_ts == stay.last.ts:
        return None  # The first known of it, and a single one: that, or its clock, may be wrong.
    last, pace = stay.last, stay.pace_mps
    way_m = metres(last.lat, last.lon, spot.lat, spot.lon)
    more = hidden(way_m, spot.ts - last.ts, pace, rule)
    hidden_ms, gaps_ms = stay.hidden_ms + more[0], stay.gaps_ms + more[1]
    if hidden_ms < _asked_ms(stay, gaps_ms, rule):
        return None
    left_at = spot.ts - way_ms(max(edge, 0.0), pace, rule)
    departed_at = max(left_at, stay.last.ts, stay.arrived_at + 1)
    since = stay.first_ts if stay.came_from is None else stay.came_from.ts
    evidence = evidence_of(INFERRED, stay, since, spot.ts)
    return visit_at(vehicle_id, stay.claim, stay.arrived_at, departed_at, evidence, now)


def presumed(vehicle_id: Id, stays: Iterable[Stay], now: Ms, rule: VisitRule) -> list[Visit]:
    """Where a vehicle that is silent is taken to be: inside, and standing there by two positions
    when it was heard last (one may be of a light, and the whole feed be down). Its next position
    will tell."""
    return [
        visit_at(
            vehicle_id,
            stay.claim,
            stay.arrived_at,
            None,
            evidence_of(INFERRED, stay, stay.first_ts, stay.last.ts),
            now,
        )
        for stay in stays
        if not stay.proof and _stood_last(stay, rule)
    ]


def is_presumed(told: Visit) -> bool:
    return told.inferred and told.departed_at is None


def _stood_last(stay: Stay, rule: VisitRule) -> bool:
    claim, last = stay.claim, stay.last
    if stay.left_at or last.speed > rule.still_mps or not last_stand_ms(stay):
        return False
    return claim.since - rule.back_ms <= last.ts < claim.until


def inferred_between(
    vehicle_id: Id,
    claim: Claim,
    ends: tuple[Spot, Spot],
    nearest: float,
    pace_mps: float,
    now: Ms,
    rule: VisitRule,
) -> Visit | None:
    """A visit between two positions of which neither lies inside, if the time for it is there."""
    (a, b), stop = ends, claim.stop
    way_m = metres(a.lat, a.lon, b.lat, b.lon)
    hidden_ms, gaps_ms = hidden(way_m, b.ts - a.ts, pace_mps, rule, ends=2)
    if hidden_ms < max(rule.infer_ms, rule.unseen_share * gaps_ms):
        return None
    arrived_at = a.ts + way_ms(max(edge_m(stop.fence, a.lat, a.lon), 0.0), pace_mps, rule)
    departed_at = b.ts - way_ms(max(edge_m(stop.fence, b.lat, b.lon), 0.0), pace_mps, rule)
    if departed_at <= arrived_at:
        return None
    evidence = Evidence(INFERRED, 0, a.ts, b.ts, nearest_of(stop, nearest), confidence(0))
    return visit_at(vehicle_id, claim, arrived_at, departed_at, evidence, now)


def _asked_ms(stay: Stay, gaps_ms: Ms, rule: VisitRule) -> float:
    """How much must be unexplained: the less, the more was seen of the standing."""
    stood_ms = last_stand_ms(stay)
    if stood_ms >= rule.sparse_ms:
        return rule.dwell_ms
    least_ms = rule.infer_ms - stood_ms, rule.infer_share * gaps_ms
    return max(rule.dwell_ms, min(least_ms)) if stay.stood else max(least_ms)
