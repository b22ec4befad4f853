"""What can happen to an installation. Each is a block: it has happened inside, and is mended
after."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NamedTuple

from load_tests.cluster import SESSION_S, Cluster, Worker

PAUSE_S = SESSION_S + 2.0
"""Long enough for the group to have given the partitions of a paused worker to the other."""


@contextmanager
def killed(cluster: Cluster, worker: Worker) -> Iterator[None]:
    """SIGKILL; started again."""
    cluster.kill(worker)
    yield
    worker.start()


@contextmanager
def stopped(cluster: Cluster, *workers: Worker) -> Iterator[None]:
    """SIGTERM to all of them at once; started again."""
    cluster.stop(*workers)
    yield
    for worker in workers:
        worker.start()


@contextmanager
def paused(cluster: Cluster, worker: Worker) -> Iterator[None]:
    """SIGSTOP for longer than the session, then SIGCONT: it must notice, and go on."""
    before = len(worker.logged())
    worker.freeze()
    until = time.monotonic() + PAUSE_S
    yield
    time.sleep(max(0.0, until - time.monotonic()))
    worker.thaw()
    cluster.wait_for(
        lambda: "loaded" in worker.logged()[before:], "a continued worker takes partitions anew"
    )


@contextmanager
def joined(cluster: Cluster, worker: Worker) -> Iterator[None]:
    """One more worker; then `worker` leaves, and the newcomer has its place."""
    cluster.add_worker()
    yield
    cluster.stop(worker)
    cluster.remove(worker)


@contextmanager
def broker_down(cluster: Cluster) -> Iterator[None]:
    """Killed; started on the same files."""
    cluster.kafka.kill9()
    yield
    cluster.kafka.start()


@contextmanager
def redis_down(cluster: Cluster) -> Iterator[None]:
    """Killed; it comes back empty."""
    cluster.redis.kill9()
    yield
    cluster.redis.start()


OF_WORKERS: dict[str, Callable[[Cluster, Worker], AbstractContextManager[None]]] = {
    "worker killed": killed,
    "worker stopped": stopped,
    "worker paused": paused,
    "worker joins, one leaves": joined,
}
OF_SERVERS: dict[str, Callable[[Cluster], AbstractContextManager[None]]] = {
    "broker restarted": broker_down,
    "Redis restarted empty": redis_down,
}
KINDS = (*OF_WORKERS, *OF_SERVERS)


class Mishap(NamedTuple):
    """One or two at once, for `hold_s`, after `load_s` of load."""

    kinds: tuple[str, ...]
    load_s: float
    hold_s: float

    def __str__(self) -> str:
        return " + ".join(self.kinds)

    @contextmanager
    def happen(self, cluster: Cluster, rng: random.Random) -> Iterator[None]:
        """Workers first and servers last, so that servers are mended before a worker is to
        start."""
        subjects = rng.sample(cluster.workers, len(cluster.workers))
        with ExitStack() as stack:
            for kind in sorted(self.kinds, key=KINDS.index):
                if kind in OF_WORKERS:
                    stack.enter_context(OF_WORKERS[kind](cluster, subjects.pop()))
                else:
                    stack.enter_context(OF_SERVERS[kind](cluster))
            yield


def plan(rng: random.Random, count: int) -> list[Mishap]:
    """All kinds come before one comes again; every third mishap is two at once."""
    mishaps: list[Mishap] = []
    bag: list[str] = []
    while len(mishaps) < count:
        kinds = []
        for _ in range(2 if rng.random() < 1 / 3 else 1):
            bag = bag or rng.sample(KINDS, len(KINDS))
            kinds.append(bag.pop())
        if len(set(kinds)) == len(kinds):
            mishaps.append(Mishap(tuple(kinds), rng.uniform(0.3, 1.5), rng.uniform(0.2, 2.5)))
    return mishaps
