"""Where each fact goes, and what each agent makes of Redis' rows and gauges."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from agents.alerts import ALERTS
from agents.orders import ORDERS
from agents.vehicles import VEHICLES, vehicles_of
from alerts.model import Alert, Rule, Severity, State
from geo.cleaning import Reason as CleaningReason
from geo.crs import Datum, from_wgs84
from geo.model import (
    Evidence,
    Gap,
    GapBy,
    Motion,
    Ping,
    Revised,
    Sighting,
    Silence,
    StopRole,
    VehiclePlan,
    Visit,
)
from geo.sources import Source, declared
from geo.track import Track
from orders.model import Age, Opened, OrderStatus, Stage
from stream import topics
from stream.keys import unpack_position
from stream.letters import VERDICTS, DeadLetter
from stream.metrics import Cells
from stream.role import Live, Role, counted
from stream.wire import decode_pings


class Sent:
    """A `Sender` that remembers (topic, key) of facts, and of answers whether they are open."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, str]] = []
        self.messages: list[Struct] = []
        self.answers: list[tuple[str, str, bool]] = []

    def send(self, topic: str, key: str, message: Struct) -> None:
        self.facts.append((topic, key))
        self.messages.append(message)

    def answer(self, topic: str, key: str, message: Any, *, open: bool) -> None:
        self.answers.append((topic, key, open))


def published(role: Role, fact: Any) -> Sent:
    sent = Sent()
    role.publish(fact, sent)
    return sent


def visit(order_id: str | None) -> Visit:
    evidence = Evidence("dwell", 2, 1, 2, 3.0)
    return Visit("v:s:1", "v", "s", StopRole.HUB, 1, 2, evidence, order_id=order_id)


def status(stage: Stage) -> OrderStatus:
    return OrderStatus(
        order_id="o",
        rev=0,
        stage=stage,
        stage_at=1,
        received_at=1,
        reported_at=2,
        age=Age.FRESH,
        vehicle_id=None,
        seen=None,
        milestones=(),
    )


def alert(state: State) -> Alert:
    return Alert("a", 0, Rule.FRESHNESS, "order:o", state, Severity.WARNING, 1, 1, 1, 2, 16.0, 15.0)


def test_a_visit_goes_to_the_vehicle_and_to_its_order() -> None:
    both = [(topics.VEHICLE_FACTS, "v"), (topics.ORDER_FACTS, "o")]
    assert published(VEHICLES, visit("o")).facts == both
    assert published(VEHICLES, visit(None)).facts == both[:1]


def test_a_sighting_goes_to_its_order_and_a_silence_to_its_vehicle() -> None:
    sighting = Sighting("o", "v", 1, 2.0, 3.0, Motion.MOVING, 4)
    assert published(VEHICLES, sighting).facts == [(topics.ORDER_FACTS, "o")]
    assert published(VEHICLES, Silence("v", 1, 2)).facts == [(topics.VEHICLE_FACTS, "v")]


def test_a_later_verdict_is_a_dead_letter_with_the_ping() -> None:
    ping = Ping("v", 5, 31.0, 121.0)
    sent = published(VEHICLES, Revised("v", ping, CleaningReason.IMPLIED_SPEED, "too fast", 9))
    assert sent.facts == [(topics.DEAD_LETTERS, "v")]
    [letter] = sent.messages
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.topic, letter.rejected_at) == ("implied_speed", VERDICTS, 9)
    assert decode_pings(letter.value) == (ping,)


def test_a_status_is_an_answer_that_is_open_until_the_order_ends() -> None:
    assert published(ORDERS, status(Stage.IN_TRANSIT)).answers == [(topics.ORDER_STATUS, "o", True)]
    assert published(ORDERS, status(Stage.SIGNED)).answers == [(topics.ORDER_STATUS, "o", False)]


def test_a_plan_goes_to_its_vehicle_and_a_signal_to_its_scope() -> None:
    assert published(ORDERS, VehiclePlan("v", 1, (), "o")).facts == [(topics.PLANS, "v")]
    assert published(ORDERS, Opened("order:o", 1, 2)).facts == [(topics.SIGNALS, "order:o")]


def test_an_alert_is_an_answer_that_is_open_until_it_is_resolved() -> None:
    assert published(ALERTS, alert(State.FIRING)).answers == [(topics.ALERT_EVENTS, "a", True)]
    assert published(ALERTS, alert(State.RESOLVED)).answers == [(topics.ALERT_EVENTS, "a", False)]


def test_a_row_says_where_and_how_a_vehicle_moves() -> None:
    assert VEHICLES.row is not None
    slow = Track(Ping("v", 5, 31.0, 121.0, speed_mps=1.0))
    quiet = Track(Ping("v", 5, 31.0, 121.0, speed_mps=20.0), silent_since=5)
    rows = [VEHICLES.row(state) for state in (slow, quiet)]
    motions = [unpack_position(row).motion for row in rows if row is not None]
    assert motions == [Motion.STANDING, Motion.SILENT]
    assert VEHICLES.row(Track()) is None


def test_a_feed_is_blamed_only_where_enough_orders_are_under_way() -> None:
    newest = {topics.ORDER_FACTS: 7}
    few = Live(0, newest, {("orders", Age.FRESH): 19})
    enough = Live(0, newest, {("orders", Age.FRESH): 19, ("orders", Age.PARKED): 1})
    assert (ORDERS.world(few).feed_at, ORDERS.world(enough).feed_at) == (None, 7)


def test_pings_of_a_source_in_gcj02_are_judged_by_its_thresholds_and_refused_as_they_came() -> None:
    role = vehicles_of(declared(["datum=gcj02,dwell_ms=90000"]), {})
    lat, lon = from_wgs84(31.2, 121.4, Datum.GCJ02)
    value = b'{"vehicle_id":"v","ts":1767225600000,"lat":%f,"lon":%f}' % (lat, lon)
    [ping] = role.inputs[topics.PINGS].decode(value)
    assert (round(ping.lat, 6), round(ping.lon, 6)) == (round(lat, 6), round(lon, 6))
    state, _ = role.core.step(None, ping, ping.ts, role.world(Live()))
    assert (round(state.last.lat, 5), round(state.last.lon, 5)) == (31.2, 121.4)
    assert role.world(Live()).visits.dwell_ms == 90_000


def test_an_ordinary_source_costs_nothing() -> None:
    assert vehicles_of(Source(), {}) is VEHICLES


NAMED = vehicles_of(Source(), {"north": Source(silent_after_ms=60_000)})
SENT = Ping("v", 1_767_225_600_000, 31.2, 121.4)


def test_each_ping_is_judged_by_the_rules_of_its_source() -> None:
    wakes = []
    for source in ("north", "south", None):
        ping = replace(SENT, source=source)
        state, _ = NAMED.core.step(None, ping, ping.ts, NAMED.world(Live()))
        wakes.append(NAMED.core.next_wake(state))
    assert wakes == [SENT.ts + 60_000, SENT.ts + 900_000, SENT.ts + 900_000]


def test_pings_are_counted_by_the_sources_that_have_declared_themselves() -> None:
    groups = NAMED.inputs[topics.PINGS].groups
    assert groups is not None
    name, label_of = groups
    labels = [label_of(replace(SENT, source=source)) for source in ("north", "south", None)]
    assert (name, labels) == ("source_pings", ["north", "other", "none"])
    assert VEHICLES.inputs[topics.PINGS].groups is None


def test_a_gap_goes_to_its_vehicle_and_is_counted_by_its_source() -> None:
    gap = Gap("v", GapBy.SEQUENCE, 1, 2, 7, 3, source="north")
    assert published(VEHICLES, gap).facts == [(topics.VEHICLE_FACTS, "v")]
    for role, label in ((NAMED, "north"), (VEHICLES, "other")):
        cells = Cells()
        for each in (gap, replace(gap, missing=2, came=5)):
            role.measure(each, cells)
        told = {
            (sample.name, *sample.labels.values()): sample.value
            for metric in cells.collect()
            for sample in metric.samples
        }
        assert told == {
            ("milepost_ping_gaps_total", label, "sequence"): 1.0,
            ("milepost_pings_missing_total", label): 7.0,
            ("milepost_pings_missing_came_total", label): 5.0,
        }


def test_every_label_of_a_source_is_exported_from_the_start() -> None:
    cells = set(counted(NAMED))
    for name in ("north", "other", "none"):
        assert {("pings_missing", name), ("source_pings", name, "accepted")} <= cells
        assert {("ping_gaps", name, by) for by in GapBy} <= cells
    assert ("pings_missing", "none") in set(counted(VEHICLES))
    assert ("source_pings", "none", "accepted") not in set(counted(VEHICLES))
