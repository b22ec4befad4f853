"""`python -m load_tests.pings`: pings through one worker process, from Kafka to Redis, and through
others that do the same."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct

from load_tests.backlog import Fleet, fleet_rows
from load_tests.bench import OURS, Absent, Measured, report, table
from load_tests.contestants import Job, cpu_seconds, run_peer, run_worker, sample, worker
from load_tests.ground import (
    Contest,
    Say,
    console,
    filled,
    fresh,
    ground,
    progress,
    race,
    task,
    write_json,
)
from load_tests.profiling import print_profile
from stream.clock import wall_ms
from stream.config import Settings

IDLE_S = 10.0
SETTLE_S = 8.0
"""For an idle worker to take its partitions and to come to rest."""

PEERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ceiling": ("ceiling", ("pings",)),
    "faust": ("stock_faust", ("pings",)),
    "faust, dict": ("stock_faust", ("pings-dict",)),
    "bytewax": ("bytewax_pings", ("keyed",)),
    "bytewax, dict": ("bytewax_pings", ("dict",)),
    "quix": ("quix_pings", ()),
}


class Options(Struct, frozen=True):
    fleet: Fleet = Fleet()
    passes: int = 2
    limit_s: float = 20.0
    peers_python: str = sys.executable
    only: tuple[str, ...] = ()
    """Names of contestants; empty: all."""


def contests(options: Options) -> dict[str, Contest]:
    """By name, ours second: right after the ceiling it is compared with."""

    def peer(module: str, what: tuple[str, ...], settings: Settings, total: int) -> Any:
        python = options.peers_python if module != "ceiling" else sys.executable
        return run_peer(python, module, what, task(settings, total, options.limit_s))

    made: dict[str, Contest] = {name: partial(peer, *given) for name, given in PEERS.items()}
    made = {"ceiling": made.pop("ceiling"), OURS: partial(_ours, options), **made}
    return {n: c for n, c in made.items() if not options.only or n in options.only}


def _ours(options: Options, settings: Settings, total: int) -> Measured | Absent:
    return run_worker(settings, Job("vehicles", ("pings", "plans"), total, 3 * options.limit_s))


def run(options: Options, settings: Settings, say: Say) -> dict[str, list[Measured | Absent]]:
    """Every contestant's passes on the servers of `settings`."""
    return race(
        lambda: filled(settings, fleet_rows(options.fleet, wall_ms()), say),
        contests(options),
        options.passes,
        say,
    )


def with_stops(options: Options, settings: Settings, stops: int, say: Say) -> Measured | Absent:
    """Our worker alone, where every vehicle has stops; their plans count as records."""
    say(f"{OURS} with {stops} stops for each vehicle")
    fleet = Fleet(options.fleet.pings, options.fleet.vehicles, stops)
    made, total = filled(settings, fleet_rows(fleet, wall_ms()), say)
    return _ours(options, made, total)


def idle_share(settings: Settings) -> float:
    """What part of one CPU a worker of all roles takes while there is nothing to do."""
    with worker(fresh(settings), "all") as (process, port):
        while sample(process, port, ()) is None:
            time.sleep(0.2)
        time.sleep(SETTLE_S)
        began, used = time.perf_counter(), cpu_seconds(process.pid)
        time.sleep(IDLE_S)
        return (cpu_seconds(process.pid) - used) / (time.perf_counter() - began)


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures here too")] = None,
    pings: Annotated[int, typer.Option(min=1_000)] = 1_000_000,
    vehicles: Annotated[int, typer.Option(min=1)] = 100_000,
    stops: Annotated[int, typer.Option(min=0, help="a further run with so many each")] = 2,
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
    """Pings through one worker process, broker to Redis, against others doing the same."""
    options = Options(Fleet(pings, vehicles), passes, limit_s, peers_python, tuple(only or ()))
    with progress() as say, ground(say) as settings:
        if profile:
            rows = fleet_rows(Fleet(pings, vehicles, stops), wall_ms())
            made, total = filled(settings, rows, say)
            say("profiling")
            print_profile(made, Job("vehicles", ("pings", "plans"), total, 120.0), console)
            return
        results = run(options, settings, say)
        further: dict[str, Any] = {}
        if stops and not options.only:
            results[f"{OURS}, {stops} stops each"] = [with_stops(options, settings, stops, say)]
        if not options.only:
            say("an idle worker")
            further["idle_cpu_share"] = round(idle_share(settings), 4)
    title = f"{pings:,} pings of {vehicles:,} vehicles, one process each"
    console.print(table(title, results))
    if further:
        console.print(f"an idle worker takes {further['idle_cpu_share']:.1%} of one CPU")
    write_json(json, report(results, further))


if __name__ == "__main__":
    typer.run(main)
