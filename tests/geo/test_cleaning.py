from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from geo.cleaning import MAX_MS, MIN_MS, Limits, Reason, refuse
from geo.model import Ping, Rejected
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


@pytest.mark.parametrize(
    ("suspect", "expected"),
    [
        pytest.param(ping(-60, 0), Reason.DUPLICATE, id="same time and place"),
        pytest.param(
            replace(ping(-60, 0), speed_mps=3.0, received_at=at(0)),
            Reason.DUPLICATE,
            id="restated with other attributes",
        ),
        pytest.param(ping(-60.001, 0), Reason.OUT_OF_ORDER, id="older"),
        pytest.param(ping(-50, 444), None, id="160 km/h"),
        pytest.param(ping(-50, 445), Reason.IMPLIED_SPEED, id="more than 160 km/h"),
        pytest.param(ping(-59.9, 49), None, id="noise between quick fixes"),
        pytest.param(ping(-60, 49), None, id="noise under a frozen clock"),
        pytest.param(ping(-60, 51), Reason.IMPLIED_SPEED, id="frozen clock, no receiver"),
    ],
)
def test_against_the_last_position_a_ping_is_judged_by(suspect: Ping, expected: str | None) -> None:
    assert reason(suspect, last=ping(-60, 0)) == expected


@pytest.mark.parametrize(
    ("received_s", "north_m", "expected"),
    [
        pytest.param(10, 444, None, id="plausible by reception"),
        pytest.param(10, 445, Reason.IMPLIED_SPEED, id="too fast by reception"),
        pytest.param(-10, 51, Reason.IMPLIED_SPEED, id="received before the last"),
    ],
)
def test_a_frozen_clock_is_judged_by_the_times_of_reception(
    received_s: float, north_m: float, expected: str | None
) -> None:
    assert reason(ping(0, north_m, received_s=received_s), last=ping(0, received_s=0)) == expected


def test_after_a_wrong_fix_the_right_ones_are_plausible_again_in_time() -> None:
    wrong = ping(0, 4_440)
    assert [reason(ping(s, 0), wrong) for s in (-1, 1, 99, 100)] == [
        Reason.OUT_OF_ORDER,
        Reason.IMPLIED_SPEED,
        Reason.IMPLIED_SPEED,
        None,
    ]


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
            ping(28_800),
            None,
            "ts 1767254400000 is 28800 s after it was received: set the device's clock and zone",
            id="eight hours ahead",
        ),
        pytest.param(
            ping(-90),
            ping(-60),
            "ts 1767225510000 is 30 s older than the last position",
            id="older",
        ),
        pytest.param(
            ping(0, 1_000),
            ping(-1),
            "1000 m in 1 s from the last position: more than 160 km/h",
            id="too fast",
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
    assert once == (Rejected(Reason.DUPLICATE, "ts, lat and lon are those of the last position"),)


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
