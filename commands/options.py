"""Settings as options of a command: `--brokers` over `MILEPOST_BROKERS` over the default."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from stream.config import Clock, Settings, load_settings

Given = ParamSpec("Given")


def _option(flag: str, what: str, metavar: str | None = None) -> Any:
    return typer.Option(flag, help=what, metavar=metavar, rich_help_panel="Settings")


# Each is None unless given, so that the environment and the default stand in load_settings alone.
_OPTIONS: dict[str, Any] = {
    "brokers": Annotated[str | None, _option("--brokers", "Kafka, host:port[,…]", "ADDRESS")],
    "redis": Annotated[str | None, _option("--redis", "Redis; '' runs without", "URL")],
    "app": Annotated[str | None, _option("--app", "name of this installation", "NAME")],
    "topic_prefix": Annotated[
        str | None, _option("--topic-prefix", "put before each topic's name", "PREFIX")
    ],
    "partitions": Annotated[int | None, _option("--partitions", "of each topic", "COUNT")],
    "clock": Annotated[Clock | None, _option("--clock", "wall time, or the records' own")],
    "http": Annotated[str | None, _option("--http", "where to serve /metrics", "HOST:PORT")],
    "push": Annotated[str | None, _option("--push", "where to serve the pages", "HOST:PORT")],
    "origins": Annotated[
        str | None, _option("--origins", "other hosts' pages that may connect", "URL[,…]")
    ],
    "max_clients": Annotated[int | None, _option("--max-clients", "of this process", "COUNT")],
    "source": Annotated[
        str | None,
        _option("--source", "of the pings: datum=gcj02, or thresholds", "KEY=VALUE"),
    ],
    "sources": Annotated[
        str | None,
        _option("--sources", "of several sources of pings: a table for each", "FILE.toml"),
    ],
    "session_timeout_s": Annotated[
        float | None, _option("--session-timeout-s", "a worker silent for so long is out", "S")
    ],
}


def with_settings(
    *names: str,
) -> Callable[[Callable[Concatenate[Settings, Given], None]], Callable[Given, None]]:
    """Give a command the options `names` (fields of Settings); it gets Settings in their place.

    The command raises ConfigError if one of them, or of the environment, is wrong.
    """

    def decorate(command: Callable[Concatenate[Settings, Given], None]) -> Callable[Given, None]:
        @wraps(command)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
            given = {name: kwargs.pop(name) for name in names}
            command(load_settings(os.environ, **given), *args, **kwargs)

        # What typer reads: the command's own parameters, then ours.
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        ours = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_OPTIONS[name]
            )
            for name in names
        ]
        run.__signature__ = inspect.Signature([*own, *ours])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in (*own, *ours)}
        del run.__wrapped__
        return run

    return decorate
