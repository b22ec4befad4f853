"""An installation of its own on a real broker: topics, Redis, and workers to be ill-treated."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
import uuid
from collections.abc import Callable
from typing import Self

from msgspec.structs import replace

from commands import topics
from commands.board import Sample, parse_metrics, total
from commands.kafka import KafkaServer
from commands.process import LOOPBACK, CannotStart, free_port, last_lines
from commands.processes import WorkerProcess
from commands.redis import RedisServer
from stream.config import Settings

PARTITIONS = 4
ROLES = ("vehicles", "orders", "alerts")
SESSION_S = 6.0
"""The shortest a Kafka broker allows by default, so that the dead are soon declared dead."""

TAKEN = ("pings", "order_events", "plans", "order_facts", "signals")
"""Counters that together say how many messages a worker has taken in."""


class Worker(WorkerProcess):
    """`milepost worker` as a process that can be stopped in every way there is."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(replace(settings, http=f"{LOOPBACK}:{free_port()}"))

    def freeze(self) -> None:
        """What a long pause of the machine is to a process."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def ended(self) -> int:
        """Wait for its end; gives the exit code."""
        assert self._process is not None, "it was started"
        code = self._process.wait(self.needs_s)
        self._process = None
        return code

    def metrics(self) -> Sample:
        """What it counts now; empty if it does not answer."""
        try:
            return parse_metrics(self._get("metrics"))
        except OSError:
            return {}

    def owned(self, role: str) -> float:
        """Partitions of the role that it owns and has loaded."""
        return total(self.metrics(), "milepost_partitions", role=role)

    def taken(self) -> int:
        """Messages taken in since it was started."""
        sample = self.metrics()
        return round(sum(total(sample, f"milepost_{name}") for name in TAKEN))

    def logged(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _answers(self) -> bool:
        """It serves before it owns anything: the group may need a session's length for that."""
        try:
            return bool(self._get("metrics"))
        except OSError:
            return False

    def _get(self, page: str) -> str:
        with urllib.request.urlopen(self.url(f"/{page}"), timeout=3) as said:
            return str(said.read(), "utf-8")


class Cluster:
    """Two workers on topics of their own; the broker is shared, everything else ends with the
    block."""

    def __init__(self, kafka: KafkaServer) -> None:
        name = f"c{uuid.uuid4().hex[:8]}"
        self.kafka = kafka
        self.redis = RedisServer()
        self.workers: list[Worker] = []
        self.taken_by_the_gone = 0
        """Messages that workers had taken in when they were last asked before their end."""
        self.settings = Settings(
            brokers=kafka.bootstrap,
            app=name,
            topic_prefix=f"{name}.",
            partitions=PARTITIONS,
            session_timeout_s=SESSION_S,
        )

    def __enter__(self) -> Self:
        try:
            self.redis.start()
            self.settings = replace(self.settings, redis=self.redis.url)
            topics.create(self.settings)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.redis.close()

    def add_worker(self) -> Worker:
        worker = Worker(self.settings)
        self.workers.append(worker)
        worker.start()
        return worker

    def stop(self, *workers: Worker) -> None:
        """By SIGTERM, all at once. Raises CannotStart if one does not end well."""
        self.taken_by_the_gone += sum(worker.taken() for worker in workers)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            if code := worker.ended():
                raise CannotStart(f"a worker told to end gave {code}\n{self.last_words()}")

    def remove(self, worker: Worker) -> None:
        worker.close()
        self.workers.remove(worker)

    def kill(self, worker: Worker) -> None:
        """By SIGKILL; `worker.start` brings it back."""
        self.taken_by_the_gone += worker.taken()
        worker.kill9()

    def taken(self) -> int:
        """Messages taken in by all workers so far, as far as they lived to tell."""
        return self.taken_by_the_gone + sum(worker.taken() for worker in self.workers)

    def owned(self) -> bool:
        """Every partition of every role is owned once and loaded, and each worker has some of
        each."""
        shares = [[worker.owned(role) for worker in self.workers] for role in ROLES]
        return all(min(share) > 0 and sum(share) == PARTITIONS for share in shares)

    def wait_for(self, condition: Callable[[], object], what: str, within_s: float = 90.0) -> None:
        """Poll until it holds. Raises CannotStart with the workers' last words."""
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                raise CannotStart(f"{what}: not within {within_s:.0f} s\n{self.last_words()}")
            time.sleep(0.1)

    def last_words(self) -> str:
        return "\n".join(f"{w.log}:\n{last_lines(w.log, 15)}" for w in self.workers)
