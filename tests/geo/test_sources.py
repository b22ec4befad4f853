from __future__ import annotations

from math import nan

import pytest
from msgspec.structs import replace

from geo.cleaning import Limits
from geo.crs import Datum, from_wgs84
from geo.model import Ms, Ping, Rejected, VehicleFact, Visit
from geo.motion import MotionRule
from geo.proof import VisitRule
from geo.sources import (
    BadSource,
    Source,
    SpeedUnit,
    all_in_wgs84,
    declared,
    declared_by_name,
    world_by_source,
    world_of,
)
from geo.track import Track, World, next_wake, step, wake
from tests.builders import LAT, LON, at, ping, plan, stop


def test_a_source_that_declares_nothing_is_an_ordinary_one() -> None:
    assert declared([]) == Source()


def test_a_source_declares_itself_by_pairs_alone_or_together() -> None:
    assert declared(["datum=gcj02, zone=Asia/Shanghai", "speed=kmh"]) == Source(
        Datum.GCJ02, "Asia/Shanghai", SpeedUnit.KMH
    )


def test_a_threshold_is_that_of_the_rule_that_has_it() -> None:
    assert declared(["future_ms=600000", "max_mps=33.3", "dwell_ms=180000"]) == Source(
        limits=Limits(future_ms=600_000, max_mps=33.3), visits=VisitRule(dwell_ms=180_000)
    )


def test_a_threshold_of_one_name_is_one_everywhere() -> None:
    assert declared(["stand_m=80"]) == Source(
        visits=VisitRule(stand_m=80.0), motion=MotionRule(stand_m=80.0)
    )


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("gcj02", "--source gcj02 is no pair; write KEY=VALUE, as datum=gcj02"),
        ("datum=gcj", "--source datum=gcj: write one of wgs84, gcj02, bd09"),
        ("speed=fast", "--source speed=fast: write one of mps, kmh, knots, mph"),
        ("future_ms=long", "--source future_ms=long: write a whole number"),
        ("max_mps=fast", "--source max_mps=fast: write a number"),
    ],
)
def test_a_wrong_declaration_says_what_to_write(pair: str, said: str) -> None:
    with pytest.raises(BadSource) as raised:
        declared([pair])
    assert str(raised.value) == said


def test_an_unknown_key_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        BadSource, match="colour is not known; write one of datum, zone, speed, sil"
    ):
        declared(["colour=red"])


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("dwell_ms=-1", "--source dwell_ms=-1: write a whole number, 0 or greater"),
        ("max_mps=nan", "--source max_mps=nan: write a number, greater than 0"),
        ("pace_mps=0", "--source pace_mps=0: write a number, greater than 0"),
        ("silent_after_ms=-1", "--source silent_after_ms=-1: write a whole number"),
    ],
)
def test_a_threshold_nothing_can_meet_is_refused(pair: str, said: str) -> None:
    with pytest.raises(BadSource) as raised:
        declared([pair])
    assert str(raised.value) == said


def test_each_source_of_a_file_declares_itself_in_a_table_of_its_name() -> None:
    tables = {"North": {"datum": "gcj02", "max_mps": 40}, "gateway": {"silent_after_ms": 3_600_000}}
    assert declared_by_name(tables) == {
        "North": Source(Datum.GCJ02, limits=Limits(max_mps=40.0)),
        "gateway": Source(silent_after_ms=3_600_000),
    }


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"north": {"datum": "mars"}}, "[north] datum = 'mars': write one of wgs84, gcj02, bd09"),
        ({"north": {"dwell_ms": "9"}}, "[north] dwell_ms = '9': write a whole number"),
        ({"north": {"dwell_ms": True}}, "[north] dwell_ms = True: write a whole number"),
        ({"north": {"max_mps": 0}}, "[north] max_mps = 0: write a number, greater than 0"),
        (
            {"north": {"zone": "Asia/Shanghai"}},
            "[north] zone = 'Asia/Shanghai': leave it out, times on the topic are Unix "
            "milliseconds, UTC",
        ),
        (
            {"north": {"speed": "kmh"}},
            "[north] speed = 'kmh': leave it out, speeds on the topic are metres per second",
        ),
        ({"datum": "gcj02"}, "datum = 'gcj02' is of no source; write it below a [NAME]"),
        (
            {"none": {}},
            "[none] is no name of a source; write one of 1 to 128 characters, but not other or "
            "none",
        ),
    ],
)
def test_a_wrong_table_says_source_key_value_and_what_to_write(
    tables: dict[str, object], said: str
) -> None:
    with pytest.raises(BadSource) as raised:
        declared_by_name(tables)
    assert str(raised.value) == said


def test_of_a_table_only_keys_that_can_be_used_are_offered() -> None:
    with pytest.raises(
        BadSource, match=r"\[n\] color is not known; write one of datum, silent_aft"
    ):
        declared_by_name({"n": {"color": "red"}})


def test_pings_of_an_ordinary_source_are_the_same_objects() -> None:
    sent = [ping()]
    assert all_in_wgs84(sent, Source()) is sent


def stepped(world: World, *pings: Ping, now: Ms | None = None) -> tuple[Track, list[VehicleFact]]:
    state: Track | None = None
    said: list[VehicleFact] = []
    for each in pings:
        state, facts = step(state, each, each.ts if now is None else now, world)
        said += facts
    assert state is not None
    return state, said


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_pings_in_another_datum_are_brought_to_wgs84_alone_or_together(datum: Datum) -> None:
    source = Source(datum)
    world = world_by_source(source, {}, World())
    true = [ping(0), ping(10, 500, speed_mps=3.0, received_s=12), replace(ping(20), lon=nan)]
    sent = [
        replace(p, **dict(zip(("lat", "lon"), from_wgs84(p.lat, p.lon, datum), strict=True)))
        for p in true
    ]
    together = all_in_wgs84(sent, source)
    for want, one in zip(true, together, strict=True):
        assert (one.lat, one.lon) == pytest.approx((want.lat, want.lon), abs=1e-8, nan_ok=True)
        assert replace(one, lat=0.0, lon=0.0) == replace(want, lat=0.0, lon=0.0)
    for want, each in zip(true[:2], sent, strict=False):
        alone = stepped(world, each)[0].last
        assert alone is not None
        assert (alone.lat, alone.lon) == pytest.approx((want.lat, want.lon), abs=1e-8)


def test_an_ordinary_source_has_nothing_to_look_up() -> None:
    assert world_by_source(Source(), {}, World()) == World()


NORTH = Source(limits=Limits(future_ms=3_600_000), silent_after_ms=7_200_000)
WORLD = world_by_source(Source(), {"north": NORTH}, World())


def test_a_ping_is_judged_by_the_rules_of_its_source() -> None:
    ahead = ping(1_000)
    _, named = stepped(WORLD, ping(0), replace(ahead, source="north"), now=at(0))
    assert named == []
    for source in (None, "south"):
        _, other = stepped(WORLD, ping(0), replace(ahead, source=source), now=at(0))
        assert [type(fact) for fact in other] == [Rejected]


def test_a_vehicle_lives_by_the_rules_of_the_source_of_its_last_position() -> None:
    first, last = ping(0), replace(ping(10), source="north")
    state, _ = stepped(WORLD, first)
    assert next_wake(state) == at(900)
    state, _ = stepped(WORLD, first, last)
    assert next_wake(state) == at(10 + 7_200)
    state, _ = stepped(WORLD, first, last, ping(20))
    assert next_wake(state) == at(920)


def test_late_positions_do_not_make_a_vehicle_another_sources() -> None:
    first, late, last = (replace(ping(s, s), source="north") for s in (0, 10, 20))
    state, _ = stepped(WORLD, first, last, late, now=at(20))
    state_after, _ = wake(state, at(20), WORLD)
    assert state_after is not None
    assert state_after.last == last
    assert next_wake(state_after) == at(20 + 7_200)


def test_a_plan_is_worked_out_by_the_rules_of_the_vehicles_source() -> None:
    patient = world_by_source(Source(), {"north": declared(["dwell_ms=600000"])}, World())
    stay = [ping(s) for s in range(0, 130, 10)]
    wanted = plan(stop())
    for source, count in (("north", 0), (None, 1)):
        state, _ = stepped(patient, *(replace(each, source=source) for each in stay))
        _, facts = step(state, wanted, at(130), patient)
        assert sum(isinstance(fact, Visit) for fact in facts) == count


def test_a_numbered_ping_of_a_source_in_another_datum_is_moved_once() -> None:
    world = world_by_source(Source(Datum.BD09), {"north": Source(Datum.GCJ02)}, World())
    for source, datum in (("north", Datum.GCJ02), (None, Datum.BD09)):
        lat, lon = from_wgs84(LAT, LON, datum)
        state, _ = stepped(world, replace(ping(), lat=lat, lon=lon, source=source, seq=7))
        assert state.last is not None
        assert (state.last.lat, state.last.lon) == pytest.approx((LAT, LON), abs=1e-8)


def test_the_thresholds_of_a_source_are_all_in_its_world() -> None:
    source = declared(["datum=gcj02,silent_after_ms=1,max_mps=2,dwell_ms=3,halt_ms=4,gap_mps=5"])
    world = world_of(source, World())
    assert (world.limits, world.visits, world.motion, world.gaps) == (
        source.limits,
        source.visits,
        source.motion,
        source.gaps,
    )
    assert (world.datum, world.silent_after_ms, world.gaps.gap_mps) == (Datum.GCJ02, 1, 5.0)
