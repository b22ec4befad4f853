"""Which metrics and labels a PromQL expression names: enough of a reading to hold it against the
catalogue. That it parses is promtool's to say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from stream.metrics import CATALOGUE, Entry
from tests.deploy.programs import record_rules

TARGET = {"job", "instance"}
"""What Prometheus itself puts on every series it scrapes."""

OTHERS = {
    "up": TARGET,
    "ALERTS": {"alertname", "alertstate", "severity", "department", "role", "stage", *TARGET},
    "process_cpu_seconds_total": TARGET,
    "process_resident_memory_bytes": TARGET,
}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}

_SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^}]*)\})?")
_WORDS = {"sum", "min", "max", "count", "rate", "increase", "delta", "by", "and", "or", "unless",
          "absent", "time", "clamp", "sqrt", "vector", "offset", "histogram_quantile",
          "avg_over_time"}  # fmt: skip


class Selector(NamedTuple):
    metric: str
    matched: frozenset[str]
    """Labels that its matchers name."""


def selectors(expression: str) -> Iterator[Selector]:
    plain = re.sub(r"\bby \([^)]*\)|\[[^\]]*\]|\b\d+[smhd]\b", " ", expression)
    for name, matchers in _SELECTOR.findall(plain):
        if name not in _WORDS:
            yield Selector(name, frozenset(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)))


def grouped(expression: str) -> set[str]:
    """Labels that its aggregations keep."""
    kept = re.findall(r"\bby \(([^)]*)\)", expression)
    return {label.strip() for labels in kept for label in labels.split(",")}


def labels_of(metric: str) -> set[str]:
    """The labels its series have. Fails for one that nobody exports or records."""
    if metric in OTHERS:
        return OTHERS[metric]
    recorded = [rule for rule in record_rules() if rule["record"] == metric]
    if recorded:
        return grouped(recorded[0]["expr"]) | set(recorded[0].get("labels", ())) | (
            {label for part in selectors(recorded[0]["expr"]) if ":" in part.metric
             for label in labels_of(part.metric)}
        )  # fmt: skip
    entry = entry_of(metric)
    buckets = {"le"} if metric.endswith("_bucket") else set()
    return {*entry.labels, *TARGET, *buckets}


def entry_of(metric: str) -> Entry:
    for name, entry in CATALOGUE.items():
        if metric in {f"milepost_{name}{suffix}" for suffix in SUFFIXES[entry.kind]}:
            return entry
    raise AssertionError(f"{metric} is in no catalogue and nobody records it")


def wrong(expression: str) -> list[str]:
    """What is wrong with the names in it."""
    found = []
    known: set[str] = set()
    for metric, matched in selectors(expression):
        try:
            labels = labels_of(metric)
        except AssertionError as unknown:
            found.append(str(unknown))
            continue
        known |= labels
        found += [f"{metric} has no label {label}" for label in matched - labels]
    found += [f"by ({label}): no metric there has it" for label in grouped(expression) - known]
    return found + [f"{name} is a counter, ask for its rate" for name in bare(expression)]


def bare(expression: str) -> Iterator[str]:
    """Counters and buckets not inside rate() or increase()."""
    inside = re.sub(r"\b(?:rate|increase)\([^()]*\[[^\]]*\]\)", " ", expression)
    for metric, _ in selectors(inside):
        if metric.endswith(("_total", "_bucket")):
            yield metric
