"""Halts, trips and speeding: what a vehicle does where nobody has planned anything.

How this works. Consecutive positions that keep to one place are a stand; a stand that lasts is a
halt, and what lies between two halts is a trip. A vehicle that has gone less than `trip_m` since it
stood is still at its halt: it was moved to another bay. A halt begins and ends with a position
taken there, or, between positions far apart, as late and as early as the way in between allows.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from geo.distance import metres
from geo.model import Count, Halt, Id, Ms, Speeding, Trip
from geo.spots import ON, Spot


class MotionRule(Struct, frozen=True):
    """What is a halt, a trip, speeding."""

    halt_ms: int = 180_000
    """Traccar's minimum (research/field.md §1.3)."""
    stand_m: float = 50.0
    """research/field.md §9."""
    still_mps: float = 5 / 3.6
    trip_m: float = 200.0
    """Traccar's minimum."""
    sparse_ms: int = 60_000
    pace_mps: float = 18 / 3.6
    """As in `geo/proof.py`: a city's streets in the daytime."""
    limit_mps: float = 110 / 3.6
    """What lorries may drive on Chinese motorways (100 km/h), and a tenth for the speedometer."""
    limit_ms: int = 60_000
    """Longer than an overtaking takes."""


Move = Halt | Trip | Speeding


class Stand(Struct, frozen=True, gc=False, array_like=True):
    """Positions that keep to one place so far."""

    anchor: Spot
    since: Ms
    positions: Count = 1
    north: float = 0.0
    """Sums of the differences to the anchor, for the middle."""
    east: float = 0.0
    way_m: float = 0.0
    idling_ms: Ms = 0


class Roam(Struct, frozen=True, gc=False, array_like=True):
    """Where a vehicle is with its halts and trips."""

    last: Spot | None = None
    stand: Stand | None = None
    stands: bool = False
    """The stand has lasted: it is a halt."""
    halt: Halt | None = None
    """The halt before, for as long as the vehicle has not gone far from it."""
    trip: Trip | None = None
    """Up to the stand."""
    fast: Speeding | None = None


def moves(vehicle_id: Id, spots: Iterable[Spot], rule: MotionRule) -> list[Move]:
    """What the good positions of one vehicle, in time order, come to. The last halt is open
    (`until` None) if the vehicle stands at the end; a trip is told as far as it went."""
    roam, found = roam_on(Roam(), vehicle_id, spots, rule)
    found = [move for move in found if not isinstance(move, Halt) or move.until is not None]
    stand, trip = roam.stand, roam.trip
    if roam.stands:
        return [*found, *standing(roam, vehicle_id)]
    found += [] if roam.halt is None else [roam.halt]
    if trip is not None and stand is not None and trip.metres + stand.way_m >= rule.trip_m:
        found.append(_with(trip, stand))
    return found


def standing(roam: Roam, vehicle_id: Id) -> list[Halt]:
    """The halt that goes on, as far as is known."""
    if roam.stands and roam.stand is not None:
        return [_halt(vehicle_id, roam.stand, None)]
    return [] if roam.halt is None else [replace(roam.halt, until=None)]


def pending_since(roam: Roam) -> Ms:
    """Halts and trips that began earlier are over and told."""
    if roam.last is None or roam.stand is None:
        return 0
    begins = [roam.stand.since]
    begins += [] if roam.halt is None else [roam.halt.since]
    begins += [] if roam.trip is None else [roam.trip.since]
    return min(begins)


def roam_on(
    roam: Roam, vehicle_id: Id, spots: Iterable[Spot], rule: MotionRule
) -> tuple[Roam, list[Move]]:
    """After more good positions; halts are told when they have begun and when they are over, trips
    and speeding when they are over."""
    told: list[Move] = []
    for spot in spots:
        roam = _on(roam, vehicle_id, spot, told, rule)
    return roam, told


def _on(roam: Roam, vehicle_id: Id, spot: Spot, told: list[Move], rule: MotionRule) -> Roam:
    last, stand, fast = roam.last, roam.stand, roam.fast
    if fast is not None or spot.speed > rule.limit_mps:
        fast = _sped(fast, vehicle_id, spot, told, rule)
    if last is None or stand is None:
        trip = Trip(vehicle_id, spot.ts, spot.ts, 0.0, 0)
        return Roam(spot, Stand(spot, spot.ts), False, None, trip, fast)
    moved_m = metres(last.lat, last.lon, spot.lat, spot.lon)
    if not _stays(stand.anchor, last, spot, moved_m, rule):
        return _moved_off(roam, vehicle_id, spot, moved_m, fast, told, rule)
    stand = _longer(stand, last, spot, moved_m)
    if roam.stands or spot.ts - stand.anchor.ts < rule.halt_ms:
        return Roam(spot, stand, roam.stands, roam.halt, roam.trip, fast)
    stand = _halted(roam, vehicle_id, stand, told, rule)
    return Roam(spot, stand, True, None, None, fast)


def _stays(anchor: Spot, last: Spot, spot: Spot, moved_m: float, rule: MotionRule) -> bool:
    away_m = metres(anchor.lat, anchor.lon, spot.lat, spot.lon)
    if away_m > rule.stand_m + spot.error / 2.0:
        return False
    slow = moved_m * 1000.0 <= rule.still_mps * (spot.ts - last.ts)
    return slow or spot.speed <= rule.still_mps


def _longer(stand: Stand, last: Spot, spot: Spot, moved_m: float) -> Stand:
    idles = last.engine == spot.engine == ON
    anchor = stand.anchor
    return Stand(
        anchor,
        stand.since,
        stand.positions + 1,
        stand.north + spot.lat - anchor.lat,
        stand.east + spot.lon - anchor.lon,
        stand.way_m + moved_m,
        stand.idling_ms + (spot.ts - last.ts if idles else 0),
    )


def _halted(roam: Roam, vehicle_id: Id, stand: Stand, told: list[Move], rule: MotionRule) -> Stand:
    """The stand has lasted. Near the halt before, that one goes on; else the trip is over."""
    trip, before = roam.trip, roam.halt
    if before is not None:
        stand = replace(
            stand,
            since=before.since,
            positions=stand.positions + before.positions,
            idling_ms=stand.idling_ms + before.idling_ms,
        )
    elif trip is not None and trip.metres >= rule.trip_m:
        told.append(replace(trip, until=stand.since))
    told.append(_halt(vehicle_id, stand, None))
    return stand


def _moved_off(
    roam: Roam,
    vehicle_id: Id,
    spot: Spot,
    moved_m: float,
    fast: Speeding | None,
    told: list[Move],
    rule: MotionRule,
) -> Roam:
    last, stand, halt, trip = roam.last, roam.stand, roam.halt, roam.trip
    assert last is not None
    assert stand is not None
    took_ms = round(moved_m * 1000.0 / rule.pace_mps)
    sparse = spot.ts - last.ts > rule.sparse_ms
    if roam.stands:
        until = max(spot.ts - took_ms, last.ts) if sparse else last.ts
        halt = _halt(vehicle_id, stand, until)
        trip = Trip(vehicle_id, until, spot.ts, moved_m, 0)
    else:
        assert trip is not None
        way_m = trip.metres + stand.way_m + moved_m
        count = trip.positions + stand.positions
        trip = Trip(vehicle_id, trip.since, spot.ts, way_m, count, trip.top_mps)
    if spot.speed > (trip.top_mps or -1.0) and spot.speed >= 0.0:
        trip = replace(trip, top_mps=spot.speed)
    if halt is not None and trip.metres >= rule.trip_m:
        told.append(halt)
        halt = None
    early = sparse and not roam.stands  # Else the halt before has taken what time there was.
    since = min(last.ts + took_ms, spot.ts) if early else spot.ts
    return Roam(spot, Stand(spot, since), False, halt, trip, fast)


def _with(trip: Trip, stand: Stand) -> Trip:
    """The trip with a stand that did not last."""
    return replace(
        trip, metres=trip.metres + stand.way_m, positions=trip.positions + stand.positions
    )


def _halt(vehicle_id: Id, stand: Stand, until: Ms | None) -> Halt:
    n = stand.positions
    lat, lon = stand.anchor.lat + stand.north / n, stand.anchor.lon + stand.east / n
    return Halt(vehicle_id, stand.since, lat, lon, n, until, stand.idling_ms)


def _sped(
    fast: Speeding | None, vehicle_id: Id, spot: Spot, told: list[Move], rule: MotionRule
) -> Speeding | None:
    if spot.speed > rule.limit_mps:
        if fast is None:
            return Speeding(vehicle_id, spot.ts, spot.ts, spot.speed, rule.limit_mps, 1)
        top_mps = max(fast.top_mps, spot.speed)
        return replace(fast, until=spot.ts, top_mps=top_mps, positions=fast.positions + 1)
    if fast is not None and fast.until - fast.since >= rule.limit_ms:
        told.append(fast)
    return None
