"""The clients in ten lines, against a push server that is killed on the way."""

from __future__ import annotations

import functools
import http.server
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect

from commands.process import free_port
from commands.processes import PushProcess
from commands.redis import RedisServer
from commands.token import link, token
from orders.model import Age, Stage
from stream.config import Settings
from tests.web.told import Told, status
from tests.ws_server.writer import PARTITIONS
from ws_server.protocol import Role

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@contextmanager
def installation(redis: RedisServer, origin: str = "") -> Iterator[tuple[Told, PushProcess, str]]:
    """Redis with an order under way, push, and a token of the order's customer."""
    settings = Settings(
        redis=redis.url,
        partitions=PARTITIONS,
        push=f"127.0.0.1:{free_port()}",
        token_secret=secrets.token_urlsafe(32),
        origins=origin,
    )
    told = Told(redis.url)
    told.orders(status("o1"))
    with PushProcess(settings) as push:
        yield told, push, link(settings, token(settings, ("o1",), 1.0), Role.CUSTOMER)
    told.close()


def test_python_follows_an_order_across_a_dropped_connection(redis_server: RedisServer) -> None:
    with installation(redis_server) as (told, push, page):
        command = [sys.executable, "-u", str(EXAMPLES / "follow.py"), page]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
            assert following.stdout
            assert following.stdout.readline().split() == ["in_transit", "fresh"]
            push.kill9()
            told.orders(status("o1", Stage.SIGNED, age=Age.ENDED))
            push.start()
            said = [line.split() for line in iter(following.stdout.readline, "signed ended\n")]
            following.kill()
    assert all(words == ["in_transit", "fresh"] for words in said)


@contextmanager
def page_server() -> Iterator[str]:
    """The examples' folder as another host serves it; gives its origin."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(EXAMPLES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_page_follows_an_order_across_a_dropped_connection(
    redis_server: RedisServer, browser: Browser
) -> None:
    with page_server() as origin, installation(redis_server, origin) as (told, push, page):
        secret = page.partition("#")[2]
        shown = browser.new_page()
        shown.goto(f"{origin}/follow.html?server=127.0.0.1:{push.port}#{secret}")
        expect(shown.locator("#status")).to_contain_text('"stage": "in_transit"')
        push.kill9()
        told.orders(status("o1", Stage.SIGNED, age=Age.ENDED))
        push.start()
        expect(shown.locator("#status")).to_contain_text('"stage": "signed"')
        shown.close()
