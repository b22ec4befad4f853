"""One order: is it later than 48 h, is what we know of it older than 15 minutes?

How this works. Both rules are told things out of order and more than once, so every answer is taken
from the newest evidence by event time, not from the last signal:

- The order began when the `Opened` reported last says (the orders core corrects itself), and ended
  at the earliest `Closed`. Either may come first. With both known the lead time is known: an order
  that was late has been up and is over, whatever came when (a pair of notices if nobody had been
  told); one that was in time is taken back (`retracted`) if people had been told otherwise.
- Without an end the deadline is a clock's. It fires with nothing arriving.
- `Aged` says what is newest known: `known` = ts of a fresh position, ts - 15 min of an age. What is
  older than that is a repetition. Not due and ended have no such time and always clear.
- An end is remembered for 30 min, so that late repetitions of the order's signals start nothing; an
  end whose beginning never came, for the late horizon of 24 h. Then the order is forgotten;
  `alert.events` keeps its last word.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from alerts.life import UNBORN, Life, Seen, Trigger, advance, due, earliest, elapse, shown
from alerts.model import Alert, Ended, Reason, State
from alerts.notice import Measure, Moment, Subject, alert_of
from alerts.rules import HOUR_MS, MINUTE_MS, World
from geo.model import Rejected, Scope
from orders.model import Age, Aged, Closed, Opened, Stage


class OrderWatch(Struct, frozen=True, tag="order", tag_field="kind", omit_defaults=True, gc=False):
    scope: Scope
    opened: int | None = None
    opened_told: int = 0
    """When that was reported."""
    lead_due: int | None = None
    """When the lead time will be judged if no end is heard of."""
    closed: int | None = None
    stage: Stage | None = None
    """How it ended."""
    forget_at: int | None = None
    known: int = 0
    old: bool = False
    """What was newest known when last told, and that it was too old."""
    aged_told: int = 0
    """When that was reported: of two reasons for one age the later holds."""
    lead: Life = UNBORN
    fresh: Life = UNBORN


Told = tuple[OrderWatch, tuple[Alert, ...]]

AGES: dict[Age, Trigger] = {
    Age.FRESH: Trigger.FALSE,
    Age.NOT_DUE: Trigger.FALSE,
    Age.ENDED: Trigger.FALSE,
    Age.NO_VEHICLE: Trigger.TRUE,
    Age.DEVICE_SILENT: Trigger.TRUE,
    Age.PARKED: Trigger.TRUE,
    Age.FEED_LAG: Trigger.TRUE,
    # Our own stall must not page for every order (research/alerting.md E.3); the platform's alerts
    # tell of it once.
    Age.OUR_LAG: Trigger.DOUBT,
}

_LAGS = (Age.FEED_LAG, Age.OUR_LAG)

_LATE_ENDS = {
    Stage.SIGNED: Ended.DELIVERED_LATE,
    Stage.CANCELLED: Ended.CANCELLED,
    Stage.RETURNED: Ended.RETURNED,
}
_ENDS = {**_LATE_ENDS, Stage.SIGNED: Ended.DELIVERED}


def order_due(watch: OrderWatch) -> int | None:
    return earliest(watch.lead_due, due(watch.lead), due(watch.fresh), watch.forget_at)


def order_elapse(
    watch: OrderWatch, moment: Moment, world: World
) -> tuple[OrderWatch | None, tuple[Alert, ...]]:
    """Does the first thing that is due at `moment.at`; None: forgotten."""
    if _is_due(watch.lead_due, moment):
        return _fire_lead(replace(watch, lead_due=None), moment, world)
    if _is_due(due(watch.lead), moment):
        return _lead(watch, elapse(watch.lead, moment.at, world.lead_time), moment, world)
    if _is_due(due(watch.fresh), moment):
        return _fresh(watch, elapse(watch.fresh, moment.at, world.freshness), moment, world)
    return None, ()


def order_take(
    watch: OrderWatch, event: Opened | Closed | Aged, now: int, world: World
) -> tuple[OrderWatch, tuple[Alert | Rejected, ...]]:
    match event:
        case Opened():
            return _take_opened(watch, event, now, world)
        case Closed():
            return _take_closed(watch, event, now, world)
        case Aged():
            return _take_aged(watch, event, now, world)


def order_current(watch: OrderWatch, now: int, world: World) -> tuple[Alert, ...]:
    """Both alerts as of `now`, as far as anybody was ever told of them."""
    alerts: list[Alert] = []
    if watch.lead != UNBORN:
        subject = Subject(watch.scope, world.lead_time)
        alerts.append(alert_of(watch.lead, subject, _open_for(watch, now), now))
    if watch.fresh != UNBORN:
        subject = Subject(watch.scope, world.freshness)
        alerts.append(alert_of(watch.fresh, subject, _old_by(watch.fresh, now, world), now))
    return tuple(alerts)


def order_is_blank(watch: OrderWatch) -> bool:
    """Nothing is known that a new watch would not know."""
    no_life = watch.lead.episode == watch.fresh.episode == 0
    idle = watch.lead.state is watch.fresh.state is State.INACTIVE
    return watch.opened is None and watch.closed is None and no_life and idle


def _take_opened(watch: OrderWatch, event: Opened, now: int, world: World) -> Told:
    if watch.opened is not None and not _corrects(event, watch.opened, watch.opened_told):
        return watch, ()
    watch = replace(watch, opened=event.ts, opened_told=event.reported_at)
    moment = Moment(now, now)
    if watch.closed is not None:
        watch = replace(watch, forget_at=now + world.lead_time.reopen_ms)
        return _end_lead(watch, moment, world)
    deadline = _deadline(event.ts, world)
    if now < deadline:
        return _retract_lead(replace(watch, lead_due=deadline), moment, world)
    return replace(watch, lead_due=now + world.settle_ms), ()


def _corrects(event: Opened, opened: int, told: int) -> bool:
    """Of two reported in one millisecond the earlier beginning holds: `received` told after what
    followed it is the common case.
    """
    return (event.reported_at, -event.ts) > (told, -opened) and event.ts != opened


def _take_closed(
    watch: OrderWatch, event: Closed, now: int, world: World
) -> tuple[OrderWatch, tuple[Alert | Rejected, ...]]:
    if event.stage not in _ENDS:
        detail = f"stage {event.stage} does not end an order; send signed, cancelled or returned"
        return watch, (Rejected(Reason.NOT_AN_END, detail),)
    if watch.closed is not None and event.ts >= watch.closed:
        return watch, ()
    keep_ms = world.unopened_ms if watch.opened is None else world.lead_time.reopen_ms
    watch = replace(
        watch, closed=event.ts, stage=event.stage, lead_due=None, forget_at=now + keep_ms
    )
    moment = Moment(now, now)
    watch, lead = _end_lead(watch, moment, world)
    seen = Seen(Trigger.ENDED, world.freshness.severity, reason=_ENDS[event.stage])
    watch, fresh = _fresh(watch, advance(watch.fresh, seen, now, world.freshness), moment, world)
    return watch, (*lead, *fresh)


def _take_aged(watch: OrderWatch, event: Aged, now: int, world: World) -> Told:
    if watch.closed is not None:
        return watch, ()
    trigger = AGES[event.age]
    old = trigger is not Trigger.FALSE
    if old or event.age is Age.FRESH:
        known = event.ts - world.fresh_limit_ms if old else event.ts
        news = (known, old, event.reported_at)
        if news < (watch.known, watch.old, watch.aged_told):
            return watch, ()
        watch = replace(watch, known=known, old=old, aged_told=event.reported_at)
    seen = Seen(
        trigger,
        world.freshness.severity,
        since=event.ts,
        reason=event.age if old else Ended.CLEARED,
        data_quality=event.age in _LAGS,
    )
    life = advance(watch.fresh, seen, now, world.freshness)
    return _fresh(watch, life, Moment(now, now), world)


def _fire_lead(watch: OrderWatch, moment: Moment, world: World) -> Told:
    assert watch.opened is not None, "a deadline without a beginning"
    since = _deadline(watch.opened, world)
    seen = Seen(Trigger.TRUE, world.lead_time.severity, since=since)
    return _lead(watch, advance(watch.lead, seen, moment.at, world.lead_time), moment, world)


def _end_lead(watch: OrderWatch, moment: Moment, world: World) -> Told:
    """With beginning and end known the lead time is known."""
    if watch.opened is None:
        return watch, ()
    assert watch.closed is not None, "an end without its time"
    assert watch.stage is not None, "an end without its stage"
    if watch.closed < _deadline(watch.opened, world):
        return _retract_lead(watch, moment, world)
    reason = _LATE_ENDS[watch.stage]
    fired: tuple[Alert, ...] = ()
    if watch.lead.state is State.INACTIVE:
        watch, fired = _fire_lead(watch, moment, world)
    seen = Seen(Trigger.ENDED, world.lead_time.severity, reason=reason)
    life = advance(watch.lead, seen, moment.at, world.lead_time)
    watch, ended = _lead(watch, life, moment, world)
    return watch, (*fired, *ended)


def _retract_lead(watch: OrderWatch, moment: Moment, world: World) -> Told:
    if watch.lead.reason == Ended.RETRACTED:
        return watch, ()
    seen = Seen(Trigger.RETRACTED, world.lead_time.severity, reason=Ended.RETRACTED)
    return _lead(watch, advance(watch.lead, seen, moment.at, world.lead_time), moment, world)


def _lead(watch: OrderWatch, life: Life, moment: Moment, world: World) -> Told:
    if life is watch.lead:
        return watch, ()
    after = replace(watch, lead=life)
    if not shown(watch.lead, life):
        return after, ()
    subject = Subject(watch.scope, world.lead_time)
    return after, (alert_of(life, subject, _open_for(after, moment.at), moment.now),)


def _fresh(watch: OrderWatch, life: Life, moment: Moment, world: World) -> Told:
    if life is watch.fresh:
        return watch, ()
    after = replace(watch, fresh=life)
    if not shown(watch.fresh, life):
        return after, ()
    subject = Subject(watch.scope, world.freshness)
    return after, (alert_of(life, subject, _old_by(life, moment.at, world), moment.now),)


def _open_for(watch: OrderWatch, at: int) -> Measure:
    assert watch.opened is not None, "a lead time without a beginning"
    return Measure(((at if watch.closed is None else watch.closed) - watch.opened) / HOUR_MS)


def _old_by(life: Life, at: int, world: World) -> Measure:
    return Measure((max(at - life.since, 0) + world.fresh_limit_ms) / MINUTE_MS)


def _deadline(opened: int, world: World) -> int:
    return opened + world.lead_limit_ms + 1


def _is_due(time: int | None, moment: Moment) -> bool:
    return time is not None and time <= moment.at
