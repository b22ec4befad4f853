"""`python -m load_tests.freshness`: how old a position is when a websocket shows it, through real
Kafka, a worker of all roles, Redis and a push server, at a quarter of what a consumer could read.

A ping's age is counted from its making, so the producer's few milliseconds are part of it; that of
a position from its fix time in the frame. A dispatcher follows the whole fleet, customers one
vehicle each. A position that a newer one overtakes on the way is not shown, and not counted.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.box import SIMPLE
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from commands.process import LOOPBACK, CannotStart, free_port
from commands.processes import PushProcess, WorkerProcess
from commands.token import token
from geo.model import Ms
from load_tests.bench import Measured, best, machine
from load_tests.contestants import cpu_seconds
from load_tests.ground import Say, console, fresh, ground, progress, write_json
from load_tests.pings import Options as PingOptions
from load_tests.pings import run as run_pings
from load_tests.pushed import quantile
from load_tests.road import Road, Traffic, order_of
from stream.config import Settings

HOLD_MS = {"p50_ms": 50.0, "p99_ms": 250.0}
"""What is promised (design.md §5)."""
READY_S = 60.0


class Options(Struct, frozen=True):
    traffic: Traffic = Traffic()
    customers: int = 50
    warm_up_s: float = 4.0
    seconds: float = 10.0


class Ages(Struct, frozen=True):
    """Of the positions in frames, in ms. `shown` are those that were counted."""

    shown: int
    p50_ms: float
    p99_ms: float
    max_ms: float


class Freshness(Struct, frozen=True):
    sent: int
    rate: float
    """Pings a second that were really sent."""
    fleet: Ages
    customers: Ages
    worker_share: float
    """Of a core; so is the next."""
    push_share: float


class _Pos(Struct, tag_field="op", tag="pos"):
    v: list[tuple[str, Ms, float, float, float | None, float | None, str]]


class Watch:
    """One client on one topic; `ages` grows with each position it is shown."""

    def __init__(self, url: str, made: str, topic: str) -> None:
        self.ages = array("d")
        self._url, self._topic = url, topic
        self._protocols = [Subprotocol("gps.v1"), Subprotocol(f"gps.bearer.{made}")]
        self._decode = msgspec.json.Decoder(_Pos).decode

    async def run(self) -> None:
        """Until cancelled."""
        async with connect(
            self._url, subprotocols=self._protocols, max_size=None, compression=None
        ) as connection:
            await connection.send('{"op":"hello","v":1}')
            await connection.send(msgspec.json.encode({"op": "sub", "topic": self._topic}).decode())
            await self._listen(connection)

    async def _listen(self, connection: ClientConnection) -> None:
        while True:
            message = await connection.recv(decode=False)
            if message.startswith(b'{"op":"pos"'):
                now = time.time() * 1_000
                self.ages.extend(now - row[1] for row in self._decode(message).v)
            elif message.startswith(b'{"op":"ping"'):
                await connection.send('{"op":"pong"}')


def measure(options: Options, settings: Settings, say: Say) -> Freshness:
    """On the servers of `settings`. Raises CannotStart."""
    made = replace(
        fresh(settings),
        http=f"{LOOPBACK}:{free_port()}",
        push=f"{LOOPBACK}:{free_port()}",
        token_secret=secrets.token_urlsafe(32),
    )
    road = Road(made, options.traffic)
    with WorkerProcess(made) as worker, PushProcess(made) as push:
        say(f"{options.traffic.rate:,} pings/s of {options.traffic.vehicles:,} vehicles")
        road.give_orders(options.customers)
        return asyncio.run(_watch(options, made, road, (worker.pid, push.pid)))


async def _watch(
    options: Options, settings: Settings, road: Road, pids: tuple[int, int]
) -> Freshness:
    url = f"ws://{settings.push}/ws"
    fleet = Watch(url, token(settings, (), hours=1), "fleet")
    customers = [
        Watch(url, token(settings, (order_of(n),), hours=1), f"order:{order_of(n)}")
        for n in range(options.customers)
    ]
    watches = [fleet, *customers]
    with road:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(watch.run()) for watch in watches]
            await _until_shown(watches)
            await asyncio.sleep(options.warm_up_s)
            for watch in watches:
                watch.ages = array("d")
            sent, began, used = road.sent, time.perf_counter(), [cpu_seconds(p) for p in pids]
            await asyncio.sleep(options.seconds)
            sent, seconds = road.sent - sent, time.perf_counter() - began
            shares = [(cpu_seconds(p) - u) / seconds for p, u in zip(pids, used, strict=True)]
            for task in tasks:
                task.cancel()
    ages = array("d", (age for watch in customers for age in watch.ages))
    return Freshness(sent, sent / seconds, _ages(fleet.ages), _ages(ages), *shares)


async def _until_shown(watches: Sequence[Watch]) -> None:
    """Everyone has been shown a position. Raises CannotStart."""
    ends = time.monotonic() + READY_S
    while not all(len(watch.ages) for watch in watches):
        if time.monotonic() > ends:
            waiting = sum(not len(watch.ages) for watch in watches)
            raise CannotStart(f"{waiting} clients were shown no position within {READY_S:.0f} s")
        await asyncio.sleep(0.1)


def _ages(ages: array[float]) -> Ages:
    times = sorted(ages)
    at = (quantile(times, part) for part in (0.5, 0.99, 1.0))
    return Ages(len(times), *(round(age, 1) for age in at))


def quarter_of_ceiling(settings: Settings, say: Say) -> int:
    """A quarter of the records a second that a bare consumer takes in here and now."""
    options = PingOptions(passes=1, only=("ceiling",))
    one = best(run_pings(options, settings, say)["ceiling"])
    assert isinstance(one, Measured), "the ceiling needs nothing that is not there"
    return round(one.per_s / 4)


def table(title: str, found: Freshness) -> Table:
    shown = Table(title=title, box=SIMPLE, title_justify="left")
    for heading in ("shown to", "positions", "p50 ms", "p99", "max"):
        shown.add_column(heading, justify="left" if heading == "shown to" else "right")
    for name, ages in (("a dispatcher", found.fleet), ("customers", found.customers)):
        cells = (f"{ages.p50_ms:.0f}", f"{ages.p99_ms:.0f}", f"{ages.max_ms:.0f}")
        shown.add_row(name, f"{ages.shown:,}", *cells)
    return shown


def report(found: Freshness, options: Options) -> dict[str, Any]:
    """What `--json` writes. A ratio above 1: older than promised."""
    return {
        "results": {**msgspec.to_builtins(found), "options": msgspec.to_builtins(options)},
        "ratios": {
            f"{who} {name} / promised": round(getattr(ages, name) / most, 3)
            for who, ages in (("fleet", found.fleet), ("customers", found.customers))
            for name, most in HOLD_MS.items()
        },
        "machine": machine(),
    }


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures here too")] = None,
    rate: Annotated[
        int, typer.Option(min=0, help="pings a second; 0: a quarter of the ceiling, measured first")
    ] = 0,
    vehicles: Annotated[int, typer.Option(min=1)] = 20_000,
    customers: Annotated[int, typer.Option(min=1)] = 50,
    seconds: Annotated[float, typer.Option(min=1)] = 10.0,
) -> None:
    """How old a position is when a websocket shows it."""
    with progress() as say, ground(say) as settings:
        rate = rate or quarter_of_ceiling(settings, say)
        options = Options(Traffic(rate, vehicles), customers, seconds=seconds)
        found = measure(options, settings, say)
    console.print(table(f"{found.rate:,.0f} pings/s of {vehicles:,} vehicles", found))
    console.print(
        f"the worker took {found.worker_share:.0%} of a core, push {found.push_share:.0%}"
    )
    write_json(json, report(found, options))


if __name__ == "__main__":
    typer.run(main)
