"""Where benchmarks run: one real Kafka and one Redis for all contestants, a progress line, and a
race."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from rich.console import Console

from commands import topics
from commands.kafka import KafkaServer
from commands.redis import RedisServer
from load_tests.backlog import Row, fill
from load_tests.bench import Absent, Measured, best
from load_tests.peers.task import Task
from stream.config import Settings

Contest = Callable[[Settings, int], Measured | Absent]
"""Runs one contestant on a backlog of so many records."""
Say = Callable[[str], None]

PARTITIONS = 4

console = Console(width=max(100, Console().width))


@contextmanager
def progress() -> Iterator[Say]:
    """A line on standard error that says what goes on."""
    line = Console(stderr=True)
    with line.status("starting") as status:
        yield (status.update if line.is_terminal else lambda said: None)


@contextmanager
def ground(say: Say) -> Iterator[Settings]:
    """A Kafka and a Redis of our own until the block ends."""
    with KafkaServer() as kafka, RedisServer() as redis:
        say("servers run")
        yield Settings(brokers=kafka.bootstrap, redis=redis.url, partitions=PARTITIONS)


def fresh(settings: Settings) -> Settings:
    """An installation of its own on the servers, with empty topics."""
    name = f"b{uuid.uuid4().hex[:8]}"
    made = replace(settings, app=name, topic_prefix=f"{name}.")
    topics.create(made)
    return made


def filled(settings: Settings, rows: Iterable[Row], say: Say) -> tuple[Settings, int]:
    """A fresh installation with a backlog, and the number of its records."""
    made = fresh(settings)
    return made, fill(made, rows, lambda written: say(f"filling: {written:,} records"))


def race(
    backlog: Callable[[], tuple[Settings, int]],
    contests: Mapping[str, Contest],
    passes: int,
    say: Say,
) -> dict[str, list[Measured | Absent]]:
    """Every contestant in turn, then again; each pass has a backlog of its own."""
    results: dict[str, list[Measured | Absent]] = {name: [] for name in contests}
    for turn in range(passes):
        settings, total = backlog()
        for name, contest in contests.items():
            if results[name] and isinstance(results[name][-1], Absent):
                continue
            say(f"pass {turn + 1} of {passes}: {name}, {total:,} records{_so_far(results)}")
            results[name].append(contest(settings, total))
    return results


def _so_far(results: Mapping[str, list[Measured | Absent]]) -> str:
    fastest = {name: best(several) for name, several in results.items()}
    said = [f"{name} {one.per_s:,.0f}/s" for name, one in fastest.items() if one]
    return f" ({', '.join(said)})" if said else ""


def task(settings: Settings, total: int, limit_s: float) -> Task:
    """For a peer: a consumer group nobody has used."""
    return Task(
        brokers=settings.brokers,
        redis=settings.redis,
        prefix=settings.topic_prefix,
        group=f"{settings.app}-{uuid.uuid4().hex[:8]}",
        partitions=settings.partitions,
        total=total,
        limit_s=limit_s,
    )


def write_json(file: Path | None, report: Mapping[str, Any]) -> None:
    if file is not None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
        print(f"written to {file}", file=sys.stderr)
