from __future__ import annotations

from msgspec.structs import replace

from alerts.life import Life
from alerts.model import Alert, Rule, State
from alerts.notice import Measure, Subject, alert_id, alert_of, without_missed_repeats
from alerts.rules import FRESHNESS, LEAD_TIME
from tests.builders import T0

FIRING = Life(State.FIRING, episode=1, seq=1, since=T0)


def alert(seq: int = 1, state: State = State.FIRING, value: float = 15) -> Alert:
    life = replace(FIRING, seq=seq, state=state)
    return alert_of(life, Subject("order:o1", FRESHNESS), Measure(value), T0)


def test_an_alert_has_the_same_id_in_every_process_and_release() -> None:
    assert alert_id(Rule.FRESHNESS, "order:o1") == "dca9903843482496"


def test_rule_and_subject_both_name_an_alert() -> None:
    pairs = [(rule, subject) for rule in Rule for subject in ("order:o1", "order:o2")]

    assert len({alert_id(*pair) for pair in pairs}) == len(pairs)


def test_of_repetitions_missed_in_one_go_the_last_is_told() -> None:
    repeated = [alert(1), alert(2, value=45), alert(3, value=75)]

    assert without_missed_repeats(repeated) == (alert(3, value=75),)


def test_a_change_of_state_is_never_left_out() -> None:
    story = [alert(1), alert(1, State.RECOVERING), alert(2, State.RESOLVED), alert(3), alert(4)]

    assert without_missed_repeats(story) == (*story[:3], alert(4))


def test_repetitions_of_different_alerts_are_kept_apart() -> None:
    other = alert_of(FIRING, Subject("order:o1", LEAD_TIME), Measure(60), T0)

    assert without_missed_repeats([alert(1), other, alert(2)]) == (alert(2), other)
