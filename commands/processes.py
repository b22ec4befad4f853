"""A worker and a push server as processes of their own: for the demo and for tests."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from commands.process import Progress, Server
from stream.config import Settings

PROGRAM = Path(__file__).resolve().parent.parent / "milepost.py"


def environment(settings: Settings) -> Mapping[str, str]:
    """This process's, with these settings and no others."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
    given = msgspec.structs.asdict(settings).items()
    return inherited | {f"MILEPOST_{name.upper()}": str(value) for name, value in given}


class _Milepost(Server):
    """A command of ours that serves HTTP. It dies with us."""

    needs_s = 60.0

    def __init__(self, settings: Settings, address: str) -> None:
        """`address` may name port 0: then a free one is taken, and kept over restarts."""
        self.host, _, port = address.rpartition(":")
        super().__init__(port=int(port))
        self._settings = settings

    def url(self, path: str) -> str:
        return f"http://{self.host}:{self.port}{path}"

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url("/readyz"), timeout=2) as said:
                return bool(said.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class WorkerProcess(_Milepost):
    """`milepost worker` with these settings and none of the environment's."""

    name = "worker"

    def __init__(self, settings: Settings, role: str = "all") -> None:
        super().__init__(settings, settings.http)
        self._role = role

    @property
    def metrics_url(self) -> str:
        return self.url("/metrics")

    def _command(self, progress: Progress) -> list[str]:
        return [sys.executable, str(PROGRAM), "worker", "--role", self._role]

    def _environment(self) -> Mapping[str, str]:
        # It has no use for the secret.
        http = f"{self.host}:{self.port}"
        return environment(replace(self._settings, http=http, token_secret=""))


class PushProcess(_Milepost):
    """`milepost push` with these settings and none of the environment's."""

    name = "push"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, settings.push)

    def _command(self, progress: Progress) -> list[str]:
        return [sys.executable, str(PROGRAM), "push"]

    def _environment(self) -> Mapping[str, str]:
        return environment(replace(self._settings, push=f"{self.host}:{self.port}"))
