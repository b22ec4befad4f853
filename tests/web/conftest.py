"""A browser, and a real push server over a real Redis."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from commands.processes import PushProcess
from commands.redis import RedisServer
from commands.token import link, token
from stream.config import Settings
from tests.web.told import Told
from tests.ws_server.writer import PARTITIONS
from ws_server.pages import BUILT
from ws_server.protocol import Role

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Software rendering; and a browser that asks nobody for anything on its own account.
ARGUMENTS = [
    *("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = [path for name in CHROMIUM if (path := shutil.which(name))]
    if not found:
        pytest.skip("needs a Chromium on the PATH (Debian: apt-get install chromium)")
    # Maps are drawn without a graphics card, by as many cores as the tests get.
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=found[0], args=ARGUMENTS)


class Pages:
    """The push server's pages, opened as people do. `wrong` is what must not have happened."""

    def __init__(self, push: PushProcess, settings: Settings, browser: Browser) -> None:
        self.push = push
        self.wrong: list[str] = []
        self._settings = settings
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._killed = False

    def kill(self) -> None:
        """The server, whatever it is just sending."""
        self._killed = True
        self.push.kill9()

    def link(self, *orders: str, hours: float = 1.0) -> str:
        """A customer's for these orders, a dispatcher's for none."""
        role = Role.CUSTOMER if orders else Role.DISPATCHER
        return link(self._settings, token(self._settings, orders, hours), role)

    def open(self, link: str, locale: str = "en-GB", width: int = 1440, height: int = 900) -> Page:
        viewport = ViewportSize(width=width, height=height)
        context = self._browser.new_context(locale=locale, viewport=viewport)
        self._contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self._logged(said.type, said.text))
        page.goto(link)
        return page

    def phone(self, link: str, locale: str = "en-GB") -> Page:
        return self.open(link, locale, 390, 844)

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def _asked(self, url: str) -> None:
        if url.partition("://")[2].partition("/")[0] != self._settings.push:
            self.wrong.append(f"asked {url}")

    def _logged(self, kind: str, text: str) -> None:
        # A browser logs each failed connection itself; a test that kills the server makes some.
        failed = text.startswith("WebSocket connection to") or "ERR_CONNECTION_REFUSED" in text
        failed = failed or (self._killed and "ERR_CONNECTION_RESET" in text)
        if kind in ("error", "warning") and not failed:
            self.wrong.append(f"{kind}: {text}")


@pytest.fixture(scope="module")
def built() -> None:
    if not (BUILT / "index.html").exists():
        pytest.skip("needs the built pages: make pages")


@pytest.fixture(scope="module")
def served(built: None, redis_server: RedisServer) -> Iterator[tuple[PushProcess, Settings]]:
    secret = secrets.token_urlsafe(32)
    settings = Settings(
        redis=redis_server.url, partitions=PARTITIONS, push="127.0.0.1:0", token_secret=secret
    )
    told = Told(redis_server.url)
    with PushProcess(settings) as push:
        yield push, Settings(push=f"127.0.0.1:{push.port}", token_secret=secret)
    told.close()


@pytest.fixture
def told(redis_server: RedisServer, served: tuple[PushProcess, Settings]) -> Iterator[Told]:
    """Redis, and push, that know of nothing yet."""
    told = Told(redis_server.url)
    served[0].restart()
    yield told
    told.close()


@pytest.fixture
def pages(told: Told, served: tuple[PushProcess, Settings], browser: Browser) -> Iterator[Pages]:
    """Fails the test that asked another host, or logged an error."""
    pages = Pages(*served, browser)
    yield pages
    pages.close()
    assert pages.wrong == []
