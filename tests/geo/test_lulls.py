"""Ways without the positions that a device usually gives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from geo.calls import Calls
from geo.cleaning import Limits, Trail
from geo.lulls import GapRule, Lull, again, lulls
from geo.model import Ms, Ping
from geo.past import Chunk, Past
from geo.spots import packed, spot
from tests.builders import at, ping

RULE, LIMITS = GapRule(), Limits()
NOW = at(10_000)
DUE = NOW + RULE.gap_wait_ms


def drive(since_s: int, until_s: int, *, every_s: int = 10, mps: float = 20) -> list[Ping]:
    """On the same road by the same clock, so that two drives are one with what is between left
    out."""
    return [ping(s, mps * s) for s in range(since_s, until_s, every_s)]


def tail_of(pings: Sequence[Ping]) -> bytes:
    return packed(sorted(spot(p) for p in pings))


def found(*pings: Ping, seen: Ms = 0, usual_ms: Ms = 0) -> list[Lull]:
    return lulls(seen, usual_ms, Past(), tail_of(pings), NOW, LIMITS, RULE)[2]


def test_a_way_without_positions_is_a_lull_with_as_many_missing_as_it_took_at_least() -> None:
    [lull] = found(*drive(0, 300), *drive(900, 1_200))
    # 610 s at 20 m/s are 12.2 km: 488 s at 25 m/s, 48 intervals.
    assert lull == Lull(at(290), at(900), 10_000, 47, DUE)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([ping(s, 6_000) for s in range(8_000, 8_100, 10)], id="at the same place"),
        pytest.param([ping(s, 6_500) for s in range(8_000, 8_100, 10)], id="500 m further"),
    ],
)
def test_a_parked_vehicle_whose_device_reports_on_change_makes_none(after: list[Ping]) -> None:
    assert found(*drive(0, 301), *after) == []


def test_a_few_positions_less_are_chance() -> None:
    assert found(*drive(0, 300), *drive(330, 600)) == []
    sparse = [*drive(0, 6_000, every_s=300), *drive(6_600, 9_000, every_s=300)]
    assert found(*sparse) == []


def test_what_is_usual_is_the_devices_own() -> None:
    sparse = [*drive(0, 6_000, every_s=60), *drive(6_240, 9_000, every_s=60)]
    assert found(*sparse) == []
    [lull] = found(*drive(0, 6_000, every_s=60), *drive(7_000, 9_000, every_s=60))
    assert (lull.usual_ms, lull.missing) == (60_000, 13)


def test_a_device_that_now_reports_less_often_has_another_usual() -> None:
    assert found(*drive(0, 300), *drive(300, 9_000, every_s=200)) == []


def test_of_too_few_positions_nothing_is_usual() -> None:
    some = [*drive(0, 50), *drive(900, 910)]
    assert lulls(0, 0, Past(), tail_of(some), NOW, LIMITS, RULE) == (0, 0, [])
    [lull] = found(*some, usual_ms=10_000)
    assert lull.since == at(40)


def test_a_position_that_cannot_be_reached_is_no_end_of_a_way() -> None:
    stray = ping(300, 100_000)
    assert found(*drive(0, 300), stray, *drive(310, 600)) == []
    [lull] = found(*drive(0, 300), replace(stray, ts=at(600)), *drive(900, 1_200))
    assert (lull.since, lull.until) == (at(290), at(900))


def chunk(pings: Sequence[Ping], before: Ping | None = None) -> Chunk:
    last = None if before is None else spot(before)
    return Chunk(Trail(last), Calls(), tail_of(pings))


def test_what_was_seen_is_not_found_again_and_what_was_not_is_found_in_the_past() -> None:
    first, second, third = drive(0, 600), drive(1_200, 1_800), drive(2_400, 3_000)
    trail = Trail(spot(second[-1]), spot(second[-2]))
    past = Past((chunk(first), chunk(second, first[-1])), trail)
    for seen, since in ((0, [590, 1_790]), (at(1_200), [1_790]), (at(2_990), [])):
        _, _, new = lulls(seen, 10_000, past, tail_of(third), NOW, LIMITS, RULE)
        assert [lull.since for lull in new] == [at(s) for s in since]


def test_positions_that_come_late_lessen_a_lull() -> None:
    lull = Lull(at(290), at(900), 10_000, 47, DUE)
    whole = tail_of(drive(0, 1_200))
    assert again(lull, Past(), whole, NOW, RULE) is None
    part = tail_of([*drive(0, 600), *drive(900, 1_200)])
    assert again(lull, Past(), part, NOW, RULE) == replace(lull, missing=23)
    told = replace(lull, due_at=None, told=47)
    assert again(told, Past(), whole, NOW, RULE) == replace(told, missing=0, due_at=NOW)
    assert again(told, Past(), part, NOW, RULE) == replace(told, missing=23, due_at=DUE)


def test_positions_forgotten_since_change_no_lull() -> None:
    lull = Lull(at(290), at(900), 10_000, 23, DUE)
    for left in (drive(900, 1_200), [*drive(0, 300), *drive(900, 1_200)]):
        assert again(lull, Past((chunk(left),)), b"", NOW, RULE) is lull
