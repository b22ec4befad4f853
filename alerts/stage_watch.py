"""One stage of all orders: do more than 8 % of its attempts go wrong?

How this works. Each attempt is counted by event time in an hour and a day (`rates`); what both say
is one `Seen` for the alert's life. Buckets drop out as time passes, so the watch also looks at
every minute in which the hour holds anything, else at every hour; without attempts for 24 h an
alert ends as no_traffic.

Counting each attempt once. The orders core tells each outcome once, and what it tells, what we
counted and what we read up to are one Kafka transaction each, so on the road no attempt comes
twice, and 24 h of identities (8 MB per million) would be kept for nothing. What is left is a
producer that sends an order again after the orders core has forgotten it: more than 24 h old, it is
refused as late. Against a tail of the topic fed in again by hand, the last 512 attempts are
remembered as 64-bit hashes.
"""

from __future__ import annotations

from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from alerts.life import ACTIVE, UNBORN, Life, Seen, Trigger, advance, due, earliest, elapse, shown
from alerts.model import Alert, Ended, Reason, Severity, State, Window
from alerts.notice import Measure, Moment, Subject, alert_of
from alerts.rates import (
    Ring,
    Verdict,
    counted,
    day_ring,
    hour_ring,
    start,
    turned,
    turns_at,
    verdict,
)
from alerts.rules import World
from geo.model import Rejected, Scope
from orders.model import Outcome

REMEMBERED = 512
FAILED_ORDERS = 200
"""research/alerting.md B.4."""

_HASH_BYTES = 8


class StageWatch(Struct, frozen=True, tag="stage", tag_field="kind", omit_defaults=True, gc=False):
    scope: Scope
    hour: Ring
    day: Ring
    silent_at: int = 0
    """When the newest attempt will be 24 h ago."""
    failed: tuple[tuple[int, str], ...] = ()
    """(ts, order) of the last errors."""
    seen: bytes = b""
    """Hashes of the last attempts, oldest first."""
    window: Window = Window.HOUR
    """The one that raised the alert."""
    life: Life = UNBORN


Alerts = tuple[Alert, ...]
_WAITING = ACTIVE | {State.PENDING}


def new_stage(scope: str, now: int) -> StageWatch:
    return StageWatch(scope, hour_ring(now), day_ring(now))


def stage_due(watch: StageWatch) -> int | None:
    silent_at = watch.silent_at if watch.life.state in _WAITING else None
    return earliest(turns_at(watch.hour), turns_at(watch.day), due(watch.life), silent_at)


def stage_elapse(
    watch: StageWatch, moment: Moment, world: World
) -> tuple[StageWatch | None, Alerts]:
    """Does the first thing that is due at `moment.at`; None: nothing left worth keeping."""
    at = moment.at
    hour, day = turned(watch.hour, at), turned(watch.day, at)
    if hour is not watch.hour or day is not watch.day:
        after, facts = _judged(replace(watch, hour=hour, day=day), moment, world)
        return (None if stage_is_blank(after) else after), facts
    life_due = due(watch.life)
    if life_due is not None and life_due <= at:
        return _lived(watch, elapse(watch.life, at, world.error_rate), moment, world)
    seen = Seen(Trigger.ENDED, watch.life.severity, reason=Ended.NO_TRAFFIC)
    return _lived(watch, advance(watch.life, seen, at, world.error_rate), moment, world)


def stage_take(
    watch: StageWatch, event: Outcome, now: int, world: World
) -> tuple[StageWatch, tuple[Alert | Rejected, ...]]:
    refused = _refused(watch, event, now, world)
    if refused is not None:
        return watch, (refused,)
    identity = _identity(event)
    # A match that is not on a multiple of 8 is as unlikely as a collision: 512 x 8 in 2^64.
    if identity in watch.seen:
        return watch, ()
    ts = min(event.ts, now)
    day = counted(turned(watch.day, now), ts, event.ok)
    if day is None:
        detail = f"ts {event.ts} is more than 24 h before {now}; it was not counted"
        return watch, (Rejected(Reason.LATE_OUTCOME, detail),)
    hour = turned(watch.hour, now)
    after = replace(
        watch,
        hour=counted(hour, ts, event.ok) or hour,
        day=day,
        silent_at=max(watch.silent_at, ts + world.rate.silent_ms),
        failed=watch.failed if event.ok else (*watch.failed, (ts, event.order_id))[-FAILED_ORDERS:],
        seen=(watch.seen + identity)[-REMEMBERED * _HASH_BYTES :],
    )
    return _judged(after, Moment(now, now), world)


def stage_current(watch: StageWatch, now: int, world: World) -> tuple[Alert, ...]:
    """The stage's alert as of `now`, if anybody was ever told of it."""
    if watch.life == UNBORN:
        return ()
    subject = Subject(watch.scope, world.error_rate)
    return (alert_of(watch.life, subject, _measure(watch), now),)


def stage_is_blank(watch: StageWatch) -> bool:
    """Nothing is known that a new watch would not know; an episode's number must never be used
    again.
    """
    life = watch.life
    return watch.day.total == 0 and life.episode == 0 and life.state is State.INACTIVE


def _refused(watch: StageWatch, event: Outcome, now: int, world: World) -> Rejected | None:
    if watch.scope != f"stage:{event.stage}":
        detail = f"{watch.scope} is not the scope of stage {event.stage}"
        return Rejected(Reason.WRONG_SCOPE, detail)
    if event.ts > now + world.rate.ahead_ms:
        detail = f"ts {event.ts} is after {now}; set the sender's clock"
        return Rejected(Reason.FUTURE_OUTCOME, detail)
    return None


def _identity(event: Outcome) -> bytes:
    name = f"{event.order_id}\x1f{event.attempt}".encode()
    return blake2b(name, digest_size=_HASH_BYTES).digest()


def _judged(watch: StageWatch, moment: Moment, world: World) -> tuple[StageWatch, Alerts]:
    """What the windows say goes to the life."""
    hour, day = verdict(watch.hour, world.rate), verdict(watch.day, world.rate)
    trigger = _trigger(hour, day)
    if watch.life.state is State.INACTIVE and trigger is not Trigger.TRUE:
        return watch, ()
    if trigger is Trigger.TRUE and watch.life.state not in ACTIVE:
        watch = replace(watch, window=Window.HOUR if hour is Verdict.BAD else Window.DAY)
    seen = Seen(
        trigger,
        _severity(watch, (hour, day), world),
        since=moment.at,
        reason=Ended.CLEARED if trigger is Trigger.FALSE else watch.window,
        data_quality=trigger is Trigger.UNKNOWN,
    )
    return _lived(watch, advance(watch.life, seen, moment.at, world.error_rate), moment, world)


def _trigger(hour: Verdict, day: Verdict) -> Trigger:
    if Verdict.BAD in (hour, day):
        return Trigger.TRUE
    if hour is Verdict.NOTHING:
        return Trigger.UNKNOWN
    return Trigger.FALSE if hour is day is Verdict.GOOD else Trigger.BAND


def _severity(watch: StageWatch, verdicts: tuple[Verdict, Verdict], world: World) -> Severity:
    for ring, said in zip((watch.hour, watch.day), verdicts, strict=True):
        if said is Verdict.BAD and ring.bad / ring.total > world.rate.critical:
            return Severity.CRITICAL
    return world.error_rate.severity


def _lived(
    watch: StageWatch, life: Life, moment: Moment, world: World
) -> tuple[StageWatch, Alerts]:
    if life is watch.life:
        return watch, ()
    after = replace(watch, life=life)
    if not shown(watch.life, life):
        return after, ()
    subject = Subject(watch.scope, world.error_rate)
    return after, (alert_of(life, subject, _measure(after), moment.now),)


def _measure(watch: StageWatch) -> Measure:
    ring = watch.hour if watch.window is Window.HOUR else watch.day
    share = ring.bad / ring.total if ring.total else 0.0
    since = start(ring)
    orders = tuple(dict.fromkeys(order for ts, order in watch.failed if ts >= since))
    return Measure(share, ring.total, ring.bad, orders)
