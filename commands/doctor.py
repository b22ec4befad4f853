"""`milepost doctor`: what is wrong with this installation, and one sentence each how to mend it."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from enum import StrEnum

import redis
from aiokafka.conn import create_conn
from aiokafka.protocol.fetch import FetchRequest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from msgspec import Struct
from redis.utils import HIREDIS_AVAILABLE
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from commands import topics
from commands.redis import without_password
from commands.round_trip import RoundTrip, outside, round_trips
from commands.sources import sources_of
from commands.topics import BrokerAway
from geo.sources import BadSource
from stream.clock import wall_ms
from stream.config import ConfigError, Settings
from stream.topics import TOPICS
from ws_server.auth import Tokens
from ws_server.pages import Pages

SKEW_LIMIT_MS = 2_000
"""Far above what NTP leaves, and far below the 30 s within which a silence is to be noticed."""
OLDEST_REDIS = (6, 2)
# The newest Fetch request a broker takes tells its release: it says no version of itself.
_RELEASES = {18: "4.1", 17: "3.9", 16: "3.7", 15: "3.5", 13: "3.1", 12: "2.7"}
OLDEST_FETCH = 12
_LIBRARIES = {"gzip": "zlib", "snappy": "cramjam", "lz4": "cramjam", "zstd": "cramjam"}


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Finding(Struct, frozen=True):
    """`mend` is empty when nothing is to be done."""

    level: Level
    about: str
    found: str
    mend: str = ""


def doctor(settings: Settings, console: Console) -> bool:
    """Examine and print; False if anything is bad."""
    with console.status("examining"):
        findings = list(examine(settings))
    console.print(report(findings))
    return all(finding.level is not Level.BAD for finding in findings)


def report(findings: list[Finding]) -> Table:
    styles = {Level.OK: "green", Level.WARN: "yellow", Level.BAD: "red"}
    shown = Table("", "about", "found", "how to mend it", box=SIMPLE)
    for finding in findings:
        mark = f"[{styles[finding.level]}]{finding.level}[/]"
        shown.add_row(mark, finding.about, escape(finding.found), escape(finding.mend))
    return shown


def examine(settings: Settings) -> Iterator[Finding]:
    yield _python(sys.version_info[:3])
    yield from _pins(_requirements(), _installed)
    yield _faust(os.environ.get("NO_CYTHON"))
    yield from _broker(settings)
    yield from _redis(settings)
    yield _sources(settings)
    yield _secret(settings)
    yield _pages(Pages())


def _sources(settings: Settings) -> Finding:
    """A worker of vehicles does not start with a declaration it cannot read."""
    try:
        _, named = sources_of(settings)
    except BadSource as wrong:
        mend = "mend MILEPOST_SOURCES or MILEPOST_SOURCE, as it says"
        return Finding(Level.BAD, "sources", str(wrong), mend)
    return Finding(Level.OK, "sources", ", ".join(named) or "none has a name")


def _secret(settings: Settings) -> Finding:
    """Only push and token need it, so a worker's machine may do without."""
    try:
        Tokens(settings.token_secret)
    except ConfigError as wrong:
        found = "too short" if settings.token_secret else "none: `milepost push` will not start"
        return Finding(Level.WARN, "token secret", found, str(wrong))
    return Finding(Level.OK, "token secret", "set")


def _pages(pages: Pages) -> Finding:
    if pages.built:
        return Finding(Level.OK, "pages", "built")
    mend = "in a checkout: make pages; or install the wheel, which brings them"
    return Finding(Level.WARN, "pages", "not built: push serves the websocket alone", mend)


def _python(version: tuple[int, ...]) -> Finding:
    found = ".".join(map(str, version))
    if version >= (3, 11):
        return Finding(Level.OK, "Python", found)
    return Finding(Level.BAD, "Python", found, "make a virtualenv with Python 3.11 or newer")


def _requirements() -> list[str]:
    try:
        return importlib.metadata.requires("milepost") or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _pins(requirements: list[str], installed: Callable[[str], str | None]) -> Iterator[Finding]:
    """The engine leans on private names of the pinned packages."""
    pins = [text.split("==") for text in requirements if re.fullmatch(r"[\w-]+==[\w.]+", text)]
    if not pins:
        mend = "install Milepost (pip install .), so that its requirements are known"
        yield Finding(Level.WARN, "packages", "not installed", mend)
    for name, wanted in pins:
        has = installed(name) or "missing"
        if has == wanted:
            yield Finding(Level.OK, name, has)
        else:
            mend = f"pip install {name}=={wanted}"
            yield Finding(Level.BAD, name, f"{has}, not {wanted}", mend)


def _faust(no_cython: str | None) -> Finding:
    """Without its extension Faust acknowledges records of before a rebalance that it skips."""
    if no_cython:
        return Finding(Level.BAD, "Faust's extension", "switched off", "unset NO_CYTHON")
    if importlib.util.find_spec("faust._cython.streams"):
        return Finding(Level.OK, "Faust's extension", "compiled")
    mend = "install faust-streaming from a wheel, on CPython"
    return Finding(Level.BAD, "Faust's extension", "missing", mend)


def _broker(settings: Settings) -> Iterator[Finding]:
    try:
        admin = topics.connect(settings)
        yield asyncio.run(_release(admin, settings))
        yield from _topics(settings)
        yield from _codecs(admin, settings)
    except BrokerAway as away:
        found, _, mend = str(away).partition(": ")
        yield Finding(Level.BAD, "broker", found, mend)
    except KafkaException as refused:
        mend = "look into the broker's log, and at the rights of the address Milepost comes from"
        yield Finding(Level.BAD, "broker", f"refused: {refused.args[0].str()}", mend)


async def _release(admin: AdminClient, settings: Settings) -> Finding:
    cluster = topics.metadata(admin, settings)
    if topics.is_embedded(cluster):
        mend = "fine for a look; for more, start a real one with `milepost kafka`"
        return Finding(Level.WARN, "broker", "embedded, keeps nothing", mend)
    broker = next(iter(cluster.brokers.values()))
    newest = await _newest_fetch(broker.host, broker.port)
    where = f"at {settings.brokers}, {len(cluster.brokers)} node(s)"
    if newest < OLDEST_FETCH:
        return Finding(Level.BAD, "broker", f"too old {where}", "use Apache Kafka 3.0 or newer")
    release = _RELEASES[max(fetch for fetch in _RELEASES if fetch <= newest)]
    return Finding(Level.OK, "broker", f"Kafka {release} or newer {where}")


async def _newest_fetch(host: str, port: int) -> int:
    connection = await create_conn(host, port)
    try:
        newest: int = connection._versions[FetchRequest.API_KEY][1]
        return newest
    finally:
        connection.close()


def _topics(settings: Settings) -> Iterator[Finding]:
    problems = topics.check(settings)
    for problem in problems:
        yield Finding(Level.BAD, "topics", problem.what, problem.mend)
    if not problems:
        found = f"{len(TOPICS)} with {settings.partitions} partitions each"
        yield Finding(Level.OK, "topics", found)


def _codecs(admin: AdminClient, settings: Settings) -> Iterator[Finding]:
    trips = round_trips(admin, settings)
    yield from (_codec(trip) for trip in trips)
    skews = [trip.skew_ms for trip in trips if trip.failed is None]
    if skews:
        yield _clock("broker's clock", min(skews, key=abs))


def _codec(trip: RoundTrip) -> Finding:
    if trip.failed is None:
        return Finding(Level.OK, trip.codec, "to the broker and back")
    mend = f"pip install {_LIBRARIES[trip.codec]}; a record so compressed would block its partition"
    return Finding(Level.BAD, trip.codec, trip.failed, mend)


def _clock(about: str, skew_ms: int) -> Finding:
    if abs(skew_ms) <= SKEW_LIMIT_MS:
        return Finding(Level.OK, about, f"{abs(skew_ms)} ms off at least")
    found = f"{abs(skew_ms) / 1000:.1f} s {'ahead of' if skew_ms > 0 else 'behind'} ours"
    return Finding(
        Level.WARN, about, found, "run NTP (chrony or systemd-timesyncd) on both machines"
    )


def _redis(settings: Settings) -> Iterator[Finding]:
    if not settings.redis:
        mend = "set MILEPOST_REDIS, unless only Kafka is to be served"
        yield Finding(Level.WARN, "Redis", "not used", mend)
        return
    yield _hiredis(HIREDIS_AVAILABLE)
    try:
        with redis.Redis.from_url(settings.redis, socket_timeout=5) as client:
            yield _redis_version(str(client.info("server")["redis_version"]))
            sent_ms = wall_ms()
            seconds, micros = client.time()
            acked_ms = wall_ms()
        skew_ms = outside(seconds * 1000 + micros // 1000, sent_ms, acked_ms)
        yield _clock("Redis's clock", skew_ms)
    except (redis.RedisError, ValueError) as away:
        mend = "start one, or name yours with --redis or MILEPOST_REDIS"
        where = without_password(settings.redis)
        yield Finding(Level.BAD, "Redis", f"{where}: {away}", mend)


def _redis_version(text: str) -> Finding:
    version = tuple(map(int, text.split(".")[:2]))
    if version >= OLDEST_REDIS:
        return Finding(Level.OK, "Redis", text)
    return Finding(Level.BAD, "Redis", text, "use Redis 6.2 or newer")


def _hiredis(there: bool) -> Finding:
    if there:
        return Finding(Level.OK, "hiredis", "there")
    mend = "pip install 'redis[hiredis]': without it Redis answers are parsed in Python"
    return Finding(Level.WARN, "hiredis", "missing", mend)
