from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.distance import metres

EARTH_M = 6_371_008.8


def great_circle_m(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Haversine, the textbook form."""
    a, b = radians(lat_a), radians(lat_b)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


@given(
    lat=st.floats(-74, 74),
    lon=st.floats(-180, 180),
    north=st.floats(-0.9, 0.9),
    east=st.floats(-3.4, 3.4),
)
def test_up_to_100_km_it_is_within_a_thousandth_of_the_great_circle(
    lat: float, lon: float, north: float, east: float
) -> None:
    true_m = great_circle_m(lat, lon, lat + north, lon + east)
    assume(true_m <= 100_000)
    assert metres(lat, lon, lat + north, lon + east) == pytest.approx(true_m, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_antimeridian_is_no_wall(sign: int) -> None:
    assert metres(0, sign * 179.999, 0, -sign * 179.999) == pytest.approx(222.39, abs=0.01)


def test_a_point_is_nowhere_else() -> None:
    assert metres(31.2, 121.4, 31.2, 121.4) == 0.0
