"""Bytes in, messages out: what stands in the records of every topic.

Public topics are JSON. Types are strict (no "5" for 5),
unknown fields are skipped, so a producer may be newer than we are. Nothing a producer can send
raises: each `decode_*` gives what the record holds, good messages and `Rejected` ones, in order.

A ping record is one object, an array of objects, or Traccar's forwarded position, alone or in an
array. The single object is the hot path: one decode, nothing else. What else a record may be is
found out after that failed. An array's bad element is rejected alone, with its own bytes as `part`;
an array that is not JSON, is nested too deep or is too long is rejected whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.json import Decoder

from alerts.model import Alert
from geo.model import (
    Gap,
    Halt,
    Ping,
    Rejected,
    Sighting,
    Silence,
    Speeding,
    Trip,
    VehiclePlan,
    Visit,
)
from orders.model import (
    Aged,
    Assigned,
    Cancelled,
    Closed,
    Failed,
    InTransit,
    Opened,
    OrderEvent,
    OrderStatus,
    Outbound,
    Outcome,
    Received,
    Returned,
    Reviewed,
    Signal,
    Signed,
)
from stream import topics, traccar
from stream.letters import DeadLetter, Reason

MESSAGES: Mapping[str, tuple[type[Struct], ...]] = {
    topics.PINGS: (Ping, traccar.Forwarded),
    topics.PLANS: (VehiclePlan,),
    topics.VEHICLE_FACTS: (Visit, Silence, Gap),
    topics.VEHICLE_MOVES: (Halt, Trip, Speeding),
    topics.ORDER_EVENTS: (
        Received, Reviewed, Assigned, Outbound, InTransit, Signed, Cancelled, Returned, Failed,
    ),
    topics.ORDER_FACTS: (Visit, Sighting),
    topics.ORDER_STATUS: (OrderStatus,),
    topics.SIGNALS: (Opened, Closed, Aged, Outcome),
    topics.ALERT_EVENTS: (Alert,),
    topics.DEAD_LETTERS: (DeadLetter,),
}  # fmt: skip
"""What may stand on each public topic."""

MAX_PINGS = 10_000
"""Per record; Kafka's default limit of 1 MiB holds about as many. An array of more is an attack or
a mistake: half a million zeros would become as many dead letters."""

MAX_DETAIL = 300
"""Characters of a decoder's message that are kept: some quote what the producer sent."""

T = TypeVar("T")

_UNDECODABLE = (ValueError, RecursionError)
"""All that msgspec raises for bytes: its own errors and UnicodeDecodeError are ValueErrors."""

_ping = Decoder(Ping).decode  # Bound here: looked up for every record.
_pings: Decoder[list[Ping]] = Decoder(Annotated[list[Ping], Meta(max_length=MAX_PINGS)])
_parts: Decoder[list[msgspec.Raw]] = Decoder(
    Annotated[list[msgspec.Raw], Meta(max_length=MAX_PINGS)]
)
_forwarded = Decoder(traccar.Forwarded)
_plan = Decoder(VehiclePlan)
_order_event: Decoder[OrderEvent] = Decoder(OrderEvent)
_fact: Decoder[Visit | Sighting] = Decoder(Visit | Sighting)
_signal: Decoder[Signal] = Decoder(Signal)
_letter = Decoder(DeadLetter)

_json = msgspec.json.Encoder()


def decode_pings(value: bytes | None) -> Sequence[Ping | Rejected]:
    """The pings of one record of `gps.pings`."""
    if not value:
        return (_empty(topics.PINGS),)
    try:
        return (_ping(value),)
    except _UNDECODABLE as wrong:
        if value.lstrip()[:1] == b"[":
            return _array(value)
        return (_forwarded_or(wrong, value),)


def decode_plans(value: bytes | None) -> Sequence[VehiclePlan | Rejected]:
    """The plan in one record of `vehicle.plans`."""
    return _single(value, _plan, topics.PLANS)


def decode_orders(value: bytes | None) -> Sequence[OrderEvent | Rejected]:
    """The event in one record of `orders.events`."""
    return _single(value, _order_event, topics.ORDER_EVENTS)


def decode_facts(value: bytes | None) -> Sequence[Visit | Sighting | Rejected]:
    """The fact in one record of `order.facts`. A visit that names no order is of a place of the
    fleet, and none of an order's."""
    taken = _single(value, _fact, topics.ORDER_FACTS)
    if isinstance(taken[0], Visit) and taken[0].order_id is None:
        return (Rejected(Reason.WRONG_SHAPE, "a visit here must name its order_id"),)
    return taken


def decode_signals(value: bytes | None) -> Sequence[Signal | Rejected]:
    """The signal in one record of `alert.signals`."""
    return _single(value, _signal, topics.SIGNALS)


def decode_letters(value: bytes | None) -> Sequence[DeadLetter | Rejected]:
    """The letter in one record of `dead.letters`."""
    return _single(value, _letter, topics.DEAD_LETTERS)


def encode(message: Struct) -> bytes:
    """A message of a public topic as JSON; fields stand in the order of their struct."""
    return _json.encode(message)


def _single(value: bytes | None, decoder: Decoder[T], topic: str) -> tuple[T | Rejected]:
    if not value:
        return (_empty(topic),)
    try:
        return (decoder.decode(value),)
    except _UNDECODABLE as wrong:
        return (_rejected(wrong, topic),)


def _array(value: bytes) -> Sequence[Ping | Rejected]:
    try:
        return _pings.decode(value)
    except _UNDECODABLE:
        pass  # Something in it is no plain ping: look at each element.
    try:
        return [_element(bytes(part)) for part in _parts.decode(value)]
    except _UNDECODABLE as wrong:
        return (_rejected(wrong, topics.PINGS),)


def _element(part: bytes) -> Ping | Rejected:
    try:
        return _ping(part)
    except _UNDECODABLE as wrong:
        taken = _forwarded_or(wrong, part)
    return msgspec.structs.replace(taken, part=part) if isinstance(taken, Rejected) else taken


def _forwarded_or(wrong: Exception, value: bytes) -> Ping | Rejected:
    """Traccar's position, or else what was wrong with the ping."""
    if not traccar.is_forwarded(value):
        return _rejected(wrong, topics.PINGS)
    try:
        return traccar.ping_of(_forwarded.decode(value))
    except _UNDECODABLE as also_wrong:
        return _rejected(also_wrong, topics.PINGS)


def _empty(topic: str) -> Rejected:
    return Rejected(Reason.EMPTY, f"the record has no value; {_expected(topic)}")


def _rejected(wrong: Exception, topic: str) -> Rejected:
    return Rejected(_reason(wrong), f"{str(wrong)[:MAX_DETAIL]}; {_expected(topic)}")


def _reason(wrong: Exception) -> Reason:
    if isinstance(wrong, RecursionError):
        return Reason.TOO_DEEP
    if isinstance(wrong, msgspec.ValidationError):
        return Reason.WRONG_SHAPE
    return Reason.NOT_JSON


def _expected(topic: str) -> str:
    messages = MESSAGES[topic]
    kinds = [str(message.__struct_config__.tag or message.__name__) for message in messages]
    return f"expected {' or '.join(kinds)}, see schemas/{topic}.json"
