"""How the terminal views say things: durations, times, places."""

from __future__ import annotations

from datetime import datetime

from alerts.model import State
from orders.labels import Label

STATES = {
    State.PENDING: "yellow",
    State.FIRING: "bold red",
    State.RECOVERING: "green",
    State.INACTIVE: "dim",
    State.RESOLVED: "dim",
}
"""Colour by state."""


def both(label: Label) -> str:
    """Chinese and English."""
    return f"{label.zh} {label.en}"


def lasted(ms: int) -> str:
    """A duration in its two greatest units: `47 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    seconds = max(0, ms) // 1000
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    if seconds < 86_400:
        return f"{seconds // 3_600} h {seconds // 60 % 60:02d} min"
    return f"{seconds // 86_400} d {seconds // 3_600 % 24} h"


def ago(then_ms: int, now_ms: int) -> str:
    """How long ago, or in how long."""
    if then_ms > now_ms:
        return f"in {lasted(then_ms - now_ms)}"
    return f"{lasted(now_ms - then_ms)} ago"


def clock(ms: int) -> str:
    """The local date and time."""
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%m-%d %H:%M:%S")


def time_of_day(ms: int) -> str:
    """The local time."""
    return datetime.fromtimestamp(ms / 1000).astimezone().strftime("%H:%M:%S")


def place(lat: float, lon: float) -> str:
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return f"{abs(lat):.5f} {north}, {abs(lon):.5f} {east}"
