"""The life of one alert: one table, the same for every rule (research/alerting.md A.3).

How this works. A rule looks at its subject and says what it saw (`Seen`); clocks say that a wait is
over. Both are a `Trigger`. `MOVES` has one entry for each (state, trigger) that does something; a
missing pair means that nothing happens. An entry says where to and whether people are told. Nothing
else decides that.

    inactive ─TRUE─> pending ─waited─> FIRING ─FALSE─> recovering ─waited─> RESOLVED ─> inactive
                        └─FALSE─> inactive  └──<─anything else─┘     (within 30 min) └─TRUE─> FIRING

- Silence of the source (UNKNOWN) resolves nothing: it keeps an alert firing, takes a recovering one
  back to firing and stops a pending one's wait. DOUBT is a condition that looks true though our own
  lag may be the reason: it waits in pending, where nothing is sent, until somebody knows.
- A wait of 0 is over at once: the state is passed through and never seen.
- `episode` counts raises out of inactive, `seq` the notices of an episode, from 1. An alert whose
  (episode, seq) is not above what a receiver had is an update for lists and dashboards, not a
  notice.
- Flapping: the fourth change between firing and resolved within 2 h is the last one told. From then
  on it takes a whole hour of calm to resolve (recovering waits that long) or, while firing, to drop
  the flag. Leaving recovering for firing is no change: nobody had been told that it was over.
- Times are those of the decision: a clock's moves carry the deadline, however late `elapse` is
  called, so a state does not depend on when it was woken.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from alerts.model import Severity, State
from alerts.rules import LifeRule


class Trigger(StrEnum):
    TRUE = "true"
    WORSE = "worse"
    """True, and more severe than what people were told."""
    BAND = "band"
    """Neither: no longer bad enough to begin, not yet good enough to end."""
    FALSE = "false"
    UNKNOWN = "unknown"
    DOUBT = "doubt"
    WAITED = "waited"
    REPEAT = "repeat"
    ENDED = "ended"
    """The subject is over."""
    RETRACTED = "retracted"
    """Late evidence: the condition never was true."""


class Seen(Struct, frozen=True, gc=False):
    """What a rule found. `since`: when the condition became true; used only where an alert
    begins.
    """

    trigger: Trigger
    severity: Severity
    since: int = 0
    reason: str = ""
    data_quality: bool = False


class Life(Struct, frozen=True, omit_defaults=True, gc=False):
    """One alert's state. `until` ends the wait of its state; `repeat_at` counts only while
    firing.
    """

    state: State = State.INACTIVE
    severity: Severity = Severity.WARNING
    episode: int = 0
    seq: int = 0
    since: int = 0
    until: int | None = None
    repeat_at: int | None = None
    changes: tuple[int, ...] = ()
    """When it went between firing and resolved, within the flap window."""
    reason: str = ""
    flapping: bool = False
    data_quality: bool = False


UNBORN = Life()


class Move(NamedTuple):
    to: State
    notify: bool = False


_S, _T = State, Trigger
MOVES: dict[tuple[State, Trigger], Move] = {
    (_S.INACTIVE, _T.TRUE): Move(_S.PENDING),
    (_S.INACTIVE, _T.DOUBT): Move(_S.PENDING),
    #
    (_S.PENDING, _T.TRUE): Move(_S.PENDING),
    (_S.PENDING, _T.DOUBT): Move(_S.PENDING),
    (_S.PENDING, _T.UNKNOWN): Move(_S.PENDING),
    (_S.PENDING, _T.BAND): Move(_S.INACTIVE),
    (_S.PENDING, _T.FALSE): Move(_S.INACTIVE),
    (_S.PENDING, _T.WAITED): Move(_S.FIRING, notify=True),
    (_S.PENDING, _T.ENDED): Move(_S.INACTIVE),
    (_S.PENDING, _T.RETRACTED): Move(_S.INACTIVE),
    #
    (_S.FIRING, _T.TRUE): Move(_S.FIRING),
    (_S.FIRING, _T.WORSE): Move(_S.FIRING, notify=True),
    (_S.FIRING, _T.BAND): Move(_S.FIRING),
    (_S.FIRING, _T.FALSE): Move(_S.RECOVERING),
    (_S.FIRING, _T.UNKNOWN): Move(_S.FIRING),
    (_S.FIRING, _T.DOUBT): Move(_S.FIRING),
    (_S.FIRING, _T.WAITED): Move(_S.FIRING),
    (_S.FIRING, _T.REPEAT): Move(_S.FIRING, notify=True),
    (_S.FIRING, _T.ENDED): Move(_S.RESOLVED, notify=True),
    (_S.FIRING, _T.RETRACTED): Move(_S.RESOLVED, notify=True),
    #
    (_S.RECOVERING, _T.TRUE): Move(_S.FIRING),
    (_S.RECOVERING, _T.WORSE): Move(_S.FIRING, notify=True),
    (_S.RECOVERING, _T.BAND): Move(_S.FIRING),
    (_S.RECOVERING, _T.UNKNOWN): Move(_S.FIRING),
    (_S.RECOVERING, _T.DOUBT): Move(_S.FIRING),
    (_S.RECOVERING, _T.WAITED): Move(_S.RESOLVED, notify=True),
    (_S.RECOVERING, _T.ENDED): Move(_S.RESOLVED, notify=True),
    (_S.RECOVERING, _T.RETRACTED): Move(_S.RESOLVED, notify=True),
    #
    (_S.RESOLVED, _T.TRUE): Move(_S.FIRING, notify=True),
    (_S.RESOLVED, _T.WAITED): Move(_S.INACTIVE),
    (_S.RESOLVED, _T.RETRACTED): Move(_S.RESOLVED, notify=True),
}

ACTIVE = frozenset({State.FIRING, State.RECOVERING})


def advance(life: Life, seen: Seen, at: int, rule: LifeRule) -> Life:
    """The life after `seen` at `at`; the same object where nothing happens."""
    trigger = _graded(life, seen)
    move = MOVES.get((life.state, trigger))
    if move is None or _steady(life, seen, trigger, move):
        return life
    move = _without_empty_wait(life, trigger, move, rule)
    changes = _changes(life, trigger, move, at, rule)
    flaps = _flaps(life, trigger, changes, rule)
    if flaps and move.to is State.RESOLVED:
        move = Move(State.RECOVERING, notify=True)
    after = replace(
        life,
        state=move.to,
        severity=_severity(life, seen),
        since=_since(life, seen, move),
        changes=changes,
        reason=seen.reason,
        flapping=_still_flapping(life, trigger, move) or flaps,
        data_quality=seen.data_quality,
    )
    return _numbered(life, _timed(life, after, trigger, at, rule), move, at, rule)


def due(life: Life) -> int | None:
    """When `elapse` has something to do."""
    if life.state is not State.FIRING:
        return life.until
    return earliest(life.until, life.repeat_at)


def earliest(*times: int | None) -> int | None:
    first = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first


def elapse(life: Life, at: int, rule: LifeRule) -> Life:
    """What the clock does at `at`, which is `due(life)`."""
    waited = life.until is not None and life.until <= at
    trigger = Trigger.WAITED if waited else Trigger.REPEAT
    seen = Seen(trigger, life.severity, life.since, life.reason, life.data_quality)
    return advance(life, seen, at, rule)


def shown(before: Life, after: Life) -> bool:
    """Must lists and dashboards hear of it? Resolved fading into inactive is no news."""
    if after is before or (before.state, after.state) == (State.RESOLVED, State.INACTIVE):
        return False
    return _face(before) != _face(after)


def _face(life: Life) -> tuple[object, ...]:
    return (
        life.state,
        life.episode,
        life.seq,
        life.severity,
        life.reason,
        life.flapping,
        life.data_quality,
    )


def _steady(life: Life, seen: Seen, trigger: Trigger, move: Move) -> bool:
    """A stage in trouble sees the same with every attempt: keeps that cheap."""
    if life.state is not State.FIRING or move != (State.FIRING, False):
        return False
    said = (seen.reason, seen.data_quality) == (life.reason, life.data_quality)
    return said and trigger is not Trigger.WAITED


def _graded(life: Life, seen: Seen) -> Trigger:
    rises = seen.severity is Severity.CRITICAL and life.severity is Severity.WARNING
    if rises and seen.trigger is Trigger.TRUE and life.state in ACTIVE:
        return Trigger.WORSE
    return seen.trigger


def _without_empty_wait(life: Life, trigger: Trigger, move: Move, rule: LifeRule) -> Move:
    if move.to is State.PENDING and trigger is Trigger.TRUE and rule.for_ms == 0:
        return MOVES[State.PENDING, Trigger.WAITED]
    if move.to is State.RECOVERING and rule.keep_ms == 0 and not life.flapping:
        return MOVES[State.RECOVERING, Trigger.WAITED]
    return move


def _changes(life: Life, trigger: Trigger, move: Move, at: int, rule: LifeRule) -> tuple[int, ...]:
    """The first raise is no change: something must have been resolved before."""
    calmed = life.flapping and trigger is Trigger.WAITED
    recent = () if calmed else tuple(t for t in life.changes if at - t < rule.flap_window_ms)
    was, will = life.state in ACTIVE, move.to in ACTIVE
    raised_again = will and not was and bool(recent)
    resolved = was and not will
    return (*recent, at)[-rule.flap_changes :] if raised_again or resolved else recent


def _flaps(life: Life, trigger: Trigger, changes: tuple[int, ...], rule: LifeRule) -> bool:
    """An end of the subject is never held back."""
    if life.flapping or trigger in (Trigger.ENDED, Trigger.RETRACTED):
        return False
    return changes != life.changes and len(changes) == rule.flap_changes


def _still_flapping(life: Life, trigger: Trigger, move: Move) -> bool:
    """An hour's calm ends it, however it ends; so does the end of the subject."""
    return life.flapping and trigger is not Trigger.WAITED and move.to is not State.RESOLVED


def _severity(life: Life, seen: Seen) -> Severity:
    """While an alert is up its severity only rises, so that it cannot be argued down by one good
    minute.
    """
    if life.state in ACTIVE and life.severity is Severity.CRITICAL:
        return Severity.CRITICAL
    return seen.severity


def _since(life: Life, seen: Seen, move: Move) -> int:
    begins = life.state in (State.INACTIVE, State.RESOLVED)
    return seen.since if begins and move.to in (State.PENDING, State.FIRING) else life.since


def _timed(life: Life, after: Life, trigger: Trigger, at: int, rule: LifeRule) -> Life:
    """Sets the wait of the state entered; a state not left keeps its wait, except pending without
    certainty.
    """
    stays = after.state is life.state
    if after.state is State.PENDING:
        running = life.until if stays and life.until is not None else at + rule.for_ms
        return replace(after, until=running if trigger is Trigger.TRUE else None)
    if after.state is State.INACTIVE:
        return replace(after, until=None, repeat_at=None)
    if stays and after.flapping == life.flapping:
        return after
    return replace(after, until=_wait(after, at, rule))


def _wait(after: Life, at: int, rule: LifeRule) -> int | None:
    if after.state is State.RESOLVED:
        return at + rule.reopen_ms
    if after.flapping:
        return at + rule.calm_ms
    return at + rule.keep_ms if after.state is State.RECOVERING else None


def _numbered(before: Life, after: Life, move: Move, at: int, rule: LifeRule) -> Life:
    """Counts the notice and sets the next repetition."""
    new_episode = move.to is State.FIRING and before.state in (State.INACTIVE, State.PENDING)
    if new_episode:
        after = replace(after, episode=before.episode + 1, seq=0)
    if move.notify:
        repeat_at = at + rule.repeat_ms if move.to in ACTIVE else None
        return replace(after, seq=after.seq + 1, repeat_at=repeat_at)
    if move.to is State.FIRING and before.state is State.RECOVERING and after.repeat_at is not None:
        # It may have passed while recovering: due now, never in the past.
        return replace(after, repeat_at=max(after.repeat_at, at))
    return after
