"""An order's whole road through real Kafka and a real worker that is killed at a random moment."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from alerts.model import Alert, Rule, State
from commands import topics as topics_command
from commands.kafka import KafkaServer
from commands.processes import WorkerProcess
from commands.redis import RedisServer
from orders.model import OrderStatus
from stream import topics
from stream.config import Clock, Settings
from stream.store import STATE_PREFIX
from stream.wire import encode
from tests.acceptance import road
from tests.waiting import until

SEEDS = range(1, 21)
AT_ONCE = 3
"""Roads walked at the same time: two cores are busy with them."""
WAIT_S = 90.0


class Walk:
    """One installation with its worker, and the means to say things to it and hear it."""

    def __init__(self, kafka: KafkaServer, redis: RedisServer, seed: int) -> None:
        name = f"road{seed}"
        self.settings = Settings(
            brokers=kafka.bootstrap,
            redis=redis.url,
            app=name,
            topic_prefix=f"{name}.",
            partitions=road.PARTITIONS,
            clock=Clock.EVENT,
            http="127.0.0.1:0",
            session_timeout_s=3.0,
        )
        topics_command.create(self.settings)
        self.worker = WorkerProcess(self.settings)
        self._producer = Producer(
            {"bootstrap.servers": kafka.bootstrap, "partitioner": "murmur2_random", "linger.ms": 5}
        )

    def say(self, records: Iterable[road.Record]) -> None:
        for record in records:
            topic = self.settings.topic(record.topic)
            self._producer.produce(topic, encode(record.message), record.key)
        assert self._producer.flush(WAIT_S) == 0

    def hear(self, topic: str) -> dict[str, list[bytes]]:
        """All that is committed on a topic by now: record key to its values, in order."""
        heard: dict[str, list[bytes]] = {}
        for key, value in committed(self.settings, topic):
            heard.setdefault(key, []).append(value)
        return heard

    def statuses(self, order_id: str) -> list[OrderStatus]:
        said = self.hear(topics.ORDER_STATUS).get(order_id, [])
        return [msgspec.json.decode(value, type=OrderStatus) for value in said]

    def alerts(self) -> list[Alert]:
        said = self.hear(topics.ALERT_EVENTS).values()
        return [msgspec.json.decode(value, type=Alert) for values in said for value in values]

    def knows_plan(self) -> bool:
        """Whether the vehicle's plan is in a committed checkpoint."""
        key = (STATE_PREFIX + road.VEHICLE.encode()).decode()
        return key in self.hear(topics.VEHICLE_STATE)

    def milestones(self) -> list[tuple[str, int]]:
        statuses = self.statuses(road.ORDER)
        return [(m.code, m.occurred_at) for m in statuses[-1].milestones] if statuses else []


def committed(settings: Settings, topic: str) -> Iterator[tuple[str, bytes]]:
    """The records of a topic that are committed now."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.brokers,
            "group.id": "nobody",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    numbers = range(settings.partitions)
    consumer.assign([TopicPartition(settings.topic(topic), n, 0) for n in numbers])
    open_ends = set(numbers)
    try:
        while open_ends:
            message = consumer.poll(WAIT_S)
            assert message is not None, "the broker says nothing"
            if message.error():
                open_ends.discard(message.partition())
            elif message.value() is not None:
                yield (message.key() or b"").decode(), message.value()
    finally:
        consumer.close()


def begin(one: Walk) -> None:
    one.say(road.traffic(0, 180))
    one.say(road.received())
    until(one.knows_plan, WAIT_S)


def drive(one: Walk) -> None:
    one.say(road.under_way())
    until(lambda: len(one.milestones()) == len(road.MILESTONES) - 1, WAIT_S)


def sign(one: Walk) -> None:
    one.say(road.signed())
    until(lambda: len(one.milestones()) == len(road.MILESTONES), WAIT_S)


def let_time_pass(one: Walk) -> None:
    one.say(road.traffic(6 * 60, 50 * 60))
    until(lambda: quiet(one), WAIT_S)


STEPS = (begin, drive, sign, let_time_pass)


def walk(one: Walk, seed: int) -> None:
    """Say the whole script; somewhere in it the worker is killed and started again."""
    dice = random.Random(seed)
    killed_in = dice.choice(STEPS)
    one.worker.start()
    for step in STEPS:
        if step is killed_in:
            disturbed(one, step, after_s=dice.uniform(0.0, 1.5))
        else:
            step(one)
    one.worker.stop()


def disturbed(one: Walk, step: Callable[[Walk], None], after_s: float) -> None:
    """The step, with the worker killed `after_s` after it began."""
    with ThreadPoolExecutor(1) as aside:
        going_on = aside.submit(step, one)
        time.sleep(after_s)
        # From this thread, which lives on: a process ends with the thread that started it.
        one.worker.kill9()
        one.worker.start()
        going_on.result()


def quiet(one: Walk) -> bool:
    """Whether the script's last alert is over and the late order's has come."""
    said = one.alerts()
    over = any(a.rule is Rule.ERROR_RATE and a.state is State.RESOLVED for a in said)
    return over and any(a.subject == f"order:{road.LATE}" for a in said)


def check(one: Walk) -> None:
    statuses = one.statuses(road.ORDER)
    assert in_turn(status.stage for status in statuses) == road.STAGES
    assert one.milestones() == road.MILESTONES
    revs = [status.rev for status in statuses]
    assert revs == sorted(set(revs))

    late = [a for a in one.alerts() if a.subject == f"order:{road.LATE}"]
    firing = [a for a in late if a.rule is Rule.LEAD_TIME and a.state is State.FIRING]
    assert [(a.seq, a.since) for a in firing] == [(1, road.LATE_AT + 48 * road.HOUR + 1)]

    rate = [a for a in one.alerts() if a.rule is Rule.ERROR_RATE]
    assert in_turn(a.state for a in rate if a.state is not State.PENDING) == [
        State.FIRING,
        State.RECOVERING,
        State.RESOLVED,
    ]


def in_turn(values: Iterable[str]) -> list[str]:
    """The values without immediate repetitions."""
    seen: list[str] = []
    for value in values:
        if not seen or seen[-1] != value:
            seen.append(value)
    return seen


@pytest.fixture(scope="module")
def walked(kafka: KafkaServer) -> dict[int, Walk]:
    """Every seed's walk, done; several at a time, since each mostly waits."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        walks = pool.map(lambda seed: _walked(kafka, seed), SEEDS)
        return dict(zip(SEEDS, walks, strict=True))


def _walked(kafka: KafkaServer, seed: int) -> Walk:
    with RedisServer() as redis:
        one = Walk(kafka, redis, seed)
        try:
            walk(one, seed)
        finally:
            one.worker.close()
    return one


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_road_is_the_same_whenever_the_worker_is_killed(
    walked: dict[int, Walk], seed: int
) -> None:
    check(walked[seed])
