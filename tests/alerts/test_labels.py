from __future__ import annotations

import pytest
from msgspec.structs import replace

from alerts.labels import DATA_QUALITY, FLAPPING, REASONS, SENTENCES, STAGES, Language, sentence
from alerts.model import Alert, Ended, Rule, Severity, State, Window
from orders.model import Age, Stage
from tests.builders import T0

EN, ZH = Language.EN, Language.ZH


def alert(
    rule: Rule = Rule.FRESHNESS, state: State = State.FIRING, reason: str = Age.PARKED
) -> Alert:
    return Alert(
        alert_id="a1",
        rev=0,
        rule=rule,
        subject="order:SO-7",
        state=state,
        severity=Severity.WARNING,
        episode=1,
        seq=1,
        since=T0,
        reported_at=T0,
        value=15.4,
        threshold=15.0,
        reason=reason,
    )


def test_every_rule_state_and_language_has_its_sentence() -> None:
    assert set(SENTENCES) == {(r, s, g) for r in Rule for s in State for g in Language}


def test_every_reason_stage_and_note_has_its_words() -> None:
    reasons: list[str] = [*Age, *Ended, *Window]

    assert set(REASONS) == {(reason, language) for reason in reasons for language in Language}
    assert set(STAGES) == {(stage, language) for stage in Stage for language in Language}
    assert set(FLAPPING) == set(DATA_QUALITY) == set(Language)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("rule", Rule)
def test_every_sentence_is_complete(rule: Rule, state: State, language: Language) -> None:
    said = sentence(alert(rule, state), language)

    assert "SO-7" in said
    assert "{" not in said
    assert said.endswith("." if language is EN else "。")


def test_an_order_too_late() -> None:
    late = replace(alert(Rule.LEAD_TIME), value=48 + 1 / 3_600_000, threshold=48.0)

    assert sentence(late, EN) == (
        "Order SO-7 is not signed 48 h after it was received (limit 48 h)."
    )
    assert sentence(late, ZH) == "订单 SO-7 接单 48 小时后仍未签收（时限 48 小时）。"


def test_an_order_without_news() -> None:
    assert sentence(alert(), EN) == (
        "Order SO-7 has been without news for 15 min (limit 15 min): the vehicle is parked."
    )
    assert sentence(alert(), ZH) == "订单 SO-7 已 15 分钟没有新信息（时限 15 分钟）：车辆停驶。"


def test_a_stage_with_too_many_errors() -> None:
    bad = replace(
        alert(Rule.ERROR_RATE, reason=Window.HOUR),
        subject="stage:outbound",
        value=5 / 6,
        threshold=0.08,
        sample=6,
        errors=5,
    )

    assert sentence(bad, EN) == (
        "Stage outbound: 5 of 6 attempts went wrong in the last hour "
        "(83.3 %, limit 8 %). Please review."
    )
    assert sentence(bad, ZH) == (
        "出库环节：最近 1 小时内 6 次处理中 5 次出错（83.3 %，上限 8 %），请复核。"
    )


def test_the_end_of_an_alert_says_why() -> None:
    over = replace(alert(Rule.LEAD_TIME, State.RESOLVED, Ended.DELIVERED_LATE), value=50.25)

    assert sentence(over, EN) == "Order SO-7, open for 50.2 h: alert ended, signed for late."
    assert sentence(over, ZH) == "订单 SO-7 历时 50.2 小时，告警解除：已超时签收。"


def test_flapping_and_doubtful_data_are_added() -> None:
    noted = replace(alert(), flapping=True, data_quality=True)

    for language in Language:
        notes = FLAPPING[language] + DATA_QUALITY[language]
        assert sentence(noted, language) == sentence(alert(), language) + notes
