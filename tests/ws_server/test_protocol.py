from __future__ import annotations

import pytest
from msgspec import Raw
from websockets.frames import Frame, Opcode

from tests.ws_server.builders import payload
from ws_server.protocol import (
    Asked,
    Close,
    Code,
    Delta,
    Err,
    Hello,
    Ping,
    Pong,
    Sub,
    Synced,
    Told,
    Unsub,
    decode,
    frame,
)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('{"op":"hello","v":1}', Hello(1)),
        ('{"op":"hello","v":1,"token":"t","app":"x"}', Hello(1, "t")),
        (b'{"op":"sub","topic":"order:1","id":3}', Sub("order:1", 3)),
        ('{"op":"unsub","topic":"fleet"}', Unsub("fleet")),
        ('{"op":"pong"}', Pong()),
    ],
)
def test_what_a_client_may_say(said: str | bytes, meant: Asked) -> None:
    assert decode(said) == meant


@pytest.mark.parametrize(
    "said",
    ["", "[", "[" * 4_000, '{"op":"snap"}', '{"op":"sub"}', '{"op":"sub","topic":""}', b"\xff",
     '{"op":"sub","topic":"x","id":-1}', '{"op":"hello","v":"1"}'],
)  # fmt: skip
def test_anything_else_is_answered_with_what_is_wrong(said: str | bytes) -> None:
    answer = decode(said)
    assert isinstance(answer, Err)
    assert answer.code is Code.BAD_MESSAGE
    assert "expected op hello, sub, unsub or pong" in answer.msg


@pytest.mark.parametrize(
    ("told", "json"),
    [
        (Synced("fleet", 5), {"op": "synced", "topic": "fleet", "now": 5}),
        (Ping(5, live=False), {"op": "ping", "now": 5, "live": False}),
        (
            Delta("order:1", "1", 7, {"stage": Raw(b'"signed"')}, 6),
            {"op": "delta", "topic": "order:1", "id": "1", "rev": 7, "prev": 6,
             "set": {"stage": "signed"}},
        ),
        (
            Delta("orders", "1", 7, {}),
            {"op": "delta", "topic": "orders", "id": "1", "rev": 7, "set": {}},
        ),
    ],
)  # fmt: skip
def test_a_message_is_json_without_what_is_absent(told: Told, json: dict[str, object]) -> None:
    assert payload(frame(told)) == json


@pytest.mark.parametrize("length", [0, 60, 61, 62, 63, 1_000, 65_480, 65_520, 70_000])
def test_a_frame_is_the_librarys_frame(length: int) -> None:
    told = Err(Code.FORBIDDEN, "x" * length)
    made = frame(told)
    start = {126: 4, 127: 10}.get(made[1], 2)
    assert made == Frame(Opcode.TEXT, made[start:]).serialize(mask=False)


def test_the_first_digits_of_a_close_code_say_what_to_do() -> None:
    assert {code // 100 for code in Close} == {40, 41, 42}
    assert Close.UNAUTHORIZED // 100 == 40
    assert Close.SLOW // 100 == 41
    assert Close.GOING_AWAY // 100 == 42
