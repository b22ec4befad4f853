"""When is a vehicle at a stop? One `Stay` per stop it is inside of, moved along by each position.

How this works. A stay begins with the first position inside the fence and lasts until one lies
beyond the exit edge; between the two edges nothing begins and nothing ends. It is a *visit* once
something proves that the vehicle came to be there and did not pass by:

- standstill: over the whole dwell its positions kept within `stand_m` of one of them, less the time
  in which it rolled there and off again: a vehicle is within 50 m of a red light for longer than it
  stands at it; and the last of them lies inside: between the edges there are lights, too;
- dwell: it stayed longer than walking through the fence twice would take;
- inferred: it left again unproven, or was never seen inside at all, but between the positions
  outside more time went by than the way can have taken.

A visit ends with a run of positions beyond that lasts; a shorter one, or a return soon after, was
no departure. Arrival and departure are the moments when the enter edge was crossed, worked out
between the positions on both sides of it, so a visit does not look shorter by half a sampling
interval at either end. The clock never begins or ends a visit: a vehicle that is not heard has
proven nothing.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from geo.claims import Claim
from geo.distance import metres
from geo.fences import band_m, edge_m, growth_m
from geo.model import Count, Evidence, Id, Ms, Stop, Visit
from geo.proof import (
    Approach,
    VisitRule,
    drives,
    hidden,
    linger_ms,
    ms_of,
    reach_m,
    speed_on,
    stood_elsewhere,
    stood_ms,
)
from geo.spots import Spot

INFERRED = "inferred"


class Stay(Struct, frozen=True, gc=False, array_like=True):
    """A stay that has begun; `proof` says whether it is a visit yet."""

    claim: Claim
    arrived_at: Ms
    first_ts: Ms
    """Of the first position inside."""
    last: Spot
    """The last one not beyond the exit edge."""
    anchor: Spot
    """Since this one it has not moved."""
    positions: Count
    """Those not beyond the exit edge."""
    nearest_m: float
    came_from: Spot | None = None
    """The last position before the first."""
    pace_mps: float = 0.0
    """How fast it is known to have travelled just before."""
    hidden_ms: Ms = 0
    """Time since then in which it can have stood without being seen to: what the way between two
    positions far apart in time does not explain."""
    gaps_ms: Ms = 0
    """All the time between such positions."""
    stood: bool = False
    """It reported standing while inside."""
    driving: bool = False
    """At the last position it drove: it stands at the earliest from the next one."""
    proof: str = ""
    """The rule that made it a visit; empty: it is none yet."""
    left_at: Ms = 0
    """When it crossed the enter edge outwards; 0 while it is inside."""
    beyond_ts: Ms = 0
    """Of the first position of the present run beyond the exit edge; 0 if there is none."""
    beyond: Count = 0
    """Length of that run."""

    @property
    def key(self) -> tuple[str | None, str]:
        return self.claim.key


def begin(claim: Claim, spot: Spot, edge: float, came: Approach, rule: VisitRule) -> Stay:
    """A stay begun by `spot`, which lies inside."""
    last, stop = came.last, claim.stop
    arrived_at, hidden_ms, gaps_ms = spot.ts, 0, 0
    if last is not None:
        way_m = metres(last.lat, last.lon, spot.lat, spot.lon)
        outside_m, elapsed_ms = edge_m(stop.fence, last.lat, last.lon), spot.ts - last.ts
        stood = stood_elsewhere(stop.fence, outside_m, elapsed_ms, came, rule)
        known = elapsed_ms <= rule.silent_ms or outside_m <= band_m(stop.fence)
        if known and not stood:
            hidden_ms, gaps_ms = hidden(way_m, elapsed_ms, came.pace_mps, rule)
        if outside_m > 0.0:
            speed = speed_on(way_m, last, spot, max(came.pace_mps, last.speed), rule)
            share = outside_m / (outside_m - min(edge, 0.0))
            if stood:
                arrived_at = spot.ts - ms_of((1.0 - share) * way_m, speed)
            else:
                arrived_at = min(last.ts + ms_of(share * way_m, speed), spot.ts)
    return Stay(
        claim,
        arrived_at,
        spot.ts,
        spot,
        spot,
        1,
        nearest_of(stop, edge),
        last,
        came.pace_mps,
        hidden_ms,
        gaps_ms,
        0.0 <= spot.speed <= rule.still_mps,
        last is not None and drives(last, spot, rule),
    )


def stays_on(stay: Stay, spot: Spot, edge: float, rule: VisitRule) -> Stay:
    """After a position that is not beyond the exit edge. Only while it is asked for can it become a
    visit."""
    claim = stay.claim
    inside = edge <= 0.0 or edge <= growth_m(claim.stop.fence, spot.error)
    nearest_m = nearest_of(claim.stop, edge)
    if nearest_m > stay.nearest_m:
        nearest_m = stay.nearest_m
    left_at = 0 if inside else _left_at(stay, spot, edge, rule)
    if stay.proof:
        return _proven(stay, spot, nearest_m, left_at)
    return _unproven(stay, spot, inside, nearest_m, left_at, rule)


def _unproven(
    stay: Stay, spot: Spot, inside: bool, nearest_m: float, left_at: Ms, rule: VisitRule
) -> Stay:
    ts, last, anchor = spot.ts, stay.last, stay.anchor
    moved_m = metres(anchor.lat, anchor.lon, spot.lat, spot.lon)
    driving = drives(last, spot, rule)
    if driving or stay.driving or moved_m > reach_m(spot, ts - anchor.ts, rule):
        anchor, moved_m = spot, 0.0
    hidden_ms, gaps_ms = stay.hidden_ms, stay.gaps_ms
    if ts - last.ts >= rule.sparse_ms:
        way_m = metres(last.lat, last.lon, spot.lat, spot.lon)
        more = hidden(way_m, ts - last.ts, stay.pace_mps, rule)
        hidden_ms, gaps_ms = hidden_ms + more[0], gaps_ms + more[1]
    return Stay(
        stay.claim,
        stay.arrived_at,
        stay.first_ts,
        spot,
        anchor,
        stay.positions + 1,
        nearest_m,
        stay.came_from,
        stay.pace_mps,
        hidden_ms,
        gaps_ms,
        stay.stood or (inside and 0.0 <= spot.speed <= rule.still_mps),
        driving,
        _proof(stay, ts, stood_ms(anchor, last, spot, moved_m, rule) if inside else 0, rule),
        left_at,
    )


def _proof(stay: Stay, ts: Ms, stood_ms: Ms, rule: VisitRule) -> str:
    claim = stay.claim
    if not claim.since - rule.back_ms <= ts < claim.until:
        return ""
    if stood_ms >= rule.dwell_ms:
        return "standstill"
    stayed_ms = ts - stay.first_ts
    if stayed_ms >= rule.linger_ms and stayed_ms >= linger_ms(claim.stop, rule):
        return "dwell"
    return ""


def _proven(stay: Stay, spot: Spot, nearest_m: float, left_at: Ms) -> Stay:
    """A visit goes on: how it came to be one is no longer of interest."""
    return Stay(
        stay.claim,
        stay.arrived_at,
        stay.first_ts,
        spot,
        stay.anchor,
        stay.positions + 1,
        nearest_m,
        stay.came_from,
        stay.pace_mps,
        stay.hidden_ms,
        stay.gaps_ms,
        stay.stood,
        stay.driving,
        stay.proof,
        left_at,
    )


def leaves(stay: Stay, spot: Spot, edge: float, rule: VisitRule) -> tuple[Stay, bool]:
    """After a position beyond the exit edge, of a stay that is a visit; and whether it is over."""
    beyond = stay.beyond + 1
    beyond_ts = stay.beyond_ts or spot.ts
    left_at = stay.left_at or _crossed_at(stay, spot, edge, rule)
    after = replace(stay, left_at=left_at, beyond=beyond, beyond_ts=beyond_ts)
    over = beyond >= rule.leave_positions and spot.ts - beyond_ts >= rule.leave_ms
    return after, over


def _left_at(stay: Stay, spot: Spot, edge: float, rule: VisitRule) -> Ms:
    """Between the edges: when it crossed the inner one, or, where it stays there, now."""
    if not stay.left_at or stay.beyond:
        return _crossed_at(stay, spot, edge, rule)
    return spot.ts if spot.ts - stay.left_at > rule.leave_ms else stay.left_at


def _crossed_at(stay: Stay, spot: Spot, edge: float, rule: VisitRule) -> Ms:
    """When the enter edge was crossed outwards, between the stay's last position and `spot`."""
    last = stay.last
    way_m = metres(last.lat, last.lon, spot.lat, spot.lon)
    inside_m = -min(edge_m(stay.claim.stop.fence, last.lat, last.lon), 0.0)
    outside_m = max(edge, 0.0)
    share = outside_m / (outside_m + inside_m) if outside_m else 0.0
    speed = speed_on(way_m, last, spot, spot.speed, rule)
    return max(spot.ts - ms_of(share * way_m, speed), last.ts)


def last_stand_ms(stay: Stay) -> Ms:
    """Between the first and the last position of the place where it was last."""
    return stay.last.ts - stay.anchor.ts


def visit_of(vehicle_id: Id, stay: Stay, now: Ms, rule: VisitRule) -> Visit:
    """The visit a proven stay is so far; `departed_at` once it is over."""
    over = bool(stay.beyond)
    if not over:
        evidence = evidence_of(stay.proof, stay, stay.first_ts, stay.last.ts)
    else:
        gap_ms = stay.beyond_ts - stay.last.ts
        word = "silent" if gap_ms > rule.silent_ms else "left"
        evidence = evidence_of(word, stay, stay.first_ts, stay.beyond_ts)
    departed_at = max(stay.left_at, stay.arrived_at + 1) if over else None
    return visit_at(vehicle_id, stay.claim, stay.arrived_at, departed_at, evidence, now)


def confidence(positions: int) -> float:
    """Laplace's rule of succession, (n + 1) / (n + 2): n positions at the stop, none against. A
    visit nobody saw has n = 0, and so 0.5."""
    return round((positions + 1) / (positions + 2), 2)


def evidence_of(word: str, stay: Stay, first_ts: Ms, last_ts: Ms) -> Evidence:
    sure = confidence(0 if word == INFERRED else stay.positions)
    return Evidence(word, stay.positions, first_ts, last_ts, stay.nearest_m, sure)


def visit_at(
    vehicle_id: Id,
    claim: Claim,
    arrived_at: Ms,
    departed_at: Ms | None,
    evidence: Evidence,
    now: Ms,
) -> Visit:
    order_id, stop = claim.order_id, claim.stop
    place = stop.stop_id if order_id is None else f"{stop.stop_id}:{order_id}"
    return Visit(
        visit_id=f"{vehicle_id}:{place}:{arrived_at}",
        vehicle_id=vehicle_id,
        stop_id=stop.stop_id,
        role=stop.role,
        arrived_at=arrived_at,
        reported_at=now,
        evidence=evidence,
        departed_at=departed_at,
        order_id=order_id,
        inferred=evidence.rule == INFERRED,
    )


def nearest_of(stop: Stop, edge: float) -> float:
    """From what the fence's distances are measured from; 0 inside an area."""
    return max(edge + stop.fence.enter_m, 0.0)
