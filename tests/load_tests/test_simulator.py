from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise

import msgspec
import pytest

from geo import distance
from geo.model import Fence, Ping, Rejected, StopRole
from load_tests.faults import NO_FAULTS, Faults
from load_tests.simulator import Options, Record, simulate
from orders.model import (
    Assigned,
    Cancelled,
    Failed,
    InTransit,
    OrderEvent,
    Outbound,
    Received,
    Returned,
    Reviewed,
    Signed,
    Stage,
)
from stream import wire
from stream.topics import ORDER_EVENTS, PINGS
from tests.builders import T0

HOUR_MS = 3_600_000


def options(**changed: object) -> Options:
    """Twenty vehicles with eighty orders for an hour, in a perfect world."""
    small = Options(start=T0, vehicles=20, orders=80, duration_s=3_600, faults=NO_FAULTS)
    return replace(small, **changed)  # type: ignore[arg-type]


def run(**changed: object) -> list[Record]:
    return list(simulate(options(**changed)))


def with_faults(**rates: float) -> list[Record]:
    return run(faults=replace(NO_FAULTS, **rates))  # type: ignore[arg-type]


def pings(records: Sequence[Record]) -> list[Ping]:
    """Every ping that decodes, in the order of the records."""
    taken = [p for r in records if r.topic == PINGS for p in wire.decode_pings(r.value)]
    return [p for p in taken if isinstance(p, Ping)]


def events(records: Sequence[Record]) -> dict[str, list[OrderEvent]]:
    """The events of each order, in the order of the records."""
    found: dict[str, list[OrderEvent]] = defaultdict(list)
    for record in records:
        if record.topic == ORDER_EVENTS:
            for event in wire.decode_orders(record.value):
                assert not isinstance(event, Rejected)
                found[record.key].append(event)
    return found


def rejected(records: Sequence[Record]) -> int:
    taken = [
        item
        for r in records
        for item in (wire.decode_pings if r.topic == PINGS else wire.decode_orders)(r.value)
    ]
    return sum(isinstance(item, Rejected) for item in taken)


def values(records: Sequence[Record]) -> Counter[bytes]:
    return Counter(r.value for r in records if r.topic == PINGS)


def metres(fence: Fence, ping: Ping) -> float:
    return distance.metres(fence.lat, fence.lon, ping.lat, ping.lon)


ALL = Faults(wave_rate=0.3, late_order_share=0.05)


def test_the_same_seed_gives_the_same_records_byte_for_byte() -> None:
    assert run(faults=ALL) == run(faults=ALL)


def test_another_seed_gives_other_records() -> None:
    assert run(seed=1) != run(seed=2)


def test_records_come_in_the_order_of_their_time_whatever_goes_wrong() -> None:
    times = [record.at for record in run(faults=ALL)]
    assert times == sorted(times)


def test_nothing_is_produced_after_the_end() -> None:
    assert run(faults=ALL)[-1].at <= T0 + HOUR_MS


def test_without_a_duration_it_goes_on_for_ever() -> None:
    endless = simulate(options(vehicles=2, orders=4, duration_s=None))
    assert len(list(islice(endless, 20_000))) == 20_000


def test_every_record_of_a_perfect_world_decodes() -> None:
    assert rejected(run()) == 0


def test_a_tour_of_every_vehicle_carries_the_orders_asked_for_remainder_included() -> None:
    records = run(orders=83, duration_s=5 * 3_600)
    first_two_tours = [number for number in events(records) if int(number[-5:]) <= 2 * 83]
    assert len(first_two_tours) == 2 * 83
    assert len({p.vehicle_id for p in pings(records)}) == 20


def test_the_default_fleet_has_500_vehicles_and_2000_orders_under_way() -> None:
    records = list(simulate(Options(start=T0, duration_s=30, faults=NO_FAULTS)))
    vehicles = {r.key for r in records if r.topic == PINGS}
    assert len(vehicles) == 500
    assert len(events(records)) >= 2_000


def test_every_vehicle_pings_at_its_interval() -> None:
    times: dict[str, list[int]] = defaultdict(list)
    for ping in pings(run(ping_s=5)):
        times[ping.vehicle_id].append(ping.ts)
    assert {b - a for of in times.values() for a, b in pairwise(of)} == {5_000}


def test_vehicles_drive_at_speeds_of_lorries() -> None:
    tracks: dict[str, list[Ping]] = defaultdict(list)
    for ping in pings(run(noise_m=0.0)):
        tracks[ping.vehicle_id].append(ping)
    fastest = max(
        distance.metres(a.lat, a.lon, b.lat, b.lon) / (b.ts - a.ts) * 1000
        for track in tracks.values()
        for a, b in pairwise(track)
    )
    assert 10 < fastest < 25


def test_the_fleet_lives_in_the_yangtze_delta() -> None:
    seen = pings(run(vehicles=100, duration_s=60))
    assert all(29 < p.lat < 33 and 118 < p.lon < 122.5 for p in seen)


def test_an_order_goes_its_road_in_order() -> None:
    road = [Received, Reviewed, Assigned, Outbound, InTransit, Signed]
    for order in events(run(duration_s=4 * 3_600)).values():
        assert [type(event) for event in order] == road[: len(order)]
        assert [event.ts for event in order] == sorted(event.ts for event in order)


def test_a_signed_order_s_vehicle_stood_at_the_delivery_and_had_been_at_the_pickup() -> None:
    records = run(duration_s=4 * 3_600)
    fixes = {(p.vehicle_id, p.ts // 10_000): p for p in pings(records)}
    checked = 0
    for order in events(records).values():
        assigned = [e for e in order if isinstance(e, Assigned)]
        loaded = [e for e in order if isinstance(e, Outbound) and e.ts > T0 + 20_000]
        signed = [e for e in order if isinstance(e, Signed)]
        if not (assigned and loaded and signed):
            continue
        pickup, delivery = assigned[0].stops[0], assigned[0].stops[-1]
        at_pickup = fixes[assigned[0].vehicle_id, loaded[0].ts // 10_000]
        at_delivery = fixes[assigned[0].vehicle_id, signed[0].ts // 10_000]
        assert (pickup.role, delivery.role) == (StopRole.PICKUP, StopRole.DELIVERY)
        assert metres(pickup.fence, at_pickup) < 50
        assert metres(delivery.fence, at_delivery) < 50
        checked += 1
    assert checked > 10


def test_a_vehicle_is_not_at_the_pickup_when_the_order_is_assigned_to_it() -> None:
    records = run(duration_s=4 * 3_600)
    fixes = {(p.vehicle_id, p.ts // 10_000): p for p in pings(records)}
    assigned = [e for o in events(records).values() for e in o if isinstance(e, Assigned)]
    live = [e for e in assigned if e.ts > T0 + 20_000]
    away = [metres(e.stops[0].fence, fixes[e.vehicle_id, e.ts // 10_000]) > 250 for e in live]
    assert len(live) > 20
    assert sum(away) / len(away) > 0.9


def test_an_order_on_the_road_at_the_start_is_said_to_be_so_once_its_vehicle_was_heard() -> None:
    heard: dict[str, int] = {}
    vehicle: dict[str, str] = {}
    late = 0
    for record in run(catch_up_s=24.0):
        if record.topic == PINGS:
            heard.setdefault(record.key, record.at)
            continue
        (event,) = wire.decode_orders(record.value)
        if isinstance(event, Assigned):
            vehicle[record.key] = event.vehicle_id
        if isinstance(event, Outbound | InTransit) and event.ts < T0 < record.at:
            late += 1
            assert heard[vehicle[record.key]] < record.at
    assert late > 10


def test_some_orders_pass_a_hub() -> None:
    assigned = [e for o in events(run()).values() for e in o if isinstance(e, Assigned)]
    assert {len(e.stops) for e in assigned} == {2, 3}


def test_faults_of_the_link_do_not_change_what_the_vehicles_did() -> None:
    delivered = {r.value for r in run() if r.topic == PINGS and r.at < T0 + HOUR_MS - 10_000}
    for rates in ({"duplicate_rate": 0.2}, {"garbage_rate": 0.1}):
        assert set(values(with_faults(**rates))) >= delivered


def test_late_pings_arrive_minutes_after_their_fix() -> None:
    records = with_faults(late_rate=0.1)
    late = [r for r in records if r.topic == PINGS and r.at - pings([r])[0].ts > 60_000]
    assert 0.05 < len(late) / len(values(records)) < 0.15


def test_duplicates_are_the_same_bytes_again() -> None:
    seen = values(with_faults(duplicate_rate=0.1))
    again = sum(count == 2 for count in seen.values())
    assert 0.05 < again / len(seen) < 0.15


def test_reordered_pings_come_after_a_newer_one_of_their_vehicle() -> None:
    newest: dict[str, int] = {}
    overtaken = 0
    for ping in pings(with_faults(reorder_rate=0.1)):
        overtaken += ping.ts < newest.get(ping.vehicle_id, 0)
        newest[ping.vehicle_id] = max(ping.ts, newest.get(ping.vehicle_id, 0))
    assert overtaken > 300


def test_a_blind_area_sends_all_its_pings_at_the_end_as_one_array() -> None:
    records = with_faults(blind_rate=0.01)
    arrays = [r for r in records if r.value.startswith(b"[")]
    assert len(arrays) > 10
    assert max(len(pings([r])) for r in arrays) > 6
    assert len(pings(arrays)) == sum(len(pings([r])) for r in arrays)


def test_a_silent_vehicle_says_nothing_for_as_long_as_asked() -> None:
    records = with_faults(silent_share=0.3, silent_s=600)
    times: dict[str, list[int]] = defaultdict(list)
    for ping in pings(records):
        times[ping.vehicle_id].append(ping.ts)
    gaps = [b - a for of in times.values() for a, b in pairwise(of) if b - a > 10_000]
    share = 1 - len(pings(records)) / len(pings(run()))
    assert 0.15 < share < 0.45
    assert all(590_000 < gap < 1_300_000 for gap in gaps)


def test_a_vehicle_silent_at_the_start_was_heard_before_it() -> None:
    before = [r for r in with_faults(silent_share=0.5) if r.topic == PINGS and r.at < T0]
    assert before
    assert len({r.key for r in before}) == len(before)


def test_teleports_jump_kilometres_away_and_back() -> None:
    true = {(p.vehicle_id, p.ts): p for p in pings(run())}
    seen = pings(with_faults(teleport_rate=0.05))
    far = [
        p for p in seen if distance.metres(p.lat, p.lon, *_place(true[p.vehicle_id, p.ts])) > 5_000
    ]
    assert 0.02 < len(far) / len(seen) < 0.08


def _place(ping: Ping) -> tuple[float, float]:
    return ping.lat, ping.lon


def test_zero_fixes_lie_in_the_gulf_of_guinea() -> None:
    seen = pings(with_faults(zero_rate=0.05))
    share = sum(_place(p) == (0.0, 0.0) for p in seen) / len(seen)
    assert 0.02 < share < 0.08


def test_future_clocks_are_ahead_of_the_arrival_by_more_than_is_tolerated() -> None:
    records = [r for r in with_faults(future_rate=0.05) if r.topic == PINGS]
    ahead = [r for r in records if pings([r])[0].ts - r.at > 120_000]
    assert 0.02 < len(ahead) / len(records) < 0.08


def test_undecodable_records_come_in_addition_to_the_good_ones() -> None:
    spoiled = with_faults(garbage_rate=0.05)
    assert rejected(spoiled) / len(spoiled) == pytest.approx(0.05, abs=0.02)


def test_orders_with_errors_say_what_went_wrong_before_they_go_on() -> None:
    orders = events(with_faults(error_rate=0.2)).values()
    errors = [e for order in orders for e in order if isinstance(e, Failed)]
    attempts = sum(not isinstance(e, Failed | Received) for order in orders for e in order)
    assert errors[0].error
    assert 0.1 < len(errors) / attempts < 0.3


def test_a_wave_of_errors_strikes_the_review_only_and_passes() -> None:
    faults = replace(NO_FAULTS, wave_rate=1.0, wave_s=600, wave_every_s=1_200)
    orders = events(run(faults=faults, vehicles=60, orders=300)).values()
    errors = [e.ts for order in orders for e in order if isinstance(e, Failed)]
    assert errors
    assert all((ts - T0 + 900_000) % 1_200_000 < 600_000 for ts in errors)


def test_late_orders_are_48_h_old_now_or_soon_and_still_open() -> None:
    records = with_faults(late_order_share=0.5)
    before = [r for r in records if r.at <= T0]
    open_orders = {
        order[0].order_id: order[0].ts
        for order in events(before).values()
        if not isinstance(order[-1], Signed)
    }
    old = [T0 - ts for ts in open_orders.values() if T0 - ts > 47 * HOUR_MS]
    assert any(age > 48 * HOUR_MS for age in old)
    assert any(48 * HOUR_MS - 5 * 60_000 <= age <= 48 * HOUR_MS for age in old)


def test_a_cancelled_order_is_cancelled_before_loading_and_nobody_calls_there() -> None:
    orders = events(with_faults(cancel_rate=0.3)).values()
    cancelled = [order for order in orders if isinstance(order[-1], Cancelled)]
    assert 0.1 < len(cancelled) / len(orders) < 0.5
    assert not any(isinstance(e, Outbound) for order in cancelled for e in order)


def test_a_returned_order_failed_at_the_door_first() -> None:
    orders = events(with_faults(return_rate=1.0)).values()
    returned = [order for order in orders if isinstance(order[-1], Returned)]
    assert returned
    assert all(isinstance(order[-2], Failed) for order in returned)


def test_no_rate_of_the_perfect_world_is_above_zero() -> None:
    rates = {k: v for k, v in vars(NO_FAULTS).items() if k.endswith(("_rate", "_share"))}
    assert set(rates.values()) == {0}
    assert NO_FAULTS.error_rate_at(Stage.RECEIVED, T0) == 0


def test_a_ping_record_is_a_plain_wire_ping() -> None:
    record = next(r for r in run() if r.topic == PINGS)
    assert msgspec.json.decode(record.value, type=Ping).vehicle_id == record.key
