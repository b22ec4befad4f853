"""What a source of pings declares of itself: its datum, zone and unit, and what to tolerate."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from geo.cleaning import Limits
from geo.crs import Datum, to_wgs84
from geo.model import Ping
from geo.visits import VisitRule


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
    limits: Limits = Limits()
    visits: VisitRule = VisitRule()


class BadSource(ValueError):
    """A declaration that cannot be read; the text names key, value and what to write."""


def declared(pairs: Iterable[str]) -> Source:
    """The source of `KEY=VALUE` pairs, several in one text with commas between: a field of
    `Source`, or a threshold of `Limits` or `VisitRule`."""
    source = Source()
    for pair in (each.strip() for text in pairs for each in text.split(",")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise BadSource(f"--source {pair} is no pair; write KEY=VALUE, as datum=gcj02")
        source = _with(source, key.strip(), value.strip())
    return source


def in_wgs84(ping: Ping, source: Source) -> Ping:
    """The ping as if the source had used WGS-84."""
    if source.datum is Datum.WGS84:
        return ping
    lat, lon = to_wgs84(ping.lat, ping.lon, source.datum)
    return replace(ping, lat=lat, lon=lon)


def _with(source: Source, key: str, value: str) -> Source:
    for field in ("limits", "visits"):
        rules = getattr(source, field)
        if key in rules.__struct_fields__:
            return replace(source, **{field: replace(rules, **{key: _read(rules, key, value)})})
    if key not in ("datum", "zone", "speed"):
        known = ("datum", "zone", "speed", *_names(Limits), *_names(VisitRule))
        raise BadSource(f"--source {key} is not known; write one of {', '.join(known)}")
    return replace(source, **{key: _read(source, key, value)})


def _read(struct: Struct, key: str, value: str) -> Any:
    """The value in the type of the field."""
    kind = next(f.type for f in msgspec.structs.fields(struct) if f.name == key)
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        raise BadSource(f"--source {key}={value}: write {_example(kind)}") from None


def _example(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return f"one of {', '.join(kind)}"
    return "a whole number" if kind is int else "a number"


def _names(kind: type[Struct]) -> tuple[str, ...]:
    return kind.__struct_fields__
