"""The demo as a user runs it: a process of its own with its own temporary directory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

SMALL = ("--no-view", "--port", "0", "--vehicles", "20", "--orders", "60")
PROGRAM = Path(__file__).resolve().parents[2] / "milepost.py"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A small demo that has begun to show statuses."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "demo", *SMALL],
        env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def until(process: subprocess.Popen[str], words: str) -> str:
    """What the demo has said when it says `words`."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"the demo ended without {words!r}:\n{said}")


def test_ctrl_c_stops_everything_and_leaves_no_process_and_no_file(
    demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    said = until(demo, "orders open")
    children = psutil.Process(demo.pid).children(recursive=True)
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=60)
    assert "the embedded broker keeps nothing" in said
    assert "stopping" in rest
    assert demo.returncode == 0
    assert len(children) >= 2
    assert [c for c in children if c.is_running()] == []
    assert list(tmp_path.iterdir()) == []


def test_children_die_with_a_demo_that_is_killed(demo: subprocess.Popen[str]) -> None:
    until(demo, "pings/s")
    children = psutil.Process(demo.pid).children(recursive=True)
    demo.kill()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert (len(children) >= 2, alive) == (True, [])
