"""`MILEPOST_SOURCES`: a TOML file with a table for each source of pings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from geo.sources import BadSource, Source, declared, declared_by_name
from stream.config import Settings


def sources_of(settings: Settings) -> tuple[Source, Mapping[str, Source]]:
    """What pings that name no source of the file are of, and the sources of the file. Raises
    BadSource."""
    named = read_sources(Path(settings.sources)) if settings.sources else {}
    return declared([settings.source] if settings.source else []), named


def read_sources(file: Path) -> Mapping[str, Source]:
    """The sources that a file declares, by name. Raises BadSource, whose text names the file."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as away:
        raise BadSource(f"{file}: {away.strerror}; name a TOML file that can be read") from None
    except ValueError as wrong:  # also UnicodeDecodeError
        raise BadSource(f"{file} is no TOML: {wrong}; write a [NAME] and KEY = VALUE") from None
    try:
        return declared_by_name(tables)
    except BadSource as wrong:
        raise BadSource(f"{file}: {wrong}") from None
