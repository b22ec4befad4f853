"""The pages speak the server's words: what is generated from the structs is what is committed."""

from __future__ import annotations

import pytest

from ws_server.typescript import FOLDER, files


@pytest.mark.parametrize("name", files())
def test_what_the_pages_know_of_the_wire_is_current(name: str) -> None:
    current = files()[name]
    assert (FOLDER / name).read_text() == current, "run: python -m ws_server.typescript"
