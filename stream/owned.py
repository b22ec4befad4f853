"""A partition this process owns: its memory, its checkpoints, and how far its inputs are read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from geo.model import Ms
from stream.bulk import BulkApp, Record
from stream.clock import wall_ms
from stream.merge import Merge
from stream.partition import Partition
from stream.store import Store

MAX_WAITING = 50_000
"""Records that may wait for a slower input; more go as they came (bounded memory)."""


class Owned:
    """What the engine keeps of a partition from its assignment until it is given away or lost."""

    def __init__(self, partition: Partition, store: Store) -> None:
        self.partition = partition
        self.store = store
        self.loaded: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """True: it may be stepped. False: it could not be loaded."""
        self.loading: asyncio.Task[None] | None = None
        self.saving: asyncio.Task[None] | None = None
        self.in_flight = 0
        """What the transaction under way holds, counted as `Partition.held`."""
        self.alive = True
        self.saved_at = time.monotonic()
        self.since_ms = wall_ms()
        self.offsets: dict[str, int] = {}
        """Input topic to next offset, as of the last committed checkpoint."""
        self._merge = Merge(partition.role.inputs)
        self._given: dict[str, int] = {}
        self._given_at: dict[str, Ms] = {}
        self._quiet: dict[str, int] = {}

    @property
    def running(self) -> bool:
        return self.alive and self.loaded.done() and self.loaded.result()

    def give(self, topic: str, records: Sequence[Record]) -> None:
        """Records came in; `ready` says when it is their turn."""
        self._given[topic] = records[-1].offset + 1
        self._given_at[topic] = records[-1].timestamp
        self._merge.add(topic, records)

    def ready(self, app: BulkApp, wall: Ms) -> Iterator[tuple[str, Sequence[Record]]]:
        """The records whose turn it is, by topic; see `merge`."""
        overfull = self._merge.size > MAX_WAITING
        until = {
            topic: wall if overfull else self._given_until(app, topic)
            for topic in self.partition.role.inputs
        }
        return self._merge.ready(until)

    def _given_until(self, app: BulkApp, topic: str) -> Ms:
        """The time up to which all of a topic was given to us."""
        if self._is_at_end(app, topic):
            return app.asked_at(topic, self.partition.number)
        return self._given_at.get(topic, 0)

    def read_until(self, app: BulkApp, wall: Ms) -> Ms:
        """The time up to which everything the broker has was stepped, 0 while nothing is known;
        called once a tick."""
        return min(self._stepped_until(app, topic, wall) for topic in self.partition.role.inputs)

    def _stepped_until(self, app: BulkApp, topic: str, wall: Ms) -> Ms:
        stepped = self.partition.appended.get(topic, 0)
        if self._merge.holds(topic) or not self._is_at_end(app, topic):
            self._quiet[topic] = 0
            return stepped
        # Between the consumer's thread and us a record is nowhere for a moment: look twice.
        self._quiet[topic] = self._quiet.get(topic, 0) + 1
        if self._quiet[topic] < 2:
            return stepped
        return min(wall, app.asked_at(topic, self.partition.number))

    def _is_at_end(self, app: BulkApp, topic: str) -> bool:
        """All that the broker had at the last fetch was given to us."""
        position, end = app.position(topic, self.partition.number)
        handed = app.handed(topic, self.partition.number)
        return end is not None and position >= end and handed <= self._given.get(topic, 0)
