"""Fences that are no circles: areas (polygons, with holes) and lines (a corridor has a width).

How this works. An edge is straight on a map of latitude and longitude, as GeoJSON has it (RFC 7946
§3.1.1), so a shape means the same to every reader. To measure, the map is stretched around the
place that asks until a degree is as long to the east as it is to the north there; the nearest
point of the shape is found in that plane, and its distance by `metres`. Stretching keeps lines
straight, so what is inside does not depend on who asks.

Against great circles on the sphere of `metres` the error is below 0.5 % of the distance up to 10 km
from the edge, as far as 70° of latitude (tests/geo/test_shapes.py); farther it only says "far".

Longitudes of a shape run on across the antimeridian (179.9, 180.1), whatever they were given as.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, inf, pi
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from geo.distance import metres

LatLon = tuple[float, float]
Ring = tuple[LatLon, ...]
Parts = Annotated[tuple[Ring, ...], Meta(min_length=1)]

MAX_POINTS = 1_000
"""Of one shape: each position near it looks at every edge."""

_RAD = pi / 180


class Area(Struct, frozen=True, tag="area", tag_field="kind"):
    """A polygon with its holes, or several: a place is inside if a ray from it crosses the rings
    an odd number of times. A ring need not repeat its first point."""

    rings: Parts

    def __post_init__(self) -> None:
        _settle(self, "rings", tuple(_opened(ring) for ring in self.rings), least=3)


class Line(Struct, frozen=True, tag="line", tag_field="kind"):
    """The middle of a corridor, in one part or several."""

    parts: Parts

    def __post_init__(self) -> None:
        _settle(self, "parts", self.parts, least=2)


Shape = Area | Line


class Approach(NamedTuple):
    """Where a straight way comes nearest to a shape."""

    metres: float
    """Negative inside an area."""
    share: float
    """Of the way, from 0 to 1."""


def distance_m(shape: Shape, lat: float, lon: float) -> float:
    """From the place to the edge of the area, negative inside; or to the line."""
    lon = _beside(shape, lon)
    stretch = cos(lat * _RAD)
    least, near_x, near_y, inside = inf, 0.0, 0.0, False
    for (lat_a, lon_a), (lat_b, lon_b) in _edges(shape):
        ax, ay = (lon_a - lon) * stretch, lat_a - lat
        bx, by = (lon_b - lon) * stretch, lat_b - lat
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        along = -(ax * dx + ay * dy)
        share = 0.0 if along <= 0.0 else 1.0 if along >= length else along / length
        x, y = ax + share * dx, ay + share * dy
        square = x * x + y * y
        if square < least:
            least, near_x, near_y = square, x, y
        if (ay > 0.0) != (by > 0.0) and ax - ay / dy * dx > 0.0:
            inside = not inside
    away = metres(lat, lon, lat + near_y, lon + near_x / stretch)
    return -away if inside and isinstance(shape, Area) else away


def approach(shape: Shape, a: LatLon, b: LatLon) -> Approach:
    """Where the straight way from `a` to `b` comes nearest; of a way through an area, the middle
    of its longest piece inside."""
    (lat_a, lon_a), (lat_b, lon_b) = a, b
    lon_a, lon_b = _beside(shape, lon_a), _beside(shape, lon_b)
    way = (lat_a, lon_a, lat_b - lat_a, lon_b - lon_a)
    share = _inside(shape, way) if isinstance(shape, Area) else None
    if share is None:
        share = _outside(shape, way)
    return Approach(distance_m(shape, *_at(way, share)), share)


def middle(shape: Shape) -> LatLon:
    """Of the box around it; within ±180 degrees of longitude."""
    south, west, north, east = _box(shape)
    return (south + north) / 2, ((west + east) / 2 + 180.0) % 360.0 - 180.0


def width_m(shape: Shape) -> float:
    """From corner to corner of the box around it: about the longest straight way inside."""
    return metres(*_box(shape)[:2], *_box(shape)[2:])


Way = tuple[float, float, float, float]
"""lat, lon of the beginning, then how far it goes north and east, in degrees."""


def _inside(area: Area, way: Way) -> float | None:
    """The middle of the longest piece inside; None if no piece is."""
    cuts = sorted({0.0, 1.0, *(cut for a, b in _edges(area) for cut in _cuts(way, a, b))})
    pieces = [
        (end - begin, (begin + end) / 2)
        for begin, end in zip(cuts, cuts[1:], strict=False)
        if distance_m(area, *_at(way, (begin + end) / 2)) < 0.0
    ]
    return max(pieces)[1] if pieces else None


def _outside(shape: Shape, way: Way) -> float:
    """The share at which the way is nearest to any edge: where they cross, or at the end of one
    of them."""
    stretch = cos((way[0] + way[2] / 2) * _RAD)
    least, found = inf, 0.0
    for a, b in _edges(shape):
        shares = {0.0, 1.0, _foot(way, a, stretch), _foot(way, b, stretch), *_cuts(way, a, b)}
        for share in shares:
            square = _square(_at(way, share), a, b, stretch)
            if square < least:
                least, found = square, share
    return found


def _cuts(way: Way, a: LatLon, b: LatLon) -> Iterator[float]:
    """The share of the way at which it crosses the edge, if it does."""
    lat, lon, north, east = way
    dy, dx = b[0] - a[0], b[1] - a[1]
    turn = east * dy - north * dx
    if turn == 0.0:
        return
    y, x = a[0] - lat, a[1] - lon
    share, edge_share = (x * dy - y * dx) / turn, (x * north - y * east) / turn
    if 0.0 <= share <= 1.0 and 0.0 <= edge_share <= 1.0:
        yield share


def _foot(way: Way, point: LatLon, stretch: float) -> float:
    """The share of the way that is nearest to the point."""
    north, east = way[2], way[3] * stretch
    y, x = point[0] - way[0], (point[1] - way[1]) * stretch
    length = north * north + east * east
    return min(max((x * east + y * north) / length, 0.0), 1.0) if length else 0.0


def _square(place: LatLon, a: LatLon, b: LatLon, stretch: float) -> float:
    """Squared degrees between a place and an edge."""
    edge = (a[0], a[1], b[0] - a[0], b[1] - a[1])
    near = _at(edge, _foot(edge, place, stretch))
    return (place[0] - near[0]) ** 2 + ((place[1] - near[1]) * stretch) ** 2


def _at(way: Way, share: float) -> LatLon:
    return way[0] + share * way[2], way[1] + share * way[3]


def _edges(shape: Shape) -> Iterator[tuple[LatLon, LatLon]]:
    if isinstance(shape, Line):
        for part in shape.parts:
            yield from zip(part, part[1:], strict=False)
        return
    for ring in shape.rings:
        before = ring[-1]
        for point in ring:
            yield before, point
            before = point


def _points(shape: Shape) -> Iterator[LatLon]:
    for part in shape.rings if isinstance(shape, Area) else shape.parts:
        yield from part


def _box(shape: Shape) -> tuple[float, float, float, float]:
    """South, west, north, east."""
    lats, lons = zip(*_points(shape), strict=True)
    return min(lats), min(lons), max(lats), max(lons)


def _beside(shape: Shape, lon: float) -> float:
    """The longitude by that name nearest to the shape."""
    first = (shape.rings if isinstance(shape, Area) else shape.parts)[0][0][1]
    return lon - 360.0 * round((lon - first) / 360.0)


def _opened(ring: Ring) -> Ring:
    return ring[:-1] if len(ring) > 1 and ring[0] == ring[-1] else ring


def _settle(shape: Shape, field: str, parts: tuple[Ring, ...], *, least: int) -> None:
    """Check what was given and let its longitudes run on. What is raised, msgspec reports."""
    count = sum(map(len, parts))
    if count > MAX_POINTS:
        raise ValueError(f"{field} have {count} points: simplify the shape to {MAX_POINTS} or less")
    first = parts[0][0][1] if parts[0] else 0.0
    settled = []
    for part in parts:
        if len(set(part)) < least:
            raise ValueError(
                f"{field} have a part of {len(set(part))} places: give {least} or more"
            )
        for lat, lon in part:
            if not (-90.0 <= lat <= 90.0 and -540.0 <= lon <= 540.0):
                raise ValueError(
                    f"{field} have lat {lat}, lon {lon}: no such place; lat within ±90"
                )
        settled.append(_continued(part, first))
    force_setattr(shape, field, tuple(settled))


def _continued(part: Ring, lon: float) -> Ring:
    """Each longitude within half a turn of the one before it."""
    continued = []
    for lat, raw in part:
        lon = raw - 360.0 * round((raw - lon) / 360.0)
        continued.append((lat, lon))
    return tuple(continued)
