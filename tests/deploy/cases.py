"""When each alert fires and when it does not, as series in promtool's notation.

`0+3x40` is 41 samples from 0 in steps of 3; a space joins two such runs. One sample each 15 s
unless `step` says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Labels = Mapping[str, str]

ACTIVE = "milepost_freshness_active_order_seconds_total"
STALE = "milepost_freshness_stale_order_seconds_total"
HEARTBEAT = "milepost_engine_heartbeat_timestamp_seconds"
ERRORS = 'milepost_order_outcomes_total{stage="outbound",outcome="error"}'
OK = 'milepost_order_outcomes_total{stage="outbound",outcome="ok"}'
EXPECTED = 'milepost_partitions_expected{role="orders",instance="o1"}'
LAG = "milepost_consumer_lag_seconds"
HELD = 'milepost_checkpoint_held{role="orders",instance="o1"}'
COMMITTED = 'milepost_checkpoints_total{role="orders",instance="o1",result="committed"}'
FAILED = 'milepost_checkpoints_total{role="orders",instance="o1",result="failed"}'
REDIS = 'milepost_redis_up{instance="o1"}'
TAKEN = 'milepost_pings_total{result="accepted"}'
UNREADABLE = 'milepost_pings_total{result="not_json"}'
REPEATED = 'milepost_pings_total{result="duplicate"}'
PLANS = 'milepost_plans_total{result="accepted"}'
REJECTED = 'milepost_rejected_total{role="vehicles",reason="not_json"}'
DUPLICATES = 'milepost_rejected_total{role="vehicles",reason="duplicate"}'
BUGS = 'milepost_rejected_total{role="vehicles",reason="failed"}'
ACCEPTED = 'milepost_source_pings_total{source="north",result="accepted"}'
MISSING = 'milepost_pings_missing_total{source="north"}'
CAME = 'milepost_pings_missing_came_total{source="north"}'
FEED = 'milepost_feed_up{instance="p1"}'
BEHIND = 'milepost_feed_behind_seconds{instance="p1"}'
SLOW = 'milepost_websocket_closed_total{code="4108",instance="p1"}'
AWAY = 'milepost_websocket_closed_total{code="4200",instance="p1"}'
CLIENTS = 'milepost_websocket_clients{client="customer",instance="p1"}'
OUTAGE = {ACTIVE: "0+6000x160", STALE: "0x60 3000+3000x29 90000x70"}
"""Half of all orders stale in minutes 60 to 90."""


class Case(NamedTuple):
    """`labels`: of the alert that fires, beyond its rule's own; None: none fires. `value`: as its
    summary shows it."""

    alert: str
    why: str
    at: str
    series: Labels
    labels: Labels | None = None
    value: str = ""
    step: str = "15s"


def owners(*partitions: int, instance: str = "o1") -> dict[str, str]:
    return {
        f'{LAG}{{role="orders",partition="{number}",instance="{instance}"}}': "0x40"
        for number in partitions
    }


def heartbeats(*roles: str) -> dict[str, str]:
    return {f'{HEARTBEAT}{{role="{role}",instance="{role}-1"}}': "0+15x40" for role in roles}


def attempts(errors: int, of: int) -> dict[str, str]:
    """So many in each hour, evenly."""
    return {ERRORS: f"0+{errors / 60}x70", OK: f"0+{(of - errors) / 60}x70"}


CASES = [
    # Orders.
    Case("FreshnessBudgetBurnFast", "not at once", "75m", OUTAGE, step="1m"),
    Case("FreshnessBudgetBurnFast", "an outage", "85m", OUTAGE, {}, "20.83%", "1m"),
    Case("FreshnessBudgetBurnFast", "it is over", "97m", OUTAGE, step="1m"),
    Case(
        "FreshnessBudgetBurnSlow", "6 % is the line", "420m",
        {ACTIVE: "0+6000x430", STALE: "0+300x430"}, step="1m",
    ),
    Case(
        "FreshnessBudgetBurnSlow", "a tenth of the fleet", "420m",
        {ACTIVE: "0+6000x430", STALE: "0+600x430"}, {}, "10%", "1m",
    ),
    Case(
        "FreshnessBudgetBurnSlow", "it is over", "420m",
        {ACTIVE: "0+6000x430", STALE: "0+900x380 342000x60"}, step="1m",
    ),
    Case("StageErrorRateHigh", "few errors", "65m", attempts(2, 3), step="1m"),
    Case("StageErrorRateHigh", "below 8 %", "65m", attempts(7, 100), step="1m"),
    Case(
        "StageErrorRateHigh", "12 of 100", "65m",
        attempts(12, 100), {"stage": "outbound"}, "12%", "1m",
    ),
    # Sources.
    Case(
        "SourceLosesPings", "a tenth", "90m",
        {ACCEPTED: "0+90x100", MISSING: "0+10x100", CAME: "0x100"},
        {"source": "north"}, "10%", "1m",
    ),
    Case(
        "SourceLosesPings", "they came late", "90m",
        {ACCEPTED: "0+90x100", MISSING: "0+10x100", CAME: "0+8x100"}, step="1m",
    ),
    Case(
        "SourceLosesPings", "few", "90m",
        {ACCEPTED: "0+9x100", MISSING: "0+1x100", CAME: "0x100"}, step="1m",
    ),
    Case("SourceLosesPings", "nobody declared it", "90m",
         {MISSING: "0+10x100", CAME: "0x100"}, step="1m"),
    Case(
        "SourceRateHalved", "a feed broke", "1560m", {ACCEPTED: "0+120x1499 179880+30x100"},
        {"source": "north"}, "500m", "1m",
    ),
    Case("SourceRateHalved", "the first day", "1560m",
         {ACCEPTED: "_x1380 0+30x220"}, step="1m"),
    Case("SourceRateHalved", "as yesterday", "1560m", {ACCEPTED: "0+120x1600"}, step="1m"),
    Case("SourceRateHalved", "one vehicle less", "1560m",
         {ACCEPTED: "0+4x1499 5996+1x100"}, step="1m"),
    # Workers.
    Case("RoleAbsent", "one role missing", "5m", heartbeats("orders", "alerts"),
         {"role": "vehicles"}),
    Case("RoleAbsent", "all there", "5m", heartbeats("vehicles", "orders", "alerts")),
    Case(
        "EngineStalled", "it stands", "3m",
        {f'{HEARTBEAT}{{role="orders",instance="o1"}}': "0+15x4 60x40"},
        {"role": "orders", "instance": "o1"}, "2m 0s",
    ),
    Case("EngineStalled", "it turns", "5m", heartbeats("orders")),
    Case(
        "WorkerUnreachable", "down", "5m",
        {'up{job="milepost-worker",instance="o1"}': "1x3 0x30"},
        {"job": "milepost-worker", "instance": "o1"},
    ),
    Case(
        "WorkerUnreachable", "restarted, and another job", "5m",
        {'up{job="milepost-worker",instance="o1"}': "1x3 0x3 1x30", 'up{job="other"}': "0x40"},
    ),
    Case(
        "PartitionsUnowned", "two of eight", "5m",
        {EXPECTED: "8x40", **owners(*range(6))}, {"role": "orders"}, "2",
    ),
    Case("PartitionsUnowned", "all of them", "5m", {EXPECTED: "8x40"}, {"role": "orders"}, "8"),
    Case(
        "PartitionsUnowned", "two say they own one", "5m",
        {EXPECTED: "8x40", **owners(*range(5)), **owners(*range(4, 8), instance="o2")},
    ),
    Case(
        "PartitionsUnowned", "one of eight twice, one not at all", "5m",
        {EXPECTED: "8x40", **owners(*range(5)), **owners(*range(4, 7), instance="o2")},
        {"role": "orders"}, "1",
    ),
    Case(
        "ConsumerLagGrowing", "falling back", "5m",
        {f'{LAG}{{role="vehicles",partition="3"}}': "0+15x40",
         f'{LAG}{{role="vehicles",partition="4"}}': "0x40"},
        {"role": "vehicles"}, "5m 0s",
    ),
    Case("ConsumerLagGrowing", "catching up", "8m",
         {f'{LAG}{{role="vehicles",partition="3"}}': "900-15x40"}),
    Case("ConsumerLagGrowing", "a little behind", "8m",
         {f'{LAG}{{role="vehicles",partition="3"}}': "10+1x40"}),
    Case("CheckpointsFailing", "again and again", "10m", {FAILED: "0+1x60"},
         {"role": "orders"}, "40"),
    Case("CheckpointsFailing", "a broker restarted", "10m", {FAILED: "0x10 1x5 2x40"}),
    Case(
        "CheckpointsStopped", "no commit", "8m", {HELD: "12x60", COMMITTED: "5x60"},
        {"role": "orders", "instance": "o1"}, "12",
    ),
    Case("CheckpointsStopped", "commits", "8m", {HELD: "12x60", COMMITTED: "0+1x60"}),
    Case("CheckpointsStopped", "nothing to commit", "8m", {HELD: "0x60", COMMITTED: "5x60"}),
    Case("RedisDown", "away", "3m", {REDIS: "1x3 0x40"}, {"instance": "o1"}),
    Case("RedisDown", "restarted", "3m", {REDIS: "1x3 0x2 1x40"}),
    Case("RedisDown", "run without Redis", "3m", heartbeats("orders")),
    Case(
        "RejectedShareHigh", "a producer changed", "25m",
        {TAKEN: "0+90x120", UNREADABLE: "0+10x120", PLANS: "0x120", REJECTED: "0+10x120"},
        {"role": "vehicles"}, "10%",
    ),
    Case(
        "RejectedShareHigh", "a polled feed repeats itself", "25m",
        {TAKEN: "0+5x120", REPEATED: "0+95x120", PLANS: "0x120", DUPLICATES: "0+95x120"},
    ),
    Case(
        "RejectedShareHigh", "few", "25m",
        {TAKEN: "0x40 7x100", UNREADABLE: "0x40 3x100", PLANS: "0x140", REJECTED: "0x40 3x100"},
    ),
    Case(
        "RejectedShareHigh", "as always", "180m",
        {TAKEN: "0+90x200", UNREADABLE: "0+10x200", PLANS: "0x200", REJECTED: "0+10x200"},
        step="1m",
    ),
    Case("CodeFailed", "once", "3m", {BUGS: "0x4 1x40"}, {"role": "vehicles"}),
    Case("CodeFailed", "never", "3m", {BUGS: "0x40", REJECTED: "0+1x40"}),
    # Push.
    Case("PushAbsent", "none", "3m", {}, {}),
    Case("PushAbsent", "one, though not live", "3m", {FEED: "0x40"}),
    Case("FeedNotLive", "not live", "3m", {FEED: "1x3 0x40"}, {"instance": "p1"}),
    Case("FeedNotLive", "for a moment", "3m", {FEED: "1x3 0x1 1x40"}),
    Case("FeedBehind", "behind", "3m", {BEHIND: "45x40"}, {"instance": "p1"}, "45s"),
    Case("FeedBehind", "a burst", "3m", {BEHIND: "0x3 45x2 0x40"}),
    Case(
        "SlowClientsClosed", "many", "15m", {SLOW: "0+1x80", CLIENTS: "1000x80"},
        {"instance": "p1"}, "60",
    ),
    Case("SlowClientsClosed", "of very many", "15m", {SLOW: "0+1x80", CLIENTS: "10000x80"}),
    Case("SlowClientsClosed", "a few", "15m", {SLOW: "0x5 5x80", CLIENTS: "20x80"}),
    Case(
        "SlowClientsClosed", "we closed them", "15m",
        {AWAY: "0+10x80", SLOW: "0x80", CLIENTS: "100x80"},
    ),
    Case("Watchdog", "always", "1m", {}, {}),
]  # fmt: skip
