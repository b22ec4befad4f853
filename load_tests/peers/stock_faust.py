"""Stock Faust doing what Milepost does, in the settings in which it is fastest.

Bytes in and out (its models cost more than our decoding), no monitor, no web server, uvloop where
installed; larger buffers and a bound on polls made it slower. States are written to a table, which
is how Faust keeps them, but never read from it; `pings-dict` leaves even that out, and forgets
every vehicle when it ends. Also in its favour: only the status goes out, to Kafka alone, no plan,
no signal; and nothing is atomic.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
from functools import partial
from typing import Any

import faust
import msgspec

from geo import track
from geo.model import Rejected
from load_tests.peers.task import Positions, Tally, Task, read_task
from orders import order, state
from orders.model import OrderStatus
from stream.topics import ORDER_EVENTS, ORDER_STATUS, PINGS
from stream.wire import decode_orders, decode_pings, encode


def make_app(task: Task) -> Any:
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    return faust.App(
        task.group,
        broker=f"kafka://{task.brokers}",
        store="memory://",
        datadir=tempfile.mkdtemp(prefix="milepost-faust-"),
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        topic_partitions=task.partitions,
        web_enabled=False,
        broker_commit_every=1_000_000,
        broker_commit_interval=2.8,
        stream_wait_empty=False,
        producer_linger=0.005,
    )


def pings(app: Any, task: Task, *, kept: bool = True) -> None:
    step, world, pack = track.step, track.World(), msgspec.msgpack.Encoder().encode
    positions, states, tally = Positions(task), dict[str, Any](), Tally(task)
    topic = app.topic(task.prefix + PINGS, key_serializer="raw", value_serializer="raw")
    table: Any = {}
    if kept:
        table = app.Table("v", partitions=task.partitions, key_type=bytes, value_type=bytes)

    @app.agent(topic)  # type: ignore[untyped-decorator, unused-ignore]
    async def vehicles(stream: Any) -> None:
        async for event in stream.events():
            now = int(event.message.timestamp * 1000)
            for ping in decode_pings(event.value):
                if isinstance(ping, Rejected):
                    continue
                name = ping.vehicle_id
                states[name], _ = step(states.get(name), ping, now, world)
                positions.rows[name] = ping
                if kept:
                    table[event.key] = pack(states[name])
            tally.add(1)

    @app.timer(Positions.EVERY_S)  # type: ignore[untyped-decorator, unused-ignore]
    async def show() -> None:
        positions.show()


def orders(app: Any, task: Task) -> None:
    step, world, pack = order.step, state.World(), msgspec.msgpack.Encoder().encode
    tally, states = Tally(task), dict[str, Any]()
    topic = app.topic(task.prefix + ORDER_EVENTS, key_serializer="raw", value_serializer="raw")
    out = app.topic(task.prefix + ORDER_STATUS, key_serializer="raw", value_serializer="raw")
    table = app.Table("orders", partitions=task.partitions, key_type=bytes, value_type=bytes)

    @app.agent(topic)  # type: ignore[untyped-decorator, unused-ignore]
    async def lifecycle(stream: Any) -> None:
        async for event in stream.events():
            now = int(event.message.timestamp * 1000)
            for message in decode_orders(event.value):
                if isinstance(message, Rejected):
                    continue
                name = message.order_id
                states[name], facts = step(states.get(name), message, now, world)
                table[event.key] = pack(states[name])
                for fact in facts:
                    if isinstance(fact, OrderStatus):
                        await out.send(key=event.key, value=encode(fact))
            tally.add(1)


def run(task: Task, what: str) -> None:
    app = make_app(task)
    jobs: dict[str, Any] = {
        "pings": pings,
        "pings-dict": partial(pings, kept=False),
        "orders": orders,
    }
    jobs[what](app, task)
    faust.Worker(app, loglevel="ERROR", override_logging=False).execute_from_commandline()


if __name__ == "__main__":
    run(read_task(), sys.argv[2])
