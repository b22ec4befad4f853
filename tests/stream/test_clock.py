from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.clock import FUTURE_MS, IDLE_MS, EventClock

LONG_AGO = 1_000_000
"""The broker's time of a record, far enough ahead of every event of these tests."""


def clock(*keepers: str) -> EventClock:
    return EventClock({}, frozenset(keepers))


def test_the_time_is_the_greatest_heard() -> None:
    time = clock("pings")
    for at in (5, 9, 7):
        time.hear("pings", at, LONG_AGO)
    assert time.now == 9


def test_of_several_inputs_the_one_furthest_behind_is_the_time() -> None:
    time = clock("events", "facts")
    time.hear("events", 50, LONG_AGO)
    alone = time.now
    time.hear("facts", 70, LONG_AGO)
    time.hear("events", 90, LONG_AGO)
    assert (alone, time.now) == (50, 70)


def test_an_event_arrives_at_its_own_time_though_the_clock_is_held_back() -> None:
    time = clock("events", "facts")
    time.hear("facts", 10, LONG_AGO)
    arrivals = [time.hear("events", 50, LONG_AGO), time.hear("facts", 20, LONG_AGO)]
    assert (arrivals, time.now) == ([50, 20], 20)


def test_a_late_event_arrives_now() -> None:
    time = clock("pings")
    time.hear("pings", 50, LONG_AGO)
    assert time.hear("pings", 20, LONG_AGO) == 50


def test_an_input_that_was_silent_for_two_seconds_holds_nothing_back() -> None:
    time = clock("events", "facts")
    time.settle(wall=LONG_AGO)
    time.hear("facts", 10, LONG_AGO)
    time.hear("events", 20, LONG_AGO)
    time.settle(wall=LONG_AGO + IDLE_MS - 1)
    time.hear("events", 50, LONG_AGO)
    held = time.now
    time.settle(wall=LONG_AGO + IDLE_MS)
    assert (held, time.now) == (10, 50)


def test_when_all_are_silent_the_newest_is_the_time() -> None:
    time = clock("events", "facts")
    time.hear("facts", 10, LONG_AGO)
    time.hear("events", 50, LONG_AGO)
    time.settle(wall=LONG_AGO + IDLE_MS)
    assert time.now == 50


def test_a_topic_of_rare_commands_moves_nothing() -> None:
    time = clock("pings")
    time.hear("plans", 90, LONG_AGO)
    time.hear("pings", 10, LONG_AGO)
    assert time.now == 10


def test_an_event_from_the_far_future_moves_nothing() -> None:
    time = clock("pings")
    arrivals = [time.hear("pings", LONG_AGO + FUTURE_MS + more, LONG_AGO) for more in (1, 0)]
    assert arrivals == [0, LONG_AGO + FUTURE_MS]


def test_a_new_owner_goes_on_from_what_was_newest() -> None:
    newest = {"pings": 70}
    time = EventClock(newest, frozenset({"pings"}))
    time.settle(wall=1)
    time.hear("pings", 80, LONG_AGO)
    assert (time.now, newest) == (80, {"pings": 80})


@given(
    st.lists(
        st.tuples(st.sampled_from(["events", "facts", "wall"]), st.integers(0, 10_000)), max_size=60
    )
)
def test_it_never_runs_back_nor_past_the_newest_event(steps: list[tuple[str, int]]) -> None:
    time, before, newest = clock("events", "facts"), 0, 0
    for what, at in steps:
        if what == "wall":
            time.settle(at)
        else:
            time.hear(what, at, LONG_AGO)
            newest = max(newest, at)
        assert before <= time.now <= newest
        before = time.now
