from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from commands.options import with_settings
from commands.process import free_port
from milepost import app
from stream.config import Settings

COMMANDS = [
    *(
        "demo",
        "simulate",
        "replay",
        "visits",
        "watch",
        "kafka",
        "worker",
        "push",
        "token",
        "rejected",
        "doctor",
    ),
    *("topics create", "topics check", "topics list"),
]


def milepost(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
    command = [sys.executable, "-m", "milepost", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=clean | environ)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert (result.exit_code, "Usage" in result.output) == (0, True)


def test_an_option_goes_over_the_environment_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Settings] = []
    probe = typer.Typer()
    probe.command()(with_settings("brokers", "topic_prefix", "partitions")(seen.append))
    monkeypatch.setenv("MILEPOST_TOPIC_PREFIX", "from.environment.")
    monkeypatch.setenv("MILEPOST_BROKERS", "hidden:1")
    assert CliRunner().invoke(probe, ["--brokers", "given:2"]).exit_code == 0
    assert seen == [Settings(brokers="given:2", topic_prefix="from.environment.", partitions=8)]


def test_a_wrong_setting_is_one_sentence_and_exit_code_2() -> None:
    result = milepost("topics", "list", MILEPOST_PARTITIONS="many")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("milepost: a MILEPOST_* setting is wrong")
    assert result.stderr.count("\n") == 1


def test_a_port_in_use_is_one_sentence_and_exit_code_2(settings: Settings) -> None:
    port = settings.brokers.split(":")[1]
    result = milepost("kafka", "--port", port)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"milepost: port {port} is in use")


def test_an_absent_broker_is_one_sentence_and_exit_code_2() -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    result = milepost("topics", "check", "--brokers", nowhere)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"milepost: no Kafka broker answers at {nowhere}")


def test_topics_are_created_and_checked(settings: Settings) -> None:
    where = ["--brokers", settings.brokers, "--topic-prefix", settings.topic_prefix]
    before = milepost("topics", "check", *where)
    created = milepost("topics", "create", *where)
    after = milepost("topics", "check", *where)
    assert (before.returncode, created.returncode, after.returncode) == (1, 0, 0)
    assert before.stdout.endswith("run `milepost topics create`\n")
    assert f"created {settings.topic('gps.pings')}\n" in created.stdout


def test_the_doctor_says_by_its_exit_code_that_something_is_bad(settings: Settings) -> None:
    where = ["--brokers", settings.brokers, "--topic-prefix", settings.topic_prefix]
    result = milepost("doctor", *where, "--redis", settings.redis)
    assert (result.returncode, "missing:" in result.stdout) == (1, True)
