"""Servers that push statuses to customers, as processes: ours, and peers that do the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from commands.process import Missing, Progress, Server, accepts, free_port
from commands.processes import PushProcess
from load_tests.bench import OURS
from load_tests.contestants import ROOT
from load_tests.peers.push_task import PushTask
from stream.config import Settings

NODE_PEER = ROOT / "load_tests" / "peers" / "push_ws"
NPM_S = 120.0


class Peer(Server):
    """A program that is told its task as JSON on the command line."""

    needs_s = 20.0

    def __init__(self, name: str, settings: Settings, program: Callable[[], list[str]]) -> None:
        self.name = name
        super().__init__(port=free_port())
        self._program = program
        self._settings = settings

    def _command(self, progress: Progress) -> list[str]:
        given = self._settings
        task = PushTask(given.redis, given.partitions, self.port, given.token_secret)
        return [*self._program(), msgspec.json.encode(task).decode()]

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT)}

    def _answers(self) -> bool:
        return accepts(self.port)


def pushers(settings: Settings) -> dict[str, Callable[[], PushProcess | Peer]]:
    """By name, what makes the server; it is not started."""
    return {
        "ceiling": lambda: Peer("ceiling", settings, _python("push_ceiling")),
        OURS: lambda: PushProcess(settings),
        "aiohttp": lambda: Peer("aiohttp", settings, _python("push_aiohttp")),
        "node ws": lambda: Peer("node ws", settings, _node),
    }


def _python(module: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-m", f"load_tests.peers.{module}"]


def _node() -> list[str]:
    """Raises Missing without Node, or if its packages cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Missing("node and npm are not on the PATH: install Node 20 or newer")
    if not (NODE_PEER / "node_modules").exists():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        got = subprocess.run(
            command, cwd=NODE_PEER, capture_output=True, text=True, timeout=NPM_S, check=False
        )
        if got.returncode:
            raise Missing(f"npm ci in {NODE_PEER} failed: {got.stderr.strip()[-200:]}")
    return [node, str(NODE_PEER / "server.mjs")]


def pin(pid: int, cpu: int) -> None:
    """Let a process, with all its threads, run on one CPU only."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {cpu})


def resident_bytes(pid: int) -> int:
    """Of a process's memory, what is in RAM."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
