"""What the engine must know of an agent: its core, its topics, and where its facts go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from msgspec import Struct

from geo.model import Ms
from stream.letters import Reason
from stream.metrics import Cells


class Core(Protocol):
    """The shape of every stateful core (design.md §2); a module is one."""

    def step(self, state: Any, event: Any, now: Ms, world: Any, /) -> tuple[Any, Sequence[Any]]: ...
    def next_wake(self, state: Any, /) -> Ms | None: ...
    def wake(self, state: Any, now: Ms, world: Any, /) -> tuple[Any, Sequence[Any]]: ...


class Live(Struct, frozen=True):
    """What a core may want to know about the stream it lives in."""

    lag_ms: int = 0
    """How far the partition's input is behind."""
    newest: Mapping[str, Ms] = {}
    """Input topic to the greatest event time seen on it."""
    census: Mapping[tuple[str, ...], int] = {}
    """How many states of the partition are of which kind."""


class Sender(Protocol):
    """Takes the facts of a partition for its next checkpoint: plain ones, and answers that get a
    `rev`."""

    def send(self, topic: str, key: str, message: Struct) -> None: ...
    def answer(self, topic: str, key: str, message: Any, *, open: bool) -> None: ...


def _nothing(fact: Any, cells: Cells) -> None:
    """Most facts are only counted."""


def _no_tick(census: Mapping[tuple[str, ...], int], seconds: float, cells: Cells) -> None:
    """Most roles add nothing up."""


@dataclass(frozen=True)
class Input:
    """One input topic. `time` gives a message's event time."""

    decode: Callable[[bytes | None], Sequence[Any]]
    time: Callable[[Any], Ms]
    counter: str
    """The metric that counts its messages by result."""
    keeps_time: bool = True
    """Whether it drives the event clock; a topic of rare commands would hold the clock back."""
    delays: str = ""
    """The histogram of the time from a message's `ts` to its record's; empty: none is kept."""
    unkept: frozenset[str] = frozenset()
    """Reasons of rejection that are counted but not written to the dead-letter topic: what it
    repeats is kept elsewhere."""
    groups: tuple[str, Callable[[Any], str]] | None = None
    """The metric that counts its messages once more, by this group of theirs and by whether they
    were accepted, refused or forwarded; None: it is not counted."""


@dataclass(frozen=True)
class Apart:
    """A field of a state that is large and seldom changes: it has a record of its own, written only
    with its changes."""

    field: str
    type: Any


@dataclass(frozen=True)
class Role:
    """One agent, as data."""

    name: str
    core: Core
    state: Any
    """The type of a state, for decoding a checkpoint."""
    state_topic: str
    inputs: Mapping[str, Input]
    key: Callable[[Any], str]
    """The state key of a message: also its record key, so that one partition owns it."""
    world: Callable[[Live], Any]
    publish: Callable[[Any, Sender], None]
    """Where a fact goes."""
    facts: Iterable[type[Struct]]
    """What its core makes, besides refusals."""
    reasons: type[StrEnum]
    """The words with which its core refuses."""
    interval_s: float
    """Longest time between two checkpoints of a partition that has something to save."""
    apart: Apart | None = None
    shows: str = ""
    """What its answers are called in Redis (order, alert); empty if it gives none."""
    current: Callable[[Any, Ms], Iterable[tuple[str, Any, bool]]] | None = None
    """The answers (key, fact, open) that describe a state now, to fill Redis again."""
    row: Callable[[Any], bytes | None] | None = None
    """The packed position of a state, shown at batch time; None if the role has no positions."""
    census: Callable[[Any], Iterable[tuple[str, ...]]] | None = None
    """The groups a state is counted in: each a gauge's name and labels."""
    measure: Callable[[Any, Cells], None] = _nothing
    """Metrics beyond the count of facts."""
    counters: Iterable[tuple[str, ...]] = ()
    """What `measure`, `census` and `tick` count, each a name and labels: all that there can be."""
    tick: Callable[[Mapping[tuple[str, ...], int], float, Cells], None] = _no_tick
    """Adds up what lasts: called with a partition's census and the seconds since the last call."""
    wakes_when_late: bool = False
    """Whether deadlines run on while input lags (the core then learns the lag), instead of waiting
    for it."""


OWN_COUNTERS = (
    "forwarded",
    "timers_fired",
    "assignments",
    "redis_refills",
    "redis_fenced",
    "checkpoint_seconds",
)
"""What the engine counts by role alone."""


def counted(role: Role) -> Iterator[tuple[str, ...]]:
    """Every cell (name, labels) that must be there at 0 from the start: no rate is seen of a first
    increment (research/alerting.md D.1)."""
    for source in role.inputs.values():
        yield from ((source.counter, result) for result in ("accepted", "forwarded"))
        yield from ((source.counter, reason) for reason in (*Reason, *role.reasons))
        if source.delays:
            yield (source.delays,)
    yield from (("rejected", role.name, reason) for reason in (*Reason, *role.reasons))
    yield from (("facts", role.name, fact.__name__.lower()) for fact in role.facts)
    yield from (("checkpoints", role.name, result) for result in ("committed", "failed"))
    for name in OWN_COUNTERS:
        yield name, role.name
    yield from role.counters
