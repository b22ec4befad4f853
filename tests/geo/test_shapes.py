from __future__ import annotations

from math import cos, pi, radians, sin

import msgspec
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.distance import METRES_PER_DEGREE
from geo.shapes import MAX_POINTS, Area, Line, Ring, Shape, approach, distance_m, middle, width_m
from tests.geo.test_distance import great_circle_m

YARD = Area((((31.0, 121.0), (31.0, 121.02), (31.02, 121.02), (31.02, 121.0)),))
"""2,224 m from south to north, 1,906 m from west to east."""

HOLED = Area((*YARD.rings, ((31.005, 121.005), (31.005, 121.015), (31.015, 121.01))))

latitudes = st.floats(-70, 70)
longitudes = st.floats(-180, 180)
spread = st.floats(-0.05, 0.05)


@st.composite
def rings(draw: st.DrawFn, lat: float, lon: float) -> Ring:
    """A star around a place: its corners in turn, so that no two edges cross."""
    reaches = draw(st.lists(st.floats(0.005, 0.05), min_size=3, max_size=9))
    turns = [2 * pi * n / len(reaches) for n in range(len(reaches))]
    return tuple(
        (lat + reach * sin(turn), lon + reach * cos(turn))
        for reach, turn in zip(reaches, turns, strict=True)
    )


@st.composite
def places_and_shapes(draw: st.DrawFn) -> tuple[Shape, float, float]:
    lat, lon = draw(latitudes), draw(longitudes)
    ring = draw(rings(lat, lon))
    shape: Shape = Area((ring,)) if draw(st.booleans()) else Line((ring,))
    return shape, lat + draw(spread), lon + draw(spread)


def planar(shape: Shape, lat: float) -> shapely.Geometry:
    """The shape in metres, on a map stretched for this latitude."""

    def flat(points: Ring) -> list[tuple[float, float]]:
        east = METRES_PER_DEGREE * cos(radians(lat))
        return [
            (point_lon * east, point_lat * METRES_PER_DEGREE) for point_lat, point_lon in points
        ]

    if isinstance(shape, Line):
        return shapely.MultiLineString([flat(part) for part in shape.parts])
    found = shapely.Polygon()
    for ring in shape.rings:
        found = found.symmetric_difference(shapely.Polygon(flat(ring)))
    return found


def planar_place(lat: float, lon: float, stretched_for: float) -> tuple[float, float]:
    return lon * METRES_PER_DEGREE * cos(radians(stretched_for)), lat * METRES_PER_DEGREE


@given(drawn=places_and_shapes())
def test_the_distance_is_that_of_shapely_on_the_stretched_map(
    drawn: tuple[Shape, float, float],
) -> None:
    shape, lat, lon = drawn
    there, point = planar(shape, lat), shapely.Point(planar_place(lat, lon, lat))
    expected = point.distance(there)
    if isinstance(shape, Area) and there.contains(point):
        expected = -point.distance(there.boundary)
    assert distance_m(shape, lat, lon) == pytest.approx(expected, rel=3e-3, abs=0.01)


@given(drawn=places_and_shapes())
@settings(max_examples=50)
def test_up_to_10_km_it_is_within_half_a_percent_of_the_great_circle(
    drawn: tuple[Shape, float, float],
) -> None:
    shape, lat, lon = drawn
    parts = [ring + ring[:1] for ring in shape.rings] if isinstance(shape, Area) else shape.parts
    true_m = min(
        great_circle_m(lat, lon, a[0] + n / 500 * (b[0] - a[0]), a[1] + n / 500 * (b[1] - a[1]))
        for part in parts
        for a, b in zip(part, part[1:], strict=False)
        for n in range(501)
    )
    assume(true_m <= 10_000)
    assert abs(distance_m(shape, lat, lon)) == pytest.approx(true_m, rel=5e-3, abs=15)


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [
        pytest.param(31.01, 121.001, -95, id="inside, near the west edge"),
        pytest.param(31.01, 120.99, 953, id="west of it"),
        pytest.param(31.01, 121.01, 219, id="in the hole"),
        pytest.param(31.001, 121.01, -111, id="south of the hole"),
    ],
)
def test_a_hole_is_outside(lat: float, lon: float, expected: float) -> None:
    assert distance_m(HOLED, lat, lon) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("lon", [180.0, -180.0])
@pytest.mark.parametrize("wests", [(179.99, -179.99), (179.99, 180.01), (-180.01, -179.99)])
def test_the_antimeridian_is_no_wall(lon: float, wests: tuple[float, float]) -> None:
    west, east = wests
    shape = Area((((-17.0, west), (-17.0, east), (-16.98, east), (-16.98, west)),))
    assert distance_m(shape, -16.99, lon) == pytest.approx(-1063.4, abs=1)
    assert distance_m(shape, -16.99, 179.97) == pytest.approx(2126.8, abs=1)
    assert middle(shape)[0] == pytest.approx(-16.99)
    assert abs(middle(shape)[1]) == pytest.approx(180)


@given(drawn=places_and_shapes(), north=spread, east=spread)
def test_no_point_of_a_way_is_nearer_than_its_approach(
    drawn: tuple[Shape, float, float], north: float, east: float
) -> None:
    shape, lat, lon = drawn
    found = approach(shape, (lat, lon), (lat + north, lon + east))
    assert 0.0 <= found.share <= 1.0
    sampled = [distance_m(shape, lat + n / 100 * north, lon + n / 100 * east) for n in range(101)]
    if found.metres >= 0.0:
        assert min(sampled) >= found.metres * 0.995 - 0.01
    else:
        there = planar(shape, lat)
        way = shapely.LineString(
            [planar_place(lat, lon, lat), planar_place(lat + north, lon + east, lat)]
        )
        assert way.intersects(there.buffer(1.0))


@pytest.mark.parametrize(
    ("a", "b", "metres", "share"),
    [
        pytest.param((31.01, 120.98), (31.01, 121.04), -953, 0.5, id="through the middle"),
        pytest.param((31.01, 121.01), (31.01, 121.01), -953, 0.5, id="standing inside"),
        pytest.param((31.03, 120.98), (31.03, 121.04), 1112, 0.33, id="along the north edge"),
        pytest.param((31.03, 120.9), (31.03, 120.95), 4893, 1.0, id="towards it"),
        pytest.param((31.03, 121.07), (31.03, 121.07), 4893, 0.0, id="standing outside"),
    ],
)
def test_the_approach_of_a_way_to_the_yard(
    a: tuple[float, float], b: tuple[float, float], metres: float, share: float
) -> None:
    found = approach(YARD, a, b)
    assert found.metres == pytest.approx(metres, abs=5)
    assert found.share == pytest.approx(share, abs=0.01)


def test_a_way_across_a_line_touches_it_where_they_cross() -> None:
    line = Line((((31.0, 121.0), (31.0, 121.1)),))
    found = approach(line, (30.9, 121.05), (31.3, 121.05))
    assert found == pytest.approx((0.0, 0.25), abs=1e-6)


def test_the_width_is_the_diagonal_of_the_box() -> None:
    assert width_m(YARD) == pytest.approx(2928, abs=2)


@given(drawn=places_and_shapes())
def test_a_shape_survives_the_wire(drawn: tuple[Shape, float, float]) -> None:
    shape = drawn[0]
    assert msgspec.json.decode(msgspec.json.encode(shape), type=Area | Line) == shape


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('{"kind":"area","rings":[[[1,2],[3,4],[1,2]]]}', "give 3 or more", id="two"),
        pytest.param('{"kind":"line","parts":[[[1,2],[1,2]]]}', "give 2 or more", id="one place"),
        pytest.param('{"kind":"line","parts":[[]]}', "give 2 or more", id="none"),
        pytest.param('{"kind":"line","parts":[[[121,31],[121,32]]]}', "lat 121", id="swapped"),
        pytest.param('{"kind":"area","rings":[]}', "length >= 1", id="no ring"),
    ],
)
def test_what_is_no_shape_is_told(text: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.json.decode(text, type=Area | Line)


def test_a_shape_too_fine_is_told() -> None:
    with pytest.raises(ValueError, match="simplify the shape to 1000"):
        Line((tuple((31 + n * 1e-5, 121.0) for n in range(MAX_POINTS + 1)),))
