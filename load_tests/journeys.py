"""A vehicle's working day with its stops: where it is to call, where it only passes, and what truly
happened.

How this works. The day begins and ends in a yard of the fleet. In between the vehicle calls at its
stops in turn, two to an order. A fence lies around the place as an address book has it, some
metres off the dock. What is true of a call: when the vehicle crossed the circle of the fence, when
it stood, when it moved off for good and when it crossed the circle again. Where it only drove
through, even past a red light, there is no call.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from geo.model import Fence, Ms, Ping, Stop, StopRole, VehiclePlan
from load_tests.places import Place
from load_tests.receivers import Receiver, fixes
from load_tests.roads import CITY_MPS, WALK_MPS, XY, YARD_MPS, Node, Ride, Sky, Streets, drive
from load_tests.uplinks import Uplink, carried

ORIGIN = Place(31.2, 121.4)
START: Ms = 1_767_571_200_000
"""2026-01-05T00:00:00Z."""

YARD_S = 3_600.0
"""In the yard before the day and after it; longer than any device that lives keeps quiet."""
YARD = "yard"


@dataclass(frozen=True)
class TrueStay:
    """One call. `entered` and `left` are None where nobody can say: the day begins or ends inside,
    or the vehicle only goes over to the dock next door, within both fences."""

    stop_id: str
    stood: Ms
    moved: Ms
    entered: Ms | None
    left: Ms | None


@dataclass(frozen=True)
class Tour:
    """What a day is like."""

    calls: int = 8
    leg_m: tuple[float, float] = (1_500.0, 6_000.0)
    stay_s: tuple[float, float, float] = (240.0, 900.0, 3_600.0)
    """Least, median, most."""
    enter_m: float = 150.0
    exit_m: float = 250.0
    astray_m: float = 15.0
    """Standard deviation each way of the fence's middle from the dock."""
    drive_bys: int = 4
    """Planned stops that are passed and not called at."""
    next_door: bool = False
    """Every second call is at the dock next to the one before; on that one's other side there is a
    planned dock that is not called at."""
    brief_exits: bool = False
    """Half of the calls are interrupted by a turn around the block."""
    rests: int = 0
    """Times it stands at the roadside, away from every fence, for as long as a call."""
    streets: Streets = Streets()
    dock_skies: tuple[Sky, ...] = (Sky.YARD, Sky.STREET, Sky.OPEN)


@dataclass
class Journey:
    """All there is of one vehicle: what it was asked, what it sent, what is true."""

    vehicle_id: str
    plans: list[VehiclePlan]
    pings: list[Ping]
    """With `received_at`, in the order of their reception."""
    stays: list[TrueStay]
    passed: frozenset[str]
    """Stops at which it never called."""


@dataclass
class _Draft:
    rng: random.Random
    tour: Tour
    here: XY = (0.0, 0.0)
    nodes: list[Node] = field(default_factory=list)
    docks: dict[str, XY] = field(default_factory=dict)
    passed: dict[str, XY] = field(default_factory=dict)

    def yard(self) -> None:
        self.nodes.append(Node((0.0, 0.0), YARD_MPS, hold_s=YARD_S, sky=Sky.YARD, call=YARD))
        self.here = (0.0, 0.0)

    def call(self, name: str, dock: XY) -> None:
        rng, tour = self.rng, self.tour
        sky = rng.choice(tour.dock_skies)
        self.nodes += tour.streets.way(rng, self.here, dock)
        pace = WALK_MPS[1] if tour.streets.on_foot else YARD_MPS
        gate = self._near(dock, rng.uniform(40, 90))
        if not tour.streets.on_foot:
            self.nodes.append(Node(gate, CITY_MPS[0], pace, sky=Sky.STREET))
        stay_s = self.stay_s()
        if tour.brief_exits and rng.random() < 0.5:
            half = Node(dock, pace, hold_s=stay_s / 2, sky=sky, call=name)
            out = self._near(dock, tour.exit_m + rng.uniform(60, 120))
            self.nodes += [half, Node(gate, pace, pace, sky=sky), Node(out, CITY_MPS[0], 3.0)]
            stay_s /= 2
        self.nodes.append(Node(dock, pace, hold_s=stay_s, sky=sky, call=name))
        self.docks[name] = self.here = dock

    def call_next_door(self, name: str, neighbour: str) -> None:
        """At a dock 100 m away; on the other side, 110 m away, lies one not called at."""
        (x, y), turn = self.here, self.rng.uniform(0, 2 * math.pi)
        away = turn + math.pi + self.rng.uniform(-1, 1)
        self.passed[neighbour] = (x + 110 * math.cos(away), y + 110 * math.sin(away))
        self.call(name, (x + 100 * math.cos(turn), y + 100 * math.sin(turn)))

    def goal(self) -> XY:
        """A place of its own: of two calls in one place nobody could say which was which."""
        apart_m = 2 * self.tour.exit_m
        while True:
            goal = self._near(self.here, self.rng.uniform(*self.tour.leg_m))
            others = ((0.0, 0.0), *self.docks.values(), *self.passed.values())
            if all(math.dist(goal, other) > apart_m for other in others):
                return goal

    def stay_s(self) -> float:
        least, median, most = self.tour.stay_s
        return min(max(median * self.rng.lognormvariate(0, 0.6), least), most)

    def _near(self, place: XY, metres: float) -> XY:
        turn = self.rng.uniform(0, 2 * math.pi)
        return place[0] + metres * math.cos(turn), place[1] + metres * math.sin(turn)


def journey(seed: str, tour: Tour, receiver: Receiver, uplink: Uplink) -> Journey:
    """The same seed gives the same day."""
    rng = random.Random(seed)
    vehicle_id = seed.rpartition(":")[2]
    draft = _drafted(rng, tour)
    ride = drive((0.0, 0.0), draft.nodes)
    places = _addresses(rng, draft, tour)
    stays = _true_stays(ride, places, tour)
    fixed = fixes(random.Random(f"{seed}:receiver"), ride, receiver)
    sent = [
        Ping(
            vehicle_id,
            START + round(fix.second * 1000),
            *_lat_lon(fix.place),
            speed_mps=fix.speed_mps,
            accuracy_m=fix.accuracy_m,
        )
        for fix in fixed
    ]
    pings = carried(random.Random(f"{seed}:uplink"), sent, uplink)
    plans = _plans(vehicle_id, places, draft, tour)
    return Journey(vehicle_id, plans, pings, stays, frozenset(draft.passed))


def _drafted(rng: random.Random, tour: Tour) -> _Draft:
    draft = _Draft(rng, tour)
    draft.yard()
    for n in range(tour.calls):
        if tour.next_door and n % 2:
            draft.call_next_door(f"stop-{n}", f"neighbour-{n}")
        else:
            draft.call(f"stop-{n}", draft.goal())
    draft.nodes += tour.streets.way(rng, draft.here, (0.0, 0.0))
    draft.yard()
    _add_drive_bys(draft)
    _add_rests(draft)
    return draft


def _add_drive_bys(draft: _Draft) -> None:
    """Fences on the way, beside corners, far enough from every place where it truly stands."""
    rng, tour = draft.rng, draft.tour
    free_m = 2 * tour.exit_m + 100.0
    corners = [n.place for n in draft.nodes if not n.call]
    rng.shuffle(corners)
    kept: list[XY] = []
    for x, y in corners:
        place = (x + rng.gauss(0, 30), y + rng.gauss(0, 30))
        others = [(0.0, 0.0), *draft.docks.values(), *kept]
        if len(kept) < tour.drive_bys and all(math.dist(place, o) > free_m for o in others):
            kept.append(place)
    draft.passed |= {f"passed-{n}": place for n, place in enumerate(kept)}


def _add_rests(draft: _Draft) -> None:
    """At corners outside of every fence, if only by the width of a road."""
    rng, tour = draft.rng, draft.tour
    fenced = [(0.0, 0.0), *draft.docks.values(), *draft.passed.values()]
    free_m = tour.exit_m + 2 * tour.astray_m + 20.0
    free = [
        n
        for n, node in enumerate(draft.nodes)
        if not node.call and all(math.dist(node.place, place) > free_m for place in fenced)
    ]
    for n in rng.sample(free, min(tour.rests, len(free))):
        draft.nodes[n] = replace(draft.nodes[n], hold_s=draft.stay_s())


def _addresses(rng: random.Random, draft: _Draft, tour: Tour) -> dict[str, XY]:
    """Where the fences lie: not quite at the docks, but never so far that the dock is outside."""
    astray_m = min(tour.astray_m, 10.0) if tour.next_door else tour.astray_m
    found: dict[str, XY] = {YARD: (0.0, 0.0)}
    for name, (x, y) in draft.docks.items():
        dx, dy = (max(-2.0, min(2.0, rng.gauss(0, 1))) * astray_m for _ in range(2))
        found[name] = (x + dx, y + dy)
    return found | draft.passed


def _true_stays(ride: Ride, places: dict[str, XY], tour: Tour) -> list[TrueStay]:
    """Holds for one call in a row are one stay."""
    merged: list[Hold] = []
    for name, since, until in ride.holds:
        if merged and merged[-1][0] == name:
            merged[-1] = (name, merged[-1][1], until)
        else:
            merged.append((name, since, until))
    found = []
    for before, (name, since, until), after in _with_neighbours(merged):
        place = places[name]
        entered = ride.crossing(place, tour.enter_m, since, -1)
        left = ride.crossing(place, tour.enter_m, until, +1)
        came = entered > ride.seconds[0] and not _meets(places, before, place, tour)
        went = left < ride.end and not _meets(places, after, place, tour)
        found.append(
            TrueStay(
                name,
                _ms(since),
                _ms(until),
                _ms(entered) if came else None,
                _ms(left) if went else None,
            )
        )
    return found


Hold = tuple[str, float, float]


def _with_neighbours(holds: list[Hold]) -> Iterator[tuple[Hold | None, Hold, Hold | None]]:
    return zip([None, *holds[:-1]], holds, [*holds[1:], None], strict=True)


def _meets(places: dict[str, XY], hold: Hold | None, place: XY, tour: Tour) -> bool:
    """Whether the fence of that hold reaches into this one."""
    return hold is not None and math.dist(places[hold[0]], place) < 2 * tour.enter_m


def _plans(vehicle_id: str, places: dict[str, XY], draft: _Draft, tour: Tour) -> list[VehiclePlan]:
    """The yard is the fleet's own; two calls make an order; what is passed is another order's."""

    def stop(name: str, role: StopRole) -> Stop:
        return Stop(name, role, Fence(*_lat_lon(places[name]), tour.enter_m, tour.exit_m))

    called = list(draft.docks)
    plans = [VehiclePlan(vehicle_id, START, (stop(YARD, StopRole.SITE),))]
    for n in range(0, len(called), 2):
        roles = zip(called[n : n + 2], (StopRole.PICKUP, StopRole.DELIVERY), strict=False)
        stops = tuple(stop(name, role) for name, role in roles)
        plans.append(VehiclePlan(vehicle_id, START, stops, f"order-{n // 2}"))
    for name in draft.passed:
        stops = (stop(name, StopRole.DELIVERY),)
        plans.append(VehiclePlan(vehicle_id, START, stops, f"other-{name}"))
    return plans


def _lat_lon(place: XY) -> tuple[float, float]:
    moved = ORIGIN.moved(*place)
    return round(moved.lat, 7), round(moved.lon, 7)


def _ms(second: float) -> Ms:
    return START + round(second * 1000)
