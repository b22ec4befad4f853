from __future__ import annotations

import io
from collections.abc import Sequence
from importlib import import_module
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from rich.console import Console

from geo.model import Ping, VehiclePlan
from load_tests import orders, pings
from load_tests.backlog import Fleet, fleet_rows, order_rows, ping_rows, plan_rows
from load_tests.bench import Absent, Measured, Passes, best, ratios, report, table
from load_tests.contestants import ROOT, _why
from load_tests.peers.task import Done
from load_tests.profiling import read_stacks
from orders.lifecycle import Reason
from orders.order import step
from orders.state import Order, World
from stream.config import Settings
from stream.topics import ORDER_EVENTS, PINGS, PLANS
from stream.wire import decode_orders, decode_pings, decode_plans
from tests.builders import T0, at

SLOW = Measured(records=1_000, seconds=10.0, cpu_s=5.0, total=1_000)
FAST = Measured(records=1_000, seconds=4.0, cpu_s=2.0, total=1_000)
MISSING = Absent("bytewax is not installed: pip install -e .[peers]")

PASSES: Passes = {"ceiling": [FAST], "milepost": [SLOW], "bytewax": [MISSING]}


def test_the_fastest_pass_counts() -> None:
    assert best([SLOW, FAST, MISSING]) == FAST
    assert best([MISSING]) is None


def test_a_ratio_is_ours_over_theirs_and_by_cpu_theirs_over_ours() -> None:
    assert ratios(PASSES) == {"milepost / ceiling": {"rate": 0.4, "cpu": 0.4}}


def test_without_us_there_are_no_ratios() -> None:
    assert ratios({"ceiling": [FAST]}) == {}


def test_the_table_says_what_is_missing_and_how_to_mend_it() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(table("t", {"milepost": [FAST], "bytewax": [MISSING]}))
    assert "250" in out.getvalue()
    assert MISSING.why in out.getvalue()


def test_the_report_has_results_ratios_and_the_machine() -> None:
    made = msgspec.json.decode(msgspec.json.encode(report(PASSES, {"idle_cpu_share": 0.03})))
    assert set(made) == {"results", "ratios", "machine"}
    assert made["results"]["ceiling"]["records_per_s"] == 250
    assert made["results"]["bytewax"] == {
        "records_per_s": None,
        "cpu_us_per_record": None,
        "passes": [{"why": MISSING.why}],
    }
    assert made["results"]["idle_cpu_share"] == 0.03
    assert {"cpu", "cpus", "python", "kafka"} <= set(made["machine"])


def test_a_missing_module_is_named_with_what_to_do() -> None:
    assert _why("ModuleNotFoundError: No module named 'bytewax.operators'") == MISSING.why


def test_pings_are_good_and_each_vehicles_come_in_order() -> None:
    rows = list(fleet_rows(Fleet(pings=40, vehicles=10, stops=2), T0))
    assert [topic for topic, _, _ in rows] == [PLANS] * 10 + [PINGS] * 40
    assert all(decode_plans(value)[0].stops for _, _, value in rows[:10])  # type: ignore[union-attr]
    times = [decode_pings(value)[0].ts for _, key, value in rows[10:] if key == "truck-000003"]  # type: ignore[union-attr]
    assert times == sorted(set(times))


def test_a_record_may_hold_several_pings_of_one_vehicle() -> None:
    single = list(ping_rows(Fleet(pings=60, vehicles=2), T0))
    arrays = list(ping_rows(Fleet(pings=60, vehicles=2, batch=7), T0))
    assert [len(decode_pings(value)) for _, _, value in arrays] == [7, 7] * 4 + [2, 2]
    for name in ("truck-000000", "truck-000001"):
        times, in_arrays = (
            [p.ts for _, key, value in rows if key == name for p in good(decode_pings(value), Ping)]
            for rows in (single, arrays)
        )
        assert times == in_arrays
        assert len(times) == 30 == Fleet(pings=60, vehicles=2).turns
    assert Fleet(pings=61, vehicles=2).total == 62


def test_more_stops_than_a_plan_may_have_are_several_orders() -> None:
    rows = list(plan_rows(Fleet(pings=1, vehicles=1, stops=250), T0))
    plans = [p for _, _, value in rows for p in good(decode_plans(value), VehiclePlan)]
    assert [len(plan.stops) for plan in plans] == [100, 100, 50]
    assert len({plan.order_id for plan in plans}) == 3
    assert len({stop.fence for plan in plans for stop in plan.stops}) == 250


T = TypeVar("T")


def good(messages: Sequence[object], kind: type[T]) -> list[T]:
    assert all(isinstance(message, kind) for message in messages)
    return [message for message in messages if isinstance(message, kind)]


def test_every_order_event_is_taken_in() -> None:
    states: dict[str, Order | None] = {}
    rows = list(order_rows(200, T0))
    assert {topic for topic, _, _ in rows} == {ORDER_EVENTS}
    refused = []
    for _, key, value in rows:
        (event,) = decode_orders(value)
        states[key], facts = step(states.get(key), event, at(1), World())  # type: ignore[arg-type]
        refused += [fact for fact in facts if getattr(fact, "reason", None) in set(Reason)]
    assert (len(rows), len(states), refused) == (200, 50, [])


def test_time_is_grouped_by_the_innermost_known_frame() -> None:
    stacks = [
        "run (commands/worker.py:1);take_in (stream/partition.py:9);step (geo/track.py:5) 3",
        "turn (stream/engine.py:1);f (stream/store.py:9);snappy_encode (aiokafka/codec.py:5) 2",
    ]
    groups, own = read_stacks(stacks)
    assert groups == {"step": 3, "checkpoint": 2}
    assert own == {"step (geo/track.py)": 3, "snappy_encode (aiokafka/codec.py)": 2}


def test_the_peers_that_need_no_more_than_we_do_can_start() -> None:
    for name in ("ceiling", "stock_faust"):
        assert import_module(f"load_tests.peers.{name}")


def test_a_peer_tells_what_it_did_in_one_line() -> None:
    done = Done(records=1, seconds=0.5, cpu_s=0.25)
    assert msgspec.json.decode(msgspec.json.encode(done), type=Done) == done
    assert (ROOT / "milepost.py").exists()


def test_pings_run_from_backlog_to_figures(settings: Settings) -> None:
    options = pings.Options(Fleet(5_000, 500), passes=1, only=("ceiling", "milepost"))
    _check(pings.run(options, settings, lambda said: None), total=5_000)


def test_pings_in_batches_and_with_stops_are_counted_one_by_one(settings: Settings) -> None:
    options = pings.Options(Fleet(5_000, 500), passes=1)
    batches = pings.in_batches(options, 50)
    assert (batches.fleet.vehicles, batches.fleet.turns) == (50, 100)
    _check(pings.run(batches, settings, lambda said: None), total=5_000)
    planned = replace(options, fleet=Fleet(5_000, 500, stops=3))
    one = pings.with_stops(planned, settings, lambda said: None)
    assert isinstance(one, Measured), one
    assert (one.total, 0 < one.records <= 5_000) == (5_000, True)


def test_each_of_our_runs_has_ratios_to_the_others_of_its_kind() -> None:
    results = {"ceiling": [FAST], "milepost": [SLOW], "milepost, 10 stops each": [SLOW]}
    made = pings.figures(results, {"ceiling": [FAST], "milepost": [SLOW]}, {}, ", 50 a record")
    assert set(made["results"]) == {*results, "ceiling, 50 a record", "milepost, 50 a record"}
    half = {"rate": 0.4, "cpu": 0.4}
    assert made["ratios"]["milepost / ceiling"] == half
    assert made["ratios"]["milepost, 10 stops each / ceiling"] == half
    assert made["ratios"]["milepost, 50 a record / ceiling, 50 a record"] == half


def test_orders_run_from_backlog_to_figures(settings: Settings) -> None:
    options = orders.Options(4_000, passes=1, only=("ceiling", "milepost"))
    _check(orders.run(options, settings, lambda said: None), total=4_000)


def _check(results: dict[str, list[Measured | Absent]], total: int) -> None:
    assert list(results) == ["ceiling", "milepost"]
    for (one,) in results.values():
        assert isinstance(one, Measured), one
        assert one.total == total
        assert 0 < one.records <= total
    assert set(report(results)["ratios"]) == {"milepost / ceiling"}
