"""`milepost demo`: everything on this machine, with a simulated fleet, until Ctrl-C.

Broker and Redis, then the topics, then a worker as a child process, then the fleet in a thread and
the view in the main one; torn down in reverse. Children die with this process, whatever ends it.
"""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live

from commands import topics
from commands.board import Board
from commands.embedded import PARTITIONS, EmbeddedBroker
from commands.feed import Fed
from commands.kafka import KafkaServer
from commands.live import Sources, plain, render
from commands.process import (
    LOOPBACK,
    CannotStart,
    free_port,
    last_lines,
    terminate_is_interrupt,
)
from commands.processes import WorkerProcess
from commands.redis import RedisServer
from commands.simulate import Simulation, feed_simulation
from load_tests.faults import Faults
from load_tests.simulator import Options
from stream.config import Settings

LOOK_S = 0.5
PLAIN_LINE_S = 2.0
WAVE_RATE = 0.3
"""Reviews go wrong in waves, so that the error-rate alert (over 8 %) fires and clears."""

KEEPS_NOTHING = "the embedded broker keeps nothing: when the demo ends, all of it is gone"


@dataclass(frozen=True)
class Demo:
    kafka: bool = False
    """A real Apache Kafka instead of the embedded broker."""
    view: bool = True
    """False: plain lines, for pipes."""
    for_s: float | None = None
    """End by itself after so long."""
    vehicles: int = 500
    orders: int = 2_000
    seed: int = 1


def run_demo(demo: Demo, console: Console) -> int:
    """The exit code: 0 if answers came through. Raises CannotStart."""
    terminate_is_interrupt()
    with ExitStack() as stack:
        try:
            settings = _servers(demo, stack, console)
            worker = WorkerProcess(settings)
            stack.callback(worker.close)
            worker.start(console.print)
            fed = _fleet(demo, settings, stack)
            sources = Sources(settings, worker.metrics_url)
            stack.callback(sources.close)
            board = Board()
            _show(demo, board, (sources, worker, fed), console)
            return _verdict(board, console)
        except KeyboardInterrupt:
            return 0
        finally:
            # Nothing interrupts the clearing up that follows.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            console.print("stopping")


def _servers(demo: Demo, stack: ExitStack, console: Console) -> Settings:
    """Broker, Redis and topics."""
    if demo.kafka:
        kafka = KafkaServer()
        stack.callback(kafka.close)
        kafka.start(console.print)
        brokers = kafka.bootstrap
    else:
        console.print(KEEPS_NOTHING, style="yellow")
        brokers = stack.enter_context(EmbeddedBroker()).bootstrap
    redis = RedisServer()
    stack.callback(redis.close)
    redis.start(console.print)
    http = f"{LOOPBACK}:{free_port()}"
    settings = Settings(
        brokers=brokers,
        redis=redis.url,
        partitions=PARTITIONS,
        http=http,
        check_crcs=demo.kafka,
    )
    topics.create(settings)
    return settings


def _fleet(demo: Demo, settings: Settings, stack: ExitStack) -> Future[Fed]:
    """The fleet, driving in a thread until the stack is closed."""
    options = Options(
        start=time.time_ns() // 1_000_000,
        vehicles=demo.vehicles,
        orders=demo.orders,
        seed=demo.seed,
        faults=Faults(wave_rate=WAVE_RATE),
    )
    stop = threading.Event()
    pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="fleet"))
    stack.callback(stop.set)
    return pool.submit(feed_simulation, settings, Simulation(options), stop)


def _show(
    demo: Demo, board: Board, parts: tuple[Sources, WorkerProcess, Future[Fed]], console: Console
) -> None:
    """Until the time is up. Raises CannotStart if the worker dies, and what the fleet raised."""
    sources, worker, fed = parts
    ends = time.monotonic() + demo.for_s if demo.for_s else float("inf")
    live = demo.view and console.is_terminal
    screen = Live(console=console, screen=live, auto_refresh=False) if live else None
    note = f"Ctrl-C ends. {'' if demo.kafka else KEEPS_NOTHING}"
    with screen or ExitStack():
        spoke = 0.0
        while time.monotonic() < ends:
            sources.look(board)
            if screen:
                screen.update(render(board, note, time.time_ns() // 1_000_000), refresh=True)
            elif time.monotonic() - spoke >= PLAIN_LINE_S:
                console.print(plain(board), highlight=False, soft_wrap=True)
                spoke = time.monotonic()
            if not worker.running:
                raise CannotStart(f"the worker ended; its last words:\n{last_lines(worker.log)}")
            if fed.done():
                fed.result()
            time.sleep(LOOK_S)


def _verdict(board: Board, console: Console) -> int:
    if board.orders:
        return 0
    console.print("no order status came through: see `milepost doctor`", style="bold red")
    return 1
