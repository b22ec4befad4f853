"""The inputs of a partition in one order: that in which the broker received their records.

A plan and the pings it is for are on two topics. Read one after the other, a backlog of pings would
pass before the plan that names their stop, or after the one that takes it away, and the visit would
be lost; after a crash the same records would come in another order than before it. So a record
waits until every other input has been read up to its time. An input that has been read to its end
holds nobody up, which is the ordinary case.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter

from geo.model import Ms
from stream.bulk import Record

NO_LIMIT = 1 << 62

_received = attrgetter("timestamp")


class Merge:
    """Lists of records waiting for their turn; of one topic they stay in the order they came."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._waiting: dict[str, deque[Sequence[Record]]] = {topic: deque() for topic in topics}
        self.size = 0
        """Records waiting."""

    def add(self, topic: str, records: Sequence[Record]) -> None:
        self._waiting[topic].append(records)
        self.size += len(records)

    def holds(self, topic: str) -> bool:
        return bool(self._waiting[topic])

    def ready(self, read_until: Mapping[str, Ms]) -> Iterator[tuple[str, Sequence[Record]]]:
        """Take out what may be stepped; `read_until`: the time up to which all of a topic came in.

        At equal times the topic named first goes first. A record whose time is before that of one
        already taken (no append time on its topic) is taken as it comes.
        """
        while self.size:
            heads = {t: lists[0][0].timestamp for t, lists in self._waiting.items() if lists}
            topic = min(heads, key=heads.__getitem__)
            records = self._waiting[topic][0]
            count = bisect_right(records, self._limit(topic, heads, read_until), key=_received)
            if not count:
                return
            if count < len(records):
                self._waiting[topic][0] = records[count:]
            else:
                self._waiting[topic].popleft()
            self.size -= count
            yield topic, records[:count]

    def _limit(self, topic: str, heads: Mapping[str, Ms], read_until: Mapping[str, Ms]) -> Ms:
        """The last time of a record of `topic` before which no other topic has a turn."""
        limit, first = NO_LIMIT, True
        for other in self._waiting:
            if other == topic:
                first = False
            elif other in heads:
                limit = min(limit, heads[other] - first)
            else:
                limit = min(limit, read_until[other])
        return limit
