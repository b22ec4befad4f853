"""Pings that come hours late through real Kafka, a worker killed between them.

A truck's device is out of reach while it passes through a hub and calls at a delivery. What it
remembers comes in arrays, shuffled and partly twice. In the end everybody has been told what they
would have been told had every ping come when it was taken; and what was told wrongly meanwhile has
been taken back, by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby
from typing import Any, Self, TypeVar

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace
from redis import Redis

from alerts.model import Alert, Rule, State
from commands import topics as topics_command
from commands.redis import RedisServer
from geo.cleaning import Reason
from geo.model import Ping, Sighting, Silence, Visit
from orders.model import Age, Code, Milestone, OrderStatus, Stage
from stream import keys, topics
from stream.config import Clock, Settings
from stream.letters import DeadLetter
from stream.store import STATE_PREFIX
from stream.wire import encode
from tests.acceptance import late, road
from tests.acceptance.late import BACK_MIN
from tests.records import Put, latest, put, read
from tests.waiting import until
from tests.worker import Worker

WAIT_S = 60.0

Told = TypeVar("Told", bound=Struct)
Fact = Visit | Silence | Sighting


class Site:
    """An installation with a Redis of its own and one worker at a time."""

    def __init__(self, settings: Settings) -> None:
        self._stack = ExitStack()
        self.redis = self._stack.enter_context(RedisServer())
        self.settings = replace(
            settings, redis=self.redis.url, clock=Clock.EVENT, session_timeout_s=3.0
        )
        topics_command.create(self.settings)
        self.worker = self._stack.enter_context(Worker(self.settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def kill(self) -> None:
        """By SIGKILL; another worker takes over."""
        self.worker.kill9()
        self.worker = self._stack.enter_context(Worker(self.settings))

    def say(self, records: Iterable[road.Record]) -> None:
        put(self.settings, [Put(r.topic, r.key.encode(), encode(r.message)) for r in records])

    def send(self, *several: Ping | Sequence[Ping]) -> None:
        """Each a record: one ping, or an array of them."""
        values = (msgspec.json.encode(one) for one in several)
        put(self.settings, [Put(topics.PINGS, road.VEHICLE.encode(), value) for value in values])

    def heard(self, topic: str, kind: Any) -> Iterator[Any]:
        """What is committed on a topic by now."""
        return (msgspec.json.decode(r.value, type=kind) for r in read(self.settings, topic)[topic])

    def statuses(self) -> list[OrderStatus]:
        said = self.heard(topics.ORDER_STATUS, OrderStatus)
        return [status for status in said if status.order_id == road.ORDER]

    def visits(self, topic: str = topics.VEHICLE_FACTS) -> list[Visit]:
        return [fact for fact in self.heard(topic, Fact) if isinstance(fact, Visit)]

    def freshness(self) -> list[Alert]:
        """What was said of the order's freshness, in order."""
        scope = f"order:{road.ORDER}"
        said = self.heard(topics.ALERT_EVENTS, Alert)
        return [a for a in said if (a.subject, a.rule) == (scope, Rule.FRESHNESS)]

    def letters(self) -> list[DeadLetter]:
        return list(self.heard(topics.DEAD_LETTERS, DeadLetter))

    def shown(self, what: str, name: str) -> bytes:
        """The answer in Redis."""
        redis: Any = Redis.from_url(self.settings.redis)
        with redis:
            answer: bytes = redis.hget(keys.entity(what, name), keys.ANSWER)
            return answer

    def until(self, condition: Callable[[], object]) -> None:
        until(condition, WAIT_S, every_s=0.2)


class Tour:
    """One order's tour, punctual or late."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def begin(self) -> None:
        self.site.say(late.planned())
        key = STATE_PREFIX + road.VEHICLE.encode()
        self.site.until(lambda: key in latest(self.site.settings, topics.VEHICLE_STATE))
        self.site.say(late.under_way())

    def go(self) -> Self:
        """Every ping comes when it was taken."""
        self.begin()
        self.site.send(*late.punctual())
        self.site.until(lambda: Code.DEPARTED_DELIVERY in self.codes())
        return self.end()

    def go_late(self) -> Self:
        site = self.site
        self.begin()
        site.send(*(replace(ping, received_at=ping.ts) for ping in late.heard()))
        site.until(lambda: Code.ARRIVED_HUB in self.codes())
        site.say(late.traffic(27, BACK_MIN))
        site.until(lambda: self.is_alerted(State.FIRING, Age.PARKED))
        site.send(late.at_once(late.way_on(), BACK_MIN))
        site.kill()
        site.until(lambda: self.is_alerted(State.FIRING, Age.DEVICE_SILENT))
        site.until(lambda: Code.ARRIVED_HUB not in self.codes())
        site.send(late.at_once(late.behind(), BACK_MIN + 1))
        site.until(lambda: Code.DEPARTED_DELIVERY in self.codes())
        site.kill()
        site.send(late.at_once(late.call(), BACK_MIN + 2))
        site.send(replace(late.OLD, received_at=late.at(BACK_MIN + 3)))
        site.until(lambda: site.worker.scrape().total("pings_total", result=Reason.ARCHIVED))
        site.send(*(replace(ping, received_at=ping.ts) for ping in late.back()))
        site.until(lambda: self.is_alerted(State.RECOVERING, "cleared"))
        site.say(late.traffic(BACK_MIN + 10, BACK_MIN + 20))
        site.until(lambda: self.is_alerted(State.RESOLVED, "cleared"))
        return self.end()

    def end(self) -> Self:
        self.site.say(late.signed())
        self.site.until(lambda: self.site.statuses()[-1].stage is Stage.SIGNED)
        return self

    def codes(self) -> list[Code]:
        """Of the milestones that stand now."""
        statuses = self.site.statuses()
        return [m.code for m in standing(statuses[-1])] if statuses else []

    def is_alerted(self, state: State, reason: str) -> bool:
        said = self.site.freshness()
        return bool(said) and (said[-1].state, said[-1].reason) == (state, reason)


def standing(status: OrderStatus) -> list[Milestone]:
    replaced = {m.supersedes for m in status.milestones}
    return [m for m in status.milestones if m.sequence not in replaced]


def lasting(status: OrderStatus) -> list[tuple[Code, int, str | None, str]]:
    """What does not depend on when it was told."""
    return [(m.code, m.occurred_at, m.stop_id, m.source) for m in standing(status)]


def in_the_end(visits: Iterable[Visit]) -> dict[str, Visit]:
    """What stands of all that was told, by id."""
    newest = {visit.visit_id: visit for visit in visits}
    replaced = {visit.supersedes for visit in newest.values()}
    return {n: v for n, v in newest.items() if not v.retracted and n not in replaced}


def by_id(visits: Iterable[Visit]) -> dict[str, list[Visit]]:
    told: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        told[visit.visit_id].append(visit)
    return told


@pytest.fixture(scope="module")
def punctual(installation: Callable[[], Settings]) -> Iterator[Tour]:
    with Site(installation()) as site:
        yield Tour(site).go()


@pytest.fixture(scope="module")
def tour(installation: Callable[[], Settings]) -> Iterator[Tour]:
    with Site(installation()) as site:
        yield Tour(site).go_late()


def test_visits_are_those_of_pings_that_came_in_time(tour: Tour, punctual: Tour) -> None:
    found, expected = in_the_end(tour.site.visits()), in_the_end(punctual.site.visits())
    assert [v.stop_id for v in expected.values()] == [road.PICKUP.stop_id, road.DELIVERY.stop_id]
    assert not any(v.inferred for v in expected.values())
    assert times(found) == times(expected)


def times(visits: dict[str, Visit]) -> dict[str, tuple[str, int, int | None, bool]]:
    return {n: (v.stop_id, v.arrived_at, v.departed_at, v.inferred) for n, v in visits.items()}


def test_each_version_of_a_visit_is_told_once_and_to_the_order_as_well(tour: Tour) -> None:
    for told in by_id(tour.site.visits()).values():
        assert [visit.version for visit in told] == list(range(1, len(told) + 1))
    assert by_id(tour.site.visits(topics.ORDER_FACTS)) == by_id(tour.site.visits())


def test_what_was_told_wrongly_is_taken_back_by_name(tour: Tour) -> None:
    told = by_id(tour.site.visits())
    [hub] = [several for several in told.values() if several[0].stop_id == late.HUB.stop_id]
    assert (hub[0].retracted, hub[-1].retracted) == (False, True)
    [guess, call] = [s for s in told.values() if s[0].stop_id == road.DELIVERY.stop_id]
    assert guess[0].inferred
    assert call[-1].supersedes == guess[0].visit_id
    assert guess[0].arrived_at != call[-1].arrived_at


def test_the_order_ends_with_the_milestones_of_pings_that_came_in_time(
    tour: Tour, punctual: Tour
) -> None:
    last, expected = tour.site.statuses()[-1], punctual.site.statuses()[-1]
    assert lasting(last) == lasting(expected)
    assert [m.code for m in standing(last)] == late.CODES


def test_a_milestone_told_wrongly_is_superseded_or_gone(tour: Tour) -> None:
    statuses = tour.site.statuses()
    told = {m.sequence: m for status in statuses for m in status.milestones}
    assert Code.ARRIVED_HUB in {m.code for m in told.values()}
    last = {m.code: m for m in standing(statuses[-1])}
    arrived, departed = last[Code.ARRIVED_DELIVERY], last[Code.DEPARTED_DELIVERY]
    assert arrived.supersedes is not None
    guess = told[arrived.supersedes]
    assert (guess.code, guess.sequence < arrived.sequence) == (Code.ARRIVED_DELIVERY, True)
    assert guess.occurred_at != arrived.occurred_at
    assert guess.confidence < arrived.confidence
    before = [m for m in told.values() if m.code is Code.DEPARTED_DELIVERY]
    assert before[0].occurred_at != departed.occurred_at == before[-1].occurred_at
    revs = [status.rev for status in statuses]
    assert revs == sorted(set(revs))


def test_the_alert_that_rested_on_a_visit_follows(tour: Tour) -> None:
    said = tour.site.freshness()
    turns = [turn for turn, _ in groupby(said, lambda alert: (alert.state, alert.reason))]
    assert turns[:2] == [(State.FIRING, Age.PARKED), (State.FIRING, Age.DEVICE_SILENT)]
    assert turns[-2:] == [(State.RECOVERING, "cleared"), (State.RESOLVED, "cleared")]
    assert {alert.episode for alert in said} == {1}


def test_redis_shows_what_was_told_last(tour: Tour) -> None:
    site = tour.site
    status, alert = site.statuses()[-1], site.freshness()[-1]
    site.until(lambda: site.shown(keys.ORDERS, road.ORDER) == encode(status))
    assert site.shown(keys.ALERTS, alert.alert_id) == encode(alert)


def test_a_ping_of_the_day_before_is_archived_and_counted(tour: Tour) -> None:
    site = tour.site
    archived = [letter for letter in site.letters() if letter.reason == Reason.ARCHIVED]
    pings = [msgspec.json.decode(letter.value or b"", type=Ping) for letter in archived]
    assert [ping.ts for ping in pings] == [late.OLD.ts]
    assert site.worker.scrape().total("pings_total", result=Reason.ARCHIVED) == 1


def test_what_came_twice_is_counted_and_nothing_else_is_refused(tour: Tour) -> None:
    counted = tour.site.worker.scrape().by("result", "pings_total")
    last = [*late.at_once(late.call(), 0), late.OLD, *late.back()]
    twice = len(late.call()[::3])
    assert counted == {"duplicate": twice, "archived": 1, "accepted": len(last) - twice - 1}
    assert {letter.reason for letter in tour.site.letters()} == {Reason.ARCHIVED}
