from __future__ import annotations

import pytest

from geo.model import Motion, StopRole
from orders.lifecycle import Reason
from orders.model import LastSeen, OrderInput
from orders.state import Order
from tests.orders.builders import assigned, happened, ms, sighting, visit
from tests.orders.drive import reasons, run


@pytest.fixture
def handed_over() -> Order:
    """With v1 from minute 10, with v2 from minute 20; v2 last seen at minute 25."""
    return run(assigned(10, "v1"), assigned(20, "v2"), sighting(25, vehicle="v2"))[0]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(visit(22), Reason.OTHER_VEHICLE, id="visit after the handover"),
        pytest.param(visit(5, vehicle="v9"), Reason.OTHER_VEHICLE, id="visit of a stranger"),
        pytest.param(visit(22, role=StopRole.SITE), Reason.FLEET_SITE, id="visit to a yard"),
        pytest.param(sighting(22), Reason.OTHER_VEHICLE, id="seen after the handover"),
        pytest.param(sighting(15), Reason.STALE, id="seen before the handover"),
        pytest.param(sighting(24, vehicle="v2"), Reason.STALE, id="older than what we hold"),
        pytest.param(sighting(25, vehicle="v2"), Reason.DUPLICATE, id="what we hold"),
        pytest.param(
            sighting(24, Motion.SILENT, vehicle="v2"), Reason.STALE, id="silence of before"
        ),
    ],
)
def test_what_is_not_of_the_vehicle_that_had_the_order_then_is_refused(
    handed_over: Order, given: OrderInput, reason: Reason
) -> None:
    after, facts = run(given, start=handed_over)
    assert after is handed_over
    assert reasons(facts) == [reason]


def test_a_visit_corrected_to_after_the_handover_is_taken_back(handed_over: Order) -> None:
    arrived, _ = run(visit(18), start=handed_over)
    later = visit(22, visit_id="visit-2", supersedes="visit-1", reported=40)
    after, facts = run(later, start=arrived)
    assert after.milestones == handed_over.milestones
    assert reasons(facts) == [Reason.OTHER_VEHICLE]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(visit(15, 21), id="begun while it had the order"),
        pytest.param(visit(5, 8), id="of the first vehicle, begun before it was given the order"),
        pytest.param(visit(18, vehicle="v2"), id="of the present vehicle, waiting for the order"),
    ],
)
def test_a_visit_of_the_vehicle_that_had_the_order_then_counts(
    handed_over: Order, given: OrderInput
) -> None:
    after, facts = run(given, start=handed_over)
    assert reasons(facts) == []
    assert len(after.milestones) > len(handed_over.milestones)


def test_without_a_vehicle_nobody_is_the_orders_vehicle() -> None:
    order, _ = run(happened("received", 0))
    assert reasons(run(sighting(1), start=order)[1]) == [Reason.OTHER_VEHICLE]


def test_a_newer_position_is_held() -> None:
    order, _ = run(assigned(0), sighting(2), sighting(3))
    assert order.seen == LastSeen(ms(3), 31.23, 121.47)


def test_a_handover_forgets_where_the_other_vehicle_was() -> None:
    order, _ = run(assigned(0), sighting(2, Motion.STANDING), assigned(3, "v2"))
    assert (order.seen, order.standing) == (None, False)


def test_silence_told_with_the_last_fix_is_neither_news_nor_an_error() -> None:
    order, _ = run(assigned(0), sighting(2, Motion.STANDING))
    after, facts = run(sighting(2, Motion.SILENT), start=order)
    assert (after, facts) == (order, [])


def test_a_vehicle_that_fell_silent_while_standing_is_remembered_as_standing() -> None:
    order, _ = run(assigned(0), sighting(2, Motion.STANDING), sighting(3, Motion.SILENT))
    assert order.standing


def test_a_position_after_the_end_is_not_shown() -> None:
    order, _ = run(assigned(0), sighting(2), happened("signed", 5))
    after, facts = run(sighting(6), start=order)
    assert after is order
    assert reasons(facts) == [Reason.ALREADY_ENDED]


def test_a_late_position_of_before_the_end_is_held() -> None:
    order, _ = run(assigned(0), happened("signed", 5))
    assert run(sighting(4), start=order, now=ms(9))[0].seen == LastSeen(ms(4), 31.23, 121.47)
