"""What the pages know of the server's words: `python -m ws_server.typescript` writes `web/src`.

`wire.ts` holds the structs of the wire as TypeScript interfaces, `labels.json` what stages, codes
and ages are called. So there is no second list of fields or names to keep.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import Enum, IntEnum
from pathlib import Path
from typing import Any

import msgspec.inspect as inspect
from msgspec import Struct

from alerts.model import Alert, Rule, Severity, State
from geo.model import Fence, Motion, Stop, StopRole
from geo.shapes import Area, Line
from orders.labels import AGES, CODES, STAGES, Label
from orders.model import Age, Classifier, Code, LastSeen, Milestone, OrderStatus, Stage
from ws_server import protocol

FOLDER = Path(__file__).resolve().parent.parent / "web" / "src"
ENUMS: dict[type[Enum], str] = {
    **{enum: enum.__name__ for enum in (Stage, Code, Classifier, Age, StopRole, Motion)},
    **{enum: enum.__name__ for enum in (Rule, State, Severity, protocol.Role)},
    protocol.Code: "ErrCode",
}
STRUCTS: tuple[type[Struct], ...] = (
    *(Area, Line, Fence, Stop, LastSeen, Milestone, OrderStatus, Alert),
    *(protocol.Hello, protocol.Sub, protocol.Unsub, protocol.Pong),
    *(protocol.Welcome, protocol.Item, protocol.Snap, protocol.Synced, protocol.Delta),
    *(protocol.Pos, protocol.AlertSaid, protocol.Err, protocol.Ping),
)
HEAD = "// Made by `python -m ws_server.typescript` from the Python structs; do not edit.\n"


def typescript() -> str:
    """The whole of `wire.ts`."""
    unions = (_union(enum, name) for enum, name in ENUMS.items())
    parts = (HEAD, *unions, _codes(protocol.Close), *map(_interface, STRUCTS))
    return "\n".join(parts)


def labels() -> str:
    """The whole of `labels.json`."""
    tables: dict[str, Mapping[Any, Label]] = {"stage": STAGES, "code": CODES, "age": AGES}
    told = {
        table: {word.value: label._asdict() for word, label in words.items()}
        for table, words in tables.items()
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def files() -> dict[str, str]:
    return {"wire.ts": typescript(), "labels.json": labels()}


def _union(enum: type[Enum], name: str) -> str:
    values = (f"  | {json.dumps(str(word.value))}" for word in enum)
    return f"export type {name} =\n" + "\n".join(values) + ";\n"


def _codes(enum: type[IntEnum]) -> str:
    rows = "".join(f"  {code.name}: {code.value},\n" for code in enum)
    return f"export const {enum.__name__.upper()} = {{\n{rows}}} as const;\n"


def _interface(struct: type[Struct]) -> str:
    rows = "".join(f"  {row};\n" for row in _rows(struct))
    return f"export interface {struct.__name__} {{\n{rows}}}\n"


def _rows(struct: type[Struct]) -> Iterator[str]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    if info.tag_field is not None:
        yield f"{info.tag_field}: {json.dumps(info.tag)}"
    for field in info.fields:
        omitted = not field.required and struct.__struct_config__.omit_defaults
        yield f"{field.encode_name}{'?' if omitted else ''}: {_type(field.type)}"


def _type(info: inspect.Type) -> str:
    """As TypeScript says it. What the server passes on unread is `unknown` to it, and to us."""
    match info:
        case inspect.StrType():
            return "string"
        case inspect.IntType() | inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.NoneType():
            return "null"
        case inspect.RawType() | inspect.AnyType():
            return "unknown"
        case inspect.EnumType(cls=cls):
            return ENUMS[cls]
        case inspect.StructType(cls=cls):
            return cls.__name__
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"ReadonlyArray<{_type(item)}>"
        case inspect.TupleType(item_types=items):
            return f"readonly [{', '.join(map(_type, items))}]"
        case inspect.DictType(value_type=value):
            return f"Record<string, {_type(value)}>"
        case inspect.UnionType(types=types):
            names = [_type(one) for one in types]
            return "unknown" if "unknown" in names else " | ".join(names)
        case inspect.Metadata(type=inner):
            return _type(inner)
        case _:
            raise TypeError(f"{info} has no TypeScript here yet: add a case")


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
