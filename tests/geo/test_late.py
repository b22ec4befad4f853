"""What comes late corrects what was told, and says so."""

from __future__ import annotations

from msgspec.structs import replace

from geo.cleaning import Reason
from geo.model import Ping, Visit
from geo.past import Gone, PastRule
from geo.spots import RECORD
from geo.telling import told_after
from geo.track import World, next_wake, step, wake
from tests.builders import at, ping, plan, stop
from tests.geo.vehicle import WORLD, Vehicle, seconds

PLAN = plan(stop("depot"))
STAY = [ping(s) for s in range(100, 400, 10)]
AWAY = [ping(s, 10 * (s - 400)) for s in range(410, 700, 10)]
BEFORE = ping(0, 1_000)


def test_a_visit_nobody_heard_of_in_time_is_told_late() -> None:
    vehicle = Vehicle().take(PLAN, BEFORE, AWAY[-2], AWAY[-1])
    assert vehicle.visits == []
    assert vehicle.take(*STAY, *AWAY[:-2]).times == [(85, 415)]


def test_a_late_ping_waits_for_the_others_of_its_batch() -> None:
    vehicle = Vehicle().take(PLAN, BEFORE, *AWAY)
    assert vehicle.state is not None
    state = vehicle.state
    for late in STAY:
        after, facts = step(state, late, at(900), WORLD)
        assert after is not None
        assert facts == ()
        state = after
    assert next_wake(state) == at(900)
    _, facts = wake(state, at(900), WORLD)
    assert [seconds(f) for f in facts if isinstance(f, Visit)] == [(85, None), (85, 415)]


def test_a_departure_that_late_positions_disprove_is_withdrawn() -> None:
    away = [ping(s, 900) for s in range(410, 520, 10)]
    vehicle = Vehicle().take(PLAN, BEFORE, *STAY, *away, ping(1_000, 0), ping(1_060, 0))
    [visit] = vehicle.visits[:1]
    assert visit.departed_at is not None
    back = [ping(s) for s in range(530, 1_000, 10)]
    vehicle.take(*back)
    assert vehicle.times == [(85, None)]
    corrected = [v for v in vehicle.told if v.visit_id == visit.visit_id][-1]
    assert (corrected.departed_at, corrected.version) == (None, 3)


def test_an_arrival_that_late_positions_put_earlier_is_told_instead() -> None:
    vehicle = Vehicle().take(PLAN, BEFORE, *STAY[10:])
    [first] = vehicle.told
    vehicle.take(*STAY[:10])
    [visit] = vehicle.visits
    assert visit.supersedes == first.visit_id
    assert first.arrived_at > visit.arrived_at == at(85)


def test_a_visit_that_late_positions_disprove_is_retracted() -> None:
    stood = [ping(100, 10), ping(170, 0)]
    vehicle = Vehicle().take(PLAN, ping(0, 1_000), *stood)
    [told] = vehicle.told
    vehicle.take(ping(180, -200), ping(110, 300), ping(120, 500), ping(140, 600), ping(160, 300))
    assert vehicle.visits == []
    assert vehicle.told[-1] == replace(
        told, version=2, retracted=True, reported_at=vehicle.told[-1].reported_at
    )


def test_what_is_older_than_the_horizon_goes_to_the_archive() -> None:
    small = World(past=PastRule(horizon_ms=3_600_000))
    vehicle = Vehicle(small).take(PLAN, BEFORE, ping(3_715, 90_000), *STAY[:3])
    assert [r.reason for r in vehicle.rejected] == [Reason.ARCHIVED] * 2
    assert "is 0.00 h older" in vehicle.rejected[-1].detail


def test_what_is_remembered_of_a_vehicle_is_bounded() -> None:
    small = World(past=PastRule(max_positions=128))
    vehicle = Vehicle(small).take(PLAN, *(ping(s, s) for s in range(0, 10_000, 10)))
    assert vehicle.state is not None
    assert vehicle.state.past is not None
    kept = sum(len(chunk.records) for chunk in vehicle.state.past.chunks) // RECORD
    assert kept <= 128
    assert vehicle.take(ping(5)).rejected[-1].reason == Reason.ARCHIVED


def test_a_late_duplicate_is_one() -> None:
    vehicle = Vehicle().take(PLAN, BEFORE, *STAY, *AWAY, STAY[3], STAY[3])
    assert [r.reason for r in vehicle.rejected] == [Reason.DUPLICATE] * 2


def test_a_vehicle_that_was_towed_is_where_it_was_towed_to() -> None:
    vehicle = Vehicle().take(PLAN, BEFORE, *STAY)
    towed: list[Ping] = [ping(s, 200_000) for s in range(410, 500, 10)]
    vehicle.take(*towed)
    assert [r.reason for r in vehicle.rejected] == [Reason.IMPLIED_SPEED] * 2
    assert vehicle.state is not None
    assert vehicle.state.last == towed[-1]
    assert [departed for _, departed in vehicle.times] == [390]


def a_day_of_calls() -> list[Ping]:
    """Every ten seconds for a day: an hour's drive, an hour's stand, in turn."""
    found, north_m = [], 0.0
    for n in range(8_640):
        north_m += 0 if n // 360 % 2 else 100
        found.append(ping(10 * n, north_m))
    return found


def test_a_day_of_dense_positions_is_remembered_whole_though_thinned() -> None:
    day = a_day_of_calls()
    calls = [stop(f"call-{n}", (day[360 * n].lat - day[0].lat) * 111_195) for n in range(1, 24, 2)]
    vehicle = Vehicle().take(plan(*calls), *day[:1_000], *day[1_100:])
    assert vehicle.state is not None
    assert vehicle.state.past is not None
    chunks = vehicle.state.past.chunks
    assert any(chunk.thin for chunk in chunks)
    assert not any(chunk.thin for chunk in chunks[-8:])
    assert sum(len(chunk.records) for chunk in chunks) // RECORD <= WORLD.past.max_positions
    assert len(vehicle.visits) == 12
    before = vehicle.times
    vehicle.take(day[1_050])
    assert vehicle.rejected == []
    assert vehicle.times == before


def test_a_plan_changes_no_visit_that_was_told_from_more_positions() -> None:
    day = a_day_of_calls()
    calls = [stop(f"call-{n}", (day[360 * n].lat - day[0].lat) * 111_195) for n in range(1, 24, 2)]
    vehicle = Vehicle().take(plan(*calls), *day)
    told = list(vehicle.told)
    vehicle.take(plan(stop("far", 500_000), order_id="o2", seconds=86_390))
    assert vehicle.told == told


def test_a_visit_that_comes_back_goes_on_counting_its_versions() -> None:
    vehicle = Vehicle().take(PLAN, BEFORE, *STAY, *AWAY)
    [visit] = vehicle.visits
    vehicle.take(plan(seconds=50))
    assert vehicle.visits == []
    vehicle.take(plan(stop("depot"), seconds=700))
    assert {v.visit_id for v in vehicle.told} == {visit.visit_id}
    assert [(v.version, v.retracted) for v in vehicle.told] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
        (5, False),
    ]
    assert vehicle.times == [(85, 415)]


def test_an_arrival_that_went_and_came_back_is_newer_than_it_was() -> None:
    """As when a stray that had made it doubtful proves wrong."""
    gone = (Gone("v1:depot:o1:7", 2),)
    visit = replace(Vehicle().take(PLAN, BEFORE, *STAY).visits[0], visit_id="v1:depot:o1:7")
    told, says = told_after((), gone, [visit])
    assert [v.version for v in says] == [3]
    assert told == tuple(says)
