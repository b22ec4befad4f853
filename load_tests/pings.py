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
from msgspec.structs import replace

from load_tests.backlog import Fleet, fill, fleet_rows, ping_rows, plan_rows
from load_tests.bench import OURS, Absent, Measured, Passes, ratios, report, table
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
PLANS_S = 120.0
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


Results = dict[str, list[Measured | Absent]]


class Options(Struct, frozen=True):
    fleet: Fleet = Fleet()
    passes: int = 2
    limit_s: float = 10.0
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
    return run_worker(settings, Job("vehicles", ("pings",), total, 3 * options.limit_s))


def run(options: Options, settings: Settings, say: Say) -> Results:
    """Every contestant's passes on the servers of `settings`, counted in pings."""

    def backlog() -> tuple[Settings, int]:
        made, _ = filled(settings, ping_rows(options.fleet, wall_ms()), say)
        return made, options.fleet.total

    return race(backlog, contests(options), options.passes, say)


def with_stops(options: Options, settings: Settings, say: Say) -> Measured | Absent:
    """Our worker alone, on vehicles that have stops. It takes their plans in beforehand and is
    started again, so that only pings are counted."""
    fleet, now = options.fleet, wall_ms()
    say(f"{OURS}: {fleet.stops} stops for each of {fleet.vehicles:,} vehicles")
    made, plans = filled(settings, plan_rows(fleet, now), say)
    planned = run_worker(made, Job("vehicles", ("plans",), plans, PLANS_S))
    if isinstance(planned, Absent) or planned.records < plans:
        return Absent(f"the plans were not taken in within {PLANS_S:.0f} s")
    fill(made, ping_rows(fleet, now), lambda written: say(f"filling: {written:,} records"))
    say(f"{OURS}: {fleet.stops} stops for each of {fleet.vehicles:,} vehicles")
    return _ours(options, made, fleet.total)


def idle_share(settings: Settings) -> float:
    """What part of one CPU a worker of all roles takes while there is nothing to do."""
    with worker(fresh(settings), "all") as (process, port):
        while sample(process, port, ()) is None:
            time.sleep(0.2)
        time.sleep(SETTLE_S)
        began, used = time.perf_counter(), cpu_seconds(process.pid)
        time.sleep(IDLE_S)
        return (cpu_seconds(process.pid) - used) / (time.perf_counter() - began)


def in_batches(options: Options, batch: int) -> Options:
    """Arrays of so many pings, two of each vehicle; the ceiling and us."""
    pings = options.fleet.pings
    vehicles = min(options.fleet.vehicles, max(1, pings // (2 * batch)))
    fleet = replace(options.fleet, vehicles=vehicles, batch=batch)
    return replace(options, fleet=fleet, only=("ceiling", OURS))


def renamed(results: Passes, more: str) -> Passes:
    return {name + more: several for name, several in results.items()}


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures here too")] = None,
    pings: Annotated[int, typer.Option(min=1_000)] = 1_000_000,
    vehicles: Annotated[int, typer.Option(min=1)] = 100_000,
    stops: Annotated[int, typer.Option(min=0, help="a further run with so many each")] = 10,
    batch: Annotated[int, typer.Option(min=0, help="further runs with so many a record")] = 50,
    passes: Annotated[int, typer.Option(min=1)] = 2,
    limit_s: Annotated[float, typer.Option(help="a slower peer is stopped")] = 10.0,
    peers_python: Annotated[
        str, typer.Option(help="the Python of a virtualenv that has the peers")
    ] = sys.executable,
    only: Annotated[list[str] | None, typer.Option(help="contestants, by name")] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="where our time goes, by py-spy; no contest")
    ] = False,
) -> None:
    """Pings through one worker process, broker to Redis, against others doing the same."""
    vehicles = min(vehicles, pings)
    options = Options(Fleet(pings, vehicles), passes, limit_s, peers_python, tuple(only or ()))
    planned = replace(options, fleet=Fleet(pings, vehicles, stops))
    batches = in_batches(options, batch or 1)
    further: dict[str, Any] = {}
    of_batches: Results = {}
    with progress() as say, ground(say) as settings:
        if profile:
            made, total = filled(settings, fleet_rows(planned.fleet, wall_ms()), say)
            say("profiling")
            print_profile(made, Job("vehicles", ("pings", "plans"), total, 120.0), console)
            return
        results = run(options, settings, say)
        if stops and not options.only:
            results[f"{OURS}, {stops} stops each"] = [with_stops(planned, settings, say)]
        if batch and not options.only:
            of_batches = run(batches, settings, say)
            with_both = replace(batches, fleet=replace(batches.fleet, stops=stops))
            if stops:
                of_batches[f"{OURS}, {stops} stops each"] = [with_stops(with_both, settings, say)]
        if not options.only:
            say("an idle worker")
            further["idle_cpu_share"] = round(idle_share(settings), 4)
    console.print(table(f"{pings:,} pings of {vehicles:,} vehicles, one process each", results))
    if of_batches:
        title = f"{batch} pings a record, of {batches.fleet.vehicles:,} vehicles; in pings"
        console.print(table(title, of_batches))
    if further:
        console.print(f"an idle worker takes {further['idle_cpu_share']:.1%} of one CPU")
    write_json(json, figures(results, of_batches, further, f", {batch} a record"))


def figures(
    results: Passes, of_batches: Passes, further: Mapping[str, Any], more: str
) -> dict[str, Any]:
    """With the ratios of each of our runs to the others of its kind."""
    made = report(results, further)
    batches = report(renamed(of_batches, more), ours=OURS + more)
    made["results"] |= batches["results"]
    made["ratios"] |= batches["ratios"]
    for several in (results, renamed(of_batches, more)):
        for name in several:
            if name.startswith(f"{OURS}, ") and name != OURS + more:
                made["ratios"] |= ratios(several, name)
    return made


if __name__ == "__main__":
    typer.run(main)
