from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from alerts.model import Alert, Ended, Rule, Severity, State, Window
from alerts.notice import alert_id
from alerts.rules import MINUTE_MS, WORLD
from alerts.stage_watch import FAILED_ORDERS, REMEMBERED, StageWatch
from alerts.watch import current, next_wake, step
from geo.model import Rejected
from orders.model import Outcome
from tests.alerts.timeline import notices, play, told
from tests.builders import at, outcome


def minute(n: float) -> int:
    return at(60 * n)


def batch(
    minutes: float,
    attempts: int,
    errors: int,
    *,
    name: str = "o",
    reported_min: float | None = None,
) -> Iterator[Outcome]:
    """Attempts of one minute, the failed ones first, each of an order of its own."""
    for i in range(attempts):
        order_id = f"{name}{minutes:g}-{i}"
        yield outcome(minutes, i >= errors, order_id=order_id, reported_min=reported_min)


def test_a_bad_hour_is_told_after_two_minutes() -> None:
    _, facts = play(batch(0, 6, 5), until=minute(2))

    assert [f.state for f in facts if isinstance(f, Alert)] == [State.PENDING, State.FIRING]
    assert facts[-1] == Alert(
        alert_id=alert_id(Rule.ERROR_RATE, "stage:outbound"),
        rev=0,
        rule=Rule.ERROR_RATE,
        subject="stage:outbound",
        state=State.FIRING,
        severity=Severity.CRITICAL,
        episode=1,
        seq=1,
        since=minute(0),
        reported_at=minute(2),
        value=5 / 6,
        threshold=0.08,
        reason=Window.HOUR,
        sample=6,
        errors=5,
        orders=("o0-0", "o0-1", "o0-2", "o0-3", "o0-4"),
    )


@pytest.mark.parametrize(
    ("errors", "attempts", "fires"),
    [
        pytest.param(1, 3, False, id="1 of 3 is quiet"),
        pytest.param(5, 6, True, id="5 of 6 fire"),
        pytest.param(9, 100, True, id="9 of 100 fire"),
        pytest.param(8, 100, False, id="8 of 100 are quiet"),
    ],
)
def test_which_hours_are_reviewed(errors: int, attempts: int, fires: bool) -> None:
    # The good ones first: no part of the hundred is worse than the whole.
    attempts_ = list(batch(0, attempts, errors))[::-1]

    _, facts = play(attempts_, until=minute(30))

    assert [state for state, _ in told(facts)] == [State.FIRING] * fires


def test_a_rate_between_the_limits_is_a_warning_and_its_doubling_is_told() -> None:
    story = [*batch(0, 100, 10), *batch(5, 20, 15)]
    _, facts = play(story, until=minute(6))

    assert [(n.severity, n.seq) for n in notices(facts)] == [
        (Severity.WARNING, 1),
        (Severity.CRITICAL, 2),
    ]


def test_what_gets_better_within_two_minutes_is_not_told() -> None:
    bad = list(batch(0, 100, 9))[::-1]
    _, facts = play([*bad, *batch(1, 20, 0)], until=minute(30))

    assert notices(facts) == []
    assert [f.state for f in facts if isinstance(f, Alert)] == [State.PENDING, State.INACTIVE]


def test_seven_percent_does_not_resolve() -> None:
    _, facts = play([*batch(0, 100, 10), *batch(3, 43, 0)], until=minute(50))

    assert [state for state, _ in told(facts)] == [State.FIRING]


def test_below_six_percent_for_ten_minutes_resolves() -> None:
    story = [*batch(0, 100, 10), *batch(3, 70, 0)]

    assert [state for state, _ in told(play(story, until=minute(12.9))[1])] == [State.FIRING]
    assert told(play(story, until=minute(13))[1])[-1] == (State.RESOLVED, Ended.CLEARED)


def test_a_break_of_the_ten_minutes_starts_them_again() -> None:
    story = [*batch(0, 100, 10), *batch(3, 70, 0), *batch(9, 2, 2), *batch(10, 40, 0)]

    assert [state for state, _ in told(play(story, until=minute(19.9))[1])] == [State.FIRING]
    assert len(told(play(story, until=minute(20))[1])) == 2


def test_a_slow_stage_is_judged_by_its_day() -> None:
    story = [o for hour in range(5) for o in batch(hour * 90, 1, 1)]
    _, facts = play(story, until=minute(5 * 90))

    first = notices(facts)[0]
    assert (first.reason, first.sample, first.errors) == (Window.DAY, 3, 3)
    assert first.since == minute(180)


def test_a_stage_gone_silent_keeps_firing_with_doubt_about_the_data() -> None:
    _, facts = play(batch(0, 6, 5), until=minute(239))

    assert [n.state for n in notices(facts)] == [State.FIRING]
    last = facts[-1]
    assert isinstance(last, Alert)
    # The day still holds what the hour has lost.
    assert (last.state, last.data_quality) == (State.FIRING, False)


def test_a_rate_that_is_good_over_the_day_is_not_resolved_by_an_empty_hour() -> None:
    story = [*batch(0, 400, 0), *batch(70, 20, 9)]
    _, facts = play(story, until=minute(200))

    assert [state for state, _ in told(facts)] == [State.FIRING]
    last = facts[-1]
    assert isinstance(last, Alert)
    assert (last.state, last.data_quality) == (State.FIRING, True)


def test_a_day_without_attempts_ends_the_alert() -> None:
    story = list(batch(0, 6, 5))
    before, after = (play(story, until=minute(24 * 60) + ms)[1] for ms in (-1, 0))

    assert [n.state for n in notices(before)] == [State.FIRING] * 6
    assert told(after)[-1] == (State.RESOLVED, Ended.NO_TRAFFIC)


def test_a_late_attempt_counts_in_the_hour_in_which_it_happened() -> None:
    _, facts = play(batch(0, 6, 5, reported_min=57), until=minute(59))

    assert [n.reason for n in notices(facts)] == [Window.HOUR]


def test_an_attempt_too_late_for_the_hour_counts_in_the_day() -> None:
    _, facts = play(batch(0, 6, 5, reported_min=100), until=minute(102))

    assert [n.reason for n in notices(facts)] == [Window.DAY]


def test_an_attempt_older_than_a_day_is_refused() -> None:
    late = outcome(0, reported_min=25 * 60)

    state, facts = step(None, late, late.reported_at, WORLD)

    detail = f"ts {late.ts} is more than 24 h before {late.reported_at}; it was not counted"
    assert (state, list(facts)) == (None, [Rejected("late_outcome", detail)])


def test_an_attempt_more_than_two_minutes_ahead_is_refused() -> None:
    now = minute(0)
    near, far = outcome(2), outcome(2 + 1 / 60_000)

    assert step(None, near, now, WORLD)[1] == ()
    detail = f"ts {far.ts} is after {now}; set the sender's clock"
    assert list(step(None, far, now, WORLD)[1]) == [Rejected("future_outcome", detail)]


def test_an_attempt_ahead_of_the_clock_counts_as_now() -> None:
    ahead = outcome(1.5, False, reported_min=0)

    assert play([ahead]) == play([outcome(0, False)])


def test_a_late_attempt_does_not_bring_the_day_of_silence_nearer() -> None:
    story = [*batch(600, 6, 5), outcome(0, reported_min=601)]
    _, facts = play(story, until=minute(600 + 24 * 60) - 1)

    assert {n.state for n in notices(facts)} == {State.FIRING}


def test_a_scope_of_another_stage_is_refused() -> None:
    wrong = replace(outcome(), scope="stage:signed")

    detail = "stage:signed is not the scope of stage outbound"
    assert list(step(None, wrong, minute(0), WORLD)[1]) == [Rejected("wrong_scope", detail)]


def test_an_attempt_told_again_counts_once() -> None:
    once = list(batch(0, 3, 2))

    assert play(once * 4, until=minute(5)) == play(once, until=minute(5))


def test_another_attempt_of_the_same_order_counts() -> None:
    state, _ = play([outcome(attempt=1), outcome(attempt=2)])

    assert isinstance(state, StageWatch)
    assert state.hour.total == 2


def test_what_is_remembered_is_bounded() -> None:
    state, _ = play(batch(0, 2 * REMEMBERED, 2 * FAILED_ORDERS))

    assert isinstance(state, StageWatch)
    assert (len(state.seen), len(state.failed)) == (8 * REMEMBERED, FAILED_ORDERS)


def test_an_order_behind_the_rate_is_named_once() -> None:
    story = [outcome(0, False, attempt=n) for n in range(5)]
    _, facts = play(story, until=minute(2))

    assert [n.orders for n in notices(facts)] == [("o1",)]


def test_a_quiet_stage_is_forgotten_after_a_day() -> None:
    story = list(batch(0, 3, 1))

    assert play(story, until=minute(24 * 60) - 1)[0] is not None
    assert play(story, until=minute(24 * 60))[0] is None


def test_a_stage_that_had_an_alert_goes_on_counting_its_episodes() -> None:
    days = [*batch(0, 6, 5), *batch(3 * 24 * 60, 6, 5)]
    _, facts = play(days, until=minute(3 * 24 * 60 + 5))

    assert {n.episode for n in notices(facts)} == {1, 2}


def test_a_stage_with_nothing_to_count_is_not_woken() -> None:
    state, _ = play(batch(0, 6, 5), until=minute(3 * 24 * 60))

    assert state is not None
    assert next_wake(state) is None


def test_the_current_alert_can_be_shown_again() -> None:
    state, facts = play(batch(0, 6, 5), until=minute(2))
    calm, _ = play(batch(0, 6, 0))
    assert isinstance(state, StageWatch)
    assert isinstance(calm, StageWatch)

    assert current(state, minute(2)) == (facts[-1],)
    assert current(calm, minute(2)) == ()


def test_a_late_alert_of_a_stage_carries_its_original_times() -> None:
    state, _ = play(batch(0, 6, 5))
    assert state is not None

    _, facts = play([], until=minute(30), state=state, punctual=False)

    assert [(n.since, n.reported_at) for n in notices(facts)] == [
        (minute(0), minute(0) + 30 * MINUTE_MS)
    ]
