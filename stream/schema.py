"""JSON Schema (draft 2020-12) of each public topic; `python -m stream.schema` writes `schemas/`.

Schemas say what the decoder checks. They are for producers; nothing here reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stream import topics
from stream.wire import MAX_PINGS, MESSAGES

FOLDER = Path(__file__).resolve().parent.parent / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
WHAT: Mapping[str, str] = {spec.name: spec.what for spec in topics.TOPICS}


def schema(topic: str) -> dict[str, Any]:
    """What a record's value on this topic may be."""
    refs, definitions = msgspec.json.schema_components(
        MESSAGES[topic], ref_template="#/$defs/{name}"
    )
    one = list(refs)
    if topic == topics.PINGS:
        one.append({"type": "array", "items": {"anyOf": list(refs)}, "maxItems": MAX_PINGS})
    return {
        "$schema": DIALECT,
        "title": topic,
        "description": WHAT[topic],
        "anyOf": one,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_files() -> dict[str, str]:
    """File name to text, one for each public topic."""
    return {
        f"{topic}.json": json.dumps(schema(topic), indent=2, ensure_ascii=False) + "\n"
        for topic in MESSAGES
    }


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in schema_files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(FOLDER)
