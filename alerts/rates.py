"""How many of a stage's attempts go wrong: counts in event time, and when they are too many.

How this works. A `Ring` counts attempts per bucket of event time and covers a whole number of
buckets up to now, so an hour of 60 buckets is the last 59 to 60 minutes. A late attempt goes to its
own bucket; one older than the ring is not counted. Two rings: 60 x 1 min, and 24 x 1 h for stages
too slow for an hour to say anything.

A share above 8 % alone would fire on 1 of 1, so a small sample must also be sure: at least three
errors, and the Wilson lower bound above the limit, with a z that tapers from 1.645 at 20 attempts
to 0 at 100. From 100 on the rule is the literal one; because of the taper the errors needed never
fall as the sample grows (research/alerting.md B.3, B.4).
"""

from __future__ import annotations

from enum import Enum, auto
from math import sqrt

from msgspec import Struct

from alerts.rules import HOUR_MS, MINUTE_MS, RateRule


class Ring(Struct, frozen=True, array_like=True, gc=False):
    """Bucket number b (ts // width_ms) lies at index b % len(counts); `head` is the newest
    bucket.
    """

    width_ms: int
    head: int
    counts: tuple[int, ...]
    errors: tuple[int, ...]
    total: int = 0
    bad: int = 0


def hour_ring(at: int) -> Ring:
    return _empty(MINUTE_MS, 60, at)


def day_ring(at: int) -> Ring:
    return _empty(HOUR_MS, 24, at)


def turned(ring: Ring, at: int) -> Ring:
    """The ring as of `at`, its old buckets dropped; a time before its head changes nothing."""
    head = at // ring.width_ms
    if head <= ring.head:
        return ring
    size = len(ring.counts)
    if ring.total == 0 or head - ring.head >= size:
        return Ring(ring.width_ms, head, (0,) * size, (0,) * size)
    counts, errors = list(ring.counts), list(ring.errors)
    for bucket in range(ring.head + 1, head + 1):
        counts[bucket % size] = errors[bucket % size] = 0
    return Ring(ring.width_ms, head, tuple(counts), tuple(errors), sum(counts), sum(errors))


def counted(ring: Ring, ts: int, ok: bool) -> Ring | None:
    """With one attempt more; None if it is older than the ring. A time ahead of the head counts as
    the head's.
    """
    bucket = min(ts // ring.width_ms, ring.head)
    size = len(ring.counts)
    if bucket <= ring.head - size:
        return None
    i = bucket % size
    counts = (*ring.counts[:i], ring.counts[i] + 1, *ring.counts[i + 1 :])
    if ok:
        return Ring(ring.width_ms, ring.head, counts, ring.errors, ring.total + 1, ring.bad)
    errors = (*ring.errors[:i], ring.errors[i] + 1, *ring.errors[i + 1 :])
    return Ring(ring.width_ms, ring.head, counts, errors, ring.total + 1, ring.bad + 1)


def start(ring: Ring) -> int:
    """The earliest time it covers."""
    return (ring.head - len(ring.counts) + 1) * ring.width_ms


def turns_at(ring: Ring) -> int | None:
    """When its oldest bucket drops out; None while it is empty."""
    return (ring.head + 1) * ring.width_ms if ring.total else None


class Verdict(Enum):
    """What one window says."""

    NOTHING = auto()
    """No attempt: neither bad nor good."""
    BAD = auto()
    BETWEEN = auto()
    GOOD = auto()


def verdict(ring: Ring, rule: RateRule) -> Verdict:
    if ring.total == 0:
        return Verdict.NOTHING
    if too_many(ring.bad, ring.total, rule):
        return Verdict.BAD
    return Verdict.GOOD if ring.bad / ring.total < rule.clear else Verdict.BETWEEN


def too_many(errors: int, attempts: int, rule: RateRule) -> bool:
    """Is the share of errors above the limit, and surely so?"""
    if errors < rule.errors or errors / attempts <= rule.enter:
        return False
    return wilson_low(errors, attempts, tapered_z(attempts, rule)) > rule.enter


def tapered_z(attempts: int, rule: RateRule) -> float:
    share = (rule.taper_to - attempts) / (rule.taper_to - rule.taper_from)
    return rule.z * min(max(share, 0.0), 1.0)


def wilson_low(errors: int, attempts: int, z: float) -> float:
    """Lower end of the Wilson score interval (E. B. Wilson, 1927) of errors / attempts."""
    p = errors / attempts
    z2n = z * z / attempts
    return (p + z2n / 2 - z * sqrt((p * (1 - p) + z2n / 4) / attempts)) / (1 + z2n)


def _empty(width_ms: int, size: int, at: int) -> Ring:
    return Ring(width_ms, at // width_ms, (0,) * size, (0,) * size)
