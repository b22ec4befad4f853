"""`python -m load_tests.scale`: does a ping cost the same in a large fleet as in a small one?

In process, without broker or Redis: the core alone (`geo.track.step`, on pings that are decoded
already), and a partition of the worker (`Partition.take_in`, from bytes to facts), as CPU time a
ping. Vehicles drive north, a ping each ten seconds. Four series, each against its smallest:

- *vehicles* without stops;
- *fences*, in plans of ten: so there are as many vehicles as tenths of fences;
- *stops* of each of a few vehicles, up to as many as one may have;
- *history*: pings of each of a few vehicles, which are remembered.

Small fleets look better than they are: all of one lies in the processor's caches, all the time,
which no worker's memory does. So the ratio to the smallest is the strictest there is; the one to
what fits into no cache any more (from 100,000 vehicles) says more of a real fleet. What a
checkpoint or Redis costs grows with what has changed, not with what there is, and is not in here.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from msgspec import Struct
from rich.box import SIMPLE
from rich.table import Table

from commands.worker import ROLES, YOUNG_COLLECTIONS, YOUNG_OBJECTS
from geo.model import Ms, Ping, Rejected
from geo.track import Track, World, step
from load_tests.backlog import Fleet, Row, ping_rows, plan_rows
from load_tests.bench import machine
from load_tests.ground import Say, console, progress, write_json
from stream.clock import wall_ms
from stream.metrics import Cells
from stream.partition import Partition
from stream.role import counted
from stream.topics import PINGS, PLANS
from stream.wire import decode_pings

[VEHICLES] = ROLES["vehicles"]
WORLD = World()
STOPS = 10
FEW = 4
"""Vehicles of the series that are about one vehicle."""
CHUNK = 5_000
"""Records taken in at once: as many as a fetch brings."""
ENOUGH = 100_000
"""Pings timed at least; small fleets begin anew until then."""
FLAT = 1.5
"""Above this a cost is not flat (design.md §5)."""


class Case(Struct, frozen=True):
    series: str
    size: int
    fleet: Fleet


class Cost(Struct, frozen=True):
    """CPU microseconds a ping."""

    core: float
    partition: float


class Record(NamedTuple):
    """What a partition looks at of a record."""

    offset: int
    value: bytes
    timestamp: Ms
    key: bytes = b""
    topic: str = PINGS
    partition: int = 0


def cases(most: int) -> Iterator[Case]:
    """None larger than `most`."""
    for size in _decades(1_000, most):
        yield Case("vehicles", size, Fleet(4 * size, size))
    for size in _decades(100, most):
        yield Case("fences", size, Fleet(8 * size // STOPS, size // STOPS, STOPS))
    for size in (1, 10, 100, 1_000, WORLD.max_stops):
        if FEW * size <= most:
            yield Case("stops", size, Fleet(200 * FEW, FEW, size))
    for size in (10, 100, 1_000, 4_000):
        if FEW * size <= most:
            yield Case("history", size, Fleet(size * FEW, FEW))


def _decades(first: int, most: int) -> Iterator[int]:
    while first <= most:
        yield first
        first *= 10


class Core:
    """Steps pings as a partition does, and does nothing else."""

    def __init__(self, planned: Mapping[str, Track]) -> None:
        self.states: dict[str, Track | None] = dict(planned)

    def ready(self, records: Sequence[Record]) -> Callable[[], None]:
        pings = [(ping, r.timestamp) for r in records for ping in decode_pings(r.value)]
        return lambda: self._take(pings)

    def _take(self, pings: Sequence[tuple[Ping | Rejected, Ms]]) -> None:
        states, world = self.states, WORLD
        for ping, now in pings:
            assert type(ping) is Ping
            state = states.get(ping.vehicle_id)
            new, _ = step(state, ping, now, world)
            if new is not state:
                states[ping.vehicle_id] = new


class Whole:
    """A partition of the worker that owns every vehicle."""

    def __init__(self, planned: Mapping[str, Track]) -> None:
        self._partition = _partition()
        self._partition.begin(((key, 0, state) for key, state in planned.items()), None, 0)
        self.states = self._partition.states

    def ready(self, records: Sequence[Record]) -> Callable[[], None]:
        self._partition.take()  # What a checkpoint would take; and Redis the positions.
        self._partition.rows.clear()
        return lambda: self._take(records)

    def _take(self, records: Sequence[Record]) -> None:
        self._partition.take_in(PINGS, records)


def _partition() -> Partition:
    cells = Cells()
    for cell in counted(VEHICLES):
        cells.declare(*cell)
    return Partition(VEHICLES, 0, 1, cells)


def planned(fleet: Fleet, now: Ms) -> dict[str, Track]:
    """The vehicles with their plans, before the first ping."""
    partition = _partition()
    for chunk in _chunks(records(plan_rows(fleet, now), now)):
        partition.take_in(PLANS, chunk)
    return partition.states


def cost(case: Case, way: type[Core | Whole]) -> float:
    """CPU microseconds of a ping that is not its vehicle's first."""
    fleet, now = case.fleet, wall_ms()
    begin = planned(fleet, now)
    rows: Iterable[Row] = ping_rows(fleet, now)
    several = fleet.pings <= ENOUGH
    if several:
        rows = list(rows)
    timed, used_s = 0, 0.0
    while timed == 0 or (several and timed < ENOUGH):
        taker, pings = way(begin), records(rows, now)
        for first in _chunks(islice(pings, fleet.vehicles)):
            taker.ready(first)()
        for chunk in _chunks(pings):
            take = taker.ready(chunk)
            began = time.process_time()
            take()
            used_s += time.process_time() - began
            timed += len(chunk)
    return used_s / timed * 1e6


def records(rows: Iterable[Row], now: Ms) -> Iterator[Record]:
    return (Record(offset, value, now) for offset, (_, _, value) in enumerate(rows))


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, CHUNK)):
        yield chunk


def run(several: Sequence[Case], passes: int, say: Say) -> dict[Case, Cost]:
    """The cheapest pass of each case; a pass is all of them, so that a slow minute hits one."""
    found: dict[Case, Cost] = {}
    for turn in range(passes):
        for case in several:
            say(f"pass {turn + 1} of {passes}: {case.series} {case.size:,}")
            now = Cost(cost(case, Core), cost(case, Whole))
            held = found.get(case, now)
            core, partition = min(now.core, held.core), min(now.partition, held.partition)
            found[case] = Cost(core, partition)
    return found


def ratios(found: Mapping[Case, Cost]) -> dict[str, dict[str, float]]:
    """Each cost against that of the smallest of its series; above 1: dearer."""
    smallest: dict[str, Case] = {}
    for case in found:
        smallest.setdefault(case.series, case)
    return {
        f"{case.series} {case.size} / {smallest[case.series].size}": _against(
            one, found[smallest[case.series]]
        )
        for case, one in found.items()
        if case is not smallest[case.series]
    }


def _against(one: Cost, other: Cost) -> dict[str, float]:
    return {
        "core": round(one.core / other.core, 2),
        "partition": round(one.partition / other.partition, 2),
    }


def table(found: Mapping[Case, Cost]) -> Table:
    shown = Table(title="CPU time of a ping", box=SIMPLE, title_justify="left")
    headings = (
        "series",
        "size",
        "vehicles",
        "core µs",
        "to smallest",
        "partition µs",
        "to smallest",
    )
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "series" else "right")
    smallest: dict[str, Cost] = {}
    for case, one in found.items():
        to = _against(one, smallest.setdefault(case.series, one))
        sizes = (case.series, f"{case.size:,}", f"{case.fleet.vehicles:,}")
        core, partition = (f"{us:.2f}" for us in (one.core, one.partition))
        shown.add_row(*sizes, core, f"{to['core']:.2f}", partition, f"{to['partition']:.2f}")
    return shown


def report(found: Mapping[Case, Cost]) -> dict[str, Any]:
    """What `--json` writes."""
    return {
        "results": {
            f"{case.series} {case.size}": {
                "vehicles": case.fleet.vehicles,
                "stops": case.fleet.stops,
                "core_cpu_us": round(one.core, 3),
                "partition_cpu_us": round(one.partition, 3),
            }
            for case, one in found.items()
        },
        "ratios": ratios(found),
        "machine": machine(),
    }


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures here too")] = None,
    most: Annotated[int, typer.Option(min=1_000, help="of vehicles, and of fences")] = 1_000_000,
    passes: Annotated[int, typer.Option(min=1)] = 1,
    series: Annotated[list[str] | None, typer.Option(help="only these")] = None,
) -> None:
    """What a ping costs, from small fleets to large ones."""
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_COLLECTIONS)  # As the worker does.
    several = [case for case in cases(most) if not series or case.series in series]
    with progress() as say:
        found = run(several, passes, say)
    console.print(table(found))
    write_json(json, report(found))


if __name__ == "__main__":
    typer.run(main)
