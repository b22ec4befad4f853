"""Every command of the README, as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands.process import accepts, port_is_free
from commands.redis import RedisServer
from tests.jersey import FILE, require_data
from tests.waiting import until

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
KAFKA_PORT, HTTP, PUSH = 9092, "127.0.0.1:8600", "127.0.0.1:8700"
LIMIT_S = 120.0

SET_UP_ELSEWHERE = {
    "make demo": "tests/commands/test_demo.py starts and stops it; here it would run for ever",
    "make test": "it runs this",
    "export": "the addresses are this test's own",
    "milepost visits": "tests/commands/test_visits.py runs it, on files of its own",
}


def commands() -> list[str]:
    """The shell lines of the README's indented blocks, without their comments."""
    lines = re.findall(r"^    ((?:milepost|MILEPOST_\w+=|make|export) ?.*)$", README, re.MULTILINE)
    return [line.split("  #")[0].strip() for line in lines]


def blocks() -> tuple[list[str], list[str]]:
    """The commands of one's own recording, and those of one's own Kafka."""
    all_of_them = [c for c in commands() if not c.startswith(tuple(SET_UP_ELSEWHERE))]
    second = max(n for n, c in enumerate(all_of_them) if c == "milepost topics create")
    return all_of_them[:second], all_of_them[second:]


@contextmanager
def running(command: str, ready: Callable[[], object], env: dict[str, str]) -> Iterator[None]:
    """A command that runs until Ctrl-C; it must end that with exit code 0."""
    with subprocess.Popen(argv(command, env), env=env, cwd=ROOT) as process:
        try:
            until(lambda: process.poll() is not None or ready(), LIMIT_S)
            assert process.poll() is None, f"{command} ended with {process.returncode}"
            yield
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0


def argv(command: str, env: dict[str, str]) -> list[str]:
    """Its words, with settings before it put into `env`, and our own `milepost`."""
    words = shlex.split(command)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        env[name] = value
    assert words[0] == "milepost", command
    return [sys.executable, str(ROOT / "milepost.py"), *words[1:]]


def finish(command: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        argv(command, env), env=env, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def is_ready(address: str = HTTP) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=2) as said:
            return bool(said.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def test_every_command_is_known() -> None:
    for command in commands():
        assert command.startswith(("milepost ", "MILEPOST_CLOCK=", *SET_UP_ELSEWHERE)), command


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("kafka")
def test_the_commands_of_the_readme_work_one_after_the_other(redis_server: RedisServer) -> None:
    require_data()
    for port in (KAFKA_PORT, *(int(address.rpartition(":")[2]) for address in (HTTP, PUSH))):
        assert port_is_free(port), f"the README's port {port} is in use on this machine"
    env = dict(
        os.environ,
        MILEPOST_REDIS=f"{redis_server.url.rpartition('/')[0]}/9",
        MILEPOST_TOKEN_SECRET="s" * 32,
    )
    (kafka, create, worker, replay), own = blocks()
    with running(kafka, lambda: accepts(KAFKA_PORT), dict(env)):
        finish(create, dict(env))
        with running(worker, is_ready, dict(env)):
            said = finish(replay.replace("pings.jsonl.gz", str(FILE)), dict(env))
            assert "198,075" in said
        for command in own:
            if " worker " in command:
                with running(command, is_ready, dict(env)):
                    pass
            elif command == "milepost push":
                with running(command, lambda: is_ready(PUSH), dict(env)):
                    pass
            else:
                finish(command, dict(env))
