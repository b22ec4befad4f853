from __future__ import annotations

import asyncio
from contextlib import suppress

from stream.tasks import end_all


async def test_who_swallows_a_cancellation_gets_another() -> None:
    async def deaf() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async def good() -> None:
        await asyncio.Event().wait()

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(good())]
    await asyncio.sleep(0)
    await end_all(tasks)
    assert [task.cancelled() for task in tasks] == [True, True]


async def test_what_failed_is_left_to_who_asks() -> None:
    async def fails() -> None:
        raise ValueError

    task = asyncio.create_task(fails())
    await end_all([task])
    assert task.cancelled() or isinstance(task.exception(), ValueError)
