"""deploy/compose.yml by hand: each service as the process its container would run, on loopback.

What differs from the containers stands here: addresses and directories.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import redis

from commands.kafka import KafkaServer
from commands.process import LOOPBACK, Progress, Server, free_port
from commands.processes import PROGRAM
from commands.redis import RedisServer, find_redis
from tests.deploy.programs import DEPLOY, load

FILE = DEPLOY / "compose.yml"
COMPOSE: dict[str, Any] = load(FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("topics", "vehicles", "orders", "alerts", "push")
GIVEN = {"MILEPOST_TOKEN_SECRET": "a secret of the tests, 32 bytes or more"}
"""What deploy/.env holds."""

NOT_BROKER = {"KAFKA_HEAP_OPTS"}
"""Variables of the image that are no broker settings."""


def environment(service: str) -> dict[str, str]:
    """A service's variables, with those of .env put in."""
    given = SERVICES[service].get("environment", {})
    return {name: interpolated(str(value), GIVEN) for name, value in given.items()}


def interpolated(text: str, given: Mapping[str, str]) -> str:
    """`${NAME:-default}` and `${NAME:?what is wrong}`, as compose reads them."""

    def put(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if given.get(name):
            return given[name]
        assert kind == ":-", f"{name} {rest}"
        return rest

    return re.sub(r"\$\{(\w+)(:-|:\?)([^}]*)\}", put, text)


def mounted(service: str) -> dict[str, str]:
    """Paths in the container of what lies beside the file, and where it lies."""
    volumes = (volume.split(":") for volume in SERVICES[service].get("volumes", ()))
    return {
        inside: str((DEPLOY / here).resolve()) for here, inside, *_ in volumes if here[0] == "."
    }


def broker_properties() -> dict[str, str]:
    """As the image makes them of its variables: KAFKA_NODE_ID is node.id."""
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in environment("kafka").items()
        if name.startswith("KAFKA_") and name not in NOT_BROKER
    }


class Kafka(KafkaServer):
    def _configure(self) -> tuple[Path, Path]:
        properties, log4j = super()._configure()
        here = {"9092": self.port, "9093": free_port(), "9094": free_port()}
        given = broker_properties() | {"log.dirs": str(self.directory / "data")}
        for name in ("listeners", "advertised.listeners", "controller.quorum.voters"):
            for port, ours in here.items():
                address = rf"(kafka|{LOOPBACK})?:{port}\b"
                given[name] = re.sub(address, f"{LOOPBACK}:{ours}", given[name])
        properties.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        return properties, log4j


class Redis(RedisServer):
    def _command(self, progress: Progress) -> list[str]:
        _, *options = SERVICES["redis"]["command"]
        here = ["--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.directory)]
        return [find_redis(), *options, *here]

    def config(self, name: str) -> str:
        with redis.Redis(port=self.port, decode_responses=True) as client:
            return str(client.config_get(name)[name])


class Service(Server):
    """One of our own, started by its command and its variables."""

    needs_s = 60.0

    def __init__(self, service: str, kafka: Kafka, redis_server: Redis) -> None:
        self.name = service
        super().__init__()
        self._addresses = {
            "kafka:9092": kafka.bootstrap,
            "redis://redis:6379/0": redis_server.url,
            **mounted(service),
        }

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def settings(self) -> dict[str, str]:
        """Its variables, as they are here."""
        return {k: self._here(v) for k, v in environment(self.name).items()}

    def _command(self, progress: Progress) -> list[str]:
        return [sys.executable, str(PROGRAM), *SERVICES[self.name]["command"]]

    def _environment(self) -> Mapping[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
        return inherited | self.settings()

    def _here(self, value: str) -> str:
        return self._addresses.get(value, re.sub(r"^0\.0\.0\.0:\d+$", self.address, value))

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10) as said:
            return str(said.read().decode())

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/readyz", timeout=2) as said:
                return bool(said.status == 200)
        except OSError:
            return False

    def run(self, *command: str) -> tuple[int, str]:
        """Its program with another command, to its end."""
        done = subprocess.run(
            [sys.executable, str(PROGRAM), *command],
            env=dict(self._environment()),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def healthy(self) -> bool:
        """What the container's health check says."""
        how, program, *arguments = SERVICES[self.name]["healthcheck"]["test"]
        assert (how, program) == ("CMD", "python")
        arguments = [re.sub(r"127\.0\.0\.1:\d+", self.address, a) for a in arguments]
        done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
        return done.returncode == 0

    def leftovers(self) -> Sequence[str]:
        """Files it wrote beside its log: the container's are read-only."""
        return sorted(p.name for p in self.directory.iterdir() if p != self.log)
