from __future__ import annotations

import pytest
from msgspec.structs import replace

from geo.model import Evidence, Fence, Ping, Stop, StopRole, Visit
from geo.proof import VisitRule
from geo.shapes import Area, Line
from geo.track import World
from tests.builders import LON, at, lat_of, lon_of, ping, plan, stop
from tests.geo.vehicle import Vehicle, seconds

SITE = plan(stop("yard", role=StopRole.SITE), order_id=None)


def times(*pings: Ping, world: World | None = None) -> list[tuple[float, float | None]]:
    """(arrived, departed) in seconds, of one stop at metre 0 with radii of 150 and 250 m."""
    return Vehicle(world or World()).take(plan(stop("depot")), *pings).times


def stand(begin: int, end: int, north_m: float = 0, every: int = 10) -> list[Ping]:
    return [ping(s, north_m) for s in range(begin, end, every)]


APPROACH = ping(0, 1_000)
STAY = (APPROACH, *stand(100, 200))
AWAY = [ping(s, 10 * (s - 200)) for s in range(210, 400, 10)]
"""Leaves at 10 m/s."""


def test_a_vehicle_has_arrived_once_it_stood_through_the_dwell() -> None:
    vehicle = Vehicle().take(plan(stop("depot")), APPROACH, *stand(100, 151))
    assert vehicle.told == []
    assert vehicle.take(ping(160, 10)).told == [
        Visit(
            visit_id=f"v1:depot:o1:{at(85)}",
            vehicle_id="v1",
            stop_id="depot",
            role=StopRole.PICKUP,
            arrived_at=at(85),
            reported_at=at(160.5),
            evidence=Evidence("standstill", 7, at(100), at(160), 0.0, 0.89),
            order_id="o1",
            version=1,
        )
    ]


def test_a_departure_is_the_whole_visit_again() -> None:
    vehicle = Vehicle().take(plan(stop("depot")), *STAY, *AWAY)
    arrival, departure = vehicle.told
    assert departure == replace(
        arrival,
        departed_at=at(215),
        reported_at=at(290.5),
        evidence=replace(
            arrival.evidence, rule="left", positions=12, last_ts=at(230), confidence=0.93
        ),
        version=2,
    )


@pytest.mark.parametrize(
    ("pings", "expected"),
    [
        pytest.param(stand(100, 300, 151), [], id="never inside the enter radius"),
        pytest.param(stand(100, 160), [], id="shorter than the dwell"),
        pytest.param((ping(100, 0),), [], id="one position proves nothing"),
        pytest.param((ping(0), ping(4_000, 90_000)), [], id="next seen elsewhere"),
        pytest.param(
            [ping(s, 600 - 4 * s) for s in range(0, 300, 10)], [], id="crawls through at 14 km/h"
        ),
        pytest.param(
            (*stand(100, 130), ping(130, 251), *stand(140, 170)), [], id="not in one piece"
        ),
        pytest.param((ping(100, 140), *stand(110, 300, 180)), [], id="stands in the band"),
        pytest.param(
            (ping(100, 140), *stand(110, 541, 180)), [(100, None)], id="lingers in the band"
        ),
        pytest.param(
            [ping(s, 60 * (s // 10 % 2)) for s in range(100, 620, 10)],
            [(100, None)],
            id="shunts to and fro for more than walking through would take",
        ),
    ],
)
def test_an_arrival_needs_standing_or_lingering(
    pings: tuple[Ping, ...], expected: list[tuple[int, int | None]]
) -> None:
    assert times(*pings) == expected


def test_a_red_light_with_the_speed_reported_is_no_dwell() -> None:
    slow = [ping(s, 200 - 5 * s, speed_mps=5) for s in range(0, 40, 5)]
    red = [ping(s, 0, speed_mps=0) for s in range(40, 98, 5)]
    on = [ping(s, 5 * (s - 97), speed_mps=5) for s in range(102, 160, 5)]
    assert times(*slow, *red, *on) == []


@pytest.mark.parametrize("every", [1, 5, 10])
def test_a_red_light_of_a_minute_is_no_dwell_though_no_speed_is_reported(every: int) -> None:
    """Within 50 m of the line for some 70 s, of which it stands 55."""
    assert times(*light(55, every)) == []
    assert len(times(*light(90, every))) == 1


def light(red_s: int, every: int) -> list[Ping]:
    """Brakes at 1.8 m/s² from 12 m/s to a line in the middle, waits, and starts at 1.2 m/s²."""

    def north_m(s: float) -> float:
        if s <= 0:
            t = min(-s, 12 / 1.8)
            return -0.9 * t**2 - 12 * (-s - t)
        t = min(max(s - red_s, 0), 10)
        return 0.6 * t**2 + 12 * max(s - red_s - 10, 0)

    return [ping(1_000 + s, north_m(s)) for s in range(-60, 240, every)]


def test_a_device_of_once_a_minute_is_seen_to_stand_by_two_positions_in_one_place() -> None:
    """57 s apart they prove no dwell by themselves; with the time around them they do."""
    way = [ping(s, 10 * (s - 100)) for s in (-80, -20, 40)]
    seen = [*way, ping(100), ping(157, 3), *(ping(s, 5 * (s - 180)) for s in (280, 340))]
    vehicle = Vehicle().take(plan(stop("depot")), *seen)
    assert [v.inferred for v in vehicle.visits] == [True]
    passing = [*way, ping(100), ping(157, 200), *(ping(s, 5 * (s - 117)) for s in (220, 280))]
    assert times(*passing) == []


def test_a_position_that_says_it_drives_does_not_complete_a_dwell() -> None:
    red = [ping(s, 0, speed_mps=0) for s in range(100, 160, 10)]
    away = [
        ping(160, 6, speed_mps=4),
        *(ping(s, 10 * (s - 159), speed_mps=10) for s in range(170, 240, 10)),
    ]
    assert times(APPROACH, *red, *away) == []


def test_a_device_that_repeats_its_speed_while_standing_is_seen_to_stand() -> None:
    repeated = [replace(p, speed_mps=9.0) for p in stand(100, 200)]
    assert times(APPROACH, *repeated) == [(85, None)]


@pytest.mark.parametrize(
    ("pings", "departed"),
    [
        pytest.param((ping(220, 251),), None, id="one position beyond"),
        pytest.param((ping(220, 251), ping(221, 251)), None, id="one reflection"),
        pytest.param((ping(220, 251), ping(279, 251)), None, id="not for a minute"),
        pytest.param((ping(220, 251), ping(240), ping(300, 251)), None, id="back in between"),
        pytest.param((ping(220, 249), ping(380, 249)), None, id="between the two radii"),
        pytest.param((ping(220, 300), ping(280, 251)), 205, id="when it crossed the inner edge"),
        pytest.param(
            (ping(220, 300), ping(240), ping(300, 300), ping(360, 300)),
            270,
            id="by the run that proves it",
        ),
        pytest.param(
            (ping(210, 200), ping(400, 200), ping(410, 400), ping(480, 400)),
            400,
            id="after standing in the band",
        ),
    ],
)
def test_a_departure_needs_a_run_of_positions_beyond(
    pings: tuple[Ping, ...], departed: int | None
) -> None:
    assert times(*STAY, *pings) == [(85, departed)]


def test_who_is_back_soon_and_stands_there_had_not_left() -> None:
    vehicle = Vehicle().take(plan(stop("depot")), *STAY, *AWAY[:10])
    assert vehicle.times == [(85, 215)]
    vehicle.take(ping(320, 300), *stand(330, 420))
    assert vehicle.times == [(85, None)]
    assert {v.visit_id for v in vehicle.told} == {f"v1:depot:o1:{at(85)}"}
    assert [v.version for v in vehicle.told] == [1, 2, 3]


def test_who_is_back_later_calls_again() -> None:
    again = [ping(600, 300), *stand(610, 700)]
    assert times(*STAY, *AWAY, *again) == [(85, 215), (605, None)]


def test_who_drives_past_again_soon_had_left() -> None:
    past = [ping(s, 2_000 - 10 * (s - 400)) for s in range(400, 800, 10)]
    assert times(*STAY, *AWAY, *past) == [(85, 215)]


def test_arrival_lies_before_departure_even_where_both_are_worked_out() -> None:
    for visit in Vehicle().take(plan(stop("depot")), *STAY, *AWAY).visits:
        assert visit.departed_at is not None
        assert visit.arrived_at < visit.departed_at


# Accuracy.


def poor(where: Ping, error_m: float) -> Ping:
    return replace(where, accuracy_m=error_m)


def test_a_position_that_may_be_wrong_by_much_is_no_departure() -> None:
    drifted = [poor(p, 120) for p in stand(200, 400, 300)]
    assert times(*STAY, *drifted) == [(85, None)]


def test_a_cell_towers_position_is_no_arrival() -> None:
    assert times(APPROACH, *(poor(p, 800) for p in stand(100, 300))) == []


def test_a_small_fence_grows_with_the_error() -> None:
    gate = Vehicle().take(plan(replace(stop("g"), fence=replace(stop().fence, enter_m=20.0))))
    assert gate.take(*(poor(p, 25) for p in stand(100, 200, 45))).times == [(100, None)]


# Sparse.


def test_between_sparse_positions_the_moving_part_was_driven_at_the_pace_before() -> None:
    drive = [ping(0, 9_000), ping(300, 6_000), ping(600, 3_000)]
    vehicle = Vehicle().take(plan(stop("depot")), *drive, *stand(900, 1_300, 0, 300))
    assert vehicle.times == [(885, None)]
    slow = [ping(0, 6_000), ping(300, 3_000), ping(600, 1_500)]
    vehicle = Vehicle().take(plan(stop("depot")), *slow, *stand(900, 1_300, 0, 300))
    assert vehicle.times == [(870, None)]


def test_a_stop_seen_once_between_sparse_positions_is_inferred() -> None:
    tour = (ping(0, -1_000), ping(300, 0, speed_mps=0), ping(600, 1_000))
    [visit] = Vehicle().take(plan(stop("depot")), *tour).visits
    assert visit.inferred
    assert visit.evidence.rule == "inferred"
    assert (visit.evidence.first_ts, visit.evidence.last_ts) == (at(0), at(600))
    assert visit.evidence.confidence == 0.5
    assert seconds(visit) == (170, 430)


def test_a_stop_between_two_positions_is_inferred_where_the_time_is_unexplained() -> None:
    [visit] = Vehicle().take(plan(stop("depot")), ping(0, -500), ping(600, 500)).visits
    assert visit.inferred
    assert visit.evidence.positions == 0
    assert visit.evidence.nearest_m == pytest.approx(0, abs=1)
    assert (visit.evidence.first_ts, visit.evidence.last_ts) == (at(0), at(600))
    assert seconds(visit) == (70, 530)


@pytest.mark.parametrize(
    "pings",
    [
        pytest.param((ping(0, -3_000), ping(300, 3_000)), id="at 72 km/h"),
        pytest.param((ping(0, -700), ping(300, 700)), id="as slowly as a city"),
        pytest.param((ping(0, -500), ping(100, 500)), id="in too short a time"),
        pytest.param((ping(0, 500), ping(600, 600)), id="not past it"),
        pytest.param((ping(0, -500), ping(1_200, 500)), id="after a long silence"),
        pytest.param((ping(0, -500), ping(600, 200)), id="to the band, where it may still be"),
    ],
)
def test_a_fence_driven_through_between_two_positions_gives_nothing(
    pings: tuple[Ping, ...],
) -> None:
    assert times(*pings) == []


def test_who_fell_silent_on_the_way_there_stood_where_it_fell_silent() -> None:
    through = [ping(36_000 + s, 10 * s - 100) for s in range(0, 300, 10)]
    assert times(*(ping(s, 10 * s - 8_000) for s in range(0, 300, 10)), *through) == []
    assert len(times(*(ping(s, 10 * s - 3_100) for s in range(0, 300, 10)), *through)) == 1


def driving(begin: int, end: int, from_m: float, every: int = 10) -> list[Ping]:
    """North at 10 m/s."""
    return [ping(s, from_m + 10 * (s - begin)) for s in range(begin, end, every)]


REST = [ping(s, -600) for s in range(100, 160, 10)]
"""At the roadside, as is seen from two positions and more."""


def test_who_rested_before_the_stop_did_not_rest_at_it() -> None:
    """550 s, of which the way explains 100."""
    assert times(*driving(0, 100, -1_600), *REST, *driving(700, 900, -100)) == []
    late = [ping(s, -600) for s in range(150, 700, 10)]
    assert times(*driving(0, 100, -1_600), *REST, *late, *driving(700, 900, -100)) == []


def test_who_rested_before_the_stop_came_when_it_moved_on() -> None:
    [(arrived, _)] = times(*driving(0, 100, -1_600), *REST, *stand(700, 800))
    assert arrived == 670
    [(arrived, _)] = times(*driving(0, 160, -2_100), *stand(700, 800))
    assert arrived == 195


@pytest.mark.parametrize("way", [driving(0, 60, -600), []], ids=["on its way", "first of all"])
def test_a_device_that_slept_with_its_vehicle_was_where_it_fell_asleep(way: list[Ping]) -> None:
    [visit] = Vehicle().take(plan(stop("depot")), *way, *stand(60, 90), *AWAKE).visits
    assert visit.inferred
    assert seconds(visit) == (45 if way else 60, 1_970)


AWAKE = driving(2_000, 2_100, 300)


def test_a_single_position_before_everything_else_proves_nothing() -> None:
    """It may be one of a device that was eight hours off."""
    assert times(ping(0), *AWAKE) == []


def test_the_longer_it_was_seen_to_stand_the_less_need_be_unexplained() -> None:
    """170 of 240 s are not explained by the way."""
    gone = driving(330, 430, 350)
    assert len(times(*driving(0, 60, -600), *stand(60, 91), *gone)) == 1
    assert times(*driving(0, 90, -900), ping(90), *gone) == []


def test_a_visit_nobody_saw_was_asked_for_through_a_dwell() -> None:
    begun = Vehicle().take(plan(stop("depot")), *driving(0, 60, -600), *stand(60, 90))
    assert begun.take(plan(seconds=100), *AWAKE).visits == []


def test_a_battery_that_died_at_the_stop_came_back_on_the_road() -> None:
    tour = (*STAY, ping(7_200, 40_000, speed_mps=20), ping(7_260, 41_200, speed_mps=20))
    vehicle = Vehicle().take(plan(stop("depot")), *tour, ping(7_320, 42_400, speed_mps=20))
    assert vehicle.times == [(85, 5_208)]
    assert vehicle.visits[0].evidence.rule == "silent"
    assert vehicle.visits[0].evidence.last_ts == at(7_200)


# Several stops.


def test_of_two_docks_side_by_side_the_one_it_stands_at_is_visited() -> None:
    docks = plan(stop("a", 0), stop("b", 110))
    vehicle = Vehicle().take(docks, APPROACH, *stand(100, 300, 108), *AWAY_FROM_108)
    assert vehicle.stops == ["b:o1"]


AWAY_FROM_108 = [ping(s, 108 + 10 * (s - 300)) for s in range(310, 500, 10)]


def test_docks_side_by_side_are_visited_one_after_the_other() -> None:
    docks = plan(stop("a", 0), stop("b", 110))
    vehicle = Vehicle().take(docks, APPROACH, *stand(100, 300, 0), *stand(300, 500, 110))
    assert vehicle.stops == ["a:o1", "b:o1"]
    first, second = vehicle.visits
    assert first.departed_at is not None
    assert first.departed_at <= second.arrived_at + 10_000


def test_where_nobody_can_tell_the_plan_does() -> None:
    docks = plan(stop("a", 0), stop("b", 60))
    assert Vehicle().take(docks, ping(0, -900), *stand(100, 300, 35)).stops == ["a:o1"]


def test_a_dock_inside_a_yard_is_visited_as_well_as_the_yard() -> None:
    yard = plan(replace(stop("yard"), fence=replace(stop().fence, enter_m=600, exit_m=700)))
    vehicle = Vehicle().take(yard, plan(stop("dock", 100), order_id="o2"))
    assert vehicle.take(ping(0, 2_000), *stand(100, 300, 100)).stops == ["yard:o1", "dock:o2"]


def test_a_stop_planned_twice_at_one_place_is_called_at_in_turn() -> None:
    there_and_back = plan(stop("load", 0), stop("return", 5, role=StopRole.DELIVERY))
    again = [ping(900, 300), *stand(910, 1_000)]
    vehicle = Vehicle().take(there_and_back, *STAY, *AWAY)
    assert vehicle.stops == ["load:o1"]
    assert vehicle.take(*again).stops == ["load:o1", "return:o1"]


def test_a_site_of_the_fleet_is_visited_without_an_order() -> None:
    [visit] = Vehicle().take(SITE, *stand(0, 61)).visits
    assert (visit.visit_id, visit.role, visit.order_id) == (f"v1:yard:{at(0)}", StopRole.SITE, None)


def test_thresholds_are_the_worlds() -> None:
    patient = World(visits=VisitRule(dwell_ms=180_000, leave_positions=9))
    assert times(*STAY, world=patient) == []
    assert times(*STAY, *stand(200, 300), *stand(300, 380, 400), world=patient) == [(85, None)]


def test_a_corridor_of_the_fleet_tells_who_leaves_the_route() -> None:
    way = Line(((tuple((lat_of(n), LON) for n in (0, 10_000, 20_000))),))
    route = Stop("route", StopRole.SITE, Fence(lat_of(10_000), LON, 100.0, 200.0, way))
    along = [ping(s, 10 * s) for s in range(0, 900, 10)]
    aside = [replace(ping(s, 9_000), lon=lon_of(20 * (s - 890))) for s in range(900, 1_000, 10)]
    vehicle = Vehicle().take(plan(route, order_id=None), *along, *aside)
    assert vehicle.times == [(0, 895)]
    assert [v.evidence.rule for v in vehicle.told] == ["dwell", "left"]


def test_a_yard_drawn_as_an_area_is_entered_at_its_edge() -> None:
    corners = [(-200, -200), (-200, 200), (200, 200), (200, -200)]
    area = Area((tuple((lat_of(north), lon_of(east)) for north, east in corners),))
    yard = Stop("yard", StopRole.SITE, Fence(lat_of(0), LON, 0.0, 50.0, area))
    vehicle = Vehicle().take(plan(yard, order_id=None), ping(0, 1_000), *stand(100, 200), *AWAY)
    assert vehicle.times == [(80, 220)]
