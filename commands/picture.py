"""The findings as one HTML page that needs nothing else: traces, fences, visits, rejected pings.

The page draws on a canvas from the JSON it carries; it asks no host for anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from commands.findings import Findings, utc
from geo.distance import METRES_PER_DEGREE
from geo.model import Fence, Ping, Stop, Visit
from geo.shapes import Area, LatLon

PAGE = Path(__file__).with_name("picture.html")
MAX_POINTS = 200_000
"""Of all traces together: more make no clearer picture and a browser slow."""
MAX_REFUSED = 20_000
CIRCLE_POINTS = 48


def picture(found: Findings, stops: Sequence[Stop]) -> str:
    """The page. `<` is escaped in the data, so that no name in it can end the script."""
    total = sum(map(len, found.traces.values()))
    step = max(1, math.ceil(total / MAX_POINTS))
    data = {
        "traces": [_trace(name, trace, step) for name, trace in found.traces.items()],
        "every": step,
        "fences": [_fence(stop) for stop in stops],
        "visits": list(_visits(found, stops)),
        "stops": [[h.vehicle_id, h.lat, h.lon, utc(h.since), utc(h.until)] for h in found.halts],
        "rejected": [
            [r.ping.vehicle_id, r.ping.lat, r.ping.lon, utc(r.ping.ts), r.reason, r.detail]
            for r in found.refused[:MAX_REFUSED]
            if r.reason != "duplicate" and math.isfinite(r.ping.lat + r.ping.lon)
        ],
        "counts": dict(found.rejected.most_common()),
        "positions": found.positions,
    }
    text = msgspec.json.encode(data).decode().replace("<", "\\u003c")
    return PAGE.read_text(encoding="utf-8").replace("/*DATA*/null", text)


def _trace(name: str, trace: Sequence[Ping], step: int) -> dict[str, Any]:
    kept = [*trace[::step], trace[-1]]
    return {
        "vehicle": name,
        "ts": [ping.ts for ping in kept],
        "lat": [round(ping.lat, 6) for ping in kept],
        "lon": [round(ping.lon, 6) for ping in kept],
    }


def _fence(stop: Stop) -> dict[str, Any]:
    fence = stop.fence
    if fence.shape is None:
        return {"name": stop.stop_id, "rings": [_circle(fence)], "closed": True, "wide_m": 0}
    if isinstance(fence.shape, Area):
        return {"name": stop.stop_id, "rings": fence.shape.rings, "closed": True, "wide_m": 0}
    wide_m = 2 * fence.enter_m
    return {"name": stop.stop_id, "rings": fence.shape.parts, "closed": False, "wide_m": wide_m}


def _circle(fence: Fence) -> list[LatLon]:
    north = fence.enter_m / METRES_PER_DEGREE
    east = north / max(math.cos(math.radians(fence.lat)), 0.01)
    turns = (2 * math.pi * n / CIRCLE_POINTS for n in range(CIRCLE_POINTS))
    return [(fence.lat + north * math.sin(t), fence.lon + east * math.cos(t)) for t in turns]


def _visits(found: Findings, stops: Sequence[Stop]) -> Iterator[list[Any]]:
    fences = {stop.stop_id: stop.fence for stop in stops}
    for visit in found.visits:
        fence = fences[visit.stop_id]
        yield [
            visit.vehicle_id,
            visit.stop_id,
            fence.lat,
            fence.lon,
            utc(visit.arrived_at),
            utc(visit.departed_at),
            _rule(visit),
        ]


def _rule(visit: Visit) -> str:
    evidence = visit.evidence
    marked = "推断 inferred · " if visit.inferred else ""
    return (
        f"{marked}{evidence.rule} · {evidence.positions} 个位置 positions · "
        f"{100 * evidence.confidence:.0f} %"
    )
