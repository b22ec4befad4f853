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
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replace_in
from typing import Any

import msgspec
from msgspec.structs import replace

from commands.columns import SPEED_UNITS, Naming, naming, plain
from commands.times import BadTime, unix_ms
from geo.model import Ping, Rejected
from geo.sources import FACTORS, MAX_NAME, Source
from orders.model import OrderEvent
from stream import topics, wire

FLAGS = dict.fromkeys(("true", "1", "on", "yes"), True) | dict.fromkeys(
    ("false", "0", "off", "no"), False
)
EMPTY = {"", "-", "nan", "null", "none", "nil", "n/a", "#n/a", "\\n"}
"""Cells that pandas, databases and spreadsheets write where there is no value; lower case."""
NUMBER = re.compile(r"[-+]?[\d.,]+(?:e[-+]?\d+)?", re.IGNORECASE)


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
    """The format of a CSV file that begins with this line. Raises csv.Error."""
    delimiter = max(",;\t|", key=line.count)
    cells = next(csv.reader([line], delimiter=delimiter), [])
    return replace_in(form, header=tuple(cell.strip() for cell in cells), delimiter=delimiter)


def is_data(header: Iterable[str]) -> bool:
    """Whether what should name the columns holds a number, as only a row of data does."""
    return any(NUMBER.fullmatch(cell) for cell in header)


def twice_named(header: tuple[str, ...]) -> str | None:
    """A column that stands twice, so that it is not clear which to read."""
    return next((name for name in header if name and header.count(name) > 1), None)


def parse_line(line: bytes, form: Format) -> Message | BadLine:
    """The message in one line, or why there is none."""
    try:
        cells = _csv_cells(line, form) if form.header is not None else _json_cells(line)
        if not isinstance(cells, dict) or "position" in cells:
            return _wire_pings(line)
        if form.topic == topics.ORDER_EVENTS:
            return _order_event(_renamed(cells, form), form)
        ping = _ping(cells, form)
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


def columns_of(line: bytes) -> tuple[str, ...]:
    """The names in a line of JSON, which has no header; none if it is no single ping."""
    try:
        cells = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(cells, dict) or "position" in cells:
        return ()
    return tuple(_flat(cells))


def _json_cells(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (ValueError, RecursionError) as wrong:
        text = line.decode(errors="replace")
        hint = "; NaN is no JSON: write null" if re.search(r":\s*-?(NaN|Infinity)\b", text) else ""
        raise _Wrong("line", text, f"not JSON: {wrong}{hint}") from None


def _csv_cells(line: bytes, form: Format) -> dict[str, Any]:
    """A row by column, without empty cells. A cell of JSON (an order's stops) is read as such."""
    header = form.header or ()
    try:
        row = next(csv.reader(io.StringIO(line.decode()), delimiter=form.delimiter))
    except UnicodeDecodeError as wrong:
        text = line.decode(errors="replace")
        raise _Wrong("line", text, f"not UTF-8 ({wrong.reason}): save the file as UTF-8") from None
    except (csv.Error, StopIteration) as wrong:
        raise _Wrong("line", line.decode(errors="replace"), f"not CSV: {wrong}") from None
    if len(row) != len(header):
        raise _Wrong("line", line.decode(), f"{len(row)} cells, the header names {len(header)}")
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    if form.topic != topics.ORDER_EVENTS:
        return {name: cell for name, cell in cells.items() if cell.lower() not in EMPTY}
    return {
        name: _json_cells(cell.encode()) if cell[0] in "[{" else cell
        for name, cell in cells.items()
        if cell
    }


def parse_cells(cells: dict[str, Any], form: Format) -> Ping | BadLine:
    """The ping in named cells, or why there is none."""
    try:
        return _ping(cells, form)
    except _Wrong as wrong:
        return wrong.bad


def _flat(cells: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Objects in objects as names with dots."""
    flat: dict[str, Any] = {}
    for name, value in cells.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{above}{name}.")
        else:
            flat[above + name] = value
    return flat


def _renamed(cells: dict[str, Any], form: Format) -> dict[str, Any]:
    ours = {theirs: name for name, theirs in form.columns.items()}
    return {ours.get(column, column): cell for column, cell in cells.items() if cell is not None}


def _ping(cells: dict[str, Any], form: Format) -> Ping:
    if any(type(value) is dict for value in cells.values()):
        cells = _flat(cells)
    present = {column: value for column, value in cells.items() if value is not None}
    found = naming(tuple(present), tuple(form.columns.items()))
    for name, several in found.unclear:
        fix = f"any of these could be it; choose: {form.option} {name}={several[0]}"
        raise _Wrong(name, ", ".join(several), fix)
    named = {name: present[column] for name, column in found.read}
    if _flag(named, "valid") is False:
        raise _Wrong("valid", named["valid"], "the receiver had no fix: no position is taken")
    if form.vehicle_id is not None:
        named.setdefault("vehicle_id", form.vehicle_id)
    there = _Cells(named, tuple(cells), form)
    for name in ("vehicle_id", "ts", "lat", "lon"):
        _needed(there, name)
    return Ping(
        vehicle_id=_text(there, "vehicle_id"),
        ts=_time(there, "ts"),
        lat=_number(named, "lat") or 0.0,
        lon=_number(named, "lon") or 0.0,
        speed_mps=_speed(named, found, form),
        heading_deg=_number(named, "heading_deg"),
        accuracy_m=_number(named, "accuracy_m"),
        received_at=_time(there, "received_at") if "received_at" in named else None,
        ignition=_flag(named, "ignition"),
        source=str(named["source"])[:MAX_NAME] if "source" in named else None,
        seq=_seq(named, form),
    )


def _speed(named: dict[str, Any], found: Naming, form: Format) -> float | None:
    """Metres per second; a unit in the cell (`23 km/h`) goes before the column's, that before the
    source's."""
    unit, value = found.speed_unit or form.source.speed, named.get("speed_mps")
    if isinstance(value, str) and not value[-1:].isdecimal():
        number = NUMBER.match(value)
        written = SPEED_UNITS.get("speed" + plain(value[number.end() :])) if number else None
        if number is not None and written is not None:
            unit, named = written, {"speed_mps": number.group()}
    speed = _number(named, "speed_mps")
    return None if speed is None else speed * FACTORS[unit]


def _order_event(cells: dict[str, Any], form: Format) -> Message:
    cells["ts"] = _time(_Cells(cells, tuple(cells), form), "ts")
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


@dataclass(frozen=True)
class _Cells:
    """The cells of a line by our names, and what the file calls its columns."""

    named: dict[str, Any]
    columns: tuple[str, ...]
    form: Format


def _text(cells: _Cells, name: str) -> str:
    value = _needed(cells, name)
    text = str(value) if isinstance(value, str | int) else ""
    if not 0 < len(text) <= 128:
        raise _Wrong(name, value, "write a text of 1 to 128 characters")
    return text


def _number(cells: dict[str, Any], name: str) -> float | None:
    """A decimal comma (`31,2`) is one: no number of a ping needs commas between thousands."""
    value = cells.get(name)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        try:
            number = float(value.replace(",", "."))
        except (AttributeError, ValueError):
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


def _needed(cells: _Cells, name: str) -> Any:
    value = cells.named.get(name)
    if value is None:
        there = ", ".join(sorted(cells.columns))
        fix = f"name its column with {cells.form.option} {name}=COLUMN; there are: {there}"
        raise _Wrong(name, "(absent)", fix)
    return value


def _time(cells: _Cells, name: str) -> int:
    value = _needed(cells, name)
    try:
        return unix_ms(value, cells.form.source.zone, cells.named.get("date"))
    except BadTime as wrong:
        raise _Wrong(name, value, str(wrong)) from None
