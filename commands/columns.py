"""How the columns of pings are called elsewhere, in English and Chinese. Pure.

Upper and lower case, spaces and signs make no difference: `Speed (km/h)` is `speedkmh`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from geo.sources import SpeedUnit

OTHER_NAMES = {
    "vehicle_id": (
        "vehicle", "vehicleno", "vehiclenumber", "device", "deviceid", "imei", "unit", "unitid",
        "plate", "plateno", "licenseplate", "truck", "truckid", "bus", "busid", "car", "carid",
        "taxi", "taxiid", "tracker", "trackerid", "车牌", "车牌号", "车辆", "设备号",
    ),
    "ts": (
        "timestamp", "time", "datetime", "gpstime", "fixtime", "devicetime", "recordedat",
        "positiontime", "epoch", "unixtime", "utc", "timeutc", "timestamputc", "时间", "定位时间",
    ),
    "lat": ("latitude", "纬度"),
    "lon": ("longitude", "lng", "long", "经度"),
    "speed_mps": ("speed", "velocity", "速度"),
    "heading_deg": ("heading", "course", "bearing", "direction", "方向"),
    "accuracy_m": ("accuracy", "horizontalaccuracy", "精度"),
    "ignition": ("acc", "engine"),
    "received_at": ("recvts", "received", "servertime", "接收时间"),
    "source": ("carrier", "vendor", "provider", "protocol"),
    "seq": (),
}  # fmt: skip

ALIASES = {
    other: name
    for name, others in OTHER_NAMES.items()
    for other in (name.replace("_", ""), *others)
}

SPEED_UNITS = {
    f"speed{unit}": meaning
    for meaning, units in {
        SpeedUnit.KMH: ("kmh", "kph", "kmph", "inkmh"),
        SpeedUnit.MPH: ("mph", "inmph"),
        SpeedUnit.KNOTS: ("knots", "kn", "kt", "kts"),
        SpeedUnit.MPS: ("ms", "mps", "inmps"),
    }.items()
    for unit in units
}
"""Columns of speeds that name their unit, which then goes before the source's."""


@lru_cache(maxsize=1_024)
def plain(column: str) -> str:
    """A column's name without what makes no difference."""
    return "".join(ch for ch in column.lower() if ch.isalnum())


def is_known(column: str, columns: Mapping[str, str]) -> bool:
    """Whether anything is read from a column; `columns` maps our names to renamed ones."""
    name = plain(column)
    return column in columns.values() or name in ALIASES or name in SPEED_UNITS


def notes(header: Iterable[str], columns: Mapping[str, str], option: str) -> list[str]:
    """What a user should know of how a CSV file's columns are read; nothing of other files, which
    have no header."""
    several = list(header)
    said = []
    unread = [column for column in several if not is_known(column, columns)]
    if unread:
        said.append(f"not read: {', '.join(unread)}")
    names = (ALIASES.get(plain(column)) for column in several)
    if several and "vehicle_id" not in columns and "vehicle_id" not in names:
        said.append(
            f"no column names the vehicle, so all pings are one vehicle's; else name it with "
            f"{option} vehicle_id=COLUMN"
        )
    return said
