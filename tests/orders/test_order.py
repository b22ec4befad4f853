from __future__ import annotations

import pytest

from geo.model import StopRole, VehiclePlan
from orders.lifecycle import Reason
from orders.model import (
    Age,
    Closed,
    LastSeen,
    Opened,
    OrderFact,
    OrderInput,
    OrderStatus,
    Outcome,
    Stage,
)
from orders.order import next_wake, step, wake
from tests.builders import stop
from tests.orders.builders import assigned, failed, happened, ms, sighting, visit
from tests.orders.drive import WORLD, only, reasons, run

STOPS = (stop("a"), stop("b", 5_000, role=StopRole.DELIVERY))


def outcome(stage: Stage, at: float, attempt: int = 1, error: str = "") -> Outcome:
    return Outcome(f"stage:{stage}", ms(at), ms(60), "o1", stage, attempt, not error, error)


def told(*inputs: OrderInput, at: float = 60) -> list[OrderFact]:
    """Every fact of these inputs, all of which arrive at the same time."""
    state, facts = None, list[OrderFact]()
    for given in inputs:
        state, more = step(state, given, ms(at), WORLD)
        facts += more
    return facts


@pytest.mark.parametrize("given", [visit(1), sighting(1)])
def test_what_a_vehicle_tells_of_an_order_we_do_not_hold_is_refused(given: OrderInput) -> None:
    state, facts = step(None, given, ms(2), WORLD)
    assert state is None
    assert reasons(facts) == [Reason.UNKNOWN_ORDER]


def test_an_unknown_order_stays_unknown_after_an_event_that_is_refused() -> None:
    state, facts = step(None, happened("received", 99), ms(2), WORLD)
    assert state is None
    assert reasons(facts) == [Reason.CLOCK_FUTURE]


def test_a_status_shows_all_that_is_known() -> None:
    order, facts = run(
        happened("received", 0), assigned(5), happened("outbound", 10), failed(11), sighting(12)
    )
    assert facts == [
        OrderStatus(
            order_id="o1",
            rev=0,
            stage=Stage.OUTBOUND,
            stage_at=ms(10),
            received_at=ms(0),
            reported_at=ms(12),
            age=Age.FRESH,
            vehicle_id="v1",
            seen=LastSeen(ms(12), 31.23, 121.47),
            milestones=order.milestones,
            errors=1,
            last_error="address",
            stops=(stop(),),
        )
    ]


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        pytest.param(happened("received", 5), [Opened("order:o1", ms(5), ms(60))], id="received"),
        pytest.param(failed(5), [Opened("order:o1", ms(5), ms(60))], id="an error"),
    ],
)
def test_an_order_opens_with_its_first_event_whichever_it_is(
    given: OrderInput, facts: list[OrderFact]
) -> None:
    assert only(told(given), Opened) == facts


def test_an_order_opens_anew_when_we_learn_when_it_was_received() -> None:
    facts = told(assigned(5), happened("reviewed", 6), happened("received", 2))
    assert only(facts, Opened) == [
        Opened("order:o1", ms(5), ms(60)),
        Opened("order:o1", ms(2), ms(60)),
    ]


@pytest.mark.parametrize("end", [Stage.SIGNED, Stage.CANCELLED, Stage.RETURNED])
def test_an_order_closes_with_its_end(end: Stage) -> None:
    facts = told(happened("received", 0), happened(end, 30), happened("reviewed", 3))
    assert only(facts, Opened) == [Opened("order:o1", ms(0), ms(60))]
    assert only(facts, Closed) == [Closed("order:o1", ms(30), ms(60), end)]


@pytest.mark.parametrize(
    ("inputs", "last"),
    [
        pytest.param([happened("signed", 30)], (30, 30, Stage.SIGNED), id="all we ever hear"),
        pytest.param(
            [happened("signed", 30), happened("received", 2)],
            (2, 30, Stage.SIGNED),
            id="the beginning comes after the end",
        ),
        pytest.param(
            [happened("received", 2), happened("cancelled", 30), happened("signed", 20)],
            (2, 20, Stage.SIGNED),
            id="the end proves to be another",
        ),
    ],
)
def test_of_an_ended_order_beginning_and_end_are_told_together(
    inputs: list[OrderInput], last: tuple[float, float, Stage]
) -> None:
    began, ended, stage = last
    signals = [fact for fact in told(*inputs) if isinstance(fact, Opened | Closed)]
    assert signals[-2:] == [
        Opened("order:o1", ms(began), ms(60)),
        Closed("order:o1", ms(ended), ms(60), stage),
    ]


def test_a_stage_ends_well_when_the_next_one_known_is_reached() -> None:
    facts = told(happened("received", 0), happened("outbound", 10), happened("signed", 30))
    assert only(facts, Outcome) == [
        outcome(Stage.RECEIVED, 10),
        outcome(Stage.OUTBOUND, 30),
    ]


def test_a_stage_filled_in_late_ends_well_too() -> None:
    facts = told(happened("received", 0), happened("outbound", 10), happened("reviewed", 5))
    assert only(facts, Outcome) == [outcome(Stage.RECEIVED, 10), outcome(Stage.REVIEWED, 10)]


@pytest.mark.parametrize("end", ["cancelled", "returned"])
def test_an_end_off_the_road_is_no_good_end_of_a_stage(end: str) -> None:
    assert only(told(happened("received", 0), happened(end, 10)), Outcome) == []


def test_an_error_is_a_bad_attempt_at_the_stage_of_its_time() -> None:
    facts = told(
        happened("received", 0),
        failed(2, "address"),
        happened("outbound", 10),
        failed(12, "damage"),
        failed(3, "price"),
        failed(3, "price"),
    )
    assert only(facts, Outcome) == [
        outcome(Stage.RECEIVED, 2, 1, "address"),
        outcome(Stage.RECEIVED, 10, 2),
        outcome(Stage.OUTBOUND, 12, 1, "damage"),
        outcome(Stage.RECEIVED, 3, 3, "price"),
    ]


def test_a_stage_taken_back_and_reached_again_does_not_end_well_twice() -> None:
    facts = told(
        happened("outbound", 5),
        happened("in_transit", 20),
        happened("cancelled", 10),
        happened("in_transit", 8),
    )
    assert only(facts, Outcome) == [outcome(Stage.OUTBOUND, 20)]


def plans(*inputs: OrderInput) -> list[VehiclePlan]:
    return only(told(*inputs), VehiclePlan)


def test_an_assignment_gives_the_vehicle_its_stops() -> None:
    assert plans(assigned(5, stops=STOPS)) == [VehiclePlan("v1", ms(5), STOPS, "o1")]


def test_another_vehicle_takes_over_and_the_old_one_is_released() -> None:
    assert plans(assigned(5), assigned(9, "v2", stops=STOPS))[1:] == [
        VehiclePlan("v1", ms(9), (), "o1"),
        VehiclePlan("v2", ms(9), STOPS, "o1"),
    ]


def test_new_stops_for_the_same_vehicle_replace_the_old_ones_and_are_shown() -> None:
    facts = told(assigned(5), assigned(9, stops=STOPS))
    assert only(facts, VehiclePlan)[1:] == [VehiclePlan("v1", ms(9), STOPS, "o1")]
    assert [status.stops for status in only(facts, OrderStatus)] == [(stop(),), STOPS]


def test_an_assignment_overtaken_by_a_newer_one_gives_no_stops() -> None:
    assert plans(assigned(9, "v2", stops=STOPS), assigned(5)) == [
        VehiclePlan("v2", ms(9), STOPS, "o1")
    ]


@pytest.mark.parametrize("end", ["signed", "cancelled", "returned"])
def test_an_end_releases_the_vehicle(end: str) -> None:
    assert plans(assigned(5), happened(end, 30))[1:] == [VehiclePlan("v1", ms(30), (), "o1")]


def test_an_end_before_an_assignment_releases_the_vehicle_that_holds_the_newer_plan() -> None:
    facts = plans(assigned(5), assigned(40, "v2"), happened("cancelled", 30))
    assert facts[-1:] == [VehiclePlan("v2", ms(40), (), "o1")]


def test_an_ended_order_gives_no_more_plans() -> None:
    assert plans(happened("signed", 30), assigned(5), happened("cancelled", 20)) == []


def test_an_ended_order_is_kept_for_a_day_and_then_forgotten() -> None:
    order, _ = run(assigned(0), happened("signed", 30))
    late, _ = run(happened("reviewed", 3), start=order, now=ms(60))
    assert next_wake(late) == ms(30 + 24 * 60)
    assert wake(late, ms(30 + 24 * 60), WORLD) == (None, ())


def test_an_end_told_late_is_kept_for_a_day_from_when_we_knew() -> None:
    order, _ = run(assigned(0), happened("signed", 30), now=ms(500))
    assert next_wake(order) == ms(500 + 24 * 60)
