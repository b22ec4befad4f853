"""The three rules as numbers. A rule is data; what the numbers do is in `life` (times) and `rates`
(the rate).

Origins: research/alerting.md A.4 (for, keep, repeat), A.3 (reopen, flapping), B.4 (rate, windows).
The severities are our choice: a broken promise is critical, an old position is a warning, an error
rate is one until it has doubled.
"""

from __future__ import annotations

from msgspec import Struct

from alerts.model import Rule, Severity

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS


class LifeRule(Struct, frozen=True, kw_only=True):
    """How long one rule's alerts wait in each state; 0 means the state is passed through at
    once.
    """

    rule: Rule
    severity: Severity
    threshold: float
    """As people see it: hours, minutes, or a share of 1."""
    for_ms: int = 0
    keep_ms: int = 0
    repeat_ms: int
    reopen_ms: int = 30 * MINUTE_MS
    flap_changes: int = 4
    flap_window_ms: int = 2 * HOUR_MS
    calm_ms: int = HOUR_MS


class RateRule(Struct, frozen=True, kw_only=True):
    """When a window of attempts is too bad, bad enough to raise the severity, and good again."""

    errors: int = 3
    """Fewer say nothing: the Wilson bound alone would fire on 1 of 1."""
    enter: float = 0.08
    critical: float = 0.16
    """Twice the limit; the first step research/alerting.md B.3 finds within half an hour."""
    clear: float = 0.06
    z: float = 1.645
    """One-sided 95 %; it tapers to 0 between the next two."""
    taper_from: int = 20
    taper_to: int = 100
    silent_ms: int = 24 * HOUR_MS
    """No attempt for so long ends an alert as no_traffic."""
    ahead_ms: int = 120 * SECOND_MS
    """How far a producer's clock may be ahead; the bound geo uses for pings."""


LEAD_TIME = LifeRule(
    rule=Rule.LEAD_TIME, severity=Severity.CRITICAL, threshold=48.0, repeat_ms=12 * HOUR_MS
)
FRESHNESS = LifeRule(
    rule=Rule.FRESHNESS,
    severity=Severity.WARNING,
    threshold=15.0,
    keep_ms=MINUTE_MS,
    repeat_ms=30 * MINUTE_MS,
)
ERROR_RATE = LifeRule(
    rule=Rule.ERROR_RATE,
    severity=Severity.WARNING,
    threshold=0.08,
    for_ms=2 * MINUTE_MS,
    keep_ms=10 * MINUTE_MS,
    repeat_ms=4 * HOUR_MS,
)


class World(Struct, frozen=True, kw_only=True):
    """Everything the alerts agent is told besides its signals."""

    lead_time: LifeRule = LEAD_TIME
    freshness: LifeRule = FRESHNESS
    error_rate: LifeRule = ERROR_RATE
    rate: RateRule = RateRule()
    lead_limit_ms: int = 48 * HOUR_MS
    """Exactly this long is in time; one millisecond more is not (A.3, strictness)."""
    fresh_limit_ms: int = 15 * MINUTE_MS
    """Promise 4 of design.md; the same as orders' own limit, which decides."""
    settle_ms: int = 2 * MINUTE_MS
    """An order first heard of when its deadline has passed waits so long before it fires: its end
    may lie in the same backlog, which is drained in 120 s (design.md §5).
    """
    unopened_ms: int = 24 * HOUR_MS
    """How long an end without a beginning is remembered: the late horizon of promise 1."""


WORLD = World()
