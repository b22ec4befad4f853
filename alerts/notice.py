"""From a life to the `Alert` that people, lists and dashboards are told."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from alerts.life import Life
from alerts.model import Alert, Rule
from alerts.rules import LifeRule


class Moment(NamedTuple):
    """`at`: when it is decided, a deadline if a clock decides; `now`: when we got round to it."""

    at: int
    now: int


class Measure(Struct, frozen=True, gc=False):
    """What stands behind an alert, in the unit of its rule's threshold."""

    value: float
    sample: int = 0
    errors: int = 0
    orders: tuple[str, ...] = ()


class Subject(NamedTuple):
    scope: str
    rule: LifeRule


def alert_of(life: Life, subject: Subject, measure: Measure, now: int) -> Alert:
    """The alert as it is `now`; the shell stamps `rev`."""
    rule = subject.rule
    return Alert(
        alert_id=alert_id(rule.rule, subject.scope),
        rev=0,
        rule=rule.rule,
        subject=subject.scope,
        state=life.state,
        severity=life.severity,
        episode=life.episode,
        seq=life.seq,
        since=life.since,
        reported_at=now,
        value=measure.value,
        threshold=rule.threshold,
        reason=life.reason,
        sample=measure.sample,
        errors=measure.errors,
        orders=measure.orders,
        flapping=life.flapping,
        data_quality=life.data_quality,
    )


@lru_cache(maxsize=10_000)
def alert_id(rule: Rule, subject: str) -> str:
    """Nothing that changes may be in it; never Python's salted `hash`."""
    return blake2b(f"{rule}\x1f{subject}".encode(), digest_size=8).hexdigest()


def without_missed_repeats(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Of the repetitions that passed while nobody woke us, the last: an outage is told once, its
    numbers skipped.
    """
    kept: list[Alert] = []
    last: dict[str, int] = {}
    for alert in alerts:
        i = last.get(alert.alert_id)
        if i is not None and _repeats(kept[i], alert):
            kept[i] = alert
            continue
        last[alert.alert_id] = len(kept)
        kept.append(alert)
    return tuple(kept)


def _repeats(earlier: Alert, alert: Alert) -> bool:
    return replace(earlier, seq=alert.seq, value=alert.value) == alert
