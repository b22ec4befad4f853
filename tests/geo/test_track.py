from __future__ import annotations

import pytest
from msgspec.structs import replace

from geo.cleaning import Reason
from geo.model import Motion, Ping, Rejected, Sighting, Silence, VehiclePlan
from geo.spots import pack
from geo.track import Track, World, next_wake, step, wake
from tests.builders import LON, at, lat_of, ping, plan, stop

WORLD = World()
HEARD = Track(ping(0), at(900), tail=pack(ping(0)))
SILENT = Track(ping(0), None, None, at(0), pack(ping(0)))
FAR = plan(stop("far", 400_000))


def sighting(seconds: float, north_m: float, motion: Motion, reported_s: float) -> Sighting:
    return Sighting("o1", "v1", at(seconds), lat_of(north_m), LON, motion, at(reported_s))


def test_a_first_ping_makes_the_track() -> None:
    assert step(None, ping(0), at(1), WORLD) == (HEARD, [])


def test_a_refused_first_ping_makes_none() -> None:
    state, facts = step(None, replace(ping(), lat=99.0), at(1), WORLD)
    assert (state, [f.reason for f in facts if isinstance(f, Rejected)]) == (
        None,
        [Reason.OUT_OF_RANGE],
    )


def test_a_refused_ping_changes_nothing() -> None:
    state, facts = step(HEARD, ping(0), at(60), WORLD)
    assert state is HEARD
    assert [type(fact) for fact in facts] == [Rejected]


def test_a_position_is_kept_as_it_came() -> None:
    newer = ping(60, 10)
    state, facts = step(HEARD, newer, at(61), WORLD)
    assert (state, facts) == (Track(newer, at(960), tail=HEARD.tail + pack(newer)), ())
    assert state is not None
    assert state.last is newer


def test_a_plan_for_an_unknown_vehicle_waits_without_an_alarm() -> None:
    state, facts = step(None, FAR, at(0), WORLD)
    assert facts == ()
    assert state is not None
    assert next_wake(state) is None
    assert wake(state, at(10_000), WORLD) == (state, ())


def test_a_wake_before_its_time_changes_nothing() -> None:
    assert next_wake(HEARD) == at(900)
    assert wake(HEARD, at(899.999), WORLD) == (HEARD, ())


def test_silence_is_told_once_with_the_time_of_the_last_position() -> None:
    state, facts = wake(HEARD, at(7_000), WORLD)
    assert (state, facts) == (SILENT, [Silence("v1", since=at(0), reported_at=at(7_000))])
    assert next_wake(SILENT) is None
    assert wake(SILENT, at(99_000), WORLD) == (SILENT, ())


@pytest.mark.parametrize(
    ("pings", "parked"),
    [
        pytest.param([ping(s, speed_mps=0.0) for s in (0, 30)], True, id="its speed was 0"),
        pytest.param([ping(s, s, speed_mps=9.0) for s in (0, 30)], False, id="it drove"),
        pytest.param([replace(ping(), ignition=False)], True, id="the engine was off"),
        pytest.param([ping(s) for s in (0, 90, 180)], True, id="it had stood for long"),
        pytest.param([ping(s) for s in (0, 90)], False, id="it had hardly stood"),
        pytest.param([ping(s, 10 * s) for s in (0, 90, 180)], False, id="it had moved on"),
    ],
)
def test_a_parked_vehicle_is_told_from_a_silent_one(pings: list[Ping], parked: bool) -> None:
    assert silence_after(*pings).parked is parked


def test_an_order_s_vehicle_that_stood_is_parked_too() -> None:
    assert silence_after(FAR, ping(0), ping(61, 10)).parked
    assert not silence_after(FAR, ping(0), ping(61, 600)).parked


def silence_after(*events: Ping | VehiclePlan) -> Silence:
    state: Track | None = None
    for event in events:
        state, _ = step(state, event, event.ts, WORLD)
    assert state is not None
    _, facts = wake(state, at(9_000), WORLD)
    [silence] = [f for f in facts if isinstance(f, Silence)]
    return silence


def test_each_order_hears_of_the_silence_and_of_its_end() -> None:
    state, _ = step(HEARD, FAR, at(10), WORLD)
    assert state is not None
    state, facts = wake(state, at(900), WORLD)
    assert facts == [
        Silence("v1", since=at(0), reported_at=at(900)),
        sighting(0, 0, Motion.SILENT, 900),
    ]
    _, facts = step(state, ping(1_000, 800), at(1_001), WORLD)
    assert facts == [
        Silence("v1", since=at(0), reported_at=at(1_001), until=at(1_000)),
        sighting(1_000, 800, Motion.MOVING, 1_001),
    ]


def test_the_end_of_a_silence_is_told_although_the_minute_is_not_over() -> None:
    state, _ = step(HEARD, FAR, at(10), WORLD)
    assert state is not None
    state, _ = wake(state, at(900), WORLD)
    _, facts = step(state, ping(30), at(901), WORLD)
    assert facts[1:] == [sighting(30, 0, Motion.MOVING, 901)]


def test_a_restatement_ends_no_silence() -> None:
    state, facts = step(SILENT, ping(0), at(1_000), WORLD)
    assert state is SILENT
    assert [type(fact) for fact in facts] == [Rejected]


def test_a_position_that_is_itself_too_old_ends_no_silence() -> None:
    state, facts = step(SILENT, ping(100), at(1_000), WORLD)
    assert state == Track(ping(100), None, None, at(0), SILENT.tail + pack(ping(100)))
    assert facts == []
    state, facts = step(state, ping(101), at(1_000), WORLD)
    assert facts == [Silence("v1", since=at(0), reported_at=at(1_000), until=at(101))]
    assert state is not None
    assert (state.last, state.wake_at, state.silent_since) == (ping(101), at(1_001), None)


def test_during_a_silence_an_old_position_is_shown_as_silent() -> None:
    state, _ = step(SILENT, FAR, at(2_000), WORLD)
    _, facts = step(state, ping(100), at(2_000), WORLD)
    assert facts == [sighting(100, 0, Motion.SILENT, 2_000)]


def test_a_plan_for_a_silent_vehicle_is_told_of_the_silence() -> None:
    assert step(SILENT, FAR, at(2_000), WORLD)[1] == [sighting(0, 0, Motion.SILENT, 2_000)]


def test_a_vehicle_first_heard_by_an_old_position_falls_silent_at_the_next_wake_once() -> None:
    state, _ = step(None, ping(0), at(50_000), WORLD)
    assert state is not None
    state, facts = wake(state, at(50_001), WORLD)
    assert facts == [Silence("v1", since=at(0), reported_at=at(50_001))]
    assert state == SILENT
