"""Server processes of our own: started so that they end with us, and stopped for certain.

A child is started through a few lines of Python that ask Linux to kill it when its parent dies
(PR_SET_PDEATHSIG) and then become the server. A `preexec_fn` would do the same but may deadlock in
a process with threads. Two things to know: the kernel counts the *thread* that started the child
as the parent, so start servers from a thread that stays (the main one); and outside Linux there is
no such request, so there a server outlives a parent that is killed by force, though not one that
ends. A parent killed by force also leaves its temporary directory behind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
# Below Linux's ephemeral range (32768 up): a restarted server must find its port again, and no
# client's outgoing connection, not even its own retry to this very port, may have taken it.
PORTS = range(10240, 32768)

_BECOME = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the parent died first")
os.execv(sys.argv[2], sys.argv[2:])
"""

Progress = Callable[[str], None]


class CannotStart(Exception):
    """A server does not start; the text says why and what to do."""


class Missing(CannotStart):
    """A program it needs is not on this machine."""


def quiet(_: str) -> None:
    """A `Progress` for callers that want none."""


class Server(ABC):
    """A server on loopback and its directory; without `directory` its files are temporary."""

    name: str
    needs_s = 30.0
    """How long to wait for its first answer, and for a clean end."""

    def __init__(self, directory: Path | None = None, *, port: int = 0) -> None:
        """`port` 0 takes a free one at the first start and keeps it."""
        self._temporary = directory is None
        made = directory or Path(tempfile.mkdtemp(prefix=f"milepost-{self.name}-"))
        self.directory = made.resolve()
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _command(self, progress: Progress) -> list[str]:
        """Prepare what it needs (its files stand in `directory`) and say how to run it."""

    @abstractmethod
    def _answers(self) -> bool: ...

    def _environment(self) -> Mapping[str, str]:
        """Not on the command line, which everybody on the machine can read."""
        return os.environ

    @property
    def log(self) -> Path:
        return self.directory / f"{self.name}.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self, progress: Progress = quiet) -> None:
        """Start it and return once it answers. Raises CannotStart."""
        self.port = self.port or free_port()
        if not port_is_free(self.port):
            raise CannotStart(f"port {self.port} is in use: stop what uses it or choose another")
        self.directory.mkdir(parents=True, exist_ok=True)
        command = self._command(progress)
        progress(f"starting {self.name}")
        self._process = _spawn(command, self._environment(), log=self.log, cwd=self.directory)
        if not wait_until(self._answers, self._process, within_s=self.needs_s):
            self.kill9()
            raise CannotStart(
                f"{self.name} did not start; the end of {self.log}:\n{last_lines(self.log)}"
            )

    def wait(self) -> None:
        """Until it ends by itself. Raises CannotStart, for then something is wrong."""
        if self._process:
            self._process.wait()
            raise CannotStart(f"{self.name} ended; the end of {self.log}:\n{last_lines(self.log)}")

    def stop(self) -> None:
        """A clean end by SIGTERM, or by SIGKILL when it takes too long."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self.needs_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self.kill9()

    def kill9(self) -> None:
        """The end that a power cut gives."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self, progress: Progress = quiet) -> None:
        """Stop it if it runs, and start it again on the same port and files."""
        self.stop()
        self.start(progress)

    def close(self) -> None:
        """Stop it and remove its files if they are temporary."""
        if self._temporary:
            self.kill9()
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            self.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def free_port() -> int:
    """A loopback port that nothing listens on just now."""
    for port in random.sample(PORTS, 200):
        if port_is_free(port):
            return port
    raise CannotStart("no free port on 127.0.0.1 among 200 tried: stop some servers")


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Whether something takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _spawn(
    argv: Sequence[str], environ: Mapping[str, str], *, log: Path, cwd: Path
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that a Ctrl-C reaches us alone and we stop it."""
    become = [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), *argv]
    with log.open("ab") as output:
        return subprocess.Popen(
            become,
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], *, within_s: float
) -> bool:
    """Poll until `ready`; False once the process has ended or the time is up."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and process.poll() is None:
        if ready():
            return True
        time.sleep(0.05)
    return False


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for an error's text."""
    if not log.exists():
        return "(it logged nothing)"
    lines = log.read_text(errors="replace").splitlines()[-count:]
    return "\n".join(lines) or "(it logged nothing)"


def terminate_is_interrupt() -> None:
    """Let SIGTERM end this process as Ctrl-C does: servers are stopped, files removed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
