from __future__ import annotations

from collections.abc import Iterator

import pytest

from commands.redis import RedisServer
from tests.ws_server.writer import Writer


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
