from __future__ import annotations

import pytest
from msgspec.structs import replace

from geo.model import Motion
from orders.model import Age, Aged, OrderInput, OrderStatus
from orders.order import next_wake, wake
from orders.state import LAST_MS, Order, World
from tests.orders.builders import assigned, happened, ms, sighting, visit
from tests.orders.drive import WORLD, only, run

OUT = (assigned(0), happened("outbound", 10))


def woken(*inputs: OrderInput, at: float, world: World = WORLD) -> tuple[Order, list[Aged]]:
    """The order after these inputs and one wake, and what the wake told of its age."""
    order, facts = wake(run(*inputs)[0], ms(at), world)
    assert order is not None
    return order, only(facts, Aged)


@pytest.mark.parametrize(
    ("inputs", "due"),
    [
        pytest.param([happened("received", 0)], None, id="not due before it is outbound"),
        pytest.param([*OUT], 25, id="never seen: from outbound"),
        pytest.param([happened("in_transit", 4)], 19, id="outbound missing: from in transit"),
        pytest.param([*OUT, happened("in_transit", 20)], 25, id="a next stage is no position"),
        pytest.param([*OUT, sighting(12)], 27, id="seen"),
        pytest.param([assigned(0), sighting(2), happened("outbound", 10)], 25, id="seen before"),
        pytest.param([*OUT, assigned(18, "v2")], 33, id="handed over"),
    ],
)
def test_an_order_is_to_be_looked_at_15_minutes_after_what_is_known(
    inputs: list[OrderInput], due: int | None
) -> None:
    assert next_wake(run(*inputs)[0]) == (None if due is None else ms(due))


LAGGING = World(lag_ms=60_001)
FEEDLESS = World(feed_at=ms(10))
PARKED = (*OUT, sighting(12, Motion.STANDING), visit(11, reported=13))


@pytest.mark.parametrize(
    ("inputs", "world", "age"),
    [
        pytest.param([*OUT], WORLD, Age.DEVICE_SILENT, id="nothing else known"),
        pytest.param([happened("outbound", 10)], WORLD, Age.NO_VEHICLE, id="no vehicle"),
        pytest.param([*PARKED], WORLD, Age.PARKED, id="stood at a stop"),
        pytest.param(
            [*PARKED, sighting(12.5, Motion.SILENT)], WORLD, Age.PARKED, id="asleep at a stop"
        ),
        pytest.param(
            [*PARKED, sighting(12.5)], WORLD, Age.DEVICE_SILENT, id="last seen moving off"
        ),
        pytest.param([*PARKED, visit(11, 13)], WORLD, Age.DEVICE_SILENT, id="left the stop"),
        pytest.param(
            [*OUT, sighting(12, Motion.STANDING)], WORLD, Age.DEVICE_SILENT, id="stood on the road"
        ),
        pytest.param([*PARKED], FEEDLESS, Age.FEED_LAG, id="the whole feed is behind"),
        pytest.param([*OUT], World(feed_at=ms(30)), Age.DEVICE_SILENT, id="the feed is well"),
        pytest.param([happened("outbound", 10)], FEEDLESS, Age.NO_VEHICLE, id="no feed would help"),
        pytest.param([*PARKED], LAGGING, Age.OUR_LAG, id="we are behind"),
        pytest.param([*OUT], World(lag_ms=60_000), Age.DEVICE_SILENT, id="we are well"),
    ],
)
def test_an_old_order_says_why(inputs: list[OrderInput], world: World, age: Age) -> None:
    order, told = woken(*inputs, at=35, world=world)
    assert order.age is age
    assert [fact.age for fact in told] == [age]


def test_a_deadline_noticed_hours_late_keeps_its_time() -> None:
    order, facts = wake(run(*OUT)[0], ms(300), WORLD)
    assert order is not None
    aged = Aged("order:o1", ms(25), ms(300), Age.DEVICE_SILENT)
    assert [aged, *only(facts, OrderStatus)] == list(facts)
    assert [(s.age, s.reported_at) for s in only(facts, OrderStatus)] == [
        (Age.DEVICE_SILENT, ms(300))
    ]


def test_an_order_that_stays_old_is_looked_at_again_and_tells_nothing_new() -> None:
    order, _ = wake(run(*OUT)[0], ms(25), WORLD)
    assert order is not None
    assert wake(order, ms(40), WORLD) == (replace(order, wake_at=ms(55)), ())


def test_a_reason_that_becomes_another_is_told_for_the_same_deadline() -> None:
    order, _ = woken(*OUT, at=25, world=LAGGING)
    _, facts = wake(order, ms(40), WORLD)
    assert only(facts, Aged) == [Aged("order:o1", ms(25), ms(40), Age.DEVICE_SILENT)]


def test_a_newer_position_makes_an_order_fresh_from_its_fix_time() -> None:
    order, _ = woken(*OUT, at=25)
    after, facts = run(sighting(26), start=order, now=ms(27))
    assert only(facts, Aged) == [Aged("order:o1", ms(26), ms(27), Age.FRESH)]
    assert (after.age, next_wake(after)) == (Age.FRESH, ms(41))


def test_a_handover_makes_an_order_fresh_from_its_time() -> None:
    order, _ = woken(*OUT, at=25)
    _, facts = run(assigned(26, "v2"), start=order)
    assert only(facts, Aged) == [Aged("order:o1", ms(26), ms(26), Age.FRESH)]


def test_a_newer_position_that_is_itself_too_old_is_shown_but_makes_nothing_fresh() -> None:
    order, _ = woken(*OUT, at=25)
    after, facts = run(sighting(20), start=order, now=ms(35))
    assert after.age is Age.DEVICE_SILENT
    assert [type(fact) for fact in facts] == [OrderStatus]
    assert next_wake(after) == next_wake(order)


def test_a_record_of_before_the_deadline_does_not_undo_a_deadline_already_told() -> None:
    order, _ = woken(*OUT, at=25)
    after, facts = run(happened("reviewed", 0), start=order, now=ms(24))
    assert after.age is Age.DEVICE_SILENT
    assert only(facts, Aged) == []


def test_a_step_that_finds_an_order_old_says_so_and_asks_to_be_looked_at_at_once() -> None:
    order, facts = run(*OUT, now=ms(60))
    assert only(facts, Aged) == [Aged("order:o1", ms(25), ms(60), Age.DEVICE_SILENT)]
    assert next_wake(order) == ms(60)


def test_a_step_learns_that_a_silent_vehicle_is_parked() -> None:
    order, _ = woken(*OUT, sighting(12, Motion.STANDING), at=30)
    _, facts = run(visit(11, reported=31), start=order)
    assert only(facts, Aged) == [Aged("order:o1", ms(27), ms(31), Age.PARKED)]


@pytest.mark.parametrize("world", [LAGGING, FEEDLESS])
def test_a_step_cannot_tell_that_the_feed_or_we_have_caught_up(world: World) -> None:
    order, told = woken(*OUT, sighting(12, Motion.STANDING), at=30, world=world)
    after, facts = run(visit(11, reported=31), start=order)
    assert after.age is told[0].age
    assert only(facts, Aged) == []


def test_an_order_that_ends_is_no_longer_old_and_tells_only_its_end() -> None:
    order, _ = woken(*OUT, at=25)
    after, facts = run(happened("signed", 30), start=order)
    assert after.age is Age.ENDED
    assert only(facts, Aged) == []


def test_a_deadline_stays_within_time() -> None:
    order, _ = run(*OUT)
    late = replace(order, due_at=LAST_MS)
    assert next_wake(run(sighting(11), start=late)[0]) == LAST_MS
