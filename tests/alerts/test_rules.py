from __future__ import annotations

from alerts.model import Rule
from alerts.rules import HOUR_MS, MINUTE_MS, WORLD


def test_what_people_read_as_the_limit_is_the_limit() -> None:
    assert WORLD.lead_time.threshold * HOUR_MS == WORLD.lead_limit_ms == 172_800_000
    assert WORLD.freshness.threshold * MINUTE_MS == WORLD.fresh_limit_ms
    assert WORLD.error_rate.threshold == WORLD.rate.enter


def test_each_rule_has_its_life() -> None:
    lives = (WORLD.lead_time, WORLD.freshness, WORLD.error_rate)

    assert [life.rule for life in lives] == list(Rule)
    assert [(r.for_ms, r.keep_ms, r.repeat_ms) for r in lives] == [
        (0, 0, 12 * HOUR_MS),
        (0, 1 * MINUTE_MS, 30 * MINUTE_MS),
        (2 * MINUTE_MS, 10 * MINUTE_MS, 4 * HOUR_MS),
    ]
