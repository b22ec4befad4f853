"""Is all that the workers did what the plain run would have done? Looked at while the load pauses.

How this works. Each line of outputs (`reference.Line`) has two queues, what should come and what
came, and their heads are struck out against each other: what stays is missing, doubled or invented,
for ever. States are compared whole, and Redis with the last answers. A look that comes too early
finds things missing, so looks are repeated until one finds nothing, or time is up.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec.json import Decoder
from msgspec.msgpack import Decoder as StateDecoder
from msgspec.structs import replace

from alerts.model import Alert
from alerts.order_watch import OrderWatch
from geo.model import Halt, Ms, Sighting, Silence, Speeding, Trip, VehiclePlan, Visit
from load_tests.difference import difference
from load_tests.reference import PLAIN_ROLES, Kept, Line, Plain, line_of
from load_tests.shelf import Shelf
from load_tests.tail import Tail
from orders.model import OrderStatus, Signal
from stream import topics
from stream.clock import wall_ms
from stream.config import Settings
from stream.letters import DeadLetter
from stream.partition import Marker
from stream.role import Live, Role
from stream.store import MARKER_KEY, PART_PREFIX

LOOK_S = 0.3
OUTPUTS: dict[str, Decoder[Any]] = {
    topics.PLANS: Decoder(VehiclePlan),
    topics.VEHICLE_FACTS: Decoder(Visit | Silence),
    topics.VEHICLE_MOVES: Decoder(Halt | Trip | Speeding),
    topics.ORDER_FACTS: Decoder(Visit | Sighting),
    topics.ORDER_STATUS: Decoder(OrderStatus),
    topics.SIGNALS: Decoder(Signal),
    topics.ALERT_EVENTS: Decoder(Alert),
    topics.DEAD_LETTERS: Decoder(DeadLetter),
}


@dataclass
class Findings:
    """What a look found wrong, a sentence each. `behind`: not taken in, or not committed."""

    behind: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    redis: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        return [*self.behind, *self.outputs, *self.states, *self.redis]


class Saved:
    """What one role's state topic holds."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.states: dict[str, tuple[int, Any]] = {}
        self.parts: dict[str, Any] = {}
        """What is kept apart from the states."""
        self.markers: dict[int, Marker] = {}
        self._state = StateDecoder(tuple[int, role.state])  # type: ignore[name-defined]
        self._marker = StateDecoder(Marker)
        self._part = StateDecoder(role.apart.type if role.apart else None)

    def take_in(self, record: Kept) -> None:
        assert record.key is not None
        if record.key == MARKER_KEY:
            assert record.value is not None
            self.markers[record.partition] = self._marker.decode(record.value)
            return
        kept, decode = self.states, self._state.decode
        if record.key.startswith(PART_PREFIX):
            kept, decode = self.parts, self._part.decode
        key = record.key[1:].decode()
        if record.value is None:
            kept.pop(key, None)
        else:
            kept[key] = decode(record.value)

    def whole(self) -> dict[str, tuple[int, Any]]:
        """The states, each with its part."""
        apart = self.role.apart
        if apart is None:
            return self.states
        return {
            key: (rev, replace(state, **{apart.field: self.parts.get(key)}))
            for key, (rev, state) in self.states.items()
        }


class Audit:
    """Follows one installation from its first record on."""

    def __init__(self, settings: Settings) -> None:
        self.tail = Tail(settings)
        self.plains = [Plain(role) for role in PLAIN_ROLES]
        self.events = 0
        """Records on the public input topics."""
        self._settings = settings
        self._shelf = Shelf(settings)
        self._saved = {role.state_topic: Saved(role) for role in PLAIN_ROLES}
        self._due: dict[Line, deque[Any]] = defaultdict(deque)
        self._came: dict[Line, deque[Any]] = defaultdict(deque)
        self._revs: dict[tuple[str, str], int] = {}
        self._next: dict[tuple[str, int], int] = {}
        self._wrong: list[str] = []

    def close(self) -> None:
        self.tail.close()
        self._shelf.close()

    @property
    def messages(self) -> int:
        """Messages there are to be taken in, those between the roles included."""
        return sum(plain.taken for plain in self.plains)

    def settle(self, within_s: float) -> Findings:
        """Look until there is nothing to find; gives what the last look found."""
        deadline = time.monotonic() + within_s
        while True:
            found = self.look()
            if not found.all() or time.monotonic() > deadline:
                return found
            time.sleep(LOOK_S)

    def look(self, now: Ms | None = None) -> Findings:
        """`now`: until when deadlines were met, if that is over."""
        records = self.tail.read()
        while more := self.tail.read():  # Until all topics are seen as of one moment.
            records += more
        self._take_in(records)
        for plain in self.plains:
            self._expect(plain.take_in(records))
        behind = list(self._behind())
        if behind:
            return Findings(behind=behind)
        now = now or wall_ms()
        self._expect(_alerts(self.plains).wake(now))
        self._strike_out()
        return Findings(
            outputs=[*self._wrong, *self._left_over()],
            states=[wrong for plain in self.plains for wrong in self._states(plain, now)],
            redis=list(self._shelf.look(self.plains, self._revs)),
        )

    def quiet_ms(self) -> Ms:
        """How long no alert will come of itself."""
        watches = _alerts(self.plains).states.values()
        due = [w.lead_due for w in watches if isinstance(w, OrderWatch) and w.lead_due]
        return min(due, default=1 << 62) - wall_ms()

    def uncommitted(self) -> list[str]:
        """Where a consumer group has not committed what its last checkpoint covers."""
        wrong = []
        for saved in self._saved.values():
            group = f"{self._settings.app}-{saved.role.name}"
            committed = self.tail.committed(group)
            for number, marker in saved.markers.items():
                for topic, offset in marker.offsets.items():
                    if committed.get((topic, number)) != offset:
                        at = committed.get((topic, number))
                        wrong.append(f"{group}: {topic}-{number} committed {at}, taken in {offset}")
        return wrong

    def _take_in(self, records: Iterable[Kept]) -> None:
        for record in records:
            self._next[record.topic, record.partition] = record.offset + 1
            self.events += record.topic in (topics.PINGS, topics.ORDER_EVENTS)
            if record.topic in self._saved:
                self._saved[record.topic].take_in(record)
            elif record.topic in OUTPUTS:
                self._came_out(record)

    def _came_out(self, record: Kept) -> None:
        assert record.value is not None
        key = (record.key or b"").decode()
        message = OUTPUTS[record.topic].decode(record.value)
        if isinstance(message, OrderStatus | Alert):
            before = self._revs.get((record.topic, key), 0)
            if message.rev <= before:
                self._wrong.append(f"{record.topic} {key}: rev {message.rev} after {before}")
            self._revs[record.topic, key] = message.rev
        self._came[line_of(record.topic, key, message)].append(_comparable(message))

    def _expect(self, told: Iterable[tuple[Line, Any]]) -> None:
        for line, message in told:
            self._due[line].append(_comparable(message))

    def _strike_out(self) -> None:
        for line in self._due.keys() & self._came.keys():
            due, came = self._due[line], self._came[line]
            while due and came:
                wanted, got = due.popleft(), came.popleft()
                if wanted != got:
                    self._wrong.append(f"{line}: {difference(got, wanted)}")
            for queues in (self._due, self._came):
                if not queues[line]:
                    del queues[line]

    def _left_over(self) -> Iterator[str]:
        for line, messages in self._due.items():
            yield f"{line}: missing {len(messages)}, first {messages[0]}"
        for line, messages in self._came.items():
            yield f"{line}: {len(messages)} too many, first {messages[0]}"

    def _behind(self) -> Iterator[str]:
        for saved in self._saved.values():
            for (topic, number), offset in self._next.items():
                marker = saved.markers.get(number)
                if topic in saved.role.inputs:
                    at = marker.offsets.get(topic, 0) if marker else 0
                    if at != offset:
                        yield f"{saved.role.name}-{number}: {topic} at {at} of {offset}"

    def _states(self, plain: Plain, now: Ms) -> Iterator[str]:
        role, saved = plain.role, self._saved[plain.role.state_topic].whole()
        for key in sorted(plain.states.keys() | saved.keys()):
            rev, got = saved.get(key, (0, None))
            wanted = plain.states.get(key)
            got = _as_of(role, got, now)
            if got != wanted:
                yield f"{role.name} {key}: state: {difference(got, wanted)}"
            if role.name == "orders" and rev != self._revs.get((topics.ORDER_STATUS, key), 0):
                yield f"orders {key}: state of rev {rev}, not that of its last status"
        if role.name != "alerts":
            yield from (f"{role.name} {key}: a deadline came" for key in plain.overdue(now))


def _alerts(plains: Iterable[Plain]) -> Plain:
    return next(plain for plain in plains if plain.role.name == "alerts")


def _as_of(role: Role, state: Any, now: Ms) -> Any:
    """An alert's scope after all that is due until `now`: when that is done leaves no trace."""
    if role.name != "alerts" or state is None:
        return state
    return role.core.wake(state, now, role.world(Live()))[0]


def _comparable(message: Any) -> Any:
    """Without what no plain run can know: the `rev`, and when a worker came to a deadline."""
    match message:
        case OrderStatus():
            return replace(message, rev=0)
        case Alert():
            return replace(message, rev=0, reported_at=0)
    return message
