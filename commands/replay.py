"""`milepost replay FILE`: a recorded day into Kafka, as fast as possible or at a speed.

Pacing follows the time at which the source *received* a line where the file says so (a device's own
clock may stand still), else the time at which it happened.
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from commands.feed import Fed, Feed, Pace, stopped_by_signal
from commands.lines import (
    BadLine,
    Format,
    Message,
    columns_of,
    is_data,
    parse_line,
    twice_named,
    value_of,
    with_header,
)
from commands.texts import lines_of
from commands.topics import connect
from load_tests.simulator import Record
from stream.clock import wall_ms
from stream.config import Settings

BAD_LINES_SHOWN = 20
CSV = {".csv", ".tsv", ".txt", ".plt"}


class ReplayError(Exception):
    """The file cannot be replayed; the text says why and what to do."""


@dataclass(frozen=True)
class Replay:
    """What to replay and how. `speed` None: as fast as the broker takes it."""

    file: Path
    form: Format
    speed: float | None = None
    rebase: bool = False


@dataclass(frozen=True)
class Span:
    """First and last time in a file, Unix ms."""

    first: int
    last: int

    def shift_ms(self, now_ms: int, speed: float | None) -> int:
        """What to add to every time so that the last record is sent at its own time.

        At normal speed the first record then is now; as fast as possible the last is now; and at no
        speed is a record sent before its time, which the worker would refuse as a clock ahead.
        """
        lasts_ms = int((self.last - self.first) / speed) if speed else 0
        return now_ms + lasts_ms - self.last


@dataclass
class Seen:
    """What reading has found so far."""

    lines: int = 0
    bad: int = 0
    shown: list[tuple[int, BadLine, str]] = field(default_factory=list)
    """The line, what is wrong with it, and the file's name."""
    file: str = ""
    files: int = 1
    """The name of the one read last, and how many there were."""
    bytes: int = 0
    """Of the file as it lies on disk."""
    headers: dict[tuple[str, ...], None] = field(default_factory=dict)
    """The columns of each file, without repetition; of JSON, those of its first line."""
    encodings: dict[str, str] = field(default_factory=dict)
    """By name the files in another one than UTF-8."""

    def count(self, bad: BadLine) -> None:
        """The line read last is bad."""
        self.bad += 1
        if len(self.shown) < BAD_LINES_SHOWN:
            self.shown.append((self.lines, bad, self.file))


def read(replay: Replay, seen: Seen) -> Iterator[Message]:
    """The file's messages; bad lines go into `seen`."""
    file, form = replay.file, replay.form
    with file.open("rb") as raw:
        is_csv = bool(CSV & set(file.suffixes))
        seen.file, seen.lines = file.name, 0
        lines = _lines(raw, file, seen, json=not is_csv)
        first = next(lines, b"")
        if is_csv:
            lines = lines if form.header is None else chain([first], lines)
            form = _named(form, first, file)
            seen.lines = int(replay.form.header is None)
            seen.headers.setdefault(form.header or ())
        else:
            lines = chain([first], lines)
            form = replace(form, header=None)
            seen.headers.setdefault(columns_of(first))
            if first.strip() == b"{":
                raise ReplayError(
                    f"{file} is one JSON object over many lines: write one object a line, as "
                    f"`jq -c '.locations[]' {file.name}` does if they are in its list `locations`"
                )
        for line in lines:
            seen.lines += 1
            seen.bytes = raw.tell()
            if not line.strip():
                continue
            match parse_line(line, form):
                case BadLine() as bad:
                    seen.count(bad)
                case message:
                    yield message


def _named(form: Format, first: bytes, file: Path) -> Format:
    """The format of a CSV file with this first line, which names the columns unless `form` does."""
    try:
        found = with_header(form, first.decode("utf-8", "replace"))
    except csv.Error as wrong:
        raise ReplayError(f"{file} is not CSV: {wrong}") from None
    if form.header is not None:
        return replace(form, delimiter=found.delimiter)
    header = found.header or ()
    if is_data(header):
        raise ReplayError(
            f"{file}: its first line is data, not the names of columns "
            f"({', '.join(header)[:80]}): write the names above it, as vehicle_id,ts,lon,lat"
            + (", or give them with --header" if form.option == "--column" else "")
        )
    twice = twice_named(header)
    if twice is not None:
        raise ReplayError(f"{file} has two columns {twice}: give each its own name")
    return found


def _lines(raw: BinaryIO, file: Path, seen: Seen, *, json: bool) -> Iterator[bytes]:
    try:
        stream = gzip.GzipFile(fileobj=raw) if file.suffix == ".gz" else raw
        encoding, lines = lines_of(stream, json=json)
        if encoding != "utf-8":
            seen.encodings[file.name] = encoding
        yield from lines
    except (gzip.BadGzipFile, EOFError) as wrong:
        raise ReplayError(f"{file} is not whole gzip: {wrong}; fetch or pack it again") from wrong


def survey(replay: Replay) -> Span:
    """Read the file once for its first and last time."""
    times = [message.at for message in read(replay, Seen())]
    if not times:
        raise ReplayError(f"{replay.file} holds no line that can be read: see --map and --topic")
    return Span(min(times), max(times))


def records(messages: Iterator[Message], topic: str, shift_ms: int) -> Iterator[Record]:
    for message in messages:
        yield Record(message.at, topic, message.key, value_of(message, shift_ms))


def run_replay(settings: Settings, replay: Replay, console: Console) -> int:
    """Feed the file; the exit code: 0 if every line went in. Raises ReplayError, BrokerAway."""
    if not replay.file.is_file():
        raise ReplayError(f"no file {replay.file}: name a .jsonl or .csv file, also with .gz")
    connect(settings)
    pace, shift_ms = None, 0
    if replay.speed or replay.rebase:
        with console.status(f"looking through {replay.file.name} for its first and last time"):
            span = survey(replay)
        if replay.rebase:
            shift_ms = span.shift_ms(wall_ms(), replay.speed)
        if replay.speed:
            pace = Pace(span.first, time.monotonic(), replay.speed)
    seen, began = Seen(), time.monotonic()
    source = records(read(replay, seen), replay.form.topic, shift_ms)
    with stopped_by_signal() as stop, _Bar(console, replay, seen) as told:
        fed = Feed(settings).run(source, stop, pace=pace, told=told)
    _sum_up(console, replay, seen, (fed, time.monotonic() - began))
    if stop.is_set():
        console.print("stopped before the end of the file", style="yellow")
    return 1 if seen.bad or fed.refused or stop.is_set() else 0


class _Bar:
    """A bar over the file's bytes with the rate, for as long as the feed runs."""

    def __init__(self, console: Console, replay: Replay, seen: Seen) -> None:
        self._seen = seen
        self._began = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[sent]:,} records, {task.fields[rate]:,.0f}/s"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        size = replay.file.stat().st_size
        self._task = self._bar.add_task(replay.file.name, total=size, sent=0, rate=0.0)

    def __enter__(self) -> Callable[[Fed], None]:
        self._bar.start()
        return self._told

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _told(self, fed: Fed) -> None:
        rate = fed.sent / max(0.001, time.monotonic() - self._began)
        self._bar.update(self._task, completed=self._seen.bytes, sent=fed.sent, rate=rate)


def _sum_up(console: Console, replay: Replay, seen: Seen, fed_in: tuple[Fed, float]) -> None:
    fed, took_s = fed_in
    topic = replay.form.topic
    console.print(
        f"{seen.lines:,} lines read, {fed.sent - fed.refused:,} records in {topic} "
        f"in {took_s:.1f} s ({fed.sent / max(0.001, took_s):,.0f}/s)"
    )
    for number, bad, _ in seen.shown:
        console.print(
            f"  line {number}: {bad.field} = {bad.value!r}: {bad.fix}", style="red", markup=False
        )
    if seen.bad:
        rest = seen.bad - len(seen.shown)
        more = f", {rest:,} of them not shown" if rest else ""
        console.print(f"{seen.bad:,} bad lines were not sent{more}", style="red")
    if fed.refused:
        console.print(
            f"{fed.refused:,} records were not taken by the broker ({fed.first_refusal}): "
            "is the topic there? `milepost topics check`",
            style="red",
        )
