"""What is remembered of one vehicle."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from geo.cleaning import Trail
from geo.gaps import Gaps, looked
from geo.model import (
    Ms,
    Ping,
    VehicleFact,
)
from geo.motion import Roam
from geo.past import (
    Past,
    last_two,
    roamed,
)
from geo.plans import (
    Plans,
    orders_of,
)
from geo.world import World


class Odd(Struct, frozen=True, gc=False, array_like=True):
    """What is unusual about a track; most have nothing."""

    trail: Trail
    late: bytes = b""
    """Positions that came late and wait for their place."""
    due_at: Ms = 0
    """When the first of them came."""


class Track(Struct, frozen=True, gc=False, array_like=True):
    """One vehicle. The shell reads `last` after a batch: where it is."""

    last: Ping | None = None
    """The last position."""
    wake_at: Ms | None = None
    """When there is something to do: fall silent, or work out what late positions change."""
    plans: Plans | None = None
    silent_since: Ms | None = None
    """Time of the last position before the silence; None while there is none."""
    tail: bytes = b""
    """The newest positions, `last` at the end where nothing is odd."""
    odd: Odd | None = None
    past: Past | None = None
    """Changes seldom, and is large: the shell keeps it in a record of its own."""
    gaps: Gaps | None = None


def trail_of(state: Track, past: Past | None) -> Trail:
    if state.odd is not None:
        return state.odd.trail
    way = last_two(past or Past(), state.tail)
    return Trail(way.last, way.before)


def roamed_of(
    state: Track, past: Past, world: World
) -> tuple[Past, Roam | None, Sequence[VehicleFact]]:
    """Halts and trips to the end of the tail, of a vehicle that no order asks for."""
    last = state.last
    if last is None or not roams(state.plans):
        return past, None, ()
    return roamed(past, state.tail, last.vehicle_id, world.limits, world.motion)


def roams(plans: Plans | None) -> bool:
    return plans is None or not orders_of(plans)


def gaps_of(state: Track, now: Ms, world: World) -> tuple[Track, Sequence[VehicleFact]]:
    """After looking for positions that are missing, in the tail."""
    assert state.last is not None
    past = state.past or Past()
    gaps, missing = looked(state.gaps, past, state.tail, state.last, now, world.limits, world.gaps)
    return (state if gaps is state.gaps else replace(state, gaps=gaps)), missing
