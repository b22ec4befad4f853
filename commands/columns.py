"""How the columns of pings are called elsewhere, in English and Chinese. Pure.

Upper and lower case, spaces and signs make no difference: `Speed (km/h)` is `speedkmh`. A field of
an object in an object is a column with a dot (`location.lat`), known by its whole name or its last
parts. Where several columns could be one, the one that bears our name goes first, then the order
in which `OTHER_NAMES` lists them; of several in objects none is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from geo.sources import SpeedUnit

OTHER_NAMES = {
    "vehicle_id": (
        "vehicle", "vehicleno", "vehiclenumber", "device", "deviceid", "imei", "unit", "unitid",
        "plate", "plateno", "licenseplate", "truck", "truckid", "bus", "busid", "car", "carid",
        "taxi", "taxiid", "tracker", "trackerid", "车牌", "车牌号", "车辆", "设备号",
        "courier", "courierid", "riderid", "driverid", "userid", "骑手",
    ),
    "ts": (
        "timestamp", "fixtime", "gpstime", "gpsdatetime", "positiontime", "timestamputc", "timeutc",
        "datetime", "recordedat", "time", "devicetime", "epoch", "unixtime", "utc",
        "定位时间", "时间",
    ),
    "date": ("日期",),
    "lat": ("latitude", "纬度"),
    "lon": ("longitude", "lng", "long", "经度"),
    "speed_mps": ("speed", "velocity", "速度"),
    "heading_deg": ("heading", "course", "bearing", "direction", "方向"),
    "accuracy_m": ("accuracy", "horizontalaccuracy", "精度"),
    "ignition": ("acc", "engine"),
    "received_at": ("recvts", "received", "servertime", "接收时间"),
    "source": ("carrier", "vendor", "provider", "protocol"),
    "seq": (),
    "valid": ("isvalid", "gpsvalid", "fixvalid"),
}  # fmt: skip
"""`date` is the day of a `ts` that is a time of day; `valid` false says that there was no fix."""

ALIASES: dict[str, tuple[str, int]] = {
    other: (name, place)
    for name, others in OTHER_NAMES.items()
    for place, other in enumerate((name.replace("_", ""), *others))
}
"""Our name, and how far down the list."""

SPEED_UNITS = {
    f"{speed}{unit}": meaning
    for meaning, units in {
        SpeedUnit.KMH: ("kmh", "kph", "kmph", "inkmh", "公里时"),
        SpeedUnit.MPH: ("mph", "inmph"),
        SpeedUnit.KNOTS: ("knots", "kn", "kt", "kts"),
        SpeedUnit.MPS: ("ms", "mps", "inmps", "米秒"),
    }.items()
    for unit in units
    for speed in ("speed", "velocity", "速度")
}
"""Columns of speeds that name their unit, which then goes before the source's."""

TRACCAR = {"deviceid", "fixtime", "servertime", "protocol"}
"""Columns that only positions of Traccar have together: their speeds are in knots."""

IN_OBJECTS = {
    *("vehicle_id", "ts", "lat", "lon", "speed_mps", "heading_deg", "accuracy_m", "ignition"),
}
"""What may be known by the last part of a column with dots."""

NOT_IN_OBJECTS = {"unit", "acc"}
"""What an object calls other things than a vehicle (that of a value) and an ignition."""

_OURS, _UNIT, _WHOLE, _PART = 0, 1, 2, 1_000
"""How well a column is known; less goes first."""


class Naming(NamedTuple):
    """Which columns are read."""

    read: tuple[tuple[str, str], ...]
    """Our name and the file's column."""
    speed_unit: SpeedUnit | None
    """None: the source's."""
    passed_over: tuple[tuple[str, str, str], ...]
    """Our name, the column that is read as it, one that could be, too."""
    unclear: tuple[tuple[str, tuple[str, ...]], ...]
    """Our name, and columns in objects of which any could be it."""
    unread: tuple[str, ...]


@lru_cache(maxsize=1_024)
def plain(column: str) -> str:
    """A column's name without what makes no difference."""
    return "".join(ch for ch in column.lower() if ch.isalnum())


def our_name(name: str) -> str | None:
    """Our name of what a user calls `speed` or `vehicle`; None: it is nothing that is read."""
    return name if name in OTHER_NAMES else ALIASES.get(plain(name), (None, 0))[0]


@lru_cache(maxsize=1_024)
def naming(header: tuple[str, ...], columns: tuple[tuple[str, str], ...]) -> Naming:
    """How to read the columns of a file; `columns` are pairs of our name and a renamed column."""
    known: dict[str, list[tuple[int, str]]] = {}
    unread = []
    for column in header:
        name, rank = _known(column, columns)
        if name:
            known.setdefault(name, []).append((rank, column))
        else:
            unread.append(column)
    if "ts" not in known and "date" in known:
        known["ts"] = known.pop("date")
    read, passed_over, unclear = [], [], []
    for name, several in known.items():
        (rank, best), *others = sorted(several, key=lambda each: each[0])
        if rank >= _PART and others:
            unclear.append((name, (best, *(column for _, column in others))))
            continue
        read.append((name, best))
        passed_over += [(name, best, column) for _, column in others]
    speed = dict(read).get("speed_mps", "")
    unit = SPEED_UNITS.get(plain(speed)) if speed not in dict(columns).values() else None
    if unit is None and plain(speed) == "speed" and set(map(plain, header)) >= TRACCAR:
        unit = SpeedUnit.KNOTS
    if speed == "speed_mps":
        unit = None
    return Naming(tuple(read), unit, tuple(passed_over), tuple(unclear), tuple(unread))


def _known(column: str, columns: tuple[tuple[str, str], ...]) -> tuple[str, int]:
    """Our name for a column, or "", and how well it is known."""
    for ours, theirs in columns:
        if theirs == column:
            return our_name(ours) or ours, _OURS
    if column in OTHER_NAMES:
        return column, _OURS
    name = plain(column)
    if name in SPEED_UNITS:
        return "speed_mps", _UNIT
    if name in ALIASES:
        ours, place = ALIASES[name]
        return ours, _WHOLE + place
    parts = column.split(".")
    for size in (2, 1):
        end = plain("".join(parts[-size:]))
        if len(parts) > size and end in ALIASES and end not in NOT_IN_OBJECTS:
            ours, place = ALIASES[end]
            if ours in IN_OBJECTS:
                return ours, _PART + place
    return "", 0


def notes(header: Iterable[str], columns: Mapping[str, str], option: str) -> list[str]:
    """What a user should know of how a file's columns are read."""
    several = tuple(header)
    if not several:
        return []
    found = naming(several, tuple(columns.items()))
    said = [
        f"no column is called {theirs} ({ours}); there are: {', '.join(several)}"
        for ours, theirs in columns.items()
        if theirs not in several
    ]
    if found.unread:
        said.append(f"not read: {', '.join(found.unread)}")
    for name, best, other in found.passed_over:
        said.append(f"{name} is read from {best}, not from {other}; else {option} {name}={other}")
    if found.speed_unit is SpeedUnit.KNOTS and "speed" in map(plain, several):
        said.append("speed is read in knots, as Traccar writes it")
    if "vehicle_id" not in dict(found.read):
        said.append(
            f"no column names the vehicle, so all pings are one vehicle's; else name it with "
            f"{option} vehicle_id=COLUMN"
        )
    return said
