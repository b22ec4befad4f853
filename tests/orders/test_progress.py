"""The shortcut for ordinary events, held against the replay of the whole timeline."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.model import Sighting, Visit
from orders.events import took_place
from orders.model import OrderEvent, OrderInput
from orders.order import step
from orders.progress import Progressed, onward, replayed
from orders.state import Order
from tests.orders.builders import assigned, failed, happened, ms, visit
from tests.orders.drive import WORLD, run
from tests.orders.test_properties import INPUTS, LATER

LIFE: list[OrderEvent] = [
    happened("received", 0),
    happened("reviewed", 2),
    assigned(4),
    happened("outbound", 10),
    happened("in_transit", 12),
    happened("signed", 30),
]


def shortcut(before: Order, event: OrderEvent) -> Progressed | None:
    after, _ = took_place(before, event, LATER, WORLD)
    return onward(before, after, LATER)


def assert_both_ways_agree(inputs: list[OrderInput]) -> None:
    state: Order | None = None
    for given_input in inputs:
        if not isinstance(given_input, Visit | Sighting):
            before = state or Order("o1")
            after, _ = took_place(before, given_input, LATER, WORLD)
            quick = None if after is before else onward(before, after, LATER)
            assert quick is None or quick == replayed(before, after, given_input, LATER)
        state, _ = step(state, given_input, LATER, WORLD)


@settings(max_examples=200, deadline=None)
@given(st.lists(INPUTS, max_size=25))
def test_the_shortcut_answers_as_the_replay_does_after_any_history(
    inputs: list[OrderInput],
) -> None:
    assert_both_ways_agree(inputs)


@settings(max_examples=200, deadline=None)
@given(st.lists(INPUTS, max_size=6), st.permutations(LIFE), st.integers(0, 6), st.data())
def test_the_shortcut_answers_as_the_replay_does_in_a_life_disturbed(
    disturbing: list[OrderInput], jumbled: list[OrderEvent], lost: int, data: st.DataObject
) -> None:
    inputs: list[OrderInput] = [event for event in LIFE if event not in jumbled[:lost]]
    for one in disturbing:
        inputs.insert(data.draw(st.integers(0, len(inputs))), one)
    assert_both_ways_agree(inputs)


@pytest.mark.parametrize("place", range(1, len(LIFE)))
def test_every_event_of_a_punctual_life_but_the_first_takes_the_shortcut(place: int) -> None:
    before, _ = run(*LIFE[:place])
    assert shortcut(before, LIFE[place]) is not None


def test_an_event_after_visits_takes_the_shortcut() -> None:
    before, _ = run(*LIFE[:5], visit(15, 20))
    assert shortcut(before, LIFE[5]) is not None


@pytest.mark.parametrize(
    "event",
    [
        happened("in_transit", 11),
        happened("signed", 9),
        assigned(20, "v2"),
        failed(20),
    ],
    ids=["a correction", "an end that takes back", "a hand-over", "an error"],
)
def test_what_is_not_onward_or_not_newest_is_replayed(event: OrderEvent) -> None:
    before, _ = run(*LIFE[:5])
    assert shortcut(before, event) is None


def test_a_stage_dated_before_the_newest_milestone_is_replayed() -> None:
    before, _ = run(*LIFE[:4], failed(20), now=ms(30))
    assert shortcut(before, LIFE[4]) is None
