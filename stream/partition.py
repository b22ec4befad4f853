"""One slice of a role's keys: their states, and what the next checkpoint will hold. No I/O.

Records come in as lists (`take_in`), deadlines as a time (`wake`); what they produce is collected
until `take` hands it over as one `Checkpoint`, which the engine writes as one Kafka transaction.
What a checkpoint holds is exactly what its offsets cover, because both change only here, in code
that never awaits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from traceback import format_exc
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from geo.model import Ms, Rejected
from stream.bulk import Record
from stream.clock import EventClock
from stream.letters import DeadLetter, Reason
from stream.metrics import Cells
from stream.role import Input, Live, Role
from stream.timers import NEVER, Timers
from stream.topics import DEAD_LETTERS, partition_of
from stream.wire import encode

EPOCH_SHIFT = 20
WAKES_AT_ONCE = 5_000
"""Deadlines handled before the event loop gets its turn again."""
HELD_BYTES = 4_096
"""An output counts once more for each so many bytes of it, for dead letters can be large."""


class Marker(Struct, frozen=True):
    """What a checkpoint covers: input topic to next offset, and the partition's owner count and
    last `rev`."""

    epoch: int
    rev: int
    offsets: dict[str, int]
    newest: dict[str, Ms]


class Shown(Struct, frozen=True):
    """A versioned answer for Redis, as the JSON that also goes to Kafka."""

    rev: int
    value: bytes
    open: bool


class Checkpoint(Struct, frozen=True):
    outputs: dict[tuple[str, int], list[tuple[bytes, bytes]]]
    states: list[tuple[str, int, Any]]
    """(key, rev, state); a state of None is a tombstone."""
    marker: Marker
    shown: dict[str, Shown]
    parts: list[tuple[str, Any]] = []
    """(key, part kept apart) where it changed; the states are without it. None is a tombstone."""


class Partition:
    """A partition of a role while this process owns it."""

    def __init__(self, role: Role, number: int, partitions: int, cells: Cells) -> None:
        self.role = role
        self.number = number
        self.partitions = partitions
        self.cells = cells
        self.states: dict[str, Any] = {}
        self.revs: dict[str, int] = {}
        self.offsets: dict[str, int] = {}
        self.newest: dict[str, Ms] = {}
        self.appended: dict[str, Ms] = {}
        """Input topic to the broker's time of the last record taken in."""
        self.epoch = 0
        self.rev = 0
        self.timers = Timers()
        self.clock: EventClock | None = None
        self.live = Live()
        self.rows: dict[str, Any] = {}
        """States whose position has not been shown yet, by key."""
        self.census: Counter[tuple[str, ...]] = Counter()
        """How many states are of which kind, for gauges."""
        self.held = 0
        """Outputs and changed states waiting for a checkpoint."""
        self._dirty: dict[str, Any] = {}
        """States changed since the last checkpoint, by key."""
        self._parts: dict[str, Any] = {}
        """Of those, the parts kept apart that changed."""
        self._outputs: dict[tuple[str, int], list[tuple[bytes, bytes]]] = {}
        self._shown: dict[str, Shown] = {}
        self._changed = False
        self._source: tuple[str, Input] | None = None
        self._refused = 0
        self._groups: Counter[tuple[str, str]] = Counter()
        """Messages of the records being stepped by group and result, where that is counted."""
        self._several = False
        """Whether the record being stepped holds more than one message."""
        # Looked up here because every message needs them.
        self._core_step = role.core.step
        self._next_wake = role.core.next_wake
        self._armed_for = self.timers.armed.get
        self._census = role.census
        self._has_rows = role.row is not None
        self._apart = None if role.apart is None else attrgetter(role.apart.field)

    # Beginning and end of ownership.

    def begin(
        self, loaded: Iterable[tuple[str, int, Any]], marker: Marker | None, wall: Ms
    ) -> None:
        """Take over from the last owner: its states, its offsets, and an epoch above any it
        used."""
        for key, rev, state in loaded:
            self.states[key] = state
            if rev:
                self.revs[key] = rev
            at = self._next_wake(state)
            if at is not None:
                self.timers.arm(key, at)
            self._recount(state, +1)
        last = -1
        if marker is not None:
            self.offsets = dict(marker.offsets)
            self.newest = dict(marker.newest)
            last = max(marker.epoch, marker.rev >> EPOCH_SHIFT)
        self.epoch = max(last + 1, wall // 1000)
        self.rev = self.epoch << EPOCH_SHIFT
        self._changed = True  # The epoch itself is to be saved.

    def follow_events(self) -> None:
        """Let event time, not the wall, drive this partition."""
        keepers = frozenset(t for t, source in self.role.inputs.items() if source.keeps_time)
        self.clock = EventClock(self.newest, keepers)

    # Input.

    def take_in(self, topic: str, records: Sequence[Record]) -> int:
        """Step every message of `records`; returns how many there were. Records already covered are
        skipped."""
        source = self.role.inputs[topic]
        decode, time_of, key_of = source.decode, source.time, self.role.key
        clock, watched, step = self.clock, self.role.wakes_when_late, self._step
        covered = self.offsets.get(topic, 0)
        world = self.role.world(self.live)
        group_of = None if source.groups is None else source.groups[1]
        self._source, self._refused = (topic, source), 0
        taken = 0
        messages: Sequence[Any] = ()
        for record in records:
            if record.offset < covered:
                continue
            now = record.timestamp
            messages = decode(record.value)
            self._several = len(messages) > 1
            woken = False
            for message in messages:
                taken += 1
                if type(message) is Rejected:
                    self._reject(message, record)
                    continue
                if clock is not None:
                    now = clock.hear(topic, time_of(message), record.timestamp)
                    if not woken and self.timers.earliest <= clock.now:
                        self.wake(clock.now)
                    woken = True  # What came in one record belongs together.
                elif watched:
                    self._note(topic, time_of(message))
                if group_of is not None:
                    self._groups[group_of(message), "accepted"] += 1
                step(key_of(message), message, now, world, record)
        self.offsets[topic] = max(covered, records[-1].offset + 1)
        self.appended[topic] = records[-1].timestamp
        self._changed = True
        self.cells.count(source.counter, "accepted", by=taken - self._refused)
        for group, count in self._groups.items():
            assert source.groups is not None
            self.cells.count(source.groups[0], *group, by=count)
        self._groups.clear()
        if source.delays and messages and type(messages[-1]) is not Rejected:
            delay_ms = max(0, records[-1].timestamp - messages[-1].ts)
            self.cells.observe(source.delays, delay_ms / 1000)
        return taken

    def _note(self, topic: str, at: Ms) -> None:
        if at > self.newest.get(topic, 0):
            self.newest[topic] = at

    def _step(self, key: str, message: Any, now: Ms, world: Any, record: Record) -> None:
        state = self.states.get(key)
        try:
            if state is None and partition_of(key, self.partitions) != self.number:
                self._forward(key, message)
                return
            new, facts = self._core_step(state, message, now, world)
            if facts:
                self._publish(key, facts, record, message)
        except Exception:
            # Nothing a producer can send may stop the stream: a bug costs one message, kept with
            # its traceback.
            failed = Rejected(Reason.FAILED, "our own code raised")
            self._reject(failed, record, message, format_exc())
            return
        if new is not state:
            self._keep(key, state, new)

    def _forward(self, key: str, message: Struct) -> None:
        """The producer used another key or partitioner than ours: hand the message to its owner."""
        assert self._source is not None
        self._refused += 1  # Not accepted here: its owner will count that.
        self._regroup(message, "forwarded")
        self.cells.count(self._source[1].counter, "forwarded")
        self.cells.count("forwarded", self.role.name)
        self.send(self._source[0], key, message)

    def _regroup(self, message: Any, result: str) -> None:
        """Not accepted after all."""
        assert self._source is not None
        groups = self._source[1].groups
        if groups is not None and message is not None:
            group = groups[1](message)
            self._groups[group, "accepted"] -= 1
            self._groups[group, result] += 1

    # Time.

    def wake(self, now: Ms, limit: int = WAKES_AT_ONCE) -> int:
        """Run the deadlines that lie at or before `now`, at most `limit`; returns how many ran."""
        world = self.role.world(self.live)
        core, ran = self.role.core, 0
        for key in list(self.timers.due(now, limit)):
            state = self.states.get(key)
            if state is None:
                continue
            at = core.next_wake(state)
            if at is None:
                continue
            if at > now:
                self.timers.arm(key, at)
                continue
            ran += 1
            try:
                new, facts = core.wake(state, now, world)
                self._publish(key, facts)
            except Exception:
                self._bury(key, now, format_exc())
                continue
            self._keep(key, state, new)
        self.cells.count("timers_fired", self.role.name, by=ran)
        return ran

    def _bury(self, key: str, now: Ms, trace: str) -> None:
        """A deadline's own code raised: tell, and leave the key alone until its next message."""
        self.cells.count("rejected", self.role.name, Reason.FAILED)
        letter = DeadLetter(
            reason=Reason.FAILED,
            detail="our own code raised at a deadline of this key",
            topic=self.role.state_topic,
            partition=self.number,
            offset=0,
            key=key.encode(),
            value=None,
            size=0,
            rejected_at=now,
            traceback=trace,
        )
        self._put(DEAD_LETTERS, self.number, "", encode(letter))

    # Output.

    def send(self, topic: str, key: str, message: Struct) -> None:
        """Put a fact into the next checkpoint."""
        self._put(topic, partition_of(key, self.partitions), key, encode(message))

    def answer(self, topic: str, key: str, message: Any, *, open: bool) -> None:
        """Put a versioned fact into the next checkpoint, and into Redis once that is committed."""
        self.rev += 1
        # The fact was made by the core in this very step and nobody else holds it yet.
        force_setattr(message, "rev", self.rev)
        value = encode(message)
        self._shown[key] = Shown(self.rev, value, open)
        self._put(topic, partition_of(key, self.partitions), key, value)

    def take(self) -> Checkpoint | None:
        """Hand over what has come together since the last call; None if there is nothing to
        save."""
        if not self._changed:
            return None
        revs = self.revs
        states = [
            (key, revs.get(key, 0), self._without_part(state)) for key, state in self._dirty.items()
        ]
        marker = Marker(self.epoch, self.rev, dict(self.offsets), dict(self.newest))
        parts = list(self._parts.items())
        taken = Checkpoint(self._outputs, states, marker, self._shown, parts)
        self._outputs, self._dirty, self._shown, self._parts = {}, {}, {}, {}
        self.held = 0
        self._changed = False
        return taken

    def _without_part(self, state: Any) -> Any:
        apart = self.role.apart
        if apart is None or state is None or getattr(state, apart.field) is None:
            return state
        return replace(state, **{apart.field: None})

    def missing(self, mark: int, committed: int, now: Ms) -> dict[str, Shown]:
        """The committed answers newer than `mark`, made again from the states: what Redis may not
        have."""
        if self.role.current is None:
            return {}
        again: dict[str, Shown] = {}
        for key, rev in self.revs.items():
            if rev <= mark or key not in self.states:
                continue
            for name, message, open in self.role.current(self.states[key], now):
                if rev > committed and name in self._shown:
                    continue  # It comes with its checkpoint.
                force_setattr(message, "rev", min(rev, committed))
                again[name] = Shown(min(rev, committed), encode(message), open)
        return again

    # Shared by both.

    def _keep(self, key: str, old: Any, new: Any) -> None:
        self._changed = True
        self._dirty[key] = new
        self.held += 1
        if self._census is not None:
            self._recount(old, -1)
            self._recount(new, +1)
        apart = self._apart
        if apart is not None:
            was, part = None if old is None else apart(old), None if new is None else apart(new)
            if was is not part:
                self._parts[key] = part
        if new is None:
            self.states.pop(key, None)
            self.revs.pop(key, None)
            return
        self.states[key] = new
        at = self._next_wake(new)
        if at is not None and at < self._armed_for(key, NEVER):
            self.timers.arm(key, at)
        if self._has_rows:
            self.rows[key] = new

    def _recount(self, state: Any, by: int) -> None:
        if self._census is not None and state is not None:
            for group in self._census(state):
                self.census[group] += by

    def _publish(
        self, key: str, facts: Sequence[Any], record: Record | None = None, message: Any = None
    ) -> None:
        before = self.rev
        for fact in facts:
            if type(fact) is Rejected:
                assert record is not None, "a wake rejects nothing"
                self._reject(fact, record, message)
                continue
            self.cells.count("facts", self.role.name, type(fact).__name__.lower())
            self.role.measure(fact, self.cells)
            self.role.publish(fact, self)
        if self.rev != before:
            self.revs[key] = self.rev

    def _reject(
        self, rejected: Rejected, record: Record, message: Any = None, trace: str = ""
    ) -> None:
        assert self._source is not None
        if message is not None and self._several:
            # Its own bytes, not the whole array's: one bad batch must not become gigabytes.
            rejected = replace(rejected, part=encode(message))
        self._refused += 1
        self._regroup(message, "refused")
        self.cells.count(self._source[1].counter, rejected.reason)
        self.cells.count("rejected", self.role.name, rejected.reason)
        if rejected.reason in self._source[1].unkept:
            return
        letter = DeadLetter.of(rejected, record, trace)
        self._put(DEAD_LETTERS, self.number, "", encode(letter))

    def _put(self, topic: str, number: int, key: str, value: bytes) -> None:
        self._changed = True
        self.held += 1 + len(value) // HELD_BYTES
        self._outputs.setdefault((topic, number), []).append((key.encode(), value))
