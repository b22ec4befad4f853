from __future__ import annotations

from collections.abc import Sequence

import pytest

from orders.lifecycle import (
    CODES,
    END_CODES,
    ENDS,
    RANK,
    ROAD,
    STAGE_OF,
    TRANSITIONS,
    Progress,
    replay,
    stage_on,
)
from orders.model import Code, Milestone, OrderEvent, Stage
from tests.orders.builders import ms

GPS_CODES = {code for code in Code if code.startswith(("arrived", "departed"))}
CELLS = [(stage, code) for stage in ROAD[:-1] for code in CODES.values()]


def milestones(*codes: Code | tuple[Code, float]) -> Sequence[Milestone]:
    """One after another a minute apart, or at the time given; in event-time order."""
    dated = [c if isinstance(c, tuple) else (c, float(i)) for i, c in enumerate(codes, start=1)]
    made = [Milestone(i, code, ms(at), ms(99), "event") for i, (code, at) in enumerate(dated, 1)]
    return sorted(made, key=lambda m: m.occurred_at)


def stage_of(*codes: Code | tuple[Code, float]) -> Stage:
    return replay(milestones(*codes)).stage


def test_every_event_has_a_milestone_of_its_own() -> None:
    assert set(CODES) == set(OrderEvent.__args__)
    assert len(set(CODES.values())) == len(CODES)


def test_every_code_comes_from_an_event_or_from_a_visit() -> None:
    assert set(CODES.values()) | GPS_CODES == set(Code)


def test_every_stage_has_a_row_and_every_open_row_a_cell_for_each_event() -> None:
    assert set(TRANSITIONS) == set(Stage)
    assert all(
        set(row) == (set() if stage in ENDS else set(CODES.values()))
        for stage, row in TRANSITIONS.items()
    )


def test_the_ends_are_signed_cancelled_and_returned() -> None:
    assert {STAGE_OF[code] for code in END_CODES} == ENDS
    assert {Stage.SIGNED, Stage.CANCELLED, Stage.RETURNED} == ENDS


@pytest.mark.parametrize(("stage", "code"), CELLS)
def test_a_cell_moves_forward_or_stays_or_ends(stage: Stage, code: Code) -> None:
    to = TRANSITIONS[stage][code]
    entered = STAGE_OF.get(code, stage)
    assert to is (entered if entered in ENDS else max(stage, entered, key=RANK.__getitem__))


@pytest.mark.parametrize(("stage", "code"), CELLS)
def test_replay_follows_the_table(stage: Stage, code: Code) -> None:
    reached_by = next(c for c, s in STAGE_OF.items() if s is stage)
    assert stage_of(reached_by, code) is TRANSITIONS[stage][code]


def test_the_whole_road_is_walked_in_order() -> None:
    codes = [c for s in ROAD for c, of in STAGE_OF.items() if of is s]
    assert replay(milestones(*codes)) == Progress(
        stage=Stage.SIGNED,
        stage_at=ms(6),
        opened_at=ms(1),
        reached={stage: ms(i) for i, stage in enumerate(ROAD, start=1)},
        errors=0,
        last_error="",
    )


def test_a_later_milestone_of_an_earlier_stage_does_not_move_the_stage_back() -> None:
    progress = replay(milestones(Code.OUTBOUND, Code.ORDER_REVIEWED))
    assert (progress.stage, progress.stage_at) == (Stage.OUTBOUND, ms(1))


def test_an_order_known_only_by_an_error_counts_as_received_then() -> None:
    progress = replay(milestones(Code.ATTEMPT_FAILED))
    assert (progress.stage, progress.stage_at, progress.reached) == (Stage.RECEIVED, ms(1), {})


def test_an_order_opened_when_it_was_received_even_if_something_is_dated_before() -> None:
    assert replay(milestones((Code.OUTBOUND, 1), (Code.ORDER_ACCEPTED, 2))).opened_at == ms(2)


def test_an_end_stands_after_what_happened_at_its_own_instant() -> None:
    assert stage_of((Code.DELIVERED, 5), (Code.IN_TRANSIT, 5)) is Stage.SIGNED


@pytest.mark.parametrize(
    ("at", "stage"),
    [
        pytest.param(0, Stage.RECEIVED, id="before anything"),
        pytest.param(1, Stage.REVIEWED, id="at its instant"),
        pytest.param(2, Stage.REVIEWED, id="between"),
        pytest.param(3, Stage.IN_TRANSIT, id="later"),
        pytest.param(9, Stage.IN_TRANSIT, id="an end is no stage to fail at"),
    ],
)
def test_the_stage_on_a_date_is_the_furthest_reached_by_then(at: float, stage: Stage) -> None:
    reached = {Stage.REVIEWED: ms(1), Stage.IN_TRANSIT: ms(3), Stage.SIGNED: ms(5)}
    assert stage_on(reached, ms(at)) is stage
