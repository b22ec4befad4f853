"""Two values that should be the same, said in a line."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

LONGEST = 160


def difference(got: Any, wanted: Any) -> str:
    """`got instead of wanted`; of two messages of one kind only the fields that differ."""
    if type(got) is type(wanted) and isinstance(got, Struct):
        ours, theirs = asdict(wanted), asdict(got)
        parts = [(name, theirs[name], ours[name]) for name in ours if theirs[name] != ours[name]]
        return "; ".join(f"{name}: {_short(a)} instead of {_short(b)}" for name, a, b in parts)
    return f"{_short(got)} instead of {_short(wanted)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
