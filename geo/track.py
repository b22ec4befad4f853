"""What we remember of one vehicle, and how a ping, a plan or the passing of time changes it.

How this works. Most pings are uneventful: the newest, reachable from the last, nothing planned
near, nothing due, the vehicle not silent. `step` finds that out with a handful of comparisons,
remembers the position and does nothing else.

A ping that is *not* the newest is only put aside, and the vehicle asks to be woken at once: then
all that came late together is put where it belongs and what has happened is worked out again
(`geo/past.py`). What comes out other than it was told is told: new, changed and retracted visits.
So a visit depends on which positions there are, not on when they came. A plan is worked out the
same way, over all that is remembered.

Halts and trips of a vehicle that no order asks for are worked out when the tail is full, when it
falls silent and when positions come late, so that they cost nothing in between.

A vehicle may fall silent (`geo/silence.py`). A refused ping is not heard at all, unless it is
reinstated.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import force_setattr, replace

from geo.calls import Calls, follow
from geo.cleaning import RESTATED, Reason, Verdict, judge, refusal, refuse
from geo.crs import Datum, to_wgs84
from geo.distance import metres
from geo.gaps import counted, overdue
from geo.inferred import is_presumed
from geo.model import (
    Ms,
    Ping,
    Rejected,
    VehicleFact,
    VehiclePlan,
    Visit,
)
from geo.past import (
    CHUNK,
    Past,
    begins_at,
    is_known,
    last_two,
    rolled,
)
from geo.plans import (
    Plans,
    calls_of,
    claims_of,
    is_asked,
    is_clear,
    with_calls_of,
)
from geo.remembered import Odd, Track, gaps_of, roamed_of, trail_of
from geo.rework import sighted, take_plan, without_old_claims, worked_out
from geo.sightings import motion_due
from geo.silence import ends_silence, fell_silent
from geo.spots import RECORD, Spot, at, pack, pack_spot, spot
from geo.telling import told_after
from geo.world import World, rules_of

__all__ = ["Track", "World", "next_wake", "rules_of", "step", "wake"]

_TAIL_BYTES = CHUNK * RECORD


def step(
    state: Track | None, event: Ping | VehiclePlan, now: Ms, world: World
) -> tuple[Track | None, Sequence[VehicleFact]]:
    """A refused ping changes nothing. A first ping or plan makes the track."""
    if isinstance(event, VehiclePlan):
        world = world if state is None else rules_of(state.last, world)
        return take_plan(state or Track(), event, now, world)
    if event.seq is not None:
        return _numbered(state, event, now, world)
    if world.by_source is not None:
        event, world = _declared(event, world)
    last = None if state is None else state.last
    refused = refuse(event, last, now, world.limits)
    if refused:
        return state, refused
    if state is None or last is None:
        return _move(state or Track(), event, None, now, world)
    # One string for all of a vehicle's pings: 61 bytes of memory less for each vehicle.
    force_setattr(event, "vehicle_id", last.vehicle_id)
    elapsed_ms = event.ts - last.ts
    tail = state.tail
    if elapsed_ms > 0 and state.odd is None and len(tail) < _TAIL_BYTES:
        moved_m = metres(last.lat, last.lon, event.lat, event.lon)
        limits = world.limits
        if moved_m * 1000.0 <= limits.max_mps * elapsed_ms or moved_m <= limits.noise_m:
            plans = state.plans
            if state.silent_since is None and (
                plans is None
                or (
                    is_clear(plans, event.lat, event.lon)
                    and motion_due(plans, event, world.sightings) is None
                )
            ):
                return (
                    Track(
                        event,
                        event.ts + world.silent_after_ms,
                        plans,
                        None,
                        tail + pack(event),
                        None,
                        state.past,
                        state.gaps,
                    ),
                    (),
                )
            return _move(state, event, None, now, world)
    return _place(state, event, now, world)


def next_wake(state: Track) -> Ms | None:
    """When the vehicle falls silent unless it is heard, late positions are to be placed, or a gap
    is to be told."""
    wake_at, gaps = state.wake_at, state.gaps
    if gaps is None or gaps.due_at is None:
        return wake_at
    return gaps.due_at if wake_at is None else min(wake_at, gaps.due_at)


def wake(state: Track, now: Ms, world: World) -> tuple[Track | None, Sequence[VehicleFact]]:
    """Late positions are placed; a vehicle not heard of fell silent, which is said once, to the
    fleet and to each of its orders."""
    world = rules_of(state.last, world)
    found: Sequence[VehicleFact] = ()
    if state.odd is not None and state.odd.late and state.odd.due_at <= now:
        state, found = worked_out(state, now, now, world)
    last, gaps = state.last, state.gaps
    if last is not None and gaps is not None and gaps.due_at is not None and gaps.due_at <= now:
        gaps, said = overdue(gaps, last.vehicle_id, last.source, now)
        state, found = replace(state, gaps=gaps), [*found, *said]
    if last is None or state.wake_at is None or now < state.wake_at:
        return state, found
    state, facts = fell_silent(state, last, now, world)
    return state, [*found, *facts]


def _declared(ping: Ping, world: World) -> tuple[Ping, World]:
    """The ping in WGS-84, and the rules of its source."""
    rules = rules_of(ping, world)
    if rules.datum is Datum.WGS84:
        return ping, rules
    lat, lon = to_wgs84(ping.lat, ping.lon, rules.datum)
    return replace(ping, lat=lat, lon=lon), rules


def _numbered(
    state: Track | None, ping: Ping, now: Ms, world: World
) -> tuple[Track | None, Sequence[VehicleFact]]:
    """A ping with a number is one like any other, and counted. Counting begins with the first
    position: a vehicle of which nothing else is known is not remembered."""
    state, facts = step(state, replace(ping, seq=None), now, world)
    if state is None or state.last is None:
        return state, facts
    gaps, missing = counted(state.gaps, ping, facts, now, rules_of(ping, world).gaps)
    if gaps is not state.gaps:
        state = replace(state, gaps=gaps)
    return state, (*facts, *missing) if missing else facts


def _place(state: Track, ping: Ping, now: Ms, world: World) -> tuple[Track, Sequence[VehicleFact]]:
    """A ping that came late, cannot be reached, follows one that could not, or finds the tail
    full."""
    new = spot(ping)
    past = state.past or Past()
    newest = at(state.tail, -1) if state.tail else last_two(past, b"").last
    if newest is not None and new <= newest:
        return _late(state, past, new, now, world)
    facts: Sequence[VehicleFact] = ()
    if len(state.tail) >= _TAIL_BYTES:
        state, facts = _roll(state, past, now, world)
        past = state.past or past
    trail = trail_of(state, past)
    good: list[Spot] = []
    wrong: list[Verdict] = []
    after = judge(trail, new, good, wrong, world.limits)
    if after.strays:
        tail = state.tail + pack(ping)
        waits = replace(state.odd or Odd(trail), trail=after)
        return replace(state, tail=tail, odd=waits), (*facts, refusal(after, world.limits))
    if len(good) > 1:  # Those that were refused were right.
        state, changes = worked_out(state, good[0].ts, now, world, ping)
        return state, (*facts, *changes)
    late = state.odd.late if state.odd is not None else b""
    odd = None
    if after.ghost is not None or late:
        odd = Odd(after, late, state.odd.due_at if state.odd is not None else 0)
    state, found = _move(state, ping, odd, now, world)
    return state, (*facts, *found)


def _late(
    state: Track, past: Past, new: Spot, now: Ms, world: World
) -> tuple[Track, Sequence[VehicleFact]]:
    """Put a position aside for its place, unless we hold it or it is too old."""
    assert state.last is not None
    settled_at = max(begins_at(past), state.last.ts - world.past.horizon_ms)
    if new.ts <= settled_at and (new.ts < settled_at or begins_at(past)):
        return state, (_archived(new, settled_at),)
    late = state.odd.late if state.odd is not None else b""
    if is_known(past, state.tail + late, new):
        return state, RESTATED
    due_at = state.odd.due_at if state.odd is not None and late else now
    trail = trail_of(state, past)
    odd = Odd(trail, late + pack_spot(new), due_at)
    wake_at = due_at if state.wake_at is None else min(state.wake_at, due_at)
    return replace(state, odd=odd, wake_at=wake_at), ()


def _archived(new: Spot, settled_at: Ms) -> Rejected:
    hours = (settled_at - new.ts) / 3_600_000
    detail = f"ts {new.ts} is {hours:.2f} h older than what is remembered of the vehicle: kept only"
    return Rejected(Reason.ARCHIVED, f"{detail} in the archive")


def _roll(state: Track, past: Past, now: Ms, world: World) -> tuple[Track, Sequence[VehicleFact]]:
    """Empty a full tail into the past, and forget what is too old."""
    trail = trail_of(state, past)
    if trail.strays:  # No place to cut; there is one as soon as they are proved wrong or right.
        return state, ()
    state, missing = gaps_of(state, now, world)
    past, roam, moves = roamed_of(state, past, world)
    calls = calls_of(state.plans) if state.plans is not None else Calls()
    past = rolled(past, state.tail, trail, calls, roam, world.past)
    return replace(without_old_claims(state, now, world), tail=b"", past=past), [*moves, *missing]


def _move(
    state: Track, position: Ping, odd: Odd | None, now: Ms, world: World
) -> tuple[Track, Sequence[VehicleFact]]:
    """Take a position that may say something: silence, then visits, then sightings."""
    facts: list[VehicleFact] = []
    past, plans = state.past, state.plans
    if past is not None and state.silent_since is not None and any(map(is_presumed, past.told)):
        return worked_out(state, position.ts, now, world, position)
    heard, since = False, state.silent_since
    if since is not None:
        heard, since = ends_silence(state, position.ts, facts, position.vehicle_id, now, world)
    record = pack(position)
    if plans is not None:
        calls, visits = _followed(state, plans, position, at(record, 0), now, world)
        if visits:
            past = past or Past()
            told, new = told_after(past.told, past.gone, visits)
            past = replace(past, told=told)
            facts += new
        plans = with_calls_of(plans, calls)
        plans = sighted(plans, position, heard, since, facts, now, world)
        plans = plans if is_asked(plans) else None
    wake_at = position.ts + world.silent_after_ms if since is None else None
    if odd is not None and odd.late:
        wake_at = odd.due_at if wake_at is None else min(wake_at, odd.due_at)
    return Track(position, wake_at, plans, since, state.tail + record, odd, past, state.gaps), facts


def _followed(
    state: Track, plans: Plans, position: Ping, new: Spot, now: Ms, world: World
) -> tuple[Calls, Sequence[Visit]]:
    return follow(
        calls_of(plans),
        partial(claims_of, plans),
        partial(trail_of, state, state.past),
        new,
        0 if state.last is None else position.ts - state.last.ts,
        position.vehicle_id,
        now,
        world.visits,
    )
