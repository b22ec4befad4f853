"""The vehicles agent: pings and plans in; visits, sightings and silences out, positions to
Redis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace as replace_in
from functools import partial
from operator import attrgetter

from geo import track
from geo.cleaning import Reason
from geo.model import (
    Gap,
    GapBy,
    Halt,
    Id,
    Motion,
    Ms,
    Ping,
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
from geo.sources import OTHERS, Source, world_by_source
from geo.track import Track
from stream import topics
from stream.keys import pack_position
from stream.letters import DeadLetter
from stream.metrics import Cells
from stream.role import Apart, Input, Live, Role, Sender
from stream.wire import decode_pings, decode_plans

WORLD = track.World()

RESULTS = ("accepted", "refused", "forwarded")
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
        case Silence() | Gap():
            out.send(topics.VEHICLE_FACTS, fact.vehicle_id, fact)
        case Revised():
            out.send(topics.DEAD_LETTERS, fact.vehicle_id, DeadLetter.revised(fact))
        case Halt() | Trip() | Speeding():
            out.send(topics.VEHICLE_MOVES, fact.vehicle_id, fact)


def _measure(name: Callable[[Id | None], str], fact: VehicleFact, cells: Cells) -> None:
    if isinstance(fact, Silence):
        cells.count("silences", "begun" if fact.until is None else "ended")
    elif isinstance(fact, Visit):
        cells.count("visits", _told(fact))
    elif isinstance(fact, Revised):
        cells.count("rejected", VEHICLES.name, fact.reason)
    elif isinstance(fact, Gap):
        source = name(fact.source)
        if fact.came:
            cells.count("pings_missing_came", source, by=fact.came)
        else:
            cells.count("ping_gaps", source, fact.by)
            cells.count("pings_missing", source, by=fact.missing)


def _name(named: Mapping[Id, Source], source: Id | None) -> str:
    """The label of a source; only those declared have one of their own, so that labels are few."""
    other, none = OTHERS
    if source is None:
        return none
    return source if source in named else other


def _counters(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return (
        ("silences", "begun"),
        ("silences", "ended"),
        *(("visits", told) for told in TELLINGS),
        *(("ping_gaps", name, by) for name in names for by in GapBy),
        *((metric, name) for name in names for metric in ("pings_missing", "pings_missing_came")),
    )


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
    facts=(Visit, Sighting, Silence, Gap, Halt, Trip, Speeding, Revised),
    reasons=Reason,
    counters=_counters(OTHERS),
    # Every moving vehicle is dirty, so seconds; its orders hear of a visit that much later.
    interval_s=3.0,
    apart=Apart("past", Past),
    row=_row,
    measure=partial(_measure, partial(_name, {})),
)


def vehicles_of(source: Source, named: Mapping[Id, Source]) -> Role:
    """The agent for pings of sources that declare themselves, by name; `source` is what all others
    are of. Speed and zone are the wire's own. Pings are counted by their source if any has a
    name."""
    if source == Source() and not named:
        return VEHICLES
    world = world_by_source(source, named, WORLD)
    role = replace_in(VEHICLES, world=lambda live: world)
    if not named:
        return role
    name = partial(_name, named)
    groups = ("source_pings", lambda ping: name(ping.source))
    pings = replace_in(role.inputs[topics.PINGS], groups=groups)
    names = (*named, *OTHERS)
    results = (("source_pings", each, result) for each in names for result in RESULTS)
    return replace_in(
        role,
        inputs={**role.inputs, topics.PINGS: pings},
        counters=(*_counters(names), *results),
        measure=partial(_measure, name),
    )
