"""Times as files write them, in Unix milliseconds. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geo.sources import BadSource

MS_FROM = 100_000_000_000
"""A number from here on is milliseconds (1973), below it seconds (the year 5138)."""
DIGITS_FROM, DIGITS_TO = 19_700_101_000_000, 21_000_101_000_000
"""A number between these is a date in digits, as JT/T 808 has it (20260105080000)."""


class BadTime(ValueError):
    """A time that cannot be read; the text says what to write."""


def unix_ms(value: Any, zone: str) -> int:
    """Unix ms of Unix seconds, Unix ms, or a date with an offset or in `zone`. Raises BadTime."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return _dated(str(value), zone)
    if DIGITS_FROM <= number < DIGITS_TO:
        return _dated(f"{number:.0f}", zone)
    if not 0 <= number < 253_402_300_800_000:
        raise BadTime("write Unix seconds or milliseconds of the years 1970 to 9999")
    return int(number) if number >= MS_FROM else round(number * 1000)


def _dated(text: str, zone: str) -> int:
    date = _date(text)
    if date is None:
        fix = "write Unix seconds, Unix milliseconds or ISO 8601 (2025-07-13T08:00:00+08:00)"
        raise BadTime(fix)
    if date.tzinfo is None:
        if not zone:
            raise BadTime("the time has no zone: append Z or an offset such as +08:00")
        date = date.replace(tzinfo=zone_of(zone))
    return max(0, round(date.astimezone(UTC).timestamp() * 1000))


def _date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in ("%Y%m%d%H%M%S", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M"):
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
