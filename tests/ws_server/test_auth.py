from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from stream.config import ConfigError
from ws_server.auth import AUDIENCE, MIN_SECRET_BYTES, Tokens, offered
from ws_server.hub import Grant
from ws_server.protocol import Role

SECRET = "s" * MIN_SECRET_BYTES
NOW_S = int(time.time())
HOUR_S = 3_600
TOKENS = Tokens(SECRET)


def claims(**other: Any) -> dict[str, Any]:
    """A good token's, with others in place of some; None leaves one out."""
    good = {"aud": AUDIENCE, "sub": "c", "role": "customer", "orders": ["o1"]}
    return {k: v for k, v in (good | {"exp": NOW_S + HOUR_S} | other).items() if v is not None}


def signed(secret: str = SECRET, algorithm: str = "HS256", **other: Any) -> str:
    return jwt.encode(claims(**other), secret, algorithm)


@pytest.mark.parametrize(
    "grant",
    [
        Grant("c", Role.CUSTOMER, (NOW_S + HOUR_S) * 1000, ("o1", "订单-2")),
        Grant("d", Role.DISPATCHER, (NOW_S + HOUR_S) * 1000),
    ],
    ids=["customer", "dispatcher"],
)
def test_what_is_made_is_read(grant: Grant) -> None:
    assert TOKENS.read(TOKENS.mint(grant)) == grant


def test_a_token_made_elsewhere_with_the_secret_is_read() -> None:
    expected = Grant("c", Role.CUSTOMER, (NOW_S + HOUR_S) * 1000, ("o1",))
    assert TOKENS.read(signed()) == expected


def test_an_expired_token_is_called_that() -> None:
    assert TOKENS.read(signed(exp=NOW_S - 1)) == "the token has expired: ask for a new link"


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(signed("t" * MIN_SECRET_BYTES), id="another secret"),
        pytest.param(jwt.encode(claims(), "", "none"), id="alg none"),
        pytest.param(signed("s" * 64, "HS512"), id="another algorithm"),
        pytest.param(signed(aud="others"), id="another audience"),
        pytest.param(signed(aud=None), id="no audience"),
        pytest.param(signed(exp=None), id="for ever"),
        pytest.param(signed(sub=None), id="nobody's"),
        pytest.param(signed(role=None), id="no role"),
        pytest.param(signed(role="admin"), id="a role that is none"),
        pytest.param(signed(orders="o1"), id="orders that are no list"),
        pytest.param(signed()[:-2], id="cut short"),
        pytest.param(signed() + "." + signed(), id="too many parts"),
        pytest.param("garbage", id="garbage"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_not_our_token_allows_nothing(forged: str) -> None:
    said = TOKENS.read(forged)
    assert isinstance(said, str)
    assert said.startswith("the token is not valid: ")
    assert SECRET not in said


def test_changed_claims_do_not_fit_the_signature() -> None:
    head, _, signature = signed().split(".")
    _, theirs, _ = signed(role="dispatcher").split(".")
    assert isinstance(TOKENS.read(f"{head}.{theirs}.{signature}"), str)


@pytest.mark.parametrize("secret", ["", "s" * (MIN_SECRET_BYTES - 1)])
def test_a_short_secret_is_refused_and_a_way_to_make_one_is_said(secret: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Tokens(secret)
    said = str(refused.value)
    assert said.startswith(f"MILEPOST_TOKEN_SECRET has {len(secret)} bytes and must have 32")
    assert "secrets.token_urlsafe(32)" in said


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"Authorization": "Bearer abc"}, "abc"),
        ({"Authorization": "bearer abc"}, "abc"),
        ({"Authorization": "Basic abc"}, None),
        ({"Authorization": "Bearer"}, None),
        ({"Sec-WebSocket-Protocol": "gps.v1, gps.bearer.a.b.c"}, "a.b.c"),
        ({"Sec-WebSocket-Protocol": "gps.v1"}, None),
        ({}, None),
    ],
)
def test_a_token_comes_in_a_header_or_a_subprotocol(
    headers: dict[str, str], token: str | None
) -> None:
    assert offered(headers) == token
