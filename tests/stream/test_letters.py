from __future__ import annotations

from dataclasses import dataclass

from geo.model import Rejected
from stream.letters import MAX_VALUE_BYTES, DeadLetter, Reason
from stream.wire import encode


@dataclass(frozen=True)
class Refused:
    value: bytes | None
    key: bytes | None = b"truck-7"
    topic: str = "gps.pings"
    partition: int = 3
    offset: int = 41
    timestamp: int = 2000


def test_a_letter_says_what_was_refused_where_and_why() -> None:
    rejected = Rejected(Reason.NOT_JSON, "malformed")
    assert DeadLetter.of(rejected, Refused(b"{"), "Traceback") == DeadLetter(
        reason="not_json",
        detail="malformed",
        topic="gps.pings",
        partition=3,
        offset=41,
        key=b"truck-7",
        value=b"{",
        size=1,
        rejected_at=2000,
        traceback="Traceback",
    )


def test_a_letter_for_an_element_holds_that_element_only() -> None:
    letter = DeadLetter.of(Rejected(Reason.WRONG_SHAPE, part=b"0"), Refused(b"[0,0,0]"))
    assert (letter.value, letter.size) == (b"0", 1)


def test_a_letter_for_a_tombstone_has_neither_value_nor_key() -> None:
    letter = DeadLetter.of(Rejected(Reason.EMPTY), Refused(None, key=None))
    assert (letter.key, letter.value, letter.size) == (None, None, 0)


def test_a_letter_for_the_largest_record_is_small_enough_for_kafka() -> None:
    letter = DeadLetter.of(Rejected(Reason.NOT_JSON), Refused(b"\xff" * 2**20, key=b"k" * 2**20))
    assert (letter.value, letter.size) == (b"\xff" * MAX_VALUE_BYTES, 2**20)
    assert len(encode(letter)) < 2**20
