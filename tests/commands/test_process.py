from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from commands.process import LOOPBACK, CannotStart, Progress, Server, free_port

START_AND_SLEEP = """
import sys, time
from commands.redis import RedisServer
server = RedisServer()
server.start()
print(server._process.pid, server.directory, flush=True)
time.sleep(600)
"""


class Script(Server):
    """A "server" that is a shell script and never answers."""

    name = "script"
    needs_s = 0.3

    def __init__(self, script: str, directory: Path, *, port: int = 0) -> None:
        super().__init__(directory, port=port)
        self.script = script

    def _command(self, progress: Progress) -> list[str]:
        return ["/bin/sh", "-c", self.script]

    def _answers(self) -> bool:
        return False


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    assert all(1024 < free_port() < 32768 for _ in range(20))


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, free_port())) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"port {port} is in use"):
            Script("true", tmp_path, port=port).start()


def test_a_server_that_ends_at_once_shows_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no such disk$"):
        Script("echo starting; echo no such disk", tmp_path).start()


def test_a_server_that_never_answers_is_ended(tmp_path: Path) -> None:
    server = Script("echo thinking; exec sleep 600", tmp_path)
    with pytest.raises(CannotStart, match="thinking$"):
        server.start()
    assert not server.running


def test_a_kept_directory_stays_and_a_temporary_one_goes(tmp_path: Path) -> None:
    kept = Script("true", tmp_path)
    kept.close()
    temporary = Script("true", tmp_path)
    temporary._temporary = True
    assert tmp_path.exists()
    temporary.close()
    assert not tmp_path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_server_ends_when_its_parent_is_killed() -> None:
    command = [sys.executable, "-c", START_AND_SLEEP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid, directory = parent.stdout.readline().split()
        server = psutil.Process(int(pid))
        os.kill(parent.pid, signal.SIGKILL)
    psutil.wait_procs([server], timeout=10)
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    for file in Path(directory).iterdir():
        file.unlink()
    Path(directory).rmdir()
