"""`milepost demo`: everything on this machine, with a simulated fleet, until Ctrl-C.

Broker and Redis, then the topics, then a worker and a push server as child processes, then the
fleet in a thread and the view in the main one; torn down in reverse. Children die with this
process, whatever ends it.
"""

from __future__ import annotations

import secrets
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
from commands.links import Links
from commands.live import Sources, plain, render
from commands.process import (
    LOOPBACK,
    CannotStart,
    free_port,
    last_lines,
    port_is_free,
    terminate_is_interrupt,
)
from commands.processes import PushProcess, WorkerProcess
from commands.redis import RedisServer
from commands.simulate import Simulation, feed_simulation
from load_tests.faults import Faults
from load_tests.simulator import Options
from stream.clock import wall_ms
from stream.config import Settings

LOOK_S = 0.5
PLAIN_LINE_S = 2.0
PING_S = 3.0
"""More often than most fleets: whoever looks at the map for a minute shall see it move."""
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
    port: int = 8700
    """Of the pages; 0 takes a free one."""
    vehicles: int = 500
    orders: int = 2_000
    seed: int = 1


def run_demo(demo: Demo, console: Console) -> int:
    """The exit code: 0 if answers came through. Raises CannotStart."""
    terminate_is_interrupt()
    with ExitStack() as stack:
        try:
            settings = _servers(demo, stack, console)
            children = WorkerProcess(settings), PushProcess(settings)
            for child in children:
                stack.callback(child.close)
                child.start(console.print)
            fed = _fleet(demo, settings, stack)
            sources = Sources(settings, children[0].metrics_url)
            stack.callback(sources.close)
            board = Board()
            _show(demo, _Shown(board, Links(settings), sources, children, fed), console)
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
    port = demo.port or free_port()
    if not port_is_free(port):
        raise CannotStart(f"port {port} is in use: stop what uses it, or choose another by --port")
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
        push=f"{LOOPBACK}:{port}",
        token_secret=secrets.token_urlsafe(32),
        check_crcs=demo.kafka,
    )
    topics.create(settings)
    return settings


def _fleet(demo: Demo, settings: Settings, stack: ExitStack) -> Future[Fed]:
    """The fleet, driving in a thread until the stack is closed."""
    options = Options(
        start=wall_ms(),
        vehicles=demo.vehicles,
        orders=demo.orders,
        seed=demo.seed,
        ping_s=PING_S,
        faults=Faults(wave_rate=WAVE_RATE),
    )
    stop = threading.Event()
    pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="fleet"))
    stack.callback(stop.set)
    return pool.submit(feed_simulation, settings, Simulation(options), stop)


@dataclass(frozen=True)
class _Shown:
    board: Board
    links: Links
    sources: Sources
    children: tuple[WorkerProcess, PushProcess]
    fed: Future[Fed]

    def look(self) -> bool:
        """Take in what is new; True: a link is new. Raises CannotStart if a child has died, and
        what the fleet raised."""
        self.sources.look(self.board)
        for child in self.children:
            if not child.running:
                raise CannotStart(
                    f"the {child.name} ended; its last words:\n{last_lines(child.log)}"
                )
        if self.fed.done():
            self.fed.result()
        return self.links.look(self.board)


def _show(demo: Demo, shown: _Shown, console: Console) -> None:
    """Until the time is up. Raises what `look` raises."""
    ends = time.monotonic() + demo.for_s if demo.for_s else float("inf")
    live = demo.view and console.is_terminal
    screen = Live(console=console, screen=live, auto_refresh=False) if live else None
    note = f"Ctrl-C ends. {'' if demo.kafka else KEEPS_NOTHING}"
    _print_links(shown.links, console)
    with screen or ExitStack():
        spoke = 0.0
        while time.monotonic() < ends:
            found = shown.look()
            if screen:
                now_ms, lines = wall_ms(), shown.links.lines()
                view = render(shown.board, note, lines, now_ms, console.width)
                screen.update(view, refresh=True)
            elif found:
                _print_links(shown.links, console)
            elif time.monotonic() - spoke >= PLAIN_LINE_S:
                console.print(plain(shown.board), highlight=False, soft_wrap=True)
                spoke = time.monotonic()
            time.sleep(LOOK_S)


def _print_links(links: Links, console: Console) -> None:
    for line in links.lines():
        console.print(line, highlight=False, soft_wrap=True)


def _verdict(board: Board, console: Console) -> int:
    if board.orders:
        return 0
    console.print("no order status came through: see `milepost doctor`", style="bold red")
    return 1
