"""Holes in a sender's numbers, whatever the order in which its pings come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack
from msgspec.structs import replace

from geo.model import Ms
from geo.sequence import HOLES, RUNS, Hole, Run, Runs, bounded, newest, numbered, without_old
from tests.builders import at

Sent = tuple[int, Ms]
"""A number and its time."""
Known = tuple[int, int, list[tuple[Ms, Ms, int, int]]]
"""Of a run: first and last number, and (since, until, first, last) of each hole."""

NEVER = at(10**6)


def sent(*seqs: int, every_s: float = 10, from_s: float = 0) -> list[Sent]:
    """Each number at the time that belongs to it: `every_s` for each from the first number on."""
    return [(seq, at(from_s + every_s * (seq - seqs[0]))) for seq in seqs]


def runs_of(pings: Iterable[Sent], runs: Runs = (), source: str | None = None) -> Runs:
    for seq, ts in pings:
        runs = numbered(runs, source, seq, ts, NEVER)
    return runs


def known(runs: Runs) -> list[Known]:
    return [
        (r.low, r.high, [(h.since, h.until, *h.numbers[0]) for h in r.holes if h.numbers])
        for r in runs
    ]


def read_off(pings: Iterable[Sent]) -> list[Known]:
    """The same of the whole trace at once: in the order of time, a number that does not go up
    begins a run."""
    found: list[Known] = []
    last: Sent | None = None
    for seq, ts in sorted(set(pings), key=lambda each: (each[1], each[0])):
        if last is None or seq <= last[0]:
            found.append((seq, seq, []))
        else:
            low, high, holes = found[-1]
            missing = [(last[1], ts, high + 1, seq - 1)] if seq > high + 1 else []
            found[-1] = (low, seq, [*holes, *missing])
        last = seq, ts
    return found


def test_numbers_that_follow_each_other_leave_no_hole() -> None:
    assert known(runs_of(sent(5, 6, 7))) == [(5, 7, [])]


def test_a_number_left_out_is_a_hole_between_the_times_around_it() -> None:
    assert known(runs_of(sent(5, 8))) == [(5, 8, [(at(0), at(30), 6, 7)])]


def test_a_late_number_fills_its_hole_or_makes_two_of_it() -> None:
    first, _, _, second = sent(5, 6, 7, 9)
    late = sent(5, 6, 7, 8)[2]
    assert known(runs_of([first, second, late])) == [
        (5, 9, [(at(0), at(20), 6, 6), (at(20), at(40), 8, 8)])
    ]
    assert known(runs_of([first, second, *sent(5, 6, 7, 8)])) == [(5, 9, [])]


def test_what_came_before_the_first_number_lengthens_the_run() -> None:
    assert known(runs_of(reversed(sent(5, 8)))) == [(5, 8, [(at(0), at(30), 6, 7)])]


def test_a_restart_is_no_gap_and_neither_is_a_counter_that_ran_over() -> None:
    before, after = sent(65_530, 65_535), sent(0, 2, from_s=100)
    assert known(runs_of([*before, *after])) == [
        (65_530, 65_535, [(at(0), at(50), 65_531, 65_534)]),
        (0, 2, [(at(100), at(120), 1, 1)]),
    ]


def test_a_late_number_of_before_the_restart_fills_a_hole_of_then() -> None:
    restarted = [*sent(10, 13), *sent(0, 1, 2, from_s=100)]
    assert known(runs_of([*restarted, *sent(10, 11, 12)])) == [(10, 13, []), (0, 2, [])]
    assert known(runs_of([*restarted, (14, at(45))])) == [
        (10, 14, [(at(0), at(30), 11, 12)]),
        (0, 2, []),
    ]


def test_a_counter_that_jumps_ahead_faster_than_anybody_sends_is_another_one() -> None:
    assert known(runs_of([(5, at(0)), (500_000, at(10))])) == [(5, 5, []), (500_000, 500_000, [])]
    late = runs_of([(500_000, at(10)), (5, at(0))])
    assert known(late) == [(5, 5, []), (500_000, 500_000, [])]


def test_a_counter_that_stands_still_leaves_no_hole() -> None:
    stuck = runs_of([(0, at(s)) for s in range(0, 100, 10)])
    assert [run.holes for run in bounded(stuck)[0]] == [()] * RUNS


def test_a_number_that_contradicts_its_time_changes_nothing() -> None:
    runs = runs_of(sent(5, 6, 9))
    assert runs_of([(4, at(20))], runs) is runs
    assert runs_of([(9_000, at(5))], runs) is runs


def test_a_clock_that_was_set_back_does_not_hide_what_follows() -> None:
    assert known(runs_of([(5, at(0)), (6, at(10)), (7, at(8)), (8, at(18))])) == [(5, 8, [])]


def test_each_source_counts_for_itself() -> None:
    runs = runs_of(sent(5, 6))
    runs = runs_of(sent(900, 902, from_s=5), runs, "carrier")
    runs = runs_of([(7, at(20))], runs)
    mine, theirs = newest(runs, None), newest(runs, "carrier")
    assert (mine, theirs and theirs.holes[0].numbers) == (
        Run(None, 5, 7, at(0), at(20)),
        ((901, 901),),
    )
    assert newest(runs, "nobody") is None


def test_a_hole_that_was_told_keeps_its_bounds_and_says_when_it_is_filled() -> None:
    hole = Hole(at(0), at(40), ((6, 8),), None, told=3)
    runs: Runs = (Run(None, 5, 9, at(0), at(40), (hole,)),)
    [run] = runs_of([(7, at(20))], runs)
    assert run.holes == (Hole(at(0), at(40), ((6, 6), (8, 8)), NEVER, told=3),)
    [run] = runs_of([(6, at(10)), (8, at(30))], (run,))
    assert run.holes == (Hole(at(0), at(40), (), at(30), told=3),)


def test_the_oldest_holes_are_given_up_and_said_where_there_are_too_many() -> None:
    runs, lost = bounded(runs_of(sent(*range(0, 20, 2))), most=6)
    assert [hole.numbers for _, hole in lost] == [((1, 1),), ((3, 3),), ((5, 5),)]
    assert len(runs[0].holes) == 6


def test_of_holes_that_were_told_the_oldest_are_forgotten() -> None:
    runs = runs_of([*sent(*range(100, 130, 2)), *sent(*range(0, 30, 2), from_s=900)])
    told = [replace(hole, due_at=None, told=1) for run in runs for hole in run.holes]
    first, second = (
        replace(run, holes=tuple(holes))
        for run, holes in zip(runs, (told[:14], told[14:]), strict=True)
    )
    assert len(told) == 28
    assert [run.holes for run in without_old((first, second))] == [first.holes[12:], second.holes]
    waiting = replace(first, holes=runs[0].holes)
    assert without_old((waiting, second)) == (waiting, second)


def test_of_a_hole_that_was_told_what_is_given_up_stays_missing() -> None:
    told = Hole(at(0), at(40), ((6, 6), (8, 8)), NEVER, told=3)
    runs: Runs = (Run(None, 5, 9, at(0), at(40), (told,)),)
    [run], lost = bounded(runs, most=1)
    assert run.holes == (Hole(at(0), at(40), ((8, 8),), NEVER, told=3, settled=1),)
    [run], more = bounded((run,), most=0)
    assert (lost, more, run.holes[0].missing) == ([], [], 2)
    quiet = Hole(at(0), at(40), ((6, 8),), None, told=3)
    [run], lost = bounded((Run(None, 5, 9, at(0), at(40), (quiet,)),), most=0)
    assert (run.holes, lost) == ((), [])


def test_the_oldest_runs_are_given_up_with_their_holes() -> None:
    runs = runs_of(s for n in range(6) for s in sent(100 - 10 * n, 102 - 10 * n, from_s=100 * n))
    kept, lost = bounded(runs)
    assert ([run.low for run in kept], len(lost)) == ([80, 70, 60, 50], 2)


def test_runs_survive_a_checkpoint() -> None:
    runs = runs_of([*sent(5, 8), *sent(0, 4, from_s=100)])
    assert msgpack.decode(msgpack.encode(runs), type=Runs) == runs


@st.composite
def traces(draw: st.DrawFn) -> list[Sent]:
    """What came of a counter that may begin anew, each time below all it had counted before."""
    pings: list[Sent] = []
    second, high = 0, 1_000_000
    for _ in range(draw(st.integers(1, RUNS))):
        numbers = sorted(draw(st.sets(st.integers(0, 30), min_size=1, max_size=10)))
        base = high - 100
        for number in numbers:
            pings.append((base + number, at(second + 10 * number)))
        second, high = second + 1_000, base
    return pings


@given(trace=traces(), data=st.data())
def test_any_order_and_repetition_ends_in_the_holes_of_the_whole_trace(
    trace: Sequence[Sent], data: st.DataObject
) -> None:
    twice = data.draw(st.lists(st.sampled_from(trace), max_size=10))
    shuffled = data.draw(st.permutations([*trace, *twice]))
    assert known(runs_of(shuffled)) == read_off(trace)


@given(seqs=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=80))
def test_nonsense_stays_bounded_and_makes_sense(seqs: list[tuple[int, int]]) -> None:
    runs: Runs = ()
    for seq, second in seqs:
        runs, _ = bounded(runs_of([(seq, at(second))], runs), HOLES)
        assert len(runs) <= RUNS
        assert sum(len(run.holes) for run in runs) <= HOLES
        for run in runs:
            assert run.low <= run.high
            assert run.since <= run.until
            numbers = [n for hole in run.holes for n in hole.numbers]
            assert numbers == sorted(numbers)
            assert all(run.low < first <= last < run.high for first, last in numbers)


def test_the_runs_of_two_sources_stay_in_order_when_one_is_lengthened_backwards() -> None:
    runs = runs_of([(50, at(50))], (), "a")
    runs = runs_of([(60, at(60)), (20, at(40)), (70, at(45)), (21, at(41))], runs, "b")
    assert [run.since for run in runs] == sorted(run.since for run in runs)
