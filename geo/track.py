"""What we remember of one vehicle, and how a ping, a plan or the passing of time changes it.

How this works. Most pings are uneventful: nothing is planned near, nothing is due, the vehicle
is not silent. `step` finds that out with a handful of comparisons and only then does anything
else.

Silence is a matter of how old our knowledge is: it begins by the clock, `silent_after_ms` after
the last position, and ends with a position younger than that. An older one, from a device that
empties its memory, moves the track along but ends no silence; else every such position would end
one and the next wake begin another. A refused ping is not heard at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from geo.cleaning import Limits, Reason, refuse
from geo.model import Motion, Ms, Ping, Rejected, Silence, VehicleFact, VehiclePlan
from geo.plans import Plans, is_clear, look_for_stops, orders_of, place_of, replan, visit_stops
from geo.sightings import SightingRule, motion_due, sightings
from geo.visits import VisitRule


class World(Struct, frozen=True):
    """Every threshold of `geo`."""

    limits: Limits = Limits()
    visits: VisitRule = VisitRule()
    sightings: SightingRule = SightingRule()
    max_stops: int = 2_000
    """Of all orders of one vehicle: its state is one Kafka record, of at most a megabyte; a stop
    takes some 200 bytes of it."""
    silent_after_ms: int = 900_000
    """15 minutes: the promise that no status is silently older (design.md §4.4, field.md §9)."""


class Track(Struct, frozen=True, gc=False, array_like=True):
    """One vehicle. The shell reads `last` after a batch: where it is."""

    last: Ping | None = None
    """The last position."""
    wake_at: Ms | None = None
    """When it falls silent unless it is heard; None while it is silent or was never heard."""
    plans: Plans | None = None
    silent_since: Ms | None = None
    """Time of the last position before the silence; None while there is none."""


def step(
    state: Track | None, event: Ping | VehiclePlan, now: Ms, world: World
) -> tuple[Track | None, Sequence[VehicleFact]]:
    """A refused ping changes nothing. A first ping or plan makes the track."""
    if isinstance(event, VehiclePlan):
        return _take_plan(state or Track(), event, now, world)
    if state is None:
        state = Track()
        refused = refuse(event, None, now, world.limits)
        return (None, refused) if refused else _move(state, event, now, world)
    refused = refuse(event, state.last, now, world.limits)
    if refused:
        return state, refused
    plans = state.plans
    if state.silent_since is None and (plans is None or _is_uneventful(plans, event, world)):
        return Track(event, event.ts + world.silent_after_ms, plans), ()
    return _move(state, event, now, world)


def next_wake(state: Track) -> Ms | None:
    """When the vehicle falls silent unless it is heard."""
    return state.wake_at


def wake(state: Track, now: Ms, world: World) -> tuple[Track | None, Sequence[VehicleFact]]:
    """The vehicle fell silent: said once, to the fleet and to each of its orders."""
    last = state.last
    if last is None or state.wake_at is None or now < state.wake_at:
        return state, ()
    facts: list[VehicleFact] = [Silence(last.vehicle_id, since=last.ts, reported_at=now)]
    if state.plans is not None:
        facts += sightings(orders_of(state.plans), last, Motion.SILENT, now)
    return replace(state, wake_at=None, silent_since=last.ts), facts


def _too_many(plan: VehiclePlan, limit: int) -> Rejected:
    return Rejected(
        Reason.TOO_MANY_STOPS,
        f"{plan.vehicle_id} would have more than {limit} stops: end the plans of orders that are "
        "over, and give each vehicle an id of its own",
    )


def _is_uneventful(plans: Plans, position: Ping, world: World) -> bool:
    return is_clear(plans, position) and motion_due(plans, position, world.sightings) is None


def _move(
    state: Track, position: Ping, now: Ms, world: World
) -> tuple[Track, Sequence[VehicleFact]]:
    """Take a position that may say something: silence, then visits, then sightings."""
    facts: list[VehicleFact] = []
    since, plans = state.silent_since, state.plans
    wake_at = position.ts + world.silent_after_ms
    heard = since is not None and wake_at > now
    if since is not None and heard:
        facts.append(Silence(position.vehicle_id, since, reported_at=now, until=position.ts))
        since = None
    if plans is not None:
        plans, visits = visit_stops(plans, position, now, world.visits)
        motion = motion_due(plans, position, world.sightings) or (plans.motion if heard else None)
        facts += visits
        if motion is not None:
            shown = motion if since is None else Motion.SILENT
            facts += sightings(orders_of(plans), position, shown, now)
            plans = replace(plans, sighted=place_of(position), motion=motion)
        plans = plans if plans.planned or plans.stays else None
    return Track(position, wake_at if since is None else None, plans, since), facts


def _take_plan(
    state: Track, plan: VehiclePlan, now: Ms, world: World
) -> tuple[Track | None, Sequence[VehicleFact]]:
    """The last position is judged against the new stops at once, and the order told of it."""
    last = state.last
    before = state.plans or Plans()
    plans = replan(before, plan)
    if len(plans.planned) > world.max_stops:
        return (None if state == Track() else state), (_too_many(plan, world.max_stops),)
    if plans is before:
        return (None if state == Track() else state), ()
    if not (plans.planned or plans.stays):
        return (None if last is None else replace(state, plans=None)), ()
    if last is None:
        return replace(state, plans=plans), ()
    plans = look_for_stops(plans, last)
    motion = motion_due(plans, last, world.sightings)
    if motion is not None:
        plans = replace(plans, sighted=place_of(last), motion=motion)
    told = [plan.order_id] if plan.order_id is not None and plan.stops else []
    shown = plans.motion if state.silent_since is None else Motion.SILENT
    return replace(state, plans=plans), sightings(told, last, shown, now)
