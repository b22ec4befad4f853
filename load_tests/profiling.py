"""Where a worker's time goes: py-spy's samples, grouped by what the time is for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from load_tests.contestants import Job, sample, worker
from stream.config import Settings

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("redis", ("stream/sink.py", "redis/", "stream/keys.py", "_row (agents/")),
    ("waiting", ("select (selectors",)),
    (
        "checkpoint",
        (
            "stream/store.py",
            "_encode (aiokafka/codec",
            "aiokafka/producer/",
            "take (stream/partition.py",
        ),
    ),
    ("step", ("geo/", "orders/", "alerts/")),
    ("decode", ("stream/wire.py", "stream/traccar.py")),
    ("publish", ("_publish (", "send (stream/", "answer (stream/", "partition_of (", "murmur2 (")),
    ("keep", ("stream/partition.py", "stream/timers.py", "stream/metrics.py", "agents/")),
    ("fetch", ("aiokafka/", "faust/", "mode/", "stream/bulk.py")),
    ("clockwork", ("stream/engine.py", "stream/http.py", "prometheus_client/", "aiohttp/")),
)
"""First match wins, looked for from the innermost frame outwards; other frames say nothing."""

TOP = 25


def group_of(stack: list[str]) -> str:
    """What the time of a stack of `function (file:line)`, outermost first, was spent for."""
    for frame in reversed(stack):
        for name, marks in GROUPS:
            if any(mark in frame for mark in marks):
                return name
    return "other"


def read_stacks(lines: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """Samples by group, and by innermost function, from py-spy's raw format."""
    groups, own = Counter[str](), Counter[str]()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        groups[group_of(frames)] += int(count)
        own[frames[-1].rpartition(":")[0] + ")"] += int(count)
    return groups, own


def print_profile(settings: Settings, job: Job, console: Console) -> None:
    """Run the worker under py-spy over the backlog; needs py-spy on the PATH."""
    spy = shutil.which("py-spy")
    if spy is None:
        console.print("py-spy is not installed: pip install py-spy")
        return
    with TemporaryDirectory() as folder:
        file = Path(folder) / "stacks"
        under = [spy, "record", "-r", "250", "-f", "raw", "-o", str(file), "--"]
        with worker(settings, job.role, under) as (process, port):
            deadline = time.monotonic() + job.limit_s
            while time.monotonic() < deadline:
                now = sample(process, port, job.counters)
                if now and now.taken >= job.total and not now.waiting:
                    break
                time.sleep(0.2)
            _end_child(process.pid)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
        groups, own = read_stacks(file.read_text().splitlines())
    console.print(_shares("what for", groups, len(groups)))
    console.print(_shares("own time of", own, TOP))


def _end_child(pid: int) -> None:
    """End what the profiler runs; it writes its file then."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        os.kill(int(child), signal.SIGTERM)


def _shares(heading: str, counts: Counter[str], limit: int) -> Table:
    shown = Table(box=SIMPLE)
    shown.add_column("share", justify="right")
    shown.add_column(heading)
    for name, count in counts.most_common(limit):
        shown.add_row(f"{count / counts.total():.1%}", name)
    return shown
