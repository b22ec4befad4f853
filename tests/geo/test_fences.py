from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from geo.distance import metres
from geo.fences import (
    CLEARANCE_MAX_M,
    GROWTH_MAX_M,
    band_m,
    clearance_m,
    edge_m,
    growth_m,
    passing_m,
)
from geo.model import Fence, Ping
from geo.spots import spot
from tests.builders import fence, lon_of, ping


@pytest.mark.parametrize(
    ("exit_m", "expected"),
    [
        pytest.param(250, 100, id="between the radii"),
        pytest.param(100, 0, id="an exit radius below the enter radius counts as equal"),
    ],
)
def test_the_band_lies_between_the_radii(exit_m: float, expected: float) -> None:
    assert band_m(fence(exit_m=exit_m)) == expected


def test_a_fence_grows_with_the_error_of_a_position_up_to_a_limit() -> None:
    assert [growth_m(fence(), error) for error in (0, 75, 100, 1_000)] == [0, 0, 50, 100]


def test_clearance_of_no_fences_is_bounded() -> None:
    assert clearance_m([]) == CLEARANCE_MAX_M


def test_clearance_is_to_the_nearest_edge_less_what_it_may_grow_by() -> None:
    near, wide = fence(1_000), fence(5_000, enter_m=4_500)
    here = ping()
    edges = [edge_m(f, here.lat, here.lon) for f in (near, wide)]
    assert clearance_m(edges) == pytest.approx(0.99 * 500 - GROWTH_MAX_M)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param((-1_000, 0), (1_000, 0), -150, id="through the middle"),
        pytest.param((-1_000, 200), (1_000, 200), 50, id="past it"),
        pytest.param((-1_000, 0), (-400, 0), 250, id="towards it"),
    ],
)
def test_a_straight_way_comes_so_near(
    a: tuple[float, float], b: tuple[float, float], expected: float
) -> None:
    ends = [spot(replace(ping(0, north), lon=lon_of(east))) for north, east in (a, b)]
    assert passing_m(fence(), *ends) == pytest.approx(expected, abs=0.5)


@given(
    lat=st.floats(-70, 70),
    lon=st.floats(-180, 180),
    fence_lat=st.floats(-0.7, 0.7),
    fence_lon=st.floats(-2.2, 2.2),
    enter_m=st.floats(1, 50_000),
    step_lat=st.floats(-0.2, 0.2),
    step_lon=st.floats(-0.5, 0.5),
)
def test_within_the_clearance_no_fence_can_be_entered(
    lat: float,
    lon: float,
    fence_lat: float,
    fence_lon: float,
    enter_m: float,
    step_lat: float,
    step_lon: float,
) -> None:
    target = Fence(lat + fence_lat, lon + fence_lon, enter_m)
    before, after = Ping("v1", 0, lat, lon), Ping("v1", 0, lat + step_lat, lon + step_lon)
    moved_m = metres(before.lat, before.lon, after.lat, after.lon)
    if moved_m < clearance_m([edge_m(target, before.lat, before.lon)]):
        assert edge_m(target, after.lat, after.lon) > 0.0
