"""A vehicle that fell silent at a stop is there, until its next position says otherwise."""

from __future__ import annotations

import pytest

from geo.model import Ping
from tests.builders import at, ping, plan, stop
from tests.geo.vehicle import Vehicle, seconds

COMES = [ping(s, 10 * s - 1_000) for s in range(0, 100, 10)]
STANDS = [ping(s) for s in range(100, 130, 10)]
"""For 20 s, which is no dwell."""
SILENT = 120 + 900
DEPOT = plan(stop("depot"))


def parked(stands: list[Ping] = STANDS) -> Vehicle:
    return Vehicle().take(DEPOT, *COMES, *stands).fall_silent()


def goes(begin: int, from_m: float) -> list[Ping]:
    return [ping(begin + s, from_m + 10 * s) for s in range(0, 100, 10)]


def test_who_fell_silent_while_standing_at_the_stop_has_arrived() -> None:
    [visit] = parked().told
    assert seconds(visit) == (85, None)
    assert visit.inferred
    assert visit.evidence.confidence == 0.5
    assert visit.reported_at == at(SILENT)


@pytest.mark.parametrize(
    "stands",
    [
        pytest.param([ping(100, -60), ping(110, 60)], id="drives through"),
        pytest.param([ping(100, speed_mps=10)], id="says that it drives"),
        pytest.param([ping(100, speed_mps=0)], id="a single position, as of a light"),
        pytest.param([*STANDS, ping(130, 10, speed_mps=5)], id="says that it drives off"),
        pytest.param([*STANDS, ping(130, 200)], id="was on its way out"),
    ],
)
def test_who_was_not_seen_to_stand_is_not_taken_to(stands: list[Ping]) -> None:
    assert parked(stands).told == []


def test_its_departure_is_told_when_it_is_heard_again() -> None:
    vehicle = parked().take(*goes(7_200, 400))
    arrival, departure = vehicle.told
    assert departure.visit_id == arrival.visit_id
    assert seconds(departure) == (85, 7_150)
    assert (arrival.version, departure.version) == (1, 2)


def test_who_was_only_without_coverage_had_not_arrived() -> None:
    """18 km in 1,080 s."""
    vehicle = parked().take(*goes(1_200, 18_000))
    assert [v.retracted for v in vehicle.told] == [False, True]
    assert vehicle.visits == []


def test_who_is_heard_of_there_again_was_seen_to_stand() -> None:
    vehicle = parked().take(ping(3_600))
    assert [v.inferred for v in vehicle.told] == [True, False]
    assert vehicle.times == [(85, None)]


def test_what_comes_late_meanwhile_takes_nothing_back() -> None:
    vehicle = parked().take(ping(45, -550))
    assert len(vehicle.told) == 1


def test_what_comes_late_meanwhile_may_show_that_it_left() -> None:
    vehicle = parked().take(ping(130, 100), ping(140, 200), ping(150, 300), ping(160, 400))
    assert vehicle.visits == []


def test_a_plan_that_comes_meanwhile_finds_it_there() -> None:
    vehicle = Vehicle().take(plan(stop("b", 9_000)), *COMES, *STANDS).fall_silent()
    assert vehicle.told == []
    vehicle.take(plan(stop("depot"), order_id="o2", seconds=2_000))
    assert [(v.stop_id, v.inferred) for v in vehicle.visits] == [("depot", True)]


def test_an_order_that_ended_before_it_came_is_not_told() -> None:
    vehicle = Vehicle().take(DEPOT, plan(seconds=50), *COMES, *STANDS).fall_silent()
    assert vehicle.told == []


def test_what_was_taken_back_and_is_true_after_all_goes_on_counting() -> None:
    """An order takes of each visit the highest version."""
    vehicle = parked().take(*goes(1_200, 18_000)).take(*(ping(s) for s in range(130, 200, 10)))
    assert [(v.version, v.retracted) for v in vehicle.told[:4]] == [
        (1, False),
        (2, True),
        (3, False),
        (4, False),
    ]
    assert len(vehicle.visits) == 1
