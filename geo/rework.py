"""What has happened, worked out again, and what of it is to be told: of a vehicle whose pings came
late, or of which more is asked."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from geo.claims import ALWAYS, fitting, replan
from geo.cleaning import Reason
from geo.derive import derive
from geo.gaps import refilled
from geo.inferred import presumed
from geo.model import (
    Motion,
    Ms,
    Ping,
    Rejected,
    VehicleFact,
    VehiclePlan,
)
from geo.past import (
    Past,
    trimmed,
)
from geo.plans import (
    Plans,
    claims_of,
    is_asked,
    orders_of,
    with_calls_of,
    with_claims_of,
    with_telling,
)
from geo.remembered import Odd, Track, roams
from geo.sightings import motion_due, sightings
from geo.silence import ends_silence
from geo.spots import ping_of, spot, spots
from geo.telling import difference, moves_told, revised
from geo.world import World


def worked_out(
    state: Track,
    since: Ms,
    now: Ms,
    world: World,
    newest: Ping | None = None,
) -> tuple[Track, list[VehicleFact]]:
    """All that has happened since `since`, or since the first position that came late, again; and
    what of it is other than was told. `newest` is the ping that led to it, if it has moved the
    vehicle."""
    last = newest or state.last
    assert last is not None
    new = spots(state.odd.late) if state.odd is not None else []
    if newest is not None:
        new.append(spot(newest))
    vehicle_id, plans = last.vehicle_id, state.plans
    claims = claims_of(plans) if plans is not None else ()
    made = derive(
        state.past or Past(),
        state.tail,
        new,
        claims,
        min(since, *(s.ts for s in new)) if new else since,
        vehicle_id,
        now,
        world.limits,
        world.visits,
        world.motion if roams(plans) else None,
    )
    if newest is None and state.silent_since is not None:
        supposed = presumed(vehicle_id, made.calls.stays, now, world.visits)
        made.visits.update((v.visit_id, v) for v in supposed)
    told, gone, facts = difference(made, now)
    if made.trail.last is not None and made.trail.last != spot(last):
        last = replace(ping_of(made.trail.last, vehicle_id), source=last.source)
    moves, moved = moves_told(made, vehicle_id)
    said: list[VehicleFact] = [*revised(made, vehicle_id, now, world.limits), *facts, *moved]
    heard, silent_since = ends_silence(state, last.ts, said, vehicle_id, now, world)
    if plans is not None:
        plans = with_calls_of(plans, made.calls)
        if newest is not None or heard:
            plans = sighted(plans, last, heard, silent_since, said, now, world)
        plans = plans if is_asked(plans) else None
    trail = made.trail
    odd = Odd(trail) if trail.strays or trail.ghost is not None else None
    past = trimmed(replace(made.past, told=told, moves=moves, gone=gone), world.past)
    wake_at = None if silent_since is not None else last.ts + world.silent_after_ms
    gaps = refilled(state.gaps, past, made.tail, now, world.gaps)
    return Track(last, wake_at, plans, silent_since, made.tail, odd, past, gaps), said


def sighted(
    plans: Plans,
    position: Ping,
    heard: bool,
    since: Ms | None,
    facts: list[VehicleFact],
    now: Ms,
    world: World,
) -> Plans:
    motion = motion_due(plans, position, world.sightings) or (plans.motion if heard else None)
    if motion is None:
        return plans
    shown = motion if since is None else Motion.SILENT
    facts += sightings(orders_of(plans), position, shown, now)
    return with_telling(plans, position, motion)


def take_plan(
    state: Track, plan: VehiclePlan, now: Ms, world: World
) -> tuple[Track | None, Sequence[VehicleFact]]:
    """All that is remembered is judged against the new stops at once, and the order told of the
    last position."""
    last = state.last
    before = state.plans or Plans()
    forget = 0 if last is None else last.ts - world.past.horizon_ms
    known = claims_of(before)
    claims = replan(known, plan, forget)
    if claims is known:
        return (None if state == Track() else state), ()
    claims = fitting(claims, world.max_stops)
    if len(claims) > world.max_stops:
        return (None if state == Track() else state), (_too_many(plan, world.max_stops),)
    plans = with_claims_of(before, claims)
    if last is None:
        open_ = any(c.until == ALWAYS for c in claims)
        return (replace(state, plans=plans) if open_ else None), ()
    state, facts = worked_out(replace(state, plans=plans), 0, now, world)
    asked = state.plans
    if asked is None:
        return state, facts
    motion = motion_due(asked, last, world.sightings)
    if motion is not None:
        asked = with_telling(asked, last, motion)
    told = [plan.order_id] if plan.order_id is not None and plan.stops else []
    shown = asked.motion if state.silent_since is None else Motion.SILENT
    return replace(state, plans=asked), [*facts, *sightings(told, last, shown, now)]


def without_old_claims(state: Track, now: Ms, world: World) -> Track:
    plans, last = state.plans, state.last
    if plans is None or last is None:
        return state
    forget = last.ts - world.past.horizon_ms
    claims = claims_of(plans)
    if all(c.until > forget for c in claims):
        return state
    gone = VehiclePlan(last.vehicle_id, now, ())
    return replace(state, plans=with_claims_of(plans, replan(claims, gone, forget)))


def _too_many(plan: VehiclePlan, limit: int) -> Rejected:
    return Rejected(
        Reason.TOO_MANY_STOPS,
        f"{plan.vehicle_id} would have more than {limit} stops: end the plans of orders that are "
        "over, and give each vehicle an id of its own",
    )
