"""Waiting for what a broker does in its own time: for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(
    condition: Callable[[], object], within_s: float = 30.0, *, every_s: float = 0.02
) -> None:
    """Return once the condition holds; fail when it does not in time. `every_s`: where looking
    costs what is looked at."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(every_s)
