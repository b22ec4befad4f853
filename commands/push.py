"""`milepost push`: pages and websockets, until Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import sys
from contextlib import suppress

from rich.console import Console

from stream.config import ConfigError, Settings
from stream.metrics import Cells
from ws_server.pages import Pages
from ws_server.server import PushServer

OTHER_FILES = 100
"""Descriptors that are no client's."""
YOUNG_OBJECTS = 50_000
"""Python looks for cycles after so many new objects, not after 700: a batch of changes is none."""


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then send the clients elsewhere. Raises ConfigError."""
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    # It logs each connection that ends in an unusual way, and on the internet most do.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    if not settings.redis:
        raise ConfigError("MILEPOST_REDIS is empty, and push reads everything there: name a Redis")
    _allow_files(settings.max_clients + OTHER_FILES)
    gc.set_threshold(YOUNG_OBJECTS, 20)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    console = Console(stderr=True)
    pages = Pages()
    server = PushServer(settings, Cells(), pages)
    async with server.listening() as address:
        console.print(f"push: http://{address}/ and ws://{address}/ws", highlight=False)
        if not pages.built:
            console.print("the pages are not built (`make pages`); only the websocket works")
        work, stopped = asyncio.create_task(server.run()), asyncio.create_task(stop.wait())
        await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work


def _allow_files(wanted: int) -> None:
    """Raise our limit of open files as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        logging.getLogger(__name__).warning(
            "only %d files may be open, %d are wanted for --max-clients: raise `ulimit -n`",
            most, wanted,
        )  # fmt: skip
