"""requirements.lock: exact, with hashes, and naming no place to fetch from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text()


def test_the_lock_names_no_address() -> None:
    assert re.findall(r"://|--(?:extra-)?index-url|--find-links|--trusted-host", LOCK) == []


def test_every_locked_package_is_exact_and_hashed() -> None:
    entries = LOCK.replace("\\\n", "").splitlines()
    wrong = [entry for entry in entries if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", entry)]
    assert [entry for entry in wrong if entry and not entry.startswith("#")] == []


def test_the_lock_has_every_requirement_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[\[>=]", requirement)[0] for requirement in wanted}
    locked = set(re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE))
    assert names - locked == set()
