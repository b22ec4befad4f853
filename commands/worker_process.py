"""A worker as a process of its own: for the demo and for tests."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path

import msgspec

from commands.process import Progress, Server
from stream.config import Settings


class WorkerProcess(Server):
    """`milepost worker` with these settings and none of the environment's. It dies with us."""

    name = "worker"
    needs_s = 60.0

    def __init__(self, settings: Settings, role: str = "all") -> None:
        """`settings.http` may name port 0: then a free one is taken, and kept over restarts."""
        host, _, port = settings.http.rpartition(":")
        super().__init__(port=int(port))
        self._settings = settings
        self._host = host
        self._role = role

    @property
    def metrics_url(self) -> str:
        return f"http://{self._host}:{self.port}/metrics"

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def _command(self, progress: Progress) -> list[str]:
        settings = msgspec.structs.replace(self._settings, http=f"{self._host}:{self.port}")
        given = [
            f"MILEPOST_{name.upper()}={value}"
            for name, value in msgspec.structs.asdict(settings).items()
        ]
        program = Path(__file__).resolve().parent.parent / "milepost.py"
        return [
            "/usr/bin/env",
            *given,
            sys.executable,
            str(program),
            "worker",
            "--role",
            self._role,
        ]

    def _answers(self) -> bool:
        url = f"http://{self._host}:{self.port}/readyz"
        try:
            with urllib.request.urlopen(url, timeout=2) as said:
                return bool(said.status == 200)
        except (urllib.error.URLError, OSError):
            return False
