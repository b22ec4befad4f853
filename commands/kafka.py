"""One Apache Kafka node on this machine: the real broker, by Maven, for development and tests.

`deploy/kafka/pom.xml` names the version; the jars are copied once to a cache directory. The node is
broker and controller in one (KRaft), listens on loopback only and keeps its files in one directory.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from xml.etree import ElementTree

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from commands.process import (
    LOOPBACK,
    CannotStart,
    Missing,
    Progress,
    Server,
    accepts,
    free_port,
    quiet,
    terminate_is_interrupt,
)

POM = Path(__file__).resolve().parent.parent / "deploy" / "kafka" / "pom.xml"
JAVA_NEEDED = 17  # Kafka 4 brokers run on nothing older

# One node, so nothing is replicated; few internal partitions, because each costs files and start-up
# time; sessions may be short, because tests wait for them to run out: those of consumers, and the
# broker's own with its controller, for which a start after a kill waits.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
num.network.threads=2
num.io.threads=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
"""
_LOG4J = """\
status = error
appender.file.type = File
appender.file.name = file
appender.file.fileName = {log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %-5p %c{{1}}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
"""


class KafkaServer(Server):
    """A broker on loopback. Without `directory` its files are temporary and go with `close`."""

    name = "kafka"
    needs_s = 120.0

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def _command(self, progress: Progress) -> list[str]:
        java = find_java()
        jars = kafka_jars(progress)
        properties, log4j = self._configure()
        base = [java, "-Xmx512m", f"-Dlog4j2.configurationFile={log4j}", "-cp", f"{jars}/*"]
        if not (self.directory / "data" / "meta.properties").exists():
            self._format([*base, "kafka.tools.StorageTool", "format", "-c", str(properties)])
        return [*base, "kafka.Kafka", str(properties)]

    def _configure(self) -> tuple[Path, Path]:
        properties = self.directory / "server.properties"
        log4j = self.directory / "log4j2.properties"
        data = self.directory / "data"
        properties.write_text(
            _PROPERTIES.format(host=LOOPBACK, port=self.port, controller=free_port(), data=data)
        )
        log4j.write_text(_LOG4J.format(log=self.log))
        return properties, log4j

    def _format(self, tool: list[str]) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = [*tool, f"--cluster-id={cluster}"]  # with "=", for it may begin with a dash
        done = subprocess.run(tool, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotStart(f"Kafka could not format {self.directory}: {_tail(done)}")

    def _answers(self) -> bool:
        if not accepts(self.port):
            return False
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            return bool(admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return False


def find_java() -> str:
    """The path of a Java that runs Kafka. Raises CannotStart."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if not java:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        raise Missing(
            f"no java {where}: Kafka needs Java {JAVA_NEEDED} or newer; "
            "install it (Debian: apt-get install default-jre-headless)"
        )
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = java_major(said)
    if version < JAVA_NEEDED:
        raise Missing(
            f"{java} is Java {version}, Kafka needs {JAVA_NEEDED} or newer; "
            "install one and point JAVA_HOME at it"
        )
    return java


def java_major(said: str) -> int:
    """The major number in what `java -version` prints; 0 if there is none."""
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0


def kafka_version() -> str:
    """What deploy/kafka/pom.xml asks for."""
    version = ElementTree.parse(POM).findtext("properties/kafka.version")
    assert version, f"{POM} names no kafka.version"
    return version


def kafka_jars(progress: Progress = quiet) -> Path:
    """The directory with Kafka's jars, filled by Maven at the first call. Raises CannotStart.

    The directory appears whole or not at all, and two processes do not fill it at once.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "milepost"
    jars = cache / f"kafka-{kafka_version()}"
    if jars.exists():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{jars.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.exists():
            progress(f"fetching Apache Kafka {kafka_version()} with Maven (once, about 45 MB)")
            _fetch(jars)
    return jars


def _fetch(jars: Path) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise Missing(
            "no mvn on the PATH: Maven brings Kafka's jars; "
            "install it (Debian: apt-get install maven)"
        )
    with tempfile.TemporaryDirectory(prefix=f"{jars.name}-", dir=jars.parent) as half:
        command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
        options = [f"-DoutputDirectory={half}/jars", "-DincludeScope=runtime"]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotStart(f"Maven could not bring Kafka's jars: {_tail(done)}")
        os.rename(f"{half}/jars", jars)


def _tail(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-6:])


def kafka(directory: Path | None, port: int, say: Progress) -> None:
    """`milepost kafka`: run a broker until Ctrl-C or SIGTERM. Raises CannotStart."""
    terminate_is_interrupt()
    server = KafkaServer(directory, port=port)
    try:
        server.start(say)
        say(f"Apache Kafka {kafka_version()} answers on {server.bootstrap}")
        say(
            f"its files are in {server.directory}" + ("" if directory else ", and go when it stops")
        )
        say(f"point Milepost at it: export MILEPOST_BROKERS={server.bootstrap}")
        say("then: milepost topics create. Ctrl-C stops it.")
        server.wait()
    except KeyboardInterrupt:
        say("stopping")
    finally:
        server.close()
