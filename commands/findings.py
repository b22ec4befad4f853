"""What the core finds in recorded pings, vehicle by vehicle, and its form as JSON lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from geo.crs import Datum
from geo.fences import width_m
from geo.mixups import Halts, Shift, shifted_by
from geo.model import Gap, Halt, Id, Ms, Ping, Stop, Trip, Visit
from geo.offline import offline
from geo.sources import Source, all_in_wgs84, world_by_source
from geo.track import World

REACH_DEG = 0.25
"""A fence this far outside the box around a vehicle's pings cannot have been visited: 20 km even at
45° of latitude, farther than any that is wider is left out."""
WIDE_M = 10_000.0
UNREADABLE = "unreadable"
"""The reason of lines that are no pings at all."""


Sources = tuple[Source, Mapping[Id, Source]]
"""That of pings that name none of the others, and the others by name."""


@dataclass(frozen=True)
class Refused:
    """A ping that is no position."""

    ping: Ping
    reason: str
    detail: str


@dataclass
class Findings:
    """Of all vehicles. Visits, halts and trips are by vehicle, then by time."""

    positions: int = 0
    visits: list[Visit] = field(default_factory=list)
    halts: list[Halt] = field(default_factory=list)
    trips: list[Trip] = field(default_factory=list)
    speedings: int = 0
    gaps: list[Gap] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """Of each reason the first detail."""
    traces: dict[str, list[Ping]] = field(default_factory=dict)
    """By vehicle its positions, in time order; kept for a picture only."""
    refused: list[Refused] = field(default_factory=list)
    """Kept for a picture only."""


def find(
    pings: dict[str, list[Ping]],
    stops: Sequence[Stop],
    sources: Sources,
    *,
    for_picture: bool,
    told: Callable[[int], None],
) -> Findings:
    """Run the core over each vehicle; `told` hears how many pings are done."""
    found = Findings()
    base = World(max_stops=max(World().max_stops, len(stops)))
    world = world_by_source(*_without_datum(sources), base)
    done = 0
    for vehicle_id in sorted(pings):
        sent = _in_wgs84(pings[vehicle_id], sources)
        _find(found, sent, stops, world, for_picture=for_picture)
        done += len(pings[vehicle_id])
        told(done)
    return found


def _in_wgs84(pings: Sequence[Ping], sources: Sources) -> Sequence[Ping]:
    """In the same order; each source's together."""
    source, named = sources
    if not named:
        return all_in_wgs84(pings, source)
    several: dict[Id | None, list[Ping]] = {}
    for ping in pings:
        several.setdefault(ping.source if ping.source in named else None, []).append(ping)
    moved = {n: iter(all_in_wgs84(p, named.get(n or "", source))) for n, p in several.items()}
    return [next(moved[ping.source if ping.source in named else None]) for ping in pings]


def _without_datum(sources: Sources) -> Sources:
    """For pings that are in WGS-84 already."""
    source, named = sources
    plain = {name: replace(each, datum=Datum.WGS84) for name, each in named.items()}
    return replace(source, datum=Datum.WGS84), plain


def _find(
    found: Findings,
    pings: Sequence[Ping],
    stops: Sequence[Stop],
    world: World,
    *,
    for_picture: bool,
) -> None:
    pings = _in_order(pings)
    outcome = offline(near(stops, pings), pings, world)
    found.positions += outcome.taken
    found.visits += outcome.visits
    found.halts += outcome.halts
    found.trips += outcome.trips
    found.speedings += len(outcome.speedings)
    found.gaps += outcome.gaps
    for ping, why in outcome.refused:
        found.rejected[why.reason] += 1
        found.examples.setdefault(why.reason, f"{ping.vehicle_id}: {why.detail}")
    if for_picture:
        found.refused += [Refused(p, why.reason, why.detail) for p, why in outcome.refused]
        out = {id(ping) for ping, _ in outcome.refused}
        kept = sorted((p for p in pings if id(p) not in out), key=lambda p: p.ts)
        if kept:
            found.traces[kept[0].vehicle_id] = kept


def _in_order(pings: Sequence[Ping]) -> list[Ping]:
    """By reception where the file says when that was; otherwise by their own time, for a file is
    sorted by anything."""
    if any(ping.received_at is not None for ping in pings):
        return sorted(pings, key=lambda p: p.ts if p.received_at is None else p.received_at)
    return sorted(pings, key=lambda p: p.ts)


def near(stops: Sequence[Stop], pings: Sequence[Ping]) -> list[Stop]:
    """The stops that a vehicle with these pings may have called at; the others cost it time."""
    south, north = min(p.lat for p in pings), max(p.lat for p in pings)
    west, east = min(p.lon for p in pings), max(p.lon for p in pings)
    if not (north - south < 90.0 and east - west < 180.0):  # across the antimeridian, or nan
        return list(stops)
    return [
        stop
        for stop in stops
        if width_m(stop.fence) > WIDE_M
        or (
            south - REACH_DEG <= stop.fence.lat <= north + REACH_DEG
            and west - REACH_DEG <= stop.fence.lon <= east + REACH_DEG
        )
    ]


def shifted(stops: Sequence[Stop], found: Findings) -> Iterator[tuple[str, Shift]]:
    """Fences that look as if their datum, or that of the pings, was mixed up: all together, else
    each that does."""
    halts = Halts((halt.lat, halt.lon) for halt in found.halts)
    places = [(stop.fence.lat, stop.fence.lon) for stop in stops]
    shift = shifted_by(places, halts)
    if shift is not None:
        yield "the fences", shift
        return
    for stop, place in zip(stops, places, strict=True):
        shift = shifted_by([place], halts)
        if shift is not None:
            yield stop.stop_id, shift


def json_lines(found: Findings) -> Iterator[bytes]:
    """One JSON object for each visit, stop, trip, gap and reason of rejection; times are UTC."""
    for row in (
        *map(_visit_row, found.visits),
        *map(_stop_row, found.halts),
        *map(_trip_row, found.trips),
        *map(_gap_row, found.gaps),
        *({"kind": "rejected", "reason": r, "count": n} for r, n in found.rejected.most_common()),
    ):
        yield msgspec.json.encode(row) + b"\n"


def utc(ts: Ms | None) -> str | None:
    """ISO 8601 with milliseconds where there are any."""
    if ts is None:
        return None
    date = datetime.fromtimestamp(ts / 1000, UTC).replace(tzinfo=None)
    return date.isoformat(timespec="milliseconds" if ts % 1000 else "seconds") + "Z"


def _visit_row(visit: Visit) -> dict[str, Any]:
    evidence = msgspec.to_builtins(visit.evidence)
    first, last = evidence.pop("first_ts"), evidence.pop("last_ts")
    return {
        "kind": "visit",
        "vehicle": visit.vehicle_id,
        "fence": visit.stop_id,
        "arrived": utc(visit.arrived_at),
        "departed": utc(visit.departed_at),
        "inferred": visit.inferred,
        "evidence": {**evidence, "first": utc(first), "last": utc(last)},
    }


def _stop_row(halt: Halt) -> dict[str, Any]:
    return {
        "kind": "stop",
        "vehicle": halt.vehicle_id,
        "arrived": utc(halt.since),
        "departed": utc(halt.until),
        "lat": round(halt.lat, 6),
        "lon": round(halt.lon, 6),
        "positions": halt.positions,
        "idling_s": halt.idling_ms / 1000,
    }


def _trip_row(trip: Trip) -> dict[str, Any]:
    return {
        "kind": "trip",
        "vehicle": trip.vehicle_id,
        "departed": utc(trip.since),
        "arrived": utc(trip.until),
        "metres": round(trip.metres),
        "positions": trip.positions,
        "top_mps": trip.top_mps,
    }


def _gap_row(gap: Gap) -> dict[str, Any]:
    return {
        "kind": "gap",
        "vehicle": gap.vehicle_id,
        "source": gap.source,
        "by": gap.by,
        "since": utc(gap.since),
        "until": utc(gap.until),
        "missing": gap.missing,
    }
