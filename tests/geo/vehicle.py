"""A vehicle that takes pings and plans, and remembers what was told of its visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from geo.model import Ms, Ping, Rejected, VehicleFact, VehiclePlan, Visit
from geo.track import Track, World, step, wake
from tests.builders import at

WORLD = World()


@dataclass
class Vehicle:
    world: World = WORLD
    state: Track | None = None
    told: list[Visit] = field(default_factory=list)
    """As they were told, one after the other."""
    rejected: list[Rejected] = field(default_factory=list)

    def take(self, *events: Ping | VehiclePlan) -> Vehicle:
        """Each event half a second after its time, and at once what late ones change."""
        for event in events:
            now = event.ts + 500
            self.state, facts = step(self.state, event, now, self.world)
            if self.state is not None and self.state.odd is not None:
                self.state, more = wake(self.state, self.state.odd.due_at, self.world)
                facts = [*facts, *more]
            self._note(facts)
        return self

    def fall_silent(self) -> Vehicle:
        assert self.state is not None
        assert self.state.wake_at is not None
        self.state, facts = wake(self.state, self.state.wake_at, self.world)
        self._note(facts)
        return self

    def _note(self, facts: Sequence[VehicleFact]) -> None:
        self.told += (visit for visit in facts if isinstance(visit, Visit))
        self.rejected += (fact for fact in facts if isinstance(fact, Rejected))
        versions = [v.version for v in self.told if v.visit_id == self.told[-1].visit_id]
        assert versions == sorted(set(versions))

    @property
    def visits(self) -> list[Visit]:
        """Those that stand, by arrival."""
        standing: dict[str, Visit] = {}
        for visit in self.told:
            standing.pop(visit.supersedes or "", None)
            standing[visit.visit_id] = visit
        return sorted(
            (v for v in standing.values() if not v.retracted),
            key=lambda v: (v.arrived_at, v.stop_id, v.order_id or ""),
        )

    @property
    def times(self) -> list[tuple[float, float | None]]:
        """(arrived, departed) of the visits that stand, in whole seconds."""
        return [seconds(v) for v in self.visits]

    @property
    def stops(self) -> list[str]:
        return [f"{v.stop_id}:{v.order_id}" for v in self.visits]


def seconds(visit: Visit) -> tuple[int, int | None]:
    departed = visit.departed_at
    return _second(visit.arrived_at), None if departed is None else _second(departed)


def _second(ts: Ms) -> int:
    return round((ts - at(0)) / 1000)
