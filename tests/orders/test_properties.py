"""What holds for any inputs in any order."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.model import Motion, Rejected
from orders.lifecycle import ENDS
from orders.model import Closed, Opened, OrderEvent, OrderFact, OrderInput, OrderStatus, Outcome
from orders.order import next_wake, step, wake
from orders.state import Order, status_of
from tests.orders.builders import PLAIN_EVENTS, assigned, failed, happened, ms, sighting, visit
from tests.orders.drive import WORLD, answer, only, timeline

LATER = ms(500)
MINUTES = st.integers(0, 40)

# An identity names one event: ids and texts follow from the content, as an honest producer's do.
PLAIN = st.builds(happened, st.sampled_from(sorted(PLAIN_EVENTS)), MINUTES)
ASSIGNED = st.builds(
    lambda at, vehicle: assigned(at, vehicle, event_id=f"{at}-{vehicle}"),
    MINUTES,
    st.sampled_from(["v1", "v2", "v3"]),
)
FAILED = st.builds(
    lambda at, error: failed(at, error, event_id=f"{at}-{error}"),
    MINUTES,
    st.sampled_from(["address", "refused"]),
)
EVENTS = st.one_of(PLAIN, ASSIGNED, FAILED)
VISITS = st.builds(
    lambda number, version, arrived, stay: visit(
        arrived,
        None if stay is None else arrived + stay,
        visit_id=f"visit-{number}",
        reported=50 + version,
    ),
    st.integers(1, 3),
    st.integers(1, 3),
    MINUTES,
    st.none() | st.integers(1, 30),
)
SIGHTINGS = st.builds(
    lambda at, motion, vehicle: sighting(at, motion, vehicle=vehicle),
    MINUTES,
    st.sampled_from(list(Motion)),
    st.sampled_from(["v1", "v2"]),
)
INPUTS: st.SearchStrategy[OrderInput] = st.one_of(EVENTS, VISITS, SIGHTINGS)


T = TypeVar("T")


def shuffled(things: list[T]) -> st.SearchStrategy[list[T]]:
    """The same things in any order, each at least once and some again."""
    again = st.lists(st.sampled_from(things), max_size=6)
    return again.flatmap(lambda more: st.permutations([*things, *more]))


def settled(inputs: list[OrderInput], start: Order | None = None) -> Order:
    state = start
    for given_input in inputs:
        state, _ = step(state, given_input, LATER, WORLD)
    assert state is not None
    return state


def told(inputs: list[OrderInput]) -> list[OrderFact]:
    state: Order | None = None
    facts: list[OrderFact] = []
    for given_input in inputs:
        state, more = step(state, given_input, LATER, WORLD)
        facts += more
    return facts


@settings(max_examples=400, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=14), st.data())
def test_any_order_and_duplication_of_events_gives_the_same_answer(
    events: list[OrderEvent], data: st.DataObject
) -> None:
    again = data.draw(shuffled(events))
    assert answer(settled([*again])) == answer(settled([*events]))


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(PLAIN, FAILED, VISITS), min_size=1, max_size=12), st.data())
def test_any_order_of_visits_and_events_gives_the_same_answer_once_the_vehicle_is_known(
    inputs: list[OrderInput], data: st.DataObject
) -> None:
    start = settled([assigned(0)])
    again = data.draw(shuffled(inputs))
    assert answer(settled(again, start)) == answer(settled(inputs, start))


@settings(deadline=None)
@given(st.lists(INPUTS, max_size=25))
def test_no_input_is_taken_without_a_trace_and_a_refused_one_leaves_none(
    inputs: list[OrderInput],
) -> None:
    state: Order | None = None
    for given_input in inputs:
        after, facts = step(state, given_input, LATER, WORLD)
        if after is state:
            silent = getattr(given_input, "motion", None) is Motion.SILENT
            assert [type(f) for f in facts] == [Rejected] or (silent and facts == ())
        state = after


@settings(deadline=None)
@given(st.lists(INPUTS, max_size=25))
def test_a_status_is_told_when_and_only_when_something_shown_changed(
    inputs: list[OrderInput],
) -> None:
    state: Order | None = None
    for given_input in inputs:
        after, facts = step(state, given_input, LATER, WORLD)
        shown = None if after is None else status_of(after, LATER)
        before = None if state is None else status_of(state, LATER)
        assert only(facts, OrderStatus) == ([] if shown == before or shown is None else [shown])
        state = after


@settings(deadline=None)
@given(st.lists(INPUTS, max_size=30))
def test_sequences_count_up_and_never_repeat(inputs: list[OrderInput]) -> None:
    state: Order | None = None
    told: dict[int, tuple[str, int]] = {}
    for given_input in inputs:
        first = 1 if state is None else state.next_sequence
        state, _ = step(state, given_input, LATER, WORLD)
        for m in () if state is None else state.milestones:
            assert m.sequence in told or m.sequence >= first
            meant = (m.code, m.occurred_at)
            assert told.setdefault(m.sequence, meant) == meant
    shown = [(m.occurred_at, m.sequence) for m in (state.milestones if state else ())]
    assert shown == sorted(shown)


@settings(deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=14))
def test_the_same_events_again_are_all_refused(events: list[OrderEvent]) -> None:
    state = settled([*events])
    for event in events:
        after, facts = step(state, event, LATER, WORLD)
        assert after is state
        assert [type(fact) for fact in facts] == [Rejected]


@settings(deadline=None)
@given(st.lists(INPUTS, max_size=25))
def test_an_outcome_is_told_once(inputs: list[OrderInput]) -> None:
    outcomes = only(told(inputs), Outcome)
    assert len({(o.stage, o.attempt) for o in outcomes}) == len(outcomes)
    good = [o.stage for o in outcomes if o.ok]
    assert len(set(good)) == len(good)


@settings(deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=14))
def test_the_last_signals_say_when_the_order_began_and_ended(events: list[OrderEvent]) -> None:
    state = settled([*events])
    facts = told([*events])
    assert only(facts, Opened)[-1] == Opened("order:o1", state.opened_at, LATER)
    ended = [Closed("order:o1", state.stage_at, LATER, state.stage)]
    assert only(facts, Closed)[-1:] == (ended if state.stage in ENDS else [])


@settings(deadline=None)
@given(st.lists(INPUTS, min_size=1, max_size=25))
def test_a_state_survives_msgpack(inputs: list[OrderInput]) -> None:
    state = settled([happened("received", 0), *inputs])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Order) == state


@settings(deadline=None)
@given(st.lists(INPUTS, min_size=1, max_size=25))
def test_stepping_the_same_inputs_again_gives_the_same_states_and_facts(
    inputs: list[OrderInput],
) -> None:
    def states() -> list[object]:
        state, seen = None, list[object]()
        for given_input in inputs:
            state, facts = step(state, given_input, LATER, WORLD)
            seen += [state, list(facts)]
        return seen

    assert states() == states()


@settings(deadline=None)
@given(st.lists(INPUTS, min_size=1, max_size=15), st.integers(0, 3_000))
def test_waking_early_changes_nothing_and_waking_late_makes_progress(
    inputs: list[OrderInput], late_min: int
) -> None:
    state: Order | None = settled([happened("received", 0), *inputs])
    assert state is not None
    due = next_wake(state)
    if due is None:
        assert wake(state, ms(99_999), WORLD) == (state, ())
        return
    assert wake(state, due - 1, WORLD) == (state, ())
    now = due + late_min * 60_000
    after, _ = wake(state, now, WORLD)
    assert (after is None) == (state.stage in ENDS)
    assert after is None or (after.wake_at is not None and after.wake_at > now)


@settings(deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=14))
def test_nothing_stands_that_an_order_system_dated_after_the_end(
    events: list[OrderEvent],
) -> None:
    state = settled([*events])
    if state.stage in ENDS:
        assert all(at <= state.stage_at for _, at in timeline(state))


@settings(deadline=None)
@given(st.lists(ASSIGNED, min_size=1, max_size=10))
def test_two_handovers_in_a_row_name_two_vehicles(events: list[OrderEvent]) -> None:
    state = settled([*events])
    given_to = [a.vehicle_id for a in state.assignments if a.sequence]
    assert all(a != b for a, b in pairwise(given_to))
