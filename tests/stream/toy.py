"""A role as small as can be: keys are added up. So that tests of the engine say nothing of
vehicles and orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, json
from msgspec.structs import replace

from geo.model import Motion, Ms, Ping, Rejected
from stream.keys import pack_position
from stream.metrics import Cells
from stream.partition import Partition
from stream.role import Input, Live, Role, Sender
from stream.topics import partition_of

PARTITIONS = 4
INPUT, OTHER, NOTES, SUMS = "toy.in", "toy.other", "toy.notes", "toy.sums"


class Add(Struct, frozen=True):
    """`amount` 0 forgets the key, a negative one is refused; 13 is more than the code can bear."""

    key: str
    amount: int
    ts: Ms = 0
    wake_at: Ms | None = None


class Tally(Struct, frozen=True):
    key: str
    total: int
    at: Ms = 0
    """`now` of the last step."""
    wake_at: Ms | None = None


class Sum(Struct, frozen=True):
    """The answer: the total of a key."""

    key: str
    rev: int
    total: int


class Note(Struct, frozen=True):
    """A plain fact, sent to another key."""

    to: str
    text: str


class Why(StrEnum):
    NEGATIVE = "negative"


class Toy:
    """The core."""

    def step(
        self, state: Tally | None, event: Add, now: Ms, world: Live
    ) -> tuple[Tally | None, Sequence[Sum | Note | Rejected]]:
        if event.amount == 13:
            raise ValueError("thirteen")
        if event.amount < 0:
            return state, (Rejected(Why.NEGATIVE, f"{event.amount}"),)
        if event.amount == 0:
            return None, ()
        total = event.amount + (state.total if state else 0)
        after = Tally(event.key, total, now, event.wake_at)
        return after, (Sum(event.key, 0, total), Note("reader", f"{event.key} is {total}"))

    def next_wake(self, state: Tally) -> Ms | None:
        return state.wake_at

    def wake(self, state: Tally, now: Ms, world: Live) -> tuple[Tally | None, Sequence[Note]]:
        if state.total == 666:
            raise ValueError("the beast")
        return replace(state, wake_at=None), (Note("reader", f"{state.key} woke at {now}"),)


def decode(value: bytes | None) -> Sequence[Add | Rejected]:
    """One message, or an array of them."""
    try:
        if value and value.startswith(b"["):
            return json.decode(value, type=list[Add])
        return (json.decode(value or b"", type=Add),)
    except ValueError as wrong:
        return (Rejected("unreadable", str(wrong)),)


def _publish(fact: Sum | Note, out: Sender) -> None:
    if isinstance(fact, Sum):
        out.answer(SUMS, fact.key, fact, open=fact.total < 100)
    else:
        out.send(NOTES, fact.to, fact)


def _current(state: Tally, now: Ms) -> Iterable[tuple[str, Sum, bool]]:
    yield state.key, Sum(state.key, 0, state.total), state.total < 100


def _row(state: Tally) -> bytes:
    return row_of(state.total)


def row_of(total: int) -> bytes:
    """A packed position that tells a total."""
    return pack_position(Ping("toy", total, 31.0, 121.0), Motion.MOVING)


TOY = Role(
    name="toy",
    core=Toy(),
    state=Tally,
    state_topic="toy.state",
    inputs={
        topic: Input(decode, lambda add: add.ts, "pings", unkept=frozenset({"dull"}))
        for topic in (INPUT, OTHER)
    },
    key=lambda add: add.key,
    world=lambda live: live,
    publish=_publish,
    facts=(Sum, Note),
    reasons=Why,
    interval_s=0.1,
    shows="toy",
    current=_current,
    row=_row,
    census=lambda state: [("orders", "even" if state.total % 2 == 0 else "odd")],
)


class Rec(NamedTuple):
    offset: int
    value: bytes | None
    timestamp: Ms = 1_000
    topic: str = INPUT
    partition: int = 0
    key: bytes | None = None


def key_in(number: int, nth: int = 0) -> str:
    """A key of this partition."""
    names = (f"k{n}" for n in range(10_000))
    return [name for name in names if partition_of(name, PARTITIONS) == number][nth]


A, B = key_in(0, 0), key_in(0, 1)


def add(offset: int, key: str = A, amount: int = 1, **more: int) -> Rec:
    """A record of the input that adds to `key`, at 1 s."""
    return Rec(offset, json.encode(Add(key, amount, **more)))


def partition(wall: Ms = 5_000_000, role: Role = TOY) -> Partition:
    """Partition 0, taken over for the first time: its epoch is 5,000."""
    owned = Partition(role, 0, PARTITIONS, Cells())
    owned.begin((), None, wall)
    return owned
