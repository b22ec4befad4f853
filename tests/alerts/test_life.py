from __future__ import annotations

import pytest
from msgspec.structs import replace

from alerts.life import (
    MOVES,
    UNBORN,
    Life,
    Move,
    Seen,
    Trigger,
    advance,
    due,
    elapse,
    shown,
)
from alerts.model import Rule, Severity, State
from alerts.rules import HOUR_MS, MINUTE_MS, LifeRule
from tests.builders import at

RULE = LifeRule(
    rule=Rule.ERROR_RATE,
    severity=Severity.WARNING,
    threshold=0.08,
    for_ms=2 * MINUTE_MS,
    keep_ms=10 * MINUTE_MS,
    repeat_ms=4 * HOUR_MS,
)
AT_ONCE = replace(RULE, for_ms=0, keep_ms=0)

S, T = State, Trigger


def minute(n: float) -> int:
    return at(60 * n)


def seen(trigger: Trigger, n: float = 0, severity: Severity = Severity.WARNING) -> Seen:
    return Seen(trigger, severity, since=minute(n))


def live(*story: tuple[float, Trigger], rule: LifeRule = RULE, until: float = 0) -> Life:
    """The life after what was seen at each minute, every wait and repetition in between done."""
    life = UNBORN
    for n, trigger in story:
        life = _waited(life, minute(n), rule)
        life = advance(life, seen(trigger, n), minute(n), rule)
    return _waited(life, minute(until), rule)


def _waited(life: Life, until: int, rule: LifeRule) -> Life:
    while (deadline := due(life)) is not None and deadline <= until:
        life = elapse(life, deadline, rule)
    return life


FIRING = live((0, T.TRUE), until=2)
RECOVERING = live((0, T.TRUE), (5, T.FALSE))
RESOLVED = live((0, T.TRUE), (5, T.FALSE), until=15)
PENDING = live((0, T.TRUE))
BY_STATE = {
    S.INACTIVE: UNBORN,
    S.PENDING: PENDING,
    S.FIRING: FIRING,
    S.RECOVERING: RECOVERING,
    S.RESOLVED: RESOLVED,
}


@pytest.mark.parametrize(("state", "trigger"), [(s, t) for s in State for t in Trigger])
def test_a_life_moves_as_the_table_says_and_tells_people_only_where_it_says_so(
    state: State, trigger: Trigger
) -> None:
    before = BY_STATE[state]

    after = advance(before, seen(trigger, 16), minute(16), RULE)

    move = MOVES.get((state, trigger), Move(state))
    told = (after.episode, after.seq) > (before.episode, before.seq)
    assert (after.state, told) == (move.to, move.notify)


def test_every_state_can_be_reached_and_left() -> None:
    assert {move.to for move in MOVES.values()} == set(State) == {state for state, _ in MOVES}


def test_silence_and_doubt_resolve_nothing() -> None:
    quiet = {T.UNKNOWN, T.DOUBT, T.BAND, T.REPEAT}

    assert [
        pair for pair, move in MOVES.items() if pair[1] in quiet and move.to is S.RESOLVED
    ] == []


def test_a_condition_waits_in_pending_and_nobody_is_told() -> None:
    assert Life(S.PENDING, since=minute(0), until=minute(2)) == PENDING


def test_what_held_for_two_minutes_fires_with_its_beginning() -> None:
    firing = Life(S.FIRING, episode=1, seq=1, since=minute(0), repeat_at=minute(242))

    assert live((0, T.TRUE), (1, T.TRUE), until=2) == firing


@pytest.mark.parametrize("trigger", [T.FALSE, T.BAND])
def test_what_did_not_hold_for_two_minutes_was_nothing(trigger: Trigger) -> None:
    life = live((0, T.TRUE), (1.9, trigger), until=10)

    assert (life.state, life.episode, due(life)) == (S.INACTIVE, 0, None)


def test_no_data_stops_the_wait_of_a_pending_alert() -> None:
    life = live((0, T.TRUE), (1, T.UNKNOWN), until=60)

    assert (life.state, due(life)) == (S.PENDING, None)
    assert live((0, T.TRUE), (1, T.UNKNOWN), (50, T.TRUE), until=52).state is S.FIRING


def test_a_doubtful_condition_is_pending_until_somebody_knows() -> None:
    assert live((0, T.DOUBT), until=600).state is S.PENDING
    assert live((0, T.DOUBT), (9, T.TRUE), rule=AT_ONCE).state is S.FIRING


def test_a_wait_of_zero_is_passed_through() -> None:
    fired = live((0, T.TRUE), rule=AT_ONCE)
    resolved = live((0, T.TRUE), (5, T.FALSE), rule=AT_ONCE)

    assert (fired.state, fired.seq) == (S.FIRING, 1)
    assert (resolved.state, resolved.seq) == (S.RESOLVED, 2)


def test_recovering_needs_ten_minutes_without_a_break() -> None:
    assert live((0, T.TRUE), (5, T.FALSE), until=14.9).state is S.RECOVERING
    assert live((0, T.TRUE), (5, T.FALSE), (9, T.FALSE), until=15).state is S.RESOLVED
    assert live((0, T.TRUE), (5, T.FALSE), (9, T.BAND), (10, T.FALSE), until=19).seq == 1


def test_a_relapse_out_of_recovering_tells_nobody() -> None:
    life = live((0, T.TRUE), (5, T.FALSE), (6, T.TRUE))

    assert (life.state, life.seq, life.since, life.changes) == (S.FIRING, 1, minute(0), ())


def test_silence_takes_a_recovering_alert_back_to_firing() -> None:
    assert live((0, T.TRUE), (5, T.FALSE), (6, T.UNKNOWN), until=60).state is S.FIRING


def test_within_half_an_hour_the_episode_is_reopened() -> None:
    life = live((0, T.TRUE), (5, T.FALSE), (44.9, T.TRUE))

    assert (life.state, life.episode, life.seq, life.since) == (S.FIRING, 1, 3, minute(44.9))


def test_after_half_an_hour_another_episode_begins() -> None:
    life = live((0, T.TRUE), (5, T.FALSE), (45, T.TRUE), until=47)

    assert (life.state, life.episode, life.seq) == (S.FIRING, 2, 1)


def test_a_firing_alert_is_repeated_every_four_hours() -> None:
    assert live((0, T.TRUE), until=2 + 239.9).seq == 1
    assert live((0, T.TRUE), until=2 + 240).seq == 2
    assert live((0, T.TRUE), until=2 + 480).seq == 3


def test_a_repetition_missed_while_recovering_is_due_with_the_relapse() -> None:
    life = live((0, T.TRUE), (235, T.FALSE), (244, T.TRUE))

    assert due(life) == minute(244)


def test_a_resolved_alert_is_not_repeated() -> None:
    assert due(RESOLVED) == minute(15 + 30)


def test_a_rise_of_severity_is_told_and_a_fall_is_not() -> None:
    worse = advance(FIRING, seen(T.TRUE, severity=Severity.CRITICAL), minute(5), RULE)
    better = advance(worse, seen(T.TRUE), minute(6), RULE)

    assert (worse.severity, worse.seq) == (Severity.CRITICAL, 2)
    assert better == worse


def test_a_relapse_that_is_worse_is_told() -> None:
    worse = advance(RECOVERING, seen(T.TRUE, severity=Severity.CRITICAL), minute(6), RULE)

    assert (worse.state, worse.seq) == (S.FIRING, 2)


def test_severity_starts_anew_with_a_new_beginning() -> None:
    worse = advance(FIRING, seen(T.TRUE, severity=Severity.CRITICAL), minute(5), RULE)
    ended = advance(worse, seen(T.ENDED), minute(6), RULE)

    assert advance(ended, seen(T.TRUE), minute(7), RULE).severity is Severity.WARNING


FLAPPING = (
    (0, T.TRUE),
    *((5, T.FALSE), (16, T.TRUE)),
    *((20, T.FALSE), (31, T.TRUE)),
)
"""Resolved in minute 15, reopened in 16, resolved in 30, reopened in 31: the fourth change."""


def test_the_fourth_change_within_two_hours_is_flapping() -> None:
    before, after = live(*FLAPPING[:-1], until=30.9), live(*FLAPPING)

    assert (before.flapping, before.seq) == (False, 4)
    assert (after.state, after.flapping, after.seq) == (S.FIRING, True, 5)


def test_a_flapping_alert_is_not_resolved_and_tells_nobody() -> None:
    life = live(*FLAPPING, (35, T.FALSE), (60, T.TRUE), (65, T.FALSE), until=124.9)

    assert (life.state, life.flapping, life.seq) == (S.RECOVERING, True, 5)


def test_an_hour_without_the_condition_resolves_a_flapping_alert() -> None:
    life = live(*FLAPPING, (35, T.FALSE), until=95)

    assert (life.state, life.flapping, life.seq) == (S.RESOLVED, False, 6)


def test_a_flapping_alert_is_still_repeated() -> None:
    often = replace(RULE, repeat_ms=30 * MINUTE_MS)

    life = live(*FLAPPING, rule=often, until=61)

    assert (life.flapping, life.seq, due(life)) == (True, 6, minute(91))


def test_an_hour_of_the_condition_ends_flapping_and_tells_nobody() -> None:
    life = live(*FLAPPING, until=91)

    assert (life.state, life.flapping, life.seq, life.changes) == (S.FIRING, False, 5, ())


def test_a_resolution_that_is_the_fourth_change_is_held_back_with_one_notice() -> None:
    often = replace(RULE, flap_changes=3)

    life = live(*FLAPPING[:-1], rule=often, until=30)

    assert (life.state, life.flapping, life.seq) == (S.RECOVERING, True, 4)
    assert due(life) == minute(90)


def test_changes_older_than_two_hours_do_not_count() -> None:
    slow = ((0, T.TRUE), (5, T.FALSE), (16, T.TRUE), (125, T.FALSE), (137, T.TRUE))

    life = live(*slow)

    assert (life.flapping, life.seq) == (False, 5)
    assert life.changes == (minute(135), minute(137))


def test_a_new_episode_soon_after_counts_as_a_change() -> None:
    life = live((0, T.TRUE), (5, T.FALSE), (50, T.TRUE), until=52)

    assert life.changes == (minute(15), minute(52))


def test_the_end_of_the_subject_is_never_held_back() -> None:
    fifth = live(*FLAPPING[:-1], (31, T.TRUE), (32, T.ENDED))
    third = live(*FLAPPING[:3], (17, T.ENDED), rule=replace(RULE, flap_changes=3))

    assert (fifth.state, fifth.flapping) == (S.RESOLVED, False)
    assert (third.state, third.flapping) == (S.RESOLVED, False)


def test_lists_hear_of_pending_and_of_its_end_but_not_of_a_resolved_alert_fading() -> None:
    dropped = live((0, T.TRUE), (1, T.FALSE))
    faded = live((0, T.TRUE), (5, T.FALSE), until=45)

    assert (shown(UNBORN, PENDING), shown(PENDING, dropped)) == (True, True)
    assert (faded.state, shown(RESOLVED, faded)) == (S.INACTIVE, False)


def test_seeing_the_same_again_is_no_news() -> None:
    again = advance(FIRING, seen(T.TRUE, 3), minute(3), RULE)

    assert not shown(FIRING, again)
    assert not shown(FIRING, FIRING)
