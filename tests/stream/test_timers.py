from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stream.timers import NEVER, Timers

TIMES = st.integers(0, 20_000)


def test_a_key_is_due_at_its_time_and_then_no_more() -> None:
    timers = Timers()
    timers.arm("a", 5_000)
    assert (list(timers.due(4_999, 9)), list(timers.due(5_000, 9))) == ([], ["a"])
    assert (timers.earliest, len(timers)) == (NEVER, 0)


def test_a_later_deadline_waits_for_the_earlier_look() -> None:
    timers = Timers()
    timers.arm("a", 5_000)
    timers.arm("a", 9_000)
    assert list(timers.due(5_000, 9)) == ["a"]


def test_a_bucket_left_by_its_keys_does_not_hide_the_deadlines_behind_it() -> None:
    timers = Timers()
    timers.arm("moved", 100_000)
    timers.arm("waiting", 200_000)
    timers.arm("moved", 50_000)
    assert list(timers.due(60_000, 9)) == ["moved"]
    assert timers.earliest == 200_000


def test_no_more_keys_are_taken_than_asked_and_the_rest_stays_due() -> None:
    timers = Timers()
    for key in "abc":
        timers.arm(key, 1_000)
    assert len(list(timers.due(2_000, 2))) == 2
    assert timers.earliest == 1_000
    assert len(list(timers.due(2_000, 2))) == 1


@given(st.lists(st.tuples(st.sampled_from("abcde"), TIMES, TIMES), max_size=60))
def test_every_key_is_looked_at_by_its_earliest_deadline(steps: list[tuple[str, int, int]]) -> None:
    timers, wanted, now = Timers(), dict[str, int](), 0
    for key, ahead, forward in steps:
        timers.arm(key, now + ahead)
        wanted[key] = min(wanted.get(key, NEVER), now + ahead)
        now += forward
        due = {key for key, at in wanted.items() if at <= now}
        assert (timers.earliest <= now) == bool(due)
        assert set(timers.due(now, 99)) == due
        wanted = {key: at for key, at in wanted.items() if key not in due}
        assert timers.earliest == min(wanted.values(), default=NEVER)
