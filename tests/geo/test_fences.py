from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.distance import metres
from geo.fences import CLEARANCE_MAX_M, clearance_m, distance_m, is_beyond
from geo.model import Fence, Ping
from tests.builders import fence, ping


@pytest.mark.parametrize(
    ("distance", "exit_m", "expected"),
    [
        pytest.param(250.0, 250, False, id="on the edge"),
        pytest.param(250.1, 250, True, id="outside"),
        pytest.param(140.0, 100, False, id="an exit radius below the enter radius counts as equal"),
        pytest.param(150.1, 100, True, id="outside of both"),
    ],
)
def test_beyond_means_outside_the_exit_radius(
    distance: float, exit_m: float, expected: bool
) -> None:
    assert is_beyond(fence(exit_m=exit_m), distance) is expected


def test_clearance_of_no_fences_is_bounded() -> None:
    assert clearance_m([]) == CLEARANCE_MAX_M


def test_clearance_is_that_of_the_nearest_edge() -> None:
    near, wide = fence(1_000), fence(5_000, enter_m=4_500)
    here = ping()
    assert clearance_m((f, distance_m(here, f)) for f in (near, wide)) == pytest.approx(450)


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
    if moved_m < clearance_m([(target, distance_m(before, target))]):
        assert distance_m(after, target) > enter_m
