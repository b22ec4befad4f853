"""`python -m load_tests.orders`: order events through one worker process, state kept and status
out, against stock Faust with a table."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from load_tests.backlog import order_rows
from load_tests.bench import OURS, Absent, Measured, report, table
from load_tests.contestants import Job, run_peer, run_worker
from load_tests.ground import (
    Contest,
    Say,
    console,
    filled,
    ground,
    progress,
    race,
    task,
    write_json,
)
from load_tests.profiling import print_profile
from stream.clock import wall_ms
from stream.config import Settings

FAUST = "faust, one table write"


class Options(Struct, frozen=True):
    events: int = 400_000
    passes: int = 2
    limit_s: float = 20.0
    only: tuple[str, ...] = ()
    """Names of contestants; empty: all."""
    peers_python: str = sys.executable


def contests(options: Options) -> dict[str, Contest]:
    """By name, in the order in which they run."""

    def peer(module: str, settings: Settings, total: int) -> Measured | Absent:
        python = options.peers_python if module != "ceiling" else sys.executable
        return run_peer(python, module, ("orders",), task(settings, total, options.limit_s))

    made: dict[str, Contest] = {
        "ceiling": partial(peer, "ceiling"),
        OURS: partial(_ours, options),
        FAUST: partial(peer, "stock_faust"),
    }
    return {n: c for n, c in made.items() if not options.only or n in options.only}


def _ours(options: Options, settings: Settings, total: int) -> Measured | Absent:
    return run_worker(settings, Job("orders", ("order_events",), total, 3 * options.limit_s))


def run(options: Options, settings: Settings, say: Say) -> dict[str, list[Measured | Absent]]:
    """Every contestant's passes on the servers of `settings`."""
    return race(
        lambda: filled(settings, order_rows(options.events, wall_ms()), say),
        contests(options),
        options.passes,
        say,
    )


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures here too")] = None,
    events: Annotated[int, typer.Option(min=1_000, help="a fourth as many orders")] = 400_000,
    passes: Annotated[int, typer.Option(min=1)] = 2,
    limit_s: Annotated[float, typer.Option(help="a slower peer is stopped")] = 20.0,
    peers_python: Annotated[
        str, typer.Option(help="the Python of a virtualenv that has the peers")
    ] = sys.executable,
    only: Annotated[list[str] | None, typer.Option(help="contestants, by name")] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="where our time goes, by py-spy; no contest")
    ] = False,
) -> None:
    """Order events through one worker process: state kept, status to Kafka and Redis."""
    options = Options(events, passes, limit_s, tuple(only or ()), peers_python)
    with progress() as say, ground(say) as settings:
        if profile:
            made, total = filled(settings, order_rows(events, wall_ms()), say)
            say("profiling")
            print_profile(made, Job("orders", ("order_events",), total, 120.0), console)
            return
        results = run(options, settings, say)
    title = f"{events:,} events of {events // 4:,} orders, one process each"
    console.print(table(title, results))
    write_json(json, report(results))


if __name__ == "__main__":
    typer.run(main)
