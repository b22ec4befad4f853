from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from commands.redis import RedisServer
from tests.ws_server.writer import Writer


@pytest.fixture(autouse=True)
def no_bug_is_only_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A connection that our own code ends with an exception is a line in a log for its server."""
    yield
    told = caplog.get_records
    logged = [*told("setup"), *told("call"), *told("teardown")]
    assert [r.getMessage() for r in logged if r.levelno >= logging.ERROR] == []


@pytest.fixture(scope="session")
def own_redis() -> Iterator[RedisServer]:
    """Not the one that all tests share: here it is emptied."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def written(own_redis: RedisServer) -> Iterator[Writer]:
    """A Redis to which workers have written that there is nothing yet."""
    writer = Writer(own_redis.url)
    writer.empty()
    writer.fill()
    with writer.redis:
        yield writer
