"""Contestants as processes: peers that tell what they did, and Milepost's worker, asked from
outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
from msgspec import Struct

from commands.process import LOOPBACK, free_port
from load_tests.bench import Absent, Measured
from load_tests.peers.task import Done, Task
from stream.config import Settings

ROOT = Path(__file__).resolve().parent.parent
FIRST_POLL_S, POLL_S = 0.05, 0.2
START_S = 60.0
"""For a contestant to start, join its group and see the first record."""
AFTER_S = 30.0
"""For the worker to save and show what it has done."""
STOP_S = 20.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

_CELL = re.compile(rb"^milepost_(\w+?)(?:_total)?(?:\{.*\})? ([0-9.e+-]+)$", re.MULTILINE)


def run_peer(python: str, module: str, what: Sequence[str], task: Task) -> Measured | Absent:
    """Run `load_tests.peers.MODULE` to its end or its time limit."""
    argv = [python, "-m", f"load_tests.peers.{module}", msgspec.json.encode(task).decode(), *what]
    try:
        ended = subprocess.run(
            argv, cwd=ROOT, capture_output=True, timeout=START_S + task.limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        return Absent(f"no record within {START_S:.0f} s")
    try:
        done = msgspec.json.decode(ended.stdout.splitlines()[-1], type=Done)
    except (IndexError, msgspec.DecodeError):
        return Absent(_why(ended.stderr.decode(errors="replace")))
    return Measured(done.records, done.seconds, done.cpu_s, task.total)


def _why(said: str) -> str:
    missing = re.search(r"No module named '(\w+)", said)
    if missing:
        return f"{missing[1]} is not installed: pip install -e .[peers]"
    lines = said.strip().splitlines()
    return f"failed: {lines[-1][:200] if lines else 'it said nothing'}"


class Job(Struct, frozen=True):
    """What the worker is to do: `counters` are the metrics that count its input."""

    role: str
    counters: tuple[str, ...]
    total: int
    limit_s: float


def run_worker(settings: Settings, job: Job) -> Measured | Absent:
    """Run `milepost worker` until it has taken in, saved and shown everything, or its time is up.

    Seconds go from the last look at which it had taken in nothing to the last record. What is left
    to save and to show then is added as the CPU seconds it takes, because most of its time is
    waiting for the interval.
    """
    with worker(settings, job.role) as (process, port):
        first = _before_the_first(process, port, job)
        if first is None:
            return Absent("the worker took in nothing")
        last = _until(process, port, job, job.total, job.limit_s)
        if not last or last.taken == first.taken:
            return Absent("the worker ended or stood still")
        rest_s = 0.0
        if last.taken >= job.total:
            rest_s = _until_saved(process, port, job).cpu_s - last.cpu_s
    return Measured(
        last.taken - first.taken,
        last.at - first.at + rest_s,
        last.cpu_s - first.cpu_s + rest_s,
        job.total,
    )


@contextmanager
def worker(
    settings: Settings, role: str, under: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A running `milepost worker` and the port of its metrics; `under` is a profiler's command."""
    port = free_port()
    given = msgspec.to_builtins(msgspec.structs.replace(settings, http=f"{LOOPBACK}:{port}"))
    environ = {f"MILEPOST_{name.upper()}": str(value) for name, value in given.items()}
    argv = [*under, sys.executable, str(ROOT / "milepost.py"), "worker", "--role", role]
    with TemporaryFile() as log:
        process = subprocess.Popen(
            argv, env={**os.environ, **environ}, cwd=ROOT, stdout=log, stderr=log
        )
        try:
            yield process, port
        finally:
            _end(process, log)


def _end(process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.returncode:
        log.seek(0)
        sys.stderr.write(log.read().decode(errors="replace")[-3000:])


class Sample(Struct, frozen=True):
    at: float
    taken: int
    cpu_s: float
    waiting: int
    """Outputs, states and Redis keys that are still to be written."""


def sample(process: subprocess.Popen[bytes], port: int, counters: Sequence[str]) -> Sample | None:
    """What the worker says of itself now; None while it does not answer."""
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
            text = answer.read()
    except (URLError, OSError):
        return None
    cells: dict[str, float] = {}
    for name, value in _CELL.findall(text):
        cells[name.decode()] = cells.get(name.decode(), 0.0) + float(value)
    taken = sum(cells.get(name, 0.0) for name in counters)
    waiting = cells.get("checkpoint_held", 0.0) + cells.get("redis_waiting", 0.0)
    return Sample(time.perf_counter(), int(taken), cpu_seconds(process.pid), int(waiting))


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its threads so far, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _before_the_first(process: subprocess.Popen[bytes], port: int, job: Job) -> Sample | None:
    """The last sample with nothing taken in."""
    idle: Sample | None = None
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        now = sample(process, port, job.counters)
        if now and now.taken:
            return idle
        idle = now or idle
        time.sleep(FIRST_POLL_S)
    return None


def _until(
    process: subprocess.Popen[bytes], port: int, job: Job, enough: int, within_s: float
) -> Sample | None:
    """The first sample with `enough` taken in, or the last one within the time."""
    last: Sample | None = None
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and process.poll() is None:
        last = sample(process, port, job.counters) or last
        if last and last.taken >= enough:
            break
        time.sleep(POLL_S)
    return last


def _until_saved(process: subprocess.Popen[bytes], port: int, job: Job) -> Sample:
    deadline = time.monotonic() + AFTER_S
    while time.monotonic() < deadline:
        now = sample(process, port, job.counters)
        if now and not now.waiting:
            return now
        time.sleep(POLL_S)
    raise TimeoutError(f"the worker did not save and show everything within {AFTER_S:.0f} s")
