"""`python -m load_tests.push`: statuses from Redis to customers on websockets, through one push
process, and through others that do the same."""

from __future__ import annotations

import os
import resource
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from commands.process import CannotStart, Server
from commands.redis import RedisServer
from commands.token import token
from load_tests.bench import Absent
from load_tests.contestants import cpu_seconds
from load_tests.crowd import NAP_S, Crowd, Gone
from load_tests.ground import Say, console, progress, write_json
from load_tests.pushed import Pushed, quantile, report, table
from load_tests.pushers import pin, pushers, resident_bytes
from load_tests.statuses import Statuses, order_of
from stream.config import Settings

THEIR_CPU, OUR_CPU = 0, 1
"""One core for who is measured, one for Redis, the writing and the crowd."""
BATCH_S = 0.005
"""Between two writings to Redis."""
CALM_S = 1.0
"""Before memory is looked at."""
WARM_UP_S = 2.0
OTHER_FILES = 100
LAST_S = 5.0
"""For the last frames to come in."""


class Options(Struct, frozen=True):
    connections: int = 5_000
    rate: int = 20_000
    seconds: float = 10.0
    passes: int = 2
    only: tuple[str, ...] = ()
    """Names of contestants; empty: all."""


def run(options: Options, say: Say) -> dict[str, list[Pushed | Absent]]:
    """Every contestant in turn, then again, each with a Redis of its own."""
    _allow_files(options.connections + OTHER_FILES)
    names = [n for n in pushers(Settings()) if not options.only or n in options.only]
    results: dict[str, list[Pushed | Absent]] = {name: [] for name in names}
    for turn in range(options.passes):
        for name in names:
            say(f"pass {turn + 1} of {options.passes}: {name}")
            results[name].append(_contest(name, options))
    return results


def _allow_files(wanted: int) -> None:
    """Raise the limit of open files, for us and the peers, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _contest(name: str, options: Options) -> Pushed | Absent:
    with RedisServer() as redis:
        settings = Settings(
            redis=redis.url,
            push="127.0.0.1:0",
            token_secret=secrets.token_urlsafe(32),
            max_clients=options.connections + 10,
        )
        statuses = Statuses(settings, options.connections)
        try:
            statuses.write(options.connections)
            statuses.flush()
            with pushers(settings)[name]() as server, _shared_out(server, redis):
                return _pass(server, redis, statuses, _tokens(settings, options), options)
        except (CannotStart, Gone, OSError) as wrong:
            return Absent(str(wrong))
        finally:
            statuses.close()


def _tokens(settings: Settings, options: Options) -> list[str]:
    return [token(settings, (order_of(n),), hours=1) for n in range(options.connections)]


def _pass(
    server: Server, redis: Server, statuses: Statuses, tokens: list[str], options: Options
) -> Pushed:
    crowd = Crowd(server.port, tokens, statuses)
    try:
        empty, used = resident_bytes(server.pid), cpu_seconds(server.pid)
        accept_s = crowd.connect()
        accept_cpu_s = cpu_seconds(server.pid) - used
        _read_for(crowd, CALM_S)
        idle_bytes = (resident_bytes(server.pid) - empty) / len(tokens)
        press(crowd, statuses, options.rate, WARM_UP_S)
        _read_for(crowd, CALM_S)
        crowd.forget()
        first, began = len(statuses.written), time.perf_counter()
        used, load = cpu_seconds(server.pid), _load_s(redis)
        press(crowd, statuses, options.rate, options.seconds)
        seconds = time.perf_counter() - began
        cpu_s, load_s = cpu_seconds(server.pid) - used, _load_s(redis) - load
        _read_until(crowd, lambda: not crowd.lost(), LAST_S)
        times = sorted(crowd.latencies)
        return Pushed(
            updates=len(statuses.written) - first,
            seconds=seconds,
            frames=crowd.frames,
            frame_bytes=crowd.bytes / max(1, crowd.frames),
            cpu_s=cpu_s,
            p50_ms=quantile(times, 0.5) * 1_000,
            p99_ms=quantile(times, 0.99) * 1_000,
            max_ms=quantile(times, 1.0) * 1_000,
            lost=crowd.lost(),
            doubled=crowd.doubled,
            stepped_back=crowd.stepped_back,
            unfit=crowd.unfit,
            anew=crowd.anew,
            idle_bytes=idle_bytes,
            accepts_per_s=len(tokens) / accept_s,
            accept_us=accept_cpu_s / len(tokens) * 1e6,
            load_share=load_s / seconds,
        )
    finally:
        crowd.close()


@contextmanager
def _shared_out(server: Server, redis: Server) -> Iterator[None]:
    """Who is measured has a core of its own, if there are two."""
    if (os.cpu_count() or 1) <= max(THEIR_CPU, OUR_CPU):
        yield
        return
    before = os.sched_getaffinity(0)
    pin(server.pid, THEIR_CPU)
    pin(redis.pid, OUR_CPU)
    os.sched_setaffinity(0, {OUR_CPU})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def press(crowd: Crowd, statuses: Statuses, rate: int, seconds: float) -> None:
    """Write `rate` statuses a second, and let the crowd read, for so long."""
    began, written = time.perf_counter(), 0
    while (now := time.perf_counter() - began) < seconds:
        if (due := int(now * rate) - written) >= rate * BATCH_S:
            statuses.write(due)
            written += due
        crowd.read()
        time.sleep(NAP_S)
    statuses.flush()


def _read_for(crowd: Crowd, seconds: float) -> None:
    _read_until(crowd, lambda: False, seconds)


def _read_until(crowd: Crowd, enough: Callable[[], bool], within_s: float) -> None:
    ends = time.perf_counter() + within_s
    while time.perf_counter() < ends and not enough():
        crowd.read()
        time.sleep(NAP_S)


def _load_s(redis: Server) -> float:
    return cpu_seconds(os.getpid()) + cpu_seconds(redis.pid)


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures here too")] = None,
    connections: Annotated[int, typer.Option(min=1)] = 5_000,
    rate: Annotated[int, typer.Option(min=1, help="updates a second, of all orders")] = 20_000,
    seconds: Annotated[float, typer.Option(min=1)] = 10.0,
    passes: Annotated[int, typer.Option(min=1)] = 2,
    only: Annotated[list[str] | None, typer.Option(help="contestants, by name")] = None,
) -> None:
    """Statuses from Redis to customers on websockets, against others doing the same."""
    options = Options(connections, rate, seconds, passes, tuple(only or ()))
    with progress() as say:
        results = run(options, say)
    console.print(table(f"{connections:,} customers, {rate:,} updates/s, one process", results))
    write_json(json, report(results))


if __name__ == "__main__":
    typer.run(main)
