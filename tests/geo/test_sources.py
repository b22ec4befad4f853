from __future__ import annotations

from math import nan

import pytest
from msgspec.structs import replace

from geo.cleaning import Limits
from geo.crs import Datum, from_wgs84
from geo.motion import MotionRule
from geo.sources import BadSource, Source, SpeedUnit, all_in_wgs84, declared, in_wgs84
from geo.visits import VisitRule
from tests.builders import ping


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
        BadSource, match="colour is not known; write one of datum, zone, speed, fut"
    ):
        declared(["colour=red"])


def test_pings_of_an_ordinary_source_are_the_same_objects() -> None:
    sent = [ping()]
    assert in_wgs84(sent[0], Source()) is sent[0]
    assert all_in_wgs84(sent, Source()) is sent


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_pings_in_another_datum_are_brought_to_wgs84_alone_or_together(datum: Datum) -> None:
    source = Source(datum)
    true = [ping(0), ping(10, 500, speed_mps=3.0, received_s=12), replace(ping(20), lon=nan)]
    sent = [
        replace(p, **dict(zip(("lat", "lon"), from_wgs84(p.lat, p.lon, datum), strict=True)))
        for p in true
    ]
    together = all_in_wgs84(sent, source)
    for want, one, alone in zip(true, together, (in_wgs84(p, source) for p in sent), strict=True):
        assert (one.lat, one.lon) == pytest.approx((want.lat, want.lon), abs=1e-8, nan_ok=True)
        assert (alone.lat, alone.lon) == pytest.approx((one.lat, one.lon), abs=1e-9, nan_ok=True)
        assert replace(one, lat=0.0, lon=0.0) == replace(want, lat=0.0, lon=0.0)
