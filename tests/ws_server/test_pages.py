from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from ws_server.pages import FOR_EVER, NOT_BUILT, Pages

HTML = "<!doctype html><title>里程</title>"
FILES = {
    "index.html": HTML,
    "order.html": HTML + "order",
    "assets/app-1a2b.js": "let a = 1;",
    "assets/worker-1a2b.mjs": "let w = 1;",
    "assets/app-1a2b.css": "a {}",
    "assets/map-1a2b.bin": "\0\1",
    "icon.svg": "<svg/>",
}


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "secret.txt").write_text("not a page")
    folder = tmp_path / "dist"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Pages(folder)


def get(pages: Pages, path: str, accept: str = "") -> Response:
    headers = Headers({"Accept-Encoding": accept}) if accept else Headers()
    return pages.answer(Request(path, headers))


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("/", "text/html; charset=utf-8", "index.html"),
        ("/index.html?x=1", "text/html; charset=utf-8", "index.html"),
        ("/order.html", "text/html; charset=utf-8", "order.html"),
        ("/assets/app-1a2b.js", "text/javascript; charset=utf-8", "assets/app-1a2b.js"),
        ("/assets/worker-1a2b.mjs", "text/javascript; charset=utf-8", "assets/worker-1a2b.mjs"),
        ("/assets/app-1a2b.css", "text/css; charset=utf-8", "assets/app-1a2b.css"),
        ("/assets/map-1a2b.bin", "application/octet-stream", "assets/map-1a2b.bin"),
        ("/icon.svg", "image/svg+xml; charset=utf-8", "icon.svg"),
    ],
)
def test_a_file_is_served_as_what_it_is(pages: Pages, path: str, kind: str, name: str) -> None:
    said = get(pages, path)
    assert (said.status_code, said.headers["Content-Type"]) == (200, kind)
    assert said.body == FILES[name].encode()
    assert said.headers["Content-Length"] == str(len(said.body))


def test_text_is_compressed_for_who_can_read_it(pages: Pages) -> None:
    said = get(pages, "/", "br, gzip")
    assert (said.headers["Content-Encoding"], said.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(said.body) == HTML.encode()
    assert said.headers["Content-Length"] == str(len(said.body))
    plain = get(pages, "/")
    assert ("Content-Encoding" in plain.headers, plain.headers["Vary"]) == (
        False, "Accept-Encoding",
    )  # fmt: skip
    assert "Content-Encoding" not in get(pages, "/assets/map-1a2b.bin", "gzip").headers


@pytest.mark.parametrize(
    ("path", "kept"),
    [("/", "no-cache"), ("/order.html", "no-cache"), ("/assets/app-1a2b.js", FOR_EVER)],
)
def test_what_is_named_by_its_hash_may_be_kept(pages: Pages, path: str, kept: str) -> None:
    assert get(pages, path).headers["Cache-Control"] == kept


@pytest.mark.parametrize("path", ["/", "/order.html", "/assets/app-1a2b.js"])
def test_a_page_may_ask_nobody_else(pages: Pages, path: str) -> None:
    headers = get(pages, path).headers
    policy = dict(
        rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == policy["connect-src"] == "'self'"
    assert policy["worker-src"] == "'self' blob:"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["frame-ancestors"] == "'none'"
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == (
        "nosniff", "no-referrer",
    )  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..\\secret.txt",
        "//secret.txt",
        "/assets",
        "/assets/",
        "/index.html/",
        "/nothing",
        "",
    ],
)
def test_nothing_but_the_pages_is_served(pages: Pages, path: str) -> None:
    said = get(pages, path)
    assert (said.status_code, said.body) == (404, b"there is no such page\n")


def test_pages_that_are_not_built_say_how_to_build_them(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "nowhere")
    said = get(pages, "/")
    assert (pages.built, said.status_code, said.body) == (False, 404, NOT_BUILT.encode())
