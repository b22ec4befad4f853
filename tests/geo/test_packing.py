"""What is asked of a vehicle, packed: it comes out as it went in, and is small."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from geo.calls import Calls
from geo.claims import ALWAYS, Claim, linked
from geo.model import Fence, Motion, Stop, StopRole
from geo.packing import asking, pack_claims, unpack_claims, unpack_some
from geo.plans import Plans, calls_of, is_asked, is_clear, last_told, with_calls_of, with_telling
from geo.shapes import Area, Line
from tests.builders import T0, ping, plan, stop
from tests.geo.vehicle import Vehicle

SQUARE = Area((((0.0, 0.0), (0.0, 0.01), (0.01, 0.01), (0.01, 0.0)),))
ROAD = Line((((0.0, 0.0), (0.5, 0.5)),))

distances = st.floats(1.0, 50_000.0) | st.integers(1, 50_000).map(float)
fences = st.builds(
    Fence,
    st.floats(-90.0, 90.0) | st.integers(-900_000, 900_000).map(lambda n: n / 10_000),
    st.floats(-180.0, 180.0) | st.integers(-1_800_000, 1_800_000).map(lambda n: n / 10_000),
    distances,
    distances,
    st.sampled_from((None, SQUARE, ROAD)),
)
ids = st.text(min_size=1, max_size=8)
orders = st.sampled_from((None, "o1", "o2", "订单"))
claims = st.builds(
    Claim,
    st.builds(Stop, ids, st.sampled_from(StopRole), fences),
    orders,
    st.sampled_from((0, T0, T0 + 1)),
    st.sampled_from((T0 + 2, ALWAYS)),
    st.lists(st.integers(0, 2_000), max_size=3).map(tuple),
    st.none() | ids,
    st.booleans(),
)
several = st.lists(claims, max_size=12).map(tuple)


@given(several)
def test_claims_come_out_as_they_went_in(held: tuple[Claim, ...]) -> None:
    assert unpack_claims(pack_claims(held)) == held


@given(several, st.sets(st.integers(0, 12)))
def test_some_are_those_at_the_places(held: tuple[Claim, ...], places: set[int]) -> None:
    expected = tuple(claim for n, claim in enumerate(held) if n in places)
    assert unpack_some(pack_claims(held), places) == expected


@given(several)
def test_the_orders_that_ask_are_those_of_open_claims(held: tuple[Claim, ...]) -> None:
    open_ = {c.order_id for c in held if c.until == ALWAYS and c.order_id is not None}
    found = asking(pack_claims(held))
    assert set(found) == open_
    assert len(found) == len(open_)


def test_a_stop_of_seven_decimals_takes_24_bytes_and_its_name() -> None:
    ten = linked(Claim(_stop(n), "order-1", T0) for n in range(10))
    eleven = linked(Claim(_stop(n), "order-1", T0) for n in range(11))
    assert len(pack_claims(eleven)) - len(pack_claims(ten)) < 24
    assert len(pack_claims(ten)) < 260


def _stop(n: int) -> Stop:
    return Stop(f"stop-{n:02d}", StopRole.DELIVERY, Fence(31.1234567 + n, 121.7654321, 80.0, 120.5))


FAR = (Claim(_stop(0), "o1"), Claim(_stop(1), "o2"))
PLANS = Plans(pack_claims(FAR))
AT_REST = Calls(
    seen=(("o1", "s"),), anchor=(31.25, 121.5), clearance_m=500.0, near=((1, FAR[1]),), room_m=900.0
)


def test_calls_at_rest_are_packed_and_come_out_as_they_went_in() -> None:
    plans = with_calls_of(PLANS, AT_REST)
    assert plans.calls is None
    assert calls_of(plans) == AT_REST


def test_calls_near_a_stop_stay_as_they_are() -> None:
    near = Calls(anchor=(31.25, 121.5), clearance_m=100.0)
    plans = with_calls_of(with_calls_of(PLANS, AT_REST), near)
    assert plans.calls is near
    assert calls_of(with_calls_of(plans, AT_REST)) == AT_REST


def test_where_nothing_is_packed_there_are_no_calls_and_nothing_is_clear() -> None:
    assert calls_of(PLANS) == Calls()
    assert not is_clear(PLANS, 31.25, 121.5)
    assert not is_clear(with_calls_of(PLANS, Calls()), 31.25, 121.5)


def test_it_is_clear_within_the_clearance_at_rest_or_not() -> None:
    for clearance_m in (200.0, 500.0):
        plans = with_calls_of(PLANS, Calls(anchor=(31.25, 121.5), clearance_m=clearance_m))
        assert is_clear(plans, 31.2515, 121.5)  # 167 m
        assert not is_clear(plans, 31.2550, 121.5)  # 556 m


def test_a_telling_and_the_calls_do_not_disturb_each_other() -> None:
    assert last_told(PLANS) is None
    told = with_telling(with_calls_of(PLANS, AT_REST), ping(60), Motion.STANDING)
    assert calls_of(told) == AT_REST
    again = with_calls_of(told, Calls(anchor=(31.0, 121.0), clearance_m=300.0))
    assert last_told(again) == (ping(60).ts, ping(60).lat, ping(60).lon)
    assert again.motion is Motion.STANDING


def test_who_has_neither_claims_nor_stays_is_asked_for_nothing() -> None:
    assert is_asked(PLANS)
    assert not is_asked(with_calls_of(Plans(), Calls()))
    assert not is_asked(Plans())


def test_what_is_remembered_of_the_past_does_not_grow_with_the_stops_that_are_near() -> None:
    sizes = []
    for count in (1, 100):
        vehicle = Vehicle().take(plan(*(stop(f"s{n:03d}", 1_000 + n) for n in range(count))))
        vehicle.take(*(ping(10 * n) for n in range(200)))
        assert vehicle.state is not None
        assert vehicle.state.past is not None
        sizes.append(len(msgpack.encode(vehicle.state.past)))
    assert sizes[0] == sizes[1]
