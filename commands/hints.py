"""What looks wrong in pings and fences that can be read: a unit, swapped coordinates. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import log
from statistics import median

from commands.findings import near
from geo.distance import metres
from geo.model import Ping, Stop
from geo.sources import FACTORS, SpeedUnit

MIN_PAIRS = 30
"""Fewer say nothing sure of a unit."""
MIN_MPS = 3.0
"""Slower than this the noise of the positions is as large as the way."""
MAX_PAIR_MS = 30_000
"""Further apart, the way is longer than the straight line between the positions."""
UNIT_ERROR = log(1.07)
"""Half of what lies between the nearest two units, knots and miles an hour (15 %)."""
SAMPLE = 5_000
"""Pairs that are looked at."""


def unit_hint(pings: Iterable[Sequence[Ping]], declared: SpeedUnit) -> str | None:
    """Whether speeds would fit the way between the positions in another unit."""
    ratios = sorted(_ratios(pings))
    if len(ratios) < MIN_PAIRS:
        return None
    ratio = median(ratios)
    unit = min(SpeedUnit, key=lambda u: _misfit(u, declared, ratio))
    if unit is declared or _misfit(unit, declared, ratio) > UNIT_ERROR:
        return None
    return (
        f"speeds are {ratio:.1f} times what the positions show, as if they were in {unit}: "
        f"try --source speed={unit}"
    )


def _misfit(unit: SpeedUnit, declared: SpeedUnit, ratio: float) -> float:
    return abs(log(ratio * FACTORS[unit] / FACTORS[declared]))


def _ratios(pings: Iterable[Sequence[Ping]]) -> Iterator[float]:
    """How many times faster a vehicle says it is than it moved."""
    left = SAMPLE
    for several in pings:
        for a, b in pairwise(sorted(several[:SAMPLE], key=lambda ping: ping.ts)):
            if not (a.speed_mps and b.speed_mps and 0 < b.ts - a.ts <= MAX_PAIR_MS):
                continue
            moved_mps = metres(a.lat, a.lon, b.lat, b.lon) * 1000.0 / (b.ts - a.ts)
            if moved_mps >= MIN_MPS and a.speed_mps > 0.0 and b.speed_mps > 0.0:
                yield (a.speed_mps + b.speed_mps) / 2.0 / moved_mps
                left -= 1
                if not left:
                    return


def far_hint(stops: Sequence[Stop], pings: Mapping[str, Sequence[Ping]]) -> str | None:
    """That no fence is near any vehicle, and whether swapping would help."""
    if not stops or any(near(stops, several) for several in pings.values()):
        return None
    first = next(iter(pings.values()))[0]
    away = {stop.stop_id: _away_m(first, stop.fence.lat, stop.fence.lon) for stop in stops}
    name = min(away, key=away.__getitem__)
    said = f"no fence is near any vehicle; the nearest, {name}, is {away[name] / 1000:,.0f} km away"
    swapped = min(_away_m(first, s.fence.lon, s.fence.lat) for s in stops)
    if swapped < away[name] / 10:
        said += (
            f", but {swapped / 1000:,.0f} km if lat and lon were swapped: GeoJSON writes "
            "[longitude, latitude]; for pings, see --column lat=COLUMN"
        )
    return said


def _away_m(ping: Ping, lat: float, lon: float) -> float:
    return metres(ping.lat, ping.lon, max(-90.0, min(90.0, lat)), lon)


def numbered_hint(stops: Sequence[Stop]) -> str | None:
    """Fences that are called by their number in the file."""
    count = sum(stop.stop_id == f"fence {n}" for n, stop in enumerate(stops, start=1))
    if not count:
        return None
    return f"{count:,} fences have no stop_id, id or name, and are called by their number"
