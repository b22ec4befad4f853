from __future__ import annotations

import pytest

from geo.model import StopRole
from geo.visits import confidence
from orders.lifecycle import Reason
from orders.milestones import ARRIVED, DEPARTED, MAX_MILESTONES
from orders.model import Code, Milestone, OrderStatus
from orders.state import Order
from tests.orders.builders import assigned, failed, happened, ms, visit
from tests.orders.drive import reasons, run, timeline


@pytest.fixture
def order() -> Order:
    return run(assigned(0))[0]


@pytest.mark.parametrize("role", [StopRole.PICKUP, StopRole.HUB, StopRole.DELIVERY])
def test_a_visit_is_an_arrival_and_a_departure_of_its_role(order: Order, role: StopRole) -> None:
    after, _ = run(visit(10, 20, role=role), start=order)
    assert timeline(after)[1:] == [(ARRIVED[role], ms(10)), (DEPARTED[role], ms(20))]
    assert ARRIVED[role] == f"arrived_{role}"
    assert DEPARTED[role] == f"departed_{role}"


def test_a_milestone_of_a_visit_carries_its_evidence(order: Order) -> None:
    after, _ = run(visit(10, reported=12), start=order)
    assert after.milestones[-1] == Milestone(
        sequence=2,
        code=Code.ARRIVED_HUB,
        occurred_at=ms(10),
        reported_at=ms(12),
        source="gps",
        confidence=0.8,
        stop_id="hub",
        vehicle_id="v1",
        evidence="dwell: 3 positions, nearest 23 m",
    )


def test_confidence_grows_with_the_positions_and_is_even_without_any() -> None:
    assert [confidence(n) for n in (0, 1, 2, 8, 98)] == [0.5, 0.67, 0.75, 0.9, 0.99]


def test_the_departure_of_a_visit_leaves_its_arrival_as_it_was(order: Order) -> None:
    arrived, _ = run(visit(10), start=order)
    left, _ = run(visit(10, 20), start=arrived)
    assert left.milestones[:2] == arrived.milestones


def test_a_visit_told_twice_counts_once(order: Order) -> None:
    once, _ = run(visit(10, 20), start=order)
    twice, facts = run(visit(10, 20), start=once)
    assert twice is once
    assert reasons(facts) == [Reason.DUPLICATE]


def test_a_newer_version_that_says_the_same_shows_nothing_new(order: Order) -> None:
    left, _ = run(visit(10, 20), start=order)
    after, facts = run(visit(10, 20, reported=30), start=left)
    assert (after.milestones, facts) == (left.milestones, [])


def test_an_older_version_of_a_visit_is_stale(order: Order) -> None:
    left, _ = run(visit(10, 20), start=order)
    after, facts = run(visit(10), start=left)
    assert after is left
    assert reasons(facts) == [Reason.STALE]


def test_a_corrected_visit_supersedes_both_its_milestones(order: Order) -> None:
    after, _ = run(visit(10, 20), visit(8, 25, reported=30), start=order)
    assert [(m.sequence, m.code, m.occurred_at, m.supersedes) for m in after.milestones[1:]] == [
        (4, Code.ARRIVED_HUB, ms(8), 2),
        (2, Code.ARRIVED_HUB, ms(10), None),
        (3, Code.DEPARTED_HUB, ms(20), None),
        (5, Code.DEPARTED_HUB, ms(25), 3),
    ]


def test_a_departure_withdrawn_leaves_the_timeline_with_what_it_corrected(order: Order) -> None:
    after, _ = run(visit(10, 20), visit(10, 25, reported=30), visit(10, reported=40), start=order)
    assert timeline(after)[1:] == [(Code.ARRIVED_HUB, ms(10))]
    assert len(after.milestones) == 2


def test_a_departure_after_a_withdrawn_one_is_a_new_milestone(order: Order) -> None:
    after, _ = run(visit(10, 20), visit(10, reported=40), visit(10, 50), start=order)
    assert after.milestones[-1].supersedes is None


def test_a_visit_that_began_after_the_end_proves_nothing(order: Order) -> None:
    after, facts = run(happened("signed", 30), visit(40, 50), start=order)
    assert timeline(after)[1:] == [(Code.DELIVERED, ms(30))]
    assert reasons(facts) == [Reason.ALREADY_ENDED]


def test_a_departure_after_the_end_is_told_if_the_visit_began_before(order: Order) -> None:
    after, _ = run(visit(20), happened("signed", 30), visit(20, 40), start=order)
    assert timeline(after)[-1] == (Code.DEPARTED_HUB, ms(40))


def test_a_visit_corrected_to_after_the_end_is_taken_back(order: Order) -> None:
    after, facts = run(visit(20), happened("signed", 30), visit(35, reported=40), start=order)
    assert timeline(after)[1:] == [(Code.DELIVERED, ms(30))]
    assert reasons(facts) == [Reason.ALREADY_ENDED]


def test_a_visit_told_instead_of_another_supersedes_its_milestones(order: Order) -> None:
    told = visit(10, 20, version=2)
    instead = visit(8, 25, visit_id="visit-2", version=1, supersedes="visit-1", reported=30)
    after, _ = run(told, instead, start=order)
    assert [(m.code, m.occurred_at, m.supersedes) for m in after.milestones[1:]] == [
        (Code.ARRIVED_HUB, ms(8), 2),
        (Code.ARRIVED_HUB, ms(10), None),
        (Code.DEPARTED_HUB, ms(20), None),
        (Code.DEPARTED_HUB, ms(25), 3),
    ]
    assert [s.visit_id for s in after.stays] == ["visit-2"]


def test_a_visit_retracted_leaves_the_timeline(order: Order) -> None:
    arrived, _ = run(visit(10, 20, version=2), start=order)
    after, facts = run(visit(10, 20, version=3, retracted=True), start=arrived)
    assert after.milestones == order.milestones
    assert [type(fact) for fact in facts] == [OrderStatus]


def test_a_visit_retracted_and_found_again_is_in_the_timeline(order: Order) -> None:
    told = (visit(10, version=1), visit(10, version=2, retracted=True), visit(10, version=3))
    assert timeline(run(*told, start=order)[0])[1:] == [(Code.ARRIVED_HUB, ms(10))]


def test_the_higher_version_counts_though_told_in_the_same_millisecond(order: Order) -> None:
    left = visit(10, 20, version=2, reported=30)
    back = visit(10, version=3, reported=30)
    after, facts = run(left, back, start=order)
    assert timeline(after)[1:] == [(Code.ARRIVED_HUB, ms(10))]
    assert reasons(run(left, start=after)[1]) == [Reason.STALE]


def test_nobody_saw_what_is_inferred(order: Order) -> None:
    after, _ = run(visit(10, 20, inferred=True), start=order)
    assert [m.confidence for m in after.milestones[1:]] == [0.5, 0.5]


def test_the_timeline_is_by_occurrence_and_then_by_sequence() -> None:
    order, _ = run(assigned(9), failed(5), happened("outbound", 9), now=ms(9))
    assert [m.sequence for m in order.milestones] == [2, 1, 3]


def test_a_full_timeline_drops_superseded_milestones_first_and_never_an_events() -> None:
    order, _ = run(assigned(99), happened("reviewed", 98), happened("reviewed", 97), now=ms(99))
    full, _ = run(
        *(visit(i, i + 1, visit_id=f"visit-{i}", reported=99) for i in range(31)), start=order
    )
    assert len(full.milestones) == MAX_MILESTONES
    assert timeline(full)[-1] == (Code.VEHICLE_ASSIGNED, ms(99))
    assert 2 not in {m.sequence for m in full.milestones}
    over, _ = run(visit(50, visit_id="one more", reported=99), start=full)
    assert len(over.milestones) == MAX_MILESTONES
    assert over.milestones[0].code is Code.DEPARTED_HUB
    assert {m.sequence for m in over.milestones if m.source == "event"} == {1, 3}
