"""What the workers should have made of their input: the cores, called one message after the other.

How this works. The input is read back from Kafka, so it is what the broker has, in the broker's
order, with the broker's times. A state is an entry of a dict. There are no batches, checkpoints,
partitions in memory or timers here, so there is nothing that could be wrong in the same way.

Two topics that meet in one role have no order between each other, so the traffic keeps them apart:
what is known of a key from the first of `ORDER` is settled before anything of the second comes.
Deadlines: no vehicle and no order may come to one during a run (`overdue`); an alert's scope does
all that is due before it takes a signal, so it may be woken at any time, with the same outcome but
for `reported_at`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from alerts.model import Alert
from commands.worker import ROLES
from geo.model import Ms, Rejected, VehiclePlan
from orders.model import Aged, Closed, Opened, OrderStatus, Outcome
from stream import topics
from stream.letters import DeadLetter
from stream.role import Live, Role

PLAIN_ROLES: tuple[Role, ...] = ROLES["all"]
ORDER = (topics.PLANS, topics.PINGS, topics.ORDER_EVENTS, topics.ORDER_FACTS, topics.SIGNALS)
"""In which the inputs of a role are stepped."""


class Kept(NamedTuple):
    """A record as it stands in Kafka; `topic` is the base name."""

    topic: str
    partition: int
    offset: int
    timestamp: Ms
    key: bytes | None
    value: bytes | None
    stored_in: str
    """The topic as the broker names it."""


class Line(NamedTuple):
    """Outputs of which the sequence is determined: those of one state to one key of one topic."""

    topic: str
    key: str
    maker: str


class Plain:
    """One role without its engine. It is the `Sender` of its own facts."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.states: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        """The last answer by its key."""
        self.told: list[tuple[Line, Any]] = []
        self.taken = 0

    def take_in(self, records: Iterable[Kept]) -> list[tuple[Line, Any]]:
        """Step what is there of this role's input; gives the outputs it leads to, in order."""
        self.told = []
        for topic in ORDER:
            if topic in self.role.inputs:
                for record in records:
                    if record.topic == topic:
                        self._step(record)
        return self.told

    def wake(self, now: Ms) -> list[tuple[Line, Any]]:
        """Do what is due; gives the outputs."""
        self.told = []
        for key, state in list(self.states.items()):
            due = self.role.core.next_wake(state)
            if due is not None and due <= now:
                new, facts = self.role.core.wake(state, now, self.role.world(Live()))
                self._keep(key, new)
                self._tell(facts)
        return self.told

    def overdue(self, now: Ms) -> list[str]:
        """Keys with a deadline before `now`."""
        due = self.role.core.next_wake
        return [key for key, state in self.states.items() if (due(state) or now + 1) <= now]

    def _step(self, record: Kept) -> None:
        for message in self.role.inputs[record.topic].decode(record.value):
            self.taken += 1
            if isinstance(message, Rejected):
                self._reject(message, record)
                continue
            key = self.role.key(message)
            state, facts = self.role.core.step(
                self.states.get(key), message, record.timestamp, self.role.world(Live())
            )
            self._keep(key, state)
            self._tell([fact for fact in facts if not isinstance(fact, Rejected)])
            for fact in facts:
                if isinstance(fact, Rejected):
                    self._reject(fact, record)

    def _keep(self, key: str, state: Any) -> None:
        if state is None:
            self.states.pop(key, None)
        else:
            self.states[key] = state

    def _tell(self, facts: Sequence[Any]) -> None:
        for fact in facts:
            self.role.publish(fact, self)

    def _reject(self, rejected: Rejected, record: Kept) -> None:
        if rejected.reason not in self.role.inputs[record.topic].unkept:
            where = record._replace(topic=record.stored_in)
            letter = DeadLetter.of(rejected, where)
            self.told.append((line_of(topics.DEAD_LETTERS, "", letter), letter))

    def send(self, topic: str, key: str, message: Struct) -> None:
        self.told.append((line_of(topic, key, message), message))

    def answer(self, topic: str, key: str, message: Any, *, open: bool) -> None:
        self.answers[key] = message
        self.send(topic, key, message)


def line_of(topic: str, key: str, message: Any) -> Line:
    """The line an output belongs to; the message itself tells whose it is."""
    match message:
        case OrderStatus() | Outcome():
            maker = message.order_id
        case VehiclePlan():
            maker = message.order_id or ""
        case Opened() | Closed() | Aged():
            maker = message.scope
        case Alert():
            maker = message.subject
        case DeadLetter():
            maker = f"{message.topic}/{message.partition}/{message.offset}"
        case _:  # Visit, Sighting, Silence
            maker = message.vehicle_id
    return Line(topic, key, maker)
