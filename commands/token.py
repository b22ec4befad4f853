"""`milepost token`: makes a token for a customer or a dispatcher."""

from __future__ import annotations

from stream.clock import wall_ms
from stream.config import Settings
from ws_server.auth import Tokens
from ws_server.hub import Grant
from ws_server.protocol import Role


def token(settings: Settings, orders: tuple[str, ...], hours: float) -> str:
    """A dispatcher's without orders, else a customer's for these. Raises ConfigError."""
    role = Role.CUSTOMER if orders else Role.DISPATCHER
    expires_at = wall_ms() + round(hours * 3_600_000)
    return Tokens(settings.token_secret).mint(Grant(role, role, expires_at, orders))


def link(settings: Settings, made: str, role: Role) -> str:
    """The page that opens with this token. It stands behind a #, so no server logs it."""
    page = "/order.html" if role is Role.CUSTOMER else "/"
    return f"http://{settings.push}{page}#{made}"
