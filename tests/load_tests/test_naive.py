from __future__ import annotations

from geo.model import Ping
from load_tests.naive import point_in_circle, wall_clock_gate
from load_tests.scoring import Found
from tests.builders import at, ping, stop

DOCK = [stop("dock")]


def trace(*places: tuple[float, float], received_s: float | None = None) -> list[Ping]:
    return [
        ping(s, north_m, received_s=s if received_s is None else received_s)
        for s, north_m in places
    ]


def test_one_ping_inside_is_a_visit_to_the_circle() -> None:
    pings = trace((0, 900), (10, 100), (20, 900))
    assert point_in_circle(DOCK, pings) == [Found("dock", at(10), at(20))]


def test_the_circle_ignores_what_is_older_than_the_last() -> None:
    assert point_in_circle(DOCK, trace((0, 900), (20, 900), (10, 100))) == []


def test_the_gate_opens_after_a_minute_inside_and_closes_after_one_outside() -> None:
    pings = trace((0, 900), (10, 100), (60, 90), (70, 80), (300, 900), (359, 900), (360, 900))
    assert wall_clock_gate(DOCK, pings) == [Found("dock", at(10), at(300))]
    assert wall_clock_gate(DOCK, pings[:3]) == []
    assert wall_clock_gate(DOCK, pings[:-1]) == [Found("dock", at(10), None)]


def test_a_batch_passes_the_gate_unseen() -> None:
    pings = trace((0, 900), (10, 100), (300, 100), (600, 900), received_s=700)
    assert wall_clock_gate(DOCK, pings) == []
