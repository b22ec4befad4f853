"""The life of a partition, top to bottom: assigned, loaded, stepping, checkpointed, revoked.

Faust brings lists of records and tells of rebalances; `Partition` steps them; `Store` commits what
came of it as one Kafka transaction; `RedisSink` shows it. The rule behind all of it: memory is
either exactly what the last committed checkpoint plus the input since then makes it, or it is
thrown away. So any failure to commit ends in `_lose`: the partition is forgotten and the consumer
group asked for a new assignment, which loads it again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from stream.bulk import BulkApp
from stream.clock import wall_ms
from stream.config import Clock, Settings
from stream.metrics import Cells
from stream.owned import Owned
from stream.partition import Partition
from stream.role import Live, Role, counted
from stream.sink import DRAIN_S, RedisSink
from stream.store import Store
from stream.tasks import end_all

log = logging.getLogger(__name__)

TICK_S = 0.05
MAX_HELD = 50_000
"""Outputs and changed states a partition may collect; more waits for the checkpoint (bounded
memory)."""
COMMIT_OFFSETS_S = 1.0
RELEASE_LIMIT_S = 8.0
REJOIN_PAUSE_S = (1.0, 2.0, 5.0, 10.0, 30.0)
LATE_MS = 30_000
"""Input lag from which deadlines of roles that may run late no longer wait for the input."""


class Engine:
    """Runs one role's partitions inside one Faust app."""

    def __init__(
        self, role: Role, settings: Settings, partitions: int, cells: Cells, app: BulkApp
    ) -> None:
        self.role = role
        self._settings = settings
        self._partitions = partitions
        self._cells = cells
        self._app = app
        self._sink = (
            RedisSink(settings.redis, role.name, role.shows, cells) if settings.redis else None
        )
        self._owned: dict[int, Owned] = {}
        self._assigned = asyncio.Event()
        self._base = {settings.topic(name): name for name in role.inputs}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing: set[asyncio.Task[Any]] = set()
        self._rejoining = False
        self._losses: Counter[int] = Counter()
        """Partition number to how often it was lost since it last saved anything."""
        self._committing_offsets = False
        self.turned_at = time.time()
        cells.gauge(role.name, self._gauges)
        for cell in counted(role):
            cells.declare(*cell)

    # Assigned: fence the last owner, load what it committed.

    async def on_assigned(self, topic_partitions: Iterable[Any]) -> None:
        """Take over the partitions of a new assignment; loading goes on in the background."""
        numbers = self._whole(topic_partitions)
        self._cells.count("assignments", self.role.name)
        self._rejoining = False
        for number in numbers:
            partition = Partition(self.role, number, self._partitions, self._cells)
            owned = self._owned[number] = Owned(partition, Store(self.role, number, self._settings))
            owned.loading = self._spawn(self._load(owned))
        self._assigned.set()

    def _whole(self, topic_partitions: Iterable[Any]) -> set[int]:
        """The partition numbers assigned; all inputs of a number must come together."""
        ours = [tp for tp in topic_partitions if tp.topic in self._base]
        numbers = {tp.partition for tp in ours}
        if len(ours) != len(numbers) * len(self._base):
            raise RuntimeError(
                f"{self.role.name}: {sorted(map(str, ours))} were assigned apart; every topic must "
                "have the same number of partitions (`milepost topics check` says which has not)"
            )
        return numbers

    async def _load(self, owned: Owned) -> None:
        partition = owned.partition
        try:
            states, marker = await owned.store.open()
            partition.begin(states, marker, wall_ms())
            # The epoch is Kafka's before Redis, or the next owner, can hear of it.
            await self._commit(owned)
        except Exception as failed:
            owned.loaded.set_result(False)
            self._lose(owned, failed)
            return
        if self._settings.clock is Clock.EVENT:
            partition.follow_events()
        log.info("%s-%d loaded: %d states", self.role.name, partition.number, len(partition.states))
        if self._sink is not None and owned.alive:
            self._sink.own(partition)
        owned.loaded.set_result(owned.alive)

    # Stepping: lists of records in, as long as the partition is ours.

    async def consume(self, stream: AsyncIterator[Any]) -> None:
        """The body of the Faust agent."""
        async for event in stream:
            message = event.message
            await self._assigned.wait()
            owned = self._owned.get(message.partition)
            if owned is None or not await asyncio.shield(owned.loaded) or not owned.alive:
                continue
            if message.generation_id == self._app.consumer_generation_id:
                owned.give(self._base[message.topic], event.value)
                self._step(owned)
                await self._relieve(owned)
            # Else it waited in a queue while the group rebalanced: its owner reads it again.

    def _step(self, owned: Owned) -> None:
        """Take in the records whose turn it is."""
        partition, wall = owned.partition, wall_ms()
        try:
            if partition.clock is not None:
                partition.clock.settle(wall)
            for topic, records in owned.ready(self._app, wall):
                partition.take_in(topic, records)
        except Exception as failed:
            # Not by a message, those are dead letters: half a list is in memory.
            self._lose(owned, failed)
            return
        if self._sink is None:
            partition.rows.clear()
        elif partition.rows:
            self._sink.moved()

    async def _relieve(self, owned: Owned) -> None:
        """Let nothing more in before what the partition holds is saved, if that is much."""
        if owned.partition.held >= MAX_HELD:
            await self._checkpoint(owned)
            await self._checkpoint(owned)  # The first may have been one already under way.

    # Time: deadlines and checkpoints, many times a second.

    async def turn(self) -> None:
        """The engine's clockwork; runs until cancelled."""
        offsets_at = before = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            self.turned_at = time.time()
            now = time.monotonic()
            for owned in [o for o in self._owned.values() if o.running]:
                self._step(owned)
                self._wake(owned)
                if now - owned.saved_at >= self.role.interval_s and owned.saving is None:
                    owned.saving = self._spawn(self._save(owned))
                self.role.tick(owned.partition.census, now - before, self._cells)
            before = now
            if now - offsets_at >= COMMIT_OFFSETS_S and not self._committing_offsets:
                offsets_at = now
                self._spawn(self._commit_offsets(list(self._owned.values())))

    def _wake(self, owned: Owned) -> None:
        partition, wall = owned.partition, wall_ms()
        if partition.clock is not None:
            partition.clock.settle(wall)
            partition.wake(partition.clock.now)
            return
        read = owned.read_until(self._app, wall)
        lag = max(0, wall - (read or owned.since_ms))
        partition.live = Live(lag, partition.newest, partition.census)
        settled = wall - owned.since_ms > LATE_MS
        late = self.role.wakes_when_late and lag > LATE_MS and settled
        partition.wake(wall if late else read)

    # Checkpointed: outputs, states and offsets in one transaction, then Redis and the group's
    # offsets.

    async def _checkpoint(self, owned: Owned) -> None:
        """Save what is there now, after whatever is being saved already."""
        if owned.saving is None:
            owned.saving = self._spawn(self._save(owned))
        await asyncio.shield(owned.saving)

    async def _save(self, owned: Owned) -> None:
        owned.saved_at = time.monotonic()
        owned.in_flight = owned.partition.held
        try:
            if await self._commit(owned):
                self._losses.pop(owned.partition.number, None)
        except Exception as failed:
            self._cells.count("checkpoints", self.role.name, "failed")
            self._lose(owned, failed)
        finally:
            owned.saving, owned.in_flight = None, 0

    async def _commit(self, owned: Owned) -> bool:
        """One transaction with all that has come together, if we still own it; False if nothing
        had."""
        checkpoint = owned.partition.take() if owned.alive else None
        if checkpoint is None:
            return False
        started = time.monotonic()
        await owned.store.commit(checkpoint)
        owned.offsets = checkpoint.marker.offsets
        self._cells.count("checkpoints", self.role.name, "committed")
        self._cells.observe("checkpoint_seconds", time.monotonic() - started, self.role.name)
        if self._sink is not None and owned.alive:
            self._sink.committed(owned.partition.number, checkpoint.shown, checkpoint.marker.rev)
        return True

    async def _commit_offsets(self, several: Iterable[Owned]) -> None:
        """Tell the group how far we are: a start position and food for lag tools, nothing depends
        on it."""
        offsets = {
            TopicPartition(self._settings.topic(topic), owned.partition.number): OffsetAndMetadata(
                offset, ""
            )
            for owned in several
            for topic, offset in owned.offsets.items()
            if owned.running
        }
        if not offsets or self._app.rebalancing:
            return
        self._committing_offsets = True
        try:
            await asyncio.wait_for(self._app.commit_offsets(offsets), RELEASE_LIMIT_S)
        except (KafkaError, TimeoutError, RuntimeError) as failed:
            log.info("%s: group offsets wait for the next try: %r", self.role.name, failed)
        finally:
            self._committing_offsets = False

    # Revoked, or lost.

    async def release(self) -> None:
        """Before partitions are given away or the worker ends: checkpoint, tell the group, let
        go."""
        self._assigned.clear()
        # Now, while nothing flows: records of the next assignment may come before `on_assigned`.
        self._app.forget_handed()
        several, self._owned = list(self._owned.values()), {}
        await end_all([owned.loading for owned in several if owned.loading is not None])
        for owned in several:
            if not owned.loaded.done():
                owned.loaded.set_result(False)
        try:
            async with asyncio.timeout(RELEASE_LIMIT_S):
                await asyncio.gather(*(self._finish(owned) for owned in several))
        except TimeoutError:
            log.warning(
                "%s: not all partitions were saved in time; their new owners repeat the rest",
                self.role.name,
            )
        await self._commit_offsets(several)
        if self._sink is not None:
            await self._sink.drain(DRAIN_S)
        for owned in several:
            owned.alive = False
            self._forget(owned)

    async def _finish(self, owned: Owned) -> None:
        if not owned.running:
            return
        if owned.saving is not None:
            await asyncio.shield(owned.saving)
        if owned.alive:
            await self._checkpoint(owned)

    def _lose(self, owned: Owned, why: Exception) -> None:
        """Throw the partition's memory away; if it is still ours, the next assignment loads it
        again."""
        if not owned.alive:
            return
        log.warning("%s-%d: lost (%r)", self.role.name, owned.partition.number, why)
        owned.alive = False
        self._forget(owned)
        if not self._rejoining:
            self._rejoining = True
            self._spawn(self._rejoin(owned.partition.number))

    async def _rejoin(self, number: int) -> None:
        """Soon after a first loss, later when the same happens again and again."""
        pause = REJOIN_PAUSE_S[min(self._losses[number], len(REJOIN_PAUSE_S) - 1)]
        self._losses[number] += 1
        await asyncio.sleep(pause)
        if self._rejoining and not self._app.should_stop:
            self._app.rejoin()

    def _forget(self, owned: Owned) -> None:
        number = owned.partition.number
        if self._sink is not None:
            self._sink.disown(number)
        closing = self._spawn(self._close(owned))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _close(self, owned: Owned) -> None:
        try:
            await asyncio.wait_for(owned.store.close(), RELEASE_LIMIT_S)
        except (KafkaError, TimeoutError) as failed:
            log.info(
                "%s-%d: producer ended with %r", self.role.name, owned.partition.number, failed
            )

    # Begin and end of the process.

    async def start(self) -> None:
        """Begin to turn; a failure of the clockwork itself ends the app, which starts anew."""
        self._spawn(self.turn()).add_done_callback(self._end_app)
        if self._sink is not None:
            self._spawn(self._sink.run()).add_done_callback(self._end_app)

    async def stop(self) -> None:
        """After `release`: end what runs in the background."""
        await asyncio.gather(*self._closing, return_exceptions=True)
        await end_all(list(self._tasks))
        if self._sink is not None:
            await self._sink.close()

    def _end_app(self, turning: asyncio.Task[Any]) -> None:
        if not turning.cancelled() and (wrong := turning.exception()) is not None:
            self._spawn(self._app.crash(wrong))

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_tell)
        return task

    # What others may ask.

    @property
    def ready(self) -> bool:
        """Owning, loaded, and committing what it takes in."""
        several = list(self._owned.values())
        fresh = time.monotonic() - 30.0
        return self._assigned.is_set() and all(o.running and o.saved_at > fresh for o in several)

    def _gauges(self) -> Iterable[tuple[str, tuple[str, ...], float]]:
        name, several = self.role.name, [o for o in self._owned.values() if o.running]
        yield "partitions", (name,), len(several)
        yield "partitions_expected", (name,), self._partitions
        yield "keys", (name,), sum(len(o.partition.states) for o in several)
        yield "timers_pending", (name,), sum(len(o.partition.timers) for o in several)
        yield "checkpoint_held", (name,), sum(o.partition.held + o.in_flight for o in several)
        yield "engine_heartbeat_timestamp_seconds", (name,), self.turned_at
        yield "redis_waiting", (name,), self._sink.waiting if self._sink is not None else 0
        for owned in several:
            number = owned.partition.number
            yield "consumer_lag_seconds", (name, str(number)), owned.partition.live.lag_ms / 1000
            for topic in self.role.inputs:
                position, end = self._app.position(topic, number)
                yield "consumer_lag_records", (topic, str(number)), max(0, (end or 0) - position)
            for group, count in owned.partition.census.items():
                yield group[0], group[1:], count


def _tell(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (wrong := task.exception()) is not None:
        log.error("a task of the engine failed", exc_info=wrong)
