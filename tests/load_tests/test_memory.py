from __future__ import annotations

import msgspec

from load_tests.backlog import Fleet
from load_tests.memory import PASSED, fleets, held, report, run


def test_a_vehicle_under_way_with_ten_stops_takes_a_kibibyte_at_most() -> None:
    # So many that what coverage itself allocates, 33 KB, is little of it.
    none = held(Fleet(PASSED * 4_000, 4_000))
    ten = held(Fleet(PASSED * 4_000, 4_000, 10))
    assert 300 < none.bare < ten.bare <= 1_024


def test_history_is_bounded() -> None:
    # 4,000 pings are more than are remembered; a ping as objects would take 200 bytes.
    some, many = held(Fleet(2_000, 1)).whole, held(Fleet(4_000, 1)).whole
    assert some > 33 * 1_000
    assert many < 1.3 * some


def test_figures_say_what_a_vehicle_takes_with_and_without_history() -> None:
    said: list[str] = []
    small = {name: Fleet(20, 4, fleet.stops) for name, fleet in fleets(4, 4, 2).items()}
    results = run(small, said.append)
    made = msgspec.json.decode(msgspec.json.encode(report(results)))
    assert list(made["results"]) == list(small)
    assert all(each["bare"] < each["whole"] for each in made["results"].values())
    assert len(said) == len(small)
