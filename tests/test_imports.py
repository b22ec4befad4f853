"""The folders of design.md, as a rule: imports point one way, and the core does no I/O.

load_tests may import commands, because a benchmark or a chaos run starts its own servers and
workers, and there shall be one way to start them; commands may import load_tests, because
`milepost simulate` and `demo` feed its fleet. Should two modules import each other across them,
Python itself refuses the cycle.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MAY_IMPORT = {
    "geo": set[str](),
    "orders": {"geo"},
    "alerts": {"geo", "orders"},
    "stream": {"geo", "orders", "alerts"},
    "agents": {"geo", "orders", "alerts", "stream"},
    "ws_server": {"geo", "orders", "alerts", "stream"},
    "load_tests": {"geo", "orders", "alerts", "stream", "commands"},
    "commands": {"geo", "orders", "alerts", "stream", "agents", "ws_server", "load_tests"},
}
PURE = [
    *("geo", "orders", "alerts"),
    *("ws_server/protocol.py", "ws_server/hub.py", "ws_server/outbox.py", "ws_server/views.py"),
]
# What the core may import beside the packages above: nothing that reaches a clock, a file, a
# socket, the environment or chance.
PURE_LIBRARIES = {
    *("__future__", "bisect", "collections", "dataclasses", "enum", "functools", "hashlib"),
    *("heapq", "itertools", "math", "msgspec", "numpy", "operator"),
    *("re", "string", "struct", "types", "typing"),
}


def modules(where: str) -> list[Path]:
    path = ROOT / where
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def imported(module: Path) -> Iterator[str]:
    """The top-level name of each import, also of those inside functions."""
    for node in ast.walk(ast.parse(module.read_text())):
        match node:
            case ast.Import(names):
                yield from (name.name.split(".")[0] for name in names)
            case ast.ImportFrom(module=str(source), level=0):
                yield source.split(".")[0]
            case ast.ImportFrom():
                yield "a relative import"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    others = (MAY_IMPORT.keys() | {"milepost", "tests", "a relative import"}) - {package}
    wrong = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in modules(package)
        for name in imported(module)
        if name in others - MAY_IMPORT[package]
    ]
    assert wrong == []


@pytest.mark.parametrize("where", PURE)
def test_the_core_reaches_no_clock_file_socket_or_chance(where: str) -> None:
    wrong = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in modules(where)
        for name in imported(module)
        if name not in PURE_LIBRARIES | MAY_IMPORT.keys()
    ]
    assert wrong == []


def test_packages_have_empty_init_files() -> None:
    inits = [init for package in MAY_IMPORT for init in (ROOT / package).rglob("__init__.py")]
    assert [str(init) for init in inits if init.stat().st_size] == []
