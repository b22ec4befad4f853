"""The page of `milepost visits --map` in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from commands.findings import find
from commands.picture import picture
from geo.sources import Source
from tests.builders import ping, stop

DAY = [(0, 3_000), (300, 900), (400, 20), (500, 22), (700, 20), (1_000, 21), (1_100, 900)]


def test_a_visit_is_listed_found_on_the_map_and_explained(browser: Browser, tmp_path: Path) -> None:
    pings = [ping(seconds, north_m) for seconds, north_m in DAY]
    found = find(
        {"v1": pings}, [stop("yard")], (Source(), {}), for_picture=True, told=lambda done: None
    )
    file = tmp_path / "map.html"
    file.write_text(picture(found, [stop("yard")]), encoding="utf-8")
    page = browser.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(file.as_uri())
    page.locator("#visits button").click()
    box = page.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#tip")).to_contain_text("yard · v1")
    page.close()
    assert (asked, wrong) == ([file.as_uri()], [])
