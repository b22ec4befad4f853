"""Prometheus's own programs, and the files they are to judge."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
RULES = [ROOT / "alerts" / "prometheus" / name for name in ("recording.yml", "alerts.yml")]

PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}


def program(name: str) -> str:
    """Where it is; skips the test where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}: apt-get install {PACKAGES[name]}")
    return found


def run(name: str, *arguments: object, stdin: str = "") -> tuple[int, str]:
    """Exit code, and all it said."""
    done = subprocess.run(
        [program(name), *map(str, arguments)],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def groups() -> list[dict[str, Any]]:
    """Every rule group, in the order in which they build on each other."""
    return [group for file in RULES for group in load(file)["groups"]]


def alert_rules() -> dict[str, dict[str, Any]]:
    rules = [rule for group in groups() for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


def record_rules() -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group["rules"] if "record" in rule]
