"""Ten thousand bad records on each input topic of a worker on real Kafka, good ones between them.

What must come of a record is read off the record: the wire's decoder says which messages it holds
and which parts are refused. What the cores refuse among the decodable ones depends on what came
before; there the letters must agree with the worker's own count, and with the bytes of the record
that each of them names.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import msgspec
import pytest
from aiokafka.structs import ConsumerRecord
from msgspec import Struct

from agents.alerts import ALERTS
from agents.orders import ORDERS
from agents.vehicles import VEHICLES
from alerts.model import Alert, Rule, State
from commands import topics as topics_command
from geo.model import Motion, Ms, Ping, Rejected, Sighting, VehiclePlan
from geo.track import Track
from orders.model import Age, Aged, Assigned, LastSeen, OrderStatus, Received, Signal, Stage
from stream import topics
from stream.config import Settings
from stream.letters import MAX_VALUE_BYTES, VERDICTS, DeadLetter, Reason
from stream.role import Input
from stream.store import STATE_PREFIX
from stream.wire import encode
from tests.bad_input import DECODERS, bad_records
from tests.builders import stop
from tests.records import Put, latest, put, read
from tests.waiting import until
from tests.worker import Metrics, Worker, milepost

BAD = 10_000
EVERY = 20
"""A good record stands after so many bad ones."""
GOOD = range(BAD // EVERY)

INPUTS: dict[str, Input] = {**VEHICLES.inputs, **ORDERS.inputs, **ALERTS.inputs}

STOP = stop()


def ids(what: str) -> list[str]:
    """Of the good messages of one topic; no mutation of an example is called like them."""
    return [f"good-{what}-{n:03}" for n in GOOD]


@dataclass(frozen=True)
class Script:
    """The good messages, all at one time."""

    now: Ms

    def pings(self) -> list[Ping]:
        return [Ping(name, self.now, 31.2, 121.4) for name in ids("heard")]

    def plans(self) -> list[VehiclePlan]:
        return [VehiclePlan(name, self.now, (STOP,), "o") for name in ids("planned")]

    def events(self) -> list[Received]:
        return [Received(order_id=name, ts=self.now) for name in ids("received")]

    def sightings(self) -> list[Sighting]:
        return [
            Sighting(name, f"of-{name}", self.now, 31.2, 121.4, Motion.MOVING, self.now)
            for name in ids("sighted")
        ]

    def signals(self) -> list[Signal]:
        return [
            Aged(f"order:{name}", self.now - 1_000, self.now, Age.DEVICE_SILENT)
            for name in ids("aged")
        ]

    def beforehand(self) -> Iterator[Put]:
        """Whoever is to be sighted must be an order with a vehicle."""
        for name in ids("sighted"):
            event = Assigned(order_id=name, ts=self.now, vehicle_id=f"of-{name}", stops=(STOP,))
            yield Put(topics.ORDER_EVENTS, name.encode(), encode(event))

    def good(self) -> dict[str, list[Put]]:
        keyed: dict[str, tuple[Sequence[Struct], str]] = {
            topics.PINGS: (self.pings(), "vehicle_id"),
            topics.PLANS: (self.plans(), "vehicle_id"),
            topics.ORDER_EVENTS: (self.events(), "order_id"),
            topics.ORDER_FACTS: (self.sightings(), "order_id"),
            topics.SIGNALS: (self.signals(), "scope"),
        }
        return {
            topic: [Put(topic, getattr(m, key).encode(), encode(m)) for m in messages]
            for topic, (messages, key) in keyed.items()
        }

    def mixed(self) -> Iterator[Put]:
        """All topics at once, so that the agents work side by side."""
        bad = {topic: list(_bad(topic, seed)) for seed, topic in enumerate(INPUTS)}
        for topic, good in self.good().items():
            for n, record in enumerate(good):
                yield from bad[topic][n * EVERY : (n + 1) * EVERY]
                yield record


def _bad(topic: str, seed: int) -> Iterator[Put]:
    """Bad bytes under all sorts of keys; among them records without a value, and a big one."""
    random = Random(seed)
    values: list[bytes | None] = [*bad_records(topic, BAD - 6, seed)]
    for value in (None, None, None, b"", b"[" * 900_000, b"\xff" * 900_000):
        values.insert(random.randrange(len(values)), value)
    for value in values:
        yield Put(topic, random.choice([None, b"truck-7", b"", random.randbytes(9)]), value)


@dataclass(frozen=True)
class Outcome:
    """What was there when the worker had come to rest."""

    settings: Settings
    script: Script
    metrics: Metrics
    records: dict[str, list[ConsumerRecord]]
    """On the input topics, the worker's own among them."""
    letters: list[DeadLetter]
    pids: tuple[int, int]
    """Of the worker, at first and at last."""
    ready: tuple[int, str]
    log: str


@pytest.fixture(scope="module")
def outcome(installation: Callable[[], Settings]) -> Outcome:
    settings, script = installation(), Script(time.time_ns() // 1_000_000)
    topics_command.create(settings)
    with Worker(settings) as worker:
        pid = worker.pid
        put(settings, script.beforehand())
        until(lambda: worker.scrape().total("facts_total", fact="orderstatus") >= len(GOOD))
        put(settings, script.mixed())
        metrics, records = _at_rest(worker, settings)
        letters = [
            msgspec.json.decode(record.value, type=DeadLetter)
            for record in read(settings, topics.DEAD_LETTERS)[topics.DEAD_LETTERS]
        ]
        pids = (pid, worker.pid)
        ready, log = worker.get("/readyz"), worker.said()
    return Outcome(settings, script, metrics, records, letters, pids, ready, log)


def _at_rest(worker: Worker, settings: Settings) -> tuple[Metrics, dict[str, list[ConsumerRecord]]]:
    """Once everything is taken in and saved, also what the worker itself put on its inputs."""
    while True:
        until(lambda: _idle(worker.scrape()), within_s=90, every_s=0.5)
        before = worker.scrape()
        records = read(settings, *INPUTS)
        after = worker.scrape()
        if _idle(after) and taken(before) == taken(after):
            return after, records


def _idle(metrics: Metrics) -> bool:
    waiting = metrics.total("consumer_lag_records") + metrics.total("checkpoint_held")
    return not waiting and sum(taken(metrics).values()) >= len(INPUTS) * BAD


def taken(metrics: Metrics) -> dict[str, int]:
    """Messages taken in, by topic."""
    return {
        topic: int(metrics.total(f"{source.counter}_total")) for topic, source in INPUTS.items()
    }


def messages(outcome: Outcome) -> Iterator[tuple[str, ConsumerRecord, Sequence[object]]]:
    for topic, records in outcome.records.items():
        for record in records:
            yield topic, record, DECODERS[topic](record.value)


Refusal = tuple[str, str, int, int, bytes | None, int]
"""Reason, topic, partition, offset, the bytes as far as they are kept, and how many they were."""


def refusals(outcome: Outcome) -> Counter[Refusal]:
    """What the wire refuses of the records, read off the records."""
    found: Counter[Refusal] = Counter()
    for _, record, held in messages(outcome):
        for message in held:
            if isinstance(message, Rejected):
                raw = message.part or record.value
                kept = None if raw is None else raw[:MAX_VALUE_BYTES]
                place = (record.topic, record.partition, record.offset)
                found[(message.reason, *place, kept, len(raw or b""))] += 1
    return found


def is_of_the_wire(letter: DeadLetter) -> bool:
    return letter.reason in set(Reason) - {Reason.FAILED}


def test_nothing_stopped(outcome: Outcome) -> None:
    assert outcome.pids[0] == outcome.pids[1]
    assert outcome.ready == (200, "ok\n")
    assert re.findall(r"lost \(.*|.*starting again|Traceback.*", outcome.log) == []


def test_every_message_was_taken_in_once(outcome: Outcome) -> None:
    held = Counter[str]()
    for topic, _, found in messages(outcome):
        held[topic] += len(found)
    assert taken(outcome.metrics) == held


def test_every_good_ping_and_plan_is_in_a_vehicles_state(outcome: Outcome) -> None:
    decoder = msgspec.msgpack.Decoder(tuple[int, Track])
    stored = latest(outcome.settings, topics.VEHICLE_STATE)

    def state(name: str) -> Track:
        return decoder.decode(stored[STATE_PREFIX + name.encode()])[1]

    script = outcome.script
    assert [state(ping.vehicle_id).last for ping in script.pings()] == script.pings()
    planned = [state(plan.vehicle_id).plans for plan in script.plans()]
    assert all(plans is not None and plans.claims for plans in planned)


def test_every_good_order_event_and_sighting_is_in_a_status(outcome: Outcome) -> None:
    stored = latest(outcome.settings, topics.ORDER_STATUS)

    def status(name: str) -> OrderStatus:
        return msgspec.json.decode(stored[name.encode()], type=OrderStatus)

    script = outcome.script
    received = [status(event.order_id) for event in script.events()]
    assert {(s.stage, s.received_at) for s in received} == {(Stage.RECEIVED, script.now)}
    seen = [status(sighting.order_id).seen for sighting in script.sightings()]
    assert seen == [LastSeen(s.ts, s.lat, s.lon) for s in script.sightings()]


def test_every_good_signal_became_an_alert(outcome: Outcome) -> None:
    stored = latest(outcome.settings, topics.ALERT_EVENTS).values()
    alerts = [msgspec.json.decode(value, type=Alert) for value in stored]
    firing = {a.subject for a in alerts if (a.rule, a.state) == (Rule.FRESHNESS, State.FIRING)}
    assert {signal.scope for signal in outcome.script.signals()} <= firing


def test_what_the_wire_refuses_is_a_dead_letter_once_with_its_origin_and_bytes(
    outcome: Outcome,
) -> None:
    found = Counter(
        (one.reason, one.topic, one.partition, one.offset, one.value, one.size)
        for one in outcome.letters
        if is_of_the_wire(one)
    )
    expected = refusals(outcome)
    assert len(expected) > len(INPUTS) * BAD / 2
    assert found == expected


def test_what_a_core_refuses_is_a_dead_letter_with_the_bytes_of_its_message(
    outcome: Outcome,
) -> None:
    good = {
        (record.topic, record.partition, record.offset): (record.value, found)
        for _, record, found in messages(outcome)
    }
    for one in outcome.letters:
        if not is_of_the_wire(one) and one.topic != VERDICTS:
            raw, found = good[one.topic, one.partition, one.offset]
            if len(found) == 1:
                assert one.value == raw[:MAX_VALUE_BYTES]
            else:
                assert one.value in {encode(m) for m in found if isinstance(m, Struct)}


def test_a_later_verdict_is_on_a_ping_that_was_sent(outcome: Outcome) -> None:
    held = (found for topic, _, found in messages(outcome) if topic == topics.PINGS)
    sent = {place_of(message) for found in held for message in found if isinstance(message, Ping)}
    verdicts = [one for one in outcome.letters if one.topic == VERDICTS]
    judged = [msgspec.json.decode(one.value or b"", type=Ping) for one in verdicts]
    assert {place_of(ping) for ping in judged} <= sent
    counted = outcome.metrics.by("reason", "rejected_total")
    assert all(counted[one.reason] for one in verdicts)


def place_of(ping: Ping) -> tuple[str, int, float, float]:
    return ping.vehicle_id, ping.ts, ping.lat, ping.lon


def test_letters_and_counters_agree_and_none_is_about_our_own_code(outcome: Outcome) -> None:
    prefix = outcome.settings.topic_prefix
    letters: dict[str, Counter[str]] = {topic: Counter() for topic in INPUTS}
    for one in outcome.letters:
        if one.topic == VERDICTS:
            continue
        letters[one.topic.removeprefix(prefix)][one.reason] += 1
    for topic, source in INPUTS.items():
        counted = outcome.metrics.by("result", f"{source.counter}_total")
        taken_on = {"accepted", "forwarded"}
        kept = {r: n for r, n in counted.items() if r not in taken_on | source.unkept}
        assert letters[topic] == kept
        assert Reason.FAILED not in counted


def test_milepost_rejected_lists_those_of_a_reason(outcome: Outcome) -> None:
    wanted = [one for one in outcome.letters if one.reason == Reason.WRONG_SHAPE]
    command = ("rejected", "--json", "--reason", Reason.WRONG_SHAPE, "--limit", str(len(wanted)))
    code, listed, _ = milepost(*command, settings=outcome.settings)
    found = [msgspec.json.decode(line, type=DeadLetter) for line in listed.splitlines()]
    assert code == 0
    assert Counter(found) == Counter(wanted)


def test_milepost_rejected_counts_them_by_topic_and_reason(outcome: Outcome) -> None:
    code, said, _ = milepost("rejected", "--limit", "0", settings=outcome.settings)
    counts = Counter((one.topic, one.reason) for one in outcome.letters)
    rows = {tuple(line.split()) for line in said.splitlines()}
    assert code == 0
    assert rows >= {(topic, reason, f"{n:,}") for (topic, reason), n in counts.items()}
