"""A vehicle falls silent, and is heard again.

How this works. Silence is a matter of how old our knowledge is: it begins by the clock,
`silent_after_ms` after the last position, and ends with a position younger than that. An older one,
from a device that empties its memory, moves the track along but ends no silence; else every such
position would end one and the next wake begin another.

A vehicle that fell silent while it stood at a stop is taken to be there: most devices sleep with
their vehicle, and an arrival told when it leaves is told too late. Its next position proves that,
or takes it back.
"""

from __future__ import annotations

from msgspec.structs import replace

from geo.inferred import presumed
from geo.model import Motion, Ms, Ping, Silence, VehicleFact
from geo.motion import Roam
from geo.past import Past
from geo.plans import Plans, calls_of, orders_of
from geo.remembered import Track, gaps_of, roamed_of
from geo.sightings import sightings
from geo.telling import told_after
from geo.world import World


def fell_silent(state: Track, last: Ping, now: Ms, world: World) -> tuple[Track, list[VehicleFact]]:
    """What is said of it now: to the fleet and to each of its orders."""
    past, roam, moves = roamed_of(state, state.past or Past(), world)
    parked = _stood(last, state.plans, roam, world)
    state, missing = gaps_of(state, now, world)
    silence = Silence(last.vehicle_id, since=last.ts, reported_at=now, parked=parked)
    facts: list[VehicleFact] = [*moves, *missing, silence]
    changed, plans = bool(moves), state.plans
    if plans is not None:
        supposed = presumed(last.vehicle_id, calls_of(plans).stays, now, world.visits)
        if supposed:
            told, new = told_after(past.told, past.gone, supposed)
            past, changed = replace(past, told=told), True
            facts += new
        facts += sightings(orders_of(plans), last, Motion.SILENT, now)
    kept = past if changed or state.past is not None else None
    return replace(state, wake_at=None, silent_since=last.ts, past=kept), facts


def ends_silence(
    state: Track, ts: Ms, facts: list[VehicleFact], vehicle_id: str, now: Ms, world: World
) -> tuple[bool, Ms | None]:
    """Whether a position of `ts` ends the silence, and since when it is silent now."""
    since = state.silent_since
    if since is None or ts + world.silent_after_ms <= now:
        return False, since
    facts.append(Silence(vehicle_id, since, reported_at=now, until=ts))
    return True, None


def _stood(last: Ping, plans: Plans | None, roam: Roam | None, world: World) -> bool:
    """Whether the vehicle stood at its last position: what that said of itself, else what those
    before it show."""
    if last.ignition is False:
        return True
    if last.speed_mps is not None and last.speed_mps >= 0.0:
        return last.speed_mps <= world.sightings.standing_mps
    if roam is not None:
        return roam.stands
    return plans is not None and plans.motion is Motion.STANDING
