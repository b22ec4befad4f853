from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from redis import Redis
from rich.console import Console

from commands.redis import RedisServer
from load_tests import push
from load_tests.bench import Absent
from load_tests.frames import masked, number, split
from load_tests.pushed import Passes, Pushed, best, ratios, report, table
from load_tests.statuses import Statuses, order_of
from orders.model import OrderStatus
from stream import keys
from stream.config import Settings
from stream.topics import partition_of

OURS = Pushed(
    updates=1_000, seconds=2.0, frames=1_000, frame_bytes=200.0, cpu_s=0.02, p50_ms=4.0,
    p99_ms=8.0, max_ms=20.0, lost=0, doubled=0, stepped_back=0, unfit=0, anew=0,
    idle_bytes=16_384.0, accepts_per_s=1_000.0, accept_us=400.0, load_share=0.5,
)  # fmt: skip
THEIRS = replace(OURS, cpu_s=0.03, p99_ms=16.0, idle_bytes=8_192.0)
MISSING = Absent("node and npm are not on the PATH: install Node 20 or newer")
PASSES: Passes = {"milepost": [OURS, replace(OURS, cpu_s=0.05)], "node ws": [THEIRS]}


@pytest.mark.parametrize("name", ["ceiling", "milepost", "aiohttp", "node ws"])
def test_every_customer_ends_with_the_last_answer_and_has_none_twice(name: str) -> None:
    options = push.Options(connections=20, rate=200, seconds=1.0, passes=1, only=(name,))
    ((measured,),) = push.run(options, lambda said: None).values()
    if isinstance(measured, Absent) and name == "node ws":
        pytest.skip(measured.why)
    assert isinstance(measured, Pushed), measured
    assert measured.updates > 0
    assert (measured.frames, measured.lost) == (measured.updates, 0)
    assert (measured.doubled, measured.stepped_back, measured.unfit, measured.anew) == (0, 0, 0, 0)


def test_statuses_are_written_as_the_owners_of_partitions_write_them(
    redis_server: RedisServer,
) -> None:
    settings = Settings(redis=redis_server.url)
    statuses = Statuses(settings, orders=3)
    statuses.write(3)
    statuses.write(2)
    statuses.flush()
    statuses.close()
    partition = partition_of(order_of(1), settings.partitions)
    with Redis.from_url(settings.redis) as redis:
        held: Any = redis.hgetall(keys.entity(keys.ORDERS, order_of(1)))
        assert redis.sismember(keys.open_index(keys.ORDERS, partition), order_of(1))
        feed: Any = redis.xrange(keys.feed(keys.ORDERS, partition))
    told = [msgspec.json.decode(entry[keys.ANSWER], type=OrderStatus) for _, entry in feed]
    first = statuses.first_rev
    assert [status.rev for status in told if status.order_id == order_of(1)] == [
        first + 1, first + 4,
    ]  # fmt: skip
    assert int(held[keys.REV]) == first + 4 == statuses.newest(1)
    assert statuses.newest(2) == first + 2


def test_frames_are_told_apart_wherever_the_stream_is_cut() -> None:
    short, long = b"\x81\x05hello", b"\x81\x7e\x01\x00" + b"x" * 256
    for at in range(len(short + long)):
        frames, rest = split((short + long)[:at])
        more, nothing = split(rest + (short + long)[at:])
        assert (frames + more, nothing) == ([short, long], b"")


def test_a_number_is_read_from_inside_and_from_the_end() -> None:
    frame = b'{"op":"delta","rev":12,"set":{},"prev":11}'
    assert [number(frame, name) for name in (b'"rev":', b'"prev":', b'"age":')] == [12, 11, -1]


def test_what_is_masked_with_zeros_can_be_read() -> None:
    assert masked(b"hi") == b"\x81\x82\0\0\0\0hi"


def test_the_pass_with_the_least_cpu_counts() -> None:
    assert best(PASSES["milepost"]) == OURS
    assert best([MISSING]) is None


def test_above_one_the_other_needs_more() -> None:
    assert ratios(PASSES) == {
        "node ws / milepost": {"cpu": 1.5, "p99": 2.0, "idle_bytes": 0.5, "accept_cpu": 1.0}
    }
    assert ratios({"node ws": [THEIRS]}) == {}


def test_the_table_says_what_is_missing_and_why() -> None:
    out = io.StringIO()
    Console(file=out, width=140).print(table("t", {"milepost": [OURS], "node ws": [MISSING]}))
    assert "install Node 20" in out.getvalue()
    assert "20.0" in out.getvalue()


def test_the_report_has_results_ratios_and_the_machine() -> None:
    made = msgspec.json.decode(msgspec.json.encode(report({**PASSES, "aiohttp": [MISSING]})))
    assert set(made) == {"results", "ratios", "machine"}
    assert made["results"]["milepost"]["cpu_us_per_update"] == 20.0
    assert len(made["results"]["milepost"]["passes"]) == 2
    assert made["results"]["aiohttp"]["passes"] == [{"why": MISSING.why}]
