"""From late pings to the milestones that follow: both cores, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from geo.model import Ping, VehiclePlan, Visit
from geo.track import Track, World, step, wake
from orders import order as orders
from orders.model import Assigned, Code, InTransit, OrderStatus, Received
from orders.state import Order
from orders.state import World as OrderWorld
from tests.builders import at, ping, plan, stop

DEPOT = stop("depot")
STAY = [ping(s) for s in range(100, 400, 10)]
AWAY = [ping(s, 10 * (s - 400)) for s in range(410, 700, 10)]


class Road:
    """One vehicle and its order."""

    def __init__(self) -> None:
        self.track: Track | None = step(None, plan(DEPOT), at(0), World())[0]
        self.order: Order | None = None
        self.statuses: list[OrderStatus] = []
        events = (
            Received(order_id="o1", ts=at(-60)),
            Assigned(order_id="o1", ts=at(-30), vehicle_id="v1", stops=(DEPOT,)),
            InTransit(order_id="o1", ts=at(0)),
        )
        for event in events:
            self.order, _ = orders.step(self.order, event, event.ts, OrderWorld())

    def hear(self, pings: Sequence[Ping], now_s: float) -> Road:
        now = at(now_s)
        for each in pings:
            self.track, facts = step(self.track, each, now, World())
            self._tell(facts, now_s)
        assert self.track is not None
        self.track, facts = wake(self.track, now, World())
        self._tell(facts, now_s)
        return self

    def give(self, vehicle_id: str, second: float, now_s: float) -> None:
        """The order to a vehicle; what follows of it for the one that is followed here."""
        given = Assigned(order_id="o1", ts=at(second), vehicle_id=vehicle_id, stops=(DEPOT,))
        self.order, said = orders.step(self.order, given, at(now_s), OrderWorld())
        for each in said:
            if isinstance(each, VehiclePlan) and each.vehicle_id == "v1":
                self.track, facts = step(self.track, each, at(now_s), World())
                self._tell(facts, now_s)

    def _tell(self, facts: Sequence[object], now_s: float) -> None:
        for fact in facts:
            if isinstance(fact, Visit):
                self.order, said = orders.step(self.order, fact, at(now_s), OrderWorld())
                self.statuses += [s for s in said if isinstance(s, OrderStatus)]

    @property
    def standing(self) -> list[tuple[Code, int]]:
        """The milestones of visits that nothing supersedes, in seconds."""
        assert self.order is not None
        made = self.order.milestones
        replaced = {m.supersedes for m in made}
        return [
            (m.code, round((m.occurred_at - at(0)) / 1000))
            for m in made
            if m.source == "gps" and m.sequence not in replaced
        ]


def test_milestones_follow_pings_that_come_hours_late() -> None:
    road = Road().hear([ping(0, 2_000), *AWAY], 700)
    assert road.standing == []
    road.hear(STAY, 7_900)
    assert road.standing == [(Code.ARRIVED_PICKUP, 92), (Code.DEPARTED_PICKUP, 415)]
    assert {s.reported_at for s in road.statuses} == {at(7_900)}


def test_a_milestone_that_late_pings_correct_is_superseded_and_the_status_says_so() -> None:
    road = Road().hear([ping(0, 1_000), *STAY[10:], *AWAY], 700)
    [(_, first), _] = road.standing
    road.hear(STAY[:10], 900)
    assert first > 100
    assert road.standing == [(Code.ARRIVED_PICKUP, 85), (Code.DEPARTED_PICKUP, 415)]
    assert road.statuses[-1].milestones[-1].occurred_at == at(415)


def test_a_milestone_that_late_pings_disprove_leaves_the_status() -> None:
    road = Road().hear([ping(0, 1_000), ping(100, 10), ping(170, 0)], 180)
    assert [code for code, _ in road.standing] == [Code.ARRIVED_PICKUP]
    through = [ping(110, 300), ping(120, 500), ping(140, 600), ping(160, 300), ping(180, -200)]
    assert road.hear(through, 400).standing == []
    assert [m.source for m in road.statuses[-1].milestones] == ["event"] * 3


def test_a_visit_lost_to_another_vehicle_is_back_with_the_order() -> None:
    road = Road().hear([ping(0, 1_000), *STAY, *AWAY], 700)
    proven = road.standing
    assert len(proven) == 2
    road.give("v2", 50, 750)
    assert road.standing == []
    road.give("v1", 800, 800)
    assert road.standing == proven


def test_a_visit_that_comes_back_instead_of_another_takes_its_place() -> None:
    road = Road().hear([ping(0, 1_000), *STAY], 700)
    assert road.track is not None
    assert road.track.past is not None
    [first] = road.track.past.told
    other = replace(first, visit_id="other", arrived_at=at(300), version=1)
    gone = replace(first, version=2, retracted=True)
    back = replace(first, version=3, supersedes="other")
    road._tell([gone, other, back], 800)
    assert road.standing == [(Code.ARRIVED_PICKUP, 85)]
