"""What was said of each ping, in the end, is what all of them together say of it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cleaning import Reason, Trail, Verdict, judge
from geo.model import Ping, Rejected, Revised, VehicleFact, VehiclePlan
from geo.spots import Spot, spot
from geo.track import Track, World, step, wake
from tests.builders import at, ping, plan, stop
from tests.geo.test_reference import traces

WORLD = World()
BY_NEIGHBOURS = {Reason.IMPLIED_SPEED, Reason.SECOND_DEVICE}


class Book:
    """Takes pings, and notes which of them stand as refused because of their neighbours."""

    def __init__(self) -> None:
        self.state: Track | None = None
        self.refused: set[Spot] = set()
        self.revised: list[Revised] = []

    def take(self, *events: Ping | VehiclePlan) -> Book:
        for event in events:
            self.state, facts = step(self.state, event, at(90_000), WORLD)
            if isinstance(event, Ping) and any(
                isinstance(f, Rejected) and f.reason in BY_NEIGHBOURS for f in facts
            ):
                self.refused.add(spot(event))
            self._note(facts)
        return self

    def wake(self) -> Book:
        if self.state is not None and self.state.odd is not None and self.state.odd.late:
            self.state, facts = wake(self.state, self.state.odd.due_at, WORLD)
            self._note(facts)
        return self

    def _note(self, facts: Sequence[VehicleFact]) -> None:
        for fact in facts:
            if isinstance(fact, Revised):
                self.revised.append(fact)
                change = (
                    self.refused.remove if fact.reason == Reason.REINSTATED else self.refused.add
                )
                change(spot(fact.ping))


def wrong(pings: Sequence[Ping]) -> set[Spot]:
    """By all of them together; those that wait at the end have been refused so far."""
    trail, good, found = Trail(), list[Spot](), list[Verdict]()
    for each in sorted({spot(p) for p in pings}):
        trail = judge(trail, each, good, found, WORLD.limits)
    return {v.spot for v in found}.union(trail.strays)


@settings(max_examples=200, deadline=None)
@given(trace=traces(), data=st.data())
def test_the_verdicts_told_are_in_the_end_those_of_the_whole_trace(
    trace: list[Ping], data: st.DataObject
) -> None:
    book = Book()
    for event in data.draw(st.permutations(trace)):
        book.take(event)
        if data.draw(st.booleans()):
            book.wake()
    assert book.wake().refused == wrong(trace)


def test_a_late_ping_that_none_of_its_neighbours_can_reach_is_told_as_refused() -> None:
    book = Book().take(*(ping(s, 10 * s) for s in range(0, 200, 10)), ping(95, 50_000)).wake()
    [verdict] = book.revised
    assert verdict.reason == Reason.IMPLIED_SPEED
    assert verdict.ping == ping(95, 50_000)
    assert "160 km/h" in verdict.detail


def test_pings_refused_at_once_that_prove_right_are_reinstated() -> None:
    towed = [ping(s, 200_000) for s in (410, 420, 430)]
    book = Book().take(*(ping(s) for s in range(0, 400, 10)), *towed)
    assert [(v.reason, v.ping) for v in book.revised] == [
        (Reason.REINSTATED, towed[0]),
        (Reason.REINSTATED, towed[1]),
    ]
    assert book.refused == set()


def test_a_wrong_first_fix_is_refused_when_the_others_disagree() -> None:
    book = Book().take(ping(0, 90_000), *(ping(s) for s in (10, 20, 30)))
    assert book.refused == {spot(ping(0, 90_000))}


def test_a_plan_changes_no_verdict() -> None:
    book = Book().take(ping(0, 90_000), *(ping(s) for s in (10, 20, 30)))
    before = list(book.revised)
    assert book.take(plan(stop("depot"))).wake().revised == before
