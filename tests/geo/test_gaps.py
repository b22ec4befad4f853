"""Pings that did not come, as a vehicle tells of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack
from msgspec.structs import replace

from geo.gaps import LULLS, Gaps, overdue
from geo.lulls import GapRule, Lull
from geo.model import Gap, GapBy, Ms, Ping, Rejected, Silence, VehicleFact
from geo.offline import offline
from geo.sequence import WAITING, Hole, Run
from geo.track import Track, World, next_wake, step, wake
from tests.builders import at, ping, plan, stop

WORLD = World()
WAIT_S = GapRule().gap_wait_ms // 1000
NUMBERED = [replace(ping(10 * n, 200 * n), seq=n) for n in range(200)]
ROAD = [replace(each, seq=None) for each in NUMBERED]
SEQUENCE, RATE = GapBy.SEQUENCE, GapBy.RATE


class Heard:
    """A vehicle that hears pings at `now`, and is woken when it asks to be."""

    def __init__(self, world: World = WORLD) -> None:
        self.world = world
        self.state: Track | None = None
        self.facts: list[VehicleFact] = []

    def take(self, *pings: Ping, now: Ms | None = None) -> Heard:
        for each in pings:
            at_ms = each.ts + 500 if now is None else now
            self.until(at_ms)
            self.state, facts = step(self.state, each, at_ms, self.world)
            self.facts += facts
        return self

    def until(self, now: Ms) -> Heard:
        while self.state is not None and (due_at := next_wake(self.state)) is not None:
            if due_at > now:
                break
            self.state, facts = wake(self.state, due_at, self.world)
            self.facts += facts
        return self

    @property
    def gaps(self) -> list[Gap]:
        return [fact for fact in self.facts if isinstance(fact, Gap)]


def test_numbers_that_do_not_come_are_told_a_quarter_of_an_hour_later() -> None:
    heard = Heard().take(*NUMBERED[:3], *NUMBERED[5:80])
    noticed_at = NUMBERED[5].ts + 500
    assert heard.until(noticed_at + WAIT_S * 1000 - 1).gaps == []
    heard.until(noticed_at + WAIT_S * 1000)
    told_at = noticed_at + WAIT_S * 1000
    assert heard.gaps == [Gap("v1", SEQUENCE, at(20), at(50), 2, told_at)]


def test_a_blind_areas_batch_in_that_time_leaves_nothing_to_tell() -> None:
    heard = Heard().take(*NUMBERED[:3], NUMBERED[50])
    heard.take(*NUMBERED[3:50], now=at(900)).until(at(9_000))
    assert heard.gaps == []


def test_what_comes_after_that_is_told_as_soon_as_all_is_there() -> None:
    heard = Heard().take(*NUMBERED[:3], *NUMBERED[5:120])
    heard.take(NUMBERED[3], now=at(1_300))
    heard.take(NUMBERED[4], now=at(1_400)).until(at(1_400))
    assert [(gap.missing, gap.came) for gap in heard.gaps] == [(2, 0), (0, 2)]
    assert heard.state is not None
    assert heard.state.gaps is not None
    assert [run.holes for run in heard.state.gaps.runs] == [()]


def test_what_comes_in_part_is_told_once_the_rest_had_its_time() -> None:
    heard = Heard().take(*NUMBERED[:3], *NUMBERED[5:120])
    heard.take(NUMBERED[3], now=at(1_300)).until(at(1_300 + WAIT_S) - 1)
    assert [gap.missing for gap in heard.gaps] == [2]
    heard.until(at(1_300 + WAIT_S))
    assert [(gap.missing, gap.came) for gap in heard.gaps] == [(2, 0), (1, 1)]


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(replace(NUMBERED[3], lat=0.0, lon=0.0), id="no fix"),
        pytest.param(replace(NUMBERED[2], seq=3), id="a duplicate"),
        pytest.param(replace(NUMBERED[3], ts=at(90_000)), id="a clock ahead"),
        pytest.param(replace(NUMBERED[3], lat=40.0), id="elsewhere"),
        pytest.param(replace(NUMBERED[3], lat=91.0), id="on no earth"),
    ],
)
def test_a_ping_that_is_refused_has_come_all_the_same(refused: Ping) -> None:
    heard = Heard().take(*NUMBERED[:3]).take(refused, now=at(30))
    heard.take(*NUMBERED[4:40]).until(at(9_000))
    assert [type(fact) for fact in heard.facts] == [Rejected, Silence]


def test_what_a_wrong_clock_says_ends_no_counter() -> None:
    ahead = replace(NUMBERED[3], ts=at(90_000))
    heard = Heard().take(*NUMBERED[:3]).take(ahead, now=at(30)).take(NUMBERED[4])
    restarted = [replace(each, seq=n) for n, each in enumerate(ROAD[5:30])]
    heard.take(*restarted).until(at(9_000))
    assert heard.gaps == []


def test_counting_begins_with_the_first_position() -> None:
    nowhere = replace(NUMBERED[0], lat=0.0, lon=0.0)
    heard = Heard().take(nowhere)
    assert heard.state is None
    planned, _ = step(None, plan(stop()), at(0), WORLD)
    after, _ = step(planned, nowhere, at(0), WORLD)
    assert after is planned


def test_a_refused_ping_of_a_sender_that_is_not_known_begins_no_counter() -> None:
    nowhere = replace(NUMBERED[3], lat=0.0, lon=0.0)
    heard = Heard().take(*ROAD[:3]).take(nowhere, now=at(30))
    assert heard.state is not None
    assert heard.state.gaps == Gaps()


def test_pings_without_a_number_between_them_change_nothing() -> None:
    heard = Heard().take(*NUMBERED[:3], *ROAD[3:6], NUMBERED[8], *ROAD[9:50]).until(at(5_000))
    assert [gap.missing for gap in heard.gaps] == [5]


def test_where_there_are_too_many_holes_the_oldest_is_told_at_once() -> None:
    fast = [replace(ping(n / 2, n), seq=2 * n) for n in range(WAITING + 3)]
    heard = Heard().take(*fast)
    assert [(gap.since, gap.missing) for gap in heard.gaps] == [(at(0), 1), (at(0.5), 1)]


@pytest.mark.parametrize(("late_s", "told"), [(600, []), (1_200, [(240, 0), (0, 240)])])
def test_a_batch_that_comes_in_disorder_leaves_no_gap_behind(
    late_s: int, told: list[tuple[int, int]]
) -> None:
    """Whether it comes before the gap would be told or after that."""
    sent = [replace(ping(10 * n, 100 * n), seq=n) for n in range(244)]
    batch = sorted(sent[3:243], key=lambda each: each.ts * 7_919 % 104_729)
    heard = Heard().take(*sent[:3], sent[243])
    heard.take(*batch, now=at(2_430 + late_s)).until(at(90_000))
    assert [(gap.missing, gap.came) for gap in heard.gaps] == told


def test_a_gap_names_the_source_that_counts() -> None:
    named = [replace(each, source="carrier") for each in NUMBERED]
    heard = Heard().take(*named[:3], *named[5:150]).until(at(5_000))
    assert [gap.source for gap in heard.gaps] == ["carrier"]


def test_a_way_without_positions_is_told_once_it_is_a_quarter_of_an_hour_old() -> None:
    heard = Heard().take(*ROAD[:60], *ROAD[120:200]).until(at(9_000))
    [gap] = heard.gaps
    assert (gap.by, gap.since, gap.until, gap.missing) == (RATE, at(590), at(1_200), 47)
    assert gap.reported_at >= gap.until + WAIT_S * 1000


def test_positions_that_come_late_lessen_what_is_missing_by_rate() -> None:
    heard = Heard().take(*ROAD[:60], *ROAD[120:200]).until(at(4_000))
    heard.take(*ROAD[60:120], now=at(4_100)).until(at(4_100))
    assert [(gap.missing, gap.came) for gap in heard.gaps] == [(47, 0), (0, 47)]
    assert heard.state is not None
    assert heard.state.gaps is not None
    assert heard.state.gaps.lulls == ()


def test_positions_that_come_before_it_is_told_leave_nothing_to_tell() -> None:
    heard = Heard().take(*ROAD[:60], *ROAD[120:170])
    heard.take(*ROAD[60:120], now=at(1_800)).until(at(9_000))
    assert heard.gaps == []


def test_who_numbers_its_pings_is_not_judged_by_their_rate() -> None:
    heard = Heard().take(*NUMBERED[:60], *NUMBERED[120:200]).until(at(9_000))
    assert [gap.by for gap in heard.gaps] == [SEQUENCE]


def test_a_vehicle_falls_silent_in_time_though_it_has_gaps_to_tell() -> None:
    heard = Heard().take(*NUMBERED[:3], NUMBERED[5]).until(at(90_000))
    assert [(type(f), f.reported_at) for f in heard.facts if isinstance(f, Gap | Silence)] == [
        (Silence, at(50 + 900)),
        (Gap, NUMBERED[5].ts + 500 + WAIT_S * 1000),
    ]


@pytest.mark.parametrize(("told", "said"), [(0, [(at(0), 5)]), (5, [])])
def test_lulls_are_bounded_and_none_is_dropped_unsaid(
    told: int, said: list[tuple[Ms, int]]
) -> None:
    heard = Heard().take(*ROAD[:60])
    assert heard.state is not None
    oldest = Lull(at(0), at(1), 10_000, 5, None if told else at(99_999), told)
    others = [Lull(at(2), at(3), 10_000, 5, at(99_999))] * (LULLS - 1)
    heard.state = replace(heard.state, gaps=Gaps(lulls=(oldest, *others)))
    heard.take(*ROAD[120:130])
    assert [(gap.since, gap.missing) for gap in heard.gaps] == said
    assert heard.state is not None
    assert heard.state.gaps is not None
    assert len(heard.state.gaps.lulls) == LULLS


def test_gaps_survive_a_checkpoint() -> None:
    heard = Heard().take(*NUMBERED[:3], *NUMBERED[5:9])
    lull = Lull(at(0), at(1), 10_000, 5, None, 5)
    assert heard.state is not None
    assert heard.state.gaps is not None
    gaps = replace(heard.state.gaps, lulls=(lull,))
    state = replace(heard.state, gaps=gaps)
    assert msgpack.decode(msgpack.encode(state), type=Track) == state


def test_a_recording_comes_to_the_gaps_that_stand_in_the_end() -> None:
    numbered = offline([], [*NUMBERED[:3], *NUMBERED[5:60], NUMBERED[3], *NUMBERED[61:]])
    assert [(g.by, g.since, g.missing) for g in numbered.gaps] == [
        (SEQUENCE, at(30), 1),
        (SEQUENCE, at(590), 1),
    ]
    by_rate = offline([], [*ROAD[:60], *ROAD[120:200]])
    assert [(g.by, g.since, g.missing) for g in by_rate.gaps] == [(RATE, at(590), 47)]
    assert offline([], [*ROAD[:60], *ROAD[120:200], *ROAD[60:120]]).gaps == []


def test_a_recording_of_refused_pings_has_no_gaps() -> None:
    assert offline([], [replace(NUMBERED[0], lat=0.0, lon=0.0)]).gaps == []


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=6), st.integers(0, 11))
def test_in_any_order_the_same_numbers_are_missing(
    order: list[int], twice: list[int], every: int
) -> None:
    """Two in three of the pings come, in any order and some of them twice."""
    kept = [n for n in (*order, *twice) if (n + every) % 3]
    heard = Heard()
    for n in kept:
        heard.take(replace(NUMBERED[n], ts=NUMBERED[n].ts), now=at(200))
    heard.until(at(200 + WAIT_S))
    want = [n for n in range(min(kept), max(kept)) if not (n + every) % 3]
    assert [(gap.since, gap.until) for gap in heard.gaps] == [
        (at(10 * (n - 1)), at(10 * (n + 1))) for n in want
    ]


def test_only_what_is_due_is_told() -> None:
    due, waits = Hole(at(0), at(1), ((1, 1),), at(5)), Hole(at(2), at(3), ((3, 3),), at(9))
    runs = (
        Run(None, 0, 4, at(0), at(4), (due, waits)),
        Run(None, 0, 2, at(5), at(7), (replace(waits, due_at=at(8)),)),
    )
    lulls = (Lull(at(0), at(1), 10_000, 7, at(5)), Lull(at(2), at(3), 10_000, 7, at(9)))
    after, said = overdue(Gaps(runs, lulls), "v1", "north", at(6))
    assert [(gap.by, gap.since, gap.source) for gap in said] == [
        (SEQUENCE, at(0), None),
        (RATE, at(0), "north"),
    ]
    assert after.due_at == at(8)
    assert after.runs == (
        replace(runs[0], holes=(replace(due, due_at=None, told=1), waits)),
        runs[1],
    )
    assert after.lulls == (replace(lulls[0], due_at=None, told=7), lulls[1])
