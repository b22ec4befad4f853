"""`gps.v1`: what may be said on a websocket, as the structs that are the JSON.

A client says `hello` first, then `sub` and `unsub`, and answers each `ping` with `pong`. A topic is
a collection of items: `order:ID` holds one, `orders` and `alerts` many, `fleet` none but the
positions that pass. Each subscription is answered with `snap` (one or more, the first with `part`
0 replaces what the client held), then `synced`, then what changes.

A client keeps, per topic and item, the highest `rev`. A `delta` with `prev` applies to the item
that has this `rev`; if the client holds another, it subscribes again. One without `prev` is the
whole item. `rev` is made by the owner of the partition, so it never goes back, whatever restarts.

The first digits of a close code say what the client is to do: 40xx stop, 41xx come back after
waiting, 42xx come back at once (with jitter).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Raw, Struct

from geo.model import Count, Ms

VERSION = 1
SUBPROTOCOL = "gps.v1"
BEARER = "gps.bearer."
"""A second subprotocol, `gps.bearer.TOKEN`, carries a browser's token: it can set no header."""

ORDER = "order:"
ORDERS, FLEET, ALERTS = "orders", "fleet", "alerts"

HELLO_BYTES = 16_384
MESSAGE_BYTES = 4_096


class Role(StrEnum):
    CUSTOMER = "customer"
    """Sees the orders its token names, and nothing else."""
    DISPATCHER = "dispatcher"
    """Sees all."""

    __hash__ = str.__hash__  # Enum's own is in Python, and each change is looked up by role.


class Close(IntEnum):
    BAD_MESSAGE = 4000
    UNAUTHORIZED = 4001
    NO_SUCH_VERSION = 4004
    TOO_MANY_ERRORS = 4006
    OVER_CAPACITY = 4100
    RATE_LIMITED = 4101
    SLOW = 4108
    GOING_AWAY = 4200
    NO_PONG = 4201
    TOKEN_EXPIRED = 4202


class Code(StrEnum):
    """Why a request was refused, in an `err`."""

    NO_SUCH_TOPIC = "no_such_topic"
    FORBIDDEN = "forbidden"
    TOO_MANY_TOPICS = "too_many_topics"
    BAD_MESSAGE = "bad_message"


class _Said(Struct, frozen=True, tag_field="op", omit_defaults=True):
    pass


# From the client.


class Hello(_Said, frozen=True, tag="hello"):
    v: int
    token: Annotated[str, Meta(max_length=8_192)] = ""
    """Only if neither a header nor a subprotocol carried it."""


class Sub(_Said, frozen=True, tag="sub"):
    topic: Annotated[str, Meta(min_length=1, max_length=144)]
    id: Count | None = None
    """Comes back in an `err`."""


class Unsub(_Said, frozen=True, tag="unsub"):
    topic: Annotated[str, Meta(min_length=1, max_length=144)]


class Pong(_Said, frozen=True, tag="pong"):
    pass


Asked = Hello | Sub | Unsub | Pong


# From the server.


class Welcome(_Said, frozen=True, tag="hello"):
    v: int
    now: Ms
    """The server's clock, so that a client shows ages by it and not by its own."""
    ping_s: int
    """The longest the server is silent; a client that hears nothing for 10 s more reconnects."""
    role: Role
    expires_at: Ms
    live: bool
    """Whether the server itself hears of changes."""
    orders: tuple[str, ...] = ()
    """What a customer's token is for."""


class Item(Struct, frozen=True):
    id: str
    rev: Count
    data: Raw | dict[str, Raw]


class Snap(_Said, frozen=True, tag="snap"):
    topic: str
    items: list[Item]
    part: int
    """From 0; the first one replaces what the client held of the topic."""


class Synced(_Said, frozen=True, tag="synced"):
    """The snapshot is complete; what follows is news."""

    topic: str
    now: Ms


class Delta(_Said, frozen=True, tag="delta"):
    topic: str
    id: str
    rev: Count
    set: dict[str, Raw]
    """Fields with their new values; whole values, never parts."""
    prev: Count | None = None


class Pos(_Said, frozen=True, tag="pos"):
    """Newest positions: [vehicle, fix time, lat, lon, speed m/s, heading degrees, motion]."""

    topic: str
    now: Ms
    v: list[Raw]


class AlertSaid(_Said, frozen=True, tag="alert"):
    """An alert as it now is, with its sentence in both languages. Never conflated."""

    topic: str
    id: str
    rev: Count
    data: Raw | dict[str, Raw]


class Err(_Said, frozen=True, tag="err"):
    code: Code
    msg: str
    topic: str = ""
    id: Count | None = None


class Ping(_Said, frozen=True, tag="ping"):
    now: Ms
    live: bool
    """False: the server hears of no changes just now, so what the client holds may be old."""


Told = Welcome | Snap | Synced | Delta | Pos | AlertSaid | Err | Ping

_asked: msgspec.json.Decoder[Asked] = msgspec.json.Decoder(Asked)
_encode = msgspec.json.Encoder().encode


def decode(message: str | bytes) -> Asked | Err:
    """What a client said, or the answer that says what was wrong with it."""
    try:
        return _asked.decode(message)
    except (ValueError, RecursionError) as wrong:
        return Err(Code.BAD_MESSAGE, f"{str(wrong)[:200]}; expected op hello, sub, unsub or pong")


def frame(told: Told) -> bytes:
    """A message as the bytes of one websocket frame: unmasked text, RFC 6455 5.2. Made once,
    written to all who are to have it; the library's own way makes it for each."""
    payload = _encode(told)
    length = len(payload)
    if length < 126:
        return b"\x81%c%b" % (length, payload)
    if length < 65_536:
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (length.to_bytes(8, "big"), payload)
