from __future__ import annotations

import pytest
from msgspec.structs import replace

from alerts.model import Alert, Ended, Rule, Severity, State
from alerts.notice import alert_id
from alerts.order_watch import AGES, OrderWatch
from alerts.rules import HOUR_MS, WORLD
from alerts.watch import current, next_wake, step, wake
from geo.model import Rejected
from orders.model import Age, Closed, Opened, Signal, Stage
from tests.alerts.timeline import notices, play, states, told
from tests.builders import T0, aged, at, closed, opened

DEADLINE = T0 + 48 * HOUR_MS + 1


def hour(n: float) -> int:
    return at(3600 * n)


def minute(n: float) -> int:
    return at(60 * n)


def test_exactly_48_hours_are_quiet() -> None:
    state, facts = play([opened()], until=DEADLINE - 1)

    assert facts == []
    assert state is not None
    assert next_wake(state) == DEADLINE


def test_one_millisecond_more_fires_with_no_event_arriving() -> None:
    _, facts = play([opened()], until=DEADLINE)

    assert facts == [
        Alert(
            alert_id=alert_id(Rule.LEAD_TIME, "order:o1"),
            rev=0,
            rule=Rule.LEAD_TIME,
            subject="order:o1",
            state=State.FIRING,
            severity=Severity.CRITICAL,
            episode=1,
            seq=1,
            since=DEADLINE,
            reported_at=DEADLINE,
            value=48 + 1 / HOUR_MS,
            threshold=48.0,
        )
    ]


def test_an_alert_noticed_late_carries_its_original_deadline() -> None:
    state, _ = step(None, opened(), T0, WORLD)
    assert state is not None

    _, facts = wake(state, hour(51), WORLD)

    assert [(f.since, f.reported_at) for f in facts if isinstance(f, Alert)] == [
        (DEADLINE, hour(51))
    ]


def test_an_order_signed_after_exactly_48_hours_is_quiet() -> None:
    assert told(play([opened(), closed(48)], until=hour(60))[1]) == []


def test_an_order_signed_one_millisecond_later_was_late() -> None:
    late = Closed("order:o1", DEADLINE, DEADLINE, Stage.SIGNED)

    assert told(play([opened(), late])[1])[-1] == (State.RESOLVED, Ended.DELIVERED_LATE)


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (Stage.SIGNED, Ended.DELIVERED_LATE),
        (Stage.CANCELLED, Ended.CANCELLED),
        (Stage.RETURNED, Ended.RETURNED),
    ],
)
def test_the_end_of_a_late_order_resolves_its_alert(stage: Stage, reason: Ended) -> None:
    _, facts = play([opened(), closed(50, stage)], until=hour(51))

    assert told(facts) == [(State.FIRING, ""), (State.RESOLVED, reason)]
    assert [f.value for f in notices(facts)][-1] == 50


@pytest.mark.parametrize("stage", [Stage.SIGNED, Stage.CANCELLED])
def test_late_evidence_of_an_end_in_time_retracts(stage: Stage) -> None:
    _, facts = play([opened(), closed(47, stage, reported_h=49)], until=hour(50))

    assert told(facts) == [(State.FIRING, ""), (State.RESOLVED, Ended.RETRACTED)]


def test_the_alert_of_an_open_order_is_repeated_every_12_hours() -> None:
    _, facts = play([opened()], until=hour(48 + 25))

    assert [(n.seq, n.reported_at) for n in notices(facts)] == [
        (1, DEADLINE),
        (2, DEADLINE + 12 * HOUR_MS),
        (3, DEADLINE + 24 * HOUR_MS),
    ]


def test_repetitions_missed_in_an_outage_are_told_once() -> None:
    state, _ = play([opened()], until=hour(49))
    assert state is not None

    _, facts = wake(state, hour(48 + 40), WORLD)

    assert [(n.seq, n.value) for n in notices(facts)] == [(4, 48 + 36 + 1 / HOUR_MS)]


def test_an_end_before_its_beginning_is_quiet_if_it_was_in_time() -> None:
    story: list[Signal] = [closed(20), opened(0, reported_h=21)]
    state, facts = play(story, until=hour(21.4))

    assert (facts, state is None) == ([], False)


def test_a_late_order_whose_beginning_is_told_last_is_told_and_over_at_once() -> None:
    story: list[Signal] = [closed(50), opened(0, reported_h=51)]
    _, facts = play(story, until=hour(52))

    assert [(n.state, n.since, n.reported_at) for n in notices(facts)] == [
        (State.FIRING, DEADLINE, hour(51)),
        (State.RESOLVED, DEADLINE, hour(51)),
    ]


def test_a_backlog_of_an_order_in_time_is_quiet() -> None:
    backlog: list[Signal] = [opened(0, reported_h=100), closed(40, reported_h=100.01)]

    assert told(play(backlog, until=hour(120))[1]) == []


def test_an_order_first_heard_of_when_it_is_late_fires_after_two_minutes() -> None:
    _, facts = play([opened(0, reported_h=100)], until=hour(101))

    assert [(n.since, n.reported_at) for n in notices(facts)] == [
        (DEADLINE, hour(100) + WORLD.settle_ms)
    ]


def test_a_beginning_corrected_to_earlier_moves_the_deadline() -> None:
    _, facts = play([opened(3), opened(0, reported_h=4)], until=hour(49))

    assert [n.since for n in notices(facts)] == [DEADLINE]


def test_a_beginning_corrected_to_later_takes_the_alert_back() -> None:
    _, facts = play([opened(0), opened(10, reported_h=49)], until=hour(59))

    assert told(facts) == [
        (State.FIRING, ""),
        (State.RESOLVED, Ended.RETRACTED),
        (State.FIRING, ""),
    ]


def test_a_beginning_corrected_while_the_alert_stays_true_says_nothing() -> None:
    _, facts = play([opened(0), opened(1, reported_h=50)], until=hour(51))

    assert told(facts) == [(State.FIRING, "")]


def test_a_beginning_corrected_after_retraction_is_judged_anew() -> None:
    story = [opened(0), opened(10, reported_h=49), opened(11, reported_h=49.2)]

    assert told(play(story, until=hour(50))[1])[1:] == [(State.RESOLVED, Ended.RETRACTED)]


def test_of_two_beginnings_reported_together_the_earlier_holds() -> None:
    either = [opened(3, reported_h=3), opened(0, reported_h=3)]

    for signals in (either, either[::-1]):
        state, _ = play(signals)
        assert state is not None
        assert next_wake(state) == DEADLINE


def test_an_end_corrected_to_in_time_is_told() -> None:
    story: list[Signal] = [
        opened(),
        closed(49),
        closed(47, reported_h=49.2),
        closed(46, reported_h=49.3),
    ]

    assert told(play(story, until=hour(50))[1]) == [
        (State.FIRING, ""),
        (State.RESOLVED, Ended.DELIVERED_LATE),
        (State.RESOLVED, Ended.RETRACTED),
    ]


def test_a_second_end_changes_nothing() -> None:
    again = closed(49.1, Stage.CANCELLED)

    assert play([opened(), closed(49), again]) == play([opened(), closed(49)], until=hour(49.1))


def test_an_end_told_again_is_not_kept_for_longer() -> None:
    once, twice = closed(49), closed(49, reported_h=49.2)

    assert play([opened(), once, twice]) == play([opened(), once], until=hour(49.2))


def test_a_stage_that_is_no_end_is_refused() -> None:
    state, _ = play([opened()])

    after, facts = step(state, closed(1, Stage.OUTBOUND), hour(1), WORLD)

    detail = "stage outbound does not end an order; send signed, cancelled or returned"
    assert (after, facts) == (state, (Rejected("not_an_end", detail),))


@pytest.mark.parametrize("age", [Age.NO_VEHICLE, Age.DEVICE_SILENT, Age.PARKED])
def test_old_news_fires_at_once_with_the_reason(age: Age) -> None:
    _, facts = play([aged(15, age)])

    assert facts == [
        Alert(
            alert_id=alert_id(Rule.FRESHNESS, "order:o1"),
            rev=0,
            rule=Rule.FRESHNESS,
            subject="order:o1",
            state=State.FIRING,
            severity=Severity.WARNING,
            episode=1,
            seq=1,
            since=minute(15),
            reported_at=minute(15),
            value=15.0,
            threshold=15.0,
            reason=age,
        )
    ]


def test_a_lagging_feed_fires_with_doubt_about_the_data() -> None:
    _, facts = play([aged(15, Age.FEED_LAG)])

    assert [(n.state, n.data_quality) for n in notices(facts)] == [(State.FIRING, True)]


def test_our_own_lag_pages_nobody_and_is_on_the_list() -> None:
    _, facts = play([aged(15, Age.OUR_LAG)], until=minute(60))

    assert notices(facts) == []
    assert [(f.state, f.data_quality) for f in facts if isinstance(f, Alert)] == [
        (State.PENDING, True)
    ]


def test_what_our_lag_had_hidden_fires_when_it_is_known() -> None:
    _, facts = play([aged(15, Age.OUR_LAG), aged(15, Age.PARKED, reported_min=30)])

    assert [(n.since, n.value, n.reason) for n in notices(facts)] == [(minute(15), 30, Age.PARKED)]


def test_our_own_lag_keeps_an_alert_firing() -> None:
    lag = aged(15, Age.OUR_LAG, reported_min=30)
    _, facts = play([aged(15, Age.DEVICE_SILENT), lag], until=minute(40))

    assert [f.data_quality for f in facts if isinstance(f, Alert)] == [False, True]
    assert told(facts) == [(State.FIRING, Age.DEVICE_SILENT)]


def test_another_reason_is_shown_and_not_told() -> None:
    _, facts = play([aged(15, Age.DEVICE_SILENT), aged(15, Age.PARKED, reported_min=30)])

    assert [(f.reason, f.seq) for f in facts if isinstance(f, Alert)] == [
        (Age.DEVICE_SILENT, 1),
        (Age.PARKED, 1),
    ]


def test_a_reason_told_again_after_another_does_not_come_back() -> None:
    silent, parked = aged(15, Age.DEVICE_SILENT), aged(15, Age.PARKED, reported_min=30)

    assert play([silent, parked, silent]) == play([silent, parked])


def test_fresh_news_resolves_after_a_minute() -> None:
    silent, fresh = aged(15, Age.DEVICE_SILENT), aged(20, Age.FRESH)

    assert told(play([silent, fresh], until=minute(20.9))[1]) == [(State.FIRING, silent.age)]
    assert told(play([silent, fresh], until=minute(21))[1]) == [
        (State.FIRING, silent.age),
        (State.RESOLVED, Ended.CLEARED),
    ]


@pytest.mark.parametrize("age", [Age.NOT_DUE, Age.ENDED])
def test_an_order_that_needs_no_news_clears(age: Age) -> None:
    _, facts = play([aged(15, Age.NO_VEHICLE), aged(16, age)], until=minute(20))

    assert told(facts)[-1] == (State.RESOLVED, Ended.CLEARED)


def test_an_old_position_does_not_clear() -> None:
    silent = aged(60, Age.DEVICE_SILENT)
    _, facts = play([silent, aged(30, Age.FRESH, reported_min=61)], until=minute(70))

    assert told(facts) == [(State.FIRING, silent.age)]


def test_an_age_told_again_after_fresh_news_fires_nothing() -> None:
    silent = aged(15, Age.DEVICE_SILENT)
    again = aged(15, Age.DEVICE_SILENT, reported_min=25)

    _, facts = play([silent, aged(20, Age.FRESH), again], until=minute(30))

    assert states(facts) == [State.FIRING, State.RECOVERING, State.RESOLVED]


def test_silence_again_within_half_an_hour_reopens() -> None:
    silent = aged(15, Age.DEVICE_SILENT)
    _, facts = play([silent, aged(20, Age.FRESH), aged(35, Age.DEVICE_SILENT)])

    assert [(n.state, n.episode, n.seq, n.since) for n in notices(facts)][-1] == (
        State.FIRING,
        1,
        3,
        minute(35),
    )


def test_the_end_of_the_order_resolves_old_news() -> None:
    _, facts = play([aged(15, Age.PARKED), closed(0.5), aged(40, Age.PARKED)], until=minute(45))

    assert told(facts) == [(State.FIRING, Age.PARKED), (State.RESOLVED, Ended.DELIVERED)]


def test_old_news_is_repeated_every_half_hour() -> None:
    _, facts = play([aged(15, Age.PARKED)], until=minute(80))

    assert [(n.seq, n.value) for n in notices(facts)] == [(1, 15), (2, 45), (3, 75)]


def test_every_age_is_placed() -> None:
    assert set(AGES) == set(Age)


def test_a_closed_order_is_forgotten_after_half_an_hour() -> None:
    story: list[Signal] = [opened(), aged(15, Age.PARKED), closed(50)]

    assert play(story, until=hour(50.5) - 1)[0] is not None
    assert play(story, until=hour(50.5))[0] is None


def test_an_end_without_a_beginning_is_kept_for_a_day() -> None:
    assert play([closed(1)], until=hour(25) - 1)[0] is not None
    assert play([closed(1)], until=hour(25))[0] is None


def test_news_of_an_unknown_order_that_says_nothing_is_not_kept() -> None:
    assert step(None, aged(1, Age.ENDED), minute(1), WORLD) == (None, ())


def test_waking_early_changes_nothing() -> None:
    state, _ = play([opened(), aged(15, Age.PARKED)])
    assert state is not None
    due = next_wake(state)
    assert due is not None

    assert wake(state, due - 1, WORLD) == (state, ())


def test_the_current_alerts_can_be_shown_again() -> None:
    state, facts = play([opened(), aged(15, Age.PARKED)], until=hour(48.5))
    assert state is not None

    shown = current(state, hour(48.6))

    last = {f.rule: f for f in facts if isinstance(f, Alert)}
    assert [replace(a, value=0, reported_at=0) for a in shown] == [
        replace(last[rule], value=0, reported_at=0) for rule in (Rule.LEAD_TIME, Rule.FRESHNESS)
    ]
    assert current(OrderWatch("order:o1"), T0) == ()


@pytest.mark.parametrize("ts", [0, 253_402_300_799_999])
def test_the_ends_of_time_are_taken(ts: int) -> None:
    state, _ = step(None, Opened("order:o1", ts, T0), T0, WORLD)
    state, facts = step(state, Closed("order:o1", ts, T0, Stage.SIGNED), T0, WORLD)

    assert (state is None, list(facts)) == (False, [])
