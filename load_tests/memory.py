"""`python -m load_tests.memory`: what a tracked vehicle takes of a worker's memory.

The fleet of `load_tests.pings` goes through the partitions of a worker, without Kafka; what they
then hold is what Python's own tracer counts. What a vehicle remembers of its way, its history, is
told apart: it is bounded by time and number, whatever else is known of the vehicle.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from msgspec import Struct
from msgspec.structs import replace
from rich.box import SIMPLE
from rich.table import Table

from commands.worker import ROLES
from geo.packing import unpack_claims
from geo.track import Track
from load_tests.backlog import EVERY_MS, STEP_M, Fleet, Row, fleet_rows
from load_tests.bench import machine
from load_tests.ground import Say, console, progress, write_json
from stream.metrics import Cells
from stream.partition import Partition
from stream.topics import partition_of

(VEHICLES,) = ROLES["vehicles"]
PARTITIONS = 8
"""The default of `MILEPOST_PARTITIONS`."""
PASSED = 12
"""Pings after which a vehicle of the fleet is well past its first stop."""
INSIDE = 5
"""Pings after which it is in the middle of it."""
DAY = 24 * 3_600_000 // EVERY_MS
TAKEN = 10_000
"""Records between two checkpoints."""
NOW = 1_767_571_200_000
LONG_AGO = NOW - 7 * 24 * 3_600_000


class Held(Struct, frozen=True):
    """Bytes a vehicle."""

    bare: float
    """Without history."""
    whole: float


class _Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes


def held(fleet: Fleet) -> Held:
    """What is held of this fleet when all its plans and pings have been taken in."""
    gc.disable()  # Each collection would look through all of the fleet.
    tracemalloc.start(1)
    try:
        partitions = [Partition(VEHICLES, n, PARTITIONS, Cells()) for n in range(PARTITIONS)]
        _take_in(partitions, fleet_rows(Fleet(1, 1, fleet.stops), LONG_AGO))
        empty = _traced()
        _take_in(partitions, fleet_rows(fleet, NOW))
        whole = _traced() - empty
        for each in partitions:
            each.states = {key: _bare(state) for key, state in each.states.items()}
        return Held((_traced() - empty) / fleet.vehicles, whole / fleet.vehicles)
    finally:
        tracemalloc.stop()
        gc.enable()


def _bare(state: Track) -> Track:
    return replace(state, tail=b"", past=None)


def _take_in(partitions: list[Partition], rows: Iterable[Row]) -> None:
    for offset, (topic, key, value) in enumerate(rows):
        number = partition_of(key, len(partitions))
        record = _Record(topic, number, offset, NOW, key.encode(), value)
        partitions[number].take_in(topic, [record])
        if offset % TAKEN == 0:
            _saved(partitions)
    _saved(partitions)


def _saved(partitions: Iterable[Partition]) -> None:
    """As if checkpoints were committed and positions shown."""
    for each in partitions:
        each.take()
        each.rows.clear()


def _traced() -> int:
    unpack_claims.cache_clear()  # Of a size of its own, however many vehicles there are.
    partition_of.cache_clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def fleets(vehicles: int, followed: int, stops: int) -> Mapping[str, Fleet]:
    """What is measured; `followed` vehicles for a day."""
    return {
        "no stops": Fleet(PASSED * vehicles, vehicles),
        f"{stops} stops, under way": Fleet(PASSED * vehicles, vehicles, stops),
        f"{stops} stops, all at one": Fleet(INSIDE * vehicles, vehicles, stops),
        "a day, no stops": Fleet(DAY * followed, followed),
        f"a day, {stops} stops": Fleet(DAY * followed, followed, stops),
    }


def run(several: Mapping[str, Fleet], say: Say) -> dict[str, Held]:
    results = {}
    for name, fleet in several.items():
        say(f"{name}: {fleet.vehicles:,} vehicles, {fleet.pings:,} pings")
        results[name] = held(fleet)
    return results


def table(results: Mapping[str, Held]) -> Table:
    shown = Table(title="bytes a vehicle", box=SIMPLE, title_justify="left")
    shown.add_column("vehicles with")
    shown.add_column("without history", justify="right")
    shown.add_column("with", justify="right")
    for name, each in results.items():
        shown.add_row(name, f"{each.bare:,.0f}", f"{each.whole:,.0f}")
    return shown


def report(results: Mapping[str, Held]) -> dict[str, Any]:
    made = {n: {"bare": round(h.bare), "whole": round(h.whole)} for n, h in results.items()}
    return {"results": made, "machine": machine()}


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures here too")] = None,
    vehicles: Annotated[int, typer.Option(min=1)] = 100_000,
    followed: Annotated[int, typer.Option(min=1, help="vehicles that ping for a day")] = 50,
    stops: Annotated[int, typer.Option(min=1, max=100, help="planned for each vehicle")] = 10,
) -> None:
    """What a tracked vehicle takes of a worker's memory."""
    with progress() as say:
        results = run(fleets(vehicles, followed, stops), say)
    console.print(table(results))
    console.print(
        f"a ping each {EVERY_MS // 1000} s and {STEP_M:.0f} m; a day is {DAY:,} pings of each"
    )
    write_json(json, report(results))


if __name__ == "__main__":
    typer.run(main)
