"""Recorded pings from files of several formats: JSON lines, CSV and GPX, each also packed (.gz)."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO
from xml.etree import ElementTree

from commands.lines import BadLine, Format, parse_cells
from commands.replay import CSV, Replay, ReplayError, Seen, read
from geo.model import Ping

JSON = {".jsonl", ".json", ".ndjson"}
FORMATS = ".jsonl, .csv or .gpx, also with .gz"


def recorded(file: Path, form: Format, seen: Seen) -> Iterator[Ping]:
    """The pings of a file, in its order; what is none is counted in `seen`. Lines that name no
    vehicle are of one called like the file."""
    if not file.is_file():
        raise ReplayError(f"no file {file}: name a {FORMATS} file")
    form = replace(form, vehicle_id=file.name.split(".")[0])
    if ".gpx" in file.suffixes:
        yield from _gpx(file, form, seen)
        return
    if not (CSV | JSON) & set(file.suffixes):
        raise ReplayError(f"{file} is in no format that is known: name a {FORMATS} file")
    for message in read(Replay(file, form), seen):
        for event in message.events:
            assert isinstance(event, Ping)  # the format's topic is that of pings
            yield event


def _gpx(file: Path, form: Format, seen: Seen) -> Iterator[Ping]:
    """A GPX file is of one receiver; its points lie in tracks, segments and routes."""
    seen.file, seen.lines = file.name, 0
    with file.open("rb") as raw:
        try:
            for point in _points(gzip.GzipFile(fileobj=raw) if file.suffix == ".gz" else raw):
                seen.lines += 1
                seen.bytes = raw.tell()
                match parse_cells(point, form):
                    case BadLine() as bad:
                        seen.count(bad)
                    case ping:
                        yield ping
        except (ElementTree.ParseError, gzip.BadGzipFile, EOFError) as wrong:
            raise ReplayError(f"{file} is not whole GPX: {wrong}; fetch it again") from wrong


def _points(stream: BinaryIO | gzip.GzipFile) -> Iterator[dict[str, Any]]:
    """The attributes and the text of the elements of each point, by their names alone."""
    for _, element in ElementTree.iterparse(stream):
        if _name(element) in ("trkpt", "rtept"):
            inner = {_name(each): (each.text or "").strip() for each in element.iter()}
            yield {name: text for name, text in inner.items() if text} | dict(element.attrib)
            element.clear()


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
