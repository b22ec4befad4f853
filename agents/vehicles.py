"""The vehicles agent: pings and plans in; visits, sightings and silences out, positions to
Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as replace_in
from operator import attrgetter

from msgspec.structs import replace

from geo import track
from geo.cleaning import Reason
from geo.model import (
    Halt,
    Motion,
    Ms,
    Ping,
    Rejected,
    Revised,
    Sighting,
    Silence,
    Speeding,
    Trip,
    VehicleFact,
    VehiclePlan,
    Visit,
)
from geo.past import Past
from geo.sources import Source, in_wgs84
from geo.track import Track
from stream import topics
from stream.keys import pack_position
from stream.letters import DeadLetter
from stream.metrics import Cells
from stream.role import Apart, Input, Live, Role, Sender
from stream.wire import decode_pings, decode_plans

WORLD = track.World()

TELLINGS = ("arrived", "departed", "inferred", "corrected", "retracted")
"""What there is to count of visits."""


def _arrival(ping: Ping) -> Ms:
    """When the source had it: a replay's clock must not follow a device whose own clock is
    wrong."""
    return ping.ts if ping.received_at is None else ping.received_at


def _plan_time(plan: VehiclePlan) -> Ms:
    return plan.ts


def _world(live: Live) -> track.World:
    return WORLD


def _publish(fact: VehicleFact, out: Sender) -> None:
    match fact:
        case Visit():
            out.send(topics.VEHICLE_FACTS, fact.vehicle_id, fact)
            if fact.order_id is not None:
                out.send(topics.ORDER_FACTS, fact.order_id, fact)
        case Sighting():
            out.send(topics.ORDER_FACTS, fact.order_id, fact)
        case Silence():
            out.send(topics.VEHICLE_FACTS, fact.vehicle_id, fact)
        case Revised():
            out.send(topics.DEAD_LETTERS, fact.vehicle_id, DeadLetter.revised(fact))
        case Halt() | Trip() | Speeding():
            out.send(topics.VEHICLE_MOVES, fact.vehicle_id, fact)


def _measure(fact: VehicleFact, cells: Cells) -> None:
    if isinstance(fact, Silence):
        cells.count("silences", "begun" if fact.until is None else "ended")
    elif isinstance(fact, Visit):
        cells.count("visits", _told(fact))
    elif isinstance(fact, Revised):
        cells.count("rejected", VEHICLES.name, fact.reason)


def _told(visit: Visit) -> str:
    """What the telling of a visit says."""
    if visit.retracted:
        return "retracted"
    if visit.supersedes is not None and visit.version == 1:
        return "corrected"
    if visit.inferred:
        return "inferred"
    return "arrived" if visit.departed_at is None else "departed"


def _row(state: Track) -> bytes | None:
    last = state.last
    if last is None:
        return None
    return pack_position(last, _motion(state, last))


def _motion(state: Track, last: Ping) -> Motion:
    if state.silent_since is not None:
        return Motion.SILENT
    if last.speed_mps is not None and last.speed_mps >= 0.0:  # Else it means "unknown".
        slow = last.speed_mps <= WORLD.sightings.standing_mps
        return Motion.STANDING if slow else Motion.MOVING
    return state.plans.motion if state.plans is not None else Motion.MOVING


VEHICLES = Role(
    name="vehicles",
    core=track,
    state=Track,
    state_topic=topics.VEHICLE_STATE,
    inputs={
        topics.PINGS: Input(
            decode_pings,
            _arrival,
            "pings",
            delays="ping_ingest_delay_seconds",
            unkept=frozenset({Reason.DUPLICATE}),
        ),
        topics.PLANS: Input(decode_plans, _plan_time, "plans", keeps_time=False),
    },
    key=attrgetter("vehicle_id"),
    world=_world,
    publish=_publish,
    facts=(Visit, Sighting, Silence, Halt, Trip, Speeding, Revised),
    reasons=Reason,
    counters=(
        ("silences", "begun"),
        ("silences", "ended"),
        *(("visits", told) for told in TELLINGS),
    ),
    # Every moving vehicle is dirty, so seconds; its orders hear of a visit that much later.
    interval_s=3.0,
    apart=Apart("past", Past),
    row=_row,
    measure=_measure,
)


def vehicles_of(source: Source) -> Role:
    """The agent for pings of a source that declares itself; speed and zone are the wire's own."""
    if source == Source():
        return VEHICLES
    world = replace(WORLD, limits=source.limits, visits=source.visits, motion=source.motion)

    def decode(value: bytes | None) -> Sequence[Ping | Rejected]:
        taken = decode_pings(value)
        return [in_wgs84(ping, source) if isinstance(ping, Ping) else ping for ping in taken]

    pings = replace_in(VEHICLES.inputs[topics.PINGS], decode=decode)
    inputs = {**VEHICLES.inputs, topics.PINGS: pings}
    return replace_in(VEHICLES, inputs=inputs, world=lambda live: world)
