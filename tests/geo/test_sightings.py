from __future__ import annotations

from math import nan

import pytest

from geo.model import Motion, Ping, Sighting
from geo.track import Track, World, step
from tests.builders import LON, at, lat_of, ping, plan, stop

WORLD = World()
FAR = stop("far", 400_000)


def told(*pings: Ping) -> list[tuple[float, Motion]]:
    """(second, motion) of the sightings one order gets."""
    state: Track | None = step(None, plan(FAR), at(0), WORLD)[0]
    found: list[tuple[float, Motion]] = []
    for each in pings:
        state, facts = step(state, each, each.ts, WORLD)
        found += [((f.ts - at(0)) / 1000, f.motion) for f in facts if isinstance(f, Sighting)]
    return found


def test_orders_hear_of_their_vehicle_once_a_minute() -> None:
    drive = [ping(s, s * 10, speed_mps=10) for s in range(0, 125, 5)]
    assert told(*drive) == [(0, Motion.MOVING), (60, Motion.MOVING), (120, Motion.MOVING)]


@pytest.mark.parametrize(
    ("speed_mps", "expected"),
    [
        pytest.param(0.0, Motion.STANDING, id="0"),
        pytest.param(1.38, Motion.STANDING, id="below 5 km/h"),
        pytest.param(1.39, Motion.MOVING, id="above 5 km/h"),
        pytest.param(None, Motion.MOVING, id="unknown"),
        pytest.param(-1.0, Motion.MOVING, id="negative means unknown"),
        pytest.param(nan, Motion.MOVING, id="nan means unknown"),
    ],
)
def test_the_first_sighting_judges_motion_by_speed(
    speed_mps: float | None, expected: Motion
) -> None:
    assert told(ping(0, speed_mps=speed_mps)) == [(0, expected)]


def test_a_change_of_motion_is_told_before_the_minute_but_not_within_ten_seconds() -> None:
    stops = [ping(0, 0, speed_mps=9), ping(9, 90, speed_mps=0), ping(10, 90, speed_mps=0)]
    assert told(*stops) == [(0, Motion.MOVING), (10, Motion.STANDING)]


def test_a_position_without_speed_is_no_change_of_motion() -> None:
    assert told(ping(0, speed_mps=0), ping(30, 500)) == [(0, Motion.STANDING)]


@pytest.mark.parametrize(
    ("moved_m", "expected"), [(49, Motion.STANDING), (51, Motion.MOVING)], ids=["49 m", "51 m"]
)
def test_without_speed_less_than_50_m_in_a_minute_is_standing(
    moved_m: float, expected: Motion
) -> None:
    assert told(ping(0), ping(60, moved_m)) == [(0, Motion.MOVING), (60, expected)]


def test_every_order_on_the_vehicle_is_told_and_the_fleet_is_not() -> None:
    state: Track | None = None
    for each in (plan(FAR), plan(FAR, order_id="o2"), plan(FAR, order_id=None)):
        state, _ = step(state, each, at(0), WORLD)
    _, facts = step(state, ping(5, 70), at(6), WORLD)
    assert facts == [
        Sighting(order_id, "v1", at(5), lat_of(70), LON, Motion.MOVING, at(6))
        for order_id in ("o1", "o2")
    ]


def test_a_new_plan_tells_its_order_alone_where_the_vehicle_is() -> None:
    state: Track | None = None
    for each in (ping(0, speed_mps=0), plan(FAR)):
        state, _ = step(state, each, at(0), WORLD)
    _, facts = step(state, plan(FAR, order_id="o2", seconds=30), at(30), WORLD)
    assert facts == [Sighting("o2", "v1", at(0), lat_of(0), LON, Motion.STANDING, at(30))]


def test_an_ended_order_is_told_nothing_even_while_its_visit_is_open() -> None:
    state: Track | None = None
    for each in (plan(stop()), ping(0), ping(60), plan()):
        state, _ = step(state, each, at(60), WORLD)
    assert step(state, ping(120), at(120), WORLD)[1] == []
