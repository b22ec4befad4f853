from __future__ import annotations

import pytest

from load_tests import scale
from load_tests.backlog import Fleet, ping_rows
from load_tests.scale import Case, Core, Cost, Whole, cases, planned, ratios, report, table
from stream.wire import decode_pings
from tests.builders import T0

SMALL = Case("fences", 20, Fleet(pings=8, vehicles=2, stops=10))
LARGE = Case("fences", 40, Fleet(pings=16, vehicles=4, stops=10))
FOUND = {SMALL: Cost(2.0, 4.0), LARGE: Cost(3.0, 4.0)}


@pytest.mark.parametrize("way", [Core, Whole])
def test_every_ping_is_taken_in_by_a_vehicle_that_has_its_plan(way: type[Core | Whole]) -> None:
    fleet = Fleet(pings=30, vehicles=3, stops=10)
    begin = planned(fleet, T0)
    assert len(begin) == 3
    taker = way(begin)
    last_turn = [
        ping for _, _, value in list(ping_rows(fleet, T0))[-3:] for ping in decode_pings(value)
    ]
    records = list(scale.records(ping_rows(fleet, T0), T0))
    taker.ready(records)()
    for track in taker.states.values():
        assert track is not None
        assert track.plans is not None
        assert track.last is not None
        assert track.last in last_turn
    assert [track.last for track in begin.values()] == [None] * 3


def test_a_small_fleet_begins_anew_until_enough_was_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "ENOUGH", 50)
    assert scale.cost(SMALL, Core) > 0
    found = scale.run([SMALL], 2, lambda said: None)
    assert found[SMALL].core > 0


def test_no_case_is_larger_than_asked_for() -> None:
    made = list(cases(10_000))
    assert {case.series for case in made} == {"vehicles", "fences", "stops", "history"}
    assert max(case.fleet.vehicles * max(case.fleet.stops, 1) for case in made) == 10_000
    assert len(list(cases(1_000_000))) > len(made)


def test_a_ratio_is_to_the_smallest_of_the_series() -> None:
    assert ratios(FOUND) == {"fences 40 / 20": {"core": 1.5, "partition": 1.0}}
    assert report(FOUND)["results"]["fences 40"]["core_cpu_us"] == 3.0
    assert table(FOUND).row_count == 2
