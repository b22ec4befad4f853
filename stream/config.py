"""Settings: read once from `MILEPOST_*` at start, checked, then passed as an argument."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct


class Clock(StrEnum):
    WALL = "wall"
    EVENT = "event"
    """The greatest event time seen: for replays of the past at any speed."""


class ConfigError(Exception):
    """A setting is wrong; the text names it, its value and what to write instead."""


class Settings(Struct, frozen=True, kw_only=True):
    """Each field `x` is set by the environment variable `MILEPOST_X`."""

    brokers: str = "127.0.0.1:9092"
    redis: str = "redis://127.0.0.1:6379/0"
    """Empty: run without Redis."""
    app: str = "milepost"
    """Prefix of consumer groups and transactional ids: one per installation on a cluster."""
    topic_prefix: str = ""
    """Put before every topic's name, so that several installations share a broker."""
    partitions: int = 8
    clock: Clock = Clock.WALL
    http: str = "127.0.0.1:8600"
    """Where the worker serves /metrics, /healthz and /readyz; port 0 picks a free one."""
    session_timeout_s: float = 10.0
    source: str = ""
    """What the source of pings that name none of `sources` declares, KEY=VALUE[,…], as
    `geo/sources.py` reads it."""
    sources: str = ""
    """A TOML file with what each of several sources declares, by its name."""
    push: str = "127.0.0.1:8700"
    """Where `milepost push` serves pages and websockets."""
    token_secret: str = ""
    """Signs the tokens of those pages: 32 bytes or more."""
    origins: str = ""
    """Pages of other hosts that may connect, as https://host[:port][,…]."""
    max_clients: Annotated[int, Meta(ge=1)] = 10_000
    """Of one push process; each needs a file descriptor."""
    check_crcs: bool = True
    """Whether consumers verify checksums: not for the embedded broker, whose commit markers have
    none."""

    def topic(self, name: str) -> str:
        return self.topic_prefix + name


def load_settings(environ: Mapping[str, str] = os.environ, **overrides: object) -> Settings:
    """Defaults, then `MILEPOST_*`, then `overrides` that are not None. Raises ConfigError."""
    known = {f.name for f in msgspec.structs.fields(Settings)}
    given: dict[str, object] = {}
    for variable, value in environ.items():
        if not variable.startswith("MILEPOST_"):
            continue
        name = variable.removeprefix("MILEPOST_").lower()
        if name not in known:
            raise ConfigError(f"{variable} is no setting; known: {_names(known)}")
        given[name] = value
    given |= {k: v for k, v in overrides.items() if v is not None}
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as wrong:
        raise ConfigError(f"a MILEPOST_* setting is wrong: {wrong}") from wrong


def _names(known: set[str]) -> str:
    return ", ".join(f"MILEPOST_{name.upper()}" for name in sorted(known))
