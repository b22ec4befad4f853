"""The lines of a text file in UTF-8, whatever its encoding and line ends; a JSON array's elements.

UTF-16 is known by its mark. What is no UTF-8 is GB18030 if most bytes beyond ASCII stand in pairs,
as Chinese does; otherwise it is Windows-1252, whose letters beyond ASCII stand alone.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
HEAD = 8_192
"""Bytes that are looked at: what one read of a buffered file gives."""


def lines_of(stream: BinaryIO | gzip.GzipFile, *, json: bool) -> tuple[str, Iterator[bytes]]:
    """The encoding, and the lines. A JSON file that is one array gives its elements; an array a
    line stays a line."""
    head = stream.peek(HEAD) if isinstance(stream, io.BufferedReader | gzip.GzipFile) else b""
    encoding = encoding_of(head)
    if encoding == "utf-8" and (b"\n" in head or b"\r" not in head):
        lines = _without_mark(stream)
    else:
        lines = _decoded(stream, encoding)
    if json and head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"[":
        lines = _elements(lines)
    return encoding, lines


def encoding_of(head: bytes) -> str:
    if head.startswith(UTF_16):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # not final: the cut may be anywhere
    except UnicodeDecodeError:
        pairs = re.findall(rb"(?:[\x81-\xfe]{2})+", head)
        alone = len(re.findall(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", head))
        return "gb18030" if sum(map(len, pairs)) // 2 > alone else "cp1252"
    return "utf-8"


def _without_mark(stream: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    first = True
    for line in stream:
        yield line.removeprefix(codecs.BOM_UTF8) if first else line
        first = False


def _decoded(stream: BinaryIO | gzip.GzipFile, encoding: str) -> Iterator[bytes]:
    for line in codecs.getreader(encoding)(stream, "replace"):
        yield line.encode()


def _elements(lines: Iterator[bytes]) -> Iterator[bytes]:
    text = b"".join(lines)
    try:
        whole = msgspec.json.decode(text, type=list[msgspec.Raw])
    except (ValueError, RecursionError):
        yield from text.splitlines(keepends=True)
    else:
        yield from map(bytes, whole)
