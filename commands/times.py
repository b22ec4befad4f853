"""Times as files write them, in Unix milliseconds. Pure."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geo.sources import BadSource

LAST_MS = 253_402_300_799_999
MS_FROM, US_FROM, NS_FROM = 100_000_000_000, 100_000_000_000_000, 100_000_000_000_000_000
"""A number from here on is milliseconds, microseconds, nanoseconds: each from March 1973 on, and as
the unit before it the year 5138."""
SECONDS_FROM = 100_000_000
"""A number below is no time of a ping (1973), but counts from another moment."""
DIGITS_FROM, DIGITS_TO = 19_700_101_000_000, 21_000_101_000_000
"""A number between these is a date in digits, as JT/T 808 has it (20260105080000)."""
DAYS_FROM, DAYS_TO = 25_569, 73_051
"""Days since 30 December 1899, as Excel and Geolife count: 1970 to 2100. Only with a fraction, for
seconds of a day are as large."""
FORMS = (
    *("%Y%m%d%H%M%S", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S.%f"),
    *("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"),
)
WRITE = "write Unix seconds, Unix milliseconds or ISO 8601 (2025-07-13T08:00:00+08:00)"
_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")
_NO_YEAR = re.compile(r"\d{1,2}[-/.]\d{1,2}[ T]\d{1,2}:\d{2}.*")
_ANY_MONTH = re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}\b.*")


class BadTime(ValueError):
    """A time that cannot be read; the text says what to write."""


def unix_ms(value: Any, zone: str, date: Any = None) -> int:
    """Unix ms of a number or a date with an offset or in `zone`; a time of day is of `date`. Raises
    BadTime."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        text = str(value).strip()
        if date is not None and _OF_DAY.fullmatch(text):
            text = f"{date} {text.zfill(8) if text.count(':') == 2 else text}"
        return _dated(text, zone)
    if DIGITS_FROM <= number < DIGITS_TO:
        return _dated(f"{number:.0f}", zone)
    if not number >= 0:
        raise BadTime("write Unix seconds or milliseconds of the years 1970 to 9999")
    if number < SECONDS_FROM:
        return _days(number, zone)
    for least, divisor in ((NS_FROM, 1_000_000), (US_FROM, 1_000), (MS_FROM, 1)):
        if number >= least:
            return _exact(value, divisor)
    return round(number * 1000)


def _exact(value: Any, divisor: int) -> int:
    """Without the rounding of a float, which holds no nanoseconds."""
    try:
        ms = int(value) // divisor
    except (ValueError, OverflowError):
        ms = int(float(value) / divisor) if math.isfinite(float(value)) else LAST_MS + 1
    if ms > LAST_MS:
        raise BadTime("write Unix seconds or milliseconds of the years 1970 to 9999")
    return ms


def _days(number: float, zone: str) -> int:
    if not DAYS_FROM <= number < DAYS_TO or number.is_integer():
        raise BadTime(
            "a number so small is no Unix time of after 1973: add the moment that it counts from"
        )
    return _zoned(datetime(1899, 12, 30) + timedelta(days=number), zone)  # noqa: DTZ001


def _dated(text: str, zone: str) -> int:
    date = _date(text)
    if date is not None:
        return _zoned(date, zone)
    if _OF_DAY.fullmatch(text):
        raise BadTime("a time of day: name the column of its date with --column date=COLUMN")
    if _NO_YEAR.fullmatch(text):
        raise BadTime("the time has no year: put one before it, as 2025-07-13 08:00:00")
    if _ANY_MONTH.fullmatch(text):
        raise BadTime("which is the month? write the year first, as 2025-07-13 08:00:00")
    raise BadTime(WRITE)


def _zoned(date: datetime, zone: str) -> int:
    if date.tzinfo is None:
        if not zone:
            raise BadTime("the time has no zone: append Z or an offset such as +08:00")
        date = date.replace(tzinfo=zone_of(zone))
    try:
        return max(0, round(date.astimezone(UTC).timestamp() * 1000))
    except OverflowError:
        raise BadTime(WRITE) from None


def _date(text: str) -> datetime | None:
    for zone in (" UTC", " GMT"):
        if text.endswith(zone):
            text = text.removesuffix(zone) + "Z"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 (its zone is looked at next)
        except ValueError:
            continue
    return None


@cache
def zone_of(name: str) -> tzinfo:
    """The zone called `Asia/Shanghai` or `+08:00`. Raises BadSource."""
    try:
        offset = datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo
        if offset is not None:
            return offset
    except ValueError:
        pass
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSource(
            f"--source zone={name}: write a name such as Asia/Shanghai, or an offset such as +08:00"
        ) from None
