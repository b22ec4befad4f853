"""Halts and trips, too, follow from which positions there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cleaning import Trail, Verdict, judge
from geo.model import Halt, Ping, Speeding, Trip, VehicleFact, VehiclePlan
from geo.motion import Move, Roam, roam_on, standing
from geo.moves import moves_after
from geo.spots import Spot, spot
from geo.track import Track, World, step, wake
from tests.builders import at, ping, plan, stop
from tests.geo.test_reference import traces

WORLD = World(silent_after_ms=10**9)
"""It falls silent at the end of a test, when all that is told late is told."""
NOW, END = at(90_000), at(90_000) + 10**10


class Book:
    """Takes pings, and keeps what stands of all that was told."""

    def __init__(self) -> None:
        self.state: Track | None = None
        self.told: list[Move] = []
        self.standing: dict[tuple[type[Move], int], Move] = {}

    def take(self, *events: Ping | VehiclePlan) -> Book:
        for event in events:
            self.state, facts = step(self.state, event, NOW, WORLD)
            self._note(facts)
        return self

    def wake(self, now: int = NOW) -> Book:
        assert self.state is not None
        self.state, facts = wake(self.state, now, WORLD)
        self._note(facts)
        return self

    @property
    def stands(self) -> list[Move]:
        return in_order(self.standing.values())

    def _note(self, facts: Sequence[VehicleFact]) -> None:
        for move in facts:
            if isinstance(move, Halt | Trip | Speeding):
                self.told.append(move)
                key = type(move), move.since
                if move.retracted:
                    del self.standing[key]
                else:
                    self.standing[key] = move


def in_order(moves: Iterable[Move]) -> list[Move]:
    return sorted(moves, key=lambda m: (m.since, type(m).__name__))


def of_the_whole(pings: Sequence[Ping]) -> list[Move]:
    trail, good, wrong = Trail(), list[Spot](), list[Verdict]()
    for each in sorted({spot(p) for p in pings}):
        trail = judge(trail, each, good, wrong, WORLD.limits)
    end, found = roam_on(Roam(), "v1", good, WORLD.motion)
    found += standing(end, "v1")
    return in_order({(type(m), m.since): m for m in found}.values())


def alike(moves: Sequence[Move]) -> list[tuple[type[Move], int, int | None]]:
    """An open halt's middle and count are those of when it was told."""
    return [(type(m), m.since, m.until) for m in moves]


@settings(max_examples=200, deadline=None)
@given(trace=traces(), data=st.data())
def test_in_any_order_the_same_halts_and_trips_stand_in_the_end(
    trace: list[Ping], data: st.DataObject
) -> None:
    book = Book()
    for event in data.draw(st.permutations(trace)):
        book.take(event)
        if data.draw(st.booleans()):
            book.wake()
    assert alike(book.wake(END).stands) == alike(of_the_whole(trace))


def day() -> list[Ping]:
    """An hour at the first place, a drive, an hour at the second, a drive."""
    first = [ping(s, 0) for s in range(0, 3_600, 20)]
    drive = [ping(s, 10 * (s - 3_600)) for s in range(3_600, 4_200, 20)]
    second = [ping(s, 6_000) for s in range(4_200, 7_800, 20)]
    return [*first, *drive, *second, *(ping(s, 10 * (s - 7_200)) for s in range(7_800, 9_000, 20))]


def test_a_halt_that_came_late_divides_the_trip() -> None:
    whole = day()
    late = [p for p in whole if at(4_100) <= p.ts < at(7_700)]
    punctual = [p for p in whole if p not in late]
    book = Book().take(*punctual).wake().take(*late).wake().wake(END)
    assert book.stands == of_the_whole(whole)
    assert [type(m) for m in book.stands] == [Halt, Trip, Halt]


def test_a_halt_that_late_positions_disprove_is_taken_back() -> None:
    sparse = [ping(s, 0) for s in (0, 300, 600)]
    book = Book().take(*sparse, ping(700, 4_000), ping(1_000, 4_000), ping(1_300, 9_000)).wake(END)
    assert any(isinstance(m, Halt) and m.since >= at(600) for m in book.stands)
    loop = [ping(s, 4_000 + 20 * abs(150 - abs(s - 850))) for s in range(710, 1_000, 10)]
    book.take(*loop).wake()
    assert [m for m in book.told if m.retracted]
    assert not any(isinstance(m, Halt) and m.since >= at(650) for m in book.stands)


def test_nothing_is_told_twice_where_nothing_changes() -> None:
    book = Book().take(*day())
    told = list(book.told)
    book.take(plan(stop("yard", 50_000), order_id=None))
    assert [m for m in book.told[len(told) :] if m in told] == []


def test_while_an_order_asks_for_it_late_positions_change_no_halt() -> None:
    whole = day()
    book = Book().take(*whole[:200])
    told = list(book.told)
    book.take(plan(stop("far", 50_000)), *whole[250:], *whole[200:250]).wake().wake(END)
    assert book.told == told


def test_a_halt_told_from_more_positions_than_are_left_stands() -> None:
    held = Halt("v1", at(0), 31.2, 121.4, 500, at(600))
    later = Halt("v1", at(20), 31.2, 121.4, 9, at(580))
    told, says = moves_after((held,), Roam(), Roam(), [later], "v1", thin_until=at(5_000))
    assert (told, says) == ((held,), [])
    told, says = moves_after((held,), Roam(), Roam(), [later], "v1", at(5_000), [at(700)])
    assert told == (later,)
    assert [m.retracted for m in says] == [False, True]
