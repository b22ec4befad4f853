from __future__ import annotations

from dataclasses import dataclass, field

from geo.model import Ping, Stop, VehiclePlan, Visit
from geo.track import Track, World, step
from tests.builders import at, ping, plan, stop

WORLD = World()


@dataclass
class Vehicle:
    """Takes pings and plans, remembers the visits."""

    state: Track | None = None
    visits: list[Visit] = field(default_factory=list)

    def take(self, *events: Ping | VehiclePlan) -> Vehicle:
        for event in events:
            self.state, facts = step(self.state, event, event.ts, WORLD)
            self.visits += [fact for fact in facts if isinstance(fact, Visit)]
        return self

    @property
    def arrivals(self) -> list[str]:
        return [v.visit_id for v in self.visits if v.departed_at is None]

    @property
    def departures(self) -> list[str]:
        return [v.visit_id for v in self.visits if v.departed_at is not None]


DEPOT = stop("depot")
LEAVES = (ping(220, 300), ping(280, 900))


def test_a_plan_is_judged_by_the_last_position_at_once() -> None:
    vehicle = Vehicle().take(ping(0), plan(DEPOT, seconds=30), ping(60))
    assert [v.arrived_at for v in vehicle.visits] == [at(0)]


def test_a_repeated_stop_keeps_the_progress_of_its_visit() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0), plan(DEPOT, stop("b", 5_000)), ping(60))
    assert [v.arrived_at for v in vehicle.visits] == [at(0)]


def test_a_repeated_plan_changes_nothing() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0))
    assert step(vehicle.state, plan(DEPOT, seconds=30), at(30), WORLD) == (vehicle.state, ())


def test_a_stop_whose_fence_moved_starts_afresh() -> None:
    moved = stop("depot", 20)
    vehicle = Vehicle().take(plan(DEPOT), ping(0), ping(30), plan(moved), ping(60), ping(90))
    assert [v.arrived_at for v in vehicle.visits] == [at(30)]


def test_a_stop_whose_fence_moved_away_gives_no_visit() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0), plan(stop("depot", 900)), ping(60))
    assert vehicle.visits == []


def test_a_stop_that_changed_its_role_is_visited_in_the_new_one() -> None:
    hub = Stop("depot", stop(role=stop().role.HUB).role, DEPOT.fence)
    vehicle = Vehicle().take(plan(DEPOT), ping(0), plan(hub), ping(60))
    assert [(v.role, v.arrived_at) for v in vehicle.visits] == [("hub", at(0))]


def test_an_empty_plan_takes_away_a_stay_that_has_not_arrived() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0), plan(), ping(60), *LEAVES)
    assert vehicle.visits == []


def test_an_empty_plan_leaves_an_open_visit_to_its_departure() -> None:
    vehicle = Vehicle().take(plan(DEPOT), ping(0), ping(60), plan(), *LEAVES)
    assert vehicle.departures == ["v1:depot:o1:1"]
    assert vehicle.state == Track(LEAVES[-1], LEAVES[-1].ts + WORLD.silent_after_ms)


def test_a_stop_given_up_and_given_again_during_a_visit_counts_on() -> None:
    again = (ping(340, 0), ping(400, 0))
    vehicle = Vehicle().take(plan(DEPOT), ping(0), ping(60), plan(), plan(DEPOT), *LEAVES, *again)
    assert vehicle.arrivals == ["v1:depot:o1:1", "v1:depot:o1:2"]


def test_a_moved_fence_leaves_an_open_visit_to_its_departure_from_the_old_one() -> None:
    moved = plan(stop("depot", 900))
    vehicle = Vehicle().take(plan(DEPOT), ping(0), ping(60), moved, *LEAVES, ping(340, 900))
    assert vehicle.departures == ["v1:depot:o1:1"]
    assert vehicle.arrivals == ["v1:depot:o1:1", "v1:depot:o1:2"]


def test_two_orders_with_one_place_have_a_visit_each() -> None:
    vehicle = Vehicle().take(plan(DEPOT), plan(DEPOT, order_id="o2"), ping(0), ping(60))
    assert vehicle.arrivals == ["v1:depot:o1:1", "v1:depot:o2:1"]


def test_a_plan_leaves_the_stops_of_other_orders_alone() -> None:
    vehicle = Vehicle().take(
        plan(DEPOT), ping(0), plan(DEPOT, order_id="o2"), plan(order_id="o2"), ping(60)
    )
    assert [(v.visit_id, v.arrived_at) for v in vehicle.visits] == [("v1:depot:o1:1", at(0))]


def test_of_a_stop_named_twice_the_first_counts() -> None:
    vehicle = Vehicle().take(plan(DEPOT, stop("depot", 5_000)), ping(0), ping(60))
    assert vehicle.arrivals == ["v1:depot:o1:1"]


def test_an_empty_plan_for_an_unknown_vehicle_leaves_nothing() -> None:
    assert step(None, plan(), at(0), WORLD) == (None, ())


def test_a_vehicle_never_seen_is_forgotten_with_its_last_plan() -> None:
    assert Vehicle().take(plan(DEPOT), plan()).state is None


def test_a_vehicle_once_seen_is_remembered_without_plans() -> None:
    seen = Vehicle().take(ping(0, 9_000))
    before = seen.state
    assert seen.take(plan(DEPOT), plan()).state == before
