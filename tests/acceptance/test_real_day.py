"""A real fleet's day through real Kafka: `milepost replay` into `milepost worker --role vehicles`.

The day is judged by two others: what can be counted from the file alone, and a plain run of the
core over the file. Both must know what time it is for whom: a partition's clock is the newest
reception among its own vehicles. `pytest -s` prints the figures of the README.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

import msgspec
import pytest
from msgspec.structs import replace

from commands import topics as topics_command
from geo import track
from geo.model import Fence, Ms, Ping, Silence, Stop, StopRole, VehicleFact, VehiclePlan, Visit
from stream import topics
from stream.config import Clock, Settings
from stream.topics import partition_of
from stream.wire import encode
from tests import jersey
from tests.records import Put, put, read
from tests.waiting import until
from tests.worker import Metrics, Worker, milepost

PINGS = 198_075
DISTINCT = 9_744
RESTATED = 188_331
"""The README of the data, and tests/geo/test_jersey.py."""

YARD = Fence(lat=40.6877, lon=-74.0920, enter_m=150.0, exit_m=250.0)
"""The place is the data's README. Counted in rings of 25 m around it, distinct fixes are densest at
50 to 100 m and fewest at 125 to 150 m: the yard ends there. The exit radius leaves 100 m for the
error of a standing receiver."""

WORLD = track.World()
PARTITIONS = 4

Fact = Visit | Silence


@dataclass(frozen=True)
class Day:
    """What the worker made of it."""

    metrics: Metrics
    visits: list[Visit]
    silences: dict[str, list[Silence]]
    """By unit, in the order of the topic."""


@pytest.fixture(scope="module")
def day(installation: Callable[[], Settings]) -> Day:
    jersey.require_data()
    settings = replace(installation(), clock=Clock.EVENT, partitions=PARTITIONS)
    topics_command.create(settings)
    with Worker(settings, "vehicles") as worker:
        plans = [yard_plan(unit) for unit in sorted({ping.vehicle_id for ping in jersey.pings()})]
        put(settings, (Put(topics.PLANS, p.vehicle_id.encode(), encode(p)) for p in plans))
        until(lambda: worker.scrape().total("plans_total", result="accepted") == len(plans))
        began = time.monotonic()
        code, said, complained = milepost("replay", str(jersey.FILE), settings=settings)
        assert (code, complained) == (0, ""), said
        until(lambda: worker.scrape().total("pings_total") >= PINGS, within_s=120, every_s=0.2)
        took_s = time.monotonic() - began
        until(lambda: worker.scrape().total("checkpoint_held") == 0)
        day = _read(settings, worker.scrape())
    _print(day, said, took_s)
    return day


def yard_plan(unit: str) -> VehiclePlan:
    return VehiclePlan(unit, 0, (Stop("yard", StopRole.SITE, YARD),))


def _read(settings: Settings, metrics: Metrics) -> Day:
    decoder: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)
    records = read(settings, topics.VEHICLE_FACTS)[topics.VEHICLE_FACTS]
    facts = [decoder.decode(record.value) for record in records]
    silences: dict[str, list[Silence]] = defaultdict(list)
    for fact in facts:
        if isinstance(fact, Silence):
            silences[fact.vehicle_id].append(fact)
    return Day(metrics, [fact for fact in facts if isinstance(fact, Visit)], silences)


def _print(day: Day, said: str, took_s: float) -> None:
    begun = [s for s in chain(*day.silences.values()) if s.until is None]
    ended = [s for s in chain(*day.silences.values()) if s.until is not None]
    arrived = [v for v in day.visits if v.departed_at is None]
    print(f"\n{said.strip().splitlines()[-1]}")
    print(f"{PINGS:,} pings through Kafka and the worker in {took_s:.1f} s")
    print(f"pings by result: {day.metrics.by('result', 'pings_total')}")
    print(f"silences: {len(begun)} begun, {len(ended)} ended")
    print(
        f"yard visits: {len(arrived)} arrived, {len(day.visits) - len(arrived)} departed, "
        f"of {len({v.vehicle_id for v in arrived})} units"
    )


@pytest.fixture(scope="module")
def reference() -> list[VehicleFact]:
    """A plain run of the core: before each ping, what is due in its partition."""
    jersey.require_data()
    pings = list(jersey.pings())
    by_partition: dict[int, dict[str, track.Track | None]] = defaultdict(dict)
    for unit in sorted({ping.vehicle_id for ping in pings}):
        state, _ = track.step(None, yard_plan(unit), 0, WORLD)
        by_partition[partition_of(unit, PARTITIONS)][unit] = state
    facts: list[VehicleFact] = []
    clocks: dict[int, Ms] = defaultdict(int)
    for ping in pings:
        number = partition_of(ping.vehicle_id, PARTITIONS)
        tracks = by_partition[number]
        clocks[number] = now = max(clocks[number], received_at(ping))
        facts += _woken(tracks, now)
        tracks[ping.vehicle_id], made = track.step(tracks[ping.vehicle_id], ping, now, WORLD)
        facts += made
    for number, tracks in by_partition.items():
        facts += _woken(tracks, clocks[number])
    return facts


def _woken(tracks: dict[str, track.Track | None], now: Ms) -> Iterator[VehicleFact]:
    for unit, state in tracks.items():
        if state is not None and state.wake_at is not None and state.wake_at <= now:
            tracks[unit], made = track.wake(state, now, WORLD)
            yield from made


def received_at(ping: Ping) -> Ms:
    assert ping.received_at is not None, "the poller's clock is in every line"
    return ping.received_at


def test_every_ping_is_accepted_or_counted_under_its_reason(day: Day) -> None:
    distinct = {(p.vehicle_id, p.ts, p.lat, p.lon) for p in jersey.pings()}
    assert len(distinct) == DISTINCT
    counted = day.metrics.by("result", "pings_total")
    assert counted == {"accepted": DISTINCT, "duplicate": RESTATED}
    assert sum(counted.values()) == PINGS


def test_silences_begin_and_end_in_turn_and_each_episode_once(day: Day) -> None:
    for silences in day.silences.values():
        assert [s.until is None for s in silences] == [n % 2 == 0 for n in range(len(silences))]
        episodes = [list(pair) for _, pair in groupby(silences, lambda s: s.since)]
        assert all(len(pair) == 2 for pair in episodes[:-1])
        assert len({pair[0].since for pair in episodes}) == len(episodes)


def test_who_is_silent_at_the_end_of_the_day_has_one_open_silence_since_the_last_fix(
    day: Day,
) -> None:
    last: dict[str, Ms] = {}
    clocks: dict[int, Ms] = defaultdict(int)
    for ping in jersey.pings():
        number = partition_of(ping.vehicle_id, PARTITIONS)
        last[ping.vehicle_id] = max(last.get(ping.vehicle_id, 0), ping.ts)
        clocks[number] = max(clocks[number], received_at(ping))
    silent = {
        unit: ts
        for unit, ts in last.items()
        if ts + WORLD.silent_after_ms <= clocks[partition_of(unit, PARTITIONS)]
    }
    still_open = {unit: s[-1].since for unit, s in day.silences.items() if s[-1].until is None}
    assert still_open == silent


def test_silences_are_those_of_a_plain_run_of_the_core(
    day: Day, reference: list[VehicleFact]
) -> None:
    # All but when we noticed: between two polls, that depends on when the engine looked.
    expected = [(s.vehicle_id, s.since, s.until) for s in reference if isinstance(s, Silence)]
    found = [(s.vehicle_id, s.since, s.until) for s in chain(*day.silences.values())]
    assert ordered(found) == ordered(expected)


def test_yard_visits_are_those_of_a_plain_run_of_the_core(
    day: Day, reference: list[VehicleFact]
) -> None:
    expected = [fact for fact in reference if isinstance(fact, Visit)]
    assert ordered(day.visits) == ordered(expected)


def test_yard_visits_look_like_a_refuse_fleets_day(day: Day) -> None:
    told: dict[str, list[Visit]] = defaultdict(list)
    for visit in day.visits:
        told[visit.visit_id].append(visit)
    assert len({visit.vehicle_id for visit in day.visits}) >= 40
    for arrived, *departed in told.values():
        assert arrived.departed_at is None
        assert len(departed) <= 1
        assert all(v.departed_at and v.arrived_at < v.departed_at for v in departed)


def ordered(values: Sequence[object]) -> list[object]:
    return sorted(values, key=repr)
