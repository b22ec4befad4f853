from __future__ import annotations

import shutil
from typing import Any

import pytest
from msgspec.structs import replace
from redis import Redis

from commands.redis import RedisServer
from load_tests import map as smooth
from load_tests.map import (
    CHROMIUM,
    Frames,
    Options,
    Smooth,
    View,
    frames,
    report,
    settled_ms,
    table,
)
from load_tests.moving import Moving
from stream import keys
from stream.config import Settings
from tests.waiting import until
from ws_server.pages import BUILT

GOOD = Frames(50.0, 20.0, 40.0)
OPENED = View(GOOD, GOOD, 175.0, 300.0)
FOUND = Smooth(GOOD, OPENED, replace(OPENED, still=replace(GOOD, fps=20.0)))


def test_frames_a_second_are_those_that_were_drawn() -> None:
    assert frames([0.0, 20.0, 40.0, 100.0]) == Frames(30.0, 60.0, 60.0)
    assert frames([5.0]).fps == 0.0


def test_it_has_settled_when_five_frames_in_a_row_are_regular() -> None:
    regular = [400.0 + 16 * n for n in range(10)]
    assert settled_ms([90.0, 180.0, 300.0, *regular], released=100.0) == 300.0
    assert settled_ms([110.0 + 16 * n for n in range(10)], released=100.0) == 10.0
    assert settled_ms([110.0, 200.0, 290.0], released=100.0) == smooth.LONGEST_MS


def test_above_one_it_is_worse_than_promised() -> None:
    made = report(FOUND, Options())
    assert made["ratios"] == {
        "promised / opened fps": 0.8,
        "opened settle p50 / promised": 0.5,
        "promised / close fps": 2.0,
        "close settle p50 / promised": 0.5,
    }
    assert table("t", FOUND).row_count == 5


def test_vehicles_move_in_redis(redis_server: RedisServer) -> None:
    settings = Settings(redis=redis_server.url, partitions=2)

    def held() -> dict[bytes, bytes]:
        several: list[Any] = [redis.hgetall(keys.positions(n)) for n in range(2)]
        return {name: packed for one in several for name, packed in one.items()}

    with Redis.from_url(settings.redis) as redis:
        redis.flushall()
        moving = Moving(settings, 30)
        before = held()
        assert len(before) == moving.written == 30
        with moving:
            until(lambda: all(packed != before[name] for name, packed in held().items()))
        first = keys.unpack_position(before[b"truck-000000"])
        last = keys.unpack_position(held()[b"truck-000000"])
        redis.flushall()
    assert last.ts > first.ts
    assert (last.lat, last.lon) != (first.lat, first.lon)


def test_a_browser_draws_the_fleet_and_is_dragged() -> None:
    if not any(shutil.which(name) for name in CHROMIUM):
        pytest.skip("needs a Chromium on the PATH (Debian: apt-get install chromium)")
    if not (BUILT / "index.html").exists():
        pytest.skip("needs the built pages: make pages")
    found = smooth.measure(Options(vehicles=50, seconds=1.0, drags=1), lambda said: None)
    assert found.quiet.fps > 0
    for view in (found.opened, found.close):
        assert view.still.fps > 0
        assert view.dragged.fps > 0
        assert 0 <= view.settle_p50_ms == view.settle_max_ms
