"""What proves a visit: the thresholds, and how time and way are weighed."""

from __future__ import annotations

from msgspec import Struct

from geo.distance import metres
from geo.fences import band_m, width_m
from geo.model import Fence, Ms, Stop
from geo.spots import Spot


class VisitRule(Struct, frozen=True):
    """What proves a visit. Values are research/field.md §9 unless they say otherwise."""

    dwell_ms: int = 60_000
    stand_m: float = 50.0
    drift_m: float = 10.0
    """By so much positions of a vehicle that stands may differ; what is more, it has rolled."""
    still_mps: float = 5 / 3.6
    """A reported speed up to this is standing."""
    linger_ms: int = 300_000
    """Tread's fence timer; longer in fences wider than 200 m: see `linger_ms`."""
    walk_mps: float = 5 / 3.6
    coarse_m: float = 200.0
    """A position that may be wrong by more than this (a cell tower, Wi-Fi) proves no presence."""
    leave_ms: int = 60_000
    leave_positions: int = 2
    """Both: at one position a second, two are a single reflection."""
    rejoin_ms: int = 180_000
    """Who is back sooner, and stands there, had not left: the upper end of field.md's dwell, below
    which we would not have believed a visit elsewhere either."""
    pace_mps: float = 18 / 3.6
    """How fast a vehicle is taken to travel, red lights and queues included, where nothing faster
    is known: a city's streets in the daytime."""
    streets_m: float = 1_000.0
    """So near a stop the way is through streets, however fast the vehicle was on the road before:
    lorries leave the motorway for the last kilometre, not at the gate."""
    infer_ms: int = 180_000
    """Unexplained time that makes a stop nobody saw: the longest dwell that field.md has, longer
    than any red light."""
    infer_share: float = 1 / 2
    """Of the time between the positions: what is not explained must outweigh what is."""
    unseen_share: float = 2 / 3
    """The same where no position lies inside: outweigh it twice."""
    sparse_ms: int = 45_000
    """Positions further apart than this need not have been driven between at an even speed. Well
    below a minute: a device that is set to that reports every 50 to 70 s."""
    silent_ms: int = 900_000
    """Who was silent for longer may have been anywhere: nothing is inferred from a way, unless it
    begins at the stop. (A device that comes out of a dead area will send what it remembers.)"""
    back_ms: int = 90 * 60_000
    """A plan may be dated so much later than what it plans, and still be meant for it: the time
    before a pickup at which project44 begins to track (research/field.md §5.1)."""


def linger_ms(stop: Stop, rule: VisitRule) -> float:
    """Longer than walking through the fence and back."""
    return max(rule.linger_ms, 2000.0 * width_m(stop.fence) / rule.walk_mps)


class Approach(Struct, frozen=True, gc=False):
    """What came before a position."""

    last: Spot | None = None
    pace_mps: float = 0.0
    """Between the two positions before it."""
    stood: bool = False
    """At the last it stood: so it says, or, where it does not, so slowly it came there."""
    interval_ms: Ms = 0
    """Between them."""


def approach(last: Spot | None, before: Spot | None, rule: VisitRule) -> Approach:
    if last is None:
        return Approach()
    stood = 0.0 <= last.speed <= rule.still_mps
    if before is None or last.ts <= before.ts:
        return Approach(last, 0.0, stood)
    moved_m = metres(before.lat, before.lon, last.lat, last.lon)
    interval_ms = last.ts - before.ts
    pace_mps = moved_m * 1000.0 / interval_ms
    stood = stood or (last.speed < 0.0 and pace_mps <= rule.still_mps)
    return Approach(last, pace_mps, stood, interval_ms)


def stood_ms(anchor: Spot, last: Spot, spot: Spot, moved_m: float, rule: VisitRule) -> Ms:
    """For how long it stood, of the time since it was at `anchor`: not while it rolled on from
    there, and not up to a position that says that it drives."""
    until = last.ts if spot.speed > rule.still_mps else spot.ts
    rolled_m = moved_m - rule.drift_m
    return until - anchor.ts - (ms_of(rolled_m, rule.still_mps) if rolled_m > 0.0 else 0)


def drives(last: Spot, spot: Spot, rule: VisitRule) -> bool:
    """It says that it drives, and it has: some devices repeat the speed they had before."""
    return spot.speed > rule.still_mps and metres(
        last.lat, last.lon, spot.lat, spot.lon
    ) * 1000.0 > rule.still_mps * (spot.ts - last.ts)


def reach_m(spot: Spot, since_ms: Ms, rule: VisitRule) -> float:
    """How far from where it stood a position may be after so long, and it may still stand there:
    twice the error, and what a yard is crawled through at."""
    stand_m = rule.stand_m
    if spot.error and 2.0 * spot.error < stand_m:
        stand_m = max(2.0 * spot.error, stand_m / 2.0)
    return max(stand_m, rule.stand_m * since_ms / rule.dwell_ms)


def stood_elsewhere(
    fence: Fence, outside_m: float, elapsed_ms: Ms, came: Approach, rule: VisitRule
) -> bool:
    """Whether who was so far outside so long ago stood there since: it was standing when it fell
    silent for longer than it does, for most devices sleep with their vehicle."""
    if not came.stood or outside_m <= band_m(fence) or elapsed_ms < rule.sparse_ms:
        return False
    return elapsed_ms > (3 * came.interval_ms or rule.silent_ms)


def hidden(
    way_m: float, elapsed_ms: Ms, pace_mps: float, rule: VisitRule, ends: int = 1
) -> tuple[Ms, Ms]:
    """Of the time between two positions, what the way does not explain, and all of it; nothing
    where they are so close that standing would have been seen. `ends` of the way are at a stop: 2
    if the stop lies in between."""
    if elapsed_ms < rule.sparse_ms:
        return 0, 0
    return max(elapsed_ms - way_ms(way_m, pace_mps, rule, ends), 0), elapsed_ms


def way_ms(way_m: float, pace_mps: float, rule: VisitRule, ends: int = 1) -> Ms:
    """How long a way to or from a stop takes, where the pace on the road is known."""
    streets_m = min(way_m, ends * rule.streets_m)
    road_s = (way_m - streets_m) / max(pace_mps, rule.pace_mps)
    return round(1000.0 * (streets_m / rule.pace_mps + road_s))


def speed_on(way_m: float, a: Spot, b: Spot, known_mps: float, rule: VisitRule) -> float:
    """How fast the moving part of the way from `a` to `b` was driven, m/s."""
    elapsed_ms = b.ts - a.ts
    even = way_m * 1000.0 / elapsed_ms if elapsed_ms > 0 else 0.0
    if elapsed_ms <= rule.sparse_ms:
        return even
    return max(even, known_mps, rule.pace_mps)


def ms_of(way_m: float, speed_mps: float) -> Ms:
    return round(way_m * 1000.0 / speed_mps) if speed_mps > 0.0 else 0
