"""The locks: exact, with hashes, and naming no place to fetch from."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
NODE_LOCK = (ROOT / "requirements-node.lock").read_text()


@pytest.mark.parametrize("lock", [LOCK, NODE_LOCK], ids=["python", "node"])
def test_the_lock_names_no_address(lock: str) -> None:
    assert re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host", lock) == []


@pytest.mark.parametrize("lock", [LOCK, NODE_LOCK], ids=["python", "node"])
def test_every_locked_package_is_exact_and_hashed(lock: str) -> None:
    entries = lock.replace("\\\n", "").splitlines()
    wrong = [entry for entry in entries if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", entry)]
    assert [entry for entry in wrong if entry and not entry.startswith("#")] == []


def test_the_lock_has_every_requirement_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[\[>=]", requirement)[0] for requirement in wanted}
    locked = set(re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE))
    assert names - locked == set()


def test_what_the_pages_are_built_from_is_exact_hashed_and_without_addresses() -> None:
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    locked = {name: package for name, package in packages.items() if name}
    assert [name for name, package in locked.items() if "resolved" in package] == []
    assert [name for name, package in locked.items() if "integrity" not in package] == []
