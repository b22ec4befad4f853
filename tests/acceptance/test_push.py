"""Bytes on Kafka in, websocket frames out, whatever is killed on the way between them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Self

import msgspec
import pytest
from msgspec.structs import replace
from redis import Redis

from alerts.model import Alert
from commands import topics as topics_command
from commands.process import Server
from commands.processes import PushProcess
from commands.redis import RedisServer
from commands.simulate import Simulation, feed_simulation
from geo.model import Ping
from load_tests.faults import Faults
from load_tests.simulator import Options
from stream import keys, topics
from stream.config import Clock, Settings
from stream.store import STATE_PREFIX
from stream.wire import encode
from tests.acceptance import road
from tests.acceptance.follower import Data, Follower, Item
from tests.records import Put, latest, put
from tests.waiting import until
from tests.worker import Worker
from ws_server.auth import Tokens
from ws_server.hub import Grant
from ws_server.protocol import Role

SECRET = "a secret of the tests, long enough"
WAIT_S = 60.0
VICTIMS = ("worker", "push", "redis")
FAR = 4_000_000_000_000


class Site:
    """An installation with servers of its own, all of them mortal; the broker is shared."""

    def __init__(self, settings: Settings) -> None:
        self.redis = RedisServer()
        self._stack = ExitStack()
        self._stack.enter_context(self.redis)
        self.settings = replace(
            settings,
            redis=self.redis.url,
            clock=Clock.EVENT,
            session_timeout_s=3.0,
            push="127.0.0.1:0",
            token_secret=SECRET,
        )
        topics_command.create(self.settings)
        self.worker = self._stack.enter_context(Worker(self.settings))
        self.push = self._stack.enter_context(PushProcess(self.settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        with self._stack:
            if failed is None:
                said = self.push.log.read_text(errors="replace")
                assert "Traceback" not in said, said

    def follow(self, topics: Iterable[str], role: Role, *orders: str) -> Follower:
        token = Tokens(SECRET).mint(Grant("somebody", role, FAR, orders))
        address = f"{self.push.host}:{self.push.port}"
        return self._stack.enter_context(Follower(address, token, list(topics)))

    def kill(self, victims: str) -> None:
        """By SIGKILL, all of them before the first is started again."""
        servers: list[Server] = [getattr(self, victim) for victim in victims.split(" and ")]
        for server in servers:
            server.kill9()
        for server in servers:
            server.start()

    def say(self, records: Iterable[road.Record]) -> None:
        put(self.settings, [Put(r.topic, r.key.encode(), encode(r.message)) for r in records])


# One order's road.

TOPIC = f"order:{road.ORDER}"


class Walk:
    """The road of one order, as its customer and a dispatcher see it."""

    def __init__(self, site: Site, victims: str = "") -> None:
        self.site = site
        self.victims = victims
        self.customer = site.follow([TOPIC], Role.CUSTOMER, road.ORDER)
        self.dispatcher = site.follow(["orders", "alerts"], Role.DISPATCHER)

    def go(self) -> Self:
        received, reviewed, assigned = road.received()
        start, drive, arrive = _legs()
        self.step(road.traffic(0, 180), self.alerts)
        self.step([received], lambda: self.stage == "received")
        self.step([reviewed], lambda: self.stage == "reviewed")
        self.step([assigned], lambda: self.stage == "assigned" and self.has_plan(), kill=True)
        self.step(start, lambda: self.stage == "outbound")
        self.step(drive, lambda: self.stage == "in_transit", kill=True)
        self.step(arrive, lambda: self.is_at(arrive[-1]) and len(self.milestones) == 8)
        self.step(road.signed(), lambda: len(self.milestones) == 9, kill=True)
        self.step(road.traffic(6 * 60, 50 * 60), self.late_alert)
        return self

    def step(
        self, records: Iterable[road.Record], done: Callable[[], object], *, kill: bool = False
    ) -> None:
        self.site.say(records)
        if kill and self.victims:
            self.site.kill(self.victims)
        until(done, WAIT_S)

    @property
    def status(self) -> Data:
        item = self.customer.items[TOPIC].get(road.ORDER)
        return item.data if item else {}

    @property
    def stage(self) -> str | None:
        return self.status.get("stage")

    @property
    def milestones(self) -> list[tuple[str, int]]:
        return [(m["code"], m["occurred_at"]) for m in self.status.get("milestones", ())]

    def has_plan(self) -> bool:
        """Whether the vehicle's plan is in a committed checkpoint: then its visits are seen."""
        key = STATE_PREFIX + road.VEHICLE.encode()
        return key in latest(self.site.settings, topics.VEHICLE_STATE)

    def is_at(self, record: road.Record) -> bool:
        """Whether the customer sees the vehicle where this ping says."""
        row = self.customer.places.get(road.VEHICLE)
        assert isinstance(record.message, Ping)
        return row is not None and row[1] == record.message.ts

    def alerts(self) -> dict[str, Item]:
        return self.dispatcher.shows("alerts")

    def late_alert(self) -> bool:
        late = f"order:{road.LATE}"
        rules = [i.data["rule"] for i in self.alerts().values() if i.data["subject"] == late]
        rates = [i for i in self.alerts().values() if i.data["rule"] == "error_rate"]
        return "lead_time_exceeded" in rules and not rates

    def notices(self) -> list[tuple[str, int, int]]:
        """What a receiver would have sent: each (episode, seq) above the ones before."""
        sent = []
        for name, heard in self.dispatcher.heard.items():
            last = (0, 0)
            for item in heard:
                if "alert_id" in item.data:
                    number = item.data["episode"], item.data["seq"]
                    assert number >= last, "an alert went back"
                    if number > last:
                        sent.append((name, *number))
                    last = number
        return sent


def _legs() -> Iterator[list[road.Record]]:
    """Up to outbound, up to in transit, and the rest."""
    leg: list[road.Record] = []
    for record in road.under_way():
        leg.append(record)
        if record.topic == topics.ORDER_EVENTS:
            yield leg
            leg = []
    yield leg


@pytest.fixture(scope="module")
def undisturbed(installation: Callable[[], Settings]) -> Walk:
    with Site(installation()) as site:
        return Walk(site).go()


def in_turn(values: Iterable[str]) -> list[str]:
    """The values without immediate repetitions."""
    seen: list[str] = []
    for value in values:
        if not seen or seen[-1] != value:
            seen.append(value)
    return seen


def check(walk: Walk) -> None:
    customer = walk.customer.heard[road.ORDER]
    assert in_turn(item.data["stage"] for item in customer) == road.STAGES
    assert walk.milestones == road.MILESTONES
    assert walk.customer.wrong == walk.dispatcher.wrong == []
    assert len(walk.notices()) == len(set(walk.notices()))


def last_notices(walk: Walk) -> dict[str, tuple[int, int]]:
    """Of each alert. Which of those before were seen depends on what a write to Redis held."""
    return {name: (episode, seq) for name, episode, seq in walk.notices()}


def lasting(status: Data) -> Data:
    """A status without what depends on when its parts were told."""
    kept = {k: v for k, v in status.items() if k != "reported_at"}
    kept["milestones"] = [
        {k: v for k, v in milestone.items() if k != "reported_at"}
        for milestone in status["milestones"]
    ]
    return kept


def test_a_client_sees_each_stage_once_and_in_order(undisturbed: Walk) -> None:
    check(undisturbed)
    assert undisturbed.customer.connections == 1


@pytest.mark.parametrize("victims", [*VICTIMS, "redis and worker and push"])
def test_a_kill_changes_nothing_in_what_a_client_ends_up_with(
    settings: Settings, undisturbed: Walk, victims: str
) -> None:
    with Site(settings) as site:
        walk = Walk(site, victims).go()
    check(walk)
    assert lasting(walk.status) == lasting(undisturbed.status)
    assert last_notices(walk) == last_notices(undisturbed)
    assert {n: i.data["state"] for n, i in walk.alerts().items()} == {
        n: i.data["state"] for n, i in undisturbed.alerts().items()
    }
    assert (walk.customer.connections > 1) is ("push" in victims)


# A fleet.


def test_a_dispatcher_ends_up_with_what_redis_holds(settings: Settings) -> None:
    """Worker, push and Redis are killed one after the other while a fleet drives."""
    stop = threading.Event()
    with Site(settings) as site, ThreadPoolExecutor(1) as aside:
        dispatcher = site.follow(["orders", "alerts", "fleet"], Role.DISPATCHER)
        fed = aside.submit(feed_simulation, site.settings, FLEET, stop)
        try:
            until(lambda: all(shown(dispatcher)), WAIT_S)
            for victim in VICTIMS:
                site.kill(victim)
                wait_for_news(dispatcher)
        finally:
            stop.set()
        assert sum(fed.result().by_topic.values()) > 0
        until(lambda: is_quiet(site.worker), WAIT_S, every_s=0.2)
        with Redis.from_url(site.settings.redis) as redis:
            until(lambda: shown(dispatcher) == held(redis), WAIT_S)
    assert dispatcher.wrong == []
    orders, alerts, _ = shown(dispatcher)
    # What a refill made again is of the fleet's time, which is not ours.
    newest = max(a.reported_at for a in alerts.values())
    assert max(newest, *(o["reported_at"] for _, o in orders.values())) < START + DAY_MS / 2


DAY_MS = 86_400_000
START = time.time_ns() // 1_000_000 - DAY_MS
FLEET = Simulation(
    Options(
        start=START,
        vehicles=20,
        orders=60,
        ping_s=10,
        # In a fleet of yesterday a clock that is ahead is not seen to be wrong, only to be first.
        faults=Faults(wave_rate=0.3, silent_share=0.2, late_order_share=0.1, future_rate=0.0),
    ),
    speed=60.0,
)


def told(dispatcher: Follower) -> tuple[int, int]:
    """How much it has been told of orders, and the newest position."""
    newest = max(row[1] for row in list(dispatcher.places.values()))
    return sum(len(heard) for heard in list(dispatcher.heard.values())), newest


def wait_for_news(dispatcher: Follower) -> None:
    """Of orders as well as of positions."""
    heard, newest = told(dispatcher)

    def came() -> bool:
        now_heard, now_newest = told(dispatcher)
        return now_heard > heard and now_newest > newest

    until(came, WAIT_S)


def is_quiet(worker: Worker) -> bool:
    """Everything is taken in, committed and shown."""
    now = worker.scrape()
    waiting = ("consumer_lag_records", "checkpoint_held", "redis_waiting")
    return not any(now.total(name) for name in waiting)


Shown = tuple[dict[str, tuple[int, Data]], dict[str, Alert], dict[str, list[Any]]]


def shown(dispatcher: Follower) -> Shown:
    """The lists of orders and alerts, and the fleet."""
    orders = {n: (i.rev, i.data) for n, i in dispatcher.shows("orders").items()}
    alerts = {n: msgspec.convert(i.data, Alert) for n, i in dispatcher.shows("alerts").items()}
    return orders, alerts, dict(dispatcher.places)


def held(redis: Any) -> Shown:
    """The same, of Redis."""
    orders = {}
    for name, status in listed(redis, keys.ORDERS).items():
        del status["milestones"]
        orders[name] = status.pop("rev"), status
    alerts = {n: msgspec.convert(a, Alert) for n, a in listed(redis, keys.ALERTS).items()}
    places = {
        vehicle.decode(): [vehicle.decode(), *keys.unpack_position(packed)]
        for number in range(road.PARTITIONS)
        for vehicle, packed in redis.hgetall(keys.positions(number)).items()
    }
    return orders, alerts, places


def listed(redis: Any, what: str) -> dict[str, Data]:
    """The answers that are open."""
    names = [
        name.decode()
        for number in range(road.PARTITIONS)
        for name in redis.smembers(keys.open_index(what, number))
    ]
    answers = {name: redis.hget(keys.entity(what, name), keys.ANSWER) for name in names}
    return {name: msgspec.json.decode(answer) for name, answer in answers.items()}
