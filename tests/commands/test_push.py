"""`milepost push` and `milepost token` as a user types them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from commands.processes import PROGRAM
from ws_server.auth import Tokens
from ws_server.hub import Grant
from ws_server.protocol import Role

SECRET = "s" * 32


def milepost(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MILEPOST_")}
    command = [sys.executable, str(PROGRAM), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean | environ)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


@pytest.mark.parametrize("command", [("push",), ("token", "--dispatcher")])
def test_a_missing_secret_is_one_sentence_that_says_how_to_make_one(
    command: tuple[str, ...],
) -> None:
    code, out, err = milepost(*command, "--push", "127.0.0.1:0")
    assert (code, out) == (2, "")
    assert err.startswith("milepost: MILEPOST_TOKEN_SECRET has 0 bytes")
    assert "secrets.token_urlsafe(32)" in err


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, _, err = milepost("push", "--push", address, MILEPOST_TOKEN_SECRET=SECRET)
    assert code == 2
    assert err.startswith(f"milepost: cannot serve pages on {address}")
    assert "set MILEPOST_PUSH to a free host:port" in err


def test_push_without_redis_is_one_sentence() -> None:
    code, _, err = milepost("push", "--redis", "", MILEPOST_TOKEN_SECRET=SECRET)
    assert (code, "MILEPOST_REDIS is empty" in err) == (2, True)


def test_a_customers_token_is_for_its_orders() -> None:
    code, out, _ = milepost("token", "--order", "o1", "--order", "o2", MILEPOST_TOKEN_SECRET=SECRET)
    grant = Tokens(SECRET).read(out)
    assert code == 0
    assert isinstance(grant, Grant)
    assert (grant.role, grant.orders) == (Role.CUSTOMER, ("o1", "o2"))


def test_a_link_opens_the_page_it_is_for() -> None:
    code, out, _ = milepost(
        "token", "--dispatcher", "--link", "--push", "10.0.0.1:8700", MILEPOST_TOKEN_SECRET=SECRET
    )
    page, _, token = out.partition("#")
    assert (code, page) == (0, "http://10.0.0.1:8700/")
    assert isinstance(Tokens(SECRET).read(token), Grant)


@pytest.mark.parametrize("given", [(), ("--dispatcher", "--order", "o1")])
def test_a_token_is_for_one_role(given: tuple[str, ...]) -> None:
    code, _, err = milepost("token", *given, MILEPOST_TOKEN_SECRET=SECRET)
    assert (code, "name one" in err) == (2, True)
