from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from geo.cleaning import (
    MAX_MS,
    MIN_MS,
    Limits,
    Reason,
    Trail,
    Verdict,
    judge,
    reaches,
    refuse,
)
from geo.model import Ping, Rejected
from geo.spots import Spot, spot
from tests.builders import at, ping

LIMITS = Limits()
NOW = at(0)


def reason(suspect: Ping, last: Ping | None = None) -> str | None:
    rejected = refuse(suspect, last, NOW, LIMITS)
    return rejected[0].reason if rejected else None


@pytest.mark.parametrize(
    ("suspect", "expected"),
    [
        pytest.param(ping(), None, id="good"),
        pytest.param(replace(ping(), lat=nan), Reason.OUT_OF_RANGE, id="lat nan"),
        pytest.param(replace(ping(), lon=nan), Reason.OUT_OF_RANGE, id="lon nan"),
        pytest.param(replace(ping(), lat=inf), Reason.OUT_OF_RANGE, id="lat infinite"),
        pytest.param(replace(ping(), lat=90.1), Reason.OUT_OF_RANGE, id="lat too large"),
        pytest.param(replace(ping(), lon=-180.1), Reason.OUT_OF_RANGE, id="lon too small"),
        pytest.param(replace(ping(), lat=0.0, lon=0.0), Reason.NULL_ISLAND, id="no fix"),
        pytest.param(replace(ping(), lat=0.0), None, id="on the equator"),
        pytest.param(replace(ping(), ts=MIN_MS - 1), Reason.TIME_UNIT, id="seconds"),
        pytest.param(replace(ping(), ts=MIN_MS), None, id="1973"),
        pytest.param(replace(ping(), ts=MAX_MS), Reason.TIME_UNIT, id="microseconds"),
        pytest.param(ping(120), None, id="120 s ahead"),
        pytest.param(ping(120.001), Reason.CLOCK_FUTURE, id="more than 120 s ahead"),
        pytest.param(ping(500, received_s=400), None, id="100 s ahead of its receiver"),
        pytest.param(ping(-300, received_s=-500), Reason.CLOCK_FUTURE, id="200 s ahead of it"),
    ],
)
def test_a_ping_alone_is_judged_by(suspect: Ping, expected: str | None) -> None:
    assert reason(suspect) == expected


def test_what_restates_the_last_position_is_a_duplicate() -> None:
    restated = replace(ping(-60, 0), speed_mps=3.0, received_at=at(0))
    assert reason(restated, last=ping(-60, 0)) == Reason.DUPLICATE


HOURS_8 = 28_800


@pytest.mark.parametrize(
    ("suspect", "last", "expected"),
    [
        pytest.param(ping(HOURS_8), None, Reason.TZ_SUSPECT, id="eight hours ahead"),
        pytest.param(
            ping(HOURS_8 + 60, received_s=0), None, Reason.TZ_SUSPECT, id="within the tolerance"
        ),
        pytest.param(ping(HOURS_8 + 121), None, Reason.CLOCK_FUTURE, id="ahead by another time"),
        pytest.param(
            ping(-HOURS_8, 400, received_s=1),
            ping(-30, received_s=-29),
            Reason.TZ_SUSPECT,
            id="eight hours back, and what comes next if shifted",
        ),
        pytest.param(
            ping(-HOURS_8, 90_000, received_s=1),
            ping(-30, received_s=-29),
            None,
            id="from a memory: it was elsewhere then",
        ),
        pytest.param(ping(-HOURS_8, received_s=1), None, None, id="polled: parked for so long"),
        pytest.param(
            ping(-HOURS_8 + 30, 400, received_s=31),
            ping(-HOURS_8, received_s=1),
            Reason.TZ_SUSPECT,
            id="sent as it was taken, always eight hours late",
        ),
        pytest.param(
            ping(-HOURS_8 + 90, 400, received_s=2),
            ping(-HOURS_8, received_s=1),
            None,
            id="sent at once, taken one after the other",
        ),
    ],
)
def test_a_shift_of_eight_hours_is_called_by_its_name(
    suspect: Ping, last: Ping | None, expected: str | None
) -> None:
    assert reason(suspect, last) == expected


def sifted(*pings: Ping) -> tuple[list[float], list[tuple[float, str]]]:
    """Seconds of the good positions, and of the wrong ones with the reason."""
    trail, good, wrong = Trail(), list[Spot](), list[Verdict]()
    for each in sorted(map(spot, pings)):
        trail = judge(trail, each, good, wrong, LIMITS)
    return (
        [(g.ts - at(0)) / 1000 for g in good],
        [((w.spot.ts - at(0)) / 1000, w.reason) for w in wrong],
    )


def drive(begin: int, end: int, north_m: float = 0) -> list[Ping]:
    """10 m/s north, a ping each 10 s."""
    return [ping(s, north_m + 10 * s) for s in range(begin, end, 10)]


TOO_FAST = Reason.IMPLIED_SPEED


@pytest.mark.parametrize(
    ("elapsed_s", "north_m", "good"),
    [
        pytest.param(10, 444, True, id="160 km/h"),
        pytest.param(10, 445, False, id="more than 160 km/h"),
        pytest.param(0.1, 49, True, id="noise between quick fixes"),
        pytest.param(0, 49, True, id="noise under a frozen clock"),
        pytest.param(0, 51, False, id="frozen clock, no receiver"),
    ],
)
def test_a_position_is_reached_at_a_speed(elapsed_s: float, north_m: float, good: bool) -> None:
    assert reaches(spot(ping(0)), spot(ping(elapsed_s, north_m)), LIMITS) is good


@pytest.mark.parametrize(
    ("received_s", "north_m", "good"),
    [
        pytest.param(10, 444, True, id="plausible by reception"),
        pytest.param(10, 445, False, id="too fast by reception"),
    ],
)
def test_a_frozen_clock_is_judged_by_the_times_of_reception(
    received_s: float, north_m: float, good: bool
) -> None:
    later = ping(0, north_m, received_s=received_s)
    assert reaches(spot(ping(0, received_s=0)), spot(later), LIMITS) is good


def test_a_single_teleport_is_taken_out_and_nothing_else() -> None:
    away = ping(25, 90_000)
    good, wrong = sifted(*drive(0, 60), away)
    assert good == [0, 10, 20, 30, 40, 50]
    assert wrong == [(25, TOO_FAST)]


def test_two_reflections_in_a_row_are_taken_out() -> None:
    _, wrong = sifted(*drive(0, 60), ping(22, 90_000), ping(26, 90_010))
    assert wrong == [(22, TOO_FAST), (26, TOO_FAST)]


def test_after_a_ferry_three_fixes_that_agree_are_believed() -> None:
    good, wrong = sifted(*drive(0, 30), *drive(30, 80, 200_000))
    assert good == [0, 10, 20, 30, 40, 50, 60, 70]
    assert wrong == []


def test_fixes_that_agree_for_seconds_only_are_one_reflection() -> None:
    shifted = [ping(20 + s, 90_000) for s in range(1, 9)]
    _, wrong = sifted(*drive(0, 60), *shifted)
    assert len(wrong) == 8


def test_a_wrong_fix_believed_first_is_taken_out_by_those_after_it() -> None:
    good, wrong = sifted(ping(-7_200, 0), ping(-60, 150_000), *drive(0, 60))
    assert wrong == [(-60, TOO_FAST)]
    assert good == [-7_200, 0, 10, 20, 30, 40, 50]


def test_a_wrong_first_fix_is_taken_out() -> None:
    assert sifted(ping(-10, 500_000), *drive(0, 40))[1] == [(-10, TOO_FAST)]


def test_two_devices_under_one_id_are_named() -> None:
    other = [ping(s + 5, 300_000 + s) for s in range(0, 60, 10)]
    good, wrong = sifted(*drive(0, 70), *other)
    assert good == [0, 10, 20, 30, 40, 50, 60]
    assert [reason for _, reason in wrong[-3:]] == [Reason.SECOND_DEVICE] * 3
    assert wrong[0] == (5, TOO_FAST)


@pytest.mark.parametrize(
    ("suspect", "last", "detail"),
    [
        pytest.param(
            replace(ping(), ts=1_449_522_903),
            None,
            "ts 1449522903 is not in milliseconds: multiply seconds by 1000",
            id="seconds",
        ),
        pytest.param(
            replace(ping(), ts=1_767_225_600_000_000),
            None,
            "ts 1767225600000000 is not in milliseconds: divide microseconds by 1000",
            id="microseconds",
        ),
        pytest.param(
            replace(ping(), received_at=1_767_225_600),
            None,
            "received_at 1767225600 is not in milliseconds: multiply seconds by 1000",
            id="receiver in seconds",
        ),
        pytest.param(
            replace(ping(), lat=121.4, lon=31.2),
            None,
            "lat 121.4, lon 31.2: lat must be within ±90 and lon within ±180 degrees",
            id="swapped",
        ),
        pytest.param(
            ping(3_600),
            None,
            "ts 1767229200000 is 3600 s after it was received: set the device's clock and zone",
            id="an hour ahead",
        ),
        pytest.param(
            ping(28_800),
            None,
            "ts 1767254400000 is -8.00 h from its reception: send UTC, or declare the source's "
            "zone",
            id="eight hours ahead",
        ),
    ],
)
def test_the_detail_names_the_value_and_the_mend(
    suspect: Ping, last: Ping | None, detail: str
) -> None:
    assert refuse(suspect, last, NOW, LIMITS)[0].detail == detail


def test_a_restatement_makes_no_new_object() -> None:
    once = refuse(ping(), ping(), NOW, LIMITS)
    assert once is refuse(ping(1), ping(1), NOW, LIMITS)
    assert once == (Rejected(Reason.DUPLICATE, "ts, lat and lon are those of a position we hold"),)


anything = st.builds(
    Ping,
    st.just("v1"),
    st.integers(0, 253_402_300_799_999) | st.integers(at(-300), at(300)),
    st.floats() | st.floats(31, 31.1),
    st.floats() | st.floats(121, 121.1),
    received_at=st.none() | st.integers(0, 253_402_300_799_999),
)


@given(suspect=anything, last=anything)
def test_nothing_a_device_can_send_raises(suspect: Ping, last: Ping) -> None:
    known = None if refuse(last, None, NOW, LIMITS) else last
    assert reason(suspect, known) in {None, *Reason}
