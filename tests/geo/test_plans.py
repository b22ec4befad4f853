from __future__ import annotations

from msgspec.structs import replace

from geo.cleaning import Reason
from geo.model import Ping, Stop, StopRole
from geo.track import World, step
from tests.builders import at, ping, plan, stop
from tests.geo.vehicle import WORLD, Vehicle

DEPOT = stop("depot")
STAY = tuple(ping(s) for s in range(0, 181, 60))
LEAVES = (ping(220, 300), ping(280, 900), ping(340, 1_500))


def test_a_plan_is_judged_by_the_last_position_at_once() -> None:
    assert Vehicle().take(ping(0), plan(DEPOT, seconds=30), ping(60)).times == [(0, None)]


def test_a_plan_that_comes_after_the_visit_finds_it() -> None:
    vehicle = Vehicle().take(*STAY, *LEAVES, plan(DEPOT, seconds=400))
    assert vehicle.times == [(0, 200)]
    assert [v.reported_at for v in vehicle.told] == [at(400.5)] * 2


def test_a_plan_is_not_meant_for_a_visit_long_before_it() -> None:
    evening = 90 * 60 + 260
    assert Vehicle().take(*STAY, *LEAVES, plan(DEPOT, seconds=evening)).visits == []
    late = plan(DEPOT, seconds=evening - 120)
    assert Vehicle().take(*STAY, *LEAVES, late).times == [(0, 200)]


def test_a_place_of_the_fleet_was_one_before_anybody_told() -> None:
    yard = plan(DEPOT, order_id=None, seconds=20_000)
    assert Vehicle().take(*STAY, *LEAVES, yard).times == [(0, 200)]


def test_who_waits_at_the_stop_since_long_before_the_plan_has_arrived_when_it_came() -> None:
    waiting = [ping(60 * n) for n in range(400)]
    late = plan(DEPOT, seconds=60 * 399)
    assert Vehicle().take(*waiting, late).times == [(0, None)]


def test_a_repeated_plan_changes_nothing() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0))
    assert step(vehicle.state, plan(DEPOT, seconds=30), at(30), WORLD) == (vehicle.state, ())


def test_a_plan_older_than_the_one_we_hold_changes_nothing() -> None:
    vehicle = Vehicle().take(plan(stop("b", 5_000), seconds=60), ping(60))
    held = vehicle.state
    assert vehicle.take(plan(DEPOT)).state == held


def test_a_stop_whose_fence_moved_away_gives_no_visit() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0), plan(stop("depot", 900), seconds=1), *STAY[1:])
    assert vehicle.visits == []


def test_a_stop_that_changed_its_role_is_visited_in_the_new_one() -> None:
    hub = Stop("depot", StopRole.HUB, DEPOT.fence)
    vehicle = Vehicle().take(plan(DEPOT), ping(0), plan(hub, seconds=30), *STAY[1:])
    assert [v.role for v in vehicle.visits] == [StopRole.HUB]


def test_an_empty_plan_takes_away_a_stay_that_is_no_visit_yet() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0), plan(seconds=30), *STAY[1:], *LEAVES)
    assert vehicle.visits == []


def test_an_empty_plan_leaves_an_open_visit_to_its_departure() -> None:
    vehicle = Vehicle().take(plan(DEPOT), *STAY, plan(seconds=185), *LEAVES)
    assert vehicle.times == [(0, 200)]


def test_a_stop_given_up_and_given_again_was_asked_for_all_the_time() -> None:
    vehicle = Vehicle().take(plan(DEPOT), *STAY[:2], plan(seconds=90))
    vehicle.take(plan(DEPOT, seconds=100), *STAY[2:], *LEAVES)
    assert vehicle.times == [(0, 200)]


def test_a_late_batch_is_looked_through_for_an_order_that_has_ended() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(-60, 900), *LEAVES, plan(seconds=400), *STAY)
    assert vehicle.times == [(-10, 200)]


def test_two_orders_with_one_place_have_a_visit_each() -> None:
    vehicle = Vehicle().take(plan(DEPOT), plan(DEPOT, order_id="o2"), *STAY, *LEAVES)
    assert vehicle.stops == ["depot:o1", "depot:o2"]
    assert vehicle.times == [(0, 200), (0, 200)]


def test_a_plan_leaves_the_stops_of_other_orders_alone() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0), plan(DEPOT, order_id="o2"))
    vehicle.take(plan(order_id="o2", seconds=30), *STAY[1:])
    assert vehicle.stops == ["depot:o1"]


def test_of_a_stop_named_twice_the_first_counts() -> None:
    vehicle = Vehicle().take(plan(DEPOT, stop("depot", 5_000)), *STAY)
    assert vehicle.stops == ["depot:o1"]


def test_an_empty_plan_for_an_unknown_vehicle_leaves_nothing() -> None:
    assert step(None, plan(), at(0), WORLD) == (None, ())


def test_a_vehicle_never_seen_is_forgotten_with_its_last_plan() -> None:
    assert Vehicle().take(plan(DEPOT), plan(seconds=1)).state is None


def test_more_stops_than_a_state_may_hold_are_refused_and_change_nothing() -> None:
    small = World(max_stops=2)
    three = plan(*(stop(f"s{n}", 5_000 * n) for n in range(3)))
    vehicle = Vehicle(small).take(plan(DEPOT, order_id="o2"), ping(0))
    held = vehicle.state
    vehicle.take(three)
    assert vehicle.state is held
    assert [r.reason for r in vehicle.rejected] == [Reason.TOO_MANY_STOPS]
    assert "end the plans of orders that are over" in vehicle.rejected[0].detail


def test_the_claims_of_yesterday_are_forgotten() -> None:
    day = [ping(600 * n, 40 * n) for n in range(300)]
    vehicle = Vehicle().take(plan(stop("x", 90_000)), plan(seconds=1), *day)
    assert vehicle.state is not None
    assert vehicle.state.plans is None


def other_vehicle(where: Ping) -> Ping:
    return replace(where, vehicle_id="v2")


def test_an_order_that_changes_its_vehicle_is_visited_by_each_while_it_has_it() -> None:
    first = Vehicle().take(plan(DEPOT), *STAY, *LEAVES, plan(seconds=1_000))
    second = Vehicle().take(
        plan(DEPOT, vehicle_id="v2", seconds=1_000),
        *(other_vehicle(ping(s)) for s in range(2_000, 2_200, 60)),
    )
    assert (first.times, second.times) == ([(0, 200)], [(2_000, None)])


def test_stops_that_are_over_make_room_for_a_plan_of_a_vehicle_not_heard_of() -> None:
    small = World(max_stops=2)
    vehicle = Vehicle(small).take(ping(0, -9_000))
    for n in range(9):
        vehicle.take(plan(stop(f"s{n}", 5_000 * n), order_id=f"o{n}", seconds=100 * n + 10))
        vehicle.take(plan(order_id=f"o{n}", seconds=100 * n + 90))
    vehicle.take(plan(stop("now"), seconds=1_000))
    assert vehicle.rejected == []
    assert vehicle.take(*(ping(s) for s in range(2_000, 2_100, 10))).stops == ["now:o1"]
