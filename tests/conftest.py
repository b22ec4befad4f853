"""Real servers, shared by all tests: take a prefix of your own (the fixture `settings` does)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import pytest

from commands.embedded import EmbeddedBroker
from commands.kafka import KafkaServer
from commands.process import Missing
from commands.redis import RedisServer
from stream.config import Settings

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
IN_CI = os.environ.get("CI") == "true"


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """A real Apache Kafka; skipped where Java or Maven is missing."""
    server = KafkaServer()
    try:
        server.start()
        yield server
    except Missing as missing:
        pytest.skip(f"needs a real Kafka: {missing}")
    finally:
        server.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def installation(kafka: KafkaServer, redis_server: RedisServer) -> Callable[[], Settings]:
    """Each call gives an installation of its own on the shared servers, its topics not made yet."""

    def new() -> Settings:
        name = f"t{uuid.uuid4().hex[:8]}"
        return Settings(
            brokers=kafka.bootstrap,
            redis=redis_server.url,
            app=name,
            topic_prefix=f"{name}.",
            partitions=4,
            http="127.0.0.1:0",
        )

    return new


@pytest.fixture
def settings(installation: Callable[[], Settings]) -> Settings:
    """An installation of its own on the shared servers; its topics are not made yet."""
    return installation()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a broker, and run it last: what fails fast should."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")
    items.sort(key=lambda item: item.get_closest_marker("kafka") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _no_skip_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _no_skip_in_ci((yield))


def _no_skip_in_ci(report: Report) -> Report:
    """In CI everything a test needs is there, so a skipped test is a hole."""
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI=true: {report.longrepr}"
    return report
