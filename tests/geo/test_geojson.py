from __future__ import annotations

from typing import Any

import msgspec
import pytest

from geo.crs import Datum, from_wgs84
from geo.distance import metres
from geo.geojson import BadFence, read_fences
from geo.model import Fence, Stop, StopRole
from geo.shapes import Area, Line

SQUARE = [[121.0, 31.0], [121.02, 31.0], [121.02, 31.02], [121.0, 31.02], [121.0, 31.0]]
HOLE = [[121.005, 31.005], [121.01, 31.005], [121.01, 31.01], [121.005, 31.005]]


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read(*features: Any, datum: Datum = Datum.WGS84) -> tuple[list[Stop], list[BadFence]]:
    text = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    return read_fences(text, datum)


def swapped(ring: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((lat, lon) for lon, lat in ring)


def test_a_point_is_a_circle_with_the_usual_radii() -> None:
    stops, bad = read(feature("Point", [121.4, 31.2, 7.0], name="dock 7", role="delivery"))
    assert stops == [Stop("dock 7", StopRole.DELIVERY, Fence(31.2, 121.4, 150.0, 250.0))]
    assert bad == []


def test_radii_are_those_of_the_file() -> None:
    stops, _ = read(
        feature("Point", [121.4, 31.2], id=1, radius_m=60, exit_m=90),
        feature("Point", [121.4, 31.2], id=2, radius=300),
        feature("LineString", [[121.4, 31.2], [121.5, 31.2]], id=3, half_width_m=20),
        feature("Polygon", [SQUARE], id=4, enter_m=5, exit_m=30),
    )
    assert [(s.stop_id, s.fence.enter_m, s.fence.exit_m) for s in stops] == [
        ("1", 60, 90),
        ("2", 300, 400),
        ("3", 20, 120),
        ("4", 5, 30),
    ]


def test_a_polygon_is_an_area_with_its_holes() -> None:
    (stop,), _ = read(feature("Polygon", [SQUARE, HOLE]))
    assert stop.stop_id == "fence 1"
    assert stop.fence.shape == Area((swapped(SQUARE), swapped(HOLE)))
    assert (stop.fence.lat, stop.fence.lon) == pytest.approx((31.01, 121.01))


def test_what_has_several_parts_is_one_fence() -> None:
    far = [[lon + 1, lat] for lon, lat in SQUARE]
    stops, bad = read(
        feature("MultiPolygon", [[SQUARE, HOLE], [far]]),
        feature("MultiLineString", [SQUARE[:2], HOLE[:2]]),
    )
    assert bad == []
    assert [stop.fence.shape for stop in stops] == [
        Area((swapped(SQUARE), swapped(HOLE), swapped(far))),
        Line((swapped(SQUARE[:2]), swapped(HOLE[:2]))),
    ]


def test_a_single_feature_or_geometry_is_a_file_too() -> None:
    geometry = {"type": "Point", "coordinates": [121.4, 31.2]}
    alone = {"type": "Feature", "id": "gate", "geometry": geometry, "properties": None}
    names = [read_fences(msgspec.json.encode(f))[0][0].stop_id for f in (alone, geometry)]
    assert names == ["gate", "fence 1"]


def test_a_file_from_a_chinese_map_is_brought_to_wgs84() -> None:
    lat, lon = from_wgs84(31.2, 121.4, Datum.GCJ02)
    (stop,), _ = read(feature("Point", [lon, lat]), datum=Datum.GCJ02)
    assert metres(stop.fence.lat, stop.fence.lon, 31.2, 121.4) < 0.01


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(
            feature("Point", [31.2, 121.4]),
            "coordinates = [31.2,121.4]: latitude beyond ±90; GeoJSON writes [longitude, "
            "latitude], this looks swapped",
            id="swapped",
        ),
        pytest.param(
            feature("Point", [13514200.0, 3662000.0]),
            "coordinates = [13514200.0,3662000.0]: these are metres of a map projection: export "
            "the file as WGS-84 (EPSG:4326)",
            id="projected",
        ),
        pytest.param(
            feature("Point", [721.0, 95.0]),
            "coordinates = [721.0,95.0]: write [longitude within ±180, latitude within ±90]",
            id="nowhere",
        ),
        pytest.param(
            feature("Point", ["121", "31"]),
            'coordinates = ["121","31"]: write numbers: [longitude, latitude]',
            id="text",
        ),
        pytest.param(
            feature("Polygon", [SQUARE[:2]]),
            "coordinates = [[[121.0,31.0],[121.02,31.0]]]: rings have a part of 2 places: give 3 "
            "or more",
            id="two corners",
        ),
        pytest.param(
            feature("Polygon", [7]),
            "coordinates = 7: write a list of [longitude, latitude]",
            id="no ring",
        ),
        pytest.param(
            feature("Polygon", []),
            "coordinates = []: write at least one list of [longitude, latitude]",
            id="no rings",
        ),
        pytest.param(
            feature("MultiPolygon", [7]),
            "coordinates = [7]: a MultiPolygon is a list of lists of rings",
            id="no polygons",
        ),
        pytest.param(
            feature("MultiPoint", [[121, 31]]),
            'geometry.type = "MultiPoint": write Point, LineString, Polygon or a Multi of one',
            id="points",
        ),
        pytest.param(
            {"type": "Feature", "geometry": None},
            'geometry = {"type":"Feature","geometry":null}: write a Feature with type and '
            "coordinates",
            id="no geometry",
        ),
        pytest.param(
            feature("Point", [121, 31]) | {"properties": 3},
            "properties = 3: write an object, or null",
            id="properties",
        ),
        pytest.param(
            feature("Point", [121, 31], radius_m="150 m"),
            'radius_m = "150 m": write a number of metres, without unit',
            id="unit",
        ),
        pytest.param(
            feature("Point", [121, 31], radius_m=-1),
            "radius_m = -1: write metres from 0 to 50,000",
            id="negative",
        ),
        pytest.param(
            feature("Point", [121, 31], radius_m=0),
            "enter_m = 0.0: a circle needs a radius above 0",
            id="no radius",
        ),
        pytest.param(
            feature("Point", [121, 31], enter_m=150, exit_m=100),
            "exit_m = 100.0: write 150 or more, the radius of entering",
            id="exit below enter",
        ),
        pytest.param(
            feature("Point", [121, 31], role="customer"),
            'role = "customer": write one of pickup, hub, delivery, site',
            id="role",
        ),
        pytest.param(
            feature("Point", [121, 31], stop_id="good"),
            'stop_id = "good": named before: give each its own stop_id',
            id="twice",
        ),
        pytest.param(
            feature("Point", [121, 31], stop_id="x" * 129),
            f'stop_id = "{"x" * 79}: write 1 to 128 characters',
            id="long",
        ),
    ],
)
def test_of_a_bad_feature_field_value_and_mend_are_told_and_the_others_read(
    wrong: Any, said: str
) -> None:
    stops, bad = read(feature("Point", [121.4, 31.2], stop_id="good"), wrong)
    assert [stop.stop_id for stop in stops] == ["good"]
    assert [str(each) for each in bad] == [f"feature 2: {said}"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(b"lat,lon", 'file = "lat,lon": not JSON', id="csv"),
        pytest.param(b'{"type":"Topology"}', 'type = "Topology": write a FeatureC', id="topo"),
        pytest.param(b"[1]", 'type = "list": write a FeatureCollection', id="list"),
    ],
)
def test_what_is_no_geojson_is_told(text: bytes, said: str) -> None:
    stops, bad = read_fences(text)
    assert stops == []
    assert [str(each).startswith(said) for each in bad] == [True]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_with_a_mark_of_its_encoding_is_read(encoding: str) -> None:
    text = '{"type":"Feature","properties":{"NAME":"Hof"},"geometry":{"type":"Point",'
    stops, bad = read_fences((text + '"coordinates":[121.4,31.2]}}').encode(encoding))
    assert ([stop.stop_id for stop in stops], bad) == (["Hof"], [])


def test_properties_may_be_in_capitals_and_numbers_texts() -> None:
    (stop,), bad = read(feature("Point", [121.4, 31.2], ID=6.0, Radius="80"))
    assert (stop.stop_id, stop.fence.enter_m, bad) == ("6", 80.0, [])


def test_a_radius_by_another_name_is_not_passed_over() -> None:
    _, (bad,) = read(feature("Point", [121.4, 31.2], radius_km=0.08))
    assert str(bad) == "feature 1: radius_km = 0.08: write radius_m, in metres"


def test_a_collection_of_geometries_says_what_to_write() -> None:
    wrong = {"type": "Feature", "geometry": {"type": "GeometryCollection", "geometries": []}}
    _, (bad,) = read(wrong)
    assert (bad.field, "a Feature of each" in bad.fix) == ("geometry.type", True)
