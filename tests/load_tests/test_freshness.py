from __future__ import annotations

from load_tests import freshness
from load_tests.freshness import Ages, Freshness, report, table
from load_tests.pushed import quantile
from load_tests.road import Traffic
from stream.config import Settings

FOUND = Freshness(
    sent=1_000, rate=500.0, worker_share=0.5, push_share=0.1,
    fleet=Ages(900, 25.0, 500.0, 600.0), customers=Ages(9, 50.0, 125.0, 150.0),
)  # fmt: skip


def test_positions_go_from_the_broker_to_a_dispatcher_and_to_customers(settings: Settings) -> None:
    options = freshness.Options(Traffic(rate=200, vehicles=20), 2, warm_up_s=0.0, seconds=1.0)
    found = freshness.measure(options, settings, lambda said: None)
    assert found.sent > 0
    assert found.fleet.shown > 0
    assert found.customers.shown > 0
    assert found.fleet.p50_ms <= found.fleet.p99_ms <= found.fleet.max_ms


def test_a_quantile_is_a_value_that_was_there() -> None:
    assert [quantile([1.0, 2.0, 3.0, 4.0], part) for part in (0.0, 0.5, 0.99, 1.0)] == [1, 3, 4, 4]
    assert str(quantile([], 0.5)) == "nan"


def test_above_one_it_is_older_than_promised() -> None:
    made = report(FOUND, freshness.Options())
    assert made["ratios"] == {
        "fleet p50_ms / promised": 0.5,
        "fleet p99_ms / promised": 2.0,
        "customers p50_ms / promised": 1.0,
        "customers p99_ms / promised": 0.5,
    }
    assert made["results"]["options"]["traffic"]["rate"] == 30_000
    assert table("t", FOUND).row_count == 2
