"""/metrics, /healthz and /readyz of a worker."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from stream.config import ConfigError
from stream.engine import Engine
from stream.metrics import Cells

STUCK_S = 30.0


@dataclass
class Health:
    """The engines of this process, by role."""

    engines: dict[str, Engine] = field(default_factory=dict)

    def stuck(self) -> list[str]:
        """Roles whose engine has not turned for half a minute: only a restart helps."""
        limit = time.time() - STUCK_S
        return [name for name, engine in self.engines.items() if engine.turned_at < limit]

    def unready(self) -> list[str]:
        return [name for name, engine in self.engines.items() if not engine.ready]


@asynccontextmanager
async def serve_http(address: str, cells: Cells, health: Health) -> AsyncIterator[str]:
    """Serve until the block ends; gives the real address (port 0 picks one). Raises ConfigError."""
    registry = CollectorRegistry()
    registry.register(cells)
    ProcessCollector(registry=registry)

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}
        )

    async def healthz(request: web.Request) -> web.Response:
        return _answer("stuck", health.stuck())

    async def readyz(request: web.Request) -> web.Response:
        return _answer("not ready", health.unready() if health.engines else ["no engine yet"])

    app = web.Application()
    app.add_routes(
        [web.get("/metrics", metrics), web.get("/healthz", healthz), web.get("/readyz", readyz)]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, _, port = address.rpartition(":")
    try:
        await web.TCPSite(runner, host, int(port)).start()
    except (OSError, ValueError) as wrong:
        await runner.cleanup()
        raise ConfigError(
            f"cannot serve HTTP on {address} ({wrong}); set MILEPOST_HTTP to a free host:port"
        ) from wrong
    try:
        yield "{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


def _answer(what: str, roles: list[str]) -> web.Response:
    if roles:
        return web.Response(status=503, text=f"{what}: {', '.join(roles)}\n")
    return web.Response(text="ok\n")
