"""The same core over a recording, without a broker: what a file of pings comes to in the end.

Pings are taken in the order given, which is that of their arrival. What is said on the way and
corrected later does not appear: only what stands at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from geo.model import Halt, Ms, Ping, Rejected, Stop, Trip, VehicleFact, VehiclePlan, Visit
from geo.track import Track, World, next_wake, step, wake


@dataclass
class Outcome:
    """What stands after the last ping. Lists are by vehicle, then by time."""

    visits: list[Visit] = field(default_factory=list)
    halts: list[Halt] = field(default_factory=list)
    """Where a vehicle stood, planned or not."""
    trips: list[Trip] = field(default_factory=list)
    refused: list[tuple[Ping, Rejected]] = field(default_factory=list)
    """Pings that are no positions, as they came, each with its reason."""
    taken: int = 0
    """Pings that are positions."""

    @property
    def rejected(self) -> Counter[str]:
        return Counter(why.reason for _, why in self.refused)


def offline(stops: Iterable[Stop], pings: Iterable[Ping], world: World | None = None) -> Outcome:
    """Every vehicle is looked for at each of `stops`, whose `stop_id`s must differ."""
    world = world or World()
    wanted = tuple(stops)
    vehicles: dict[str, _Vehicle] = {}
    outcome = Outcome()
    for ping in pings:
        vehicle = vehicles.get(ping.vehicle_id)
        if vehicle is None:
            vehicle = vehicles[ping.vehicle_id] = _Vehicle(ping, wanted, world)
        refused = vehicle.take(ping)
        if refused is None:
            outcome.taken += 1
        else:
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
        if stops:
            plan = VehiclePlan(first.vehicle_id, 0, stops)
            self._state, said = step(None, plan, _arrival(first), world)
            for fact in said:
                if isinstance(fact, Rejected):
                    raise ValueError(fact.detail)

    def take(self, ping: Ping) -> Rejected | None:
        """Step one ping, and before it what is due by then."""
        now = _arrival(ping)
        self._wake(now)
        self._state, facts = step(self._state, ping, now, self._world)
        refused = [fact for fact in facts if isinstance(fact, Rejected)]
        self._hear(facts)
        return refused[0] if refused else None

    def end(self, outcome: Outcome) -> None:
        """Place what came late, and hand over what stands."""
        self._wake(LAST_MS)
        outcome.visits += sorted(
            self._visits.values(), key=lambda v: (v.arrived_at, v.stop_id, v.visit_id)
        )

    def _wake(self, now: Ms) -> None:
        state = self._state
        due = None if state is None else next_wake(state)
        if state is not None and due is not None and due <= now:
            self._state, facts = wake(state, now, self._world)
            self._hear(facts)

    def _hear(self, facts: Iterable[VehicleFact]) -> None:
        for visit in facts:
            if isinstance(visit, Visit):
                self._visits.pop(visit.supersedes or "", None)
                self._visits[visit.visit_id] = visit
                if visit.retracted:
                    del self._visits[visit.visit_id]
        if self._state is not None and self._state.past is not None:
            # Late positions may add to the evidence without changing what is told.
            self._visits.update((v.visit_id, v) for v in self._state.past.told)


LAST_MS: Ms = 253_402_300_799_999


def _arrival(ping: Ping) -> Ms:
    return ping.ts if ping.received_at is None else ping.received_at
