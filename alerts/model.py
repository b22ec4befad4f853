"""The words of `alerts`: one life cycle per (rule, subject). Also the wire."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from geo.model import Count, Id, Ms, Scope


class Rule(StrEnum):
    LEAD_TIME = "lead_time_exceeded"
    """An order older than 48 h and not signed."""
    FRESHNESS = "freshness"
    """An order whose newest information is older than 15 minutes."""
    ERROR_RATE = "error_rate"
    """More than 8 % of a stage's attempts went wrong."""


class State(StrEnum):
    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


class Severity(StrEnum):
    WARNING = "warning"
    CRITICAL = "critical"


class Reason(StrEnum):
    """Why a signal was not taken. Also the label of the metric and of the dead letter."""

    WRONG_SCOPE = "wrong_scope"
    """It is about something else than its scope, and so than its record key."""
    NOT_AN_END = "not_an_end"
    """An order said to be closed in a stage that is none of the ends."""
    LATE_OUTCOME = "late_outcome"
    """Older than the longest window."""
    FUTURE_OUTCOME = "future_outcome"
    """Dated after its arrival by more than a clock may be wrong."""


class Ended(StrEnum):
    """Why an alert is recovering or resolved."""

    CLEARED = "cleared"
    """The condition went away."""
    DELIVERED = "delivered"
    DELIVERED_LATE = "delivered_late"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    RETRACTED = "retracted"
    """Late evidence: the condition never was true."""
    NO_TRAFFIC = "no_traffic"


class Window(StrEnum):
    """Which of its two windows an error rate is about."""

    HOUR = "hour"
    DAY = "day"


class Alert(Struct, frozen=True, omit_defaults=True):
    """What people and receivers are told. (`alert_id`, `episode`, `seq`) names one notice for ever.

    A receiver sends what is above the (`episode`, `seq`) it sent last; the rest is for lists and
    dashboards.
    """

    alert_id: Id
    """blake2b-64 of rule and subject, hex; the key of `alert.events`."""
    rev: Count
    rule: Rule
    subject: Scope
    """`order:ID` or `stage:STAGE`."""
    state: State
    severity: Severity
    episode: Count
    seq: Count
    since: Ms
    """When the condition became true: the original deadline, not when we noticed."""
    reported_at: Ms
    value: float
    """Hours for the lead time, minutes for freshness, a share of 1 for an error rate; as of the
    decision.
    """
    threshold: float
    reason: str = ""
    """Why it is so now: an `Age` for freshness, a `Window` for an error rate, an `Ended` from
    recovering on.
    """
    sample: Count = 0
    """Attempts the rate rests on."""
    errors: Count = 0
    orders: tuple[str, ...] = ()
    """Orders behind an error rate; bounded."""
    flapping: bool = False
    data_quality: bool = False
    """True while the source is silent or we lag: the state is kept, not known."""
