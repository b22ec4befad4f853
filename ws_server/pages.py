"""The built pages, held in memory: they are few and small, and served to everyone."""

from __future__ import annotations

import gzip
import mimetypes
from http import HTTPStatus
from pathlib import Path

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

BUILT = Path(__file__).resolve().parent.parent / "web" / "dist"
"""In a checkout as in an installed wheel: `web` stands beside the packages."""

HEADERS = {
    # The pages ask nobody but us for anything; a browser holds them to it.
    "Content-Security-Policy": (
        "default-src 'self'; worker-src 'self' blob:; img-src 'self' data: blob:; "
        "style-src 'self' 'unsafe-inline'; connect-src 'self'; object-src 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
FOR_EVER = "public, max-age=31536000, immutable"
"""For files whose name holds their hash; the others are asked for each time."""
COMPRESSED = (".js", ".mjs", ".css", ".html", ".json", ".svg")
NOT_BUILT = (
    "The pages are not built. In a checkout: `make pages`. The websocket at /ws works without.\n"
)


class Pages:
    def __init__(self, folder: Path = BUILT) -> None:
        self._files = {
            "/" + path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        self._small = {
            name: gzip.compress(body, mtime=0)
            for name, body in self._files.items()
            if name.endswith(COMPRESSED)
        }

    @property
    def built(self) -> bool:
        return "/index.html" in self._files

    def answer(self, request: Request) -> Response:
        """A file, or why there is none."""
        path = request.path.partition("?")[0]
        name = path + "index.html" if path.endswith("/") else path
        body = self._files.get(name)
        if body is None:
            said = "there is no such page\n" if self.built else NOT_BUILT
            return answer(HTTPStatus.NOT_FOUND, said.encode(), "text/plain; charset=utf-8")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        kind = "text/javascript" if name.endswith((".js", ".mjs")) else kind
        headers = dict(HEADERS)
        headers["Cache-Control"] = FOR_EVER if name.startswith("/assets/") else "no-cache"
        small = self._small.get(name)
        if small is not None:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in request.headers.get("Accept-Encoding", ""):
                headers["Content-Encoding"] = "gzip"
                body = small
        charset = "; charset=utf-8" if name in self._small else ""
        return answer(HTTPStatus.OK, body, kind + charset, headers)


def answer(
    status: HTTPStatus, body: bytes, kind: str, headers: dict[str, str] | None = None
) -> Response:
    """One answer, after which the connection ends."""
    said = Headers(
        {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Connection": "close",
            **(headers or {}),
        }
    )
    return Response(status.value, status.phrase, said, body)
