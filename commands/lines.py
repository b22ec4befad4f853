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
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replace_in
from typing import Any

import msgspec
from msgspec.structs import replace

from commands.columns import ALIASES, SPEED_UNITS, plain
from commands.times import BadTime, unix_ms
from geo.model import Ping, Rejected
from geo.sources import FACTORS, MAX_NAME, Source, SpeedUnit
from orders.model import OrderEvent
from stream import topics, wire

FLAGS = dict.fromkeys(("true", "1", "on", "yes"), True) | dict.fromkeys(
    ("false", "0", "off", "no"), False
)


@dataclass(frozen=True)
class Format:
    """How to read the lines of one file. `columns` maps our names to the file's."""

    topic: str = topics.PINGS
    columns: Mapping[str, str] = field(default_factory=dict)
    source: Source = Source()
    """Its zone and its unit; coordinates stay in its datum."""
    header: tuple[str, ...] | None = None
    """The columns of a CSV file; None: JSON lines."""
    delimiter: str = ","
    """Between its cells."""
    vehicle_id: str | None = None
    """Of lines that name no vehicle; None: each must."""
    option: str = "--map"
    """What renames a column, for the message that says so."""


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


def with_header(form: Format, line: str) -> Format:
    """The format of a CSV file that begins with this line."""
    delimiter = max(",;\t", key=line.count)
    cells = next(csv.reader([line], delimiter=delimiter), [])
    return replace_in(form, header=tuple(cell.strip() for cell in cells), delimiter=delimiter)


def parse_line(line: bytes, form: Format) -> Message | BadLine:
    """The message in one line, or why there is none."""
    try:
        cells = _csv_cells(line, form) if form.header is not None else _json_cells(line)
        if not isinstance(cells, dict) or "position" in cells:
            return _wire_pings(line)
        if form.topic == topics.ORDER_EVENTS:
            return _order_event(_renamed(cells, form.columns, {}), form)
        ping = _ping(_renamed(cells, form.columns, ALIASES, form.vehicle_id), form)
        return Message(ping.vehicle_id, ping.received_at or ping.ts, (ping,))
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


def _csv_cells(line: bytes, form: Format) -> dict[str, Any]:
    """A row by column, without empty cells. A cell of JSON (an order's stops) is read as such."""
    header = form.header or ()
    try:
        row = next(csv.reader(io.StringIO(line.decode()), delimiter=form.delimiter))
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


def parse_cells(cells: dict[str, Any], form: Format) -> Ping | BadLine:
    """The ping in named cells, or why there is none."""
    try:
        return _ping(_renamed(cells, form.columns, ALIASES, form.vehicle_id), form)
    except _Wrong as wrong:
        return wrong.bad


def _renamed(
    cells: dict[str, Any],
    columns: Mapping[str, str],
    aliases: Mapping[str, str],
    vehicle_id: str | None = None,
) -> dict[str, Any]:
    """The cells by our names; one that bears our name goes over one that is only known by it."""
    ours = {theirs: name for name, theirs in columns.items()}
    named: dict[str, Any] = {} if vehicle_id is None else {"vehicle_id": vehicle_id}
    known: dict[str, Any] = {}
    for column, value in cells.items():
        if value is None:
            continue
        name = plain(column) if aliases else ""
        alias = aliases.get(name)
        if column in ours:
            known[ours[column]] = value
        elif name in SPEED_UNITS and column != "speed_mps":
            named["speed_mps"], named["speed_unit"] = value, SPEED_UNITS[name]
        elif alias is not None and alias != column:
            named[alias] = value
        else:
            known[column] = value
    if "speed_mps" in known:
        named.pop("speed_unit", None)
    return named | known


def _ping(cells: dict[str, Any], form: Format) -> Ping:
    speed, unit = _number(cells, "speed_mps"), cells.get("speed_unit")
    if not isinstance(unit, SpeedUnit):
        unit = form.source.speed
    received_at = _time(cells, "received_at", form) if "received_at" in cells else None
    return Ping(
        vehicle_id=_text(cells, "vehicle_id", form),
        ts=_time(cells, "ts", form),
        lat=_needed(cells, "lat", _number(cells, "lat"), form),
        lon=_needed(cells, "lon", _number(cells, "lon"), form),
        speed_mps=None if speed is None else speed * FACTORS[unit],
        heading_deg=_number(cells, "heading_deg"),
        accuracy_m=_number(cells, "accuracy_m"),
        received_at=received_at,
        ignition=_flag(cells, "ignition"),
        source=str(cells["source"])[:MAX_NAME] if "source" in cells else None,
        seq=_seq(cells, form),
    )


def _order_event(cells: dict[str, Any], form: Format) -> Message:
    cells["ts"] = _time(cells, "ts", form)
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


def _text(cells: dict[str, Any], name: str, form: Format) -> str:
    value = _needed(cells, name, cells.get(name), form)
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


def _seq(cells: dict[str, Any], form: Format) -> int | None:
    text = str(cells.get("seq", ""))
    if not text:
        return None
    if not (text.isdecimal() and int(text) < 2**53):
        mend = f"write a whole number, or name another column with {form.option} seq=COLUMN"
        raise _Wrong("seq", text, mend)
    return int(text)


def _flag(cells: dict[str, Any], name: str) -> bool | None:
    value = cells.get(name)
    if value is None:
        return None
    known = FLAGS.get(str(value).strip().lower())
    if known is None:
        raise _Wrong(name, value, "write true or false, 1 or 0, on or off")
    return known


def _needed(cells: dict[str, Any], name: str, value: Any, form: Format) -> Any:
    if value is None:
        there = ", ".join(sorted(cells))
        fix = f"name its column with {form.option} {name}=COLUMN; there are: {there}"
        raise _Wrong(name, "(absent)", fix)
    return value


def _time(cells: dict[str, Any], name: str, form: Format) -> int:
    value = _needed(cells, name, cells.get(name), form)
    try:
        return unix_ms(value, form.source.zone)
    except BadTime as wrong:
        raise _Wrong(name, value, str(wrong)) from None
