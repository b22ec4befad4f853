from __future__ import annotations

import pytest

from geo.model import Evidence, Ping, StopRole, Visit
from geo.track import Track, World, step
from geo.visits import VisitRule
from tests.builders import at, ping, plan, stop

WORLD = World()


def visits(*pings: Ping, world: World = WORLD) -> list[Visit]:
    """Of one vehicle with one order whose only stop is the depot at metre 0."""
    state: Track | None = step(None, plan(stop("depot")), at(0), world)[0]
    found: list[Visit] = []
    for each in pings:
        state, facts = step(state, each, each.ts + 500, world)
        found += [fact for fact in facts if isinstance(fact, Visit)]
    return found


def times(*pings: Ping, world: World = WORLD) -> list[tuple[int, int | None]]:
    """(arrived, departed) in seconds, as reported one after the other."""
    return [
        ((v.arrived_at - at(0)) // 1000, v.departed_at and (v.departed_at - at(0)) // 1000)
        for v in visits(*pings, world=world)
    ]


APPROACH = ping(0, 3_000)
ARRIVED = (APPROACH, ping(100, 100), ping(160, 0))


def test_a_vehicle_has_arrived_once_a_later_position_proves_the_dwell() -> None:
    assert visits(APPROACH, ping(100, 140), ping(130, 30), ping(160, 50)) == [
        Visit(
            visit_id="v1:depot:o1:1",
            vehicle_id="v1",
            stop_id="depot",
            role=StopRole.PICKUP,
            arrived_at=at(100),
            reported_at=at(160.5),
            evidence=Evidence("dwell", 3, at(100), at(160), pytest.approx(30)),  # type: ignore[arg-type]
            order_id="o1",
        )
    ]


def test_a_departure_is_the_whole_visit_again_dated_by_the_first_position_beyond() -> None:
    assert visits(*ARRIVED, ping(220, 300), ping(280, 1_000))[1:] == [
        Visit(
            visit_id="v1:depot:o1:1",
            vehicle_id="v1",
            stop_id="depot",
            role=StopRole.PICKUP,
            arrived_at=at(100),
            reported_at=at(280.5),
            evidence=Evidence("left", 4, at(100), at(280), 0.0),
            departed_at=at(220),
            order_id="o1",
        )
    ]


@pytest.mark.parametrize(
    ("pings", "expected"),
    [
        pytest.param((ping(100, 151), ping(200, 151)), [], id="never inside the enter radius"),
        pytest.param((ping(100, 0), ping(159, 0)), [], id="shorter than the dwell"),
        pytest.param((ping(100, 0),), [], id="one position proves nothing"),
        pytest.param((ping(100, 0), ping(130, 300), ping(160, 900)), [], id="passes by"),
        pytest.param((ping(100, 0), ping(4_000, 900)), [], id="next seen elsewhere"),
        pytest.param((ping(100, 100), ping(160, 249)), [(100, None)], id="drifts to the exit edge"),
        pytest.param(
            (ping(100, 100), ping(130, 251), ping(160, 0), ping(220, 0)),
            [(160, None)],
            id="beyond the exit radius before the dwell starts afresh",
        ),
    ],
)
def test_an_arrival_needs_the_whole_dwell_inside(
    pings: tuple[Ping, ...], expected: list[tuple[int, int | None]]
) -> None:
    assert times(*pings) == expected


@pytest.mark.parametrize(
    ("pings", "departed"),
    [
        pytest.param((ping(220, 251),), [], id="one position beyond"),
        pytest.param((ping(220, 251), ping(280, 0), ping(300, 251)), [], id="two, not in a row"),
        pytest.param((ping(220, 249), ping(280, 249)), [], id="between the two radii"),
        pytest.param((ping(220, 251), ping(221, 251)), [220], id="two in a row"),
        pytest.param((ping(220, 251), ping(9_000, 251)), [220], id="two in a row, hours apart"),
        pytest.param(
            (ping(220, 251), ping(280, 0), ping(300, 251), ping(301, 251)),
            [300],
            id="dated by the run that proves it",
        ),
    ],
)
def test_a_departure_needs_a_run_of_positions_beyond(
    pings: tuple[Ping, ...], departed: list[int]
) -> None:
    assert [left for _, left in times(*ARRIVED, *pings)[1:]] == departed


def test_where_many_positions_are_asked_for_a_minute_beyond_is_proof_as_well() -> None:
    patient = World(visits=VisitRule(leave_positions=100))
    beyond = [ping(200 + s, 300) for s in range(0, 70, 10)]
    assert times(*ARRIVED, *beyond[:6], world=patient) == [(100, None)]
    assert times(*ARRIVED, *beyond, world=patient) == [(100, None), (100, 200)]


def test_a_second_visit_has_the_next_ordinal() -> None:
    back = (ping(300, 300), ping(360, 300), ping(420, 0), ping(480, 0))
    assert [v.visit_id for v in visits(*ARRIVED, *back)] == [
        "v1:depot:o1:1",
        "v1:depot:o1:1",
        "v1:depot:o1:2",
    ]


def test_a_site_of_the_fleet_is_visited_without_an_order() -> None:
    state, _ = step(None, plan(stop("yard", role=StopRole.SITE), order_id=None), at(0), WORLD)
    state, _ = step(state, ping(0), at(0), WORLD)
    _, facts = step(state, ping(60), at(60), WORLD)
    assert facts == [
        Visit(
            visit_id="v1:yard:1",
            vehicle_id="v1",
            stop_id="yard",
            role=StopRole.SITE,
            arrived_at=at(0),
            reported_at=at(60),
            evidence=Evidence("dwell", 2, at(0), at(60), 0.0),
        )
    ]
