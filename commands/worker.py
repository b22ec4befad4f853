"""`milepost worker`: one Faust app per role in this process, with metrics and health over HTTP."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from rich.console import Console

from agents.alerts import ALERTS
from agents.orders import ORDERS
from agents.vehicles import VEHICLES, vehicles_of
from commands.sources import sources_of
from stream.broker import partition_count
from stream.bulk import BulkApp, BulkScheduler
from stream.config import ConfigError, Settings
from stream.engine import Engine
from stream.http import Health, serve_http
from stream.metrics import Cells
from stream.role import Role

log = logging.getLogger(__name__)

ROLES: dict[str, tuple[Role, ...]] = {
    "vehicles": (VEHICLES,),
    "orders": (ORDERS,),
    "alerts": (ALERTS,),
    "all": (VEHICLES, ORDERS, ALERTS),
}
QUEUED_LISTS = 16
"""Lists waiting between Faust's consumer and an agent; more and the consumer waits."""
RESTART_PAUSE_S = (1.0, 2.0, 5.0, 10.0)
STEADY_S = 60.0
"""A role that ran for so long starts at once again after a failure."""
STOP_LIMIT_S = 20.0
YOUNG_OBJECTS, YOUNG_COLLECTIONS = 50_000, 20
"""Python looks for cycles after so many new objects, not after 700: a list of records is no
garbage. Stepping, keeping and packing a ping took 8.5 us, and 6.1 with these."""


def run(settings: Settings, role: str) -> None:
    """Work until SIGINT or SIGTERM, then checkpoint and leave. Raises ConfigError, BadSource."""
    if role not in ROLES:
        raise ConfigError(f"--role {role} is no role; write one of {', '.join(ROLES)}")
    vehicles = vehicles_of(*sources_of(settings))
    roles = [vehicles if each is VEHICLES else each for each in ROLES[role]]
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    for name in ("stream", "commands"):
        logging.getLogger(name).setLevel(logging.INFO)
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_COLLECTIONS)
    asyncio.run(_work(settings, roles))


async def _work(settings: Settings, roles: Sequence[Role]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    cells, health = Cells(), Health()
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(serve_http(settings.http, cells, health))
        partitions = await partition_count(settings, roles, stop)
        Console(stderr=True).print(
            f"worker: {', '.join(r.name for r in roles)}; broker {settings.brokers}; "
            f"{partitions} partitions; http://{address}/metrics",
            highlight=False,
        )
        await asyncio.gather(
            *(_keep_running(role, settings, partitions, cells, health, stop) for role in roles)
        )


async def _keep_running(
    role: Role,
    settings: Settings,
    partitions: int,
    cells: Cells,
    health: Health,
    stop: asyncio.Event,
) -> None:
    """Run a role; should its Faust app end by itself, start a new one: nothing in memory is worth
    keeping."""
    failures = 0
    while not stop.is_set():
        app = make_app(role, settings)
        engine = Engine(role, settings, partitions, cells, app)
        health.engines[role.name] = engine
        attach(app, engine, role, settings)
        try:
            await engine.start()
            await app.start()
            started = time.monotonic()
            await _first(stop.wait(), app._crashed.wait())
            if time.monotonic() - started > STEADY_S:
                failures = 0
        except Exception as failed:
            log.warning("%s: could not start (%r)", role.name, failed)
        if app.crashed:
            log.warning("%s: ended by itself (%r); starting again", role.name, app.crash_reason)
        await _end(app, engine)
        if not stop.is_set():
            with suppress(TimeoutError):
                pause = RESTART_PAUSE_S[min(failures, len(RESTART_PAUSE_S) - 1)]
                await asyncio.wait_for(stop.wait(), pause)
            failures += 1


def make_app(role: Role, settings: Settings) -> BulkApp:
    """The Faust app of one role. Its settings are argued in research/faust.md, "Settings to start
    from"."""
    app = BulkApp(
        f"{settings.app}-{role.name}",
        broker=f"kafka://{settings.brokers}",
        ConsumerScheduler=BulkScheduler,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=min(3.0, settings.session_timeout_s / 3),
        broker_rebalance_timeout=max(30.0, settings.session_timeout_s),
        broker_request_timeout=40.0,
        broker_check_crcs=settings.check_crcs,
        consumer_auto_offset_reset="earliest",
        # Keeps Faust's own assignor on, which assigns the topics of an agent together, though there
        # is no table.
        table_standby_replicas=1,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
    )
    app.topic_prefix = settings.topic_prefix
    return app


def attach(app: BulkApp, engine: Engine, role: Role, settings: Settings) -> None:
    """Connect an engine to its Faust app: the agent, the rebalances, the end."""
    topic = app.topic(
        *(settings.topic(name) for name in role.inputs),
        key_type=None, value_type=None, key_serializer="raw", value_serializer="raw",
        acks=False, maxsize=QUEUED_LISTS,
    )  # fmt: skip

    async def consume(stream: object) -> None:
        await engine.consume(stream.events())  # type: ignore[attr-defined]

    async def assigned(sender: object, partitions: object, **_: object) -> None:
        await engine.on_assigned(partitions)  # type: ignore[arg-type]

    async def revoked(sender: object, partitions: object, **_: object) -> None:
        await engine.release()

    async def ending(sender: object, **_: object) -> None:
        await engine.release()

    app.agent(topic, name=role.name, concurrency=1)(consume)
    app.on_partitions_assigned.connect(assigned, weak=False)
    app.on_partitions_revoked.connect(revoked, weak=False)
    app.on_before_shutdown.connect(ending, weak=False)


async def _end(app: BulkApp, engine: Engine) -> None:
    try:
        await asyncio.wait_for(app.stop(), STOP_LIMIT_S)
    except Exception as failed:
        log.warning(
            "the app did not end in order (%r); its partitions go to others after the session",
            failed,
        )
    await engine.stop()


async def _first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
