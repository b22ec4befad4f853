"""What becomes of input that was not taken: a letter on the dead-letter topic."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from geo.model import Count, Ms, Rejected, Revised

if TYPE_CHECKING:  # At run time it would bring Faust into every process that reads letters.
    from stream.bulk import Record


class Reason(StrEnum):
    """Why the wire did not take a record, or a part of one. The cores add their own words."""

    EMPTY = "empty"
    """No value, or one of no bytes."""
    NOT_JSON = "not_json"
    """Not JSON, or not UTF-8."""
    TOO_DEEP = "too_deep"
    """Arrays or objects nested deeper than the decoder goes (about 1,000)."""
    WRONG_SHAPE = "wrong_shape"
    """JSON, but a field is missing, of another type or out of bounds, or the kind is unknown."""
    INVALID_FIX = "invalid_fix"
    """A Traccar position whose receiver had no fix."""
    FAILED = "failed"
    """Our own code raised; the letter holds the traceback."""


MAX_VALUE_BYTES = 600_000
"""Kept of a refused value: in base64 it stays below Kafka's default limit of 1 MiB for a record, so
that no producer can make a letter that the broker refuses for ever."""

MAX_KEY_BYTES = 1_000
"""Kept of a key; ids have at most 128 characters, so a longer one is part of what is wrong."""


VERDICTS = "later-verdict"
"""In place of a topic: the ping was judged anew from memory, since others came after it."""


class DeadLetter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was not taken, from where and why. In JSON `key` and `value` are base64."""

    reason: str
    """A `Reason`, or the word of the core that refused it."""
    detail: str
    topic: str
    """As the broker names it, with the installation's prefix; of a later verdict `VERDICTS`."""
    partition: Count
    offset: Count
    """Both 0 in a later verdict, which rests on what is remembered."""
    key: bytes | None
    value: bytes | None
    """The bytes that were refused: the record's, or of the one array element. None: it had none."""
    size: Count
    """Bytes that `value` had; more than it has now if it was too long to keep."""
    rejected_at: Ms
    """The record's timestamp: for public input, when it reached Kafka."""
    traceback: str = ""

    @classmethod
    def of(cls, rejected: Rejected, record: Record, traceback: str = "") -> DeadLetter:
        """The letter for a record, or for the `part` of it that was rejected."""
        value = rejected.part or record.value
        return cls(
            reason=rejected.reason,
            detail=rejected.detail,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            key=None if record.key is None else record.key[:MAX_KEY_BYTES],
            value=None if value is None else value[:MAX_VALUE_BYTES],
            size=len(value or b""),
            rejected_at=record.timestamp,
            traceback=traceback,
        )

    @classmethod
    def revised(cls, revised: Revised) -> DeadLetter:
        """The letter for a ping on which there is another verdict now."""
        value = msgspec.json.encode(revised.ping)
        return cls(
            reason=revised.reason,
            detail=revised.detail,
            topic=VERDICTS,
            partition=0,
            offset=0,
            key=revised.vehicle_id.encode(),
            value=value,
            size=len(value),
            rejected_at=revised.reported_at,
        )
