from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from commands.kafka import KafkaServer, find_java, java_major, kafka_jars, kafka_version
from commands.process import CannotStart, Missing

CALM = {"log_level": 0}


@pytest.fixture(scope="module")
def own(kafka: KafkaServer) -> Iterator[KafkaServer]:
    """A broker that may be killed; `kafka` tells whether this machine can run one."""
    with KafkaServer() as server:
        yield server


def keep(server: KafkaServer, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": server.bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)
    producer = Producer({"bootstrap.servers": server.bootstrap} | CALM)
    producer.produce(topic, b"kept")
    assert producer.flush(20) == 0


def kept(server: KafkaServer, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": topic} | CALM)
    consumer.assign([TopicPartition(topic, 0, 0)])
    record = consumer.poll(30)
    consumer.close()
    return record.value() if record else None


@pytest.mark.parametrize("killed", [False, True])
def test_a_restarted_broker_has_its_port_and_its_records(own: KafkaServer, killed: bool) -> None:
    topic, before = f"kept-{killed}", own.bootstrap
    keep(own, topic)
    if killed:
        own.kill9()
    own.restart()
    assert (own.bootstrap, kept(own, topic)) == (before, b"kept")


def test_topics_are_not_made_by_accident(kafka: KafkaServer) -> None:
    client = Producer({"bootstrap.servers": kafka.bootstrap} | CALM)
    assert client.list_topics("typo", timeout=10).topics["typo"].error is not None


def test_the_command_serves_until_interrupted_and_leaves_nothing(kafka: KafkaServer) -> None:
    command = [sys.executable, "-m", "milepost", "kafka", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        said = ""
        while "Ctrl-C stops it" not in said:
            line = running.stdout.readline()
            assert line, said
            said += line
        address = re.search(r"MILEPOST_BROKERS=(\S+)", said)
        directory = re.search(r"files are in (\S+?),", said)
        assert address
        assert directory
        assert AdminClient({"bootstrap.servers": address[1]}).list_topics(timeout=10).brokers
        running.send_signal(signal.SIGINT)
        assert running.stdout.read() == "stopping\n"
    assert (running.returncode, Path(directory[1]).exists()) == (0, False)


@pytest.mark.parametrize(
    ("said", "major"),
    [
        pytest.param('openjdk version "17.0.15" 2025-04-15', 17, id="today"),
        pytest.param('java version "1.8.0_392"', 8, id="as it was until Java 8"),
        pytest.param('openjdk version "24" 2025-03-18', 24, id="a first release"),
        pytest.param("command failed", 0, id="none"),
    ],
)
def test_the_java_release_is_read(said: str, major: int) -> None:
    assert java_major(said) == major


def program(directory: Path, name: str, script: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_missing_java_is_said_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="apt-get install default-jre-headless"):
        find_java()


def test_a_java_home_without_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(Missing, match=re.escape(f"JAVA_HOME ({tmp_path})")):
        find_java()


def test_an_old_java_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin", "java", "echo 'version \"11.0.2\"' >&2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(Missing, match="is Java 11, Kafka needs 17 or newer"):
        find_java()


def test_a_missing_maven_is_said_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="apt-get install maven"):
        kafka_jars()


def test_a_failing_maven_is_quoted_and_leaves_no_half_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path / "bin", "mvn", "echo 'no way out of this network'; exit 1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.defpath}")
    with pytest.raises(CannotStart, match="no way out of this network$"):
        kafka_jars()
    left = {path.name for path in (tmp_path / "milepost").iterdir()}
    assert left == {f"kafka-{kafka_version()}.lock"}


def test_the_jars_are_brought_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bring = 'for a; do case $a in *Directory=*) mkdir "${a#*=}";; esac; done'
    program(tmp_path / "bin", "mvn", f"echo >>{tmp_path}/calls; {bring}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.defpath}")
    assert kafka_jars() == kafka_jars() == tmp_path / "milepost" / f"kafka-{kafka_version()}"
    assert (tmp_path / "calls").read_text() == "\n"
