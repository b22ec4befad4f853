"""Fences from GeoJSON: a Point is a circle, a LineString a corridor, a Polygon an area.

How this works. Every feature becomes a stop; what cannot be one is a `BadFence` that names the
feature, the field, what stood there and what to write, and the others are still read, so that a
user mends a file in one go. Properties, in small or capital letters: `stop_id` (or `id`, `name`),
`role`, `enter_m` (of a Point also `radius_m`, of a LineString `half_width_m`) and `exit_m`, in
metres.

GeoJSON writes longitude first and is always WGS-84 (RFC 7946 §4); files from Chinese maps are
not, so the caller may say which datum the file is in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from geo.crs import Datum, to_wgs84
from geo.model import Fence, Stop, StopRole
from geo.shapes import Area, LatLon, Line, Ring, Shape, middle

RADIUS_M = {"Point": 150.0, "LineString": 50.0, "Polygon": 0.0}
"""How far from it a vehicle may be and be inside, where the file does not say: for a point
research/field.md §9, for a road half of a wide one, an area ends at its edge."""
BAND_M = 100.0
"""The exit edge lies so much farther out (field.md §9: 150 and 250 m)."""
MAX_M = 50_000.0

_RADIUS_NAMES = {
    "Point": ("enter_m", "radius_m", "radius"),
    "LineString": ("enter_m", "half_width_m"),
    "Polygon": ("enter_m",),
}


class BadFence(Struct, frozen=True):
    """Why a feature is no fence; `feature` is its place in the file, from 1, or 0 for all of it."""

    feature: int
    field: str
    value: str
    fix: str

    def __str__(self) -> str:
        where = f"feature {self.feature}: " if self.feature else ""
        return f"{where}{self.field} = {self.value}: {self.fix}"


class _Wrong(Exception):
    """Inside this module only."""

    def __init__(self, field: str, value: object, fix: str) -> None:
        super().__init__(field)
        self.bad = (field, msgspec.json.encode(value).decode()[:80], fix)


def read_fences(text: bytes, datum: Datum = Datum.WGS84) -> tuple[list[Stop], list[BadFence]]:
    """The stops of a GeoJSON file, and what is wrong with the features that are none."""
    stops: dict[str, Stop] = {}
    bad = []
    number = 0
    try:
        for number, feature in enumerate(_features(text), start=1):
            try:
                stop = _stop(feature, number, datum)
                if stop.stop_id in stops:
                    raise _Wrong("stop_id", stop.stop_id, "named before: give each its own stop_id")
                stops[stop.stop_id] = stop
            except _Wrong as wrong:
                bad.append(BadFence(number, *wrong.bad))
    except _Wrong as wrong:
        bad.append(BadFence(0, *wrong.bad))
    return list(stops.values()), bad


def _features(text: bytes) -> Iterator[Any]:
    try:
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):  # Windows' "Unicode"
            text = text.decode("utf-16").encode()
        found = msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as wrong:
        shown = text[:40].decode(errors="replace")
        raise _Wrong("file", shown, f"not JSON ({wrong}): give a GeoJSON file") from None
    match found:
        case {"type": "FeatureCollection", "features": list(features)}:
            yield from features
        case {"type": "Feature"}:
            yield found
        case {"type": "Point" | "LineString" | "Polygon" | "MultiLineString" | "MultiPolygon"}:
            yield {"type": "Feature", "geometry": found, "properties": {}}
        case _:
            kind = found.get("type") if isinstance(found, dict) else type(found).__name__
            raise _Wrong("type", kind, "write a FeatureCollection with a list of features")


def _stop(feature: Any, number: int, datum: Datum) -> Stop:
    match feature:
        case {"type": "Feature", "geometry": {"type": str(kind), "coordinates": list(given)}}:
            pass
        case {"geometry": {"type": "GeometryCollection"}}:
            fix = "write a Feature of each of its geometries, or a Multi of one kind"
            raise _Wrong("geometry.type", "GeometryCollection", fix)
        case _:
            raise _Wrong("geometry", feature, "write a Feature with type and coordinates")
    single = kind.removeprefix("Multi")
    if single not in RADIUS_M or kind == "MultiPoint":
        raise _Wrong("geometry.type", kind, "write Point, LineString, Polygon or a Multi of one")
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise _Wrong("properties", properties, "write an object, or null")
    properties = {name.lower(): value for name, value in properties.items()} | properties
    enter_m = _metres(properties, _RADIUS_NAMES[single], RADIUS_M[single])
    if single == "Point":
        _check_radius(properties)
    exit_m = _metres(properties, ("exit_m",), min(enter_m + BAND_M, MAX_M))
    if exit_m < enter_m:
        raise _Wrong("exit_m", exit_m, f"write {enter_m:g} or more, the radius of entering")
    if single == "Point":
        shape, (lat, lon) = None, _place(given, datum)
        if not enter_m:
            raise _Wrong("enter_m", enter_m, "a circle needs a radius above 0")
    else:
        shape = _shape(single, _parts(kind, given), datum)
        lat, lon = middle(shape)
    fence = Fence(lat, lon, enter_m, exit_m, shape)
    return Stop(_name(feature, properties, number), _role(properties), fence)


def _parts(kind: str, given: list[Any]) -> list[Any]:
    """The lines or rings; of several polygons those of all."""
    if kind == "LineString":
        return [given]
    if kind != "MultiPolygon":
        return given
    if not all(isinstance(polygon, list) for polygon in given):
        raise _Wrong("coordinates", given, "a MultiPolygon is a list of lists of rings")
    return [ring for polygon in given for ring in polygon]


def _shape(single: str, parts: list[Any], datum: Datum) -> Shape:
    rings = tuple(_ring(part, datum) for part in parts)
    if not rings:
        raise _Wrong("coordinates", parts, "write at least one list of [longitude, latitude]")
    try:
        return Area(rings) if single == "Polygon" else Line(rings)
    except ValueError as wrong:
        raise _Wrong("coordinates", parts, str(wrong)) from None


def _ring(points: Any, datum: Datum) -> Ring:
    if not isinstance(points, list):
        raise _Wrong("coordinates", points, "write a list of [longitude, latitude]")
    return tuple(_place(point, datum) for point in points)


def _place(point: Any, datum: Datum) -> LatLon:
    match point:
        case [float() | int() as lon, float() | int() as lat, *_]:
            pass
        case _:
            raise _Wrong("coordinates", point, "write numbers: [longitude, latitude]")
    if abs(lat) <= 90.0 and abs(lon) <= 180.0:
        return to_wgs84(float(lat), float(lon), datum)
    if abs(lon) <= 90.0 and abs(lat) <= 180.0:
        fix = "latitude beyond ±90; GeoJSON writes [longitude, latitude], this looks swapped"
    elif abs(lat) > 1_000.0:
        fix = "these are metres of a map projection: export the file as WGS-84 (EPSG:4326)"
    else:
        fix = "write [longitude within ±180, latitude within ±90]"
    raise _Wrong("coordinates", point, fix)


def _metres(properties: Mapping[str, Any], names: tuple[str, ...], usual: float) -> float:
    for name in names:
        value = properties.get(name)
        if value is None:
            continue
        if isinstance(value, str):
            value = _number_in(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Wrong(name, value, "write a number of metres, without unit")
        if not 0.0 <= value <= MAX_M:
            raise _Wrong(name, value, f"write metres from 0 to {MAX_M:,.0f}")
        return float(value)
    return usual


def _check_radius(properties: Mapping[str, Any]) -> None:
    """A radius under another name (`radius_km`) would be passed over for the usual one."""
    for name, value in properties.items():
        if name.startswith("radius") and value and name not in _RADIUS_NAMES["Point"]:
            raise _Wrong(name, value, "write radius_m, in metres")


def _number_in(text: str) -> float | str:
    """QGIS and spreadsheets write numbers as text."""
    try:
        return float(text)
    except ValueError:
        return text


def _name(feature: Mapping[str, Any], properties: Mapping[str, Any], number: int) -> str:
    for value in (*map(properties.get, ("stop_id", "id", "name")), feature.get("id")):
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            if len(str(value)) > 128:
                raise _Wrong("stop_id", value, "write 1 to 128 characters")
            return str(value)
    return f"fence {number}"


def _role(properties: Mapping[str, Any]) -> StopRole:
    value = properties.get("role")
    try:
        return StopRole.SITE if value is None else StopRole(value)
    except ValueError:
        raise _Wrong("role", value, f"write one of {', '.join(StopRole)}") from None
