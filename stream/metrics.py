"""What operators see: plain numbers on the hot path, one collector that spells them out.

A client call costs 250 to 1,260 ns and an entry of a dict 40 (research/alerting.md D.3). Labels are
closed lists: never an order, a vehicle or a customer. `CATALOGUE` is the whole list of what can be
exported.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector


class Entry(NamedTuple):
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()


MINUTES = (30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 14_400.0)
HOURS = tuple(h * 3_600.0 for h in (1 / 12, 0.5, 1, 2, 4, 8, 12, 24, 36, 48, 60, 72))
INSTANTS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

CATALOGUE: dict[str, Entry] = {
    "pings": Entry("counter", "Pings by what became of them.", ("result",)),
    "order_events": Entry("counter", "Order events by what became of them.", ("result",)),
    "plans": Entry("counter", "Vehicle plans by what became of them.", ("result",)),
    "order_facts": Entry("counter", "Visits and sightings by what became of them.", ("result",)),
    "silences": Entry("counter", "Vehicles that fell silent or were heard again.", ("what",)),
    "visits": Entry(
        "counter",
        "Visits told, by what was said: a corrected one is instead of another.",
        ("what",),
    ),
    "source_pings": Entry(
        "counter",
        "Pings by their source, if it has declared itself, and by what became of them.",
        ("source", "result"),
    ),
    "ping_gaps": Entry(
        "counter", "Gaps in what a source sends, by how they were noticed.", ("source", "by")
    ),
    "pings_missing": Entry("counter", "Pings missing in those gaps.", ("source",)),
    "pings_missing_came": Entry("counter", "Of those, the ones that came later.", ("source",)),
    "signals": Entry("counter", "Alert signals by what became of them.", ("result",)),
    "order_outcomes": Entry("counter", "Attempts at a stage that ended.", ("stage", "outcome")),
    "facts": Entry("counter", "Facts the cores made.", ("role", "fact")),
    "rejected": Entry("counter", "Input that was not taken, by reason.", ("role", "reason")),
    "forwarded": Entry(
        "counter", "Messages handed to the partition that owns their key.", ("role",)
    ),
    "ping_ingest_delay_seconds": Entry(
        "histogram", "GPS fix to the broker, newest ping of each batch.", (), MINUTES
    ),
    "order_lead_time_seconds": Entry("histogram", "Received to signed.", (), HOURS),
    "orders": Entry("gauge", "Open orders by age of what is known: fresh, or why not.", ("age",)),
    "freshness_active_order_seconds": Entry(
        "counter", "Open order-seconds with a freshness promise."
    ),
    "freshness_stale_order_seconds": Entry("counter", "Of those, the ones older than the promise."),
    "alerts": Entry("gauge", "Alerts by state.", ("rule", "state")),
    "alert_transitions": Entry("counter", "Alert state changes.", ("rule", "to")),
    "keys": Entry("gauge", "Vehicles, orders or alert scopes in memory.", ("role",)),
    "partitions": Entry("gauge", "Partitions owned and loaded.", ("role",)),
    "partitions_expected": Entry("gauge", "Partitions there are, whoever owns them.", ("role",)),
    "consumer_lag_records": Entry("gauge", "Records not yet taken in.", ("topic", "partition")),
    "consumer_lag_seconds": Entry(
        "gauge", "Age of the oldest of them; 0 when caught up.", ("role", "partition")
    ),
    "checkpoints": Entry("counter", "Transactions by result.", ("role", "result")),
    "checkpoint_seconds": Entry("histogram", "Duration of a transaction.", ("role",), INSTANTS),
    "checkpoint_held": Entry("gauge", "Outputs and states not yet committed.", ("role",)),
    "assignments": Entry("counter", "Times partitions were assigned.", ("role",)),
    "timers_pending": Entry("gauge", "Deadlines waiting.", ("role",)),
    "timers_fired": Entry("counter", "Deadlines that ran.", ("role",)),
    "redis_up": Entry("gauge", "1 while Redis answers."),
    "redis_waiting": Entry("gauge", "Keys not yet written to Redis.", ("role",)),
    "redis_fenced": Entry("counter", "Writes refused for a newer owner's.", ("role",)),
    "redis_refills": Entry(
        "counter", "Times a partition's answers were compared and completed.", ("role",)
    ),
    "engine_heartbeat_timestamp_seconds": Entry("gauge", "When the engine last turned.", ("role",)),
    "feed_up": Entry("gauge", "1 while push hears of every change."),
    "feed_entries": Entry("counter", "Changes read from Redis.", ("what",)),
    "feed_behind_seconds": Entry("gauge", "Age of the newest change when it was read."),
    "feed_gaps": Entry("counter", "Times changes were missed, and everything shown read anew."),
    "websocket_clients": Entry("gauge", "Connected clients.", ("client",)),
    "websocket_topics": Entry("gauge", "Topics somebody subscribes to."),
    "websocket_frames": Entry("counter", "Frames for clients.", ("op",)),
    "websocket_bytes": Entry("counter", "Bytes written to clients."),
    "websocket_conflated": Entry("counter", "Frames a slow client got newer ones in place of."),
    "websocket_buffered_bytes": Entry("gauge", "Bytes that wait for slow clients."),
    "websocket_refused": Entry("counter", "Requests answered with an error.", ("code",)),
    "websocket_closed": Entry("counter", "Connections we closed, by close code.", ("code",)),
    "websocket_push_age_seconds": Entry(
        "histogram", "Record at the broker to its frame, by what it told.", ("what",), INSTANTS
    ),
}

Labels = tuple[str, ...]


class Cells(Collector):
    """The counters of one worker process. Gauges are asked for when scraped."""

    def __init__(self, prefix: str = "milepost_") -> None:
        self._prefix = prefix
        self._counts: dict[str, dict[Labels, float]] = defaultdict(lambda: defaultdict(float))
        self._histograms: dict[str, dict[Labels, list[float]]] = defaultdict(dict)
        self._gauges: dict[str, Callable[[], Iterable[tuple[str, Labels, float]]]] = {}
        self._zeros: set[tuple[str, Labels]] = set()
        self._redis_up: float | None = None

    def declare(self, name: str, *labels: str) -> None:
        """Export this one from now on, at 0 until it is counted."""
        kind = CATALOGUE[name].kind
        if kind == "counter":
            self._counts[name][labels] += 0
        elif kind == "gauge":
            self._zeros.add((name, labels))
        else:
            self._cells_of(name, labels)

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        self._counts[name][labels] += by

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Histogram cells: one per bucket, the overflow, then the sum."""
        cells = self._cells_of(name, labels)
        cells[bisect_left(CATALOGUE[name].edges, value)] += 1
        cells[-1] += value

    def _cells_of(self, name: str, labels: Labels) -> list[float]:
        cells = self._histograms[name].get(labels)
        if cells is None:
            edges = CATALOGUE[name].edges
            cells = self._histograms[name][labels] = [0.0] * (len(edges) + 2)
        return cells

    def gauge(self, who: str, read: Callable[[], Iterable[tuple[str, Labels, float]]]) -> None:
        """Ask `read` for (name, labels, value) at every scrape, in place of an earlier `who`."""
        self._gauges[who] = read

    def redis(self, *, up: bool) -> None:
        """Export it from now on: who runs without Redis says nothing of it."""
        self._redis_up = float(up)

    def collect(self) -> Iterator[Metric]:
        read: dict[str, dict[Labels, float]] = defaultdict(lambda: defaultdict(float))
        if self._redis_up is not None:
            read["redis_up"][()] = self._redis_up
        for name, labels in self._zeros:
            read[name][labels] = 0.0
        for gauge in self._gauges.values():
            for name, labels, value in gauge():
                read[name][labels] += value
        for name, entry in CATALOGUE.items():
            if entry.kind == "counter":
                yield self._counter(name, entry)
            elif entry.kind == "gauge":
                yield self._gauge(name, entry, read[name])
            else:
                yield self._histogram(name, entry)

    def _counter(self, name: str, entry: Entry) -> Metric:
        family = CounterMetricFamily(self._prefix + name, entry.help, labels=entry.labels)
        for labels, value in sorted(self._counts[name].items()):
            family.add_metric(labels, value)
        return family

    def _gauge(self, name: str, entry: Entry, values: dict[Labels, float]) -> Metric:
        family = GaugeMetricFamily(self._prefix + name, entry.help, labels=entry.labels)
        for labels, value in sorted(values.items()):
            family.add_metric(labels, value)
        return family

    def _histogram(self, name: str, entry: Entry) -> Metric:
        family = HistogramMetricFamily(self._prefix + name, entry.help, labels=entry.labels)
        for labels, cells in sorted(self._histograms[name].items()):
            total, buckets = 0.0, []
            for edge, value in zip((*map(str, entry.edges), "+Inf"), cells, strict=False):
                total += value
                buckets.append((edge, total))
            family.add_metric(labels, buckets, cells[-1])
        return family
