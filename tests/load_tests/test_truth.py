from __future__ import annotations

import math
import random
from dataclasses import replace
from statistics import mean, stdev

import pytest

from geo.distance import metres
from load_tests.journeys import ORIGIN, START, Journey, Tour, journey
from load_tests.naive import point_in_circle
from load_tests.receivers import ERRORS, Receiver, fixes
from load_tests.roads import BRAKE, SPEED_UP, Node, Ride, Sky, Streets, drive
from load_tests.scenarios import MIXED, NOISE, ROUGH, SCENARIOS
from load_tests.scoring import score
from load_tests.truth import OURS, judged, report, run, table
from load_tests.truth_plot import plot
from load_tests.uplinks import Uplink, carried
from tests.builders import ping

PERFECT = Receiver(every_s=1.0, noise=0.0)
QUICK = Tour(calls=2, leg_m=(800, 1_500), stay_s=(120, 240, 400), drive_bys=1)


def a_day(n: int = 0, tour: Tour = QUICK, receiver: Receiver = PERFECT) -> Journey:
    return journey(f"test:{n}", tour, receiver, Uplink())


def test_the_same_seed_gives_the_same_day_and_another_another() -> None:
    noisy = Tour(calls=3, streets=MIXED)
    days = [journey(seed, noisy, NOISE, ROUGH) for seed in ("a:v", "a:v", "b:v")]
    assert days[0] == days[1]
    assert days[0].pings != days[2].pings


@pytest.mark.parametrize("n", range(4))
def test_what_is_said_to_be_true_is(n: int) -> None:
    """Looked up in a perfect receiver's pings, one a second."""
    day = a_day(n)
    fences = {stop.stop_id: stop.fence for plan in day.plans for stop in plan.stops}
    for stay in day.stays:
        fence = fences[stay.stop_id]
        for p in day.pings:
            away = metres(p.lat, p.lon, fence.lat, fence.lon)
            if (stay.entered or START) <= p.ts <= (stay.left or p.ts):
                assert away <= fence.enter_m + 1
            if stay.stood + 1_000 <= p.ts <= stay.moved - 1_000:
                assert (p.speed_mps or 0) <= 0.5
            if stay.entered is not None and stay.entered - 3_000 < p.ts < stay.entered - 500:
                assert away > fence.enter_m - 1


@pytest.mark.parametrize("n", range(3))
def test_where_it_only_passes_it_never_stands_for_longer_than_a_light(n: int) -> None:
    day = a_day(n, replace(QUICK, drive_bys=5))
    fences = [s.fence for plan in day.plans for s in plan.stops if s.stop_id in day.passed]
    for fence in fences:
        there = [p for p in day.pings if metres(p.lat, p.lon, fence.lat, fence.lon) < 150]
        places = {(round(p.lat, 5), round(p.lon, 5)) for p in there}
        longest = max(
            sum((round(p.lat, 5), round(p.lon, 5)) == place for p in there) for place in places
        )
        assert longest <= 65


def test_a_perfect_receiver_makes_the_naive_circle_right_to_the_second() -> None:
    day = a_day(tour=replace(QUICK, drive_bys=0))
    stops = [stop for plan in day.plans for stop in plan.stops]
    found = [v for v in point_in_circle(stops, day.pings) if (v.departed_at or 0) != v.arrived_at]
    one = score(day.stays, day.passed, found, every_s=1)
    assert (one.recall, one.flaps) == (1.0, 0)
    assert one.median_s is not None
    assert one.median_s <= 1.5


def test_vehicles_speed_up_and_brake_as_vehicles_do() -> None:
    rng = random.Random(3)
    ride = drive(
        (0.0, 0.0), [*Streets().way(rng, (0.0, 0.0), (6e3, 4e3)), Node((6e3, 4e3), 8.0, hold_s=60)]
    )
    for n in range(1, len(ride.seconds)):
        took = ride.seconds[n] - ride.seconds[n - 1]
        change = ride.speeds[n] - ride.speeds[n - 1]
        assert change <= SPEED_UP * took + 0.5
        moved = math.dist(ride.places[n], ride.places[n - 1])
        assert moved <= (max(ride.speeds[n], ride.speeds[n - 1]) + 0.01) * max(took, 1.0)
    assert BRAKE > SPEED_UP


def parked(sky: Sky, seconds: float = 40_000) -> Ride:
    return Ride([0.0, seconds], [(0.0, 0.0)] * 2, [0.0, 0.0], [sky] * 2)


@pytest.mark.parametrize("sky", [Sky.OPEN, Sky.STREET, Sky.CANYON])
def test_the_error_of_a_fix_has_the_size_and_memory_of_its_sky(sky: Sky) -> None:
    found = fixes(random.Random(5), parked(sky), Receiver(every_s=10.0))
    east = [fix.place[0] for fix in found]
    assert stdev(east) == pytest.approx(ERRORS[sky].metres, rel=0.15)
    steps = [a * b for a, b in zip(east, east[1:], strict=False)]
    kept = mean(steps) / mean(x * x for x in east)
    assert kept == pytest.approx(math.exp(-10 / ERRORS[sky].memory_s), abs=0.08)


def test_a_reflection_throws_a_fix_far_off_and_ends() -> None:
    found = fixes(random.Random(2), parked(Sky.CANYON), replace(NOISE, every_s=5.0))
    far = [math.dist(fix.place, (0, 0)) > 60 for fix in found]
    assert 0 < mean(far) < 0.2


def test_a_device_that_reports_on_change_is_quiet_while_it_stands() -> None:
    found = fixes(random.Random(1), parked(Sky.OPEN, 7_000), replace(PERFECT, parked_s=1_800.0))
    assert len(found) == 4


def test_a_link_without_faults_keeps_the_order_and_every_ping() -> None:
    sent = [ping(10 * n) for n in range(50)]
    arrived = carried(random.Random(1), sent, Uplink())
    assert [p.ts for p in arrived] == [p.ts for p in sent]


def test_a_faulty_link_delivers_late_twice_and_under_wrong_clocks() -> None:
    sent = [ping(10 * n) for n in range(3_000)]
    arrived = carried(random.Random(1), sent, ROUGH)
    stamps = [p.ts for p in arrived]
    assert stamps != sorted(stamps)
    assert len(stamps) > len(set(stamps)) + 20
    assert any(p.ts > (p.received_at or 0) + 120_000 for p in arrived)
    assert any((p.received_at or 0) - p.ts > 600_000 for p in arrived)


def test_in_the_plane_of_the_simulator_a_kilometre_is_one() -> None:
    there = ORIGIN.moved(20_000, 20_000)
    away = metres(there.lat, there.lon, *(lambda p: (p.lat, p.lon))(ORIGIN.moved(20_000, 21_000)))
    assert away == pytest.approx(1_000, rel=1e-3)


def test_a_run_gives_table_report_and_picture() -> None:
    quick = [replace(s, vehicles=1, tour=replace(s.tour, calls=2)) for s in SCENARIOS[1:3]]
    results = run(quick, seed=1)
    assert results == run(quick, seed=1)
    assert results[quick[0].name][OURS].recall == 1.0
    assert table(results, quick).row_count == 2
    figures = report(results, 1, 2.0)["results"][quick[0].name][OURS]
    assert figures["calls"] == 4
    assert plot(results, quick).count("<circle") == 3 + 2 * 2 * 3


def test_the_names_of_the_scenarios_differ() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)


def test_ours_makes_of_a_day_what_it_was() -> None:
    ours = judged(a_day(1, receiver=Receiver(10.0)), 10.0)[OURS]
    assert (ours.precision, ours.recall, ours.flaps) == (1.0, 1.0, 0)
