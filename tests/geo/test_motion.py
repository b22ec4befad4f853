from __future__ import annotations

import pytest
from msgspec.structs import replace

from geo.model import Halt, Ping, Speeding, Trip
from geo.motion import MotionRule, Move, Roam, moves, roam_on
from geo.spots import spot
from tests.builders import LAT, LON, at, ping

RULE = MotionRule()


def stand(begin: int, end: int, north_m: float = 0, every: int = 10) -> list[Ping]:
    return [ping(s, north_m) for s in range(begin, end, every)]


def drive(
    begin: int, end: int, north_m: float = 0, speed: float = 10, every: int = 10
) -> list[Ping]:
    """The first position is one step away from `north_m`."""
    return [
        ping(s, north_m + speed * (s - begin + every), speed_mps=speed)
        for s in range(begin, end, every)
    ]


def moved(*pings: Ping) -> list[Move]:
    return moves("v1", [spot(p) for p in pings], RULE)


def kinds(found: list[Move]) -> list[tuple[str, float, float | None]]:
    """(kind, since, until) in seconds."""
    return [
        (
            type(m).__name__.lower(),
            (m.since - at(0)) / 1000,
            None if m.until is None else (m.until - at(0)) / 1000,
        )
        for m in found
    ]


DAY = (*stand(0, 300), *drive(300, 600), *stand(600, 900, 3_000))


def test_a_day_is_halts_and_the_trips_between_them() -> None:
    assert kinds(moved(*DAY)) == [("halt", 0, 290), ("trip", 290, 590), ("halt", 590, None)]


def test_a_halt_says_where_it_was_and_a_trip_how_far_it_went() -> None:
    halt, trip, _ = moved(*DAY)
    assert isinstance(halt, Halt)
    assert (halt.lat, halt.lon) == pytest.approx((LAT, LON))
    assert halt.positions == 30
    assert isinstance(trip, Trip)
    assert trip.metres == pytest.approx(3_000, rel=0.01)
    assert (trip.top_mps, trip.positions) == (10, 29)  # The 30th is of the halt after it.


def test_a_red_light_interrupts_no_trip() -> None:
    light = (*drive(0, 300), *stand(300, 390, 3_000), *drive(390, 600, 3_000))
    assert kinds(moved(*light)) == [("trip", 0, 590)]


def test_another_bay_of_the_same_yard_is_the_same_halt() -> None:
    yard = (*stand(0, 300), *drive(300, 315, 0, 5, 5), *stand(320, 600, 80), *drive(600, 900, 80))
    assert kinds(moved(*yard)) == [("halt", 0, 590), ("trip", 590, 890)]


def test_noise_while_parked_is_no_trip() -> None:
    noisy = [ping(s, (s // 10 * 37) % 40) for s in range(0, 3_600, 10)]
    assert kinds(moved(*noisy)) == [("halt", 0, None)]


def test_a_parked_device_that_reports_on_change_stood_all_the_time() -> None:
    assert kinds(moved(ping(0), ping(28_800), *drive(28_810, 29_000))) == [
        ("halt", 0, 28_800),
        ("trip", 28_800, 29_000 - 10),
    ]


def test_between_sparse_positions_a_halt_ends_as_early_as_the_way_allows() -> None:
    sparse = (ping(0), ping(300), ping(600, 500), ping(900, 3_000), ping(1_200, 3_000))
    assert kinds(moved(*sparse)) == [("halt", 0, 500), ("trip", 500, 900), ("halt", 900, None)]


def test_between_two_halts_with_one_gap_between_them_the_trip_is_as_long_as_the_way_takes() -> None:
    sparse = (ping(0), ping(300), ping(600, 500), ping(900, 500))
    assert kinds(moved(*sparse)) == [("halt", 0, 500), ("trip", 500, 600), ("halt", 600, None)]


def test_idling_is_the_time_of_a_halt_with_the_engine_on() -> None:
    on = [replace(p, ignition=p.ts < at(100)) for p in stand(0, 300)]
    [halt] = moved(*on)
    assert isinstance(halt, Halt)
    assert halt.idling_ms == 90_000


def test_speeding_lasts() -> None:
    fast = (*drive(0, 100, 0, 20), *drive(100, 200, 2_000, 35), *drive(200, 300, 5_500, 20))
    found = [m for m in moved(*fast) if isinstance(m, Speeding)]
    assert kinds([*found]) == [("speeding", 100, 190)]
    assert found[0].top_mps == 35
    overtaking = (*drive(0, 100, 0, 20), *drive(100, 150, 2_000, 35), *drive(150, 300, 3_750, 20))
    assert not any(isinstance(m, Speeding) for m in moved(*overtaking))


@pytest.mark.parametrize("size", [1, 7, 64])
def test_in_whatever_pieces_the_positions_come_the_same_is_told(size: int) -> None:
    spots = [spot(p) for p in (*DAY, *drive(900, 1_200, 3_000))]
    whole = roam_on(Roam(), "v1", spots, RULE)
    roam, told = Roam(), list[Move]()
    for begin in range(0, len(spots), size):
        roam, more = roam_on(roam, "v1", spots[begin : begin + size], RULE)
        told += more
    assert (roam, told) == whole
