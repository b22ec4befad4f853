"""A figure goes bad: the right people hear of it, and hear when it is good again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from commands.process import LOOPBACK
from stream.metrics import Cells
from tests.deploy.programs import program
from tests.deploy.stack import Alertmanager, Hooks, Prometheus
from tests.waiting import until

ROLES = ("vehicles", "orders", "alerts")
PARTITIONS = 2


class Figures:
    """What a worker of all roles exports, as the test wants it."""

    def __init__(self) -> None:
        self.cells = Cells()
        self.roles = set(ROLES)
        self.cells.gauge("figures", self._read)
        self.cells.redis(up=True)

    def _read(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        for role in self.roles:
            yield "engine_heartbeat_timestamp_seconds", (role,), time.time()
            yield "partitions_expected", (role,), PARTITIONS
            for number in range(PARTITIONS):
                yield "consumer_lag_seconds", (role, str(number)), 0.0

    @contextmanager
    def served(self) -> Iterator[str]:
        registry = CollectorRegistry()
        registry.register(self.cells)
        server, thread = start_http_server(0, addr=LOOPBACK, registry=registry)
        try:
            yield f"{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def test_an_alert_reaches_its_department_and_clears() -> None:
    figures = Figures()
    with (
        figures.served() as worker,
        Hooks().serving() as hooks,
        Alertmanager(hooks.url) as alertmanager,
        Prometheus({"milepost-worker": [worker]}, alertmanager) as prometheus,
    ):
        until(lambda: prometheus.ask("up == 1"))
        # There is no push process here; else all is well.
        until(lambda: prometheus.firing() == {"Watchdog", "PushAbsent"})
        until(lambda: hooks.settled("Watchdog", "PushAbsent"))

        figures.cells.redis(up=False)
        figures.roles.remove("vehicles")
        until(lambda: hooks.heard("RedisDown", "firing") and hooks.heard("RoleAbsent", "firing"))
        redis, role = hooks.heard("RedisDown", "firing")[0], hooks.heard("RoleAbsent", "firing")[0]
        assert redis.receiver == role.receiver == "platform-page"
        assert redis.annotations["summary"] == f"{worker} cannot write to Redis"
        assert role.annotations["summary"] == "no worker runs the role vehicles"

        figures.cells.redis(up=True)
        figures.roles.add("vehicles")
        until(lambda: hooks.heard("RedisDown", "resolved"))
        until(lambda: hooks.heard("RoleAbsent", "resolved"))
        assert {told.receiver for told in hooks.told} == {"watchdog", "platform-page"}
        assert not hooks.heard("EngineStalled", "firing")


@pytest.mark.parametrize("name", ["promtool", "prometheus", "prometheus-alertmanager", "amtool"])
def test_a_missing_program_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(pytest.skip.Exception, match="apt-get install prometheus"):
        program(name)
