"""Tokens: JSON Web Tokens signed with a secret that push processes and token makers share.

A token says who its bearer is, in which role, until when, and, of a customer, for which orders.
It comes in the `Authorization` header, in a subprotocol `gps.bearer.TOKEN` (a browser can set no
header), or in the first message; never in the address, which ends up in logs.
"""

from __future__ import annotations

from collections.abc import Mapping

import jwt
import msgspec

from stream.config import ConfigError
from ws_server.hub import Grant
from ws_server.protocol import BEARER, Role

ALGORITHM = "HS256"
AUDIENCE = "milepost"
MIN_SECRET_BYTES = 32
"""RFC 7518 3.2: a key of at least the size of the hash."""


class _Claims(msgspec.Struct):
    sub: str
    role: Role
    exp: int
    orders: tuple[str, ...] = ()


class Tokens:
    """Makes and reads tokens of one secret."""

    def __init__(self, secret: str) -> None:
        """Raises ConfigError for a secret that is too short to be one."""
        if len(secret.encode()) < MIN_SECRET_BYTES:
            raise ConfigError(
                f"MILEPOST_TOKEN_SECRET has {len(secret.encode())} bytes and must have "
                f"{MIN_SECRET_BYTES} or more, the same for `milepost push` and `milepost token`; "
                "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        self._secret = secret

    def mint(self, grant: Grant) -> str:
        claims = {
            "aud": AUDIENCE,
            "sub": grant.subject,
            "role": grant.role.value,
            "orders": list(grant.orders),
            "exp": grant.expires_at // 1000,
        }
        return jwt.encode(claims, self._secret, ALGORITHM)

    def read(self, token: str) -> Grant | str:
        """What a token allows, or why it is not taken."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                options={"require": ["exp", "sub"]},
            )
            said = msgspec.convert(claims, _Claims)
        except jwt.ExpiredSignatureError:
            return "the token has expired: ask for a new link"
        except (jwt.InvalidTokenError, msgspec.ValidationError) as wrong:
            return f"the token is not valid: {wrong}"
        return Grant(said.sub, said.role, said.exp * 1000, said.orders)


def offered(headers: Mapping[str, str]) -> str | None:
    """The token a request brings along; header names are compared as the mapping does."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    for name in headers.get("Sec-WebSocket-Protocol", "").split(","):
        if name.strip().startswith(BEARER):
            return name.strip().removeprefix(BEARER)
    return None
