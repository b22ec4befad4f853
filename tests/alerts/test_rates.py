from __future__ import annotations

from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.rates import (
    Ring,
    Verdict,
    counted,
    day_ring,
    hour_ring,
    start,
    tapered_z,
    too_many,
    turned,
    turns_at,
    verdict,
    wilson_low,
)
from alerts.rules import HOUR_MS, MINUTE_MS, RateRule
from tests.builders import T0, at

RULE = RateRule()


def _with(errors: int, attempts: int) -> Ring:
    ring = hour_ring(T0)
    for i in range(attempts):
        added = counted(ring, T0, ok=i >= errors)
        assert added is not None
        ring = added
    return ring


@pytest.mark.parametrize(
    ("errors", "attempts", "expected"),
    [
        pytest.param(1, 1, False, id="1 of 1 is one error"),
        pytest.param(2, 2, False, id="2 of 2 are two errors"),
        pytest.param(1, 3, False, id="1 of 3 is quiet"),
        pytest.param(3, 3, True, id="3 of 3 fire"),
        pytest.param(5, 6, True, id="5 of 6 fire"),
        pytest.param(2, 10, False, id="2 of 10 are quiet"),
        pytest.param(3, 10, True, id="3 of 10 fire"),
        pytest.param(3, 20, False, id="3 of 20 are quiet"),
        pytest.param(4, 20, True, id="4 of 20 fire"),
        pytest.param(6, 60, False, id="6 of 60 are 10 % and not sure"),
        pytest.param(7, 60, True, id="7 of 60 fire"),
        pytest.param(7, 99, False, id="7 of 99 are below 8 %"),
        pytest.param(8, 99, True, id="8 of 99 are 8.08 % and fire: no cliff before 100"),
        pytest.param(8, 100, False, id="8 of 100 are exactly 8 %"),
        pytest.param(9, 100, True, id="9 of 100 fire"),
        pytest.param(80, 1000, False, id="80 of 1000 are exactly 8 %"),
        pytest.param(81, 1000, True, id="81 of 1000 fire"),
    ],
)
def test_too_many_errors_for_a_sample(errors: int, attempts: int, expected: bool) -> None:
    assert too_many(errors, attempts, RULE) is expected


def test_errors_needed_never_fall_as_the_sample_grows() -> None:
    needed = [
        next(k for k in range(n + 1) if too_many(k, n, RULE)) for n in range(RULE.errors, 1500)
    ]

    assert needed == sorted(needed)


@pytest.mark.parametrize(
    ("attempts", "needed"),
    [(3, 2), (5, 2), (10, 3), (20, 4), (50, 8), (100, 13), (200, 23), (500, 50), (1000, 95)],
)
def test_errors_needed_at_full_confidence_are_those_of_the_research(
    attempts: int, needed: int
) -> None:
    found = next(k for k in range(attempts + 1) if wilson_low(k, attempts, 1.645) > 0.08)

    assert found == needed


@given(st.integers(1, 5000), st.data(), st.floats(0.001, 3))
def test_the_lower_bound_solves_the_score_equation(
    attempts: int, data: st.DataObject, z: float
) -> None:
    errors = data.draw(st.integers(1, attempts))

    low = wilson_low(errors, attempts, z)

    # The bound is the share from which the sample is z standard errors up.
    p = errors / attempts
    assert 0 <= low <= p
    assert isclose(p - low, z * sqrt(low * (1 - low) / attempts), rel_tol=1e-6, abs_tol=1e-9)


def test_the_taper_runs_from_20_to_100_attempts() -> None:
    assert [tapered_z(n, RULE) for n in (1, 20, 60, 100, 5000)] == [1.645, 1.645, 0.8225, 0, 0]


@pytest.mark.parametrize(
    ("errors", "attempts", "expected"),
    [
        pytest.param(0, 0, Verdict.NOTHING, id="no attempt says nothing"),
        pytest.param(9, 100, Verdict.BAD, id="9 % is bad"),
        pytest.param(7, 100, Verdict.BETWEEN, id="7 % is between"),
        pytest.param(6, 100, Verdict.BETWEEN, id="exactly 6 % is not good"),
        pytest.param(59, 1000, Verdict.GOOD, id="5.9 % is good"),
        pytest.param(1, 3, Verdict.BETWEEN, id="1 of 3 is not bad and not good"),
    ],
)
def test_what_a_window_says(errors: int, attempts: int, expected: Verdict) -> None:
    assert verdict(_with(errors, attempts), RULE) is expected


@given(
    st.lists(
        st.tuples(st.integers(0, 4 * HOUR_MS), st.integers(-2 * HOUR_MS, 1000), st.booleans()),
        max_size=60,
    ),
    st.integers(0, 3 * HOUR_MS),
)
def test_the_ring_counts_what_a_list_of_the_events_counts(
    arrivals: list[tuple[int, int, bool]], wait_ms: int
) -> None:
    arrivals.sort(key=lambda arrival: arrival[0])
    ring, events = hour_ring(T0), []
    for after_ms, late_ms, ok in arrivals:
        now = T0 + after_ms
        ring = turned(ring, now)
        ts = min(now + late_ms, now)
        added = counted(ring, ts, ok)
        assert (added is None) == (ts < start(ring))
        if added is not None:
            ring = added
            events.append((ts, ok))
    ring = turned(ring, T0 + 4 * HOUR_MS + wait_ms)

    inside = [ok for ts, ok in events if ts >= start(ring)]

    assert (ring.total, ring.bad) == (len(inside), inside.count(False))
    assert (sum(ring.counts), sum(ring.errors)) == (ring.total, ring.bad)


def test_an_hour_is_the_sixty_minutes_up_to_the_present_one() -> None:
    ring = hour_ring(at(60 * 59 + 30))

    assert start(ring) == T0
    assert start(turned(ring, at(60 * 60))) == at(60)


def test_a_late_attempt_counts_in_its_own_minute() -> None:
    ring = counted(hour_ring(at(60 * 59)), at(30), ok=False)

    assert ring is not None
    assert turned(ring, at(60 * 60 - 0.001)).bad == 1
    assert turned(ring, at(60 * 60)).bad == 0


def test_an_attempt_older_than_the_ring_is_not_counted() -> None:
    assert counted(day_ring(at(24 * 3600)), at(3599.999), ok=True) is None


def test_an_attempt_ahead_of_the_clock_counts_now() -> None:
    ring = counted(hour_ring(T0), at(90), ok=True)

    assert ring is not None
    assert turned(ring, at(60 * 60)).total == 0


def test_time_that_goes_back_turns_nothing() -> None:
    ring = _with(1, 3)

    assert turned(ring, T0 - 10 * MINUTE_MS) is ring


def test_a_ring_left_alone_for_long_is_empty() -> None:
    assert turned(_with(1, 3), at(10 * 3600)) == hour_ring(at(10 * 3600))


def test_an_empty_ring_does_not_ask_to_be_turned() -> None:
    assert turns_at(hour_ring(T0)) is None
    assert turns_at(_with(0, 1)) == at(60)
