"""Is what we know of an order older than 15 minutes, and why?

How this works. An order is due once it is outbound. From then on its knowledge is as old as the
newest of: its vehicle's last position, the moment it became due, the moment its present vehicle
took it over. The last two are there because before them nobody promised a position: without them an
order would be born old.

A step says *that* an order is old, by the time its record reached Kafka, and finds the reason in
the order alone. Whether the feed or we ourselves are behind is a reading of the present: only a
wake asks it, so that stepping the same records again gives the same facts. A step that finds an
order old therefore asks to be woken at once; and while it stays old it is woken every 15 minutes to
look at the reason again.
"""

from __future__ import annotations

from geo.model import Ms
from orders.lifecycle import ENDS
from orders.model import Age
from orders.state import LAST_MS, Order, World

LIVE_CAUSES = (Age.OUR_LAG, Age.FEED_LAG)
"""Reasons only a wake can find, and so only a wake, or fresh knowledge, may take back."""

OLD = frozenset(Age) - {Age.FRESH, Age.NOT_DUE, Age.ENDED}


def known_at(order: Order) -> Ms:
    """The time of the newest thing known of an order that is due."""
    assert order.due_at is not None
    taken_over = order.assignments[-1].ts if order.assignments else 0
    return max(order.due_at, taken_over, order.seen.ts if order.seen else 0)


def deadline(order: Order, world: World) -> Ms:
    """When a due order's knowledge turns old."""
    return min(known_at(order) + world.limit_ms, LAST_MS)


def age_at_step(before: Order, order: Order, now: Ms, world: World) -> tuple[Age, int | None]:
    """The age to tell after a step, and when to look at it next; `before` still holds those told
    last."""
    if order.stage in ENDS:
        known = before.age is Age.ENDED
        kept_until = max(now, order.stage_at) + world.keep_ended_ms
        return Age.ENDED, before.wake_at if known else kept_until
    if order.due_at is None:
        return Age.NOT_DUE, None
    limit = deadline(order, world)
    # A record may have reached Kafka before the wake that found this same deadline passed.
    still_old = before.age in OLD and limit == deadline(before, world)
    if now < limit and not still_old:
        return Age.FRESH, limit
    age = before.age if before.age in LIVE_CAUSES else _own_cause(order)
    return age, before.wake_at if before.age in OLD else now


def age_at_wake(order: Order, now: Ms, world: World) -> Age:
    """Why a due order past its deadline is old: the widest cause that holds, since it explains the
    others."""
    if world.lag_ms > world.our_lag_ms:
        return Age.OUR_LAG
    if order.vehicle_id is None:
        return Age.NO_VEHICLE
    # Half the limit: a feed that is well is never more than a sighting (one minute) behind.
    if world.feed_at is not None and now - world.feed_at > world.limit_ms // 2:
        return Age.FEED_LAG
    return _own_cause(order)


def _own_cause(order: Order) -> Age:
    if order.vehicle_id is None:
        return Age.NO_VEHICLE
    at_stop = any(
        s.departed_at is None and s.vehicle_id == order.vehicle_id and s.arrived
        for s in order.stays
    )
    return Age.PARKED if at_stop and order.standing else Age.DEVICE_SILENT
