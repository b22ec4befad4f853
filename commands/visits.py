"""`milepost visits`: anyone's recorded pings through the core, without a broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from commands.columns import naming, notes
from commands.findings import UNREADABLE, Findings, find, json_lines, shifted, utc
from commands.hints import far_hint, numbered_hint, unit_hint
from commands.lines import Format
from commands.picture import picture
from commands.recordings import recorded
from commands.replay import ReplayError, Seen
from geo.crs import Datum
from geo.geojson import read_fences
from geo.mixups import MixedUp
from geo.model import Evidence, GapBy, Ms, Ping, Stop, Visit
from geo.sources import Source

TOLD_EVERY = 20_000
BAD_SHOWN = 10


class FencesError(Exception):
    """The fences cannot be used; the text says which, and what to write instead."""


@dataclass(frozen=True)
class Wanted:
    """What `milepost visits` was asked."""

    files: Sequence[Path]
    form: Format
    fences: Path | None = None
    fences_datum: Datum = Datum.WGS84
    out: Path | None = None
    picture: Path | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    """By name; pings that name none of them are of the form's."""


def run_visits(wanted: Wanted, console: Console) -> int:
    """Find, print and write; the exit code: 1 if some lines could not be read."""
    stops = _stops(wanted)
    _check_writable(wanted)
    seen = Seen()
    with _progress() as bar:
        pings = _read(wanted, seen, bar)
        total = sum(map(len, pings.values()))
        task = bar.add_task("finding visits", total=total)
        found = find(
            pings,
            stops,
            (wanted.form.source, wanted.sources),
            for_picture=wanted.picture is not None,
            told=lambda done: bar.update(task, completed=done),
        )
    if seen.bad:
        bad = seen.shown[0][1]
        found.rejected[UNREADABLE] = seen.bad
        found.examples[UNREADABLE] = f"{bad.field} = {bad.value!r}: {bad.fix}"
    _show(console, found, stops, len(pings))
    for note in _notes(wanted, seen, pings, stops):
        console.print(note, style="yellow", markup=False, highlight=False, soft_wrap=True)
    _warn(console, stops, found, seen)
    if wanted.out is not None:
        with wanted.out.open("wb") as out:
            out.writelines(json_lines(found))
        console.print(f"written to {wanted.out}", soft_wrap=True, highlight=False)
    if wanted.picture is not None:
        wanted.picture.write_text(picture(found, stops), encoding="utf-8")
        console.print(f"drawn in {wanted.picture}", soft_wrap=True, highlight=False)
    return 1 if seen.bad else 0


def _notes(
    wanted: Wanted, seen: Seen, pings: Mapping[str, Sequence[Ping]], stops: Sequence[Stop]
) -> Iterator[str]:
    """What was read in another way than a user may think, and what looks wrong."""
    form = wanted.form
    for name, encoding in seen.encodings.items():
        yield f"{name} is read as {encoding.upper()}, for it is no UTF-8"
    yield from dict.fromkeys(
        note for header in seen.headers for note in notes(header, form.columns, form.option)
    )
    for file in wanted.files:
        name = file.name.split(".")[0]
        if name in pings and len(pings) > len(wanted.files):
            yield f"{len(pings[name]):,} lines name no vehicle and are read as one called {name}"
    columns = tuple(form.columns.items())
    named_unit = any(naming(header, columns).speed_unit for header in seen.headers)
    unit = None
    if not (named_unit or wanted.sources):
        unit = unit_hint(pings.values(), form.source.speed)
    yield from filter(None, (unit, numbered_hint(stops), far_hint(stops, pings)))


def _stops(wanted: Wanted) -> list[Stop]:
    file = wanted.fences
    if file is None:
        return []
    if not file.is_file():
        raise FencesError(f"no file {file}: name a GeoJSON file")
    stops, bad = read_fences(file.read_bytes(), wanted.fences_datum)
    if bad:
        shown = "\n".join(f"  {each}" for each in bad[:BAD_SHOWN])
        more = f"\n  and {len(bad) - BAD_SHOWN} more" if len(bad) > BAD_SHOWN else ""
        raise FencesError(f"{file} has fences that cannot be read:\n{shown}{more}")
    if not stops:
        raise FencesError(f"{file} holds no fence: write a FeatureCollection with features")
    return stops


def _check_writable(wanted: Wanted) -> None:
    """Before an hour's work, not after it."""
    for file in (wanted.out, wanted.picture):
        if file is not None and not (folder := file.absolute().parent).is_dir():
            raise ReplayError(f"no folder {folder} to write {file.name} in: make it")


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    line = Console(stderr=True)
    with Progress(*columns, console=line, transient=True, disable=not line.is_terminal) as bar:
        yield bar


def _read(wanted: Wanted, seen: Seen, bar: Progress) -> dict[str, list[Ping]]:
    """All pings by vehicle."""
    pings: dict[str, list[Ping]] = {}
    count = 0
    for seen.files, file in enumerate(wanted.files, start=1):
        size = file.stat().st_size if file.is_file() else 0
        task = bar.add_task(f"reading {file.name}", total=size)
        for ping in recorded(file, wanted.form, seen):
            pings.setdefault(ping.vehicle_id, []).append(ping)
            count += 1
            if count % TOLD_EVERY == 0:
                bar.update(task, completed=seen.bytes)
        bar.update(task, completed=size)
    if not pings:
        first = f": {_bad(seen)}" if seen.bad else ""
        raise ReplayError(f"{', '.join(map(str, wanted.files))} held no ping{first}")
    return pings


def _bad(seen: Seen, place: int = 0) -> str:
    number, bad, file = seen.shown[place]
    where = f"{file}, line {number}" if seen.files > 1 else f"line {number}"
    return f"{where}: {bad.field} = {bad.value!r}: {bad.fix}"


def _show(console: Console, found: Findings, stops: Sequence[Stop], vehicles: int) -> None:
    wide = Console(file=console.file, width=max(120, console.width))
    if stops:
        wide.print(_visit_table(found.visits))
    else:
        wide.print(_halt_table(found))
        wide.print(_trip_table(found))
    if found.rejected:
        wide.print(_count_table(found))
    wide.print(
        f"{vehicles:,} vehicles, {found.positions:,} positions, "
        f"{found.rejected.total():,} pings rejected; {len(found.visits):,} visits to "
        f"{len(stops):,} fences, {len(found.halts):,} stops, {len(found.trips):,} trips, "
        f"{found.speedings:,} times speeding",
        highlight=False,
    )
    if found.gaps:
        wide.print(_missing(found), highlight=False)


def _missing(found: Findings) -> str:
    """What did not come, in one line."""
    vehicles = len({gap.vehicle_id for gap in found.gaps})
    count = Counter[GapBy]()
    for gap in found.gaps:
        count[gap.by] += gap.missing
    said = f"{len(found.gaps):,} gaps, of {vehicles:,} vehicles"
    if count[GapBy.SEQUENCE]:
        said += f"; {count[GapBy.SEQUENCE]:,} pings missing by their numbers"
    if count[GapBy.RATE]:
        said += f"; at least {count[GapBy.RATE]:,} missing by the usual rate"
    return said


def _visit_table(visits: Sequence[Visit]) -> Table:
    shown = Table(box=SIMPLE, title="Visits (UTC)", title_justify="left")
    for heading in ("vehicle", "fence", "arrived", "departed"):
        shown.add_column(heading, overflow="fold")
    shown.add_column("stayed", justify="right", no_wrap=True)
    shown.add_column("evidence", overflow="fold")
    for visit in visits:
        shown.add_row(
            visit.vehicle_id,
            visit.stop_id,
            _clock(visit.arrived_at),
            _clock(visit.departed_at),
            _stayed(visit.arrived_at, visit.departed_at),
            said(visit.evidence, inferred=visit.inferred),
        )
    return shown


def said(evidence: Evidence, *, inferred: bool) -> str:
    """The evidence in one line."""
    text = f"{evidence.rule}, {evidence.positions} positions, nearest {evidence.nearest_m:.0f} m"
    if inferred:
        text += f", inferred between {_clock(evidence.first_ts)} and {_clock(evidence.last_ts)}"
    return f"{text}, {100 * evidence.confidence:.0f} %"


def _halt_table(found: Findings) -> Table:
    shown = Table(box=SIMPLE, title="Stops (UTC)", title_justify="left")
    for heading in ("vehicle", "arrived", "departed"):
        shown.add_column(heading, overflow="fold")
    for heading in ("stayed", "lat", "lon", "positions"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for halt in found.halts:
        shown.add_row(
            halt.vehicle_id,
            _clock(halt.since),
            _clock(halt.until),
            _stayed(halt.since, halt.until),
            f"{halt.lat:.6f}",
            f"{halt.lon:.6f}",
            f"{halt.positions:,}",
        )
    return shown


def _trip_table(found: Findings) -> Table:
    shown = Table(box=SIMPLE, title="Trips (UTC)", title_justify="left")
    for heading in ("vehicle", "departed", "arrived"):
        shown.add_column(heading, overflow="fold")
    for heading in ("took", "km", "positions"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for trip in found.trips:
        shown.add_row(
            trip.vehicle_id,
            _clock(trip.since),
            _clock(trip.until),
            _stayed(trip.since, trip.until),
            f"{trip.metres / 1000:.1f}",
            f"{trip.positions:,}",
        )
    return shown


def _count_table(found: Findings) -> Table:
    shown = Table(box=SIMPLE, title="Rejected pings", title_justify="left")
    shown.add_column("reason", no_wrap=True)
    shown.add_column("pings", justify="right", no_wrap=True)
    shown.add_column("the first of them", overflow="fold")
    for reason, count in found.rejected.most_common():
        shown.add_row(reason, f"{count:,}", found.examples[reason])
    return shown


def _warn(console: Console, stops: Sequence[Stop], found: Findings, seen: Seen) -> None:
    for name, shift in shifted(stops, found):
        where = "--fences-datum " if shift.what is MixedUp.FENCE else "--source datum="
        console.print(
            f"shifted? {shift.halts} stops lie {shift.metres:.0f} m from {name}, where they would "
            f"if the coordinates of the {shift.what} were {shift.datum.upper()}; "
            f"try {where}{shift.datum}",
            style="yellow",
            highlight=False,
        )
    for place in range(min(BAD_SHOWN, len(seen.shown))):
        console.print(_bad(seen, place), style="red", markup=False, soft_wrap=True)
    if seen.bad > BAD_SHOWN:
        console.print(f"and {seen.bad - BAD_SHOWN:,} more lines", style="red", highlight=False)
    if any("no zone" in bad.fix for _, bad, _ in seen.shown):
        console.print("or give the zone of all times: --source zone=Asia/Shanghai", style="red")


def _clock(ts: Ms | None) -> str:
    text = utc(ts)
    return "-" if text is None else text[:19].replace("T", " ")


def _stayed(since: Ms, until: Ms | None) -> str:
    if until is None:
        return "-"
    minutes, seconds = divmod(round((until - since) / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
