"""The same core over a recording, without a broker: what a file of pings comes to in the end.

Pings are taken in the order given, which is that of their arrival. What is said on the way and
corrected later does not appear: only what stands at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from geo.cleaning import Reason, Trail, Verdict, judge
from geo.gaps import overdue
from geo.inferred import presumed
from geo.lulls import Lull, lulls
from geo.model import (
    Gap,
    GapBy,
    Halt,
    Ms,
    Ping,
    Rejected,
    Speeding,
    Stop,
    Trip,
    VehicleFact,
    VehiclePlan,
    Visit,
)
from geo.motion import moves
from geo.past import CHUNK, Past, PastRule
from geo.plans import calls_of
from geo.spots import RECORD, Spot, packed, spot
from geo.track import Track, World, rules_of, step, wake

MAX_POSITIONS = 200_000
"""Remembered of one vehicle: a recording is in memory anyway, so two a second for a whole day."""
LATE_AT_ONCE = 256
"""Late positions wait until there are so many: a shuffled file is not worked out anew for each."""
NEVER: Ms = 253_402_300_799_999
"""The last `Ms`: after it nothing comes."""
BY_NEIGHBOURS = (Reason.IMPLIED_SPEED, Reason.SECOND_DEVICE)


@dataclass
class Outcome:
    """What stands after the last ping. Lists are by vehicle, then by time."""

    visits: list[Visit] = field(default_factory=list)
    halts: list[Halt] = field(default_factory=list)
    """Where a vehicle stood, planned or not."""
    trips: list[Trip] = field(default_factory=list)
    speedings: list[Speeding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    refused: list[tuple[Ping, Rejected]] = field(default_factory=list)
    """Pings that are no positions, as they came, each with its reason."""
    taken: int = 0
    """Pings that are positions."""

    def visits_alike(self) -> list[Visit]:
        """The visits without what tells how they came to be known."""
        return [replace(v, reported_at=0, version=0, supersedes=None) for v in self.visits]

    @property
    def rejected(self) -> Counter[str]:
        return Counter(why.reason for _, why in self.refused)


def offline(stops: Iterable[Stop], pings: Iterable[Ping], world: World | None = None) -> Outcome:
    """Every vehicle is looked for at each of `stops`, whose `stop_id`s must differ."""
    world = world or World(past=PastRule(max_positions=MAX_POSITIONS))
    wanted = tuple(stops)
    vehicles: dict[str, _Vehicle] = {}
    outcome = Outcome()
    for ping in pings:
        vehicle = vehicles.get(ping.vehicle_id)
        if vehicle is None:
            vehicle = vehicles[ping.vehicle_id] = _Vehicle(ping, wanted, world)
        refused = vehicle.take(ping)
        if refused is not None:
            outcome.refused.append((ping, refused))
    for vehicle_id in sorted(vehicles):
        vehicles[vehicle_id].end(outcome)
    return outcome


class _Vehicle:
    """Keeps the newest version of all that was said of one vehicle."""

    def __init__(self, first: Ping, stops: tuple[Stop, ...], world: World) -> None:
        self._world = world
        self._visits: dict[str, Visit] = {}
        self._state: Track | None = None
        self._positions: dict[Spot, Ping] = {}
        self._told: tuple[Visit, ...] = ()
        self._gaps: dict[tuple[object, ...], Gap] = {}
        """Those in the sender's numbers."""
        if stops:
            plan = VehiclePlan(first.vehicle_id, 0, stops)
            self._state, said = step(None, plan, _arrival(first), world)
            for fact in said:
                if isinstance(fact, Rejected):
                    raise ValueError(fact.detail)

    def take(self, ping: Ping) -> Rejected | None:
        """Step one ping. What is refused for its neighbours is told at the end, for then all of
        them are known."""
        odd = self._state.odd if self._state is not None else None
        if odd is not None and len(odd.late) >= LATE_AT_ONCE * RECORD:
            self._place_late()
        self._state, facts = step(self._state, ping, _arrival(ping), self._world)
        self._hear(facts)
        for fact in facts:
            if isinstance(fact, Rejected) and fact.reason not in BY_NEIGHBOURS:
                return fact
        self._positions[spot(ping)] = ping
        return None

    def end(self, outcome: Outcome) -> None:
        """Place what came late, and hand over what stands."""
        self._place_late()
        self._presume()
        outcome.visits += sorted(
            self._visits.values(), key=lambda v: (v.arrived_at, v.stop_id, v.visit_id)
        )
        world = rules_of(self._state.last if self._state is not None else None, self._world)
        trail, good, wrong = Trail(), list[Spot](), list[Verdict]()
        for each in sorted(self._positions):
            trail = judge(trail, each, good, wrong, world.limits)
        wrong += (Verdict(each, Reason.IMPLIED_SPEED) for each in trail.strays)
        outcome.taken += len(good)
        self._sort_moves(good, outcome, world)
        self._sort_gaps(good, outcome, world)
        limit = world.limits.max_mps * 3.6
        detail = f"not to be reached from the positions around it at {limit:.0f} km/h"
        outcome.refused += (
            (self._positions[each.spot], Rejected(each.reason, detail)) for each in wrong
        )

    def _presume(self) -> None:
        """Nothing is heard of it after the end."""
        state = self._state
        if state is not None and state.last is not None and state.plans is not None:
            last, stays = state.last, calls_of(state.plans).stays
            supposed = presumed(last.vehicle_id, stays, last.ts, rules_of(last, self._world).visits)
            self._visits.update((v.visit_id, v) for v in supposed)

    def _sort_gaps(self, good: list[Spot], outcome: Outcome, world: World) -> None:
        state = self._state
        if state is None or state.last is None:
            return
        last = state.last
        if state.gaps is not None and state.gaps.runs:
            self._hear(overdue(state.gaps, last.vehicle_id, last.source, NEVER)[1])
            outcome.gaps += sorted(self._gaps.values(), key=lambda gap: gap.since)
            return
        for lull in _lulls(good, world):
            by, since, until = GapBy.RATE, lull.since, lull.until
            gap = Gap(last.vehicle_id, by, since, until, lull.missing, 0, source=last.source)
            outcome.gaps.append(gap)

    def _sort_moves(self, good: list[Spot], outcome: Outcome, world: World) -> None:
        if not good:
            return
        vehicle_id = self._positions[good[0]].vehicle_id
        for move in moves(vehicle_id, good, world.motion):
            match move:
                case Halt():
                    outcome.halts.append(move)
                case Trip():
                    outcome.trips.append(move)
                case Speeding():
                    outcome.speedings.append(move)

    def _place_late(self) -> None:
        state = self._state
        if state is not None and state.odd is not None and state.odd.late:
            self._state, facts = wake(state, state.odd.due_at, self._world)
            self._hear(facts)

    def _hear(self, facts: Iterable[VehicleFact]) -> None:
        for fact in facts:
            if isinstance(fact, Visit):
                self._visits.pop(fact.supersedes or "", None)
                self._visits[fact.visit_id] = fact
                if fact.retracted:
                    del self._visits[fact.visit_id]
            elif isinstance(fact, Gap) and fact.by is GapBy.SEQUENCE:
                key = (fact.source, fact.since, fact.until)
                self._gaps[key] = replace(fact, reported_at=0, came=0)
                if not fact.missing:
                    del self._gaps[key]
        if self._state is not None and self._state.past is not None:
            # Late positions may add to the evidence without changing what is told.
            told = self._state.past.told
            if told is not self._told:
                self._told = told
                self._visits.update((v.visit_id, v) for v in told)


def _lulls(good: Sequence[Spot], world: World) -> list[Lull]:
    """As a vehicle finds them, 64 positions at a time."""
    found: list[Lull] = []
    seen, usual_ms, last = 0, 0, None
    for place in range(0, len(good), CHUNK):
        some = good[place : place + CHUNK]
        past = Past(trail=Trail(last))
        seen, usual_ms, new = lulls(
            seen, usual_ms, past, packed(some), NEVER, world.limits, world.gaps
        )
        found += new
        last = some[-1]
    return found


def _arrival(ping: Ping) -> Ms:
    return ping.ts if ping.received_at is None else ping.received_at
