from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.china import in_mainland
from geo.crs import Datum, all_from_wgs84, all_to_wgs84, from_wgs84, to_wgs84
from geo.distance import metres

SHIFTED = [Datum.GCJ02, Datum.BD09]
DATUMS = pytest.mark.parametrize("datum", SHIFTED)

LatLon = tuple[float, float]


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        pytest.param((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215), id="上海"),
        pytest.param((22.543847, 113.912316), (22.540796131694766, 113.9171764808363), id="深圳"),
        pytest.param((39.911954, 116.377817), (39.91334545536069, 116.38404722455657), id="北京"),
        pytest.param((39.915, 116.404), (39.91640428150164, 116.41024449916938), id="天安门"),
    ],
)
def test_gcj02_is_that_of_the_published_points(wgs84: LatLon, gcj02: LatLon) -> None:
    """The first three are the test points of googollee/eviltransform, the last that of
    wandergis/coordtransform."""
    assert from_wgs84(*wgs84, Datum.GCJ02) == pytest.approx(gcj02, abs=1e-9)
    assert metres(*to_wgs84(*gcj02, Datum.GCJ02), *wgs84) < 0.001


def test_bd09_is_that_of_the_published_points() -> None:
    """The test points of wandergis/coordtransform, whose inverse is approximate."""
    gcj02 = to_wgs84(39.915, 116.404, Datum.GCJ02)
    bd09 = from_wgs84(*gcj02, Datum.BD09)
    assert bd09 == pytest.approx((39.92133699351021, 116.41036949371029), abs=1e-9)
    back = from_wgs84(*to_wgs84(39.915, 116.404, Datum.BD09), Datum.GCJ02)
    assert metres(*back, 39.90865673957631, 116.39762729119315) < 0.1


@pytest.mark.parametrize(
    ("place", "shift_m"),
    [
        pytest.param((23.129, 113.264), 622, id="广州"),
        pytest.param((30.593, 114.305), 587, id="武汉"),
        pytest.param((45.803, 126.535), 518, id="哈尔滨"),
        pytest.param((30.572, 104.066), 364, id="成都"),
        pytest.param((43.826, 87.617), 265, id="乌鲁木齐"),
    ],
)
def test_the_shift_of_a_city_is_that_measured(place: LatLon, shift_m: float) -> None:
    """research/field.md §7; the middle of a city is not a point, hence the tolerance."""
    assert metres(*place, *from_wgs84(*place, Datum.GCJ02)) == pytest.approx(shift_m, rel=0.02)


@DATUMS
@given(lat=st.floats(18, 53.6), lon=st.floats(73.5, 134.8))
def test_there_and_back_is_the_same_place(datum: Datum, lat: float, lon: float) -> None:
    assume(in_mainland(lat, lon))
    there = from_wgs84(lat, lon, datum)
    assert metres(*to_wgs84(*there, datum), lat, lon) < 0.001


@DATUMS
@pytest.mark.parametrize(
    "place",
    [
        pytest.param((22.2819, 114.1583), id="香港"),
        pytest.param((22.1450, 113.5620), id="澳门"),
        pytest.param((25.0330, 121.5654), id="台北"),
        pytest.param((21.0278, 105.8342), id="Hanoi"),
        pytest.param((47.9210, 106.9180), id="Ulaanbaatar"),
        pytest.param((52.5200, 13.4050), id="Berlin"),
    ],
)
def test_nothing_moves_outside_mainland_china(datum: Datum, place: LatLon) -> None:
    assert from_wgs84(*place, datum) == place
    assert to_wgs84(*place, datum) == place


@pytest.mark.parametrize("datum", Datum)
@given(places=st.lists(st.tuples(st.floats(15, 55), st.floats(70, 137)), min_size=1, max_size=30))
def test_many_places_at_once_become_what_each_becomes_alone(
    datum: Datum, places: list[LatLon]
) -> None:
    lat, lon = np.array(list(zip(*places, strict=True)))
    for all_of_them, one in ((all_to_wgs84, to_wgs84), (all_from_wgs84, from_wgs84)):
        found = list(zip(*all_of_them(lat, lon, datum), strict=True))
        alone = [one(*place, datum) for place in places]
        for (lat_a, lon_a), (lat_b, lon_b) in zip(found, alone, strict=True):
            assert metres(lat_a, lon_a, lat_b, lon_b) < 1e-4


@DATUMS
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_comes_back(datum: Datum, wrong: float) -> None:
    assert to_wgs84(wrong, 110.0, datum)[1] == 110.0
    assert from_wgs84(30.0, wrong, datum)[0] == 30.0


def test_wgs84_is_itself() -> None:
    assert (
        to_wgs84(31.2, 121.5, Datum.WGS84) == from_wgs84(31.2, 121.5, Datum.WGS84) == (31.2, 121.5)
    )
