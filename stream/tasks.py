"""How background tasks are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_S = 1.0


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until they have ended: in Python 3.11 a library's `wait_for` may swallow one."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_S)
