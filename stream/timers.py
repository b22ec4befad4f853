"""One deadline per key: a wheel of one-second buckets, cancelled lazily.

A key is put into a bucket once and stays there while its deadline moves later: when the bucket
comes due the key is handed out and the caller, who asks the state for its real deadline, arms it
again. A vehicle that pings every second so costs one timer operation per deadline instead of one
per ping (research/alerting.md C.1, C.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

BUCKET_MS = 1_000
NEVER = 1 << 62


class Timers:
    """Which keys are to be looked at, and when. Holds each key at most once."""

    def __init__(self) -> None:
        self.armed: dict[str, int] = {}
        """Key to the time it is armed for; `arm` changes nothing for a time at or after that."""
        self._buckets: dict[int, list[str]] = {}
        self._order: list[int] = []
        self.earliest: int = NEVER
        """No key is due before this, in ms; exact only up to the bucket."""

    def __len__(self) -> int:
        return len(self.armed)

    def arm(self, key: str, at: int) -> None:
        """Look at `key` at `at` (ms), or earlier if it is armed for earlier already."""
        held = self.armed.get(key)
        if held is not None and held <= at:
            return
        self.armed[key] = at
        bucket = at // BUCKET_MS
        keys = self._buckets.get(bucket)
        if keys is None:
            keys = self._buckets[bucket] = []
            heappush(self._order, bucket)
        keys.append(key)
        self.earliest = min(self.earliest, at)

    def due(self, now: int, limit: int) -> Iterator[str]:
        """Take out at most `limit` keys whose time has come. A key armed while this runs waits for
        the next call."""
        if now < self.earliest:
            return  # Many times a second: looking through the first bucket each time would show.
        taken = 0
        while self._order and self._order[0] * BUCKET_MS <= now and taken < limit:
            bucket = heappop(self._order)
            later: list[str] = []
            for key in self._buckets.pop(bucket):
                at = self.armed.get(key)
                if at is None or at // BUCKET_MS != bucket:
                    continue
                if at > now or taken >= limit:
                    later.append(key)
                    continue
                del self.armed[key]
                taken += 1
                yield key
            if later:
                self._put_back(bucket, later)
                break
        self.earliest = self._next()

    def _put_back(self, bucket: int, keys: list[str]) -> None:
        known = self._buckets.get(bucket)
        if known is None:
            self._buckets[bucket] = keys
            heappush(self._order, bucket)
        else:
            known.extend(keys)

    def _next(self) -> int:
        """The earliest deadline; drops buckets whose keys have all been armed for other times."""
        while self._order:
            bucket = self._order[0]
            armed = (self.armed.get(key, NEVER) for key in self._buckets[bucket])
            here = [at for at in armed if at // BUCKET_MS == bucket]
            if here:
                return min(here)
            del self._buckets[heappop(self._order)]
        return NEVER
