"""One line of a recorded file as a record of `gps.pings` or `orders.events`. Pure.

Files name and scale things differently, so a line is read leniently: a time may be Unix seconds,
Unix milliseconds or ISO 8601 with an offset, a number may be text (CSV), columns may be renamed.
What comes out is strict wire form. A line that is in wire form already (also Traccar's, also an
array) passes. A bad line is a value that names the field, what stood there and what to write.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from geo.model import Ping, Rejected
from orders.model import OrderEvent
from stream import topics, wire

MS_FROM = 100_000_000_000
"""A number from here on is milliseconds (1973), below it seconds (the year 5138)."""

KMH, KNOTS, MPH = 1 / 3.6, 1852 / 3600, 0.44704
"""In metres per second; a nautical mile is 1852 m, a mile 1609.344 m."""

ALIASES = {
    "speed": "speed_mps",
    "heading": "heading_deg",
    "accuracy": "accuracy_m",
    "recv_ts": "received_at",
}
"""Other names under which a column of pings is known without `--map`."""


class SpeedUnit(StrEnum):
    MPS = "mps"
    KMH = "kmh"
    KNOTS = "knots"
    MPH = "mph"


FACTORS = {SpeedUnit.MPS: 1.0, SpeedUnit.KMH: KMH, SpeedUnit.KNOTS: KNOTS, SpeedUnit.MPH: MPH}


@dataclass(frozen=True)
class Format:
    """How to read the lines of one file. `columns` maps our names to the file's."""

    topic: str = topics.PINGS
    columns: Mapping[str, str] = field(default_factory=dict)
    speed_unit: SpeedUnit = SpeedUnit.MPS
    header: tuple[str, ...] | None = None
    """The columns of a CSV file; None: JSON lines."""


@dataclass(frozen=True)
class Message:
    """What one line holds: messages of one key, and when they were received."""

    key: str
    at: int
    """Unix ms: when the source received it where the line says so, else when it happened."""
    events: tuple[Ping | OrderEvent, ...]


@dataclass(frozen=True)
class BadLine:
    field: str
    value: str
    fix: str


class _Wrong(Exception):
    """Inside this module only: a cell cannot be read."""

    def __init__(self, field: str, value: object, fix: str) -> None:
        super().__init__(field)
        self.bad = BadLine(field, str(value)[:80], fix)


def read_header(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in next(csv.reader([line])))


def parse_line(line: bytes, form: Format) -> Message | BadLine:
    """The message in one line, or why there is none."""
    try:
        cells = _csv_cells(line, form.header) if form.header else _json_cells(line)
        if not isinstance(cells, dict) or "position" in cells:
            return _wire_pings(line)
        if form.topic == topics.ORDER_EVENTS:
            return _order_event(_renamed(cells, form.columns, {}))
        return _ping(_renamed(cells, form.columns, ALIASES), form)
    except _Wrong as wrong:
        return wrong.bad


def value_of(message: Message, shift_ms: int) -> bytes:
    """The record value, with all its times moved by `shift_ms`."""
    moved = [_moved(event, shift_ms) for event in message.events]
    return wire.encode(moved[0]) if len(moved) == 1 else msgspec.json.encode(moved)


def _moved(event: Ping | OrderEvent, shift_ms: int) -> Ping | OrderEvent:
    if not shift_ms:
        return event
    if isinstance(event, Ping) and event.received_at is not None:
        received_at = max(0, event.received_at + shift_ms)
        return replace(event, ts=max(0, event.ts + shift_ms), received_at=received_at)
    return replace(event, ts=max(0, event.ts + shift_ms))


def _json_cells(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (ValueError, RecursionError) as wrong:
        text = line.decode(errors="replace")
        raise _Wrong("line", text, f"not JSON: {wrong}") from None


def _csv_cells(line: bytes, header: Sequence[str]) -> dict[str, Any]:
    """A row by column, without empty cells. A cell of JSON (an order's stops) is read as such."""
    try:
        row = next(csv.reader(io.StringIO(line.decode())))
    except (csv.Error, UnicodeDecodeError, StopIteration) as wrong:
        raise _Wrong("line", line.decode(errors="replace"), f"not CSV: {wrong}") from None
    if len(row) != len(header):
        raise _Wrong("line", line.decode(), f"{len(row)} cells, the header names {len(header)}")
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    return {
        name: _json_cells(cell.encode()) if cell[0] in "[{" else cell
        for name, cell in cells.items()
        if cell
    }


def _renamed(
    cells: dict[str, Any], columns: Mapping[str, str], aliases: Mapping[str, str]
) -> dict[str, Any]:
    ours = {theirs: name for name, theirs in columns.items()}
    named: dict[str, Any] = {}
    for column, value in cells.items():
        name = ours.get(column) or aliases.get(column, column)
        if value is not None:
            named[name] = value
    return named


def _ping(cells: dict[str, Any], form: Format) -> Message:
    speed = _number(cells, "speed_mps")
    received_at = _time(cells, "received_at") if "received_at" in cells else None
    ping = Ping(
        vehicle_id=_text(cells, "vehicle_id"),
        ts=_time(cells, "ts"),
        lat=_needed(cells, "lat", _number(cells, "lat")),
        lon=_needed(cells, "lon", _number(cells, "lon")),
        speed_mps=None if speed is None else speed * FACTORS[form.speed_unit],
        heading_deg=_number(cells, "heading_deg"),
        accuracy_m=_number(cells, "accuracy_m"),
        received_at=received_at,
    )
    return Message(ping.vehicle_id, received_at or ping.ts, (ping,))


def _order_event(cells: dict[str, Any]) -> Message:
    cells["ts"] = _time(cells, "ts")
    try:
        event: OrderEvent = msgspec.convert(cells, OrderEvent)
    except msgspec.ValidationError as wrong:
        text = msgspec.json.encode(cells).decode()
        fix = f"{wrong}; see schemas/{topics.ORDER_EVENTS}.json"
        raise _Wrong("order event", text, fix) from None
    return Message(event.order_id, event.ts, (event,))


def _wire_pings(line: bytes) -> Message:
    """An array of pings of one vehicle, or Traccar's forwarded position."""
    pings: list[Ping] = []
    for taken in wire.decode_pings(line.strip()):
        if isinstance(taken, Rejected):
            raise _Wrong("line", line.decode(errors="replace"), taken.detail)
        pings.append(taken)
    vehicles = {ping.vehicle_id for ping in pings}
    if len(vehicles) != 1:
        text = ", ".join(sorted(vehicles)) or "none"
        raise _Wrong("vehicle_id", text, "an array must hold the pings of one vehicle, its key")
    return Message(pings[0].vehicle_id, max(p.received_at or p.ts for p in pings), tuple(pings))


def _text(cells: dict[str, Any], name: str) -> str:
    value = _needed(cells, name, cells.get(name))
    text = str(value) if isinstance(value, str | int) else ""
    if not 0 < len(text) <= 128:
        raise _Wrong(name, value, "write a text of 1 to 128 characters")
    return text


def _number(cells: dict[str, Any], name: str) -> float | None:
    value = cells.get(name)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise _Wrong(name, value, "write a number") from None
    if not math.isfinite(number):
        raise _Wrong(name, value, "write a finite number, or leave the cell empty")
    return number


def _needed(cells: dict[str, Any], name: str, value: Any) -> Any:
    if value is None:
        there = ", ".join(sorted(cells))
        fix = f"name its column with --map {name}=COLUMN; there are: {there}"
        raise _Wrong(name, "(absent)", fix)
    return value


def _time(cells: dict[str, Any], name: str) -> int:
    """Unix ms of Unix seconds, Unix ms or ISO 8601 with an offset."""
    value = _needed(cells, name, cells.get(name))
    try:
        number = float(value)
    except (TypeError, ValueError):
        return _iso(name, value)
    if not 0 <= number < 253_402_300_800_000:
        raise _Wrong(name, value, "write Unix seconds or milliseconds of the years 1970 to 9999")
    return int(number) if number >= MS_FROM else round(number * 1000)


def _iso(name: str, value: Any) -> int:
    try:
        date = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        fix = "write Unix seconds, Unix milliseconds or ISO 8601 (2025-07-13T08:00:00+08:00)"
        raise _Wrong(name, value, fix) from None
    if date.tzinfo is None:
        raise _Wrong(name, value, "the time has no zone: append Z or an offset such as +08:00")
    return max(0, round(date.astimezone(UTC).timestamp() * 1000))
