"""`python -m load_tests.map`: how smoothly a browser draws the dispatcher's map of a large fleet.

A push server, the built pages and a headless Chromium that draws without a graphics card, all on
one machine; 10,000 vehicles of one city, each with a new position every second. Counted are the
page's own `requestAnimationFrame` calls: what the page can draw, not what a screen would show.

The map stands still, then it is dragged: as it opens, where most vehicles are in clusters, and so
close that each is drawn by itself, which is the most there can be to draw. It has settled when
frames are regular again: five in a row, none more than 50 ms after the one before.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import Struct
from playwright.sync_api import Page, ViewportSize, expect, sync_playwright
from rich.box import SIMPLE
from rich.table import Table

from commands.process import LOOPBACK, CannotStart, free_port
from commands.processes import PushProcess
from commands.redis import RedisServer
from commands.token import token
from load_tests.bench import machine
from load_tests.ground import Say, console, progress, write_json
from load_tests.moving import Moving
from load_tests.pushed import quantile
from stream.config import Settings

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    *("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
)
ZOOM_STEPS = 5
SIZE = ViewportSize(width=1440, height=900)
OPEN_MS = 60_000

REGULAR_MS, REGULAR = 50.0, 5
LONGEST_MS = 2_000.0
"""A drag that has not settled by then counts as this."""
HOLD_FPS, HOLD_SETTLE_MS = 40.0, 350.0
"""What is promised (design.md §5)."""

COUNT = """() => {
  window.drawn = [];
  window.released = 0;
  addEventListener("mouseup", () => { window.released = performance.now(); }, true);
  const tick = () => { window.drawn.push(performance.now()); requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


class Options(Struct, frozen=True):
    vehicles: int = 10_000
    seconds: float = 20.0
    drags: int = 6


class Frames(Struct, frozen=True):
    fps: float
    p95_ms: float
    """Between two frames; so is the next."""
    max_ms: float


class View(Struct, frozen=True):
    """The map in one zoom, with the feed."""

    still: Frames
    dragged: Frames
    settle_p50_ms: float
    settle_max_ms: float


class Smooth(Struct, frozen=True):
    quiet: Frames
    """As it opens, without the feed."""
    opened: View
    close: View
    """Near enough that there are no clusters."""


def frames(times: Sequence[float]) -> Frames:
    """Of the moments in which frames were drawn, in ms."""
    if len(times) < 2:
        return Frames(0.0, LONGEST_MS, LONGEST_MS)
    gaps = sorted(b - a for a, b in pairwise(times))
    fps = len(gaps) * 1_000 / (times[-1] - times[0])
    return Frames(round(fps, 1), round(quantile(gaps, 0.95), 1), round(gaps[-1], 1))


def settled_ms(times: Sequence[float], released: float) -> float:
    """From the release to the first frame of those that are regular again."""
    after = [released, *(at for at in times if at > released)]
    for first in range(1, len(after) - REGULAR):
        run = after[first : first + REGULAR + 1]
        if all(b - a <= REGULAR_MS for a, b in pairwise(run)):
            return round(run[0] - released, 1)
    return LONGEST_MS


def measure(options: Options, say: Say) -> Smooth:
    """Raises CannotStart."""
    found = [path for name in CHROMIUM if (path := shutil.which(name))]
    if not found:
        raise CannotStart("no Chromium on the PATH (Debian: apt-get install chromium)")
    with RedisServer() as redis:
        settings = Settings(
            redis=redis.url,
            push=f"{LOOPBACK}:{free_port()}",
            token_secret=secrets.token_urlsafe(32),
        )
        moving = Moving(settings, options.vehicles)
        with PushProcess(settings), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found[0], args=list(ARGUMENTS))
            try:
                page = browser.new_context(locale="en-GB", viewport=SIZE).new_page()
                return _look(page, settings, moving, options, say)
            finally:
                browser.close()


def _look(page: Page, settings: Settings, moving: Moving, options: Options, say: Say) -> Smooth:
    say(f"opening the map of {options.vehicles:,} vehicles")
    page.goto(f"http://{settings.push}/#{token(settings, (), hours=1)}")
    vehicles = page.get_by_role("tab", name="Vehicles")
    expect(vehicles).to_have_attribute("data-count", f"{options.vehicles:,}", timeout=OPEN_MS)
    page.evaluate(COUNT)
    _until_calm(page)
    say("still, without the feed")
    quiet = _still(page, options)
    with moving:
        opened = _view(page, options, say)
        _zoom_in(page)
        close = _view(page, options, say)
    return Smooth(quiet, opened, close)


def _view(page: Page, options: Options, say: Say) -> View:
    say("still, with the feed")
    still = _still(page, options)
    say("dragging")
    dragged, settles = _dragged(page, options.drags)
    return View(still, dragged, quantile(settles, 0.5), settles[-1])


def _still(page: Page, options: Options) -> Frames:
    page.evaluate("() => { window.drawn.length = 0; }")
    page.wait_for_timeout(options.seconds * 1_000)
    return frames(page.evaluate("() => window.drawn"))


def _dragged(page: Page, drags: int) -> tuple[Frames, list[float]]:
    """The frames while the map is dragged, there and back, and how long each took to settle; the
    shortest first."""
    x, y = SIZE["width"] / 2, SIZE["height"] / 2
    gaps: list[float] = []
    settles = []
    for number in range(drags):
        way = 300 if number % 2 else -300
        page.mouse.move(x, y)
        page.evaluate("() => { window.drawn.length = 0; }")
        page.mouse.down()
        page.mouse.move(x + way, y + way / 3, steps=12)
        page.wait_for_timeout(200)  # Held still, so that it does not glide on.
        moving = page.evaluate("() => window.drawn")
        page.mouse.up()
        page.wait_for_timeout(LONGEST_MS)
        times, released = page.evaluate("() => [window.drawn, window.released]")
        settles.append(settled_ms(times, released))
        gaps += [b - a for a, b in pairwise(moving)]
    times = [0.0]
    for gap in gaps:
        times.append(times[-1] + gap)
    return frames(times), sorted(settles)


def _zoom_in(page: Page) -> None:
    page.mouse.move(SIZE["width"] / 2, SIZE["height"] / 2)
    for _ in range(ZOOM_STEPS):
        page.mouse.wheel(0, -200)
        page.wait_for_timeout(300)
    _until_calm(page)


def _until_calm(page: Page) -> None:
    """The map has been drawn after what was loaded or zoomed."""
    page.wait_for_timeout(LONGEST_MS)


def table(title: str, found: Smooth) -> Table:
    shown = Table(title=title, box=SIMPLE, title_justify="left")
    for heading in ("the map", "frames/s", "p95 ms", "max", "settled p50 ms", "max"):
        shown.add_column(heading, justify="left" if heading == "the map" else "right")
    shown.add_row("as it opens, nothing moves", *_cells(found.quiet))
    for name, view in (("as it opens", found.opened), ("close, no clusters", found.close)):
        shown.add_row(f"{name}, still", *_cells(view.still))
        settles = (f"{ms:.0f}" for ms in (view.settle_p50_ms, view.settle_max_ms))
        shown.add_row(f"{name}, dragged", *_cells(view.dragged), *settles)
    return shown


def _cells(one: Frames) -> tuple[str, str, str]:
    return f"{one.fps:.0f}", f"{one.p95_ms:.0f}", f"{one.max_ms:.0f}"


def report(found: Smooth, options: Options) -> dict[str, Any]:
    """What `--json` writes. A ratio above 1: worse than promised."""
    ratios: dict[str, float | None] = {}
    for name, view in (("opened", found.opened), ("close", found.close)):
        fps = view.still.fps
        ratios[f"promised / {name} fps"] = round(HOLD_FPS / fps, 3) if fps else None
        ratios[f"{name} settle p50 / promised"] = round(view.settle_p50_ms / HOLD_SETTLE_MS, 3)
    return {
        "results": {**msgspec.to_builtins(found), "options": msgspec.to_builtins(options)},
        "ratios": ratios,
        "machine": machine(),
    }


def main(
    json: Annotated[Path | None, typer.Option(help="write the figures here too")] = None,
    vehicles: Annotated[int, typer.Option(min=1)] = 10_000,
    seconds: Annotated[float, typer.Option(min=1, help="for each look at a still map")] = 20.0,
    drags: Annotated[int, typer.Option(min=1)] = 6,
) -> None:
    """Frames a second of the dispatcher's map."""
    options = Options(vehicles, seconds, drags)
    with progress() as say:
        found = measure(options, say)
    console.print(table(f"{vehicles:,} vehicles at 1 Hz, no graphics card", found))
    write_json(json, report(found, options))


if __name__ == "__main__":
    typer.run(main)
