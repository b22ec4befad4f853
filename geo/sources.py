"""What a source of pings declares of itself: its datum, zone and unit, and what to tolerate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from geo.cleaning import Limits
from geo.crs import Datum, all_to_wgs84, to_wgs84
from geo.model import Ping
from geo.motion import MotionRule
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
    motion: MotionRule = MotionRule()


OWN = ("datum", "zone", "speed")
RULES = ("limits", "visits", "motion")


class BadSource(ValueError):
    """A declaration that cannot be read; the text names key, value and what to write."""


def declared(pairs: Iterable[str]) -> Source:
    """The source of `KEY=VALUE` pairs, several in one text with commas between: a field of
    `Source`, or a threshold of `Limits`, `VisitRule` or `MotionRule`, of all that have one of this
    name."""
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


def all_in_wgs84(pings: Sequence[Ping], source: Source) -> Sequence[Ping]:
    """`in_wgs84` of each, at a fifth of the cost."""
    if source.datum is Datum.WGS84:
        return pings
    lat, lon = all_to_wgs84(
        np.array([p.lat for p in pings]), np.array([p.lon for p in pings]), source.datum
    )
    places = zip(pings, lat.tolist(), lon.tolist(), strict=True)
    return [replace(ping, lat=there_lat, lon=there_lon) for ping, there_lat, there_lon in places]


def _with(source: Source, key: str, value: str) -> Source:
    if key in OWN:
        return replace(source, **{key: _read(source, key, value)})
    rules = {field: getattr(source, field) for field in RULES}
    having = {field: rule for field, rule in rules.items() if key in rule.__struct_fields__}
    if not having:
        names = (name for rule in rules.values() for name in rule.__struct_fields__)
        known = dict.fromkeys((*OWN, *names))
        raise BadSource(f"--source {key} is not known; write one of {', '.join(known)}")
    changed = {f: replace(rule, **{key: _read(rule, key, value)}) for f, rule in having.items()}
    return replace(source, **changed)


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
