"""`milepost simulate`: the seeded fleet of load_tests into Kafka, live or faster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from commands.feed import Fed, Feed, Pace, stopped_by_signal
from commands.topics import connect
from load_tests.simulator import Options, simulate
from stream.config import Clock, Settings
from stream.topics import ORDER_EVENTS, PINGS


@dataclass(frozen=True)
class Simulation:
    """`speed` 1 is life, 60 a minute a second, None as fast as the broker takes it."""

    options: Options
    speed: float | None = 1.0


def feed_simulation(
    settings: Settings,
    simulation: Simulation,
    stop: threading.Event,
    told: Callable[[Fed], None] | None = None,
) -> Fed:
    """Feed until the end or `stop`. The past goes in at once, the rest at speed."""
    options, speed = simulation.options, simulation.speed
    feed = Feed(settings)
    pace = Pace(options.start, time.monotonic(), speed) if speed else None
    return feed.run(simulate(options), stop, pace=pace, told=told)


def run_simulation(settings: Settings, simulation: Simulation, console: Console) -> int:
    """Feed and tell; the exit code: 0 if the broker took everything. Raises BrokerAway."""
    connect(settings)
    options, began = simulation.options, time.monotonic()
    if simulation.speed != 1.0 and settings.clock is not Clock.EVENT:
        console.print(
            "times run ahead of the wall clock at this speed: start the worker with "
            "MILEPOST_CLOCK=event, or it will refuse the pings as from a clock ahead",
            style="yellow",
        )
    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
    )
    with stopped_by_signal() as stop, bar:
        task = bar.add_task("the fleet's past")
        fed = feed_simulation(
            settings,
            simulation,
            stop,
            lambda fed: bar.update(task, description=_line(fed, options.start, began)),
        )
    took_s = time.monotonic() - began
    console.print(f"{_counts(fed)} in {took_s:.1f} s ({fed.sent / max(0.001, took_s):,.0f}/s)")
    if fed.refused:
        console.print(
            f"{fed.refused:,} records were not taken by the broker ({fed.first_refusal}): "
            "are the topics there? `milepost topics check`",
            style="red",
        )
    return 1 if fed.refused else 0


def _line(fed: Fed, start: int, began: float) -> str:
    rate = fed.sent / max(0.001, time.monotonic() - began)
    if fed.at < start:
        return f"the fleet's past: {_counts(fed)}"
    now = datetime.fromtimestamp(fed.at / 1000, UTC)
    return f"{now:%Y-%m-%d %H:%M:%S}Z  {_counts(fed)}, {rate:,.0f}/s"


def _counts(fed: Fed) -> str:
    pings, events = fed.by_topic.get(PINGS, 0), fed.by_topic.get(ORDER_EVENTS, 0)
    return f"{pings:,} ping records, {events:,} order events"
