"""Holes in the numbers that a sender gives its pings.

How this works. What has come of one counter is a *run*: from its lowest number to its highest, but
for its holes. The times say on which side of a run a number that is not in it belongs, so it does
not matter in which order pings come: a later one lengthens the run, an earlier one too, and one in
between fills its hole. A number that is too low for its time, or too high, is of a counter that
began anew (a restart, or 16 bits that ran over): a run of its own, and no hole between the two.

A hole that was told keeps its bounds and shrinks inside, so that it can be told again as what it
was. One that was not told yet becomes two, as if the ping had come in time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from geo.model import Count, Id, Ms

HOLES = 16
"""Of one vehicle, remembered after they were told."""
WAITING = 512
"""Of one vehicle, missing numbers in a row. A batch that comes in disorder makes many holes of one
before it fills them: 90 minutes of pings ten seconds apart make some 135."""
RUNS = 4
"""Of one vehicle: a restart, a second sender, and what is late of each."""
FASTEST_MS = 100
"""Nobody numbers more than ten pings a second: a counter that ran ahead faster is another one."""
AT_ONCE = 1_000
"""So far any counter may run ahead: a parked device repeats a fix, and its time with it."""

Numbers = tuple[Count, Count]
"""First and last."""


class Hole(Struct, frozen=True, gc=False, array_like=True):
    since: Ms
    until: Ms
    """Times of the pings on both sides."""
    numbers: tuple[Numbers, ...]
    """Those that may still come."""
    due_at: Ms | None
    """When to tell of it; None while there is nothing new."""
    told: Count = 0
    """So many were missing when it was last told; 0: it was not told yet."""
    settled: Count = 0
    """Missing for good: no longer remembered one by one."""

    @property
    def missing(self) -> Count:
        return self.settled + sum(last - first + 1 for first, last in self.numbers)


class Run(Struct, frozen=True, gc=False, array_like=True):
    """One counter of one source. A vehicle's runs are sorted by their beginning."""

    source: Id | None
    low: Count
    high: Count
    since: Ms
    until: Ms
    """Times of the first and the last of its pings."""
    holes: tuple[Hole, ...] = ()


Runs = tuple[Run, ...]


def newest(runs: Runs, source: Id | None) -> Run | None:
    return next((run for run in reversed(runs) if run.source == source), None)


def numbered(runs: Runs, source: Id | None, seq: Count, ts: Ms, due_at: Ms) -> Runs:
    """The runs after a ping; the same object if its number had come. A hole that this makes is to
    be told at `due_at`, unless it is filled by then."""
    if runs:
        run = runs[-1]
        if seq == run.high + 1 and ts >= run.until and source == run.source:  # Nearly always.
            return (*runs[:-1], Run(source, run.low, seq, run.since, ts, run.holes))
    before, after = _around(runs, source, ts)
    if before is not None:
        run = runs[before]
        if seq > run.high and _leads(run.high, run.until, seq, ts):
            return _put(runs, before, _up(run, seq, ts, due_at))
        if ts <= run.until:
            return _put(runs, before, _filled(run, seq, ts, due_at))
    if after is not None:
        run = runs[after]
        if seq < run.low and _leads(seq, ts, run.low, run.since):
            return _sorted(_put(runs, after, _down(run, seq, ts, due_at)))
    return _sorted((*runs, Run(source, seq, seq, ts, ts)))


def _around(runs: Runs, source: Id | None, ts: Ms) -> tuple[int | None, int | None]:
    """The runs of the source that begin up to `ts` and after it."""
    before = None
    for place, run in enumerate(runs):
        if run.source == source:
            if run.since > ts:
                return before, place
            before = place
    return before, None


def _leads(low: Count, since: Ms, high: Count, until: Ms) -> bool:
    """Whether one counter can have come from one number to the other."""
    return high - low <= AT_ONCE + max(0, until - since) // FASTEST_MS


def _sorted(runs: Runs) -> Runs:
    return tuple(sorted(runs, key=attrgetter("since")))


def _put(runs: Runs, place: int, run: Run) -> Runs:
    if run is runs[place]:
        return runs
    return (*runs[:place], run, *runs[place + 1 :])


def _up(run: Run, seq: Count, ts: Ms, due_at: Ms) -> Run:
    until = max(run.until, ts)
    holes = run.holes
    if seq > run.high + 1:
        holes = (*holes, Hole(run.until, until, ((run.high + 1, seq - 1),), due_at))
    return Run(run.source, run.low, seq, run.since, until, holes)


def _down(run: Run, seq: Count, ts: Ms, due_at: Ms) -> Run:
    holes = run.holes
    if seq < run.low - 1:
        holes = (Hole(ts, run.since, ((seq + 1, run.low - 1),), due_at), *holes)
    return Run(run.source, seq, run.high, ts, run.until, holes)


def _filled(run: Run, seq: Count, ts: Ms, due_at: Ms) -> Run:
    """A number that belongs into the run by its time: into a hole, or it is known."""
    for place, hole in enumerate(run.holes):
        for first, last in hole.numbers:
            if first <= seq <= last:
                less = _without(hole, seq, ts, due_at)
                return replace(run, holes=(*run.holes[:place], *less, *run.holes[place + 1 :]))
    return run


def _without(hole: Hole, seq: Count, ts: Ms, due_at: Ms) -> Sequence[Hole]:
    numbers = tuple(_but(hole.numbers, seq))
    if not hole.told:
        ts = min(max(ts, hole.since), hole.until)
        times = {True: (hole.since, ts), False: (ts, hole.until)}
        return [Hole(*times[each[1] < seq], (each,), hole.due_at) for each in numbers]
    if not numbers:
        return [replace(hole, numbers=(), due_at=min(ts, due_at))]  # Nothing to wait for.
    return [replace(hole, numbers=numbers, due_at=hole.due_at or due_at)]


def _but(numbers: Sequence[Numbers], seq: Count) -> Iterator[Numbers]:
    for first, last in numbers:
        if not first <= seq <= last:
            yield first, last
            continue
        if first < seq:
            yield first, seq - 1
        if seq < last:
            yield seq + 1, last


def without_old(runs: Runs) -> Runs:
    """Without the oldest of the holes that were told, where there are too many."""
    over = sum(map(_is_quiet, (hole for run in runs for hole in run.holes))) - HOLES
    kept: list[Run] = []
    for run in runs:
        holes: list[Hole] = []
        for hole in run.holes:
            if over > 0 and _is_quiet(hole):
                over -= 1
            else:
                holes.append(hole)
        kept.append(run if len(holes) == len(run.holes) else replace(run, holes=tuple(holes)))
    return tuple(kept)


def _is_quiet(hole: Hole) -> bool:
    return hole.due_at is None


def bounded(runs: Runs, most: int = WAITING) -> tuple[Runs, list[tuple[Id | None, Hole]]]:
    """Without the oldest runs and holes where there are too many, and those of them that nobody was
    told of."""
    lost: list[tuple[Id | None, Hole]] = []
    while len(runs) > RUNS:
        lost += ((runs[0].source, hole) for hole in runs[0].holes)
        runs = runs[1:]
    while sum(len(hole.numbers) for run in runs for hole in run.holes) > most:
        place = next(n for n, run in enumerate(runs) if any(h.numbers for h in run.holes))
        run, settled = _settled(runs[place])
        lost += ((run.source, hole) for hole in settled)
        runs = _put(runs, place, run)
    return runs, [(source, hole) for source, hole in lost if not hole.told]


def _settled(run: Run) -> tuple[Run, Sequence[Hole]]:
    """With the oldest numbers of the oldest hole given up; the hole itself if that is all of it."""
    place = next(n for n, hole in enumerate(run.holes) if hole.numbers)
    hole = run.holes[place]
    first, last = hole.numbers[0]
    less = replace(hole, numbers=hole.numbers[1:], settled=hole.settled + last - first + 1)
    gone = not less.numbers and (less.due_at is None or not less.told)
    kept = () if gone else (less,)
    holes = (*run.holes[:place], *kept, *run.holes[place + 1 :])
    return replace(run, holes=holes), [hole] if gone else []
