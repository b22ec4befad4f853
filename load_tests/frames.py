"""Websocket frames as bytes, for a reader that looks at a header and at one number."""

from __future__ import annotations


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole frames, headers included, and the beginning of one that has not come yet."""
    frames: list[bytes] = []
    while data:
        size = _size(data)
        if size == len(data):
            frames.append(data)
            return frames, b""
        if not 0 < size < len(data):
            break
        frames.append(data[:size])
        data = data[size:]
    return frames, data


def number(frame: bytes, name: bytes) -> int:
    """The number behind a name, as `"rev":`; -1 if it is not there."""
    at = frame.find(name)
    if at < 0:
        return -1
    at += len(name)
    end = frame.find(b",", at)
    return int(frame[at:end] if end > 0 else frame[at:].rstrip(b"}]"))


def masked(payload: bytes) -> bytes:
    """A short client's text frame; a mask of zeros leaves the payload as it is."""
    assert len(payload) < 126
    return b"\x81%c\0\0\0\0%b" % (0x80 | len(payload), payload)


def _size(data: bytes) -> int:
    """Of the first frame, with its header; 0 if that much has not come."""
    if len(data) < 4:
        return 0
    if data[1] < 126:
        return 2 + data[1]
    if data[1] == 126:
        return 4 + (data[2] << 8 | data[3])
    return 10 + int.from_bytes(data[2:10], "big") if len(data) >= 10 else 0
