"""WGS-84, GCJ-02 and BD-09: the three datums in which coordinates from China arrive.

How this works. GCJ-02 is WGS-84 plus a shift of 265 to 622 m (research/field.md §7) that changes
slowly with the place; BD-09 is GCJ-02 plus a shift of about 900 m. Both shifts are published only
forwards. Backwards we look for the place whose forward image is the one given: start there, take
the shift off, and again with the shift at the new place. The shift changes by less than 1 % of
a distance (2 % for BD-09), so each round leaves a fiftieth of the error at most, and four rounds
less than a millimetre; the usual single subtraction is up to 2.4 m off.

Each formula is written once, for a number and for an array alike: `m` is `math` or `numpy`.

Only mainland China is shifted (`geo/china.py`). In a strip as wide as the shift along its border
a shifted place is also the true place of somebody on the other side; there we go by where the
unshifted place would be, so a Shenzhen source that drives into Hong Kong is off for 600 m.
"""

from __future__ import annotations

import math
from enum import StrEnum
from types import ModuleType
from typing import TypeVar

import numpy as np

from geo.china import Floats, all_in_mainland, in_mainland


class Datum(StrEnum):
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


Number = TypeVar("Number", float, Floats)

_AXIS_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
"""Of the Krasovsky ellipsoid of 1940, on which the shift is defined."""

_ROUNDS = 4
_BD_RAD = math.pi * 3000 / 180
_BD_LAT, _BD_LON = 0.0060, 0.0065


def to_wgs84(lat: float, lon: float, datum: Datum) -> tuple[float, float]:
    """The same place in WGS-84; unchanged outside mainland China."""
    if datum is Datum.WGS84 or not (17.0 <= lat <= 54.0 and 73.0 <= lon <= 136.0):
        return lat, lon  # also what is no number: `sin` of infinity raises
    there = _unshifted(lat, lon, datum, math)
    return there if in_mainland(*there) else (lat, lon)


def from_wgs84(lat: float, lon: float, datum: Datum) -> tuple[float, float]:
    """The same place as a map in `datum` has it; unchanged outside mainland China."""
    if datum is Datum.WGS84 or not in_mainland(lat, lon):
        return lat, lon
    return _shifted(lat, lon, datum, math)


def all_to_wgs84(lat: Floats, lon: Floats, datum: Datum) -> tuple[Floats, Floats]:
    """`to_wgs84` of every pair."""
    if datum is Datum.WGS84:
        return lat, lon
    with np.errstate(invalid="ignore"):  # what is no number stays none
        there_lat, there_lon = _unshifted(lat, lon, datum, np)
    inside = all_in_mainland(there_lat, there_lon)
    return np.where(inside, there_lat, lat), np.where(inside, there_lon, lon)


def all_from_wgs84(lat: Floats, lon: Floats, datum: Datum) -> tuple[Floats, Floats]:
    """`from_wgs84` of every pair."""
    if datum is Datum.WGS84:
        return lat, lon
    with np.errstate(invalid="ignore"):
        there_lat, there_lon = _shifted(lat, lon, datum, np)
    inside = all_in_mainland(lat, lon)
    return np.where(inside, there_lat, lat), np.where(inside, there_lon, lon)


def _unshifted(lat: Number, lon: Number, datum: Datum, m: ModuleType) -> tuple[Number, Number]:
    there_lat, there_lon = lat, lon
    for _ in range(_ROUNDS):
        image_lat, image_lon = _shifted(there_lat, there_lon, datum, m)
        there_lat, there_lon = there_lat + (lat - image_lat), there_lon + (lon - image_lon)
    return there_lat, there_lon


def _shifted(lat: Number, lon: Number, datum: Datum, m: ModuleType) -> tuple[Number, Number]:
    lat, lon = _gcj02(lat, lon, m)
    return _bd09(lat, lon, m) if datum is Datum.BD09 else (lat, lon)


def _gcj02(lat: Number, lon: Number, m: ModuleType) -> tuple[Number, Number]:
    """WGS-84 to GCJ-02: a shift in metres north and east, on its ellipsoid."""
    x, y = lon - 105.0, lat - 35.0
    both = 20 * m.sin(6 * math.pi * x) + 20 * m.sin(2 * math.pi * x)
    root = m.sqrt(abs(x))
    north = 20 * m.sin(math.pi * y) + 40 * m.sin(math.pi / 3 * y)
    north += 160 * m.sin(math.pi / 12 * y) + 320 * m.sin(math.pi / 30 * y)
    north_m = (both + north) * (2 / 3)
    north_m += -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    east = 20 * m.sin(math.pi * x) + 40 * m.sin(math.pi / 3 * x)
    east += 150 * m.sin(math.pi / 12 * x) + 300 * m.sin(math.pi / 30 * x)
    east_m = (both + east) * (2 / 3)
    east_m += 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    sine = m.sin(lat * (math.pi / 180))
    flat = 1 - _ECCENTRICITY_SQUARED * sine * sine
    across_m = _AXIS_M / m.sqrt(flat)
    along_m = across_m * (1 - _ECCENTRICITY_SQUARED) / flat
    degrees = 180 / math.pi
    shifted_lat = lat + north_m / along_m * degrees
    shifted_lon = lon + east_m / (across_m * m.cos(lat * (math.pi / 180))) * degrees
    return shifted_lat, shifted_lon


def _bd09(lat: Number, lon: Number, m: ModuleType) -> tuple[Number, Number]:
    """GCJ-02 to BD-09: a ripple in polar coordinates around 0° N 0° E, and a fixed step."""
    length = m.sqrt(lat * lat + lon * lon) + 2e-5 * m.sin(lat * _BD_RAD)
    angle = m.atan2(lat, lon) + 3e-6 * m.cos(lon * _BD_RAD)
    return length * m.sin(angle) + _BD_LAT, length * m.cos(angle) + _BD_LON
