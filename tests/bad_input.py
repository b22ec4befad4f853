"""Seeded bad input for any public topic, and a count of what the wire makes of a record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from geo.model import Rejected
from stream import topics, wire
from tests.stream.golden import GOLDEN, TRACCAR

DECODERS: Mapping[str, Callable[[bytes | None], Sequence[object]]] = {
    topics.PINGS: wire.decode_pings,
    topics.PLANS: wire.decode_plans,
    topics.ORDER_EVENTS: wire.decode_orders,
    topics.ORDER_FACTS: wire.decode_facts,
    topics.SIGNALS: wire.decode_signals,
    topics.DEAD_LETTERS: wire.decode_letters,
}
"""The topics an agent or a command reads, and how."""

WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**30,
    10**400,
    "",
    "x",
    "\x00",
    "y" * 200,
    [],
    {},
    [[]],
    {"a": 1},
)
"""In place of a good field: wrong types, bounds and sizes. Some fields take some of them."""


def good_records(topic: str) -> list[bytes]:
    """An example of each message of a topic."""
    examples = [encoded for name, _, encoded in GOLDEN if name == topic]
    return [*examples, TRACCAR] if topic == topics.PINGS else examples


def bad_records(topic: str, n: int, seed: int) -> list[bytes]:
    """Records as broken producers and attackers send them; a few are still good by chance."""
    random = Random(seed)
    good = good_records(topic)
    return [random.choice(BREAKAGES)(random, random.choice(good)) for _ in range(n)]


def outcome(topic: str, record: bytes | None) -> tuple[int, int]:
    """How many good and how many rejected messages a record holds."""
    messages = DECODERS[topic](record)
    rejected = sum(isinstance(message, Rejected) for message in messages)
    return len(messages) - rejected, rejected


def _noise(random: Random, good: bytes) -> bytes:
    return random.randbytes(random.randrange(200))


def _flipped(random: Random, good: bytes) -> bytes:
    broken = bytearray(good)
    for _ in range(random.randint(1, 5)):
        broken[random.randrange(len(broken))] = random.randrange(256)
    return bytes(broken)


def _truncated(random: Random, good: bytes) -> bytes:
    return good[: random.randrange(len(good))]


def _spliced(random: Random, good: bytes) -> bytes:
    return good[: random.randrange(len(good))] + good[random.randrange(len(good)) :]


def _wrong_field(random: Random, good: bytes) -> bytes:
    message = json.loads(good)
    holder = _some_object(random, message)
    holder[random.choice(list(holder))] = random.choice(WRONG)
    return json.dumps(message).encode()


def _missing_field(random: Random, good: bytes) -> bytes:
    message = json.loads(good)
    holder = _some_object(random, message)
    del holder[random.choice(list(holder))]
    return json.dumps(message).encode()


def _not_a_number(random: Random, good: bytes) -> bytes:
    message = json.loads(good)
    message[random.choice(list(message))] = random.choice([float("nan"), float("inf")])
    return json.dumps(message).encode()  # NaN and Infinity, which are not JSON.


def _deep(random: Random, good: bytes) -> bytes:
    depth = random.choice([100, 2_000, 20_000])
    opening, closing = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
    nested = opening * depth + b"1" + closing * depth
    return random.choice([nested, good[:-1] + b',"extra":' + nested + b"}"])


def _huge(random: Random, good: bytes) -> bytes:
    return (
        good[:-1]
        + b',"extra":"'
        + b"x" * random.choice([1_000, 50_000])
        + random.choice([b'"', b'"}'])
    )


def _array(random: Random, good: bytes) -> bytes:
    parts = [random.choice([good, b"0", b"null", b"{}", b"[]"]) for _ in range(random.randrange(9))]
    return b"[" + b",".join(parts) + b"]"


def _in_utf16(random: Random, good: bytes) -> bytes:
    return good.decode().encode("utf-16")


def _some_object(random: Random, message: Any) -> dict[str, Any]:
    """The message itself or one of the objects in it that have fields."""
    found: list[dict[str, Any]] = []
    waiting = [message]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found += [value] if value else []
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return random.choice(found)


BREAKAGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    _noise, _flipped, _truncated, _spliced, _wrong_field, _missing_field, _not_a_number, _deep,
    _huge, _array, _in_utf16,
)  # fmt: skip
