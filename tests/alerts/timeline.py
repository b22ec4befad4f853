"""Signals in at the times they were reported, alerts out, the clock moved by hand."""

from __future__ import annotations

from collections.abc import Iterable

from alerts.model import Alert, State
from alerts.rules import WORLD, World
from alerts.watch import Fact, Watch, next_wake, step, wake
from geo.model import Ms
from orders.model import Signal


def play(
    signals: Iterable[Signal],
    *,
    until: Ms = 0,
    world: World = WORLD,
    state: Watch | None = None,
    punctual: bool = True,
) -> tuple[Watch | None, list[Fact]]:
    """Steps each signal at its `reported_at`, waking exactly at each deadline in between and, at
    last, at `until`. Not `punctual`: nobody wakes until `until`.
    """
    facts: list[Fact] = []
    for signal in signals:
        if punctual:
            state, made = _woken(state, signal.reported_at, world)
            facts += made
        state, some = step(state, signal, signal.reported_at, world)
        facts += some
    if punctual:
        state, made = _woken(state, until, world)
        return state, facts + made
    if state is None:
        return None, facts
    state, some = wake(state, until, world)
    return state, [*facts, *some]


def _woken(state: Watch | None, until: Ms, world: World) -> tuple[Watch | None, list[Fact]]:
    facts: list[Fact] = []
    while state is not None and (due := next_wake(state)) is not None and due <= until:
        state, made = wake(state, due, world)
        facts += made
    return state, facts


def notices(facts: Iterable[Fact]) -> list[Alert]:
    """What a receiver sends: what is above the (episode, seq) it had."""
    sent: dict[str, tuple[int, int]] = {}
    new = []
    for fact in facts:
        if isinstance(fact, Alert) and (fact.episode, fact.seq) > sent.get(fact.alert_id, (0, 0)):
            sent[fact.alert_id] = (fact.episode, fact.seq)
            new.append(fact)
    return new


def states(facts: Iterable[Fact]) -> list[State]:
    return [fact.state for fact in facts if isinstance(fact, Alert)]


def told(facts: Iterable[Fact]) -> list[tuple[State, str]]:
    """State and reason of each notice."""
    return [(alert.state, alert.reason) for alert in notices(facts)]
