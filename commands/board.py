"""What the demo's terminal view knows, from the worker's metrics and the feeds in Redis. Pure,
bounded.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from alerts.model import Alert, Rule, State
from orders.model import Milestone, OrderStatus, Stage

ORDERS_KEPT = 20_000
ALERTS_KEPT = 5_000
MILESTONES_KEPT = 50

ENDED = frozenset({Stage.SIGNED, Stage.CANCELLED, Stage.RETURNED})
OVER = frozenset({State.INACTIVE, State.RESOLVED})

STATE_RANK = (State.FIRING, State.PENDING, State.RECOVERING)
RULE_RANK = (Rule.ERROR_RATE, Rule.LEAD_TIME, Rule.FRESHNESS)

Sample = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parse_metrics(text: str) -> Sample:
    """Prometheus text as (name without `_total`, labels) → value."""
    return {
        (s.name.removesuffix("_total"), frozenset(s.labels.items())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def total(sample: Sample, name: str, **labels: str) -> float:
    """The sum of a metric's cells that have these labels."""
    wanted = labels.items()
    return sum(v for (n, has), v in sample.items() if n == name and wanted <= set(has))


@dataclass
class Rates:
    """Per second, between the last two samples."""

    pings: float = 0.0
    events: float = 0.0
    statuses: float = 0.0
    checkpoints: float = 0.0


@dataclass
class Board:
    """Everything the view shows. `note_*` take in what came; nothing grows without bound."""

    milestones: deque[tuple[str, Milestone]] = field(
        default_factory=lambda: deque(maxlen=MILESTONES_KEPT)
    )
    orders: OrderedDict[str, OrderStatus] = field(default_factory=OrderedDict)
    """Open orders, the least recently changed first."""
    alerts: OrderedDict[str, Alert] = field(default_factory=OrderedDict)
    """Alerts that are not over."""
    sample: Sample = field(default_factory=dict)
    sampled_at: float = 0.0
    rates: Rates = field(default_factory=Rates)
    trouble: dict[str, str] = field(default_factory=dict)
    """What does not answer just now: name → why."""

    def note_status(self, status: OrderStatus) -> None:
        """A status from the feed. An older `rev` than the one known says nothing new."""
        before = self.orders.get(status.order_id)
        if before and before.rev >= status.rev:
            return
        for milestone in _new_milestones(before, status):
            self.milestones.append((status.order_id, milestone))
        self.orders.pop(status.order_id, None)
        if status.stage not in ENDED:
            self.orders[status.order_id] = status
            if len(self.orders) > ORDERS_KEPT:
                self.orders.popitem(last=False)

    def note_alert(self, alert: Alert) -> None:
        before = self.alerts.get(alert.alert_id)
        if before and before.rev >= alert.rev:
            return
        self.alerts.pop(alert.alert_id, None)
        if alert.state not in OVER:
            self.alerts[alert.alert_id] = alert
            if len(self.alerts) > ALERTS_KEPT:
                self.alerts.popitem(last=False)

    def note_metrics(self, sample: Sample, at_s: float) -> None:
        """A scrape at `at_s` of a clock that only goes forward."""
        if self.sample and at_s > self.sampled_at:
            span_s = at_s - self.sampled_at

            def rate(name: str, **labels: str) -> float:
                gone = total(sample, name, **labels) - total(self.sample, name, **labels)
                return max(0.0, gone / span_s)

            self.rates = Rates(
                pings=rate("milepost_pings"),
                events=rate("milepost_order_events"),
                statuses=rate("milepost_facts", fact="orderstatus"),
                checkpoints=rate("milepost_checkpoints"),
            )
        self.sample, self.sampled_at = sample, at_s

    def fresh_share(self) -> float | None:
        """Share of the orders in transit whose status is fresh; None while there are none."""
        ages = [s.age for s in self.orders.values() if s.stage is Stage.IN_TRANSIT]
        return sum(age == "fresh" for age in ages) / len(ages) if ages else None

    def oldest(self, count: int) -> list[OrderStatus]:
        """The open orders received first."""
        known = [s for s in self.orders.values() if s.received_at is not None]
        return sorted(known, key=lambda s: s.received_at or 0)[:count]

    def firing(self) -> list[Alert]:
        """Open alerts: firing ones first, of a stage before those of single orders, then by age."""

        def rank(alert: Alert) -> tuple[int, int, int]:
            return STATE_RANK.index(alert.state), RULE_RANK.index(alert.rule), alert.since

        return sorted(self.alerts.values(), key=rank)


def _new_milestones(before: OrderStatus | None, status: OrderStatus) -> Iterable[Milestone]:
    """Those not shown yet; of an order seen for the first time only its newest."""
    if before is None:
        return status.milestones[-1:]
    last = max((m.sequence for m in before.milestones), default=0)
    return [m for m in status.milestones if m.sequence > last]
