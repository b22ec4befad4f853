from __future__ import annotations

import pytest

from geo.model import Rejected
from orders.events import MAX_REPEATS
from orders.lifecycle import Reason
from orders.model import Code, Milestone, OrderEvent, Stage
from tests.orders.builders import assigned, failed, happened, ms, visit
from tests.orders.drive import reasons, run, timeline


def test_a_late_event_fills_its_milestone_and_leaves_the_stage() -> None:
    order, _ = run(happened("received", 0), happened("outbound", 10), happened("reviewed", 5))
    assert (order.stage, order.stage_at) == (Stage.OUTBOUND, ms(10))
    assert timeline(order) == [
        (Code.ORDER_ACCEPTED, ms(0)),
        (Code.ORDER_REVIEWED, ms(5)),
        (Code.OUTBOUND, ms(10)),
    ]


def test_a_milestone_says_what_happened_when_and_when_we_were_told() -> None:
    order, _ = run(happened("received", 3), now=ms(7))
    assert order.milestones == (Milestone(1, Code.ORDER_ACCEPTED, ms(3), ms(7), "event"),)


@pytest.mark.parametrize(
    ("again", "reason"),
    [
        pytest.param(happened("received", 0), Reason.DUPLICATE, id="the same event"),
        pytest.param(happened("reviewed", 9), Reason.ALREADY_REACHED, id="reached before"),
        pytest.param(failed(6), Reason.DUPLICATE, id="the same error by its time"),
        pytest.param(failed(8, event_id="e"), Reason.DUPLICATE, id="the same error by its id"),
        pytest.param(assigned(3), Reason.DUPLICATE, id="the same assignment"),
        pytest.param(happened("signed", 31), Reason.ALREADY_ENDED, id="the end again, later"),
        pytest.param(happened("signed", 30), Reason.DUPLICATE, id="the same end"),
        pytest.param(happened("returned", 30), Reason.ALREADY_ENDED, id="a lesser end then"),
        pytest.param(failed(40), Reason.ALREADY_ENDED, id="an error after the end"),
        pytest.param(assigned(40, "v2"), Reason.ALREADY_ENDED, id="a vehicle after the end"),
        pytest.param(happened("in_transit", 40), Reason.ALREADY_ENDED, id="a stage after the end"),
        pytest.param(happened("outbound", 99), Reason.CLOCK_FUTURE, id="from the future"),
    ],
)
def test_an_event_that_is_not_taken_changes_nothing_and_says_why(
    again: OrderEvent, reason: Reason
) -> None:
    order, _ = run(
        happened("received", 0),
        happened("reviewed", 2),
        assigned(3),
        failed(6),
        failed(7, event_id="e"),
        happened("signed", 30),
    )
    after, facts = run(again, start=order, now=ms(60))
    assert after is order
    assert reasons(facts) == [reason]


def test_a_rejection_names_the_order_the_event_and_what_stands_against_it() -> None:
    _, facts = run(happened("reviewed", 2), happened("reviewed", 4))
    detail = f"order o1: reviewed at {ms(4)}: order_reviewed at {ms(2)}"
    assert facts == [Rejected(Reason.ALREADY_REACHED, detail)]


def test_an_earlier_event_of_a_stage_supersedes_the_later_one() -> None:
    order, _ = run(happened("reviewed", 8), happened("reviewed", 5), now=ms(20))
    assert order.milestones == (
        Milestone(2, Code.ORDER_REVIEWED, ms(5), ms(20), "event", supersedes=1),
        Milestone(1, Code.ORDER_REVIEWED, ms(8), ms(20), "event"),
    )


def test_a_stamp_as_far_ahead_as_the_limit_is_still_taken() -> None:
    order, _ = run(happened("received", 15), now=ms(0))
    assert order.received_at == ms(15)


def test_what_happened_before_the_end_and_comes_after_it_still_fills_its_milestone() -> None:
    order, _ = run(happened("signed", 30), happened("in_transit", 20), now=ms(40))
    assert order.stage is Stage.SIGNED
    assert timeline(order) == [(Code.IN_TRANSIT, ms(20)), (Code.DELIVERED, ms(30))]


def test_what_came_before_an_end_but_happened_after_it_is_taken_back() -> None:
    order, facts = run(
        happened("received", 0),
        assigned(5),
        assigned(35, "v2"),
        visit(36, vehicle="v2"),
        failed(37),
        happened("signed", 30),
        now=ms(40),
    )
    assert timeline(order) == [
        (Code.ORDER_ACCEPTED, ms(0)),
        (Code.VEHICLE_ASSIGNED, ms(5)),
        (Code.DELIVERED, ms(30)),
    ]
    assert (order.vehicle_id, order.errors) == ("v1", 0)
    assert reasons(facts) == [Reason.ALREADY_ENDED] * 3


def test_new_stops_after_an_end_told_late_are_taken_back_too() -> None:
    order, facts = run(assigned(5), assigned(35), happened("signed", 30))
    assert [given.ts for given in order.assignments] == [ms(5)]
    assert reasons(facts) == [Reason.ALREADY_ENDED]


def test_taking_back_a_correction_takes_back_what_it_corrected() -> None:
    order, _ = run(happened("reviewed", 20), happened("reviewed", 15), happened("signed", 10))
    assert timeline(order) == [(Code.DELIVERED, ms(10))]


def test_the_earlier_of_two_ends_stands_and_supersedes_the_other() -> None:
    order, _ = run(happened("cancelled", 30), happened("signed", 20), now=ms(40))
    assert (order.stage, order.stage_at) == (Stage.SIGNED, ms(20))
    assert order.milestones == (
        Milestone(2, Code.DELIVERED, ms(20), ms(40), "event", supersedes=1),
        Milestone(1, Code.CANCELLED, ms(30), ms(40), "event"),
    )


def test_of_two_ends_at_one_instant_what_was_done_to_the_goods_stands() -> None:
    order, _ = run(happened("cancelled", 30), happened("signed", 30))
    assert order.stage is Stage.SIGNED


def test_an_error_is_a_milestone_and_the_newest_one_is_shown() -> None:
    order, _ = run(happened("received", 0), failed(9, "refused"), failed(5), now=ms(9))
    assert (order.errors, order.last_error) == (2, "refused")
    assert timeline(order)[1:] == [(Code.ATTEMPT_FAILED, ms(5)), (Code.ATTEMPT_FAILED, ms(9))]


def test_an_order_takes_a_bounded_number_of_errors_and_assignments() -> None:
    order, _ = run(*(failed(i) for i in range(MAX_REPEATS)))
    after, facts = run(assigned(99), start=order)
    assert after is order
    assert reasons(facts) == [Reason.TOO_MANY]


def handovers(*events: OrderEvent) -> list[tuple[str | None, int, int | None]]:
    """(vehicle, minute, supersedes) of each milestone, all told at once."""
    order, _ = run(*events, now=ms(60))
    return [
        (m.vehicle_id, (m.occurred_at - ms(0)) // 60_000, m.supersedes) for m in order.milestones
    ]


def test_another_vehicle_is_another_milestone_and_the_first_again_too() -> None:
    told = handovers(assigned(1, "v1"), assigned(2, "v2"), assigned(3, "v1"))
    assert told == [("v1", 1, None), ("v2", 2, None), ("v1", 3, None)]


def test_new_stops_for_the_same_vehicle_are_no_milestone() -> None:
    assert handovers(assigned(1), assigned(2)) == [("v1", 1, None)]


def test_a_late_assignment_moves_the_handover_to_where_it_belongs() -> None:
    told = handovers(assigned(1, "v1"), assigned(5, "v2"), assigned(3, "v2"))
    assert told == [("v1", 1, None), ("v2", 3, 2), ("v2", 5, None)]


def test_a_late_assignment_between_two_of_one_vehicle_makes_two_handovers() -> None:
    told = handovers(assigned(1, "v1"), assigned(5, "v1"), assigned(3, "v2"))
    assert told == [("v1", 1, None), ("v2", 3, None), ("v1", 5, None)]
