"""A seeded fleet with its orders, as the records its devices and its order system would produce.

How this works. Vehicles tick every `ping_s`; a tick makes a true position, the link to the broker
makes records of it (none, one, several, later). Records wait in a heap until their time has come,
so what comes out is in the order of `at`. A vehicle always knows its tour and the next one; when a
tour begins, the one after it is planned and all events of its orders are put into the heap. At the
start every vehicle is somewhere in the middle of a tour and its orders have a past.

Nothing here reads a clock: the same options give the same records, byte for byte.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from geo.model import Fence, Ms, Ping, Stop, StopRole
from load_tests.consignments import Shift, order_events
from load_tests.faults import Faults, Link, Silences, encode, spoiled
from load_tests.fleet import MIN_MS, Consignment, Fate, Fix, customer, plan_tour
from load_tests.places import Depot, depots
from orders.model import InTransit, OrderEvent, Outbound
from stream.topics import ORDER_EVENTS, PINGS

HOUR_MS = 3_600_000
LATE_ORDER_MS = 48 * HOUR_MS
"""The age at which an order's lead time alerts (research/field.md §9)."""

EVENT_DELAY_MS = 200
LONG_HAUL_SHARE = 0.2
LONG_HAUL_M = 150_000.0


class Record(NamedTuple):
    """One Kafka record: `at` is when it is produced (Unix ms), `topic` the base name."""

    at: Ms
    topic: str
    key: str
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Options:
    start: Ms
    """Where the simulated time begins; events before it are the past that the start brings along.
    """
    vehicles: int = 500
    orders: int = 2_000
    """Orders on the tours under way at the start; every further tour brings as many new ones."""
    seed: int = 1
    duration_s: float | None = None
    """None: for ever."""
    ping_s: float = 10.0
    catch_up_s: float = 24.0
    """Orders outbound at the start are said to be so from half as long to as long after it:
    by then their vehicles have been heard, so that not all of them seem stale at first."""
    noise_m: float = 4.0
    """Standard deviation of a fix, each way."""
    faults: Faults = field(default_factory=Faults)


def simulate(options: Options) -> Iterator[Record]:
    """Records in the order of `at`; those before `options.start` are history and come first."""
    world = _World(options)
    for vehicle in world.vehicles:
        vehicle.begin()
    end = None if options.duration_s is None else options.start + int(options.duration_s * 1000)
    ticks = [(vehicle.first_tick, n) for n, vehicle in enumerate(world.vehicles)]
    heapq.heapify(ticks)
    while ticks:
        ts, n = ticks[0]
        yield from world.due(ts if end is None else min(ts, end))
        if end is not None and ts > end:
            return
        vehicle = world.vehicles[n]
        vehicle.tick(ts)
        heapq.heapreplace(ticks, (ts + vehicle.ping_ms, n))


class _World:
    """What the vehicles share: depots, order numbers, and the records whose time has not come."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.faults = replace(options.faults, start=options.start)
        self.depots = depots(random.Random(f"{options.seed}:depots"))
        self._stamp = f"{datetime.fromtimestamp(options.start / 1000, UTC):%m%d%H%M}"
        self._waiting: list[tuple[Ms, int, Record]] = []
        self._tie = itertools.count()
        self._order_number = itertools.count(1)
        self.vehicles = [_Vehicle(self, n) for n in range(options.vehicles)]

    def put(self, record: Record) -> None:
        heapq.heappush(self._waiting, (record.at, next(self._tie), record))

    def due(self, ts: Ms) -> Iterator[Record]:
        while self._waiting and self._waiting[0][0] <= ts:
            yield heapq.heappop(self._waiting)[2]

    def next_order_id(self, depot: Depot) -> str:
        """The start is part of it, so that two runs do not speak of the same order."""
        return f"{depot.city.code}-{self._stamp}-{next(self._order_number):05d}"


class _Vehicle:
    """One vehicle with its present and its next tour. Each concern draws from its own random
    numbers.
    """

    shift: Shift
    following: Shift

    def __init__(self, world: _World, n: int) -> None:
        options, seed = world.options, f"{world.options.seed}:{n}"
        self.world = world
        self.depot = world.depots[n % len(world.depots)]
        self.vehicle_id = f"{self.depot.city.code}-T{n + 1:04d}"
        self.ping_ms = max(100, int(options.ping_s * 1000))
        self.rng = random.Random(seed)
        self.order_rng = random.Random(f"{seed}:orders")
        self.noise_rng = random.Random(f"{seed}:noise")
        self.silences = Silences(random.Random(f"{seed}:silence"), world.faults, options.start)
        self.link = Link(random.Random(f"{seed}:link"), world.faults, self.ping_ms)
        whole, rest = divmod(options.orders, options.vehicles)
        self.load = whole + (n < rest)
        phase = int(self.rng.random() * self.ping_ms)
        self.first_tick = self.silences.since if self.silences.at_start else options.start + phase

    def begin(self) -> None:
        """Put the vehicle into the middle of a tour, with its orders' past, and plan the next."""
        hub, roads = self._hub(), self.rng.getrandbits(64)
        load = self._consignments(hub)
        length = plan_tour(random.Random(roads), 0, self.depot, hub, load).end
        begun = self.world.options.start - int(self.rng.random() * length)
        tour = plan_tour(random.Random(roads), begun, self.depot, hub, load)
        before = begun - int(self.rng.uniform(2, 20) * HOUR_MS)
        self.shift = Shift(self.vehicle_id, tour, open_from=before, assign_from=before)
        self._announce(self.shift, load, first=True)
        self._plan_following()

    def tick(self, ts: Ms) -> None:
        while ts >= self.shift.tour.end:
            self.shift = self.following
            self._plan_following()
        ping = self._ping(self.shift.tour.at(ts), ts)
        if self.silences.covers(ts):
            return
        for at, value in self.link.carry(ping):
            self.world.put(Record(at, PINGS, self.vehicle_id, value))

    def _plan_following(self) -> None:
        tour, hub = self.shift.tour, self._hub()
        load = self._consignments(hub)
        following = plan_tour(self.rng, tour.end, self.depot, hub, load)
        homewards = tour.legs[-1].start
        self.following = Shift(self.vehicle_id, following, tour.start, assign_from=homewards)
        self._announce(self.following, load, first=False)

    def _hub(self) -> Depot | None:
        here, depots = self.depot, self.world.depots
        far = [
            other
            for other in depots
            if other.city is not here.city and here.place.metres_to(other.place) < LONG_HAUL_M
        ]
        return self.rng.choice(far) if far and self.rng.random() < LONG_HAUL_SHARE else None

    def _consignments(self, hub: Depot | None) -> list[Consignment]:
        return [self._consignment(hub or self.depot) for _ in range(self.load)]

    def _consignment(self, around: Depot) -> Consignment:
        order_id = self.world.next_order_id(self.depot)
        place = customer(self.rng, around.place)
        fence = Fence(lat=place.lat, lon=place.lon)
        stop = Stop(stop_id=f"{order_id}-C", role=StopRole.DELIVERY, fence=fence)
        return Consignment(order_id, stop, _fate(self.order_rng.random(), self.world.faults))

    def _announce(self, shift: Shift, load: list[Consignment], *, first: bool) -> None:
        for order in load:
            received = self._late_since(shift, order) if first else None
            events = order_events(self.order_rng, shift, order, received, self.world.faults)
            self._put_events(list(events))

    def _late_since(self, shift: Shift, order: Consignment) -> Ms | None:
        """Half of the late orders are past 48 h at the start, half pass it in the minutes after."""
        chance, past, share = (self.order_rng.random() for _ in range(3))
        start, delivery = self.world.options.start, shift.tour.deliveries.get(order.order_id)
        if chance >= self.world.faults.late_order_share or not delivery or delivery.arrive <= start:
            return None
        offset = -6 * HOUR_MS if past < 0.5 else 3 * MIN_MS
        return start - LATE_ORDER_MS + int(share * offset)

    def _put_events(self, events: list[OrderEvent]) -> None:
        start, last = self.world.options.start, 0
        waits = int(self.order_rng.uniform(0.5, 1.0) * self.world.options.catch_up_s * 1000)
        under_way = events[-1].ts > start
        for event in events:
            at = event.ts + EVENT_DELAY_MS
            if under_way and at < start and isinstance(event, Outbound | InTransit):
                at = start + waits
            last = max(at, last + 1)
            self._put_event(event, last)

    def _put_event(self, event: OrderEvent, at: Ms) -> None:
        value = encode(event)
        self.world.put(Record(at, ORDER_EVENTS, event.order_id, value))
        if self.order_rng.random() < self.world.faults.garbage_rate:
            bad = spoiled(self.order_rng, value)
            self.world.put(Record(at, ORDER_EVENTS, event.order_id, bad))

    def _ping(self, fix: Fix, ts: Ms) -> Ping:
        rng, noise_m = self.noise_rng, self.world.options.noise_m
        seen = fix.place.moved(rng.gauss(0, noise_m), rng.gauss(0, noise_m))
        heading = None if fix.heading_deg is None else round(fix.heading_deg, 1)
        return Ping(
            vehicle_id=self.vehicle_id,
            ts=ts,
            lat=round(seen.lat, 6),
            lon=round(seen.lon, 6),
            speed_mps=round(max(0.0, fix.speed_mps + rng.gauss(0, 0.3)), 1) if heading else 0.0,
            heading_deg=heading,
            accuracy_m=round(noise_m * rng.uniform(1.0, 2.5), 1),
        )


def _fate(chance: float, faults: Faults) -> Fate:
    if chance < faults.cancel_rate:
        return Fate.CANCELLED
    return Fate.RETURNED if chance < faults.cancel_rate + faults.return_rate else Fate.DELIVERED
