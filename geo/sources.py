"""What a source of pings declares of itself: its datum, zone and unit, and what to tolerate.

One source declares itself in pairs (`declared`), several of one topic in tables by name
(`declared_by_name`), as TOML has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from math import isfinite
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from geo.cleaning import Limits
from geo.crs import Datum, all_to_wgs84
from geo.lulls import GapRule
from geo.model import Id, Ms, Ping
from geo.motion import MotionRule
from geo.proof import VisitRule
from geo.track import World


class SpeedUnit(StrEnum):
    MPS = "mps"
    KMH = "kmh"
    KNOTS = "knots"
    MPH = "mph"


FACTORS = {
    SpeedUnit.MPS: 1.0,
    SpeedUnit.KMH: 1 / 3.6,
    SpeedUnit.KNOTS: 1852 / 3600,
    SpeedUnit.MPH: 0.44704,
}
"""In metres per second; a nautical mile is 1852 m, a mile 1609.344 m."""


class Source(Struct, frozen=True):
    datum: Datum = Datum.WGS84
    zone: str = ""
    """Of times that name none: `Asia/Shanghai` or `+08:00`; empty: each names its own."""
    speed: SpeedUnit = SpeedUnit.MPS
    silent_after_ms: Ms = World().silent_after_ms
    """A vehicle not heard of for so long is silent."""
    limits: Limits = Limits()
    visits: VisitRule = VisitRule()
    motion: MotionRule = MotionRule()
    gaps: GapRule = GapRule()


OWN = ("datum", "zone", "speed", "silent_after_ms")
RULES = ("limits", "visits", "motion", "gaps")
OF_FILES = {
    "zone": "times on the topic are Unix milliseconds, UTC",
    "speed": "speeds on the topic are metres per second",
}
"""What only `milepost visits` can use, and why: the wire's own times and units are not declared."""
OTHERS = ("other", "none")
"""In metrics: pings of a source that declares nothing, and pings that name none."""
MAX_NAME = 128


class BadSource(ValueError):
    """A declaration that cannot be read; the text names key, value and what to write."""


class _Wrong(Exception):
    """Inside this module only: a key or value, and what to write instead."""


def declared(pairs: Iterable[str]) -> Source:
    """The source of `KEY=VALUE` pairs, several in one text with commas between: a field of
    `Source`, or a threshold of `Limits`, `VisitRule` or `MotionRule`, of all that have one of this
    name."""
    source = Source()
    for pair in (each.strip() for text in pairs for each in text.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise BadSource(f"--source {pair} is no pair; write KEY=VALUE, as datum=gcj02")
        try:
            source = _with(source, key.strip(), value.strip(), strict=False)
        except _Wrong as wrong:
            raise BadSource(f"--source {wrong}") from None
    return source


def declared_by_name(tables: Mapping[str, Any]) -> dict[Id, Source]:
    """Each source by its name, from one table of keys and values for each."""
    return {name: _declared(name, table) for name, table in tables.items()}


def _declared(name: str, table: Any) -> Source:
    if not isinstance(table, Mapping):
        raise BadSource(f"{name} = {table!r} is of no source; write it below a [NAME]")
    if not 0 < len(name) <= MAX_NAME or name in OTHERS:
        mend = f"write one of 1 to {MAX_NAME} characters, but not {' or '.join(OTHERS)}"
        raise BadSource(f"[{name}] is no name of a source; {mend}")
    source = Source()
    for key, value in table.items():
        try:
            if key in OF_FILES:
                raise _Wrong(f"{key} = {value!r}: leave it out, {OF_FILES[key]}")
            source = _with(source, key, value, strict=True)
        except _Wrong as wrong:
            raise BadSource(f"[{name}] {wrong}") from None
    return source


def world_of(source: Source, base: World) -> World:
    """The thresholds for pings of a source."""
    return replace(
        base,
        datum=source.datum,
        silent_after_ms=source.silent_after_ms,
        limits=source.limits,
        visits=source.visits,
        motion=source.motion,
        gaps=source.gaps,
    )


def world_by_source(source: Source, named: Mapping[Id, Source], base: World) -> World:
    """The thresholds for pings of several sources; `source` is what those not named declare."""
    world = world_of(source, base)
    if not named and source.datum is Datum.WGS84:
        return world
    return replace(world, by_source={name: world_of(each, base) for name, each in named.items()})


def all_in_wgs84(pings: Sequence[Ping], source: Source) -> Sequence[Ping]:
    """Pings as if the source had used WGS-84, at a fifth of the cost of each alone."""
    if source.datum is Datum.WGS84:
        return pings
    lat, lon = all_to_wgs84(
        np.array([p.lat for p in pings]), np.array([p.lon for p in pings]), source.datum
    )
    places = zip(pings, lat.tolist(), lon.tolist(), strict=True)
    return [replace(ping, lat=there_lat, lon=there_lon) for ping, there_lat, there_lon in places]


def _with(source: Source, key: str, value: object, *, strict: bool) -> Source:
    if key in OWN:
        return replace(source, **{key: _read(source, key, value, strict=strict)})
    rules = {field: getattr(source, field) for field in RULES}
    having = {field: rule for field, rule in rules.items() if key in rule.__struct_fields__}
    if not having:
        names = (name for rule in rules.values() for name in rule.__struct_fields__)
        own = (name for name in OWN if not (strict and name in OF_FILES))
        known = dict.fromkeys((*own, *names))
        raise _Wrong(f"{key} is not known; write one of {', '.join(known)}")
    changed = {
        field: replace(rule, **{key: _read(rule, key, value, strict=strict)})
        for field, rule in having.items()
    }
    return replace(source, **changed)


def _read(struct: Struct, key: str, value: object, *, strict: bool) -> Any:
    """The value in the type of the field; a text may stand for a number unless `strict`."""
    kind = next(f.type for f in msgspec.structs.fields(struct) if f.name == key)
    shown = f"{key} = {value!r}" if strict else f"{key}={value}"
    try:
        read = msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError:
        raise _Wrong(f"{shown}: write {_example(kind)}") from None
    if not isinstance(read, int | float):
        return read
    divides = key.endswith("_mps")  # A way takes its time.
    if not isfinite(read) or read < 0 or (divides and read == 0):
        least = "greater than 0" if divides else "0 or greater"
        raise _Wrong(f"{shown}: write {_example(kind)}, {least}")
    return read


def _example(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return f"one of {', '.join(kind)}"
    return "a number" if kind is float else "a whole number"
